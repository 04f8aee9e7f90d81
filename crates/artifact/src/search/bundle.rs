//! A layer that stands for itself: a Wasm binary, a provider archive, or a tar with Wasm in it.

use wharf_tar::Walk;

use super::layer::{Content, File};
use super::{Candidate, Clue};

/// Wasm files that are counted in one layer; two cannot be told apart already.
const FILES_MAX: usize = 10_000;

/// What was seen in a tar.
#[derive(Default)]
pub(super) struct Bundle {
    has_claims: bool,
    plugin: Option<(String, u64)>,
    /// The path of each Wasm file, and its number.
    files: Vec<(String, u64)>,
}

impl Bundle {
    /// Takes note of an entry.
    pub(super) fn visit(&mut self, file: &File<'_>) -> Walk {
        if file.is_claims() {
            self.has_claims = true;
            return Walk::Stop;
        }
        if file.is_wasm() && file.path.ends_with(".wasm") && self.files.len() < FILES_MAX {
            let named = (file.path.to_owned(), file.number);
            if file.name() == PLUGIN && self.plugin.is_none() {
                self.plugin = Some(named.clone());
            }
            self.files.push(named);
        }
        Walk::Continue
    }

    /// Returns what the layer, given as a `whole`, holds, as far as it is to be told apart.
    pub(super) fn into_candidates(self, content: Content, whole: Candidate) -> Vec<Candidate> {
        match (content, self.plugin) {
            (Content::Wasm, _) => vec![whole],
            _ if self.has_claims => vec![whole.provider()],
            (_, Some((path, number))) => vec![whole.file(path, number, Clue::Plugin)],
            (_, None) => self.files.into_iter().map(|(path, number)| whole.file(path, number, Clue::Only)).collect(),
        }
    }
}

/// What a filter or plugin is called in its tar.
pub(super) const PLUGIN: &str = "plugin.wasm";
