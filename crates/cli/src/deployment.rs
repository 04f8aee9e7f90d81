//! What may be said of a deployment.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read as _;
use std::net::SocketAddr;
use std::num::NonZeroU16;
use std::path::Path;

use wharf::oci::Reference;
use wharf::{DeploySettings, DnsLabel, Upstream};

use crate::args::{key_value, socket_address};
use crate::failure::Failure;

/// A configuration that is read from a file has no more than this many bytes.
const CONFIGURATION_BYTES_MAX: u64 = 1024 * 1024;

/// What to say of a deployment; what its host has no place for is refused.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Deployment")]
pub(crate) struct DeploymentArgs {
    /// What to call it; after the repository if nothing is given
    #[arg(long)]
    name: Option<DnsLabel>,
    /// Namespace of Kubernetes or containerd
    #[arg(long)]
    namespace: Option<DnsLabel>,
    /// How many instances to run [default: 1]
    #[arg(long, value_name = "COUNT")]
    replicas: Option<u32>,
    /// Port that takes requests of HTTP [default: 80 for kubernetes, else 8080]
    #[arg(long)]
    port: Option<NonZeroU16>,
    /// Host that requests are for (wasmcloud-v2) [default: localhost]
    #[arg(long, value_name = "NAME")]
    host: Option<String>,
    /// Provider that hands requests on (wasmcloud) [default: ghcr.io/wasmcloud/http-server:0.27.0]
    #[arg(long, value_name = "REFERENCE")]
    http_server: Option<Reference>,
    /// Gateway that runs the filter (istio, envoy-gateway)
    #[arg(long, value_name = "NAME", conflicts_with = "selector")]
    gateway: Option<DnsLabel>,
    /// Label of the pods (istio) or gateways (envoy-gateway) that run the filter; can be given several times
    #[arg(long, value_name = "KEY=VALUE", value_parser = key_value)]
    selector: Vec<(String, String)>,
    /// Which filter to run, for Wasm that holds several
    #[arg(long, value_name = "ID")]
    root_id: Option<String>,
    /// Configuration for the filter: the text itself, or @ and the file that it is in
    #[arg(long, value_name = "TEXT|@FILE")]
    config: Option<String>,
    /// Address that Envoy takes connections on [default: 127.0.0.1:10000]
    #[arg(long, value_name = "ADDRESS", value_parser = socket_address)]
    listen: Option<SocketAddr>,
    /// Server that gets Envoy's requests, in plain HTTP; without one, it answers them itself
    #[arg(long, value_name = "HOST:PORT")]
    upstream: Option<Upstream>,
}

impl DeploymentArgs {
    /// Returns what the library takes, with what is in the file that holds the configuration.
    pub(crate) fn settings(self) -> Result<DeploySettings, Failure> {
        Ok(DeploySettings {
            name: self.name,
            namespace: self.namespace,
            replicas: self.replicas,
            port: self.port,
            host: self.host,
            http_server: self.http_server,
            gateway: self.gateway,
            selector: BTreeMap::from_iter(self.selector),
            root_id: self.root_id,
            configuration: self.config.map(configuration).transpose()?,
            listen: self.listen,
            upstream: self.upstream,
        })
    }
}

/// Returns the text, or what is in the file that it names.
fn configuration(argument: String) -> Result<String, Failure> {
    let Some(path) = argument.strip_prefix('@').map(Path::new) else { return Ok(argument) };
    let fault = |source| Failure::File { path: path.to_owned(), source };
    let mut text = String::new();
    let file = File::open(path).map_err(fault)?;
    let size = file.take(CONFIGURATION_BYTES_MAX + 1).read_to_string(&mut text).map_err(fault)?;
    match size as u64 > CONFIGURATION_BYTES_MAX {
        true => Err(Failure::Usage(format!("`{}` is larger than {CONFIGURATION_BYTES_MAX} bytes", path.display()))),
        false => Ok(text),
    }
}
