//! What is known of an artifact that is to be deployed.

use std::fmt::Display;

use serde_json::Value;
use wharf_artifact::dialect::Dialect;
use wharf_artifact::{ImageConfig, Kind};
use wharf_oci::{Digest, Reference};

use super::{DeploySettings, DnsLabel};
use crate::{Inspection, Thing};

/// An artifact that its host accepts, pinned, and what was said of its deployment.
pub(super) struct Workload<'a> {
    pub(super) reference: &'a Reference,
    pub(super) inspection: Inspection,
    /// The config, where it is a container image.
    pub(super) config: Option<ImageConfig>,
    pub(super) settings: &'a DeploySettings,
    /// What to call it.
    pub(super) name: DnsLabel,
    /// The provider that hands requests on to it, pinned, where it needs one.
    pub(super) http_server: Option<String>,
    /// The configuration of a filter.
    pub(super) configuration: Option<Value>,
}

/// An interface with which a component takes requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Http {
    /// `wasi:http/incoming-handler`, of WASI 0.2.
    IncomingHandler,
    /// `wasi:http/handler`, of WASI 0.3.
    Handler,
}

impl Workload<'_> {
    /// Returns the image as most hosts read it: `host/repository:tag@digest`, of which the tag is for people.
    pub(super) fn image(&self) -> String {
        pinned(self.reference, digest(&self.inspection), self.inspection.taken.is_some())
    }

    /// Returns the image without its tag.
    pub(super) fn image_without_tag(&self) -> String {
        self.reference.with_digest(digest(&self.inspection).clone()).to_string()
    }

    /// Returns the platform that the image says it is for.
    pub(super) fn platform(&self) -> Option<String> {
        let config = self.config.as_ref()?;
        (!config.os.is_empty()).then(|| format!("{}/{}", config.os, config.architecture))
    }

    /// Returns the command to run it with, where the artifact names none: what it is, is in its only layer, so that any
    /// name will do.
    pub(super) fn command(&self) -> Option<String> {
        let has_entrypoint = self.config.is_some() || is(&self.inspection, Dialect::RunwasiImage);
        (!has_entrypoint).then(|| format!("{}.wasm", self.name))
    }

    pub(super) fn http(&self) -> Option<Http> {
        http(&self.inspection)
    }

    /// Whether it takes requests where hosts know WASI 0.2 alone.
    pub(super) fn serves_http(&self) -> bool {
        serves_http(&self.inspection)
    }

    pub(super) fn is_provider(&self) -> bool {
        self.inspection.kind == Thing::Provider
    }

    pub(super) fn replicas(&self) -> u32 {
        self.settings.replicas.unwrap_or(1)
    }
}

/// Writes a reference so that it can lead to one manifest alone.
///
/// Of an index, that is the manifest that holds the Wasm: hosts choose from an index by the platform of their machine,
/// and Istio compares the digest with that of what it chose. The tag is then left out, since it names another manifest.
pub(super) fn pinned(reference: &Reference, digest: &Digest, is_of_index: bool) -> String {
    match reference.tag().filter(|_| !is_of_index) {
        Some(tag) => format!("{}:{tag}@{digest}", reference.bare()),
        None => reference.with_digest(digest.clone()).to_string(),
    }
}

/// Returns the digest of the manifest that holds the Wasm.
pub(super) fn digest(inspection: &Inspection) -> &Digest {
    inspection.taken.as_ref().unwrap_or(&inspection.digest)
}

/// Returns how a component takes requests, if it does.
pub(super) fn http(inspection: &Inspection) -> Option<Http> {
    if exports(inspection, "wasi:http/incoming-handler") {
        Some(Http::IncomingHandler)
    } else if exports(inspection, "wasi:http/handler") {
        Some(Http::Handler)
    } else {
        None
    }
}

/// Whether something takes requests where hosts know WASI 0.2 alone.
pub(super) fn serves_http(inspection: &Inspection) -> bool {
    http(inspection) == Some(Http::IncomingHandler)
}

/// Whether something is a component that is a program.
pub(super) fn is_command(inspection: &Inspection) -> bool {
    inspection.kind == Thing::Wasm(Kind::Component) && exports(inspection, "wasi:cli/run")
}

/// Whether an interface is exported, whatever its version.
fn exports(inspection: &Inspection, interface: &str) -> bool {
    inspection.exports.iter().any(|export| export.split('@').next() == Some(interface))
}

pub(super) fn is(inspection: &Inspection, dialect: impl Display) -> bool {
    inspection.dialect == Some(dialect.to_string())
}
