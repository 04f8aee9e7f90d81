//! Which folders are members of a workspace: `members` of a `wkg.toml`.

use std::str::FromStr;

use glob::{Pattern, PatternError};
use serde::Deserialize;

/// Why a text names no members of a workspace.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidMemberPattern {
    /// It is absolute, or leads out by `..`.
    #[error("`{text}` leads out of the workspace; members are folders in it")]
    Outside {
        /// What was given.
        text: String,
    },
    /// It has a `\`, which is a part of a name on some systems, and stands between names on others.
    #[error("`{text}` has a `\\`; between folders stands `/`, on all systems")]
    Backslash {
        /// What was given.
        text: String,
    },
    /// What stands for many names is written in a wrong way.
    #[error("`{text}` is not a pattern of folders: {reason}")]
    Pattern {
        /// What was given.
        text: String,
        /// Why.
        reason: &'static str,
    },
}

/// Folders of a workspace, relative to its root.
///
/// ```text
/// one                the folder one, whatever is in it
/// examples/*/wit     * and ? stand for any characters and for any one, of one name
/// lib-[a-c]          [abc], [a-c] and [!a-c] for one of them, or for one of the others
/// **/wit             ** for any number of folders, none too; at the end, for all folders below
/// ```
///
/// `.` and `..` count as they do in paths, but lead out of the workspace nowhere.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct MemberPattern {
    parts: Vec<Part>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Literal(String),
    Pattern(Pattern),
    /// Any number of folders, none too. Another part follows.
    AnyDepth,
}

impl MemberPattern {
    /// Returns the folder, where this names just one. It is a member also if it has no WIT.
    #[must_use]
    pub fn literal(&self) -> Option<String> {
        let literal = |part: &Part| match part {
            Part::Literal(name) => Some(name.clone()),
            Part::Pattern(_) | Part::AnyDepth => None,
        };
        let names: Option<Vec<String>> = self.parts.iter().map(literal).collect();
        Some(names?.join("/"))
    }

    /// Whether this names a folder, given as a path from the root of the workspace with `/` between names; that of the
    /// root is empty.
    #[must_use]
    pub fn matches(&self, folder: &str) -> bool {
        self.reached(folder)[self.parts.len()]
    }

    /// Whether this may name folders in a folder, however deep, so that it is worth while to look into it.
    #[must_use]
    pub fn matches_below(&self, folder: &str) -> bool {
        self.reached(folder)[..self.parts.len()].contains(&true)
    }

    /// Returns how many parts the names of a path may have used up, as one flag for each number.
    fn reached(&self, folder: &str) -> Vec<bool> {
        let mut reached = vec![false; self.parts.len() + 1];
        reached[0] = true;
        self.skip_depths(&mut reached);
        for name in folder.split('/').filter(|name| !name.is_empty()) {
            let mut next = vec![false; reached.len()];
            for (index, part) in self.parts.iter().enumerate().filter(|(index, _)| reached[*index]) {
                match part {
                    Part::Literal(literal) => next[index + 1] |= literal == name,
                    Part::Pattern(pattern) => next[index + 1] |= pattern.matches(name),
                    Part::AnyDepth => next[index] = true,
                }
            }
            self.skip_depths(&mut next);
            reached = next;
        }
        reached
    }

    /// Goes on past each `**`, which may stand for no folder.
    fn skip_depths(&self, reached: &mut [bool]) {
        for (index, part) in self.parts.iter().enumerate() {
            reached[index + 1] |= reached[index] && *part == Part::AnyDepth;
        }
    }
}

impl FromStr for MemberPattern {
    type Err = InvalidMemberPattern;

    fn from_str(text: &str) -> Result<Self, InvalidMemberPattern> {
        let owned = || text.to_owned();
        if text.contains('\\') {
            return Err(InvalidMemberPattern::Backslash { text: owned() });
        }
        if text.starts_with('/') || has_drive(text) {
            return Err(InvalidMemberPattern::Outside { text: owned() });
        }
        let mut parts = Vec::new();
        for name in text.split('/').filter(|name| !matches!(*name, "" | ".")) {
            if name != ".." {
                let invalid = |error: PatternError| InvalidMemberPattern::Pattern { text: owned(), reason: error.msg };
                parts.push(part(name).map_err(invalid)?);
            } else if parts.pop().is_none() {
                return Err(InvalidMemberPattern::Outside { text: owned() });
            }
        }
        if parts.last() == Some(&Part::AnyDepth) {
            parts.push(Part::Pattern(Pattern::new("*").expect("a star is a pattern")));
        }
        Ok(Self { parts })
    }
}

