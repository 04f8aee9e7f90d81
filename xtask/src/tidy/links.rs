//! Links of the Markdown papers to files of the repository.

use std::collections::BTreeSet;

use pulldown_cmark::{Event, Parser, Tag};

use super::finding::Finding;
use super::tree::Paper;

/// Finds links that lead to no file of `paths`. Links to elsewhere and to a place in the same paper are left alone.
pub(crate) fn check(paper: &Paper, paths: &BTreeSet<String>) -> Vec<Finding> {
    let links = Parser::new(&paper.text).into_offset_iter().filter_map(|(event, range)| match event {
        Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => Some((dest_url, range.start)),
        _ => None,
    });
    let broken = links.filter(|(target, _)| is_of_the_repository(target) && !leads_to(paper, target, paths));
    broken
        .map(|(target, start)| Finding {
            path: paper.path.clone(),
            line: paper.text[..start].matches('\n').count() + 1,
            what: format!("the link to `{target}` leads nowhere"),
            mend: "name a file of the repository, relative to this one",
        })
        .collect()
}

fn is_of_the_repository(target: &str) -> bool {
    !target.starts_with('#') && !target.contains("://") && !target.starts_with("mailto:")
}

fn leads_to(paper: &Paper, target: &str, paths: &BTreeSet<String>) -> bool {
    let target = target.split('#').next().unwrap_or(target).trim_end_matches('/');
    let mut parts: Vec<_> = paper.path.split('/').collect();
    parts.pop();
    for part in target.split('/') {
        match part {
            "." => {}
            ".." if parts.pop().is_none() => return false,
            ".." => {}
            part => parts.push(part),
        }
    }
    paths.contains(&parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str) -> Vec<usize> {
        let paths = ["README.md", "docs", "docs/hub.md", "docs/formats/oci.md"].map(str::to_owned);
        let paper = Paper { path: "docs/hub.md".to_owned(), text: text.to_owned() };
        check(&paper, &BTreeSet::from(paths)).iter().map(|finding| finding.line).collect()
    }

    #[test]
    fn links_to_files_lead_there() {
        let text = "[a](../README.md) [b](formats/oci.md#layers) [c](./hub.md) [d](../docs/)\n![e][f]\n\n[f]: hub.md";
        assert!(lines(text).is_empty());
    }

    #[test]
    fn links_that_lead_nowhere_are_found_on_their_line() {
        for target in ["missing.md", "README.md", "../../README.md", "/README.md", "../target/x"] {
            assert_eq!(lines(&format!("text\n\nand [a]({target}) more")), [3], "{target}");
            assert_eq!(lines(&format!("[a]\n\n[a]: {target}")), [1], "{target}");
        }
    }

    #[test]
    fn what_is_no_link_to_a_file_is_left_alone() {
        let text = "[a](https://example.com/x) [b](#top) [c](mailto:a@example.com) `[d](missing.md)`\n\n```\n[e](missing.md)\n```\n";
        assert!(lines(text).is_empty());
    }
}
