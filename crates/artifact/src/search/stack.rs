//! The layers of an image as one file system (image-spec, layer.md, "Representing Changes").
//!
//! Layers are seen from the highest down, so that a file counts unless something above it covers, replaces or
//! whites it out. Of all that stands in the layers above, only the names that can do so are kept.

use std::collections::{BTreeMap, BTreeSet};

use wharf_oci::Descriptor;
use wharf_tar::{EntryKind, Walk};

use super::bundle::PLUGIN;
use super::layer::{Content, File};
use super::{Candidate, Clue, What, only};
use crate::dialect::{Dialect, Unreadable};
use crate::limits::SEARCHED_NAMES_BYTES_MAX;
use crate::{NativeFormat, is_text};

/// How the name of a file starts that hides another one in lower layers.
const WHITEOUT: &str = ".wh.";
/// The name of a file that hides all that lower layers have in its folder.
const OPAQUE: &str = ".wh..wh..opq";
/// Bytes that a name takes beside its text, roughly.
const NAME_OVERHEAD_BYTES: usize = 64;

/// What is known of the layers seen so far, and the executable that is looked for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Stack {
    /// The path of what the image runs.
    executable: Option<String>,
    /// What is found at that path.
    entrypoint: Option<Entrypoint>,
    has_seen_highest: bool,
    /// The first `plugin.wasm` of the highest layer.
    plugin: Option<Candidate>,
    provider: Option<Candidate>,
    /// All Wasm in sight.
    files: Vec<Candidate>,
    above: Names,
}

/// What stands at the path that an image runs.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Entrypoint {
    Wasm(Candidate),
    Native(NativeFormat),
    Link,
    /// It is a folder, or a file of another kind; or it was taken away.
    Other,
}

/// Names in higher layers, which decide what is in sight below.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Names {
    /// Files, links and whiteouts: they hide what has their path, and all below it.
    covering: BTreeSet<String>,
    /// Folders where a file might be: they hide a file that has their path.
    folders: BTreeSet<String>,
    /// Opaque folders: they hide all below them.
    opaque: BTreeSet<String>,
    bytes: usize,
}

/// What one layer changes.
pub(super) struct Change {
    is_highest: bool,
    /// Whether there are lower layers, for which names must be kept.
    has_lower: bool,
    names: Names,
    names_bytes_max: usize,
    has_claims: bool,
    entrypoint: Option<(Entry, u64)>,
    plugin: Option<(String, u64)>,
    /// Wasm files by path, with their numbers.
    files: BTreeMap<String, u64>,
}

/// What a layer has at the path that the image runs.
enum Entry {
    Is(What),
    Not(Entrypoint),
}

impl Stack {
    pub(super) fn new(executable: Option<String>) -> Self {
        Self { executable, ..Self::default() }
    }

    /// Starts on the next layer.
    pub(super) fn next_change(&self, has_lower: bool) -> Change {
        Change {
            is_highest: !self.has_seen_highest,
            has_lower,
            names: Names::default(),
            names_bytes_max: SEARCHED_NAMES_BYTES_MAX.saturating_sub(self.above.bytes),
            has_claims: false,
            entrypoint: None,
            plugin: None,
            files: BTreeMap::new(),
        }
    }

    /// Takes over what a layer, given as a `whole` and seen to its end, changes.
    pub(super) fn apply(&mut self, change: Change, content: Content, whole: &Candidate) {
        let plugin = change.plugin.as_ref().map(|(_, number)| *number);
        let file = |path: &str, number, clue| {
            // The first `plugin.wasm` of the highest layer is what Istio takes.
            let dialect = if plugin == Some(number) { Dialect::IstioCompat } else { whole.dialect };
            Candidate { dialect, ..whole.file(path.to_owned(), number, clue) }
        };
        if content == Content::Wasm {
            self.files.push(whole.clone());
        }
        if change.has_claims {
            self.provider = Some(whole.provider());
        }
        if let (None, Some(path)) = (&self.entrypoint, &self.executable) {
            self.entrypoint = match change.entrypoint {
                Some((Entry::Is(what), number)) => {
                    Some(Entrypoint::Wasm(Candidate { what, ..file(path, number, Clue::Entrypoint) }))
                }
                Some((Entry::Not(entrypoint), _)) => Some(entrypoint),
                None => change.names.hides(path).then_some(Entrypoint::Other),
            };
        }
        self.plugin = self.plugin.take().or(change.plugin.map(|(path, number)| file(&path, number, Clue::Plugin)));
        self.files.extend(change.files.iter().map(|(path, number)| file(path, *number, Clue::Only)));
        self.above.extend(change.names);
        self.has_seen_highest = true;
    }

    /// Whether no lower layer can change what is found.
    pub(super) fn is_settled(&self) -> bool {
        let is_decided = self.executable.is_none() || self.entrypoint.is_some();
        let is_found = matches!(self.entrypoint, Some(Entrypoint::Wasm(_)));
        is_found || self.provider.is_some() || (is_decided && self.plugin.is_some())
    }

