//! The bootstrap configuration of Envoy: one listener, whose requests go through the filter.
//!
//! ```text
//!   listener ─> http_connection_manager ─> wasm ─> router ─┬─ cluster `upstream`
//!                                                          └─ an answer of Envoy itself
//! ```

use std::ffi::OsStr;
use std::path::Path;

use wharf_oci::Digest;

use super::{DeployOptions, Upstream};

/// Writes the configuration for the filter in the file `code`.
pub(super) fn bootstrap(options: &DeployOptions, code: &str, digest: &Digest) -> String {
    let clusters = options.upstream.as_ref().map(cluster).unwrap_or_default();
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
{plugin}
                  - name: "envoy.filters.http.router"
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
        address = quoted(&options.listen.ip().to_string()),
        port = options.listen.port(),
        plugin = indented(&plugin(options, code), 24),
        action = action(options.upstream.as_ref()),
    )
}

/// Writes the filter's own part.
fn plugin(options: &DeployOptions, code: &str) -> String {
    // Envoy logs what goes wrong, and what the filter says, under this name.
    let name = Path::new(code).file_name().and_then(OsStr::to_str).unwrap_or(code);
    let mut text = format!("name: {}\n", quoted(name));
    if let Some(id) = &options.root_id {
        text += &format!("root_id: {}\n", quoted(id));
    }
    if let Some(configuration) = &options.configuration {
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

/// Puts spaces before each line.
fn indented(text: &str, spaces: usize) -> String {
    let lines: Vec<_> = text.lines().map(|line| format!("{:spaces$}{line}", "")).collect();
    lines.join("\n")
}

/// Writes a text as a double-quoted scalar of YAML (1.2, section 7.3.1) in printable ASCII, whatever is in it.
fn quoted(text: &str) -> String {
    let escaped: String = text
        .chars()
        .map(|character| match character {
            '"' | '\\' => format!("\\{character}"),
            ' '..='~' => character.to_string(),
            '\n' => "\\n".to_owned(),
            '\0'..='\u{ffff}' => format!("\\u{:04x}", u32::from(character)),
            _ => format!("\\U{:08x}", u32::from(character)),
        })
        .collect();
    format!("\"{escaped}\"")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn texts_are_quoted_so_that_yaml_reads_them_as_they_were() {
        let table = [
            ("", r#""""#),
            ("a b", r#""a b""#),
            ("# no: 'comment'", r##""# no: 'comment'""##),
            ("{\"a\": [1]}", r#""{\"a\": [1]}""#),
            ("a\nb\r\tc\0", r#""a\nb\u000d\u0009c\u0000""#),
            ("C:\\x", r#""C:\\x""#),
            ("é\u{85}\u{2028}\u{feff}", r#""\u00e9\u0085\u2028\ufeff""#),
            ("😀", r#""\U0001f600""#),
        ];
        for (text, expected) in table {
            assert_eq!(quoted(text), expected, "{text:?}");
        }
    }

    proptest! {
        /// JSON has the same quotes and escapes, but for those of eight digits.
        #[test]
        fn any_text_is_one_line_that_reads_back(text in "[\\x00-\u{d7ff}\u{e000}-\u{ffff}]*") {
            let quoted = quoted(&text);
            prop_assert!(quoted.chars().all(|character| matches!(character, ' '..='~')), "{}", quoted);
            prop_assert_eq!(serde_json::from_str::<String>(&quoted).unwrap(), text);
        }
    }
}
