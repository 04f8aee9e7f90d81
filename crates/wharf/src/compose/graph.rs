//! The graph of a composition: components of `wac`, and what is taken from which.

use std::error::Error as StdError;
use std::panic::{AssertUnwindSafe, catch_unwind};

use wac_graph::types::{Package, PackageKey};
use wac_graph::{CompositionGraph, EncodeError, EncodeOptions, NodeId, NodeKind, PackageId, Processor};

use super::Connection;
use super::supply::Component;
use crate::{Cause, ComposeFault, Reason};

/// What a composition is encoded with: whole, valid, and by whom it was made.
pub(super) const ENCODING: EncodeOptions<'_> = EncodeOptions {
    define_components: true,
    validate: true,
    processor: Some(Processor { name: "wharf", version: env!("CARGO_PKG_VERSION") }),
};

/// What components make together.
#[derive(Debug)]
pub(super) struct Composed {
    pub(super) bytes: Vec<u8>,
    pub(super) connections: Vec<Connection>,
}

/// Runs `work` of `wac`, which asserts what holds for components that it expects: with others, that fails.
pub(super) fn guard<T>(work: impl FnOnce() -> Result<T, Cause>) -> Result<T, Cause> {
    let unexpected = || Reason::new("a component is built in a way that the composer does not expect");
    let done = catch_unwind(AssertUnwindSafe(work));
    done.unwrap_or_else(|_| Err(ComposeFault::Invalid { source: unexpected() }.into()))
}

/// Adds a component to a graph under the number that it has among all of them.
pub(super) fn register(graph: &mut CompositionGraph, number: usize, component: &Component) -> Result<PackageId, Cause> {
    let read = Package::from_bytes(&number.to_string(), None, component.bytes.to_vec(), graph.types_mut());
    let package = read.map_err(|error| ComposeFault::Uncomposable {
        component: component.label.clone(),
        source: Reason::of(below(error.as_ref())),
    })?;
    Ok(graph.register_package(package).expect("each has a number of its own"))
}

/// Encodes a graph of components that were registered here.
pub(super) fn encode(graph: &CompositionGraph, components: &[Component]) -> Result<Composed, Cause> {
    let label = |key: &PackageKey| number(key).map_or_else(String::new, |number| components[number].label.clone());
    let bytes = graph.encode(ENCODING).map_err(|error| {
        let label =
            |node: NodeId| graph[node].package().map_or_else(String::new, |id| label(&PackageKey::new(&graph[id])));
        match error {
            EncodeError::ImportTypeMergeConflict { import, first, second, source } => ComposeFault::ImportConflict {
                import,
                first: label(first),
                second: label(second),
                source: Reason::of(source.as_ref()),
            },
            error => ComposeFault::Invalid { source: Reason::of(below(&error)) },
        }
    })?;
    Ok(Composed { bytes, connections: connections(graph, label) })
}

/// Returns what each component gets from others, sorted.
pub(super) fn connections(graph: &CompositionGraph, label: impl Fn(&PackageKey) -> String) -> Vec<Connection> {
    let of = |node: NodeId| graph[node].package().map(|id| label(&PackageKey::new(&graph[id])));
    let mut connections = Vec::new();
    for instance in graph.node_ids().filter(|node| matches!(graph[*node].kind(), NodeKind::Instantiation(_))) {
        for (import, argument) in graph.get_instantiation_arguments(instance) {
            let (Some(to), Some(from)) = (of(instance), of(argument)) else { continue };
            let export = graph.get_alias_source(argument).map(|(_, export)| export.to_owned());
            connections.push(Connection { to, import: import.to_owned(), from, export });
        }
    }
    connections.sort();
    connections
}

/// Leaves out that the encoding failed validation, where something below says why.
fn below<'a>(error: &'a (dyn StdError + 'static)) -> &'a (dyn StdError + 'static) {
    error.source().unwrap_or(error)
}

fn number(key: &PackageKey) -> Option<usize> {
    key.name().parse().ok()
}
