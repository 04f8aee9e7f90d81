//! What the manifests of filters have in common: for whom they are.

use std::collections::BTreeMap;

use super::DnsLabel;
use super::yaml::{indented, quoted};

/// The group of the gateways of Kubernetes.
pub(super) const GATEWAY_GROUP: &str = "gateway.networking.k8s.io";

/// Writes the list of targets of a `spec`, which has the one gateway; nothing where none is named.
pub(super) fn target_refs(gateway: Option<&DnsLabel>) -> String {
    let Some(name) = gateway else { return String::new() };
    let target = format!("  - group: {GATEWAY_GROUP}\n    kind: Gateway\n    name: {}\n", quoted(name.as_str()));
    indented(&format!("targetRefs:\n{target}"), 2)
}

/// Writes the labels that select something, where there are any.
pub(super) fn labels(selector: &BTreeMap<String, String>) -> Option<String> {
    let lines = selector.iter().map(|(key, value)| format!("  {}: {}\n", quoted(key), quoted(value)));
    (!selector.is_empty()).then(|| format!("matchLabels:\n{}", lines.collect::<String>()))
}
