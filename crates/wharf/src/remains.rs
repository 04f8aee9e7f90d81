//! What is in an artifact beside its Wasm, which another form may have no place for.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use tempfile::TempPath;
use wharf_artifact::dialect::Place as Inside;
use wharf_artifact::istio::{RuntimeConfig, is_runtime_config};
use wharf_artifact::limits::CONFIG_BYTES_MAX;
use wharf_artifact::search::{Others, Rest};
use wharf_oci::{Descriptor, fetch_verified};

use crate::Cause;
use crate::blocking::blocking;
use crate::extract::{Extracted, FETCHED_BYTES_MAX};
use crate::file_sink::fetch_to_scratch;
use crate::locate::Artifact;
use crate::place::Place;

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
        Inside::Search(search) => {
            // Only what was searched for was found.
            if let Some(found) = &extracted.found {
                remains.add_rest(rest(place, search.others(found), extracted, scratch).await?);
            }
        }
        Inside::Layer(_) | Inside::Chunks(_) => {}
    }
    for layer in &artifact.located.others {
        if is_runtime_config(&layer.media_type) {
            let bytes = fetch_verified(place.content(), layer, CONFIG_BYTES_MAX as u64).await?;
            remains.add_runtime_config(&bytes);
        } else {
            remains.lost.push(layer_name(layer));
        }
    }
    Ok(remains)
}

impl Remains {
    fn add_rest(&mut self, rest: Rest) {
        if let Some(bytes) = &rest.runtime_config {
            self.add_runtime_config(bytes);
        }
        self.lost.extend(file_names(&rest));
        self.lost.extend(rest.layers.iter().map(layer_name));
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

/// Names the first few files, and counts the others.
fn file_names(rest: &Rest) -> Option<String> {
    let names: Vec<_> = rest.names.iter().map(|name| name.escape_debug().to_string()).collect();
    let named = names.join(", ");
    match (rest.count, rest.count - names.len() as u64) {
        (0, _) => None,
        (1, _) => Some(format!("the file {named}")),
        (count, 0) => Some(format!("{count} files: {named}")),
        (count, more) => Some(format!("{count} files: {named} and {more} more")),
    }
}

/// Looks for the rest in layers, of which those are there already that were searched for the Wasm.
async fn rest(place: &Place, mut others: Others, extracted: &Extracted, scratch: &Path) -> Result<Rest, Cause> {
    let bytes = others.layers().iter().map(|layer| layer.size).fold(0, u64::saturating_add);
    if bytes > FETCHED_BYTES_MAX {
        return Err(Cause::TooMuchToFetch { bytes, limit: FETCHED_BYTES_MAX });
    }
    while let Some(index) = others.wants() {
        let layer = &others.layers()[index];
        // A layer that is fetched for this is gone again when it was looked into.
        let fetched: TempPath;
        let path = match extracted.seen.get(&layer.digest) {
            Some(path) => path.to_path_buf(),
            None => {
                fetched = fetch_to_scratch(place.content(), layer, scratch).await?.into_temp_path();
                fetched.to_path_buf()
            }
        };
        others = blocking(move || {
            let opened = File::open(&path).map_err(Cause::file("read", &path))?;
            others.look(index, &mut BufReader::new(opened))?;
            Ok::<_, Cause>(others)
        })
        .await?;
    }
    Ok(others.finish()?)
}

#[cfg(test)]
mod tests {
    use wharf_oci::MediaType;

    use super::*;

    #[test]
    fn a_few_files_are_named_and_more_are_counted() {
        let names: Vec<_> = (0..5).map(|number| format!("f\u{1b}{number}")).collect();
        for (count, expected) in [
            (0, None),
            (1, Some(r"the file f\u{1b}0")),
            (2, Some(r"2 files: f\u{1b}0, f\u{1b}1")),
            (7, Some(r"7 files: f\u{1b}0, f\u{1b}1, f\u{1b}2, f\u{1b}3, f\u{1b}4 and 2 more")),
        ] {
            let names = names.iter().take(count).cloned().collect();
            let rest = Rest { count: count as u64, names, ..Rest::default() };
            assert_eq!(file_names(&rest).as_deref(), expected);
        }
    }

    #[test]
    fn the_runtime_config_of_a_filter_is_kept_and_a_broken_one_is_told() {
        let config = br#"{"type":"envoy_proxy","abiVersions":["v0.2.1"],"config":{"rootIds":["auth"]}}"#;
        for (bytes, root_ids, lost) in [(&config[..], 1, 0), (b"{", 0, 1)] {
            let mut remains = Remains::default();
            remains.add_rest(Rest { runtime_config: Some(bytes.to_vec()), ..Rest::default() });
            assert_eq!(remains.runtime_config.map_or(0, |config| config.config.root_ids.len()), root_ids);
            assert_eq!(remains.lost.len(), lost, "{:?}", remains.lost);
        }
    }

    #[test]
    fn layers_that_are_no_tars_are_told_with_their_types() {
        let mut remains = Remains::default();
        remains.add_rest(Rest { layers: vec![Descriptor::of(MediaType::OCI_LAYER, b"text")], ..Rest::default() });
        assert_eq!(remains.lost, ["a layer of type application/vnd.oci.image.layer.v1.tar (4 bytes)"]);
    }
}
