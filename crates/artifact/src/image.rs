//! What all container images around Wasm share: options, the entrypoint, and how manifest and config are written.

use bytes::Bytes;
use wharf_oci::{Annotations, Descriptor, Digest, ImageManifest, MediaType};

use crate::built::{checked_file_name, config_bytes, created_text};
use crate::cncf::{ARCHITECTURE, annotations_of};
use crate::{Built, ExecutionConfig, ImageConfig, InvalidBuild, Kind, Layer, RootFs, Wasm};

/// The annotation by which crun knows that an image holds Wasm, and Istio's tools that it holds a filter.
pub(crate) const VARIANT: &str = "module.wasm.image/variant";

/// What the builders of container images cannot take from the Wasm.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ImageOptions {
    /// When the image counts as made, in seconds since the start of 1970.
    pub created: i64,
    /// The author, for the config.
    pub author: Option<String>,
    /// The annotations of the manifest; they win over those from the metadata of the binary, and over those that the
    /// form of the image asks for. Docker's manifest has none, so there they become labels of the config, where its
    /// tools look for them.
    pub annotations: Annotations,
    /// The types that manifest, config and layers have.
    pub format: ManifestFormat,
}

/// In whose types an image is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum ManifestFormat {
    /// OCI's (image-spec, manifest.md).
    #[default]
    Oci,
    /// Docker's "image manifest version 2, schema 2", for tools that read nothing else.
    Docker,
}

impl ManifestFormat {
    /// Returns the type of a layer that is a tar without compression.
    #[must_use]
    pub fn tar_layer(self) -> MediaType {
        match self {
            Self::Oci => MediaType::OCI_LAYER,
            Self::Docker => MediaType::DOCKER_LAYER,
        }
    }

    /// Returns the type of a layer that is a tar with gzip around it.
    #[must_use]
    pub fn tar_gzip_layer(self) -> MediaType {
        match self {
            Self::Oci => MediaType::OCI_LAYER_GZIP,
            Self::Docker => MediaType::DOCKER_LAYER_GZIP,
        }
    }

    fn manifest(self) -> MediaType {
        match self {
            Self::Oci => MediaType::OCI_MANIFEST,
            Self::Docker => MediaType::DOCKER_MANIFEST,
        }
    }

    fn config(self) -> MediaType {
        match self {
            Self::Oci => MediaType::OCI_CONFIG,
            Self::Docker => MediaType::DOCKER_CONFIG,
        }
    }
}

/// A binary that can be run, with the name that an image runs it by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entrypoint {
    file_name: String,
    kind: Kind,
    /// What the binary says of itself.
    annotations: Annotations,
}

impl Entrypoint {
    /// Gives a binary its name in an image, such as `app.wasm`.
    ///
    /// Hosts take a program for Wasm by the end of its name, take what follows a `#` for the name of a function, and
    /// take a file that starts with `.wh.` for the mark of a deletion.
    ///
    /// # Errors
    /// [`InvalidBuild::NothingToRun`] for a WIT package, [`InvalidBuild::FileName`] and [`InvalidBuild::Entrypoint`].
    pub fn new(wasm: &Wasm, file_name: &str) -> Result<Self, InvalidBuild> {
        let kind = wasm.kind;
        if kind == Kind::WitPackage {
            return Err(InvalidBuild::NothingToRun { kind });
        }
        let name = checked_file_name(file_name)?;
        let is_runnable = name.strip_suffix(".wasm").is_some_and(|stem| !stem.is_empty() && !stem.contains('#'));
        match is_runnable && !name.starts_with(".wh.") {
            true => Ok(Self { file_name: name.to_owned(), kind, annotations: annotations_of(&wasm.metadata) }),
            false => Err(InvalidBuild::Entrypoint { name: name.to_owned() }),
        }
    }

    /// Returns the name.
    #[must_use]
    pub fn file_name(&self) -> &str {
        &self.file_name
    }

    /// Returns what the binary is: a component or a core module.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Returns what the binary says of itself.
    pub(crate) fn annotations(&self) -> Annotations {
        self.annotations.clone()
    }
}

