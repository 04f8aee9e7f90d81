//! Encodes the packages of a project, for the verbs that do something with the Wasm.
//!
//! ```text
//!   project ──ready──> packages with what they need ──merge──> Resolved ──encode──> Wasm
//!                           ^
//!   wit/deps ───────────────┘ offline, where what is locked is not kept here
//! ```

use std::path::PathBuf;

use bytes::Bytes;
use wharf_oci::Digest;
use wharf_package::PackageMetadata;
use wharf_wit::{Metadata, PackageName, Resolved};

use crate::blocking::blocking;
use crate::homes::Connect;
use crate::project::{LocalPackage, Locks, Plan};
use crate::resolution::{Locking, ProjectOptions, Ready};
use crate::{Cause, PackageFault};

/// A project whose packages are encoded.
#[derive(Debug)]
pub(crate) struct Encoded {
    pub(crate) ready: Ready,
    /// Those that are meant, each after those that it needs.
    pub(crate) packages: Vec<EncodedPackage>,
    /// Whether what they need was taken from `wit/deps` as it lies there.
    pub(crate) is_vendored: bool,
}

/// A package in Wasm.
#[derive(Debug)]
pub(crate) struct EncodedPackage {
    /// The folder of its WIT, or its only file.
    pub(crate) wit: PathBuf,
    pub(crate) resolved: Resolved,
    pub(crate) wasm: Bytes,
    pub(crate) digest: Digest,
}

impl ProjectOptions {
    /// Brings what the packages of the project need, and encodes them; nothing is written.
    pub(crate) async fn encode(&self, connect: &dyn Connect) -> Result<Encoded, Cause> {
        let (ready, is_vendored) = match self.ready(connect).await {
            Err(Cause::Offline { what }) => match self.vendored(connect).await? {
                Some(ready) => (ready, true),
                None => return Err(Cause::Offline { what }),
            },
            ready => (ready?, false),
        };
        blocking(move || {
            let mut packages: Vec<EncodedPackage> = Vec::new();
            for package in &ready.packages {
                let LocalPackage { wit, manifest, .. } = &ready.project.packages[package.index];
                let resolved = package.merge()?;
                let twin = packages.iter().find(|other| other.name() == resolved.name());
                if let Some(EncodedPackage { wit: first, .. }) = twin {
                    let (package, first, second) = (resolved.name().to_string(), first.clone(), wit.clone());
                    return Err(PackageFault::Twice { package, first, second }.into());
                }
                let wasm: Bytes = resolved.encode_described(&described(&manifest.metadata))?.into();
                let digest = Digest::sha256(&wasm);
                packages.push(EncodedPackage { wit: wit.clone(), resolved, wasm, digest });
            }
            Ok(Encoded { ready, packages, is_vendored })
        })
        .await
    }

    /// Takes what the packages need from their folders `deps`, as it lies there; nothing where more is needed.
    async fn vendored(&self, connect: &dyn Connect) -> Result<Option<Ready>, Cause> {
        let (project, plans) = self.plans().await?;
        let (project, plans) = blocking(move || {
            let plan = |(index, plan): (usize, Plan)| Ok((index, plan.vendored(&project.packages[index])?));
            let plans = plans.into_iter().map(plan).collect::<Result<Vec<_>, Cause>>()?;
            Ok::<_, Cause>((project, plans))
        })
        .await?;
        if plans.iter().any(|(_, plan)| !plan.requirers.is_empty()) {
            return Ok(None);
        }
        self.bring(connect, (project, plans), &[]).await.map(Some)
    }
}

impl Encoded {
    /// Returns the lock files as they are to be; nothing where it is not known what was used.
    pub(crate) fn locks(&self) -> Option<Locks> {
        if self.is_vendored {
            return None;
        }
        let generated = self.ready.project.locks.origins.generated.clone();
        // What `wkg` wrote counts as generated too, and the new lock files are not those of `wkg`.
        Some(self.ready.locks(self.ready.with_stale(generated)))
    }

    /// Fails where a lock file that is there would have to change. One that is not there may be missing, if `locking`
    /// lets it come to be.
    pub(crate) fn check_lock(&self, locking: Locking) -> Result<(), Cause> {
        let is_there = self.ready.project.locks.chosen.is_some();
        match self.locks() {
            Some(locks) if is_there || locking == Locking::Locked => self.ready.check_locked(&locks),
            _ => Ok(()),
        }
    }
}

impl EncodedPackage {
    pub(crate) fn name(&self) -> &PackageName {
        self.resolved.name()
    }
}

fn described(metadata: &PackageMetadata) -> Metadata {
    Metadata {
        authors: metadata.authors.clone(),
        description: metadata.description.clone(),
        licenses: metadata.licenses.clone(),
        source: metadata.source.clone(),
        homepage: metadata.homepage.clone(),
        revision: metadata.revision.clone(),
    }
}
