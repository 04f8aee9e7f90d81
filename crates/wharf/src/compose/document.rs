//! Documents of WAC, which say what is composed of what.
//!
//! ```text
//!   app.wac ──parse──> the packages that it names ──(--dep, deps/, registry)──> components
//!      └───────────────────────────── resolve, encode <────────────────────────────┘
//! ```

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use indexmap::IndexMap;
use wac_graph::types::BorrowedPackageKey;
use wac_parser::Document;
use wac_parser::lexer::{Lexer, Token};
use wac_parser::resolution::Error as Unresolved;
use wharf_package::{PackageRequest, PackageSpec, Version, resolve::Requirement};
use wharf_wit::{Diagnostic, Location};

use super::graph::{Composed, ENCODING, connections, guard};
use super::supply::{Component, ComponentSource};
use crate::project::read;
use crate::{Cause, ComposeFault, Reason};

/// Bytes of a document; people write some KB of it by hand.
const DOCUMENT_BYTES_MAX: usize = 1024 * 1024;

/// How deep brackets of any kind nest in a document: the parser goes down with them.
const NESTING_DEPTH_MAX: usize = 100;

/// A document of WAC, and where the packages are that it names.
#[derive(Debug, Clone)]
pub struct WacDocument {
    /// The file.
    pub path: PathBuf,
    /// Files for packages that it names; for any version, where none is given.
    pub given: Vec<(PackageSpec, PathBuf)>,
    /// The folder in which packages are looked for that no file was given for: as `NAMESPACE/NAME.wasm` or
    /// `NAMESPACE/NAME/VERSION.wasm`, with the ending `.wat`, or as a folder of WIT without an ending. What is not there
    /// comes from a registry.
    pub deps: PathBuf,
}

/// A document that was read.
#[derive(Debug)]
pub(super) struct Parsed {
    path: PathBuf,
    text: String,
    names: Vec<Named>,
    /// Where each of the packages is that the document names.
    pub(super) sources: Vec<ComponentSource>,
}

/// A package, as a document names it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Named {
    name: String,
    version: Option<Version>,
}

impl WacDocument {
    /// Reads the document, and finds where the packages are that it names.
    pub(super) fn parse(&self) -> Result<Parsed, Cause> {
        let path = self.path.clone();
        let text = read(&path, DOCUMENT_BYTES_MAX)?.ok_or_else(|| Cause::NoFile { path: path.clone() })?;
        if text.len() > DOCUMENT_BYTES_MAX {
            return Err(ComposeFault::DocumentTooLarge { path, limit: DOCUMENT_BYTES_MAX }.into());
        }
        let names = guard(|| names(&path, &text))?;
        let names: Vec<Named> = names.into_iter().collect();
        self.check_given(&names)?;
        let sources = names.iter().map(|named| self.source(named)).collect::<Result<_, _>>()?;
        Ok(Parsed { path, text, names, sources })
    }

    /// Fails where a file was given for what the document does not name.
    fn check_given(&self, names: &[Named]) -> Result<(), Cause> {
        let is_unknown = |(spec, _): &&(PackageSpec, PathBuf)| !names.iter().any(|named| is_for(spec, named));
        match self.given.iter().find(is_unknown) {
            None => Ok(()),
            Some((package, _)) => {
                let names = names.iter().map(Named::to_string).collect();
                Err(ComposeFault::NotNamed { path: self.path.clone(), package: package.clone(), names }.into())
            }
        }
    }

    /// Finds where a package is.
    fn source(&self, named: &Named) -> Result<ComponentSource, Cause> {
        let given = self.given.iter().filter(|(spec, _)| is_for(spec, named));
        if let Some((_, path)) = given.max_by_key(|(spec, _)| spec.version.is_some()) {
            return Ok(ComponentSource::File(path.clone()));
        }
        if let Some(path) = named.in_folder(&self.deps) {
            return Ok(ComponentSource::File(path));
        }
        let package = named
            .name
            .parse()
            .map_err(|source| Cause::PackageName { location: self.path.display().to_string(), source })?;
        let requirement = named.version.clone().map(Requirement::Exactly);
        Ok(ComponentSource::Package(PackageRequest { package, item: None, requirement }))
    }
}

impl Parsed {
    /// Composes what the document says, of the components at its sources.
    pub(super) fn compose(&self, components: &[Component]) -> Result<Composed, Cause> {
        let fault = |error: &dyn Foreign| fault(&self.path, &self.text, error);
        guard(|| {
            let document = Document::parse(&self.text).map_err(|error| fault(&error))?;
            let mut packages = IndexMap::new();
            for (Named { name, version }, component) in self.names.iter().zip(components) {
                let key = BorrowedPackageKey::from_name_and_version(name, version.as_ref());
                packages.insert(key, component.bytes.to_vec());
            }
            let resolution = document.resolve(packages).map_err(|error| fault(&error))?;
            let bytes = resolution.encode(ENCODING).map_err(|error| match error {
                // That is of no place in the document.
                Unresolved::ValidationFailure { source } => ComposeFault::Invalid { source: Reason::of(&source) },
                error => fault(&error),
            })?;
            let connections = connections(resolution.graph(), ToString::to_string);
            Ok(Composed { bytes, connections })
        })
    }
}

