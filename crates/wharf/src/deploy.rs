//! `deploy`: writes what a host needs to run Wasm: manifests that pin an artifact, or a configuration that names a file.
//!
//! ```text
//!   reference ──inspect──> digest, exports, hosts ──acceptance──> Workload ──> the template of the target ──> text
//!   file      ──examine──> filter ──────────────────────────────────────────> envoy::bootstrap ────────────> text
//! ```

mod acceptance;
mod containerd;
mod docker_compose;
mod envoy;
mod envoy_gateway;
mod filter;
mod istio;
mod kubernetes;
mod label;
mod settings;
mod spin;
mod upstream;
mod wasmcloud;
mod wasmcloud_v2;
mod workload;
mod yaml;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Serialize;
use serde_json::Value;
use wharf_artifact::Abi;
use wharf_client::Client;
use wharf_oci::{Digest, Progress, Reference};

pub use self::label::{DnsLabel, InvalidDnsLabel};
pub use self::settings::DeploySettings;
pub use self::upstream::{InvalidUpstream, Upstream};

use self::acceptance::Refusal;
use self::workload::{Workload, pinned, serves_http};
use crate::blocking::blocking;
use crate::inspect::inspect_image;
use crate::locate::Choice;
use crate::place::Place;
use crate::wasm_file::examine;
use crate::{Cause, DeployFault, Error, InspectOptions, Inspection, Location, Surroundings, Target, Wit};

/// What to run, where, and how.
#[derive(Debug, Clone)]
pub struct DeployOptions {
    /// What to run: for Envoy a file, for all others an artifact in a registry.
    pub input: Target,
    /// What runs it.
    pub target: DeployTarget,
    /// What else to say of it.
    pub settings: DeploySettings,
    /// Where temporary files go, and what time it is.
    pub surroundings: Surroundings,
}

/// The hosts that `deploy` writes for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum DeployTarget {
    /// Kubernetes, with runwasi on its nodes.
    Kubernetes,
    /// containerd, with runwasi.
    Containerd,
    /// wasmCloud 1.
    Wasmcloud,
    /// wasmCloud 2, in Kubernetes.
    WasmcloudV2,
    /// SpinKube.
    Spin,
    /// Istio, with a proxy-wasm filter.
    Istio,
    /// Envoy Gateway, with a proxy-wasm filter.
    EnvoyGateway,
    /// Envoy, with a proxy-wasm filter in a file.
    Envoy,
    /// Docker Compose, with runwasi.
    DockerCompose,
}

impl DeployTarget {
    /// All targets.
    pub const ALL: [Self; 9] = [
        Self::Kubernetes,
        Self::Containerd,
        Self::Wasmcloud,
        Self::WasmcloudV2,
        Self::Spin,
        Self::Istio,
        Self::EnvoyGateway,
        Self::Envoy,
        Self::DockerCompose,
    ];

    /// Returns the name, as `--to` takes it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Kubernetes => "kubernetes",
            Self::Containerd => "containerd",
            Self::Wasmcloud => "wasmcloud",
            Self::WasmcloudV2 => "wasmcloud-v2",
            Self::Spin => "spin",
            Self::Istio => "istio",
            Self::EnvoyGateway => "envoy-gateway",
            Self::Envoy => "envoy",
            Self::DockerCompose => "docker-compose",
        }
    }
}

impl fmt::Display for DeployTarget {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Kubernetes => "Kubernetes",
            Self::Containerd => "containerd",
            Self::Wasmcloud => "wasmCloud",
            Self::WasmcloudV2 => "wasmCloud 2",
            Self::Spin => "SpinKube",
            Self::Istio => "Istio",
            Self::EnvoyGateway => "Envoy Gateway",
            Self::Envoy => "Envoy",
            Self::DockerCompose => "Docker Compose",
        })
    }
}