fn part(name: &str) -> Result<Part, PatternError> {
    match name {
        "**" => Ok(Part::AnyDepth),
        name if name.contains(['*', '?', '[']) => Pattern::new(name).map(Part::Pattern),
        name => Ok(Part::Literal(name.to_owned())),
    }
}

/// Whether a path starts with the letter of a drive, which leads elsewhere on Windows.
fn has_drive(text: &str) -> bool {
    matches!(text.as_bytes(), [letter, b':', ..] if letter.is_ascii_alphabetic())
}

impl TryFrom<String> for MemberPattern {
    type Error = InvalidMemberPattern;

    fn try_from(text: String) -> Result<Self, InvalidMemberPattern> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn pattern(text: &str) -> MemberPattern {
        text.parse().unwrap()
    }

    #[test]
    fn a_pattern_names_folders() {
        for (text, folders, others) in [
            ("one", "one", "on onee one/two two/one"),
            ("./a/./b/", "a/b", "a b"),
            ("a/../b", "b", "a a/b"),
            ("*", "one .hidden", "one/two"),
            ("a/*/wit", "a/b/wit a/c-d/wit", "a/wit a/b/c/wit a/b a/b/wit/deps"),
            ("lib-?", "lib-a", "lib- lib-ab"),
            ("lib-[a-c]", "lib-a lib-c", "lib-d lib-[a-c] lib-A"),
            ("lib-[!a-c]", "lib-d", "lib-a"),
            ("[[]a", "[a", "a"),
            ("**/wit", "wit a/wit a/b/wit", "a a/wit/b"),
            ("a/**", "a/b a/b/c", "a b"),
            ("a/**/**/b", "a/b a/c/d/b", "a b"),
            ("**/a/**/b", "a/b x/a/y/b a/a/b/b", "b a b/a"),
        ] {
            let pattern = pattern(text);
            for folder in folders.split(' ') {
                assert!(pattern.matches(folder), "{text} names {folder}");
            }
            for folder in others.split(' ').chain([""]) {
                assert!(!pattern.matches(folder), "{text} does not name `{folder}`");
            }
        }
        assert!(pattern(".").matches("") && !pattern(".").matches("a"));
    }

    #[test]
    fn only_folders_that_may_hold_members_are_looked_into() {
        for (text, holding, others) in
            [("a/*/wit", " a a/b", "b a/b/wit a/b/c"), ("a/**/wit", " a a/b a/b/c a/wit", "b"), ("one", "", "one two")]
        {
            let pattern = pattern(text);
            for folder in holding.split(' ') {
                assert!(pattern.matches_below(folder), "{text} may be in `{folder}`");
            }
            for folder in others.split(' ') {
                assert!(!pattern.matches_below(folder), "{text} is not in `{folder}`");
            }
        }
    }

    #[test]
    fn a_pattern_of_one_folder_says_which() {
        for (text, expected) in [("./a/b/", Some("a/b")), (".", Some("")), ("a/*", None), ("**/a", None), ("a?", None)]
        {
            assert_eq!(pattern(text).literal().as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn what_leads_out_of_the_workspace_is_refused() {
        for (text, expected) in [
            ("..", "`..` leads out of the workspace; members are folders in it"),
            ("../other", "leads out"),
            ("a/../../other", "leads out"),
            ("*/../../a", "leads out"),
            ("/a", "leads out"),
            ("C:/a", "leads out"),
            ("c:a", "leads out"),
            ("..\\other", "has a `\\`; between folders stands `/`"),
            ("a**", "`a**` is not a pattern of folders: recursive wildcards must form a single path component"),
            ("lib-[a", "is not a pattern of folders"),
        ] {
            let error = text.parse::<MemberPattern>().unwrap_err().to_string();
            assert!(error.contains(expected), "{text}: {error}");
        }
    }

    proptest! {
        #[test]
        fn all_that_is_named_is_found_from_the_root_and_in_the_workspace(
            text in "[ab./*?]{0,8}",
            names in proptest::collection::vec("[ab]{1,2}|\\.\\.", 0..5),
        ) {
            let Ok(pattern) = text.parse::<MemberPattern>() else { return Ok(()) };
            prop_assert!(!pattern.parts.contains(&Part::Literal("..".to_owned())));
            let is_looked_into = (0..names.len()).all(|count| pattern.matches_below(&names[..count].join("/")));
            prop_assert!(!pattern.matches(&names.join("/")) || is_looked_into, "{} names {:?}", text, names);
        }
    }
}
