//! How long a function and a file may be.

use syn::spanned::Spanned as _;
use syn::visit::{self, Visit};

use super::finding::Finding;
use super::mentions::{attributes, is_test_only};
use super::tree::Source;

/// Lines of a function, its signature included; what people of several projects found to be the most that is read
/// at once.
const FUNCTION_LINES_MAX: usize = 70;

/// Lines of a file without its tests.
const FILE_LINES_MAX: usize = 500;

/// Lines of a file that holds a command, arguments included: parse, one call of the library, render.
const COMMAND_LINES_MAX: usize = 120;

const COMMANDS: &str = "crates/cli/src/command/";

/// A place that may be longer.
pub(crate) struct Exception {
    pub(crate) path: &'static str,
    /// The function; the file itself where there is none.
    pub(crate) function: Option<&'static str>,
    pub(crate) lines_max: usize,
    /// Why, in a sentence.
    #[expect(dead_code, reason = "it is for the reader of the table")]
    pub(crate) reason: &'static str,
}

/// The places that may be longer. One that no longer has to is a finding.
pub(crate) const EXCEPTIONS: &[Exception] = &[];

/// Finds what is longer than it may be, and what no longer is.
pub(crate) fn check(sources: &[Source], exceptions: &[Exception]) -> Vec<Finding> {
    let lengths: Vec<_> = sources.iter().flat_map(lengths).collect();
    let long = lengths.iter().filter_map(|length| {
        let limit =
            exceptions.iter().find(|exception| exception.is_for(length)).map_or(length.limit, |it| it.lines_max);
        (length.lines > limit).then(|| {
            let what = format!("{} has {} lines; the limit is {limit}", length.what(), length.lines);
            Finding { path: length.path.to_owned(), line: length.line, what, mend: "split it where an idea ends" }
        })
    });
    let stale = exceptions
        .iter()
        .filter(|exception| !lengths.iter().any(|length| exception.is_for(length) && length.lines > length.limit));
    let stale = stale.map(|exception| Finding {
        path: exception.path.to_owned(),
        line: 1,
        what: format!("{} is no longer too long", exception.function.unwrap_or("the file")),
        mend: "take the exception out of xtask/src/tidy/budgets.rs",
    });
    long.chain(stale).collect()
}

impl Exception {
    fn is_for(&self, length: &Length<'_>) -> bool {
        self.path == length.path && self.function == length.function.as_deref()
    }
}

/// How long something is.
struct Length<'a> {
    path: &'a str,
    /// The function; the file itself where there is none.
    function: Option<String>,
    /// Where it begins.
    line: usize,
    lines: usize,
    limit: usize,
}

impl Length<'_> {
    fn what(&self) -> String {
        self.function.as_ref().map_or_else(|| "the file".to_owned(), |name| format!("the function `{name}`"))
    }
}

fn lengths(source: &Source) -> Vec<Length<'_>> {
    let mut functions = Functions::default();
    functions.visit_file(&source.syntax);
    let mut lengths: Vec<_> = functions
        .0
        .into_iter()
        .map(|(name, first, last)| Length {
            path: &source.path,
            function: Some(name),
            line: first,
            lines: last + 1 - first,
            limit: FUNCTION_LINES_MAX,
        })
        .collect();
    let limit = if source.path.starts_with(COMMANDS) { COMMAND_LINES_MAX } else { FILE_LINES_MAX };
    lengths.push(Length { path: &source.path, function: None, line: 1, lines: lines_without_tests(source), limit });
    lengths
}

fn lines_without_tests(source: &Source) -> usize {
    let tests = source.syntax.items.iter().filter(|item| is_test_only(attributes(item)));
    let tests = tests.map(|item| item.span().end().line + 1 - item.span().start().line);
    source.text.lines().count().saturating_sub(tests.sum())
}

/// Every function with its first and its last line; attributes and comments before it do not count.
#[derive(Default)]
struct Functions(Vec<(String, usize, usize)>);

impl Functions {
    fn add(&mut self, signature: &syn::Signature, block: &syn::Block) {
        let first = signature.span().start().line;
        self.0.push((signature.ident.to_string(), first, block.span().end().line));
    }
}

impl<'ast> Visit<'ast> for Functions {
    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        self.add(&item.sig, &item.block);
        visit::visit_item_fn(self, item);
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        self.add(&item.sig, &item.block);
        visit::visit_impl_item_fn(self, item);
    }

    fn visit_trait_item_fn(&mut self, item: &'ast syn::TraitItemFn) {
        if let Some(block) = &item.default {
            self.add(&item.sig, block);
        }
        visit::visit_trait_item_fn(self, item);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EXCEPTION: &[Exception] =
        &[Exception { path: "a.rs", function: Some("f"), lines_max: 80, reason: "a table of one row a line" }];

    fn found(path: &str, text: String, exceptions: &[Exception]) -> Vec<String> {
        let sources = [Source::parse(path, text).unwrap()];
        check(&sources, exceptions).iter().map(Finding::to_string).collect()
    }

    /// A function with as many lines, from the second of the file on.
    fn function(lines: usize) -> String {
        format!("/// A function.\nfn f() {{\n{}}}\n", "    g();\n".repeat(lines - 2))
    }

    #[test]
    fn a_function_has_seventy_lines_at_most() {
        assert!(found("a.rs", function(70), &[]).is_empty());
        let findings = found("a.rs", function(71), &[]);
        assert_eq!(findings.len(), 1);
        assert!(findings[0].starts_with("a.rs:2: the function `f` has 71 lines; the limit is 70"), "{findings:?}");
        for outside in ["impl A", "trait A", "mod a", "fn outer()"] {
            let text = format!("{outside} {{\n{}}}", function(71));
            assert!(found("a.rs", text, &[]).iter().any(|it| it.contains("`f`")), "{outside}");
        }
    }

    #[test]
    fn a_file_has_five_hundred_lines_at_most_without_its_tests() {
        let tests = format!("#[cfg(test)]\nmod tests {{\n{}}}\n", "    use a;\n".repeat(600));
        assert!(found("a.rs", "use a;\n".repeat(500) + &tests, &[]).is_empty());
        let findings = found("a.rs", "use a;\n".repeat(501) + &tests, &[]);
        assert!(findings[0].starts_with("a.rs:1: the file has 501 lines; the limit is 500"), "{findings:?}");
    }

    #[test]
    fn a_command_has_its_own_limit() {
        assert!(found("crates/cli/src/command/push.rs", "use a;\n".repeat(120), &[]).is_empty());
        assert_eq!(found("crates/cli/src/command/push.rs", "use a;\n".repeat(121), &[]).len(), 1);
        assert!(found("crates/cli/src/render.rs", "use a;\n".repeat(121), &[]).is_empty());
    }

    #[test]
    fn an_exception_holds_for_its_place_until_it_is_not_needed() {
        assert!(found("a.rs", function(80), EXCEPTION).is_empty());
        assert!(found("a.rs", function(81), EXCEPTION)[0].contains("81 lines; the limit is 80"));
        assert!(found("a.rs", function(70), EXCEPTION)[0].contains("f is no longer too long"));
        assert_eq!(found("b.rs", function(80), EXCEPTION).len(), 2);
    }
}
