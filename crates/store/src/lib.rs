//! A content-addressed store on local disk.
//!
//! It holds repositories of blobs, manifests and tags for a registry, and is the cache of a client: a [`Repository`]
//! implements the traits of [`wharf_oci`], so that [`wharf_oci::copy`] moves graphs into and out of it.
//!
//! * **Crash-safe.** What has a digest for its name is verified and on the disk. An operation that a crash or a full
//!   disk stops anywhere can be done again.
//! * **Shared.** Any number of processes may use the same store at the same time, without a server between them.
//! * **Open.** Each repository is an OCI image layout, which skopeo, oras and others read.
//! * **Separate.** A repository gives out only what was put into it, also where the bytes are in the store.
//!
//! It does not check that what a manifest names is there, asks nobody for credentials, and knows no quotas. It needs a
//! Unix file system with `flock`; where that has no hard links, content is copied. What others change in the
//! directories below is not expected, but bytes of manifests are verified again as they are read.
//!
//! # On the disk
//!
//! ```text
//! ROOT/
//!   store.json                     {"version":1}
//!   ingest/                        bytes that are not verified
//!     temporary-<random>           one write; removed when it is over
//!     partial-<algorithm>-<hex>    the start of an interrupted push, to go on from
//!     upload-<id>-<repository>     an upload; the repository as SHA-256 of its name
//!   blobs/<algorithm>/<hex>        all content, once, verified and read-only
//!   repositories/<name>/
//!     _lock                        locked while the repository changes
//!     _layout/                     an OCI image layout
//!       oci-layout                 written last: the repository is there
//!       index.json                 a view of the tags, made from `_tags`
//!       blobs/<algorithm>/<hex>    a hard link to the content: the repository has it
//!     _manifests/<algorithm>/<hex> descriptor: this blob is a manifest
//!     _tags/<tag>                  descriptor: the tag stands for this manifest
//!     _tags/.changed               a tag has changed, and the view has not
//!     _referrers/<algorithm>/<hex of the subject>/<algorithm>-<hex>
//!                                  descriptor of a manifest with this subject
//! ```
//!
//! No part of a repository's name starts with `_`, so repositories nest without collision. Descriptors are the JSON of
//! the image specification.
//!
//! Content takes these steps, and is whole after each: write and hash in `ingest`, compare with the digest, take the
//! permission to write away, sync; link into `blobs`, sync the directory; link into the repository, sync the
//! directory; remove from `ingest`. A small file is written in `ingest`, synced, renamed to its place, and its
//! directory synced.
//!
//! A crash may leave a file in `ingest`, which is removed when it is old and nobody holds its lock, as a store opens
//! and now and then as uploads start; and content in `blobs` that no repository has, which serves the next that is
//! given it.
//!
//! # Example
//!
//! ```
//! use wharf_oci::{Descriptor, ImageManifest, Manifest, MediaType};
//! use wharf_store::Store;
//!
//! # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
//! # let directory = tempfile::tempdir()?;
//! # let root = directory.path();
//! let store = Store::open(root).await?;
//! let repository = store.repository(&"acme/hello".parse()?);
//!
//! let config = Descriptor::of(MediaType::OCI_EMPTY, b"{}");
//! let bytes = Box::pin(futures_util::stream::iter([Ok("{}".into())]));
//! repository.put_blob(&config.digest, config.size, bytes).await?;
//!
//! let manifest = Manifest::from_image(&ImageManifest::new(config, Vec::new()))?;
//! repository.put_manifest(&manifest).await?;
//! repository.put_tag(&"1.0.0".parse()?, manifest.digest()).await?;
//! assert!(root.join("repositories/acme/hello/_layout/index.json").exists());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # }).unwrap();
//! ```

mod blobs;
#[cfg(test)]
mod crash;
mod documents;
mod error;
mod files;
#[cfg(test)]
mod fixtures;
mod ingest;
mod manifests;
mod paths;
mod receive;
mod repository;
mod running;
mod store;
mod tags;
mod uploads;
mod view;

pub use error::Error;
pub use manifests::ReferrersPage;
pub use repository::Repository;
pub use store::Store;
pub use uploads::{InvalidUploadId, UploadId};
