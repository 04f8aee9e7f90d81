//! What may be said of a deployment, and which hosts have a place for it.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::num::NonZeroU16;

use wharf_oci::Reference;

use super::{DeployTarget, DnsLabel, Upstream};

/// What to say of a deployment beyond what is deployed. What a host has no place for is refused.
#[derive(Debug, Clone, Default)]
pub struct DeploySettings {
    /// What to call it; after the repository where nothing is given.
    pub name: Option<DnsLabel>,
    /// The namespace of Kubernetes, or of containerd.
    pub namespace: Option<DnsLabel>,
    /// How many instances to run; one where nothing is given.
    pub replicas: Option<u32>,
    /// Where it takes requests of HTTP.
    pub port: Option<NonZeroU16>,
    /// The name of the host that requests are for.
    pub host: Option<String>,
    /// The provider that takes requests and hands them on.
    pub http_server: Option<Reference>,
    /// The gateway that runs a filter.
    pub gateway: Option<DnsLabel>,
    /// The labels of those that run a filter.
    pub selector: BTreeMap<String, String>,
    /// Which of the filters in the binary to run, for those that hold several.
    pub root_id: Option<String>,
    /// The configuration of the filter, in whatever form it reads.
    pub configuration: Option<String>,
    /// Where the host takes connections.
    pub listen: Option<SocketAddr>,
    /// Where it sends the requests; without one, it answers them itself.
    pub upstream: Option<Upstream>,
}

impl DeploySettings {
    /// Returns something that was given and that the host has no place for.
    pub(super) fn misplaced(&self, target: DeployTarget) -> Option<&'static str> {
        use DeployTarget::{
            Containerd, DockerCompose, Envoy, EnvoyGateway, Istio, Kubernetes, Spin, Wasmcloud, WasmcloudV2,
        };
        let table: [(bool, &'static str, &[DeployTarget]); 12] = [
            (
                self.name.is_some(),
                "a name",
                &[Kubernetes, Containerd, Wasmcloud, WasmcloudV2, Spin, Istio, EnvoyGateway, DockerCompose],
            ),
            (
                self.namespace.is_some(),
                "a namespace",
                &[Kubernetes, Containerd, WasmcloudV2, Spin, Istio, EnvoyGateway],
            ),
            (self.replicas.is_some(), "replicas", &[Kubernetes, Wasmcloud, WasmcloudV2, Spin]),
            (self.port.is_some(), "a port", &[Kubernetes, Containerd, Wasmcloud, DockerCompose]),
            (self.host.is_some(), "the name of a host", &[WasmcloudV2]),
            (self.http_server.is_some(), "a provider of HTTP", &[Wasmcloud]),
            (self.gateway.is_some(), "a gateway", &[Istio, EnvoyGateway]),
            (!self.selector.is_empty(), "a selector", &[Istio, EnvoyGateway]),
            (self.root_id.is_some(), "the name of a filter", &[Istio, EnvoyGateway, Envoy]),
            (self.configuration.is_some(), "a configuration", &[Istio, EnvoyGateway, Envoy]),
            (self.listen.is_some(), "an address to listen on", &[Envoy]),
            (self.upstream.is_some(), "an upstream", &[Envoy]),
        ];
        let misplaced = table.into_iter().find(|(is_given, _, targets)| *is_given && !targets.contains(&target));
        misplaced.map(|(_, what, _)| what)
    }

    /// Returns something that was given and that only what takes requests of HTTP has a place for.
    pub(super) fn about_http(&self) -> Option<&'static str> {
        match (&self.port, &self.http_server) {
            (Some(_), _) => Some("a port"),
            (None, Some(_)) => Some("a provider of HTTP"),
            (None, None) => None,
        }
    }
}
