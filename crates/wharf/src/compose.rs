//! `compose`: makes one component of several.
//!
//! ```text
//!   SOCKET, PLUGS ──────────────┐
//!   app.wac ──parse──> names ───┤
//!                               v
//!            file | artifact | package ──lock, cache, registry──> components ──examine──> graph ──encode, validate──┐
//!                                                                                                                   v
//!                                            wharf.lock <── what came by its name             file <──rename── examine
//! ```

mod document;
mod graph;
pub(crate) mod lock;
mod plug;
pub(crate) mod supply;

use std::fmt;
use std::io::Cursor;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Serialize;
use wharf_artifact::{Kind, Wasm, examine};
use wharf_oci::{Digest, Progress};

use self::document::Parsed;
use self::graph::Composed;
use self::lock::ComponentLock;
use self::supply::{Component, Supply};
use crate::blocking::blocking;
use crate::file_sink::{check_inputs, check_output};
use crate::homes::Connect;
use crate::package_source::Brought;
use crate::project::replace;
use crate::resolution::{Locking, Sources};
use crate::{Cause, ComposeFault, Error, Existing};

pub use self::document::WacDocument;
pub use self::supply::ComponentSource;

/// Bytes of all components that are composed: they are in memory, with what they make.
pub(crate) const COMPOSED_BYTES_MAX: u64 = 1024 * 1024 * 1024;

/// What to compose, and where to.
#[derive(Debug, Clone)]
pub struct ComposeOptions {
    /// What to compose.
    pub composition: Composition,
    /// The file to write; one that is there is replaced.
    pub output: PathBuf,
    /// A folder of the project whose lock counts; outside of a project, nothing is locked.
    pub folder: PathBuf,
    /// Where packages come from.
    pub sources: Sources,
    /// Whether the lock file may change.
    pub locking: Locking,
    /// The folder for temporary files.
    pub scratch: PathBuf,
}

/// What to compose.
#[derive(Debug, Clone)]
pub enum Composition {
    /// One component, and others that export what it imports.
    Plugs {
        /// The component that imports.
        socket: ComponentSource,
        /// Those that export.
        plugs: Vec<ComponentSource>,
    },
    /// What a document of WAC says.
    Document(WacDocument),
}

impl fmt::Display for Composition {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Plugs { socket, .. } => socket.fmt(formatter),
            Self::Document(document) => document.path.display().fmt(formatter),
        }
    }
}

/// What was composed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ComposeOutcome {
    /// The file.
    pub path: PathBuf,
    /// The digest of the file.
    pub digest: Digest,
    /// The size of the file in bytes.
    pub size: u64,
    /// What it is made of: first the one that the others were plugged into; of a document, sorted.
    pub components: Vec<ComposedComponent>,
    /// What each gets from others, sorted.
    pub connections: Vec<Connection>,
    /// What is left over for a host, or for another composition: what the whole imports, sorted.
    pub imports: Vec<String>,
    /// What the whole exports, sorted.
    pub exports: Vec<String>,
    /// Whether the lock file changed.
    pub is_lock_changed: bool,
}

/// A component that others were composed with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ComposedComponent {
    /// What it was called: a file, a package, or an artifact.
    pub source: String,
    /// The version that was taken, where it is a package.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Where its registry keeps it, where it is a package of one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub repository: Option<String>,
    /// The digest of its Wasm.
    pub digest: Digest,
    /// The size of that in bytes.
    pub size: u64,
}

/// Something that one component gets from another.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Connection {
    /// The component that imports it, by its [source](ComposedComponent::source); in a document, by its name there.
    pub to: String,
    /// What that imports.
    pub import: String,
    /// The component that gives it.
    pub from: String,
    /// What that exports; nothing where all of it was given.
    pub export: Option<String>,
}

