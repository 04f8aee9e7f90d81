//! Finds the Wasm bytes below a manifest, whoever wrote it.
//!
//! Each dialect is one way to put Wasm into an OCI manifest. The first that knows a manifest as its own speaks for
//! it: it says where the bytes are, or why they cannot be had. What the bytes are, only the bytes tell.
//!
//! | dialect | known by | Wasm bytes |
//! |---|---|---|
//! | none | the types of signatures, attestations and bills of materials | none: [`Unreadable::NotWasm`] |
//! | `spin-app` | a locked app as a layer or config | layers, named by the locked app |
//! | `wasmcloud-provider` | the layer or config of a provider archive | none: all layers make an archive of native code |
//! | `cncf-wasm` | config `application/vnd.wasm.config.v0+json` | the only layer |
//! | `istio` | a runtime config as a layer or config, or annotations `module.wasm.runtime/…` | layer `application/vnd.module.wasm.content.layer.v1+wasm` |
//! | `wasmcloud-actor` | such a layer with the config of an actor archive | all such layers, one after the other |
//! | `module-layer` | such a layer with any other config, as for modules of Trivy | that layer |
//! | `higress` | layers `application/vnd.module.wasm.{spec,doc,icon}…`, or an unknown config with a `tar+gzip` last | in the last layer |
//! | `kubewarden-policy`, `wasm-to-oci` | layer `application/vnd.wasm.content.layer.v1+wasm`; a policy by annotations or bytes | that layer |
//! | `runwasi-image` | layer `application/vnd.bytecodealliance.wasm.component.layer.v0+wasm` | those layers |
//! | `typed-wasm` | an artifact type or a layer such as `application/vnd.wasm.component.v1+wasm` | the layer that is Wasm |
//! | `gadget` | types `application/vnd.gadget.…` | layer `application/vnd.gadget.wasm.program.v1+binary` |
//! | `helm-plugin` | artifact type `application/vnd.helm.plugin.v1+json` | in a tar |
//! | `plain-wasm` | a layer `application/wasm` with any other config, as `oras push` writes it | that layer |
//! | `container-image`, `istio-compat` | the config of an OCI or Docker image | a file in the merged layers |
//! | `untyped` | anything else that has layers | the layer, or the file in one, that is Wasm |

mod choice;
mod cncf;
mod companion;
mod container;
mod gadget;
mod helm;
mod higress;
mod istio;
mod module_layer;
mod plain;
mod runwasi;
mod select;
pub mod spin;
mod typed;
mod unreadable;
mod untyped;
mod wasm_to_oci;
mod wasmcloud;

use std::collections::BTreeSet;
use std::fmt;

use serde::Serialize;
use wharf_oci::{Descriptor, ImageManifest, MediaType};

use crate::search::Search;
use crate::{ImageConfig, Role};

pub use self::choice::{choose, several};
pub use self::select::{Platforms, select};
pub(crate) use self::unreadable::clean;
pub use self::unreadable::{Contents, Unreadable};

/// A way to put Wasm into an OCI manifest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Dialect {
    /// A Spin application: a locked app, and the components that it names.
    SpinApp,
    /// A wasmCloud provider archive, which holds native programs.
    WasmcloudProvider,
    /// The CNCF's "Wasm OCI Artifact layout".
    CncfWasm,
    /// Solo.io's "Wasm Image Specification", the variant `oci`: a runtime config and a filter.
    Istio,
    /// An actor as wasmCloud published it before 1.0.
    WasmcloudActor,
    /// A layer of Solo.io's type without a runtime config, as for modules of Trivy.
    ModuleLayer,
    /// A plugin of Higress: its papers, and the filter in a tar.
    Higress,
    /// A policy of Kubewarden.
    KubewardenPolicy,
    /// What `wasm-to-oci`, Krustlet and `cosign upload wasm` write.
    WasmToOci,
    /// An image for containerd's runwasi, with Wasm as layers.
    RunwasiImage,
    /// A layer or an artifact of one of the types that were proposed for Wasm over time.
    TypedWasm,
    /// A gadget of Inspektor Gadget.
    Gadget,
    /// A plugin of Helm 4.
    HelmPlugin,
    /// A layer of Wasm, with a config that says nothing of it.
    PlainWasm,
    /// Solo.io's "Wasm Image Specification", the variant `compat`: an image with `plugin.wasm` in its last layer.
    IstioCompat,
    /// A container image with Wasm in its file system.
    ContainerImage,
    /// Layers of which nothing is said.
    Untyped,
}