/// What a host needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DeployOutcome {
    /// What it is for.
    pub target: DeployTarget,
    /// The text: YAML, or for containerd the commands of a shell.
    pub configuration: String,
    /// The artifact that it names, pinned; absent for a file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// The Wasm binary that it names, as an absolute path; absent for an artifact.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<PathBuf>,
    /// The digest of the Wasm binary, or of the provider archive. A host that reads a file does not check it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wasm_digest: Option<Digest>,
    /// The versions of the proxy-wasm ABI that a filter exports, from the first on.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub abi_versions: Vec<Abi>,
}

/// Writes what a host needs to run Wasm.
///
/// Nothing is started and nothing is sent. An artifact is named by its digest, which its tag is asked for once; a file by
/// its path: it has to stay where it is, as it is.
///
/// # Errors
/// [`Error::Deploy`].
pub async fn deploy(
    client: &Client,
    options: &DeployOptions,
    progress: &Arc<dyn Progress>,
) -> Result<DeployOutcome, Error> {
    let DeployOptions { target, settings, .. } = options;
    let failed = |source| Error::Deploy { input: options.input.to_string(), target: *target, source };
    let fault = |fault| failed(Cause::DeployFault(Box::new(fault)));
    if let Some(what) = settings.misplaced(*target) {
        return Err(fault(DeployFault::Misplaced { target: *target, what }));
    }
    match (template(*target), &options.input) {
        (None, Target::File(path)) => run_file(path, settings).await.map_err(failed),
        (None, Target::Artifact(_)) => Err(fault(DeployFault::NoFile { target: *target })),
        (Some(_), Target::File(path)) => Err(fault(DeployFault::File { target: *target, path: path.clone() })),
        (Some(_), Target::Artifact(Location::Local(location))) => {
            Err(fault(DeployFault::Local { target: *target, location: location.clone() }))
        }
        (Some(template), Target::Artifact(Location::Registry(reference))) => {
            let workload = prepare(client, reference, options, progress).await?;
            Ok(DeployOutcome {
                target: *target,
                configuration: template(&workload),
                reference: Some(workload.image_without_tag()),
                file: None,
                wasm_digest: workload.inspection.wasm_digest.clone(),
                abi_versions: workload.inspection.abi_versions.clone(),
            })
        }
    }
}

/// Writes the configuration with which Envoy runs a filter of this machine.
async fn run_file(path: &Path, settings: &DeploySettings) -> Result<DeployOutcome, Cause> {
    let examined = path.to_owned();
    let wasm = blocking(move || examine(&examined)).await?;
    let abi_versions = wasm.proxy_wasm_abis();
    if abi_versions.is_empty() {
        return Err(Cause::NoFilter { kind: wasm.kind, role: wasm.role() });
    }
    let file = std::path::absolute(path).map_err(Cause::file("find", path))?;
    let code = file.to_str().ok_or_else(|| Cause::PathNotUtf8 { path: file.clone() })?;
    Ok(DeployOutcome {
        target: DeployTarget::Envoy,
        configuration: envoy::bootstrap(settings, code, &wasm.digest),
        reference: None,
        file: Some(file),
        wasm_digest: Some(wasm.digest),
        abi_versions,
    })
}

/// Looks at an artifact, and at what else its host is to run.
async fn prepare<'a>(
    client: &Client,
    reference: &'a Reference,
    options: &'a DeployOptions,
    progress: &Arc<dyn Progress>,
) -> Result<Workload<'a>, Error> {
    let DeployOptions { target, settings, .. } = options;
    let failed = |input: &Reference, source| Error::Deploy { input: input.to_string(), target: *target, source };
    let location = Location::Registry(reference.clone());
    let inspected = InspectOptions {
        target: Target::Artifact(location.clone()),
        wit: Wit::Omit,
        choice: Choice::default(),
        surroundings: options.surroundings.clone(),
    };
    let inspected = inspect_image(client, &location, &inspected, progress).await;
    let (inspection, config) = inspected.map_err(|source| failed(reference, source))?;
    let configuration = check(reference, &inspection, options)
        .map_err(|fault| failed(reference, Cause::DeployFault(Box::new(fault))))?;
    let mut http_server = None;
    if *target == DeployTarget::Wasmcloud && serves_http(&inspection) {
        let server = settings.http_server.clone().unwrap_or_else(wasmcloud::http_server);
        http_server = Some(resolve(client, &server).await.map_err(|source| failed(&server, source))?);
    }
    let name = settings.name.clone().unwrap_or_else(|| DnsLabel::of_repository(reference.repository()));
    Ok(Workload { reference, inspection, config, settings, name, http_server, configuration })
}

