//! Edits of WIT text that leave all else as it is, byte for byte.
//!
//! ```text
//!   package acme:app;                     package acme:app;
//!
//!   world app {              add          world app {
//!     // What it asks for.  ─────>          // What it asks for.
//!     import wasi:io/poll@0.2.3;            import wasi:io/poll@0.2.3;
//!   }                                       import wasi:io/streams@0.2.3;
//!                                         }
//! ```
//!
//! The files are those of one package. They have to be WIT before an edit, are changed together or, after an error,
//! not at all, and are WIT afterwards. What an edit adds is laid out as what stands beside it: with its indentation,
//! and with the line breaks of its file.
//!
//! Packages that the files define themselves, also as `package ns:name { … }`, are no packages that they mention. Which
//! versions there are, and what is in them, is not known here.

mod outline;
mod source;
#[cfg(test)]
mod tests;
mod token;

use std::collections::{BTreeMap, HashSet};
use std::fmt;
use std::str::FromStr;

use semver::Version;
use wit_parser::{PackageName, ParsedUsePath, parse_use_path};

use crate::{Document, Error, Location, Refusal, TextFile};
use outline::{Mention, Role, World};
use source::{Source, Splice, apply};

/// How a world names something of another package.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Keyword {
    /// `include`, for a world.
    Include,
    /// `import`, for an interface.
    Import,
    /// `export`, for an interface.
    Export,
}

impl fmt::Display for Keyword {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Include => "include",
            Self::Import => "import",
            Self::Export => "export",
        })
    }
}

/// The path of an interface or a world of a package, such as `wasi:io/streams@0.2.3`.
///
/// It shows with a `%` before what would be a keyword, and is read with it or without where it is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ItemPath {
    package: PackageName,
    item: String,
}

impl ItemPath {
    /// Names an interface or a world of a package.
    ///
    /// # Errors
    /// [`Error::Path`] where a name is none that WIT can have.
    pub fn new(package: PackageName, item: &str) -> Result<Self, Error> {
        let path = Self { package, item: item.to_owned() };
        let text = path.to_string();
        let parsed: Self = text.parse()?;
        if parsed != path {
            return Err(Error::Path { text, source: Refusal::new("it reads as another path") });
        }
        Ok(path)
    }

    /// Returns the package.
    #[must_use]
    pub fn package(&self) -> &PackageName {
        &self.package
    }

    /// Returns the name of the interface or world in it.
    #[must_use]
    pub fn item(&self) -> &str {
        &self.item
    }
}

impl FromStr for ItemPath {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let refuse = |source| Error::Path { text: text.to_owned(), source };
        match parse_use_path(text).map_err(|error| refuse(Refusal::new(error)))? {
            ParsedUsePath::Package(package, item) => Ok(Self { package, item }),
            ParsedUsePath::Name(_) => Err(refuse(Refusal::new("it names no package"))),
        }
    }
}

impl fmt::Display for ItemPath {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let PackageName { namespace, name, version } = &self.package;
        write!(formatter, "{}:{}/{}", escaped(namespace), escaped(name), escaped(&self.item))?;
        version.as_ref().map_or(Ok(()), |version| write!(formatter, "@{version}"))
    }
}

/// A statement of a world, such as `import wasi:io/streams@0.2.3`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// Its keyword.
    pub keyword: Keyword,
    /// What it names.
    pub path: ItemPath,
}

impl fmt::Display for Statement {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {}", self.keyword, self.path)
    }
}

/// What [`add`] did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Added {
    /// The statement was added, and stands here now.
    New(Location),
    /// The world has had it already, here; nothing was changed.
    Present(Location),
}

/// Adds a statement to the world of that name, or to the only one where no name is given.
///
/// It comes after the last one with its keyword. Where there is none, `include` comes before `import`, and `import`
/// before `export`; and where there is none of them either, it comes at the end. Worlds of packages that nest in the
/// text are left alone.
///
/// # Errors
/// [`Error::NoWorld`], [`Error::SeveralWorlds`], [`Error::UnknownWorld`]; [`Error::Edited`] where the statement does not
/// go with what is there; what [`Document::parse`] refuses.
pub fn add(files: &mut [TextFile], world: Option<&str>, statement: &Statement) -> Result<Added, Error> {
    let text = Text::read(files)?;
    let (file, number) = text.world(world)?;
    let source = &text.sources[file];
    let is_it = |mention: &&Mention| {
        mention.role == Role::Statement(number, statement.keyword)
            && mention.package == statement.path.package
            && mention.item == statement.path.item
    };
    if let Some(mention) = source.outline.mentions.iter().find(is_it) {
        return Ok(Added::Present(source.location(mention.path.start)));
    }
    let splice = source.insert(&source.outline.worlds[number], statement);
    let indented = splice.text.len() - splice.text.trim_start().len();
    let path_at = splice.range.start + indented + statement.keyword.to_string().len() + 1;
    let mut splices = vec![Vec::new(); files.len()];
    splices[file].push(splice);
    rewrite(files, splices)?;
    Ok(Added::New(location(&files[file], path_at)))
}

