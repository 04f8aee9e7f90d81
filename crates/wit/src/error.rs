//! What can go wrong with WIT.

use std::error::Error as StdError;
use std::fmt;

use wit_parser::{PackageName, SourceMap, Span};

/// Why WIT could not be read, merged, printed or encoded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The text is no WIT, or names something that its own package does not have.
    #[error("{0}")]
    Syntax(Diagnostic),
    /// A package does not fit what it takes from others, such as a type that the other does not have.
    #[error("{0}")]
    Invalid(Diagnostic),
    /// A package is named that is not there.
    #[error("{diagnostic}")]
    MissingPackage {
        /// The package.
        package: Box<PackageName>,
        /// Where it is named, and what is there.
        diagnostic: Diagnostic,
    },
    /// A package is named without a version, and several are there.
    #[error(
        "`{package}` is named without a version, and is there as {}: name one of them ({location})",
        list(candidates)
    )]
    AmbiguousVersion {
        /// The name, which has no version.
        package: Box<PackageName>,
        /// What it may mean.
        candidates: Vec<PackageName>,
        /// Where it is named first.
        location: Location,
    },
    /// One thing is named with and without the version of its package.
    #[error("`{item}` is named both as of `{package}` and without the version: name it one way ({location})")]
    NamedTwice {
        /// The name of the interface or world.
        item: String,
        /// Its package, with the version.
        package: Box<PackageName>,
        /// Where it is named without.
        location: Location,
    },
    /// Packages need each other.
    #[error("packages need each other: {}", cycle(packages))]
    Cycle {
        /// The packages, each of which needs the next; the last is the first again.
        packages: Vec<PackageName>,
    },
    /// Two sources define one package, and they cannot be merged as one of them is text.
    #[error("`{package}` is defined by {first} and by {second}")]
    Duplicate {
        /// The package.
        package: Box<PackageName>,
        /// What one of the sources is called.
        first: String,
        /// What the other is called.
        second: String,
    },
    /// A text is no path of an interface or a world.
    #[error("`{text}` is no path of an interface or a world, such as `wasi:io/streams@0.2.3`")]
    Path {
        /// The text.
        text: String,
        /// Why.
        source: Refusal,
    },
    /// A package that something was to be added to has no world.
    #[error("the package has no world")]
    NoWorld,
    /// A package has no world of that name.
    #[error("the package has no world `{world}`; it has {}", quote(worlds))]
    UnknownWorld {
        /// The name.
        world: String,
        /// The names of those that it has.
        worlds: Vec<String>,
    },
    /// A package has several worlds, and none was named.
    #[error("the package has several worlds: {}", quote(worlds))]
    SeveralWorlds {
        /// Their names.
        worlds: Vec<String>,
    },
    /// What was to be removed is still used.
    #[error("`{package}` is still used ({})", places(locations))]
    StillUsed {
        /// The package.
        package: Box<PackageName>,
        /// Where types of it are used.
        locations: Vec<Location>,
    },
    /// An edit would leave text that is no WIT, such as a world that imports one thing twice.
    #[error("the edited text would be no WIT")]
    Edited {
        /// Why; the place is one in the edited text.
        source: Box<Self>,
    },
    /// What a package is to say of itself is not as it has to be.
    #[error("`{value}` cannot be the `{field}` of a package")]
    Metadata {
        /// The name of the field in `wkg.toml`.
        field: &'static str,
        /// What it was to be.
        value: String,
        /// Why it cannot.
        source: Refusal,
    },
    /// The text of a package is larger than [`TEXT_BYTES_MAX`](crate::limits::TEXT_BYTES_MAX).
    #[error("the WIT text of {document} has {size} bytes; the limit is {limit}")]
    TextTooLarge {
        /// What it is called.
        document: String,
        /// Its size in bytes.
        size: usize,
        /// The limit in bytes.
        limit: usize,
    },
    /// The Wasm is larger than [`WASM_BYTES_MAX`](crate::limits::WASM_BYTES_MAX), or is a WIT package and larger than
    /// [`PACKAGE_BYTES_MAX`](crate::limits::PACKAGE_BYTES_MAX).
    #[error("{document} has {size} bytes; the limit for what it is is {limit}")]
    WasmTooLarge {
        /// What it is called.
        document: String,
        /// Its size in bytes.
        size: usize,
        /// The limit in bytes.
        limit: usize,
    },
    /// A package has more files than [`FILES_MAX`](crate::limits::FILES_MAX).
    #[error("{document} has {count} WIT files; the limit is {limit}")]
    TooManyFiles {
        /// What it is called.
        document: String,
        /// How many there are.
        count: usize,
        /// The limit.
        limit: usize,
    },
    /// More packages are in one place than [`PACKAGES_MAX`](crate::limits::PACKAGES_MAX).
    #[error("{document} holds or needs {count} packages; the limit is {limit}")]
    TooManyPackages {
        /// What it is called.
        document: String,
        /// How many there are.
        count: usize,
        /// The limit.
        limit: usize,
    },
    /// What is there has few bytes, and would still take too much memory and time: it is over another of the
    /// [`limits`](crate::limits).
    #[error("{document} has more than {limit} {what}")]
    TooComplex {
        /// What it is called.
        document: String,
        /// What there is too much of.
        what: &'static str,
        /// The limit.
        limit: usize,
    },
    /// The Wasm holds no WIT, or WIT that cannot be read.
    #[error("the WIT in {document} cannot be read")]
    Unreadable {
        /// What it is called.
        document: String,
        /// Why.
        source: Refusal,
    },
    /// A dependency is a component, where it has to be a WIT package.
    #[error("{document} is a component, not a WIT package")]
    Component {
        /// What it is called.
        document: String,
    },
    /// Two packages hold other contents of a third one.
    #[error("{first} and {second} differ in what `{package}` is")]
    Conflict {
        /// The package that both hold.
        package: Box<PackageName>,
        /// What the one is called that was merged first.
        first: String,
        /// What the other is called.
        second: String,
        /// What differs.
        source: Refusal,
    },
    /// A package cannot be merged with what it stands beside.
    #[error("{document} cannot be merged with the other packages")]
    Unmergeable {
        /// What it is called.
        document: String,
        /// Why.
        source: Refusal,
    },
    /// The name of a package cannot be that of a folder.
    #[error("`{package}` has a name that no folder can have")]
    FolderName {
        /// The package.
        package: Box<PackageName>,
    },
    /// A package cannot be printed as WIT.
    #[error("`{package}` cannot be printed as WIT")]
    Unprintable {
        /// The package.
        package: Box<PackageName>,
        /// Why.
        source: Refusal,
    },
    /// A package cannot be encoded as Wasm.
    #[error("`{package}` cannot be encoded as Wasm")]
    Unencodable {
        /// The package.
        package: Box<PackageName>,
        /// Why.
        source: Refusal,
    },
}