/// Fails where a host does not run an artifact as it was asked for. Returns the configuration of a filter.
fn check(
    reference: &Reference,
    inspection: &Inspection,
    options: &DeployOptions,
) -> Result<Option<Value>, DeployFault> {
    let DeployOptions { target, settings, .. } = options;
    let target = *target;
    if let Err(Refusal { reason, convert_to }) = acceptance::check(target, inspection) {
        return Err(DeployFault::Refused { target, reference: reference.clone(), reason, convert_to });
    }
    if let Some(what) = settings.about_http().filter(|_| !serves_http(inspection)) {
        return Err(DeployFault::NoHttp { what });
    }
    // Istio lets all proxies of a namespace run what names none of them.
    if target == DeployTarget::EnvoyGateway && settings.gateway.is_none() && settings.selector.is_empty() {
        return Err(DeployFault::NoGateway { target });
    }
    let Some(text) = &settings.configuration else { return Ok(None) };
    let value: Value = serde_json::from_str(text).map_err(|source| DeployFault::NoJson { target, source })?;
    match target {
        DeployTarget::Istio if !value.is_object() => Err(DeployFault::NoObject { target }),
        _ => Ok(Some(value)),
    }
}

/// Pins what a reference names.
async fn resolve(client: &Client, reference: &Reference) -> Result<String, Cause> {
    let manifest = Place::in_registry(client, reference).manifest().await?;
    Ok(pinned(reference, manifest.digest(), false))
}

/// Writes the manifests of one host.
type Template = fn(&Workload<'_>) -> String;

/// Returns what writes the manifests of a host that runs artifacts.
fn template(target: DeployTarget) -> Option<Template> {
    match target {
        DeployTarget::Kubernetes => Some(kubernetes::manifests),
        DeployTarget::Containerd => Some(containerd::commands),
        DeployTarget::Wasmcloud => Some(wasmcloud::application),
        DeployTarget::WasmcloudV2 => Some(wasmcloud_v2::workload_deployment),
        DeployTarget::Spin => Some(spin::spin_app),
        DeployTarget::Istio => Some(istio::wasm_plugin),
        DeployTarget::EnvoyGateway => Some(envoy_gateway::extension_policy),
        DeployTarget::DockerCompose => Some(docker_compose::file),
        DeployTarget::Envoy => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A system whose names are Unicode has no such file.
    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn a_path_that_is_no_text_is_refused() {
        use std::os::unix::ffi::OsStrExt as _;
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join(std::ffi::OsStr::from_bytes(b"\xff.wasm"));
        std::fs::write(&file, wharf_testing::fixtures::filter()).unwrap();
        let refused = run_file(&file, &DeploySettings::default()).await;
        assert!(matches!(refused, Err(Cause::PathNotUtf8 { .. })), "{refused:?}");
    }

    #[test]
    fn each_target_has_a_name_of_its_own() {
        let names: std::collections::BTreeSet<_> = DeployTarget::ALL.iter().map(|target| target.name()).collect();
        assert_eq!(names.len(), DeployTarget::ALL.len());
        for target in DeployTarget::ALL {
            assert_eq!(serde_json::to_value(target).unwrap(), target.name());
        }
    }
}
