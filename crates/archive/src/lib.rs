//! OCI layouts, OCI archives and docker archives as sources and sinks.
//!
//! * [`Layout`] is a folder in the OCI image layout: a source and a sink.
//! * [`Archive`] is a tar file, with such a layout or as Docker saves images: a source.
//! * [`ArchiveWriter`] writes a tar file: a sink.
//!
//! They implement the traits of [`wharf_oci`], so that [`wharf_oci::copy`] moves graphs into and out of them. What is
//! read is foreign, and read within limits; what is written under a digest is verified. It unpacks no layer, knows
//! nothing of Wasm, and reads no compressed archive: nothing in one can be found without unpacking all before it.
//!
//! # The layout
//!
//! ```text
//!   oci-layout                  {"imageLayoutVersion":"1.0.0"}; locked while `index.json` changes
//!   index.json                  an index of the manifests, with their names as annotations:
//!                                 org.opencontainers.image.ref.name   the tag
//!                                 io.containerd.image.name            registry/repository:tag
//!   blobs/<algorithm>/<hex>     all content, manifests too
//!   .wharf-<random>             content that is on its way in; a crash may leave one
//! ```
//!
//! # The archive
//!
//! A tar of files alone, in this order, whose bytes depend on nothing but what is put in, in which order:
//!
//! ```text
//!   blobs/<algorithm>/<hex>     0444   content, as it comes
//!   index.json                  0644   as above
//!   oci-layout                  0644
//!   manifest.json               0644   for one image with a config: what Docker and Podman load
//! ```
//!
//! With `manifest.json` it is an OCI archive and a docker archive at once.
//!
//! ```
//! use std::sync::Arc;
//!
//! use wharf_archive::{Archive, ArchiveWriter, Existing, Flavor, WriteOptions};
//! use wharf_oci::{
//!     CopyOptions, ImageManifest, Manifest, MediaType, MemoryStore, NoProgress, Progress, copy,
//! };
//!
//! # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
//! # let folder = tempfile::tempdir()?;
//! # let path = folder.path().join("hello.tar");
//! let source = MemoryStore::new();
//! let config = source.insert(MediaType::WASM_CONFIG, r#"{"architecture":"wasm","os":"wasip2"}"#);
//! let layer = source.insert(MediaType::WASM, "\0asm");
//! let manifest = Manifest::from_image(&ImageManifest::new(config, vec![layer]))?;
//!
//! let options = WriteOptions { flavor: Flavor::Oci, existing: Existing::Keep };
//! let archive = ArchiveWriter::create(&path, options).await?;
//! let progress: Arc<dyn Progress> = Arc::new(NoProgress);
//! copy(&source, &archive, &manifest, &CopyOptions::default(), &progress).await?;
//! archive.add(&manifest, Some(&"acme/hello:1.0.0".parse()?)).await?;
//! archive.finish().await?;
//!
//! let archive = Archive::open(&path, Flavor::Oci).await?;
//! assert_eq!(archive.named("1.0.0")?.digest, *manifest.digest());
//! # Ok::<_, Box<dyn std::error::Error>>(())
//! # })?;
//! # Ok::<_, Box<dyn std::error::Error>>(())
//! ```

mod archive;
mod blocking;
mod docker;
mod entries;
mod error;
pub mod files;
#[cfg(test)]
mod fixtures;
mod graph;
mod index;
mod layout;
mod name;
mod receive;
mod span;
mod writer;

pub use archive::Archive;
pub use error::Error;
pub use files::Existing;
pub use layout::Layout;
pub use name::ImageName;
pub use writer::{ArchiveWriter, WriteOptions};

/// Which of the two descriptions in an archive counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flavor {
    /// `index.json`, as image-spec has it: any manifests, of several platforms too.
    Oci,
    /// `manifest.json`, as `docker save` writes it: container images.
    Docker,
}
