//! Layers that have to be looked into, in the form that [`wharf_fuzz::entries`] draws.
//!
//! A line `! bin/app.wasm` names the program of the image. A line `= tar`, `= gzip` or `= zstd` starts another layer, a
//! higher one, and says how it is packed.

#![no_main]

use std::collections::BTreeMap;

use libfuzzer_sys::fuzz_target;
use wharf_artifact::dialect::{Place, Unreadable, classify};
use wharf_artifact::search::{Clue, Found, Search, What};
use wharf_artifact::{ExecutionConfig, ImageConfig, is_text};
use wharf_fuzz::entries::{Entry, entries, tar};
use wharf_oci::{Descriptor, ImageManifest, MediaType};
use wharf_tar::{EntryKind, InvalidTar, Limits, Links, Walk, WalkError, is_tar, walk};
use wharf_testing::packing;

const MAGIC: &[u8] = b"\0asm";
const WHITEOUT: &str = ".wh.";
const OPAQUE: &str = ".wh..wh..opq";

fuzz_target!(|input: &[u8]| {
    let entries = entries(input);
    let program = entries.iter().find(|entry| entry.kind == b'!').map(|entry| entry.path.as_str());
    let layers: Vec<_> = entries.split_inclusive(|entry| entry.kind == b'=').filter_map(Layer::of).collect();
    let model = layers.iter().all(|layer| layer.is_plain()).then(|| merged(&layers));
    for config in [MediaType::OCI_CONFIG, MediaType::OCTET_STREAM] {
        let of_image = config == MediaType::OCI_CONFIG;
        let Some((search, program)) = search(config, &layers, program) else { continue };
        let Some(outcome) = run(search.clone(), &layers) else { continue };
        let model = model.as_ref().filter(|_| of_image);
        if let Some(model) = model {
            check_model(&outcome, program.as_deref(), model);
        }
        match outcome {
            Ok(found) => {
                check_found(&found, &layers);
                check_rest(&search, &found, &layers, model);
            }
            Err(Unreadable::Several { names }) => check_names(&search, &names, &layers),
            Err(_) => {}
        }
    }
});

/// A layer, and what is in it.
struct Layer {
    packed: Vec<u8>,
    unpacked: Vec<u8>,
    files: Vec<(String, EntryKind, Vec<u8>)>,
    is_whole: bool,
}

impl Layer {
    /// Makes a layer of entries, which may end with the line that starts the next one.
    fn of(entries: &[Entry]) -> Option<Self> {
        let (end, packing) = match entries.last() {
            Some(last) if last.kind == b'=' => (entries.len() - 1, last.path.as_str()),
            _ => (entries.len(), "tar"),
        };
        let entries: Vec<_> = entries[..end].iter().filter(|entry| entry.kind != b'!').cloned().collect();
        let unpacked = tar(&entries);
        if unpacked.is_empty() {
            return None;
        }
        let packed = match packing {
            "gzip" => packing::gzip(&unpacked),
            "zstd" => packing::zstd(&unpacked),
            _ => unpacked.clone(),
        };
        let (files, is_whole) = files(&unpacked);
        Some(Self { packed, unpacked, files, is_whole })
    }

    /// Whether it is a tar that is unpacked by everyone in the same way: in which nothing is below a file, no name is
    /// special in two ways, and no path comes twice.
    fn is_plain(&self) -> bool {
        let is_leaf = |kind: EntryKind| kind != EntryKind::Directory;
        let has_below = |path: &str| self.files.iter().any(|(other, ..)| is_below(other, path));
        let is_twice = |path: &str| self.files.iter().filter(|(other, ..)| other == path).count() > 1;
        let is_odd = |path: &str, kind: EntryKind| {
            let (folder, name) = split(path);
            let hidden = name.strip_prefix(WHITEOUT).filter(|_| name != OPAQUE);
            let is_special = hidden.is_some() || name == OPAQUE;
            folder.split('/').any(|part| part.starts_with(WHITEOUT))
                || hidden.is_some_and(|hidden| hidden.is_empty() || hidden.starts_with(WHITEOUT))
                || (is_special && kind != EntryKind::File)
        };
        let is_fine = |(path, kind, _): &(String, EntryKind, Vec<u8>)| {
            !(is_leaf(*kind) && has_below(path) || is_twice(path) || is_odd(path, *kind) || path == "claims.jwt")
        };
        let start = &self.unpacked[..self.unpacked.len().min(512)];
        // A tar without a name in its first header can start as Wasm does.
        self.is_whole && is_tar(start) && !start.starts_with(MAGIC) && self.files.iter().all(is_fine)
    }
}

