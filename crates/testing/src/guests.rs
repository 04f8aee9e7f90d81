//! Components that do nothing, made of the WIT of their world.

use wit_component::{ComponentEncoder, StringEncoding, dummy_module, embed_component_metadata};
use wit_parser::{LiftLowerAbi, ManglingAndAbi, Resolve};

/// Returns a component with the only world of a package of WIT, which may hold the packages that it takes from:
///
/// ```text
/// package acme:app;
/// package acme:log@1.0.0 { interface sink { put: func(line: string); } }
/// world app { import acme:log/sink@1.0.0; }
/// ```
///
/// What it exports traps. The same text gives the same bytes.
#[must_use]
pub fn guest(text: &str) -> Vec<u8> {
    let mut resolve = Resolve { all_features: true, ..Resolve::default() };
    let package = resolve.push_source("guest.wit", text).unwrap_or_else(|error| panic!("{error:#}"));
    let world = resolve.select_world(&[package], None).expect("it has one world");
    let mut module = dummy_module(&resolve, world, ManglingAndAbi::Legacy(LiftLowerAbi::Sync));
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8, false).expect("the WIT is valid");
    let mut encoder = ComponentEncoder::default();
    // What it imports is what stands there, in each version.
    encoder.validate(true).merge_imports_based_on_semver(false);
    let encoded = encoder.module(&module).and_then(ComponentEncoder::encode);
    encoded.unwrap_or_else(|error| panic!("{error:#}"))
}
