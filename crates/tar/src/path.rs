//! Paths of entries: relative, joined by `/`, and below the folder that they would be unpacked in.

/// Why a path may not name an entry.
///
/// The texts show the path with its control characters escaped.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidPath {
    /// It names nothing.
    #[error("a path in the tar is empty")]
    Empty,
    /// It starts at a root: with `/` or `\`, or with the letter of a drive.
    #[error("`{}` in the tar is an absolute path", .path.escape_debug())]
    Absolute {
        /// The path.
        path: String,
    },
    /// One of its parts is `..`, also where `\` is what separates them.
    #[error("`{}` in the tar leaves its folder with `..`", .path.escape_debug())]
    Parent {
        /// The path.
        path: String,
    },
    /// It holds a NUL, where some readers see its end.
    #[error("`{}` in the tar holds a NUL", .path.escape_debug())]
    Nul {
        /// The path.
        path: String,
    },
    /// It is not UTF-8.
    #[error("`{}` in the tar is not UTF-8", .path.escape_debug())]
    Encoding {
        /// The path, with a mark where it is not UTF-8.
        path: String,
    },
    /// It is to be written, and has a part that is empty or `.`.
    #[error("`{}` is no path to write to a tar: it has a part that is empty or `.`", .path.escape_debug())]
    Form {
        /// The path.
        path: String,
    },
}

/// Returns `path` without the parts that say nothing (`.`, and what is between two slashes); for `./` that is the
/// empty string.
pub(crate) fn normal(path: &str) -> Result<String, InvalidPath> {
    let owned = || path.to_owned();
    if path.is_empty() {
        return Err(InvalidPath::Empty);
    }
    if path.contains('\0') {
        return Err(InvalidPath::Nul { path: owned() });
    }
    if is_rooted(path) {
        return Err(InvalidPath::Absolute { path: owned() });
    }
    if path.split(['/', '\\']).any(|part| part == "..") {
        return Err(InvalidPath::Parent { path: owned() });
    }
    let parts: Vec<_> = path.split('/').filter(|part| !matches!(*part, "" | ".")).collect();
    let normal = parts.join("/");
    // What stands behind a dropped `./` must not come to look like a root.
    if is_rooted(&normal) {
        return Err(InvalidPath::Absolute { path: owned() });
    }
    Ok(normal)
}

fn is_rooted(path: &str) -> bool {
    let has_drive = matches!(path.as_bytes(), [letter, b':', ..] if letter.is_ascii_alphabetic());
    path.starts_with(['/', '\\']) || has_drive
}

/// Checks a path that is to be written.
pub(crate) fn writable(path: &str) -> Result<(), InvalidPath> {
    if normal(path)? == path { Ok(()) } else { Err(InvalidPath::Form { path: path.to_owned() }) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn parts_that_say_nothing_are_dropped() {
        let table = [("a", "a"), ("./a", "a"), ("a//b/./c/", "a/b/c"), ("./", ""), (".", ""), ("..a/b..", "..a/b..")];
        for (path, expected) in table {
            assert_eq!(normal(path).as_deref(), Ok(expected), "{path}");
        }
        // systemd's units are called so in every Debian image.
        assert_eq!(normal(r"system-systemd\x2dcryptsetup.slice").as_deref(), Ok(r"system-systemd\x2dcryptsetup.slice"));
    }

    #[test]
    fn what_leaves_the_folder_is_refused() {
        let table = [
            ("", "is empty"),
            ("/etc/passwd", "absolute"),
            (r"\\server\share", "absolute"),
            (r"\etc", "absolute"),
            ("C:/x", "absolute"),
            ("c:x", "absolute"),
            (r"./\etc", "absolute"),
            ("./c:x", "absolute"),
            ("..", "`..`"),
            ("a/../../b", "`..`"),
            (r"a\..\..\b", "`..`"),
            ("./..", "`..`"),
            ("a\0b", "NUL"),
        ];
        for (path, expected) in table {
            let message = normal(path).unwrap_err().to_string();
            assert!(message.contains(expected), "{path}: {message}");
        }
    }

    #[test]
    fn error_texts_escape_control_characters() {
        let message = normal("/\u{1b}[31m\n").unwrap_err().to_string();
        assert_eq!(message, r"`/\u{1b}[31m\n` in the tar is an absolute path");
    }

    proptest! {
        #[test]
        fn a_normal_path_stays_below_and_stays_as_it_is(path in r"[a./\\:\x00C-]{0,12}") {
            if let Ok(path) = normal(&path)
                && !path.is_empty()
            {
                prop_assert_eq!(normal(&path), Ok(path.clone()));
                prop_assert!(writable(&path).is_ok());
                prop_assert!(path.split(['/', '\\']).all(|part| part != ".."));
                prop_assert!(!path.starts_with(['/', '\\']));
            }
        }
    }
}