/// Makes one component of several: plugs some into another, or does what a document of WAC says.
///
/// What is named as a package is looked for where [`get`](crate::get()) does. In a project, the version that `wharf.lock`
/// has is taken, and what it has not is locked there. The same components give the same bytes.
///
/// # Errors
/// [`Error::Compose`]. The file and the lock are then as they were, unless it was a disk that failed.
pub async fn compose(
    connect: &dyn Connect,
    options: &ComposeOptions,
    progress: &Arc<dyn Progress>,
) -> Result<ComposeOutcome, Error> {
    let run = run(connect, options, progress);
    run.await.map_err(|source| Error::Compose { what: options.composition.to_string(), source })
}

/// What is to be made of components.
enum Recipe {
    Plug,
    Document(Box<Parsed>),
}

async fn run(
    connect: &dyn Connect,
    options: &ComposeOptions,
    progress: &Arc<dyn Progress>,
) -> Result<ComposeOutcome, Cause> {
    let ComposeOptions { output, sources, locking, scratch, .. } = options;
    let asked = options.clone();
    let (recipe, named) = blocking(move || {
        check_output(&asked.output, Existing::Replace)?;
        asked.composition.read()
    })
    .await?;
    let lock = ComponentLock::read(&options.folder).await?;
    let supply = Supply { connect, sources, lock: &lock, scratch, progress };
    let components = supply.bring(&named).await?;
    check_inputs(output, options.composition.file().into_iter().chain(files(&components)))?;
    let (components, composed, wasm) = blocking(move || {
        let composed = recipe.compose(&components)?;
        let wasm = examine(&mut Cursor::new(&composed.bytes))?;
        Ok::<_, Cause>((components, composed, wasm))
    })
    .await?;
    let brought: Vec<&Brought> = components.iter().filter_map(|component| component.brought.as_ref()).collect();
    let is_lock_changed = lock.keep(&brought, *locking).await?;
    replace(output, &composed.bytes).await?;
    let Composed { connections, .. } = composed;
    let Wasm { digest, size, imports, exports, .. } = wasm;
    let components = components.iter().map(ComposedComponent::of).collect();
    Ok(ComposeOutcome {
        path: output.clone(),
        digest,
        size,
        components,
        connections,
        imports,
        exports,
        is_lock_changed,
    })
}

impl Composition {
    /// Finds what is needed for it.
    fn read(self) -> Result<(Recipe, Vec<ComponentSource>), Cause> {
        match self {
            Self::Plugs { socket, plugs } => Ok((Recipe::Plug, [socket].into_iter().chain(plugs).collect())),
            Self::Document(document) => {
                let mut parsed = document.parse()?;
                let sources = std::mem::take(&mut parsed.sources);
                Ok((Recipe::Document(Box::new(parsed)), sources))
            }
        }
    }

    /// Returns the file that says what to do.
    fn file(&self) -> Option<&Path> {
        match self {
            Self::Plugs { .. } => None,
            Self::Document(document) => Some(&document.path),
        }
    }
}

impl Recipe {
    fn compose(&self, components: &[Component]) -> Result<Composed, Cause> {
        let fits = |kind| kind == Kind::Component || (kind == Kind::WitPackage && matches!(self, Self::Document(_)));
        if let Some(Component { label, wasm, .. }) = components.iter().find(|component| !fits(component.wasm.kind)) {
            return Err(ComposeFault::NotComponent { component: label.clone(), kind: wasm.kind }.into());
        }
        match self {
            Self::Plug => plug::plug(components),
            Self::Document(parsed) => parsed.compose(components),
        }
    }
}

/// Returns the files that components are in.
fn files(components: &[Component]) -> impl Iterator<Item = &Path> {
    components.iter().filter_map(|component| component.path.as_deref())
}

impl ComposedComponent {
    fn of(component: &Component) -> Self {
        let Component { label, wasm, brought, .. } = component;
        let repository = brought.as_ref().and_then(|brought| brought.repository.as_ref());
        Self {
            source: label.clone(),
            version: brought.as_ref().map(|brought| brought.wanted.version.to_string()),
            repository: repository.map(ToString::to_string),
            digest: wasm.digest.clone(),
            size: wasm.size,
        }
    }
}
