//! Sends a package to where it is published.

use std::fs;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use wharf_archive::Existing;
use wharf_client::{Client, Error as ClientError, Repository};
use wharf_oci::{
    Algorithm, CopyOptions, Hashing, Progress, Reference, Resolve as _, Selector, Tag as _, TagName, copy,
};
use wharf_package::tag_of;

use super::plan::{Plan, Step};
use super::{PublishMode, PublishStatus, PublishedPackage};
use crate::blocking::blocking;
use crate::file_sink::{begin, folder_of, persist};
use crate::package::Package;
use crate::packing::check_unchanged;
use crate::place::repository;
use crate::wasm_file::{WasmFile, open_file};
use crate::{Cause, PackageFault};

impl Plan {
    /// Does with a package what is to be done.
    pub(super) async fn carry_out(
        self,
        mode: PublishMode,
        progress: &Arc<dyn Progress>,
    ) -> Result<PublishedPackage, Cause> {
        let (status, is_dry) = match mode {
            PublishMode::Publish => (PublishStatus::Published, false),
            PublishMode::DryRun => (PublishStatus::WouldPublish, true),
        };
        let Self { name, version, digest, step } = self;
        let (status, reference, is_other) = match step {
            Step::Skip { reference, is_other } => (PublishStatus::Skipped, reference, is_other),
            Step::Push { repository, client, package } => {
                let tag = tag_of(&version)?;
                let manifest = package.manifest.digest().clone();
                if !is_dry {
                    match push(&client, (&repository, &tag), &package, progress).await? {
                        Sent::Done => {}
                        Sent::Taken { is_same } => {
                            let (package, place) = (name, repository.to_string());
                            return Err(PackageFault::Published { package, version, place, is_same }.into());
                        }
                    }
                }
                (status, repository.with_digest(manifest).to_string(), false)
            }
            Step::Write { folder, file } => {
                let path = folder.version_file(&name, &version);
                if !is_dry {
                    write(path.clone(), *file).await?;
                }
                (status, path.display().to_string(), false)
            }
        };
        let (name, version) = (name.to_string(), version.to_string());
        Ok(PublishedPackage { name, version, status, reference, digest, is_other })
    }
}

/// What became of a package that was sent.
enum Sent {
    /// It is there.
    Done,
    /// Somebody else has published this version meanwhile.
    Taken { is_same: bool },
}

/// Sends a package, and gives it its tag, unless that is taken by then.
async fn push(
    client: &Client,
    (reference, tag): (&Reference, &TagName),
    package: &Package,
    progress: &Arc<dyn Progress>,
) -> Result<Sent, Cause> {
    let repository = repository(client, reference);
    let manifest = &package.manifest;
    let options = CopyOptions { without_root: true, ..CopyOptions::default() };
    copy(package, &repository, manifest, &options, progress).await?;
    // No registry promises to keep a tag that it has: this is as close before it is written as can be.
    if let Some(there) = tagged(&repository, tag).await? {
        return Ok(Sent::Taken { is_same: there == *manifest.digest() });
    }
    repository.tag(manifest, tag).await?;
    Ok(Sent::Done)
}

/// Returns the manifest that a tag stands for; nothing where there is no such tag.
async fn tagged(repository: &Repository, tag: &TagName) -> Result<Option<wharf_oci::Digest>, Cause> {
    match repository.resolve(&Selector::Tag(tag.clone())).await {
        Ok(descriptor) => Ok(Some(descriptor.digest)),
        Err(wharf_oci::Error::NotFound { .. }) => Ok(None),
        Err(error) if matches!(error.medium_ref(), Some(ClientError::NotFound { .. })) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Puts a package into a folder of them; a file that is there stays.
async fn write(path: PathBuf, file: WasmFile) -> Result<(), Cause> {
    let folder = folder_of(&path).to_owned();
    blocking(move || fs::create_dir_all(&folder).map_err(Cause::file("create the folder", &folder))).await?;
    let temporary = begin(&path, Existing::Keep).await?;
    let shown = path.clone();
    let mut target = temporary.as_file().try_clone().map_err(Cause::file("write", &path))?;
    blocking(move || {
        let mut content = Hashing::new(Algorithm::Sha256, open_file(&file.path)?);
        io::copy(&mut content, &mut target).map_err(Cause::file("write", &shown))?;
        check_unchanged(&file.path, content, &file.wasm.digest)
    })
    .await?;
    persist(temporary, &path, Existing::Keep).await
}