/// Returns what is in a tar, and whether it is one to its end.
fn files(tar: &[u8]) -> (Vec<(String, EntryKind, Vec<u8>)>, bool) {
    let limits = Limits { entries: 100, bytes: u64::MAX, path_bytes: 4096, links: Links::Report };
    let mut files = Vec::new();
    let walked: Result<(), WalkError<InvalidTar>> = walk(tar, &limits, &mut |entry| {
        let (path, kind, mut content) = (entry.path().to_owned(), entry.kind(), Vec::new());
        std::io::copy(entry, &mut content)?;
        files.push((path, kind, content));
        Ok(Walk::Continue)
    });
    (files, walked.is_ok())
}

/// Merges layers from the lowest up, as a runtime does: each one's whiteouts first.
fn merged(layers: &[Layer]) -> BTreeMap<&str, (EntryKind, &[u8])> {
    let mut merged = BTreeMap::new();
    for Layer { files, .. } in layers {
        for (path, ..) in files {
            let (folder, name) = split(path);
            if name == OPAQUE {
                merged.retain(|other: &&str, _| !folder.is_empty() && !is_below(other, folder));
            } else if let Some(hidden) = name.strip_prefix(WHITEOUT) {
                let hidden = if folder.is_empty() { hidden.to_owned() } else { format!("{folder}/{hidden}") };
                merged.retain(|other, _| *other != hidden && !is_below(other, &hidden));
            }
        }
        for (path, kind, content) in files {
            // What is above something is a folder.
            merged.retain(|other, (kind, _)| !is_below(path, other) || *kind == EntryKind::Directory);
            if *kind != EntryKind::Directory {
                merged.retain(|other, _| !is_below(other, path));
            }
            if !split(path).1.starts_with(WHITEOUT) {
                merged.insert(path.as_str(), (*kind, content.as_slice()));
            }
        }
    }
    merged
}

/// Starts a search; returns the path of the program too.
fn search(config: MediaType, layers: &[Layer], program: Option<&str>) -> Option<(Search, Option<String>)> {
    let layers = layers.iter().map(|layer| Descriptor::of(MediaType::OCTET_STREAM, &layer.packed)).collect();
    let image = ImageManifest::new(Descriptor::of(config, b"{}"), layers);
    let entrypoint = program.map(str::to_owned).into_iter().collect();
    let config = ImageConfig { config: ExecutionConfig { entrypoint, ..ExecutionConfig::default() }, ..ImageConfig::default() };
    match classify(&image, Some(&config)).ok()?.place {
        Place::Search(search) => Some((search, config.executable())),
        _ => None,
    }
}

fn run(mut search: Search, layers: &[Layer]) -> Option<Result<Found, Unreadable>> {
    let mut seen = Vec::new();
    while let Some(index) = search.wants() {
        assert!(!seen.contains(&index));
        seen.push(index);
        search.look(index, &mut &layers[index].packed[..]).ok()?;
    }
    let outcome = search.finish();
    if let Err(error) = &outcome {
        let text = error.to_string();
        assert!(!text.contains(char::is_control) && text.len() < 8 * 1024, "{text:?}");
    }
    Some(outcome)
}

/// Each of several is found by its name.
fn check_names(search: &Search, names: &[String], layers: &[Layer]) {
    // What is escaped or cut may stand for another name.
    for name in names.iter().filter(|name| name.len() < 128 && !name.contains('\\')) {
        let found = run(search.clone().choosing(name), layers).expect("they were looked into before");
        let found = found.unwrap_or_else(|error| panic!("{name}: {error}"));
        // A plugin stays one, whoever asks for it.
        assert!(matches!(found.clue, Clue::Chosen | Clue::Plugin), "{found:?}");
        let digest = found.layer.digest.to_string();
        let is_path = |name: &str| found.path.as_deref() == Some(name);
        let in_layer = name.strip_prefix(&digest).map(|rest| rest.strip_prefix('/'));
        assert!(is_path(name) || in_layer.is_some_and(|path| path.is_none_or(is_path)), "{name}: {found:?}");
        check_found(&found, layers);
    }
}