    /// Returns what was found: what the image runs, else a plugin in its highest layer, else the only Wasm in it.
    pub(super) fn finish(
        self,
        layers: &[Descriptor],
        none: impl FnOnce() -> Unreadable,
    ) -> Result<Candidate, Unreadable> {
        let path = self.executable.unwrap_or_default();
        let none = || match self.entrypoint {
            Some(Entrypoint::Native(format)) => Unreadable::NativeEntrypoint { path, format },
            Some(Entrypoint::Link) => Unreadable::EntrypointLink { path },
            _ => none(),
        };
        match self.entrypoint {
            Some(Entrypoint::Wasm(candidate)) => Ok(candidate),
            _ => self.provider.or(self.plugin).map_or_else(|| only(self.files, layers, none), Ok),
        }
    }
}

impl Change {
    /// Whether there were more names than may be kept, so that the walk was ended.
    pub(super) fn has_too_many_names(&self) -> bool {
        self.names.bytes > self.names_bytes_max
    }

    /// Takes note of an entry.
    pub(super) fn visit(&mut self, stack: &Stack, file: &File<'_>) -> Walk {
        if file.is_claims() {
            self.has_claims = true;
            return Walk::Stop;
        }
        let is_executable = |path: &str| stack.executable.as_deref() == Some(path);
        let is_whiteout = file.name().starts_with(WHITEOUT);
        if !is_whiteout && !stack.above.hides(file.path) {
            self.visit_visible(file, is_executable(file.path));
        }
        if self.has_lower {
            self.names.add(file, |path| is_executable(path) || path.ends_with(".wasm"));
        }
        match self.has_too_many_names() {
            true => Walk::Stop,
            false => Walk::Continue,
        }
    }

    /// Takes note of an entry that no higher layer hides. Of several with one path, the last counts.
    fn visit_visible(&mut self, file: &File<'_>, is_executable: bool) {
        self.files.remove(file.path);
        if is_executable {
            self.entrypoint = Some((Entry::of(file), file.number));
        }
        if !(file.is_wasm() && file.path.ends_with(".wasm")) {
            return;
        }
        if self.is_highest && file.name() == PLUGIN && self.plugin.is_none() {
            self.plugin = Some((file.path.to_owned(), file.number));
        }
        self.files.insert(file.path.to_owned(), file.number);
        self.names.bytes += file.path.len() + NAME_OVERHEAD_BYTES;
    }
}

impl Entry {
    fn of(file: &File<'_>) -> Self {
        match file.kind {
            EntryKind::SymbolicLink | EntryKind::HardLink => Self::Not(Entrypoint::Link),
            EntryKind::Directory => Self::Not(Entrypoint::Other),
            EntryKind::File if file.is_wasm() => Self::Is(What::Wasm),
            EntryKind::File if file.path.ends_with(".wat") && is_text(file.head) => Self::Is(What::Text),
            EntryKind::File => {
                let format = NativeFormat::of(file.head);
                Self::Not(format.map_or(Entrypoint::Other, Entrypoint::Native))
            }
        }
    }
}

impl Names {
    /// Takes note of an entry for the layers below. A folder matters where there might be a file instead.
    fn add(&mut self, file: &File<'_>, might_be_file: impl Fn(&str) -> bool) {
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
        self.bytes += name.len() + NAME_OVERHEAD_BYTES;
        of(self).insert(name);
    }

    /// Whether what a lower layer has at `path` is out of sight.
    fn hides(&self, path: &str) -> bool {
        let is_below = folders(path).any(|folder| self.covering.contains(folder) || self.opaque.contains(folder));
        // The root has no name.
        is_below || self.opaque.contains("") || self.covering.contains(path) || self.folders.contains(path)
    }

    fn extend(&mut self, lower: Self) {
        self.covering.extend(lower.covering);
        self.folders.extend(lower.folders);
        self.opaque.extend(lower.opaque);
        self.bytes += lower.bytes;
    }
}

/// Returns the folders that a path goes through, the highest first.
fn folders(path: &str) -> impl Iterator<Item = &str> {
    path.match_indices('/').map(|(end, _)| &path[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_kept_up_to_a_limit_and_for_lower_layers_only() {
        let visit = |has_lower, names_bytes_max, count: u64| {
            let stack = Stack::new(None);
            let mut change = Change { names_bytes_max, ..stack.next_change(has_lower) };
            let names: Vec<_> = (0..count).map(|number| number.to_string()).collect();
            let walked = names.iter().all(|path| {
                let file = File { path, kind: EntryKind::File, head: b"", number: 0 };
                change.visit(&stack, &file) == Walk::Continue
            });
            assert_eq!(walked, !change.has_too_many_names());
            walked
        };
        assert!(visit(true, 10 * (NAME_OVERHEAD_BYTES + 1), 10));
        assert!(!visit(true, 10 * (NAME_OVERHEAD_BYTES + 1), 11));
        assert!(visit(false, 0, 11));
    }
}