impl Dialect {
    /// Returns the dialect with what the bytes tell beyond the manifest: a policy of Kubewarden is packed as any
    /// module of `wasm-to-oci`, and may be known by its role only.
    #[must_use]
    pub fn with_role(self, role: Option<Role>) -> Self {
        match (self, role) {
            (Self::WasmToOci, Some(Role::KubewardenPolicy)) => Self::KubewardenPolicy,
            _ => self,
        }
    }
}

impl fmt::Display for Dialect {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::SpinApp => "spin-app",
            Self::WasmcloudProvider => "wasmcloud-provider",
            Self::CncfWasm => "cncf-wasm",
            Self::Istio => "istio",
            Self::WasmcloudActor => "wasmcloud-actor",
            Self::ModuleLayer => "module-layer",
            Self::Higress => "higress",
            Self::KubewardenPolicy => "kubewarden-policy",
            Self::WasmToOci => "wasm-to-oci",
            Self::RunwasiImage => "runwasi-image",
            Self::TypedWasm => "typed-wasm",
            Self::Gadget => "gadget",
            Self::HelmPlugin => "helm-plugin",
            Self::PlainWasm => "plain-wasm",
            Self::IstioCompat => "istio-compat",
            Self::ContainerImage => "container-image",
            Self::Untyped => "untyped",
        })
    }
}

/// How a manifest is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Located {
    /// The dialect of the manifest. A [`Search`] may tell it more exactly, see [`Found`](crate::search::Found), and so may
    /// the bytes, see [`Dialect::with_role`].
    pub dialect: Dialect,
    /// Where the bytes are: those of the Wasm, or of a provider archive where the dialect is
    /// [`Dialect::WasmcloudProvider`].
    pub place: Place,
    /// Where the manifest departs from its dialect, though it can be read.
    pub departures: Vec<Departure>,
    /// The layers that are not the Wasm, which a conversion would lose.
    pub others: Vec<Descriptor>,
    /// The locked app of Spin, which [`spin::components`] reads; it names the layers of a [`Place::Choice`].
    pub locked_app: Option<Descriptor>,
}

/// Where the bytes of an artifact are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// They are this layer.
    Layer(Descriptor),
    /// They are one of several layers, of which [`choose`] takes the one that somebody names.
    Choice(Vec<Descriptor>),
    /// They are these layers, one after the other.
    Chunks(Vec<Descriptor>),
    /// They are in a layer, which has to be looked into.
    Search(Search),
}

impl Place {
    /// Returns the layers of which one is the Wasm, as it is; none where it has to be put together or searched for.
    #[must_use]
    pub fn whole_layers(&self) -> &[Descriptor] {
        match self {
            Self::Layer(layer) => std::slice::from_ref(layer),
            Self::Choice(layers) => layers,
            Self::Chunks(_) | Self::Search(_) => &[],
        }
    }
}

/// How a manifest departs from its dialect.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Departure {
    /// The layer has another type than the dialect's.
    LayerType {
        /// The type it has.
        found: MediaType,
        /// The type it should have.
        expected: MediaType,
    },
}

impl fmt::Display for Departure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::LayerType { found, expected } => {
                write!(formatter, "the layer has type {}, where {expected} is expected", clean(found.as_str()))
            }
        }
    }
}

/// Tells the dialect of a manifest, and where in it the Wasm is.
///
/// `config` is what the config says where it is that of an image; see [`needs_config`].
///
/// # Errors
/// [`Unreadable::Unknown`] where no dialect knows it, [`Unreadable::NotWasm`] for a signature and its like, and what
/// a dialect has against a manifest of its own.
pub fn classify(manifest: &ImageManifest, config: Option<&ImageConfig>) -> Result<Located, Unreadable> {
    let unknown = || Err(Unreadable::Unknown { contents: Contents::of(manifest) });
    RULES.iter().find_map(|rule| (rule.locate)(manifest, config)).unwrap_or_else(unknown)
}

