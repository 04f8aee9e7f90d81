//! The bootstrap configuration of Envoy: one listener, whose requests go through the filter.
//!
//! ```text
//!   listener ─> http_connection_manager ─> wasm ─> router ─┬─ cluster `upstream`
//!                                                          └─ an answer of Envoy itself
//! ```

use std::ffi::OsStr;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::Path;

use wharf_oci::Digest;

use super::yaml::{indented, quoted};
use super::{DeploySettings, Upstream};

/// Where Envoy takes connections unless told otherwise.
const LISTEN: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 10000);

/// Writes the configuration for the filter in the file `code`.
pub(super) fn bootstrap(settings: &DeploySettings, code: &str, digest: &Digest) -> String {
    let listen = settings.listen.unwrap_or(LISTEN);
    let clusters = settings.upstream.as_ref().map(cluster).unwrap_or_default();
    format!(
        r#"# Envoy reads this file when it starts, without a look at its digest:
# {code}
# {digest}
static_resources:
  listeners:
    - name: "filter"
      address:
        socket_address:
          address: {address}
          port_value: {port}
      filter_chains:
        - filters:
            - name: "envoy.filters.network.http_connection_manager"
              typed_config:
                "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"
                stat_prefix: "filter"
                http_filters:
                  - name: "envoy.filters.http.wasm"
                    typed_config:
                      "@type": "type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm"
                      config:
{plugin}                  - name: "envoy.filters.http.router"
                    typed_config:
                      "@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"
                route_config:
                  virtual_hosts:
                    - name: "all"
                      domains: ["*"]
                      routes:
                        - match: {{ prefix: "/" }}
                          {action}
{clusters}"#,
        code = quoted(code),
        address = quoted(&listen.ip().to_string()),
        port = listen.port(),
        plugin = indented(&plugin(settings, code), 24),
        action = action(settings.upstream.as_ref()),
    )
}

/// Writes the filter's own part.
fn plugin(settings: &DeploySettings, code: &str) -> String {
    // Envoy logs what goes wrong, and what the filter says, under this name.
    let name = Path::new(code).file_name().and_then(OsStr::to_str).unwrap_or(code);
    let mut text = format!("name: {}\n", quoted(name));
    if let Some(id) = &settings.root_id {
        text += &format!("root_id: {}\n", quoted(id));
    }
    if let Some(configuration) = &settings.configuration {
        let value = quoted(configuration);
        text += &format!(
            "configuration:\n  \"@type\": \"type.googleapis.com/google.protobuf.StringValue\"\n  value: {value}\n"
        );
    }
    // A filter that broke down lets nothing through: it may be the one that keeps intruders out.
    text += &format!(
        r#"failure_policy: "FAIL_CLOSED"
vm_config:
  runtime: "envoy.wasm.runtime.v8"
  code:
    local:
      filename: {}"#,
        quoted(code)
    );
    text
}

/// Writes what happens to a request that the filter lets through.
fn action(upstream: Option<&Upstream>) -> &'static str {
    match upstream {
        Some(_) => r#"route: { cluster: "upstream" }"#,
        None => r#"direct_response: { status: 200, body: { inline_string: "ok\n" } }"#,
    }
}

/// Writes where the requests go. A name such as `localhost` may stand for an address of each family, of which the server
/// has one.
fn cluster(Upstream { host, port }: &Upstream) -> String {
    let host = quoted(host);
    format!(
        r#"  clusters:
    - name: "upstream"
      type: "STRICT_DNS"
      dns_lookup_family: "ALL"
      load_assignment:
        cluster_name: "upstream"
        endpoints:
          - lb_endpoints:
              - endpoint:
                  address:
                    socket_address:
                      address: {host}
                      port_value: {port}
"#
    )
}
