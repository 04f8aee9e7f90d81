//! What Wasm is packed as: one form for each family of hosts.

use std::fmt;

use serde::Serialize;
use wharf_artifact::dialect::Dialect;

/// A form that Wharf packs Wasm in.
///
/// | form | what it is | who reads it |
/// |---|---|---|
/// | `artifact` | the CNCF's Wasm OCI artifact | wkg, wasmCloud, Spin, containerd's runwasi under Kubernetes |
/// | `image` | an OCI image whose layer is the Wasm itself | containerd's runwasi |
/// | `docker` | an OCI image with the Wasm in a tar layer | Docker, podman, crun |
/// | `istio` | runtime configuration and filter, as `wasme` writes them | Istio, Envoy Gateway |
/// | `istio-compat` | an OCI image with `plugin.wasm` in a tar.gz layer | Istio, Envoy Gateway, container tools |
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Form {
    /// The CNCF's "Wasm OCI Artifact layout".
    Artifact,
    /// The image of `oci-tar-builder`, with the Wasm as a layer of its own type.
    Image,
    /// The image of container tools, with the Wasm in a tar layer.
    Docker,
    /// The "oci" variant of the Wasm image specification of Solo.io.
    Istio,
    /// Its "compat" variant.
    IstioCompat,
}

impl Form {
    /// All forms.
    pub const ALL: [Self; 5] = [Self::Artifact, Self::Image, Self::Docker, Self::Istio, Self::IstioCompat];

    /// Returns the form in which Wharf writes a dialect; nothing for one that it only reads.
    #[must_use]
    pub fn of(dialect: Dialect) -> Option<Self> {
        Self::ALL.into_iter().find(|form| form.dialect() == dialect)
    }

    /// Returns the dialect that it is read as.
    #[must_use]
    pub fn dialect(self) -> Dialect {
        match self {
            Self::Artifact => Dialect::CncfWasm,
            Self::Image => Dialect::RunwasiImage,
            Self::Docker => Dialect::ContainerImage,
            Self::Istio => Dialect::Istio,
            Self::IstioCompat => Dialect::IstioCompat,
        }
    }

    /// Returns the name, as `--as` takes it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Artifact => "artifact",
            Self::Image => "image",
            Self::Docker => "docker",
            Self::Istio => "istio",
            Self::IstioCompat => "istio-compat",
        }
    }
}

impl fmt::Display for Form {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}
