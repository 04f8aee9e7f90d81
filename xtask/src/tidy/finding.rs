//! What a check reports.

use std::fmt;

/// A place that breaks a rule of the repository.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Finding {
    /// The file, relative to the root of the repository.
    pub(crate) path: String,
    /// The line, from 1.
    pub(crate) line: usize,
    /// What is wrong.
    pub(crate) what: String,
    /// How to mend it.
    pub(crate) mend: &'static str,
}

impl fmt::Display for Finding {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { path, line, what, mend } = self;
        write!(formatter, "{path}:{line}: {what}; {mend}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finding_is_one_line_that_an_editor_can_follow() {
        let finding =
            Finding { path: "a/b.rs".to_owned(), line: 3, what: "a function is long".to_owned(), mend: "split it" };
        assert_eq!(finding.to_string(), "a/b.rs:3: a function is long; split it");
    }
}
