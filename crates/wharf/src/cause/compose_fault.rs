//! Why components cannot be composed.

use std::error::Error as StdError;
use std::fmt;
use std::path::PathBuf;

use wharf_artifact::Kind;
use wharf_oci::Digest;
use wharf_package::{PackageName, PackageSpec, Version};
use wharf_wit::Diagnostic;

/// Why components cannot be composed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ComposeFault {
    /// Something is no component.
    #[error("`{component}` is a {kind}, and what is composed are components")]
    NotComponent {
        /// What it was called.
        component: String,
        /// What it is.
        kind: Kind,
    },
    /// Components are larger than what is composed in memory.
    #[error("the components have {bytes} bytes together; the limit is {limit}")]
    TooLarge {
        /// Their size together.
        bytes: u64,
        /// The limit in bytes.
        limit: u64,
    },
    /// A component is not valid, or built in a way that cannot be composed.
    #[error("`{component}` cannot be composed")]
    Uncomposable {
        /// What it was called.
        component: String,
        /// Why.
        source: Reason,
    },
    /// A plug exports nothing that the socket imports.
    #[error("{0}")]
    FitsNothing(Box<Unfit>),
    /// Two plugs export what the socket imports once.
    #[error("both `{first}` and `{second}` export `{import}`")]
    Contested {
        /// What the socket imports.
        import: String,
        /// The plug that was named first.
        first: String,
        /// The other.
        second: String,
    },
    /// A plug exports under the name of an import what is not of its type.
    #[error("`{export}` of `{plug}` is not what `{socket}` imports{}", under(export, import))]
    Mismatch {
        /// What the plug exports.
        export: String,
        /// The plug.
        plug: String,
        /// The component that imports it.
        socket: String,
        /// What that imports.
        import: String,
        /// In what they differ.
        source: Reason,
    },
    /// Two components import other things under one name, and nothing gives them either.
    #[error("`{first}` and `{second}` both import `{import}`, and mean different things")]
    ImportConflict {
        /// What they import.
        import: String,
        /// One of them.
        first: String,
        /// The other.
        second: String,
        /// In what they differ.
        source: Reason,
    },
    /// What the components make together is no valid component.
    #[error("the components do not go together")]
    Invalid {
        /// Why.
        source: Reason,
    },
    /// A document is no WAC, or asks for what its packages do not have.
    #[error("{diagnostic}")]
    Document {
        /// What is wrong, and where.
        diagnostic: Diagnostic,
        /// What may be meant, where the language knows.
        help: Option<String>,
        /// What lies below it.
        source: Option<Reason>,
    },
    /// A document is nested deeper than any is.
    #[error("`{}` is nested deeper than {limit} levels", path.display())]
    TooDeep {
        /// The document.
        path: PathBuf,
        /// The limit.
        limit: usize,
    },
    /// A document has more bytes than any has.
    #[error("`{}` has more than {limit} bytes", path.display())]
    DocumentTooLarge {
        /// The document.
        path: PathBuf,
        /// The limit.
        limit: usize,
    },
    /// A package was given a file, and the document does not name it.
    #[error("`{}` does not name `{package}`; it names {}", path.display(), listed(names))]
    NotNamed {
        /// The document.
        path: PathBuf,
        /// The package, and its version where one was given.
        package: PackageSpec,
        /// The packages that it names.
        names: Vec<String>,
    },
    /// A component is not locked, and has to be.
    #[error("{} not locked in `wharf.lock`", are(packages))]
    NotLocked {
        /// The components.
        packages: Vec<String>,
    },
    /// A version of a component has other content than was locked.
    #[error("`{package}@{version}` is {found}, where `wharf.lock` has {locked}")]
    LockedOtherwise {
        /// The component.
        package: PackageName,
        /// The version.
        version: Version,
        /// What was locked.
        locked: Digest,
        /// What its registry has.
        found: Digest,
    },
}

/// A plug that exports nothing that the socket imports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unfit {
    /// The plug.
    pub plug: String,
    /// What it exports, sorted.
    pub exports: Vec<String>,
    /// The socket.
    pub socket: String,
    /// What that imports, sorted.
    pub imports: Vec<String>,
    /// An export and an import that differ in the version alone, which is not a compatible one.
    pub near: Option<(String, String)>,
    /// Another plug, which imports what this one exports.
    pub user: Option<String>,
}

impl fmt::Display for Unfit {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { plug, exports, socket, imports, near, user } = self;
        write!(formatter, "`{plug}` exports nothing that `{socket}` imports: ")?;
        if let Some((export, import)) = near {
            write!(formatter, "`{export}` is no compatible version of `{import}`; ")?;
        }
        if let Some(user) = user {
            write!(formatter, "`{user}` imports what it exports; ")?;
        }
        write!(formatter, "`{plug}` exports {}; `{socket}` imports {}", listed(exports), listed(imports))
    }
}

/// What another piece of software says of components, with what lies below it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason {
    text: String,
    source: Option<Box<Self>>,
}

impl Reason {
    /// Says this, with nothing below it.
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), source: None }
    }

    /// Takes over an error with all that lies below it, but for what says the same again.
    pub(crate) fn of(error: &(dyn StdError + 'static)) -> Self {
        let text = error.to_string();
        let source = error.source().map(Self::of);
        match source {
            Some(source) if text.ends_with(&source.text) => source,
            source => Self { text, source: source.map(Box::new) },
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}

impl StdError for Reason {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_deref().map(|source| source as &(dyn StdError + 'static))
    }
}

/// Names that are told of what a component has.
const SHOWN: usize = 20;

fn listed(names: &[String]) -> String {
    let shown: Vec<_> = names.iter().take(SHOWN).map(|name| format!("`{name}`")).collect();
    match names.len() {
        0 => "nothing".to_owned(),
        1..=SHOWN => shown.join(", "),
        count => format!("{} and {} others", shown.join(", "), count - SHOWN),
    }
}

fn are(names: &[String]) -> String {
    format!("{} {}", listed(names), if names.len() == 1 { "is" } else { "are" })
}

/// Names an import, where an export is not called the same.
fn under(export: &str, import: &str) -> String {
    if export == import { String::new() } else { format!(" as `{import}`") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_says_nothing_twice() {
        #[derive(Debug, thiserror::Error)]
        #[error("{text}")]
        struct Link {
            text: &'static str,
            source: Option<Box<Self>>,
        }
        let link = |text, source: Option<Link>| Link { text, source: source.map(Box::new) };
        let chain = link("above", Some(link("cannot: below", Some(link("below", Some(link("ground", None)))))));
        let mut texts = Vec::new();
        let reason = Reason::of(&chain);
        let mut next: Option<&dyn StdError> = Some(&reason);
        while let Some(error) = next {
            texts.push(error.to_string());
            next = error.source();
        }
        assert_eq!(texts, ["above", "below", "ground"]);
    }

    #[test]
    fn many_names_are_cut_short() {
        let names: Vec<_> = (0..22).map(|number| format!("n{number}")).collect();
        assert!(listed(&names).ends_with("`n19` and 2 others"));
        assert_eq!(listed(&names[..1]), "`n0`");
        assert_eq!(listed(&[]), "nothing");
    }
}