impl Named {
    /// Finds the package in a folder of packages, as `wac` keeps them.
    fn in_folder(&self, folder: &Path) -> Option<PathBuf> {
        // The name is made of words, which the lexer has seen to.
        let mut path = self.name.split(':').fold(folder.to_owned(), |path, word| path.join(word));
        path.extend(self.version.as_ref().map(ToString::to_string));
        if has_wit(&path) {
            return Some(path);
        }
        let with_end = |end: &str| {
            let mut path = path.clone().into_os_string();
            path.push(end);
            PathBuf::from(path)
        };
        [".wasm", ".wat"].map(with_end).into_iter().find(|path| path.is_file())
    }
}

impl std::fmt::Display for Named {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.version {
            Some(version) => write!(formatter, "{}@{version}", self.name),
            None => formatter.write_str(&self.name),
        }
    }
}

/// Whether something was given for a package.
fn is_for(spec: &PackageSpec, named: &Named) -> bool {
    let is_version = spec.version.is_none() || spec.version == named.version;
    spec.name.to_string() == named.name && is_version
}

/// Whether a folder holds WIT, rather than the versions of a package.
fn has_wit(folder: &Path) -> bool {
    let Ok(entries) = folder.read_dir() else { return false };
    entries.filter_map(Result::ok).any(|entry| entry.path().extension().is_some_and(|end| end == "wit"))
}

/// Returns the packages that a document names, but for its own.
fn names(path: &Path, text: &str) -> Result<BTreeSet<Named>, Cause> {
    check_depth(path, text)?;
    let document = Document::parse(text).map_err(|error| fault(path, text, &error))?;
    let mut names = BTreeSet::new();
    for (token, span) in tokens(text) {
        let said = &text[span.offset()..span.offset() + span.len()];
        let (name, version) = match said.split_once('@') {
            Some((name, version)) => (name, version.parse().ok()),
            None => (said, None),
        };
        let name = match token {
            // The first word of a path is what defines the rest, be it the document itself.
            Token::PackagePath => name.split('/').next().filter(|name| *name != document.directive.package.name),
            Token::PackageName => Some(name).filter(|_| span != document.directive.package.span),
            _ => None,
        };
        names.extend(name.map(|name| Named { name: name.to_owned(), version }));
    }
    Ok(names)
}

fn check_depth(path: &Path, text: &str) -> Result<(), Cause> {
    let mut depth = 0_usize;
    for (token, _) in tokens(text) {
        match token {
            Token::OpenBrace | Token::OpenParen | Token::OpenAngle | Token::OpenBracket => depth += 1,
            Token::CloseBrace | Token::CloseParen | Token::CloseAngle | Token::CloseBracket => {
                depth = depth.saturating_sub(1);
            }
            _ => {}
        }
        if depth > NESTING_DEPTH_MAX {
            return Err(ComposeFault::TooDeep { path: path.to_owned(), limit: NESTING_DEPTH_MAX }.into());
        }
    }
    Ok(())
}

/// Returns the words of a document, up to the first that is none; the parser says what that is.
fn tokens(text: &str) -> impl Iterator<Item = (Token, miette::SourceSpan)> {
    let lexer = Lexer::new(text).ok().into_iter().flatten();
    lexer.map_while(|(token, span)| Some((token.ok()?, span)))
}

/// An error of the parser.
trait Foreign: miette::Diagnostic {
    fn as_error(&self) -> &(dyn std::error::Error + 'static);
}

impl<E: miette::Diagnostic + 'static> Foreign for E {
    fn as_error(&self) -> &(dyn std::error::Error + 'static) {
        self
    }
}

/// Says what is wrong with a document, and shows where.
fn fault(path: &Path, text: &str, error: &dyn Foreign) -> ComposeFault {
    let message = error.to_string();
    let source = error.as_error().source().map(Reason::of);
    let help = error.help().map(|help| help.to_string()).or_else(|| {
        let unresolved = error.as_error().downcast_ref();
        matches!(unresolved, Some(Unresolved::MissingInstantiationArg { .. }))
            .then(|| "`...` as the last argument leaves all that is missing to the host".to_owned())
    });
    let offset = error.labels().and_then(|mut labels| labels.next()).map(|label| label.offset());
    let diagnostic = match offset {
        Some(offset) => place(path, text, offset, message),
        None => Diagnostic { rendered: format!("`{}`: {message}", path.display()), message, location: None },
    };
    ComposeFault::Document { diagnostic, help, source }
}

/// Shows the line that has a byte of a text, with a caret below.
fn place(path: &Path, text: &str, offset: usize, message: String) -> Diagnostic {
    let before = text.get(..offset).unwrap_or(text);
    let start = before.rfind('\n').map_or(0, |end| end + 1);
    let line = before.matches('\n').count() + 1;
    let shown = text[start..].lines().next().unwrap_or_default();
    let column = before.len() - start + 1;
    let caret = " ".repeat(before[start..].chars().count());
    let location = Location { file: path.display().to_string(), line, column };
    let rendered = format!("{message}\n     --> {location}\n      |\n {line:>4} | {shown}\n      | {caret}^");
    Diagnostic { message, location: Some(location), rendered }
}
