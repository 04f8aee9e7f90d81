//! What a component may import: all of WASI that the engine has, unstable parts included.

use wasmtime::component::{Component, InstancePre, Linker};
use wasmtime::{Module, Store};
use wasmtime_wasi::I32Exit;
use wasmtime_wasi::p2::bindings::LinkOptions;
use wasmtime_wasi_http::{WasiHttp, WasiHttpView as _};

use crate::Error;
use crate::host::{Host, ModuleHost};

/// Links a component, so that instances of it can be made.
pub(crate) fn pre(component: &Component) -> Result<InstancePre<Host>, Error> {
    let mut linker = link(component).map_err(Error::instantiate)?;
    linker.instantiate_pre(component).map_err(|error| {
        let missing = crate::missing::of_component(&mut linker, component);
        if missing.is_empty() { Error::instantiate(error) } else { Error::Missing { missing } }
    })
}

/// Links a core module with WASI 0.1, so that instances of it can be made.
pub(crate) fn module_pre(
    store: &mut Store<ModuleHost>,
    module: &Module,
) -> Result<wasmtime::InstancePre<ModuleHost>, Error> {
    let mut linker = wasmtime::Linker::new(module.engine());
    wasmtime_wasi::p1::add_to_linker_async(&mut linker, |host: &mut ModuleHost| &mut host.wasi)
        .map_err(Error::instantiate)?;
    linker.allow_shadowing(true);
    // The engine takes an exit code over 125 for a trap, which C programs do not.
    let exit = |code: i32| -> wasmtime::Result<()> { Err(I32Exit(code).into()) };
    linker.func_wrap("wasi_snapshot_preview1", "proc_exit", exit).map_err(Error::instantiate)?;
    linker.instantiate_pre(module).map_err(|error| {
        let missing = crate::missing::of_module(store, &linker, module);
        if missing.is_empty() { Error::instantiate(error) } else { Error::Missing { missing } }
    })
}

/// Links what a component imports, and no version of WASI that it does not ask for: that would cost time at each start.
pub(crate) fn link(component: &Component) -> wasmtime::Result<Linker<Host>> {
    let engine = component.engine();
    let mut linker = Linker::new(engine);
    let names: Vec<String> = component.component_type().imports(engine).map(|(name, _)| name.to_owned()).collect();
    let imports =
        |start: &str, version: &str| names.iter().any(|name| name.starts_with(start) && name.contains(version));
    if imports("wasi:", "@0.2.") {
        wasmtime_wasi::p2::add_to_linker_with_options_async(&mut linker, &options())?;
    }
    if imports("wasi:", "@0.3.") {
        wasmtime_wasi::p3::add_to_linker(&mut linker)?;
    }
    linker.allow_shadowing(true);
    if imports("wasi:sockets/ip-name-lookup", "@0.2.") {
        crate::names::add_p2(&mut linker)?;
    }
    if imports("wasi:sockets/ip-name-lookup", "@0.3.") {
        crate::names::add_p3(&mut linker)?;
    }
    linker.allow_shadowing(false);
    if imports("wasi:clocks/timezone", "@0.2.") {
        crate::timezone::add_p2(&mut linker)?;
    }
    if imports("wasi:clocks/timezone", "@0.3.") {
        crate::timezone::add_p3(&mut linker)?;
    }
    if imports("wasi:http/", "@0.2.") {
        use wasmtime_wasi_http::p2::bindings::http::{outgoing_handler, types};
        // The engine's own function for this leaves `send-informational` out.
        outgoing_handler::add_to_linker::<_, WasiHttp>(&mut linker, Host::http)?;
        let mut unstable = wasmtime_wasi_http::p2::bindings::LinkOptions::default();
        unstable.informational_outbound_responses(true);
        types::add_to_linker::<_, WasiHttp>(&mut linker, &(&unstable).into(), Host::http)?;
    }
    if imports("wasi:http/", "@0.3.") {
        wasmtime_wasi_http::p3::add_to_linker(&mut linker)?;
    }
    Ok(linker)
}

/// Everything that is built from WIT as `wkg` fetches it imports the unstable functions too.
fn options() -> LinkOptions {
    let mut options = LinkOptions::default();
    options.network_error_code(true);
    options
}