/// Whether [`classify`] should be given the config of this manifest, which is one of an image.
#[must_use]
pub fn needs_config(manifest: &ImageManifest) -> bool {
    let first = RULES.iter().find(|rule| (rule.locate)(manifest, None).is_some());
    first.is_some_and(|rule| rule.reads == Reads::Config)
}

/// How one dialect reads manifests.
struct Rule {
    /// What it takes, for those whose manifest is refused; empty where it takes nothing in particular.
    accepts: &'static str,
    /// How much it has to be given.
    reads: Reads,
    /// Tells where the Wasm is.
    locate: fn(&ImageManifest, Option<&ImageConfig>) -> Answer,
}

/// What a rule says of a manifest; nothing of one that is of another dialect.
type Answer = Option<Result<Located, Unreadable>>;

/// What a dialect reads before it tells where the Wasm is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reads {
    /// The manifest alone.
    Manifest,
    /// The config, too.
    Config,
}

/// All dialects, the more specific first: Spin, runwasi and ORAS may use the config of an image, wasmCloud's actors
/// and Solo.io's filters the same layer.
static RULES: &[Rule] = &[
    companion::RULE,
    spin::RULE,
    wasmcloud::RULE,
    cncf::RULE,
    istio::RULE,
    module_layer::RULE,
    higress::RULE,
    wasm_to_oci::RULE,
    runwasi::RULE,
    typed::RULE,
    gadget::RULE,
    helm::RULE,
    plain::RULE,
    container::RULE,
    untyped::RULE,
];

fn accepted() -> String {
    let texts = RULES.iter().map(|rule| rule.accepts).filter(|accepts| !accepts.is_empty());
    texts.collect::<Vec<_>>().join("; ")
}

impl Located {
    fn new(dialect: Dialect, place: Place) -> Self {
        Self { dialect, place, departures: Vec::new(), others: Vec::new(), locked_app: None }
    }

    /// Takes the layers that `is_wasm` tells: the one, or a choice of several.
    fn in_layers(
        dialect: Dialect,
        manifest: &ImageManifest,
        is_wasm: impl Fn(&MediaType) -> bool,
    ) -> Result<Self, Unreadable> {
        Self::in_some(dialect, manifest, is_wasm, |mut layers| {
            // The same bytes twice are no choice.
            let mut seen = BTreeSet::new();
            layers.retain(|layer| seen.insert(layer.digest.clone()));
            match layers.as_slice() {
                [layer] => Place::Layer(layer.clone()),
                _ => Place::Choice(layers),
            }
        })
    }

    /// Takes the layers that `is_chunk` tells as parts of one thing.
    fn in_chunks(
        dialect: Dialect,
        manifest: &ImageManifest,
        is_chunk: impl Fn(&MediaType) -> bool,
    ) -> Result<Self, Unreadable> {
        Self::in_some(dialect, manifest, is_chunk, |layers| match layers.as_slice() {
            [layer] => Place::Layer(layer.clone()),
            _ => Place::Chunks(layers),
        })
    }

    /// Takes the layers that `is_it` tells, of which there has to be one.
    fn in_some(
        dialect: Dialect,
        manifest: &ImageManifest,
        is_it: impl Fn(&MediaType) -> bool,
        place: impl FnOnce(Vec<Descriptor>) -> Place,
    ) -> Result<Self, Unreadable> {
        let layers = manifest.layers.iter().cloned();
        let (found, others): (Vec<_>, Vec<_>) = layers.partition(|layer| is_it(&layer.media_type));
        if found.is_empty() {
            return Err(Unreadable::NoWasm { dialect, contents: Contents::of(manifest) });
        }
        Ok(Self { others, ..Self::new(dialect, place(found)) })
    }
}

/// Whether any layer of a manifest is of a type that `is` tells.
fn any_layer(manifest: &ImageManifest, is: impl Fn(&MediaType) -> bool) -> bool {
    manifest.layers.iter().any(|layer| is(&layer.media_type))
}

#[cfg(test)]
mod tests;
