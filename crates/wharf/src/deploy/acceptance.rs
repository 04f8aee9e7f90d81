//! Whether a host runs an artifact as it is.
//!
//! What it reads, [`hosts`](wharf_artifact::hosts) says, for all ways of running something there. A manifest is one of
//! them, which may want more.

use wharf_artifact::dialect::Dialect;
use wharf_artifact::hosts::Host;
use wharf_artifact::{Kind, Role};
use wharf_oci::MediaType;

use super::DeployTarget;
use super::workload::{Http, http, is, is_command};
use crate::{Form, Inspection, Thing};

/// Why a host does not run an artifact.
pub(super) struct Refusal {
    pub(super) reason: &'static str,
    /// In which form it would.
    pub(super) convert_to: Option<Form>,
}

/// Fails where the host does not run the artifact as it is.
pub(super) fn check(target: DeployTarget, inspection: &Inspection) -> Result<(), Refusal> {
    let host = host(target);
    if let Some(verdict) = inspection.hosts.iter().find(|verdict| Some(verdict.host) == host && !verdict.accepts) {
        let convert_to = verdict.convert_to.filter(|_| target != DeployTarget::Spin);
        let refusal = Refusal { reason: verdict.reason, convert_to };
        return Err(if target == DeployTarget::Spin && verdict.convert_to.is_some() {
            no_application()
        } else {
            refusal
        });
    }
    match target {
        DeployTarget::Kubernetes | DeployTarget::DockerCompose => check_program(inspection),
        DeployTarget::Containerd if !has_image_config(inspection) => {
            Err(Refusal { reason: "ctr runs images, and no other artifacts", convert_to: Some(Form::Image) })
        }
        DeployTarget::Containerd => check_program(inspection),
        DeployTarget::Wasmcloud if http(inspection) == Some(Http::Handler) => {
            Err(Refusal { reason: "wasmCloud 1 knows no WASI 0.3, which wasmCloud 2 does", convert_to: None })
        }
        DeployTarget::WasmcloudV2 => check_wasmcloud(inspection),
        DeployTarget::Spin if !is(inspection, Dialect::SpinApp) => Err(no_application()),
        DeployTarget::Wasmcloud
        | DeployTarget::Spin
        | DeployTarget::Istio
        | DeployTarget::EnvoyGateway
        | DeployTarget::Envoy => Ok(()),
    }
}

/// Returns the host whose way of reading artifacts counts; nothing where none are read.
fn host(target: DeployTarget) -> Option<Host> {
    match target {
        DeployTarget::Kubernetes | DeployTarget::Containerd => Some(Host::Runwasi),
        DeployTarget::Wasmcloud | DeployTarget::WasmcloudV2 => Some(Host::Wasmcloud),
        DeployTarget::Spin => Some(Host::Spin),
        DeployTarget::Istio => Some(Host::Istio),
        DeployTarget::EnvoyGateway => Some(Host::EnvoyGateway),
        DeployTarget::DockerCompose => Some(Host::Docker),
        DeployTarget::Envoy => None,
    }
}

fn no_application() -> Refusal {
    Refusal { reason: "it runs applications of Spin, and no Wasm alone", convert_to: None }
}

/// The shims of runwasi run two kinds of components; of a module, its bytes tell when it starts.
fn check_program(inspection: &Inspection) -> Result<(), Refusal> {
    let is_program = match inspection.kind {
        Thing::Wasm(Kind::Component) => is_command(inspection) || http(inspection) == Some(Http::IncomingHandler),
        _ => true,
    };
    let reason = "it exports neither `wasi:cli/run` nor `wasi:http/incoming-handler`";
    if is_program { Ok(()) } else { Err(Refusal { reason, convert_to: None }) }
}

fn check_wasmcloud(inspection: &Inspection) -> Result<(), Refusal> {
    let is_tar = inspection.layers.iter().any(|layer| layer.media_type == MediaType::OCI_LAYER);
    match inspection.kind {
        Thing::Provider => Err(Refusal { reason: "it has no providers", convert_to: None }),
        _ if inspection.role == Some(Role::WasmcloudActor) => {
            Err(Refusal { reason: "actors ran in wasmCloud before its version 1", convert_to: None })
        }
        _ if is_tar => Err(Refusal { reason: "it wants one layer application/wasm", convert_to: Some(Form::Artifact) }),
        _ => Ok(()),
    }
}

/// Whether the artifact is an image, which says what it runs.
fn has_image_config(inspection: &Inspection) -> bool {
    let types = [MediaType::OCI_CONFIG, MediaType::DOCKER_CONFIG];
    inspection.config.as_ref().is_some_and(|config| types.contains(&config.media_type))
}
