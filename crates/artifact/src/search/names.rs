//! The names that decide what is in sight in lower layers (image-spec, layer.md, "Whiteouts").

use std::collections::BTreeSet;

use wharf_tar::EntryKind;

use super::layer::File;
use crate::limits::SEARCHED_NAMES_BYTES_MAX;

/// How the name of a file starts that hides another one in lower layers.
const WHITEOUT: &str = ".wh.";
/// The name of a file that hides all that lower layers have in its folder.
const OPAQUE: &str = ".wh..wh..opq";
/// Bytes that a name takes beside its text, roughly.
pub(super) const NAME_OVERHEAD_BYTES: usize = 64;

/// Names in higher layers, which decide what is in sight below.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Names {
    /// Files, links and whiteouts: they hide what has their path, and all below it.
    covering: BTreeSet<String>,
    /// Folders where a file might be: they hide a file that has their path.
    folders: BTreeSet<String>,
    /// Opaque folders: they hide all below them.
    opaque: BTreeSet<String>,
    /// What all of them take, roughly.
    bytes: usize,
}

impl Names {
    /// Takes note of an entry for the layers below. A folder matters where there might be a file instead.
    pub(super) fn add(&mut self, file: &File<'_>, might_be_file: impl Fn(&str) -> bool) {
        for folder in folders(file.path).filter(|folder| might_be_file(folder)) {
            self.keep(|names| &mut names.folders, folder.to_owned());
        }
        let folder = file.path.strip_suffix(file.name()).unwrap_or_default();
        if file.name() == OPAQUE {
            self.keep(|names| &mut names.opaque, folder.trim_end_matches('/').to_owned());
        } else if let Some(hidden) = file.name().strip_prefix(WHITEOUT) {
            self.keep(|names| &mut names.covering, format!("{folder}{hidden}"));
        } else if file.kind != EntryKind::Directory {
            self.keep(|names| &mut names.covering, file.path.to_owned());
        } else if might_be_file(file.path) {
            self.keep(|names| &mut names.folders, file.path.to_owned());
        }
    }

    fn keep(&mut self, of: impl Fn(&mut Self) -> &mut BTreeSet<String>, name: String) {
        let bytes = name.len() + NAME_OVERHEAD_BYTES;
        if of(self).insert(name) {
            self.bytes += bytes;
        }
    }

    /// Counts a name that is kept elsewhere.
    pub(super) fn count(&mut self, name: &str) {
        self.bytes += name.len() + NAME_OVERHEAD_BYTES;
    }

    /// Returns how many bytes more may be kept.
    pub(super) fn left(&self) -> usize {
        SEARCHED_NAMES_BYTES_MAX.saturating_sub(self.bytes)
    }

    /// Whether more is kept than `max` bytes.
    pub(super) fn is_over(&self, max: usize) -> bool {
        self.bytes > max
    }

    /// Whether what a lower layer has at `path` is out of sight.
    pub(super) fn hides(&self, path: &str) -> bool {
        let is_below = folders(path).any(|folder| self.covering.contains(folder) || self.opaque.contains(folder));
        // The root has no name.
        is_below || self.opaque.contains("") || self.covering.contains(path) || self.folders.contains(path)
    }

    pub(super) fn extend(&mut self, lower: Self) {
        self.covering.extend(lower.covering);
        self.folders.extend(lower.folders);
        self.opaque.extend(lower.opaque);
        self.bytes += lower.bytes;
    }
}

/// Whether a file is only there to hide others in lower layers.
pub(super) fn is_whiteout(file: &File<'_>) -> bool {
    file.name().starts_with(WHITEOUT)
}

/// Returns the folders that a path goes through, the highest first.
fn folders(path: &str) -> impl Iterator<Item = &str> {
    path.match_indices('/').map(|(end, _)| &path[..end])
}
