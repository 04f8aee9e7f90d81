//! Which hosts take an artifact as it is, and as what the others would.
//!
//! | host | takes |
//! |---|---|
//! | wasmtime, wkg | `cncf-wasm` with a `mediaType` and a layer `application/wasm` |
//! | containerd-runwasi | `cncf-wasm` (under Kubernetes), `runwasi-image`, images that run a Wasm file |
//! | Docker | images that run a Wasm file |
//! | wasmCloud | components in a single layer `application/wasm` or `application/vnd.module.wasm.content.layer.v1+wasm`, provider archives |
//! | Istio, Envoy Gateway | filters in `istio` with exactly two layers, in `istio-compat` with gzip |
//! | Spin | `spin-app`; as a package, a single layer of a type of Wasm |
//!
//! It goes by what the released sources of these hosts do, not by what their papers say.

use std::fmt;

use serde::Serialize;
use wharf_oci::{Descriptor, ImageManifest, MediaType};

use crate::dialect::Dialect;
use crate::istio::{FILTER_LAYER, PLUGIN_FILE};
use crate::runwasi::WASM_LAYER;
use crate::search::{Clue, Found, What};
use crate::{Kind, Role};

/// A type of layer that Spin has for its components.
const WASM_CONTENT_LAYER: &str = "application/vnd.wasm.content.layer.v1+wasm";

/// A host, or a family of them, that pulls Wasm from registries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Host {
    /// Wasmtime, with `wkg` to pull for it.
    Wasmtime,
    /// The shims of containerd's runwasi.
    Runwasi,
    /// Docker, with one of these shims.
    Docker,
    /// wasmCloud.
    Wasmcloud,
    /// Istio's proxies.
    Istio,
    /// Envoy Gateway.
    EnvoyGateway,
    /// Spin.
    Spin,
}

impl Host {
    /// All hosts.
    pub const ALL: [Self; 7] =
        [Self::Wasmtime, Self::Runwasi, Self::Docker, Self::Wasmcloud, Self::Istio, Self::EnvoyGateway, Self::Spin];

    /// Returns the dialect that Wharf writes for it.
    #[must_use]
    pub fn dialect(self) -> Dialect {
        match self {
            Self::Wasmtime | Self::Wasmcloud | Self::Spin => Dialect::CncfWasm,
            Self::Runwasi => Dialect::RunwasiImage,
            Self::Docker => Dialect::ContainerImage,
            Self::Istio | Self::EnvoyGateway => Dialect::Istio,
        }
    }
}

impl fmt::Display for Host {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Wasmtime => "wasmtime/wkg",
            Self::Runwasi => "containerd-runwasi",
            Self::Docker => "Docker",
            Self::Wasmcloud => "wasmCloud",
            Self::Istio => "Istio",
            Self::EnvoyGateway => "Envoy Gateway",
            Self::Spin => "Spin",
        })
    }
}

/// An artifact, as far as hosts look at it.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    /// Its manifest.
    pub manifest: &'a ImageManifest,
    /// The type of the manifest, as it is served.
    pub media_type: &'a MediaType,
    /// Its dialect, as bytes and searches tell it.
    pub dialect: Dialect,
    /// Where in a layer the Wasm was found, where it had to be searched for.
    pub found: Option<&'a Found>,
    /// The kind of the Wasm; nothing for a provider archive, or where it is not known.
    pub kind: Option<Kind>,
    /// The role of the Wasm.
    pub role: Option<Role>,
}

/// Whether a host takes an artifact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Verdict {
    /// The host.
    pub host: Host,
    /// Whether it takes the artifact as it is.
    pub accepts: bool,
    /// Why, in a few words.
    pub reason: &'static str,
    /// What to convert the artifact to, where the host would take the Wasm in it then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub convert_to: Option<Dialect>,
}

/// Tells for each host whether it takes an artifact.
#[must_use]
pub fn verdicts(subject: &Subject<'_>) -> Vec<Verdict> {
    Host::ALL.into_iter().map(|host| verdict(host, subject)).collect()
}

