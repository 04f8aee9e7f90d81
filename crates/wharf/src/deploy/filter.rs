//! What the manifests of filters have in common: for whom they are.

use std::collections::BTreeMap;

use super::DnsLabel;
use super::yaml::quoted;

/// The group of the gateways of Kubernetes.
pub(super) const GATEWAY_GROUP: &str = "gateway.networking.k8s.io";

/// Writes the one entry of a list of targets.
pub(super) fn gateway(name: &DnsLabel) -> String {
    format!("  - group: {GATEWAY_GROUP}\n    kind: Gateway\n    name: {}\n", quoted(name.as_str()))
}

/// Writes the labels that select something, where there are any.
pub(super) fn labels(selector: &BTreeMap<String, String>) -> Option<String> {
    let lines = selector.iter().map(|(key, value)| format!("  {}: {}\n", quoted(key), quoted(value)));
    (!selector.is_empty()).then(|| format!("matchLabels:\n{}", lines.collect::<String>()))
}