/// Changes the version of a package wherever it is named, and returns where it stood; `package` without a version
/// stands for every version, and for none.
///
/// A place that names the version `to` already is not among them. One that names no version gets one.
///
/// # Errors
/// [`Error::Edited`] where two statements of a world would name one thing; what [`Document::parse`] refuses.
pub fn set_version(files: &mut [TextFile], package: &PackageName, to: &Version) -> Result<Vec<Location>, Error> {
    let text = Text::read(files)?;
    let mut locations = Vec::new();
    let mut splices = vec![Vec::new(); files.len()];
    for (splices, source) in splices.iter_mut().zip(&text.sources) {
        let is_meant = |mention: &&Mention| mention.path.is_full && mention.is_of(package);
        for mention in source.outline.mentions.iter().filter(is_meant) {
            if mention.package.version.as_ref() == Some(to) {
                continue;
            }
            locations.push(source.location(mention.path.start));
            splices.push(match &mention.path.version {
                Some(version) => Splice { range: version.clone(), text: to.to_string() },
                None => Splice { range: mention.path.item_end..mention.path.item_end, text: format!("@{to}") },
            });
        }
    }
    rewrite(files, splices)?;
    Ok(locations)
}

/// Removes the statements of worlds, and the `use` outside of them, that name a package, and returns where they stood;
/// `package` without a version stands for every version, and for none.
///
/// The doc comments and attributes of a statement go with it, and so does a comment behind it on its line. All other
/// comments stay.
///
/// # Errors
/// [`Error::StillUsed`] where types of the package are used in an interface or a world; what [`Document::parse`]
/// refuses.
pub fn remove(files: &mut [TextFile], package: &PackageName) -> Result<Vec<Location>, Error> {
    let text = Text::read(files)?;
    let mut used = Vec::new();
    let mut removed = Vec::new();
    let mut splices = Vec::new();
    for source in &text.sources {
        let meant = source.outline.mentions.iter().filter(|mention| mention.is_of(package));
        let (uses, statements): (Vec<_>, Vec<_>) = meant.partition(|mention| mention.role == Role::TypeUse);
        used.extend(uses.iter().map(|mention| source.location(mention.path.start)));
        removed.extend(statements.iter().map(|mention| source.location(mention.path.start)));
        splices.push(source.removal(statements.into_iter()));
    }
    if !used.is_empty() {
        return Err(Error::StillUsed { package: Box::new(package.clone()), locations: used });
    }
    rewrite(files, splices)?;
    Ok(removed)
}

/// Returns the packages that the text names and does not define, sorted, each with the places, in their order.
///
/// What is named by a name that a `use` outside of interfaces and worlds gave it counts there alone.
///
/// # Errors
/// What [`Document::parse`] refuses.
pub fn mentions(files: &[TextFile]) -> Result<BTreeMap<PackageName, Vec<Location>>, Error> {
    let text = Text::read(files)?;
    let mut found: BTreeMap<PackageName, Vec<Location>> = BTreeMap::new();
    for source in &text.sources {
        for mention in source.outline.mentions.iter().filter(|mention| mention.is_foreign && mention.path.is_full) {
            found.entry(mention.package.clone()).or_default().push(source.location(mention.path.start));
        }
    }
    Ok(found)
}

/// What messages call the files together.
const LABEL: &str = "the package";

/// The text of a package.
struct Text<'a> {
    sources: Vec<Source<'a>>,
}

impl<'a> Text<'a> {
    fn read(files: &'a [TextFile]) -> Result<Self, Error> {
        let document = Document::parse(LABEL, files.to_vec())?;
        let defined: HashSet<_> = document.definitions().into_iter().collect();
        Ok(Self { sources: files.iter().map(|file| Source::new(file, &defined)).collect() })
    }

    /// Returns the number of a file, and that of a world in it.
    fn world(&self, name: Option<&str>) -> Result<(usize, usize), Error> {
        let worlds = self.sources.iter().enumerate().flat_map(|(file, source)| {
            source.outline.worlds.iter().enumerate().map(move |(number, world)| ((file, number), world))
        });
        let worlds: Vec<(_, &World)> = worlds.filter(|(_, world)| !world.is_nested).collect();
        let names = || worlds.iter().map(|(_, world)| world.name.clone()).collect();
        match (name, worlds.as_slice()) {
            (_, []) => Err(Error::NoWorld),
            (None, [(place, _)]) => Ok(*place),
            (None, _) => Err(Error::SeveralWorlds { worlds: names() }),
            (Some(name), _) => {
                let found = worlds.iter().find(|(_, world)| world.name == name).map(|(place, _)| *place);
                found.ok_or_else(|| Error::UnknownWorld { world: name.to_owned(), worlds: names() })
            }
        }
    }
}

/// Returns the place of a byte, for messages.
fn location(file: &TextFile, at: usize) -> Location {
    let before = &file.text[..at];
    let line_start = before.rfind('\n').map_or(0, |end| end + 1);
    Location { file: file.name.clone(), line: before.matches('\n').count() + 1, column: at - line_start + 1 }
}

/// Makes changes, a list for each file; all of them, or none.
fn rewrite(files: &mut [TextFile], splices: Vec<Vec<Splice>>) -> Result<(), Error> {
    let edit = |(file, splices): (&TextFile, Vec<Splice>)| TextFile {
        name: file.name.clone(),
        text: apply(&file.text, splices),
    };
    let edited: Vec<_> = files.iter().zip(splices).map(edit).collect();
    Document::parse(LABEL, edited.clone()).map_err(|error| Error::Edited { source: Box::new(error) })?;
    files.clone_from_slice(&edited);
    Ok(())
}

/// Returns a name as it can stand in WIT, with a `%` where it would be a keyword.
fn escaped(name: &str) -> String {
    if parse_use_path(name).is_ok() { name.to_owned() } else { format!("%{name}") }
}
