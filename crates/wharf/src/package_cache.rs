//! The packages that were fetched, kept in a store of this user.
//!
//! ```text
//!   (registry, repository) ──a repository of the store──┬─ blob SHA256        the Wasm of a package
//!                                                       └─ tag 0.2.3          the manifest it had when it was fetched
//! ```
//!
//! Each repository of each registry has one in the store, so that no registry answers for another. What is kept was
//! verified as it came and is verified again as it is read; what a disk has damaged is dropped, and so fetched anew.

use std::fmt::Write as _;
use std::io::ErrorKind;
use std::path::Path;

use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use wharf_oci::{
    Descriptor, Digest, Error as ContentError, Manifest, Registry, RepositoryName, Selector, TagName, fetch_verified,
};
use wharf_store::{Error as StoreError, Repository, Store};

use crate::Cause;

/// Damaged small files that are dropped for one piece of work, which reads but a few.
const DAMAGED_MAX: usize = 16;

/// The packages of all registries.
#[derive(Debug, Clone)]
pub(crate) struct PackageCache {
    store: Store,
}

/// The packages of one repository of a registry.
#[derive(Debug, Clone)]
pub(crate) struct CachedRepository {
    repository: Repository,
}

impl PackageCache {
    /// Opens the cache in `folder`, which comes to be with it.
    pub(crate) async fn open(folder: &Path) -> Result<Self, Cause> {
        let store = healed(async || Ok(Store::open(folder).await?)).await?;
        Ok(Self { store })
    }

    pub(crate) fn repository(&self, registry: &Registry, repository: &RepositoryName) -> CachedRepository {
        CachedRepository { repository: self.store.repository(&cached_name(registry, repository)) }
    }
}

