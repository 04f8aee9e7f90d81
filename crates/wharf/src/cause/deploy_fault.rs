//! Why something cannot be deployed.

use std::path::PathBuf;

use wharf_oci::Reference;

use crate::{DeployTarget, Form, LocalLocation};

/// Why something cannot be deployed as it was asked for.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DeployFault {
    /// A host does not run an artifact as it is.
    #[error("{target} does not run it as it is: {reason}")]
    Refused {
        /// The host.
        target: DeployTarget,
        /// The artifact.
        reference: Reference,
        /// Why.
        reason: &'static str,
        /// In which form the host would run the Wasm.
        convert_to: Option<Form>,
    },
    /// A host reads from registries, and was to read a file.
    #[error("{target} takes what it runs from a registry, and `{}` is a file", path.display())]
    File {
        /// The host.
        target: DeployTarget,
        /// The file.
        path: PathBuf,
    },
    /// A host reads from registries, and was to read a layout or an archive of this machine.
    #[error("{target} takes what it runs from a registry, and `{location}` is on this machine")]
    Local {
        /// The host.
        target: DeployTarget,
        /// The layout or archive.
        location: LocalLocation,
    },
    /// A host reads files, and was to read from somewhere else.
    #[error("{target} takes what it runs from a file")]
    NoFile {
        /// The host.
        target: DeployTarget,
    },
    /// A host has no place for something that was asked for.
    #[error("{target} has no place for {what}")]
    Misplaced {
        /// The host.
        target: DeployTarget,
        /// What was asked for.
        what: &'static str,
    },
    /// What takes no requests was to take them somewhere.
    #[error("it has no place for {what}, since it does not export `wasi:http/incoming-handler`")]
    NoHttp {
        /// What was asked for.
        what: &'static str,
    },
    /// Nothing says who is to run a filter.
    #[error("{target} has to be told which gateways run a filter")]
    NoGateway {
        /// The host.
        target: DeployTarget,
    },
    /// A host gives filters JSON alone.
    #[error("{target} gives filters JSON for their configuration, and this is none")]
    NoJson {
        /// The host.
        target: DeployTarget,
        /// Why.
        source: serde_json::Error,
    },
    /// A host gives filters an object of JSON.
    #[error("{target} gives filters an object of JSON for their configuration, and this is none")]
    NoObject {
        /// The host.
        target: DeployTarget,
    },
}