/// A place in WIT text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Location {
    /// The name of the file, as it was given.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// The byte in the line, from 1.
    pub column: usize,
}

impl fmt::Display for Location {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}:{}", self.file, self.line, self.column)
    }
}

/// What is wrong with WIT text, and where.
///
/// It shows as `wit-parser` renders it:
///
/// ```text
/// expected `:`, found `}`
///      --> wit/world.wit:3:21
///       |
///    3 | record point { x }
///       |                  ^
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// What is wrong, in one line or a few.
    pub message: String,
    /// Where; nothing where it is wrong as a whole.
    pub location: Option<Location>,
    /// Both, with the line of text and a caret below it.
    pub rendered: String,
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.rendered)
    }
}

/// Why WIT was refused, as `wit-parser` and `wit-component` say it.
///
/// They have no types for most of their errors.
pub struct Refusal(Box<dyn StdError + Send + Sync>);

impl Refusal {
    pub(crate) fn new(error: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self(error.into())
    }
}

impl fmt::Debug for Refusal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

impl StdError for Refusal {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source()
    }
}

/// Tells where a span is; nothing where it is in none of the sources.
pub(crate) fn locate(sources: &SourceMap, span: Span) -> Option<Location> {
    let file = sources.resolve_span(span)?.path.to_owned();
    let rendered = sources.render_location(span);
    let mut numbers = rendered.rsplitn(3, ':');
    let column = numbers.next()?.parse().ok()?;
    let line = numbers.next()?.parse().ok()?;
    Some(Location { file, line, column })
}

fn list(names: &[PackageName]) -> String {
    let names: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
    names.join(", ")
}

fn quote(names: &[String]) -> String {
    let names: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
    names.join(", ")
}

fn places(locations: &[Location]) -> String {
    let places: Vec<_> = locations.iter().map(|location| format!("{}:{}", location.file, location.line)).collect();
    places.join(", ")
}

fn cycle(names: &[PackageName]) -> String {
    let names: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
    names.join(" -> ")
}
