//! What can go wrong with layouts and archives.

use std::io;
use std::path::{Path, PathBuf};

use wharf_oci::limits::DESCRIPTORS_MAX;
use wharf_oci::{Digest, InvalidManifest, MediaType};
use wharf_tar::{Compression, InvalidTar};

/// Why a layout or an archive could not be read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The archive to be written is there already.
    #[error("`{}` exists already", path.display())]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// What is to be read or replaced is a folder, a device or a pipe.
    #[error("`{}` is no regular file", path.display())]
    NoFile {
        /// What is there.
        path: PathBuf,
    },
    /// The folder holds other things than an OCI image layout.
    #[error("`{}` is no OCI image layout: it has no `oci-layout`", path.display())]
    NoLayout {
        /// The folder.
        path: PathBuf,
    },
    /// Nothing has this name.
    #[error("`{}` has no `{}`; it has {}", path.display(), name.escape_debug(), Listed(known))]
    NameUnknown {
        /// The layout or archive.
        path: PathBuf,
        /// What was asked for.
        name: String,
        /// The names that there are.
        known: Vec<String>,
    },
    /// Several manifests have this name, or this tag in several repositories.
    #[error("`{}` has more than one `{}`; it has {}", path.display(), name.escape_debug(), Listed(known))]
    NameAmbiguous {
        /// The layout or archive.
        path: PathBuf,
        /// What was asked for.
        name: String,
        /// The names that there are.
        known: Vec<String>,
    },
    /// There are several manifests, or none, and no name was given.
    #[error("`{}` holds {count} artifacts, so that a name must say which; it has {}", path.display(), Listed(known))]
    NameMissing {
        /// The layout or archive.
        path: PathBuf,
        /// How many there are.
        count: usize,
        /// The names that there are.
        known: Vec<String>,
    },
    /// The archive is to be one for Docker, and this is no container image.
    #[error("a docker archive holds images with a config, but `{kind}` is none")]
    NoImage {
        /// The type of the config, or of the manifest where that can have none.
        kind: MediaType,
    },
    /// The archive is to be one for Docker, and two manifests were put into it.
    #[error("a docker archive is written with one image, but there are {one} and {other}")]
    SeveralImages {
        /// The first.
        one: Digest,
        /// The second.
        other: Digest,
    },
    /// The archive is finished before a manifest was put into it.
    #[error("`{}` would hold no manifest", path.display())]
    Empty {
        /// The archive.
        path: PathBuf,
    },
    /// The manifest names content that was not pushed.
    #[error("manifest {manifest} names {digest}, which is not there")]
    ChildMissing {
        /// The manifest.
        manifest: Digest,
        /// What it names.
        digest: Digest,
    },
    /// The archive is compressed as a whole, so that nothing in it can be found without unpacking it.
    #[error("`{}` is compressed with {compression}; an archive is read uncompressed", path.display())]
    Compressed {
        /// The archive.
        path: PathBuf,
        /// With what.
        compression: Compression,
    },
    /// The archive is no tar, is damaged, or holds what none should hold.
    #[error("`{}` is not a tar that can be read", path.display())]
    Tar {
        /// The archive.
        path: PathBuf,
        /// Why.
        source: InvalidTar,
    },
    /// A file that the format asks for, or that another one names, is missing.
    #[error("`{}` has no `{}`", path.display(), entry.escape_debug())]
    EntryMissing {
        /// The layout or archive.
        path: PathBuf,
        /// The file in it.
        entry: String,
    },
    /// Two files in the archive have the same path, so that two readers could see two things.
    #[error("`{}` has `{}` twice", path.display(), entry.escape_debug())]
    EntryTwice {
        /// The archive.
        path: PathBuf,
        /// The file in it.
        entry: String,
    },
    /// A file that is needed is a link, which is not followed.
    #[error(
        "`{}` has a link for `{}`, as Docker wrote for a layer that an image has twice until version 25; save the \
         image anew with a later one", path.display(), entry.escape_debug()
    )]
    EntryLinked {
        /// The archive.
        path: PathBuf,
        /// The file in it.
        entry: String,
    },
    /// A file that is read into memory is too large for that.
    #[error("`{}` in `{}` has {size} bytes; the limit is {limit}", entry.escape_debug(), path.display())]
    EntrySize {
        /// The layout or archive.
        path: PathBuf,
        /// The file in it.
        entry: String,
        /// Its size in bytes.
        size: u64,
        /// The limit in bytes.
        limit: u64,
    },
    /// A JSON file that the format asks for is not what it should be.
    #[error("`{}` in `{}` is not valid", entry.escape_debug(), path.display())]
    Json {
        /// The layout or archive.
        path: PathBuf,
        /// The file in it.
        entry: String,
        /// Why.
        source: serde_json::Error,
    },
    /// `index.json` is no index.
    #[error("`index.json` in `{}` is not valid", path.display())]
    Index {
        /// The layout or archive.
        path: PathBuf,
        /// Why.
        source: InvalidManifest,
    },
    /// `manifest.json` names more than [`DESCRIPTORS_MAX`] files.
    #[error("`manifest.json` in `{}` names {count} files; the limit is {DESCRIPTORS_MAX}", path.display())]
    Images {
        /// The archive.
        path: PathBuf,
        /// How many configs and layers it names.
        count: usize,
    },
    /// `manifest.json` describes an image that no manifest can be made of.
    #[error("no manifest can be made of the image `{}` in `{}`", config.escape_debug(), path.display())]
    Image {
        /// The archive.
        path: PathBuf,
        /// The path of the image's config.
        config: String,
        /// Why.
        source: InvalidManifest,
    },
    /// A layer of a docker archive is not the one that the config of its image tells of.
    #[error(
        "`{}` in `{}` is {actual}, and the config of the image says {}",
        entry.escape_debug(), path.display(), expected.escape_debug()
    )]
    Layer {
        /// The archive.
        path: PathBuf,
        /// The path of the layer.
        entry: String,
        /// What the config says.
        expected: String,
        /// What it is.
        actual: Digest,
    },
    /// The layout is of a version that this program does not know.
    #[error("`{}` is an OCI image layout of version `{}`; version 1 is known", path.display(), version.escape_debug())]
    Version {
        /// The layout or archive.
        path: PathBuf,
        /// The version that it says it has.
        version: String,
    },
    /// Content is missing, is not what its name says, or its source failed.
    #[error(transparent)]
    Content(#[from] wharf_oci::Error),
    /// Somebody else changes the layout, and did not come to an end.
    #[error("`{}` is locked by another process", path.display())]
    Busy {
        /// The layout.
        path: PathBuf,
    },
    /// The operating system refused a file operation.
    #[error("cannot {operation} `{}`", path.display())]
    File {
        /// What was tried, as a verb.
        operation: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

impl Error {
    /// Wraps an error of the operating system.
    pub(crate) fn file(operation: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::File { operation, path, source }
    }
}

impl From<Error> for wharf_oci::Error {
    /// Wraps the error for the traits of [`wharf_oci`]; [`wharf_oci::Error::medium_ref`] gives it back.
    fn from(error: Error) -> Self {
        match error {
            Error::Content(error) => error,
            error => Self::medium(error),
        }
    }
}

/// Shows the first names of a list.
struct Listed<'a>(&'a [String]);

impl std::fmt::Display for Listed<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        const SHOWN_MAX: usize = 10;
        if self.0.is_empty() {
            return formatter.write_str("no names");
        }
        for (index, name) in self.0.iter().take(SHOWN_MAX).enumerate() {
            let separator = if index == 0 { "" } else { ", " };
            write!(formatter, "{separator}`{}`", name.escape_debug())?;
        }
        match self.0.len().saturating_sub(SHOWN_MAX) {
            0 => Ok(()),
            more => write!(formatter, " and {more} more"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_in_messages_are_escaped_and_few() {
        let known: Vec<String> = (0..12).map(|number| format!("{number}\n")).collect();
        let error = Error::NameUnknown { path: "a.tar".into(), name: "\u{1b}".to_owned(), known };
        let message = error.to_string();
        assert!(message.starts_with(r"`a.tar` has no `\u{1b}`; it has `0\n`, `1\n`, "), "{message}");
        assert!(message.ends_with(r"`9\n` and 2 more"), "{message}");
    }

    #[test]
    fn the_typed_error_survives_the_traits() {
        let wrapped = wharf_oci::Error::from(Error::Busy { path: "x".into() });
        assert!(matches!(wrapped.medium_ref(), Some(Error::Busy { .. })));
        let inner = wharf_oci::Error::NotFound { what: "x".to_owned() };
        assert!(matches!(wharf_oci::Error::from(Error::Content(inner)), wharf_oci::Error::NotFound { .. }));
    }
}
