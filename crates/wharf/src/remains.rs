//! What is in an artifact beside its Wasm, which another form may have no place for.

use std::collections::HashSet;
use std::fs::File;
use std::io::{self, BufReader, Cursor, Read as _};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;
use wharf_artifact::dialect::Place as Inside;
use wharf_artifact::istio::{RUNTIME_CONFIG, RuntimeConfig};
use wharf_artifact::limits::{
    CONFIG_BYTES_MAX, SEARCHED_BYTES_MAX, SEARCHED_ENTRIES_MAX, SEARCHED_NAMES_BYTES_MAX, SEARCHED_PATH_BYTES_MAX,
};
use wharf_artifact::search::{InvalidLayer, Search};
use wharf_oci::{Descriptor, Digest, MediaType, fetch_verified};
use wharf_tar::{EntryKind, Limits, Links, Walk, WalkError, decompress, is_tar, walk};

use crate::Cause;
use crate::blocking::blocking;
use crate::extract::{Extracted, FETCHED_BYTES_MAX};
use crate::file_sink::fetch_to_temporary;
use crate::locate::Artifact;
use crate::place::Place;

/// How many files are named; more are counted.
const NAMED_MAX: usize = 5;
/// The file in a tar that tells a host of a filter.
const RUNTIME_CONFIG_FILE: &str = "runtime-config.json";
/// How many bytes tell a tar.
const TAR_HEAD_BYTES: u64 = 512;
/// How the name of a file starts that hides another one in lower layers (image-spec, layer.md).
const WHITEOUT: &str = ".wh.";
/// The name of a file that hides all that lower layers have in its folder.
const OPAQUE: &str = ".wh..wh..opq";

/// What is in an artifact beside its Wasm.
#[derive(Debug, Default)]
pub(crate) struct Remains {
    /// What would be left behind, as people call it.
    pub(crate) lost: Vec<String>,
    /// What a host is told of a filter.
    pub(crate) runtime_config: Option<RuntimeConfig>,
}

/// Finds what is in an artifact beside what was taken out of it.
pub(crate) async fn remains(
    place: &Place,
    artifact: &Artifact,
    extracted: &Extracted,
    scratch: &Path,
) -> Result<Remains, Cause> {
    let mut remains = Remains::default();
    match &artifact.located.place {
        Inside::Choice(layers) => {
            let others = layers.iter().filter(|layer| layer.digest != extracted.layer.digest);
            remains.lost.extend(others.map(layer_name));
        }
        Inside::Search(search) => remains.add_files(files(place, artifact, search, extracted, scratch).await?),
        Inside::Layer(_) | Inside::Chunks(_) => {}
    }
    for layer in &artifact.located.others {
        match layer.media_type.as_str() {
            RUNTIME_CONFIG => {
                let bytes = fetch_verified(place.content(), layer, CONFIG_BYTES_MAX as u64).await?;
                remains.add_runtime_config(&bytes);
            }
            _ => remains.lost.push(layer_name(layer)),
        }
    }
    Ok(remains)
}

impl Remains {
    fn add_files(&mut self, files: Files) {
        if let Some(bytes) = &files.runtime_config {
            self.add_runtime_config(bytes);
        }
        if files.count > 0 {
            self.lost.push(files.to_string());
        }
        self.lost.extend(files.layers);
    }

    /// Hosts read the file or not; one that cannot be read does not stop who wants the filter.
    fn add_runtime_config(&mut self, bytes: &[u8]) {
        match RuntimeConfig::parse(bytes) {
            Ok(config) => self.runtime_config = Some(config),
            Err(_) => self.lost.push("the runtime config, which is not valid".to_owned()),
        }
    }
}

fn layer_name(layer: &Descriptor) -> String {
    let title = layer.annotations.get(wharf_artifact::cncf::TITLE);
    match title {
        Some(title) => format!("the layer {title} ({}, {} bytes)", layer.media_type, layer.size),
        None => format!("a layer of type {} ({} bytes)", layer.media_type, layer.size),
    }
}

/// Lists the files in layers that may be searched, but the Wasm; those of an image from the highest layer down, since
/// what a layer hides of lower ones is not in the image.
async fn files(
    place: &Place,
    artifact: &Artifact,
    search: &Search,
    extracted: &Extracted,
    scratch: &Path,
) -> Result<Files, Cause> {
    let bytes = search.layers().iter().map(|layer| layer.size).fold(0, u64::saturating_add);
    if bytes > FETCHED_BYTES_MAX {
        return Err(Cause::TooMuchToFetch { bytes, limit: FETCHED_BYTES_MAX });
    }
    let config = &artifact.image.config.media_type;
    let is_stack = [MediaType::OCI_CONFIG, MediaType::DOCKER_CONFIG].contains(config);
    let mut files = Files { hiding: is_stack.then(Hiding::default), ..Files::default() };
    let mut layers: Vec<_> = search.layers().iter().collect();
    if is_stack {
        layers.reverse();
    }
    let found = extracted.found.as_ref().and_then(|found| found.path.clone());
    for layer in layers {
        let is_it = layer.digest == extracted.layer.digest;
        if is_it && found.is_none() {
            continue;
        }
        // A layer that is fetched for this is gone again when it was looked into.
        let (fetched, path): (Option<NamedTempFile>, PathBuf) = match extracted.seen.get(&layer.digest) {
            Some(path) => (None, path.to_path_buf()),
            None => {
                let file = fetch_to_temporary(place.content(), layer, scratch).await?;
                let path = file.path().to_owned();
                (Some(file), path)
            }
        };
        let (layer, wasm) = (layer.clone(), found.clone().filter(|_| is_it));
        files = blocking(move || files.with_layer(&layer, &path, wasm.as_deref())).await?;
        drop(fetched);
    }
    Ok(files)
}

