//! Tests run always and wait for nothing but what they test.

use super::finding::Finding;
use super::mentions::{Kind, Mention};
use super::tree::Source;

const SLEEPS: [&str; 3] = ["std::thread::sleep", "tokio::time::sleep", "tokio::time::sleep_until"];

/// A file whose tests may sleep.
pub(crate) struct Exception {
    pub(crate) path: &'static str,
    /// Why, in a sentence.
    #[expect(dead_code, reason = "it is for the reader of the table")]
    pub(crate) reason: &'static str,
}

/// The files whose tests may sleep. One whose tests do not is a finding.
pub(crate) const EXCEPTIONS: &[Exception] = &[];

/// Finds tests that do not run, and those that sleep.
pub(crate) fn check(sources: &[Source], exceptions: &[Exception]) -> Vec<Finding> {
    let is_excepted = |source: &Source| exceptions.iter().any(|exception| exception.path == source.path);
    let found = sources.iter().flat_map(|source| {
        let sleeps = source.mentions.iter().filter(|mention| !is_excepted(source) && is_sleep(mention));
        let sleeps = sleeps.map(|mention| Finding {
            path: source.path.clone(),
            line: mention.line,
            what: "a test sleeps".to_owned(),
            mend: "wait for the event, or pause tokio's clock",
        });
        let ignored = source.mentions.iter().filter(|mention| is_ignore(mention)).map(|mention| Finding {
            path: source.path.clone(),
            line: mention.line,
            what: "a test is ignored".to_owned(),
            mend: "make it run, move it to `cargo xtask peers`, or delete it",
        });
        sleeps.chain(ignored)
    });
    let stale = exceptions.iter().filter(|exception| {
        !sources.iter().any(|source| source.path == exception.path && source.mentions.iter().any(is_sleep))
    });
    let stale = stale.map(|exception| Finding {
        path: exception.path.to_owned(),
        line: 1,
        what: "no test of this file sleeps any longer".to_owned(),
        mend: "take the exception out of xtask/src/tidy/patience.rs",
    });
    found.chain(stale).collect()
}

fn is_sleep(mention: &Mention) -> bool {
    mention.in_test && mention.kind == Kind::Path && SLEEPS.iter().any(|sleep| mention.is_in(sleep))
}

fn is_ignore(mention: &Mention) -> bool {
    mention.kind == Kind::Attribute && mention.name() == "ignore"
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str, exceptions: &[Exception]) -> Vec<String> {
        let source = Source::parse("a.rs", format!("#[cfg(test)]\nmod tests {{\n{text}\n}}\n")).unwrap();
        check(&[source], exceptions).iter().map(Finding::to_string).collect()
    }

    #[test]
    fn every_test_runs() {
        assert!(found("#[ignore = \"slow\"]\n#[test]\nfn f() {}", &[])[0].starts_with("a.rs:3: a test is ignored"));
        assert!(found("#[test]\nfn ignore() {}", &[]).is_empty());
    }

    #[test]
    fn no_test_sleeps() {
        for text in [
            "#[test]\nfn f() { std::thread::sleep(D); }",
            "#[tokio::test]\nasync fn f() { tokio::time::sleep(D).await; }",
            "#[tokio::test]\nasync fn f() { assert!(tokio::time::sleep_until(D).await); }",
        ] {
            assert_eq!(
                found(text, &[]),
                ["a.rs:4: a test sleeps; wait for the event, or pause tokio's clock"],
                "{text}"
            );
        }
        assert!(found("#[test]\nfn f() { let sleep = 1; tokio::time::advance(sleep); }", &[]).is_empty());
    }

    #[test]
    fn code_may_sleep() {
        let source = Source::parse("a.rs", "async fn f() { tokio::time::sleep(D).await; }".to_owned()).unwrap();
        assert_eq!(check(&[source], &[]), []);
    }

    #[test]
    fn an_exception_holds_until_it_is_not_needed() {
        let exceptions = [Exception { path: "a.rs", reason: "it waits for another process" }];
        assert!(found("fn f() { std::thread::sleep(D); }", &exceptions).is_empty());
        assert!(found("fn f() {}", &exceptions)[0].contains("no test of this file sleeps"));
    }
}
