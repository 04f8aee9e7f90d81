//! A layer that stands for itself: a Wasm binary, a provider archive, or a tar with Wasm in it.

use std::collections::BTreeSet;

use wharf_tar::Walk;

use super::Clue;
use super::candidate::Candidate;
use super::layer::{Content, File};
use crate::istio::PLUGIN_FILE;

/// Wasm files that are counted in one layer; two cannot be told apart already.
const FILES_MAX: usize = 10_000;

/// What was seen in a tar.
#[derive(Default)]
pub(super) struct Bundle {
    has_claims: bool,
    /// The number of the first `plugin.wasm`.
    plugin: Option<u64>,
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
            if file.name() == PLUGIN_FILE && self.plugin.is_none() {
                self.plugin = Some(file.number);
            }
            self.files.push((file.path.to_owned(), file.number));
        }
        Walk::Continue
    }

    /// Returns what the layer, given as a `whole`, holds.
    pub(super) fn into_candidates(self, content: Content, whole: Candidate) -> Vec<Candidate> {
        let clue = |number| if self.plugin == Some(number) { Clue::Plugin } else { Clue::Only };
        match content {
            Content::Wasm => vec![whole],
            _ if self.has_claims => vec![whole.provider()],
            _ => self.files.into_iter().map(|(path, number)| whole.file(path, number, clue(number))).collect(),
        }
    }
}

/// Tells what stands beside the plugin of its layer, which comes second, from all else.
pub(super) fn split_beside(candidates: Vec<Candidate>) -> (Vec<Candidate>, Vec<Candidate>) {
    let is_plugin = |candidate: &Candidate| candidate.clue == Clue::Plugin;
    let with_plugin: BTreeSet<_> = candidates.iter().filter(|it| is_plugin(it)).map(|it| it.index).collect();
    let all = candidates.into_iter();
    all.partition(|candidate| is_plugin(candidate) || !with_plugin.contains(&candidate.index))
}
