//! Where everything stands on the disk; the crate page draws it.

use std::path::{Path, PathBuf};

use wharf_oci::{Digest, RepositoryName, TagName};

/// The name of the image layout in the directory of a repository.
pub(crate) const LAYOUT: &str = "_layout";
/// The file of an image layout that says that it is one.
pub(crate) const LAYOUT_MARKER: &str = "oci-layout";

/// Places in the store as a whole.
#[derive(Debug, Clone)]
pub(crate) struct StorePaths {
    root: PathBuf,
}

impl StorePaths {
    pub(crate) fn new(root: PathBuf) -> Self {
        Self { root }
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// The file that gives the format version.
    pub(crate) fn version(&self) -> PathBuf {
        self.root.join("store.json")
    }

    /// Where bytes wait until they are verified.
    pub(crate) fn ingest(&self) -> PathBuf {
        self.root.join("ingest")
    }

    /// All content, once.
    pub(crate) fn blobs(&self) -> PathBuf {
        self.root.join("blobs")
    }

    pub(crate) fn repositories(&self) -> PathBuf {
        self.root.join("repositories")
    }

    pub(crate) fn repository(&self, name: &RepositoryName) -> RepositoryPaths {
        RepositoryPaths { root: self.repositories().join(name.as_str()) }
    }
}

/// Places in one repository.
#[derive(Debug, Clone)]
pub(crate) struct RepositoryPaths {
    root: PathBuf,
}

impl RepositoryPaths {
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// The file whose lock orders changes of this repository.
    pub(crate) fn lock(&self) -> PathBuf {
        self.root.join("_lock")
    }

    pub(crate) fn layout_marker(&self) -> PathBuf {
        self.root.join(LAYOUT).join(LAYOUT_MARKER)
    }

    /// The view of the tags.
    pub(crate) fn index(&self) -> PathBuf {
        self.root.join(LAYOUT).join("index.json")
    }

    pub(crate) fn blobs(&self) -> PathBuf {
        self.root.join(LAYOUT).join("blobs")
    }

    /// The descriptor of a manifest.
    pub(crate) fn manifest(&self, digest: &Digest) -> PathBuf {
        by_digest(&self.root.join("_manifests"), digest)
    }

    pub(crate) fn tags(&self) -> PathBuf {
        self.root.join("_tags")
    }

    /// The descriptor that a tag stands for.
    pub(crate) fn tag(&self, name: &TagName) -> PathBuf {
        self.tags().join(name.as_str())
    }

    /// The file that is there while a tag has changed and the view has not. No tag starts with a dot.
    pub(crate) fn tags_changed(&self) -> PathBuf {
        self.tags().join(".changed")
    }

    /// The directory of what refers to `subject`.
    pub(crate) fn referrers(&self, subject: &Digest) -> PathBuf {
        by_digest(&self.root.join("_referrers"), subject)
    }

    /// The descriptor of what refers to `subject`.
    pub(crate) fn referrer(&self, subject: &Digest, referrer: &Digest) -> PathBuf {
        self.referrers(subject).join(file_name(referrer))
    }
}

/// Returns `<directory>/<algorithm>/<hex>`.
pub(crate) fn by_digest(directory: &Path, digest: &Digest) -> PathBuf {
    directory.join(digest.algorithm().name()).join(digest.hex())
}

/// Returns `<algorithm>-<hex>`, a digest as one file name.
pub(crate) fn file_name(digest: &Digest) -> String {
    format!("{}-{}", digest.algorithm(), digest.hex())
}