/// A file of the tar that is a layer; the caller writes it with [`wharf_tar::Writer`], in the order given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LayerFile {
    /// The path in the tar.
    pub path: String,
    /// The permissions, such as `0o644`.
    pub mode: u32,
    /// What is in it.
    pub content: Content,
}

/// What is in a file of a layer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// The Wasm binary, which the caller has.
    Wasm,
    /// These bytes.
    Bytes(Bytes),
}

/// What the forms of images differ in.
pub(crate) struct Image<'a> {
    pub(crate) os: &'static str,
    /// What is run, as the host of this form looks for it.
    pub(crate) program: String,
    /// What the binary says of itself.
    pub(crate) annotations: Annotations,
    /// What hosts of this form look for in the annotations; nobody looks for it in Docker's labels.
    pub(crate) marks: Annotations,
    pub(crate) labels: Annotations,
    pub(crate) layers: &'a [Layer],
    pub(crate) diff_ids: Vec<Digest>,
}

impl Image<'_> {
    /// Writes config and manifest.
    pub(crate) fn build(self, options: &ImageOptions) -> Result<Built, InvalidBuild> {
        let layers = self.layers.iter().map(|layer| layer.descriptor.clone()).collect();
        let annotations = merged([&self.annotations, &self.marks, &options.annotations]);
        let config = self.config(options)?;
        let config_descriptor = Descriptor::of(options.format.config(), &config);
        let mut manifest = ImageManifest::new(config_descriptor.clone(), layers);
        manifest.media_type = Some(options.format.manifest());
        if options.format == ManifestFormat::Oci {
            manifest.annotations = annotations;
        }
        Built::new(&manifest, vec![(config_descriptor, config)])
    }

    fn config(self, options: &ImageOptions) -> Result<Bytes, InvalidBuild> {
        let labels = match options.format {
            ManifestFormat::Oci => self.labels,
            ManifestFormat::Docker => merged([&self.annotations, &options.annotations, &self.labels]),
        };
        let config = ExecutionConfig { entrypoint: vec![self.program], labels, ..ExecutionConfig::default() };
        config_bytes(&ImageConfig {
            created: Some(created_text(options.created)?),
            author: options.author.clone(),
            architecture: ARCHITECTURE.to_owned(),
            os: self.os.to_owned(),
            config,
            rootfs: RootFs { diff_ids: self.diff_ids, ..RootFs::default() },
        })
    }
}

/// Returns all annotations; the later ones win.
fn merged(parts: [&Annotations; 3]) -> Annotations {
    parts.into_iter().flatten().map(|(key, value)| (key.clone(), value.clone())).collect()
}

/// Returns an error for a layer of another type than hosts expect.
pub(crate) fn check_layer_type(layer: &Layer, expected: MediaType) -> Result<(), InvalidBuild> {
    match &layer.descriptor.media_type {
        found if *found == expected => Ok(()),
        found => Err(InvalidBuild::LayerType { found: found.clone(), expected }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::{component, filter, wit_package};

    #[test]
    fn an_entrypoint_is_a_plain_name_that_hosts_take_for_wasm() {
        let table = [
            ("app.wasm", true),
            ("my app-1.0.wasm", true),
            ("app", false),
            (".wasm", false),
            ("app.wasm#run", false),
            ("a#b.wasm", false),
            (".wh.app.wasm", false),
            ("app.wat", false),
            ("", false),
            ("../app.wasm", false),
            ("bin/app.wasm", false),
            ("a\u{1b}[2J.wasm", false),
        ];
        for (name, is_valid) in table {
            assert_eq!(Entrypoint::new(&component(), name).is_ok(), is_valid, "{name:?}");
            assert_eq!(Entrypoint::new(&filter(), name).is_ok(), is_valid, "{name:?}");
        }
    }

    #[test]
    fn a_wit_package_is_nothing_to_run() {
        let error = Entrypoint::new(&wit_package(), "app.wasm").unwrap_err();
        assert!(matches!(error, InvalidBuild::NothingToRun { kind: Kind::WitPackage }));
        assert_eq!(
            error.to_string(),
            "a WIT package cannot be run, so it makes no container image; a component or a core module does"
        );
    }
}
