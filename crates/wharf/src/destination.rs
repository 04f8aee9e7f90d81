//! Where an artifact goes: a registry, a layout or an archive.

use std::sync::Arc;

use wharf_archive::{ArchiveWriter, ImageName, Layout, WriteOptions};
use wharf_client::{Client, Repository};
use wharf_oci::{CopyOptions, CopySummary, Digest, Fetch, Manifest, Progress, Referrers, Tag as _, copy};

use crate::blocking::blocking;
use crate::file_sink::{folder_of, require_folder};
use crate::location::Location;
use crate::place::{flavor, repository};
use crate::{Cause, Existing};

/// A place that is ready to take one artifact.
pub(crate) struct Destination {
    sink: Sink,
    /// What the artifact is to be called there; none leaves it to be found by digest.
    name: Option<ImageName>,
}

enum Sink {
    Registry(Repository),
    Layout(Layout),
    Archive(ArchiveWriter),
}

/// What goes to a destination.
pub(crate) struct Cargo<'a> {
    pub(crate) source: &'a dyn Fetch,
    pub(crate) manifest: &'a Manifest,
    /// Where to look for what refers to it, to take it along.
    pub(crate) referrers: Option<&'a dyn Referrers>,
}

impl Destination {
    /// Opens a place. An archive is begun, and appears when it has received all.
    pub(crate) async fn open(
        client: &Client,
        location: &Location,
        name: Option<ImageName>,
        existing: Existing,
    ) -> Result<Self, Cause> {
        let sink = match location {
            Location::Registry(reference) => Sink::Registry(repository(client, reference)),
            Location::Local(local) => match flavor(local.container) {
                None => {
                    let path = local.path.clone();
                    if blocking(move || path.is_file()).await {
                        return Err(Cause::NoFolder { path: local.path.clone() });
                    }
                    Sink::Layout(Layout::create(&local.path).await?)
                }
                Some(flavor) => {
                    let path = local.path.clone();
                    blocking(move || require_folder(folder_of(&path))).await?;
                    let options = WriteOptions { flavor, existing };
                    Sink::Archive(ArchiveWriter::create(&local.path, options).await?)
                }
            },
        };
        Ok(Self { sink, name })
    }

    /// Takes the graph below a manifest, and names it last: a name never points at something incomplete.
    pub(crate) async fn receive(self, cargo: Cargo<'_>, progress: &Arc<dyn Progress>) -> Result<CopySummary, Cause> {
        let Cargo { source, manifest, referrers } = cargo;
        let options = CopyOptions { referrers, ..CopyOptions::default() };
        let name = self.name.as_ref();
        match self.sink {
            Sink::Registry(repository) => {
                // A registry stores a manifest as it tags it, so that sending it by digest too would be one request more.
                let options = CopyOptions { without_root: name.is_some(), ..options };
                let summary = copy(source, &repository, manifest, &options, progress).await?;
                if let Some(name) = name {
                    repository.tag(manifest, name.tag()).await?;
                }
                Ok(summary)
            }
            Sink::Layout(layout) => {
                let summary = copy(source, &layout, manifest, &options, progress).await?;
                layout.add(manifest, name).await?;
                Ok(summary)
            }
            Sink::Archive(archive) => {
                archive.accept(manifest)?;
                // One after the other: the same artifact gives the same archive.
                let options = CopyOptions { concurrency: 1, ..options };
                let summary = copy(source, &archive, manifest, &options, progress).await?;
                archive.add(manifest, name).await?;
                archive.finish().await?;
                Ok(summary)
            }
        }
    }
}

/// Fails where the target names another digest than that of the artifact.
pub(crate) fn check_pin(expected: Option<&Digest>, manifest: &Manifest) -> Result<(), Cause> {
    match expected {
        Some(expected) if expected != manifest.digest() => {
            Err(Cause::Pinned { expected: expected.clone(), actual: manifest.digest().clone() })
        }
        _ => Ok(()),
    }
}
