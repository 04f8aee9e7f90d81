//! What a binary says of itself in custom sections.
//!
//! Custom sections never make a binary invalid (core specification, "Custom Sections"): what is malformed here, or is
//! no single clean text, is as good as absent.

use wasm_metadata::Producers;
use wasmparser::{BinaryReader, ComponentName, ComponentNameSectionReader, Name, NameSectionReader};

use super::header::Layer;

/// What a binary says of itself; nothing of it is verified.
///
/// Texts are UTF-8 without control characters other than tabs and line breaks.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Metadata {
    /// The name of the module or component.
    pub name: Option<String>,
    /// The version.
    pub version: Option<String>,
    /// What it is for.
    pub description: Option<String>,
    /// Who made it.
    pub authors: Option<String>,
    /// The licences, as an SPDX expression.
    pub licenses: Option<String>,
    /// The URL of the source code.
    pub source: Option<String>,
    /// The URL of the home page.
    pub homepage: Option<String>,
    /// The revision of the source code.
    pub revision: Option<String>,
    /// The languages it was written in.
    pub languages: Vec<Producer>,
    /// The tools it was made with.
    pub processed_by: Vec<Producer>,
    /// The development kits it was made with.
    pub sdks: Vec<Producer>,
}

/// A language, a tool or a kit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Producer {
    /// Its name.
    pub name: String,
    /// Its version; empty where none is given.
    pub version: String,
}

/// A custom section that a host looks for in what is written for it. Its content is not read here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Marker {
    /// The metadata of a Kubewarden policy.
    KubewardenMetadata,
    /// The claims that wasmCloud's tools signed.
    WasmcloudClaims,
}

impl Marker {
    /// Tells what a custom section of that name marks.
    pub(super) fn of(section: &str) -> Option<Self> {
        match section {
            "io.kubewarden.metadata" => Some(Self::KubewardenMetadata),
            // `jwt` before wasmCloud 0.9.
            "wasmcloud_jwt" | "jwt" => Some(Self::WasmcloudClaims),
            _ => None,
        }
    }
}

/// A custom section that metadata is read from.
#[derive(Debug, Clone, Copy)]
pub(super) enum Field {
    ModuleName,
    ComponentName,
    Producers,
    Version,
    Description,
    Authors,
    Licenses,
    Source,
    Homepage,
    Revision,
}

impl Field {
    /// Tells what a custom section of that name holds.
    pub(super) fn of(layer: Layer, section: &str) -> Option<Self> {
        Some(match (section, layer) {
            ("name", Layer::Module) => Self::ModuleName,
            ("component-name", Layer::Component) => Self::ComponentName,
            ("producers", _) => Self::Producers,
            ("version", _) => Self::Version,
            ("description", _) => Self::Description,
            ("authors", _) => Self::Authors,
            ("licenses", _) => Self::Licenses,
            ("source", _) => Self::Source,
            ("homepage", _) => Self::Homepage,
            ("revision", _) => Self::Revision,
            _ => return None,
        })
    }
}

impl Metadata {
    /// Takes a field from the content of its section; of a section that is too long, `bytes` is the start.
    pub(super) fn take(&mut self, field: Field, bytes: &[u8], is_whole: bool) {
        match field {
            // The names of functions follow, and may be many; its own name stands first.
            Field::ModuleName => self.name = module_name(bytes).or(self.name.take()),
            Field::ComponentName => self.name = component_name(bytes).or(self.name.take()),
            _ if !is_whole => {}
            Field::Producers => self.take_producers(bytes),
            Field::Version => self.version = text(bytes),
            Field::Description => self.description = text(bytes),
            Field::Authors => self.authors = text(bytes),
            Field::Licenses => self.licenses = text(bytes),
            Field::Source => self.source = text(bytes),
            Field::Homepage => self.homepage = text(bytes),
            Field::Revision => self.revision = text(bytes),
        }
    }

    fn take_producers(&mut self, bytes: &[u8]) {
        let Ok(producers) = Producers::from_bytes(bytes, 0) else { return };
        let list = |field| {
            let values = producers.get(field);
            let values = values.iter().flat_map(|values| values.iter());
            values.filter_map(|(name, version)| Producer::new(name, version)).collect()
        };
        self.languages = list("language");
        self.processed_by = list("processed-by");
        self.sdks = list("sdk");
    }
}

impl Producer {
    fn new(name: &str, version: &str) -> Option<Self> {
        let version = text(version.as_bytes()).unwrap_or_default();
        Some(Self { name: text(name.as_bytes())?, version })
    }
}

fn module_name(bytes: &[u8]) -> Option<String> {
    let names = NameSectionReader::new(BinaryReader::new(bytes, 0));
    names.map_while(Result::ok).find_map(|name| match name {
        Name::Module { name, .. } => text(name.as_bytes()),
        _ => None,
    })
}

fn component_name(bytes: &[u8]) -> Option<String> {
    let names = ComponentNameSectionReader::new(BinaryReader::new(bytes, 0));
    names.map_while(Result::ok).find_map(|name| match name {
        ComponentName::Component { name, .. } => text(name.as_bytes()),
        _ => None,
    })
}

/// Returns a text that is fit to be shown.
fn text(bytes: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(bytes).ok()?.trim();
    let is_clean = text.chars().all(|character| !character.is_control() || matches!(character, '\t' | '\r' | '\n'));
    (!text.is_empty() && is_clean).then(|| text.to_owned())
}