/// The files of an artifact beside its Wasm.
#[derive(Default)]
struct Files {
    count: usize,
    /// The first few.
    names: Vec<String>,
    /// Layers that are no tars, as people call them.
    layers: Vec<String>,
    runtime_config: Option<Vec<u8>>,
    /// What higher layers hide, where layers are changes of one file system.
    hiding: Option<Hiding>,
}

/// Names that hide what lower layers have.
#[derive(Default)]
struct Hiding {
    /// Files and what whiteouts name: they hide what has their path, and all below it.
    covering: HashSet<String>,
    /// Opaque folders, of which the root is empty: they hide all below them.
    opaque: HashSet<String>,
    bytes: usize,
}

impl Files {
    /// Adds the files of a layer but `wasm`.
    fn with_layer(mut self, layer: &Descriptor, path: &Path, wasm: Option<&str>) -> Result<Self, Cause> {
        let file = File::open(path).map_err(Cause::file("read", path))?;
        let failed = |source: io::Error| Cause::Layer { source: source.into() };
        let mut unpacked = decompress(BufReader::new(file), SEARCHED_BYTES_MAX).map_err(failed)?;
        let mut head = Vec::new();
        (&mut unpacked).take(TAR_HEAD_BYTES).read_to_end(&mut head).map_err(failed)?;
        if !is_tar(&head) {
            self.layers.push(layer_name(layer));
            return Ok(self);
        }
        let limits = Limits {
            entries: SEARCHED_ENTRIES_MAX,
            bytes: SEARCHED_BYTES_MAX,
            path_bytes: SEARCHED_PATH_BYTES_MAX,
            links: Links::Report,
        };
        let mut own = Hiding::default();
        let walked = walk(Cursor::new(head).chain(unpacked), &limits, &mut |entry| {
            let path = entry.path();
            let is_hidden = self.hiding.as_ref().is_some_and(|hiding| hiding.hides(path));
            if entry.kind() == EntryKind::Directory || (self.hiding.is_some() && own.note(path)) {
                return Ok::<_, io::Error>(Walk::Continue);
            }
            if is_hidden || wasm == Some(path) {
                return Ok(Walk::Continue);
            }
            if path == RUNTIME_CONFIG_FILE && entry.size() <= CONFIG_BYTES_MAX as u64 {
                let mut bytes = Vec::new();
                entry.read_to_end(&mut bytes)?;
                self.runtime_config = Some(bytes);
                return Ok(Walk::Continue);
            }
            self.add(path);
            Ok(Walk::Continue)
        });
        match walked {
            Ok(()) => self.hide(&layer.digest, own),
            Err(WalkError::Tar(source)) => Err(Cause::Layer { source }),
            Err(WalkError::Visit(error)) => Err(failed(error)),
        }
    }

    /// Takes over what a layer hides of those below it.
    fn hide(mut self, digest: &Digest, own: Hiding) -> Result<Self, Cause> {
        let Some(hiding) = &mut self.hiding else { return Ok(self) };
        hiding.bytes = hiding.bytes.saturating_add(own.bytes);
        if hiding.bytes > SEARCHED_NAMES_BYTES_MAX {
            return Err(InvalidLayer::TooManyNames { digest: digest.clone() }.into());
        }
        hiding.covering.extend(own.covering);
        hiding.opaque.extend(own.opaque);
        Ok(self)
    }

    fn add(&mut self, name: &str) {
        self.count += 1;
        if self.names.len() < NAMED_MAX {
            self.names.push(name.escape_debug().to_string());
        }
    }
}

impl std::fmt::Display for Files {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names = self.names.join(", ");
        match (self.count, self.count - self.names.len()) {
            (1, _) => write!(formatter, "the file {names}"),
            (count, 0) => write!(formatter, "{count} files: {names}"),
            (count, more) => write!(formatter, "{count} files: {names} and {more} more"),
        }
    }
}

impl Hiding {
    /// Remembers what a file hides, and tells whether that is all that it is for.
    fn note(&mut self, path: &str) -> bool {
        // What is over the limit is noticed when the layer is done, and costs no memory until then.
        self.bytes = self.bytes.saturating_add(path.len());
        if self.bytes > SEARCHED_NAMES_BYTES_MAX {
            return false;
        }
        let (folder, name) = path.rsplit_once('/').map_or(("", path), |(folder, name)| (folder, name));
        if name == OPAQUE {
            self.opaque.insert(folder.to_owned());
            return true;
        }
        match name.strip_prefix(WHITEOUT) {
            Some(hidden) if folder.is_empty() => self.covering.insert(hidden.to_owned()),
            Some(hidden) => self.covering.insert(format!("{folder}/{hidden}")),
            None => {
                self.covering.insert(path.to_owned());
                return false;
            }
        };
        true
    }