fn verdict(host: Host, subject: &Subject<'_>) -> Verdict {
    let (accepts, reason, convert_to) = match (suits(host, subject), reads(host, subject)) {
        (Err(reason), _) => (false, reason, None),
        (Ok(()), Ok(reason)) => (true, reason, None),
        (Ok(()), Err(reason)) => (false, reason, subject.kind.map(|_| host.dialect())),
    };
    Verdict { host, accepts, reason, convert_to }
}

/// Whether a host has a use for what is in the artifact, however it is packed; if not, why.
fn suits(host: Host, subject: &Subject<'_>) -> Result<(), &'static str> {
    let (kind, role) = (subject.kind, subject.role);
    match host {
        Host::Wasmcloud if is_provider(subject) => Ok(()),
        _ if is_provider(subject) => Err("a provider archive holds native programs"),
        Host::Wasmtime => Ok(()),
        Host::Istio | Host::EnvoyGateway if role == Some(Role::ProxyWasmFilter) => Ok(()),
        Host::Istio | Host::EnvoyGateway => Err("it is no proxy-wasm filter"),
        _ if kind == Some(Kind::WitPackage) => Err("a WIT package has nothing to run"),
        _ if role == Some(Role::ProxyWasmFilter) => Err("a proxy-wasm filter runs in Envoy only"),
        _ if role == Some(Role::KubewardenPolicy) => Err("a policy runs in Kubewarden only"),
        _ if role == Some(Role::WapcGuest) => Err("a waPC guest needs a host of that protocol"),
        Host::Wasmcloud if kind == Some(Kind::Module) => Err("it runs components only"),
        Host::Wasmcloud | Host::Runwasi | Host::Docker | Host::Spin => Ok(()),
    }
}

fn is_provider(subject: &Subject<'_>) -> bool {
    subject.dialect == Dialect::WasmcloudProvider
}

/// Whether a host reads the artifact as it is packed, and why.
fn reads(host: Host, subject: &Subject<'_>) -> Result<&'static str, &'static str> {
    match host {
        Host::Wasmtime => wkg_reads(subject),
        Host::Runwasi => runwasi_reads(subject),
        // It unpacks layers, so that it wants them as tars.
        Host::Docker if is_entrypoint(subject) => Ok("as a file that the image runs"),
        Host::Docker => Err("it wants an image that runs a file of Wasm"),
        Host::Wasmcloud => wasmcloud_reads(subject),
        // Envoy Gateway took Istio's code over.
        Host::Istio | Host::EnvoyGateway => istio_reads(subject),
        Host::Spin => spin_reads(subject),
    }
}

fn wkg_reads(subject: &Subject<'_>) -> Result<&'static str, &'static str> {
    if subject.dialect != Dialect::CncfWasm {
        Err("wkg pulls the CNCF layout only")
    } else if subject.manifest.media_type.is_none() {
        Err("wkg wants a mediaType in the manifest")
    } else if only_layer(subject, &[MediaType::WASM.as_str()]).is_none() {
        Err("wkg wants one layer of type application/wasm")
    } else if subject.role == Some(Role::ProxyWasmFilter) {
        Ok("wkg pulls it; wasmtime does not run filters")
    } else {
        Ok("wkg pulls the CNCF layout")
    }
}

fn runwasi_reads(subject: &Subject<'_>) -> Result<&'static str, &'static str> {
    let has_image_config = subject.manifest.config.media_type == MediaType::OCI_CONFIG;
    // Layers of other types are passed over.
    let is_wasm = |layer: &&Descriptor| layer.media_type == MediaType::WASM || layer.media_type.as_str() == WASM_LAYER;
    let has_wasm = subject.manifest.layers.iter().filter(is_wasm).count() == 1;
    match subject.dialect {
        Dialect::CncfWasm if has_wasm => Ok("under Kubernetes, with a command; ctr does not run it"),
        Dialect::RunwasiImage if has_wasm => Ok("its own layer type"),
        Dialect::RunwasiImage => Err("it runs images with a single layer of Wasm only"),
        Dialect::PlainWasm if has_wasm && has_image_config => Ok("a layer application/wasm in an image"),
        Dialect::PlainWasm => Err("it wants a config that gives the architecture"),
        Dialect::SpinApp => Err("the shim of Spin runs it, runwasi does not"),
        _ if is_entrypoint(subject) => Ok("as a file that the image runs"),
        Dialect::ContainerImage | Dialect::IstioCompat => Err("the image does not run the Wasm in it"),
        _ => Err("no layer is of a type that it knows"),
    }
}

fn wasmcloud_reads(subject: &Subject<'_>) -> Result<&'static str, &'static str> {
    let is_bare = |found: &&Found| found.path.is_none() && found.layer.media_type == MediaType::OCI_LAYER;
    if subject.dialect == Dialect::WasmcloudProvider {
        return match subject.found {
            Some(found) if found.layer.media_type != MediaType::OCI_LAYER => Err("it wants a layer of its own type"),
            _ => Ok("wasmCloud 1 runs providers, wasmCloud 2 has none"),
        };
    }
    if only_layer(subject, &[MediaType::WASM.as_str(), FILTER_LAYER]).is_some() {
        Ok("a single layer of a type that it knows")
    } else if subject.manifest.layers.len() == 1 && subject.found.filter(is_bare).is_some() {
        Ok("wasmCloud 1 takes a layer of type tar that is Wasm")
    } else {
        Err("it wants one layer application/wasm")
    }
}

/// Follows the three steps of Istio's `imagefetcher.go`.
fn istio_reads(subject: &Subject<'_>) -> Result<&'static str, &'static str> {
    let layers = &subject.manifest.layers;
    let last = layers.last().map(|layer| &layer.media_type);
    if *subject.media_type == MediaType::DOCKER_MANIFEST {
        return match last == Some(&MediaType::DOCKER_LAYER_GZIP) && has_plugin(subject) {
            true => Ok("plugin.wasm in the last layer of a Docker image"),
            false => Err("of a Docker image, it wants plugin.wasm in a last layer of type tar.gzip"),
        };
    }
    let has_filter = layers.iter().any(|layer| layer.media_type.as_str() == FILTER_LAYER);
    if last == Some(&MediaType::OCI_LAYER_GZIP) && has_plugin(subject) {
        Ok("plugin.wasm in the last layer of an image")
    } else if has_filter && layers.len() == 2 {
        Ok("two layers, one of them a filter")
    } else if has_filter {
        Err("beside the filter it wants exactly one layer, the runtime config")
    } else {
        Err("it wants a filter and its runtime config, or plugin.wasm in a last layer of type tar+gzip")
    }
}

fn spin_reads(subject: &Subject<'_>) -> Result<&'static str, &'static str> {
    match subject.dialect {
        Dialect::SpinApp => Ok("an application of Spin"),
        _ if only_layer(subject, &[MediaType::WASM.as_str(), WASM_CONTENT_LAYER]).is_some() => {
            Ok("as a package that an application names")
        }
        _ => Err("it wants an application, or one layer of a type of Wasm"),
    }
}

/// Returns the layer, where there is but one, and its type is one of `types`.
fn only_layer<'a>(subject: &Subject<'a>, types: &[&str]) -> Option<&'a Descriptor> {
    match subject.manifest.layers.as_slice() {
        [layer] if types.contains(&layer.media_type.as_str()) => Some(layer),
        _ => None,
    }
}

/// Whether the Wasm is a file that the image runs.
fn is_entrypoint(subject: &Subject<'_>) -> bool {
    subject.found.is_some_and(|found| found.clue == Clue::Entrypoint && found.what == What::Wasm)
}

/// Whether the Wasm is the `plugin.wasm` of the last layer.
fn has_plugin(subject: &Subject<'_>) -> bool {
    let is_last = |found: &Found| subject.manifest.layers.last() == Some(&found.layer);
    let is_named = |path: &str| path.rsplit('/').next() == Some(PLUGIN_FILE);
    subject.found.is_some_and(|found| is_last(found) && found.path.as_deref().is_some_and(is_named))
}
