//! Changes to `index.json` that leave all else in it as it is.

use std::path::Path;

use bytes::Bytes;
use serde_json::Value;
use wharf_oci::{Descriptor, Manifest};

use super::{read_index, write_file};
use crate::index::{IMAGE_NAME, INDEX_FILE, REF_NAME, describe, is_same, parse_index};
use crate::{Error, ImageName};

/// An entry of the index, as it is understood and as it stands there.
pub(super) struct Entry {
    pub(super) descriptor: Descriptor,
    /// What is written again: it may hold fields that are not known here.
    json: Value,
}

/// Changes the list of entries.
pub(super) fn edit_index(folder: &Path, edit: impl FnOnce(&mut Vec<Entry>)) -> Result<(), Error> {
    let json = |source| Error::Json { path: folder.to_owned(), entry: INDEX_FILE.to_owned(), source };
    let (index, bytes) = read_index(folder)?;
    let mut document: Value = serde_json::from_slice(&bytes).map_err(json)?;
    let values = document["manifests"].take();
    let values: Vec<Value> = serde_json::from_value(values).map_err(json)?;
    let entries = index.manifests.into_iter().zip(values);
    let mut entries: Vec<_> = entries.map(|(descriptor, json)| Entry { descriptor, json }).collect();
    edit(&mut entries);
    document["manifests"] = entries.into_iter().map(|entry| entry.json).collect();
    let bytes = Bytes::from(serde_json::to_vec(&document).map_err(json)?);
    // It may have become too large.
    parse_index(folder, bytes.clone())?;
    write_file(folder, INDEX_FILE, &bytes)
}

/// Lists a manifest under a name, in place of what had it before, or under none, where it is not listed yet.
pub(super) fn enter(entries: &mut Vec<Entry>, manifest: &Manifest, name: Option<&ImageName>) {
    let is_same = |it: &Entry| it.descriptor.digest == *manifest.digest();
    match name {
        None if entries.iter().any(is_same) => return,
        None => {}
        Some(name) => {
            let nameless = serde_json::json!(describe(manifest, None));
            entries.retain(|it| it.json != nameless && !has_name(&it.descriptor, name));
        }
    }
    let descriptor = describe(manifest, name);
    entries.push(Entry { json: serde_json::json!(descriptor), descriptor });
}

/// Whether an entry goes by `name`. A tag means another in another repository, where both are known.
fn has_name(descriptor: &Descriptor, name: &ImageName) -> bool {
    match (descriptor.annotations.get(IMAGE_NAME), name.repository()) {
        (Some(theirs), Some(_)) => is_same(theirs, &name.to_string()),
        _ => descriptor.annotations.get(REF_NAME).is_some_and(|tag| tag == name.tag().as_str()),
    }
}