    fn hides(&self, path: &str) -> bool {
        let mut folders = path.match_indices('/').map(|(end, _)| &path[..end]);
        let is_below = self.opaque.contains("")
            || folders.any(|folder| self.opaque.contains(folder) || self.covering.contains(folder));
        is_below || self.covering.contains(path)
    }
}

#[cfg(test)]
mod tests {
    use wharf_testing::packing::{gzip, tar};

    use super::*;

    /// Lists the files of these layers, the highest first, with `app.wasm` in the first as the Wasm.
    fn list(hiding: Option<Hiding>, layers: &[Vec<u8>]) -> Result<Files, Cause> {
        let folder = tempfile::tempdir().unwrap();
        let mut files = Files { hiding, ..Files::default() };
        for (index, bytes) in layers.iter().enumerate() {
            let path = folder.path().join(index.to_string());
            std::fs::write(&path, bytes).unwrap();
            let layer = Descriptor::of(MediaType::OCI_LAYER, bytes);
            files = files.with_layer(&layer, &path, (index == 0).then_some("app.wasm"))?;
        }
        Ok(files)
    }

    #[test]
    fn what_a_higher_layer_hides_is_not_there_to_be_lost() {
        let layers = [
            tar(&[
                ("app.wasm", b"\0asm"),
                (".wh.gone", b""),
                ("etc/.wh..wh..opq", b""),
                ("etc/motd", b"new"),
                ("lib", b"x"),
            ]),
            gzip(&tar(&[
                ("app.wasm", b"old"),
                ("gone/a", b"1"),
                ("etc/passwd", b"2"),
                ("etc/motd", b"old"),
                ("gone2", b"3"),
            ])),
            tar(&[("lib/libc.so", b"4"), ("usr/", b""), ("usr/link", b"-> /etc"), ("gone2", b"old")]),
        ];
        let files = list(Some(Hiding::default()), &layers).unwrap();
        assert_eq!((files.count, files.names.join(" ")), (4, "etc/motd lib gone2 usr/link".to_owned()));
        let apart = list(None, &layers).unwrap();
        assert_eq!(apart.count, 12, "of layers that stand for themselves, all files count: {:?}", apart.names);
    }

    #[test]
    fn an_opaque_root_hides_all_below() {
        let layers = [tar(&[("app.wasm", b"\0asm"), (".wh..wh..opq", b"")]), tar(&[("etc/motd", b"old")])];
        assert_eq!(list(Some(Hiding::default()), &layers).unwrap().count, 0);
    }

    #[test]
    fn a_few_files_are_named_and_more_are_counted() {
        let names: Vec<_> = (0..7).map(|number| format!("f\u{1b}{number}")).collect();
        for (count, expected) in [
            (1, r"the file f\u{1b}0"),
            (2, r"2 files: f\u{1b}0, f\u{1b}1"),
            (7, r"7 files: f\u{1b}0, f\u{1b}1, f\u{1b}2, f\u{1b}3, f\u{1b}4 and 2 more"),
        ] {
            let entries: Vec<_> = names[..count].iter().map(|name| (name.as_str(), &b"x"[..])).collect();
            assert_eq!(list(None, &[tar(&entries)]).unwrap().to_string(), expected);
        }
    }

    #[test]
    fn the_runtime_config_of_a_filter_is_kept_and_a_broken_one_is_told() {
        let config = br#"{"type":"envoy_proxy","abiVersions":["v0.2.1"],"config":{"rootIds":["auth"]}}"#;
        for (bytes, root_ids, lost) in [(&config[..], 1, 0), (b"{", 0, 1)] {
            let files = list(None, &[tar(&[("app.wasm", b"\0asm"), (RUNTIME_CONFIG_FILE, bytes)])]).unwrap();
            let mut remains = Remains::default();
            remains.add_files(files);
            assert_eq!(remains.runtime_config.map_or(0, |config| config.config.root_ids.len()), root_ids);
            assert_eq!(remains.lost.len(), lost, "{:?}", remains.lost);
        }
    }

    #[test]
    fn a_layer_that_is_broken_stops_it_and_one_that_is_no_tar_is_told() {
        let cut = tar(&[("app.wasm", &[0; 2000])])[..1000].to_vec();
        assert!(matches!(list(None, &[cut]), Err(Cause::Layer { .. })));
        let escape = tar(&[("../evil", b"x")]);
        assert!(matches!(list(None, &[escape]), Err(Cause::Layer { .. })));
        let files = list(None, &[b"text".to_vec()]).unwrap();
        assert_eq!(files.layers, ["a layer of type application/vnd.oci.image.layer.v1.tar (4 bytes)"]);
    }
}
