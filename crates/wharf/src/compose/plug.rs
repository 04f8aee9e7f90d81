//! Plugs components into one that imports what they export.

use wac_graph::types::{ItemKind, SubtypeChecker, are_semver_compatible};
use wac_graph::{CompositionGraph, NodeId, PackageId};
use wharf_package::Version;

use super::graph::{Composed, encode, guard, register};
use super::supply::Component;
use crate::{Cause, ComposeFault, Reason, Unfit};

/// Gives the first component what it imports and one of the others exports.
///
/// An export goes to each import of its name in a compatible version. What the others import stays an import of the whole.
pub(super) fn plug(components: &[Component]) -> Result<Composed, Cause> {
    guard(|| {
        let mut graph = CompositionGraph::new();
        let mut packages = Vec::new();
        for (number, component) in components.iter().enumerate() {
            packages.push(register(&mut graph, number, component)?);
        }
        let fits = fits(&graph, &packages, components)?;
        let socket = graph.instantiate(packages[0]);
        for (plug, fits) in packages.iter().skip(1).zip(fits) {
            let plug = graph.instantiate(*plug);
            for Fit { export, import } in fits {
                connect(&mut graph, (plug, &export), (socket, &import)).map_err(invalid)?;
            }
        }
        export_all(&mut graph, socket, packages[0]).map_err(invalid)?;
        encode(&graph, components)
    })
}

/// An export of a plug, and the import of the socket that it fits.
struct Fit {
    export: String,
    import: String,
}

/// Finds what fits where: something of each plug, and nothing twice.
fn fits(graph: &CompositionGraph, packages: &[PackageId], components: &[Component]) -> Result<Vec<Vec<Fit>>, Cause> {
    let socket = packages[0];
    let mut all: Vec<Vec<Fit>> = Vec::new();
    for (number, plug) in packages.iter().enumerate().skip(1) {
        let fits = fits_of(graph, *plug, socket).map_err(|(Fit { export, import }, source)| {
            let [plug, socket] = [number, 0].map(|number| components[number].label.clone());
            ComposeFault::Mismatch { export, plug, socket, import, source }
        })?;
        if fits.is_empty() {
            return Err(ComposeFault::FitsNothing(Box::new(unfit(number, components))).into());
        }
        for fit in &fits {
            if let Some(earlier) = all.iter().position(|fits| fits.iter().any(|it| it.import == fit.import)) {
                let [first, second] = [earlier + 1, number].map(|number| components[number].label.clone());
                return Err(ComposeFault::Contested { import: fit.import.clone(), first, second }.into());
            }
        }
        all.push(fits);
    }
    Ok(all)
}

/// Finds which exports of a plug fit imports of the socket; fails where one has the name and another type.
fn fits_of(graph: &CompositionGraph, plug: PackageId, socket: PackageId) -> Result<Vec<Fit>, (Fit, Reason)> {
    let types = graph.types();
    let exports = &types[graph[plug].ty()].exports;
    let mut cache = Default::default();
    let mut checker = SubtypeChecker::new(&mut cache);
    let mut fits = Vec::new();
    for (import, wanted) in &types[graph[socket].ty()].imports {
        let Some((export, given)) = best(exports.iter(), import) else { continue };
        let fit = Fit { export: export.clone(), import: import.clone() };
        match checker.is_subtype(*given, types, *wanted, types) {
            Ok(()) => fits.push(fit),
            Err(error) => return Err((fit, Reason::of(error.as_ref()))),
        }
    }
    Ok(fits)
}

/// Returns the export of the very name of an import, else the newest of those whose version is compatible.
fn best<'a>(
    exports: impl Iterator<Item = (&'a String, &'a ItemKind)>,
    import: &str,
) -> Option<(&'a String, &'a ItemKind)> {
    let compatible = exports.filter(|(export, _)| are_semver_compatible(export, import));
    compatible.max_by_key(|(export, _)| (*export == import, version(export)))
}

fn version(name: &str) -> Option<Version> {
    name.split_once('@')?.1.parse().ok()
}

/// Says what a plug has that fits nothing, and what would.
fn unfit(number: usize, components: &[Component]) -> Unfit {
    let (socket, plug) = (&components[0], &components[number]);
    let is_near = |export: &str, import: &str| match (export.split_once('@'), import.split_once('@')) {
        (Some((export, _)), Some((import, _))) => export == import,
        _ => false,
    };
    let pairs = |user: &'_ Component, fits: &dyn Fn(&str, &str) -> bool| {
        let of = |export: &String| user.wasm.imports.iter().find(|import| fits(export, import)).cloned();
        plug.wasm.exports.iter().find_map(|export| Some((export.clone(), of(export)?)))
    };
    let others = components.iter().enumerate().skip(1).filter(|(other, _)| *other != number);
    let user = others.map(|(_, other)| other).find(|other| pairs(other, &are_semver_compatible).is_some());
    Unfit {
        plug: plug.label.clone(),
        exports: plug.wasm.exports.clone(),
        socket: socket.label.clone(),
        imports: socket.wasm.imports.clone(),
        near: pairs(socket, &is_near),
        user: user.map(|user| user.label.clone()),
    }
}

/// Gives an export of one instance to another.
fn connect(
    graph: &mut CompositionGraph,
    (plug, export): (NodeId, &str),
    (socket, import): (NodeId, &str),
) -> Result<(), Reason> {
    let given = graph.alias_instance_export(plug, export).map_err(|error| Reason::of(&error))?;
    graph.set_instantiation_argument(socket, import, given).map_err(|error| Reason::of(&error))
}

/// Exports all that the socket exports.
fn export_all(graph: &mut CompositionGraph, socket: NodeId, package: PackageId) -> Result<(), Reason> {
    let names: Vec<String> = graph.types()[graph[package].ty()].exports.keys().cloned().collect();
    for name in names {
        let node = graph.alias_instance_export(socket, &name).map_err(|error| Reason::of(&error))?;
        graph.export(node, name).map_err(|error| Reason::of(&error))?;
    }
    Ok(())
}

fn invalid(source: Reason) -> Cause {
    ComposeFault::Invalid { source }.into()
}
