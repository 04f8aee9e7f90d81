//! Commands: programs that run from start to end.

use wasmtime::component::Component;
use wasmtime::{Module, Store};

use crate::attempt::Attempt;
use crate::code::{CompiledComponent, CompiledModule};
use crate::host::{Host, ModuleHost};
use crate::outcome::Ended;
use crate::{Code, Error, Invocation, Outcome, Program, Runtime, Wasi};

/// Runs a command to its end.
///
/// # Errors
/// [`Error`], where the command does not come to its start. Whatever it does after that is in [`Outcome`].
pub async fn command(runtime: &Runtime, code: &Code, invocation: &Invocation) -> Result<Outcome, Error> {
    let attempt = Attempt::new(runtime, code, invocation);
    let ended = match (code, Program::of(code, runtime)) {
        (Code::Module(CompiledModule(module)), Program::Command(_)) => {
            attempt.within(run_module(attempt.module_store()?, module)).await?
        }
        (Code::Component(CompiledComponent(component)), Program::Command(wasi)) => {
            attempt.within(run_component(attempt.component_store()?, component, wasi)).await?
        }
        _ => return Err(Error::NotCommand),
    };
    Ok(attempt.outcome(ended.err().unwrap_or(Ended::Exit(0))))
}

/// Runs `_start`. The outer result is ours, the inner one the guest's.
async fn run_module(mut store: Store<ModuleHost>, module: &Module) -> Result<Result<(), wasmtime::Error>, Error> {
    let pre = crate::linker::module_pre(&mut store, module)?;
    Ok(async {
        let instance = pre.instantiate_async(&mut store).await?;
        instance.get_typed_func::<(), ()>(&mut store, "_start")?.call_async(&mut store, ()).await
    }
    .await)
}

/// Runs `wasi:cli/run`. The outer result is ours, the inner one the guest's.
async fn run_component(
    mut store: Store<Host>,
    component: &Component,
    wasi: Wasi,
) -> Result<Result<(), wasmtime::Error>, Error> {
    let pre = crate::linker::pre(component)?;
    Ok(async {
        let instance = pre.instantiate_async(&mut store).await?;
        let outcome = match wasi {
            Wasi::V03 => {
                let command = wasmtime_wasi::p3::bindings::Command::new(&mut store, &instance)?;
                store.run_concurrent(async |access| command.wasi_cli_run().call_run(access).await).await??
            }
            Wasi::V01 | Wasi::V02 => {
                let command = wasmtime_wasi::p2::bindings::Command::new(&mut store, &instance)?;
                command.wasi_cli_run().call_run(&mut store).await?
            }
        };
        outcome.map_err(|()| wasmtime_wasi::I32Exit(1).into())
    }
    .await)
}
