//! `deploy`: writes what a host needs to run a Wasm file of this machine.

mod envoy;

use std::fmt;
use std::net::{Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::str::FromStr;

use serde::Serialize;
use wharf_artifact::Abi;
use wharf_oci::Digest;

use crate::blocking::blocking;
use crate::wasm_file::examine;
use crate::{Cause, Error};

/// What to run, where, and how.
#[derive(Debug, Clone)]
pub struct DeployOptions {
    /// The Wasm binary.
    pub file: PathBuf,
    /// What runs it.
    pub target: DeployTarget,
    /// Where the host takes connections.
    pub listen: SocketAddr,
    /// Where it sends the requests; without one, it answers them itself.
    pub upstream: Option<Upstream>,
    /// Which of the filters in the binary to run, for those that hold several.
    pub root_id: Option<String>,
    /// The configuration of the filter, in whatever form it reads.
    pub configuration: Option<String>,
}

/// The hosts that `deploy` writes for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum DeployTarget {
    /// Envoy, with a proxy-wasm filter.
    Envoy,
}

impl fmt::Display for DeployTarget {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Envoy => formatter.write_str("Envoy"),
        }
    }
}

/// A server behind a proxy: `host:port`, spoken to in plain HTTP.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upstream {
    host: String,
    port: u16,
}

/// A text that is no [`Upstream`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it has the form HOST:PORT, such as localhost:8080")]
pub struct InvalidUpstream;

impl FromStr for Upstream {
    type Err = InvalidUpstream;

    fn from_str(text: &str) -> Result<Self, InvalidUpstream> {
        let (host, port) = text.rsplit_once(':').ok_or(InvalidUpstream)?;
        let port = port.parse().ok().filter(|port| *port != 0).ok_or(InvalidUpstream)?;
        // Brackets tell the colons of an IPv6 address from that of the port.
        let bracketed = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
        let is_name = |character: char| character.is_ascii_alphanumeric() || matches!(character, '-' | '.' | '_');
        let host = match bracketed {
            Some(address) => address.parse::<Ipv6Addr>().map_err(|_| InvalidUpstream)?.to_string(),
            None if !host.is_empty() && host.chars().all(is_name) => host.to_owned(),
            None => return Err(InvalidUpstream),
        };
        Ok(Self { host, port })
    }
}

/// What a host needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DeployOutcome {
    /// What it is for.
    pub target: DeployTarget,
    /// The text of the configuration, in YAML.
    pub configuration: String,
    /// The Wasm binary that it names, as an absolute path.
    pub file: PathBuf,
    /// The digest of that binary. The host does not check it.
    pub wasm_digest: Digest,
    /// The versions of the proxy-wasm ABI that the binary exports, from the first on.
    pub abi_versions: Vec<Abi>,
}

/// Writes the configuration with which a host runs a Wasm binary of this machine.
///
/// Nothing is started and nothing is sent. The binary is named by its path: it has to stay where it is, as it is.
///
/// # Errors
/// [`Error::Deploy`].
pub async fn deploy(options: &DeployOptions) -> Result<DeployOutcome, Error> {
    configure(options).await.map_err(|source| Error::Deploy {
        file: options.file.clone(),
        target: options.target,
        source,
    })
}

async fn configure(options: &DeployOptions) -> Result<DeployOutcome, Cause> {
    let path = options.file.clone();
    let wasm = blocking(move || examine(&path)).await?;
    let abi_versions = wasm.proxy_wasm_abis();
    if abi_versions.is_empty() {
        return Err(Cause::NoFilter { kind: wasm.kind, role: wasm.role() });
    }
    let file = std::path::absolute(&options.file).map_err(Cause::file("find", &options.file))?;
    let code = file.to_str().ok_or_else(|| Cause::PathNotUtf8 { path: file.clone() })?;
    let configuration = match options.target {
        DeployTarget::Envoy => envoy::bootstrap(options, code, &wasm.digest),
    };
    Ok(DeployOutcome { target: options.target, configuration, file, wasm_digest: wasm.digest, abi_versions })
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
        let options = DeployOptions {
            file,
            target: DeployTarget::Envoy,
            listen: ([127, 0, 0, 1], 0).into(),
            upstream: None,
            root_id: None,
            configuration: None,
        };
        let error = deploy(&options).await.unwrap_err();
        assert!(matches!(error, Error::Deploy { source: Cause::PathNotUtf8 { .. }, .. }), "{error:?}");
    }

    #[test]
    fn an_upstream_is_a_name_or_an_address_with_a_port() {
        for (text, host, port) in [
            ("localhost:8080", "localhost", 8080),
            ("my_service.default.svc:80", "my_service.default.svc", 80),
            ("10.0.0.1:1", "10.0.0.1", 1),
            ("[::1]:65535", "::1", 65535),
        ] {
            assert_eq!(text.parse(), Ok(Upstream { host: host.to_owned(), port }), "{text}");
        }
        for text in
            ["", "localhost", ":80", "localhost:", "localhost:0", "localhost:65536", "::1:80", "[::1]", "a b:80"]
        {
            assert_eq!(text.parse::<Upstream>(), Err(InvalidUpstream), "{text}");
        }
        for text in ["http://localhost:80", "localhost:80/path", "jo@localhost:80", "[localhost]:80", "a\n:80"] {
            assert_eq!(text.parse::<Upstream>(), Err(InvalidUpstream), "{text}");
        }
    }
}
