//! The layers of an image as one file system (image-spec, layer.md, "Representing Changes").
//!
//! Layers are seen from the highest down, so that a file counts unless something above it covers, replaces or
//! whites it out. Of all that stands in the layers above, only the names that can do so are kept.

use std::collections::BTreeMap;

use wharf_oci::Descriptor;
use wharf_tar::{EntryKind, Walk};

use super::candidate::{Candidate, chosen, only};
use super::layer::{Content, File};
use super::names::{Names, is_whiteout};
use super::{Clue, What};
use crate::dialect::{Dialect, Unreadable};
use crate::istio::PLUGIN_FILE;
use crate::provider::WORLD_FILE;
use crate::{NativeFormat, is_text};

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
    /// The highest layer that has the claims of a provider archive.
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
            names_bytes_max: self.above.left(),
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
        if change.has_claims && self.provider.is_none() {
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
        is_found || (is_decided && self.plugin.is_some())
    }

    /// Returns what was found: what the image runs, else a plugin in its highest layer, else the only Wasm in it, else
    /// a provider archive; or of all these the one that was chosen.
    pub(super) fn finish(
        mut self,
        layers: &[Descriptor],
        choice: Option<&str>,
        none: impl FnOnce() -> Unreadable,
    ) -> Result<Candidate, Unreadable> {
        let provider = self.provider.take().filter(|provider| self.is_archive(provider));
        let path = self.executable.unwrap_or_default();
        let (run, none) = match self.entrypoint {
            Some(Entrypoint::Wasm(candidate)) => (Some(candidate), none()),
            Some(Entrypoint::Native(format)) => (None, Unreadable::NativeEntrypoint { path, format }),
            Some(Entrypoint::Link) => (None, Unreadable::EntrypointLink { path }),
            Some(Entrypoint::Other) | None => (None, none()),
        };
        let mut preferred = [run, self.plugin, provider].into_iter().flatten();
        match choice {
            Some(name) => chosen(preferred.chain(self.files).collect(), layers, name, || none),
            None => preferred.next().map_or_else(|| only(self.files, Vec::new(), layers, || none), Ok),
        }
    }

    /// Whether a layer with claims is a provider archive, and not an image that has a file of that name.
    fn is_archive(&self, provider: &Candidate) -> bool {
        let is_world = |file: &Candidate| file.index == provider.index && file.path.as_deref() == Some(WORLD_FILE);
        self.executable.is_none() && self.files.iter().all(is_world)
    }
}

impl Change {
    /// Whether there were more names than may be kept, so that the walk was ended.
    pub(super) fn has_too_many_names(&self) -> bool {
        self.names.is_over(self.names_bytes_max)
    }

    /// Takes note of an entry.
    pub(super) fn visit(&mut self, stack: &Stack, file: &File<'_>) -> Walk {
        let is_executable = |path: &str| stack.executable.as_deref() == Some(path);
        if !is_whiteout(file) && !stack.above.hides(file.path) {
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
        self.has_claims |= file.is_claims();
        if is_executable {
            self.entrypoint = Some((Entry::of(file), file.number));
        }
        if !(file.is_wasm() && file.path.ends_with(".wasm")) {
            return;
        }
        if self.is_highest && file.name() == PLUGIN_FILE && self.plugin.is_none() {
            self.plugin = Some((file.path.to_owned(), file.number));
        }
        self.files.insert(file.path.to_owned(), file.number);
        self.names.count(file.path);
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

#[cfg(test)]
mod tests {
    use super::super::names::NAME_OVERHEAD_BYTES;
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