impl CachedRepository {
    /// Returns the Wasm that a descriptor names; nothing where it is not kept, or is damaged.
    pub(crate) async fn wasm(&self, layer: &Descriptor, limit: u64) -> Result<Option<Bytes>, Cause> {
        match fetch_verified(&self.repository, layer, limit).await {
            Ok(bytes) => Ok(Some(bytes)),
            Err(ContentError::NotFound { .. }) => Ok(None),
            Err(ContentError::Digest { .. } | ContentError::Size { .. }) => {
                self.repository.remove_damaged(&layer.digest).await?;
                Ok(None)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Returns the Wasm with this digest, as [`CachedRepository::wasm`] does.
    pub(crate) async fn wasm_of(&self, digest: &Digest, limit: u64) -> Result<Option<Bytes>, Cause> {
        let Some(size) = self.repository.blob_size(digest).await? else { return Ok(None) };
        self.wasm(&Descriptor::new(wharf_oci::MediaType::WASM, digest.clone(), size), limit).await
    }

    /// Keeps a Wasm binary by its digest alone.
    #[cfg(feature = "run")]
    pub(crate) async fn keep_wasm(&self, digest: &Digest, bytes: Bytes) -> Result<(), Cause> {
        let limit = bytes.len() as u64;
        self.repository.put_blob(digest, limit, stream::iter([Ok(bytes)]).boxed()).await?;
        Ok(())
    }

    /// Returns the manifest that a tag stood for when it was fetched last.
    pub(crate) async fn manifest(&self, tag: &TagName) -> Result<Option<Manifest>, Cause> {
        let selector = Selector::Tag(tag.clone());
        let find = async || Ok(self.repository.manifest_descriptor(&selector).await?);
        let Some(descriptor) = healed(find).await? else { return Ok(None) };
        healed(async || Ok(self.repository.manifest(&descriptor.digest).await?)).await
    }

    /// Keeps a package under its tag.
    pub(crate) async fn keep(&self, tag: &TagName, manifest: &Manifest, wasm: (&Digest, Bytes)) -> Result<(), Cause> {
        let (digest, bytes) = wasm;
        let limit = bytes.len() as u64;
        let keep = async || {
            self.repository.put_blob(digest, limit, stream::iter([Ok(bytes.clone())]).boxed()).await?;
            self.repository.put_manifest(manifest).await?;
            Ok(self.repository.put_tag(tag, manifest.digest()).await?)
        };
        healed(keep).await
    }
}

/// Does something with what is kept; drops each small file that is in the way as a disk has damaged it, and tries again.
///
/// Such a file says which manifests and tags there are, which the next fetch writes anew.
async fn healed<T>(work: impl AsyncFn() -> Result<T, Cause>) -> Result<T, Cause> {
    let mut left = DAMAGED_MAX;
    loop {
        let cause = match work().await {
            Err(cause) if left > 0 => cause,
            done => return done,
        };
        let damaged = match &cause {
            Cause::Store(error) => Some(error),
            Cause::Content(error) => error.medium_ref(),
            _ => None,
        };
        let Some(StoreError::Json { path, .. }) = damaged else { return Err(cause) };
        match std::fs::remove_file(path) {
            Ok(()) => left -= 1,
            Err(error) if error.kind() == ErrorKind::NotFound => left -= 1,
            Err(_) => return Err(cause),
        }
    }
}

/// Returns the name of a repository in the store: the registry, and then the name it has there.
fn cached_name(registry: &Registry, repository: &RepositoryName) -> RepositoryName {
    let whole = format!("{}/{}", as_component(registry), repository.as_str());
    whole.parse().unwrap_or_else(|_| {
        // Together they are longer than a name may be.
        let digest = Digest::sha256(whole.as_bytes());
        digest.hex().parse().expect("hexadecimal digits are a name")
    })
}

/// Writes a registry as a part of a name, no two alike: what cannot stand there becomes `_x` and its number.
fn as_component(registry: &Registry) -> String {
    let mut name = String::new();
    for byte in registry.as_str().bytes() {
        match byte {
            b'a'..=b'z' | b'0'..=b'9' | b'.' | b'-' => name.push(char::from(byte)),
            _ => {
                // A name starts with a letter or a digit.
                let start = if name.is_empty() { "h" } else { "" };
                write!(name, "{start}_x{byte:02x}").expect("a string takes all");
            }
        }
    }
    name
}

#[cfg(test)]
mod tests {
    use wharf_oci::{ImageManifest, MediaType};

    use super::*;

    const WASM: &[u8] = b"\0asm of a package";

    fn names() -> (Registry, RepositoryName, TagName) {
        ("ghcr.io".parse().unwrap(), "webassembly/wasi/io".parse().unwrap(), "0.2.3".parse().unwrap())
    }

    fn manifest() -> (Manifest, Descriptor) {
        let layer = Descriptor::of(MediaType::WASM, WASM);
        let config = Descriptor::of(MediaType::WASM_CONFIG, b"{}");
        (Manifest::from_image(&ImageManifest::new(config, vec![layer.clone()])).unwrap(), layer)
    }

    #[tokio::test]
    async fn what_is_kept_of_one_registry_is_no_other_ones() {
        let folder = tempfile::tempdir().unwrap();
        let cache = PackageCache::open(folder.path()).await.unwrap();
        let (registry, repository, tag) = names();
        let (manifest, layer) = manifest();
        let kept = cache.repository(&registry, &repository);
        kept.keep(&tag, &manifest, (&layer.digest, Bytes::from_static(WASM))).await.unwrap();
        assert_eq!(kept.wasm(&layer, 100).await.unwrap().unwrap(), WASM);
        assert_eq!(kept.wasm_of(&layer.digest, 100).await.unwrap().unwrap(), WASM);
        assert_eq!(kept.manifest(&tag).await.unwrap().unwrap().bytes(), manifest.bytes());
        let other = cache.repository(&"ghcr.io:443".parse().unwrap(), &repository);
        assert_eq!(other.wasm(&layer, 100).await.unwrap(), None);
        assert!(other.manifest(&tag).await.unwrap().is_none());
    }

    #[tokio::test]
    async fn small_files_that_a_disk_has_emptied_are_written_anew() {
        let folder = tempfile::tempdir().unwrap();
        let (registry, repository, tag) = names();
        let (manifest, layer) = manifest();
        let keep = async || {
            let cache = PackageCache::open(folder.path()).await?;
            let kept = cache.repository(&registry, &repository);
            kept.keep(&tag, &manifest, (&layer.digest, Bytes::from_static(WASM))).await?;
            Ok::<_, Cause>(kept.manifest(&tag).await?.map(|manifest| manifest.bytes().clone()))
        };
        assert!(keep().await.unwrap().is_some());
        let mut pending = vec![folder.path().to_owned()];
        let mut emptied = 0;
        while let Some(next) = pending.pop() {
            for entry in std::fs::read_dir(next).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    pending.push(path);
                } else if !path.components().any(|part| part.as_os_str() == "blobs") {
                    // It may be a link to what stays.
                    std::fs::remove_file(&path).unwrap();
                    std::fs::write(&path, "").unwrap();
                    emptied += 1;
                }
            }
        }
        assert!(emptied > 2, "{emptied}");
        assert_eq!(keep().await.unwrap(), Some(manifest.bytes().clone()));
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn what_is_damaged_counts_as_absent_and_is_kept_again() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let cache = PackageCache::open(folder.path()).await.unwrap();
        let (registry, repository, tag) = names();
        let (manifest, layer) = manifest();
        let kept = cache.repository(&registry, &repository);
        let keep = async || kept.keep(&tag, &manifest, (&layer.digest, Bytes::from_static(WASM))).await.unwrap();
        keep().await;
        let path = folder.path().join("blobs/sha256").join(layer.digest.hex());
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        for damaged in [&WASM[1..], b"\0asm of another!!"] {
            let size = damaged.len();
            std::fs::write(&path, damaged).unwrap();
            assert_eq!(kept.wasm(&layer, 100).await.unwrap(), None, "{size} bytes");
            keep().await;
            assert_eq!(kept.wasm_of(&layer.digest, 100).await.unwrap().unwrap(), WASM, "{size} bytes");
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        }
    }

    #[test]
    fn each_registry_has_a_name_of_its_own() {
        for (registry, expected) in [
            ("ghcr.io", "ghcr.io/a/b"),
            ("localhost:5000", "localhost_x3a5000/a/b"),
            ("[::1]:5000", "h_x5b_x3a_x3a1_x5d_x3a5000/a/b"),
        ] {
            let name = cached_name(&registry.parse().unwrap(), &"a/b".parse().unwrap());
            assert_eq!(name.as_str(), expected);
        }
        let long: RepositoryName = "a".repeat(250).parse().unwrap();
        let names = ["ghcr.io", "ghcr.io:443"].map(|registry| cached_name(&registry.parse().unwrap(), &long));
        assert_eq!(names.each_ref().map(|name| name.as_str().len()), [64, 64]);
        assert_ne!(names[0], names[1]);
    }
}