/// What is beside the Wasm is all that there is but for it.
fn check_rest(search: &Search, found: &Found, layers: &[Layer], model: Option<&BTreeMap<&str, (EntryKind, &[u8])>>) {
    let mut others = search.others(found);
    while let Some(index) = others.wants() {
        if others.look(index, &mut &layers[index].packed[..]).is_err() {
            return;
        }
    }
    let rest = others.finish().expect("the layers are small");
    assert!(rest.names.len() as u64 <= rest.count && rest.layers.len() <= layers.len());
    if let Some(model) = model {
        let all = model.values().filter(|(kind, _)| *kind != EntryKind::Directory).count();
        assert_eq!(rest.count as usize + usize::from(rest.runtime_config.is_some()) + 1, all, "{rest:?} {found:?}");
        assert!(rest.names.iter().all(|name| model.contains_key(name.as_str()) && found.path.as_ref() != Some(name)));
    }
}

/// What is found is what it is said to be.
fn check_found(found: &Found, layers: &[Layer]) {
    let layer = &layers[found.index];
    assert_eq!(found.layer, Descriptor::of(MediaType::OCTET_STREAM, &layer.packed));
    let mut bytes = Vec::new();
    let size = found.extract(&mut &layer.packed[..], &mut bytes).expect("it was found before");
    assert_eq!(size, bytes.len() as u64);
    match (&found.path, found.what) {
        (None, What::Provider) => assert_eq!(bytes, layer.packed),
        (None, _) => assert_eq!(bytes, layer.unpacked),
        (Some(path), _) => {
            // The last of several counts, but for plugins.
            let mut same = layer.files.iter().filter(|(other, kind, _)| other == path && *kind == EntryKind::File);
            assert!(same.any(|(.., content)| *content == bytes), "{found:?}");
        }
    }
    match found.what {
        What::Wasm => assert!(bytes.starts_with(MAGIC)),
        What::Text => assert!(is_text(&bytes)),
        What::Provider => assert!(layer.files.iter().any(|(path, ..)| path == "claims.jwt")),
    }
}

/// What is found in layers is what the merged file system has.
fn check_model(outcome: &Result<Found, Unreadable>, program: Option<&str>, model: &BTreeMap<&str, (EntryKind, &[u8])>) {
    let is_wasm = |(kind, content): &(EntryKind, &[u8])| *kind == EntryKind::File && content.starts_with(MAGIC);
    let mut names = model.iter().filter(|(path, file)| path.ends_with(".wasm") && is_wasm(file)).map(|(path, _)| *path);
    let runs_wasm = program.filter(|program| model.get(program).is_some_and(is_wasm));
    match outcome {
        Ok(found) => {
            let path = found.path.as_deref().expect("no layer is Wasm");
            match found.clue {
                Clue::Entrypoint => assert_eq!(Some(path), program),
                Clue::Plugin => assert!(runs_wasm.is_none() && names.any(|name| name == path)),
                Clue::Only => {
                    assert!(runs_wasm.is_none());
                    assert_eq!(names.collect::<Vec<_>>(), [path]);
                }
                Clue::Chosen => unreachable!("nothing is asked for"),
            }
            assert!(model.contains_key(path), "{found:?}");
        }
        Err(Unreadable::Several { names: found }) => {
            assert!(runs_wasm.is_none());
            assert_eq!(found.len(), names.count());
        }
        Err(_) => assert_eq!((runs_wasm, names.next()), (None, None), "{outcome:?}"),
    }
}

/// Splits a path into the folder and the name in it.
fn split(path: &str) -> (&str, &str) {
    path.rsplit_once('/').unwrap_or(("", path))
}

fn is_below(path: &str, folder: &str) -> bool {
    path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'))
}
