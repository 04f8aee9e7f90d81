//! Components of hand-written core modules, whose WIT is beside them.

use wharf_run::{Ended, Outcome, Wasi};
use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::{Resolve, WorldId};

use crate::setup::Run;

/// The versions of WASI that components are of.
pub(crate) const VERSIONS: [Wasi; 2] = [Wasi::V02, Wasi::V03];

/// Makes a component of a core module in one of the worlds of the guests.
pub(crate) fn component(wasi: Wasi, world: &str, module: &str) -> Vec<u8> {
    let wit = match wasi {
        Wasi::V03 => include_str!("../guests/wasi3.wit"),
        Wasi::V01 | Wasi::V02 => include_str!("../guests/wasi2.wit"),
    };
    let mut resolve = Resolve::default();
    let package = resolve.push_source("guests.wit", wit).unwrap();
    let world = resolve.select_world(&[package], Some(world)).unwrap();
    encode(&resolve, world, module)
}

/// Makes a component of a core module in a world.
pub(crate) fn encode(resolve: &Resolve, world: WorldId, module: &str) -> Vec<u8> {
    let mut module = wat::parse_str(module).unwrap();
    embed_component_metadata(&mut module, resolve, world, StringEncoding::UTF8, false).unwrap();
    ComponentEncoder::default().module(&module).unwrap().validate(true).encode().unwrap()
}

impl Run {
    /// Runs a component to its own end.
    pub(crate) async fn component(&self, component: &[u8]) -> (i32, Outcome) {
        let code = self.runtime.compile(component).unwrap();
        let outcome = self.outcome(&code).await.unwrap();
        let Ended::Exit(code) = outcome.ended else { panic!("{outcome:?}") };
        (code, outcome)
    }

    /// Grants what `--net` and `--http` would.
    pub(crate) fn grant(&mut self, rules: &[&str], http: &[&str]) {
        let network = &mut self.invocation.grants.network;
        network.rules = rules.iter().map(|rule| rule.parse().unwrap()).collect();
        network.http = http.iter().map(|rule| rule.parse().unwrap()).collect();
    }
}

/// Returns the flags that an outcome names.
pub(crate) fn flags(outcome: &Outcome) -> Vec<&str> {
    outcome.denials.iter().map(|denied| denied.flag.as_str()).collect()
}
