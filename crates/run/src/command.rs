//! Commands: programs that run from start to end.

use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::time::Duration;

use wasmtime::component::Component;
use wasmtime::{Engine, Module};

use crate::code::{CompiledComponent, CompiledModule};
use crate::guard::Guard;
use crate::host::{Host, ModuleHost, store};
use crate::limits::{Meter, Watch};
use crate::outcome::{Ended, Stop};
use crate::{Code, Error, Invocation, Limits, Outcome, Program, Runtime, Wasi, denied};

/// How often a guest that computes is looked at.
const TICK: Duration = Duration::from_millis(10);

/// Runs a command to its end.
///
/// # Errors
/// [`Error`], where the command does not come to its start. Whatever it does after that is in [`Outcome`].
pub async fn command(runtime: &Runtime, code: &Code, invocation: &Invocation) -> Result<Outcome, Error> {
    let Invocation { grants, limits, .. } = invocation;
    let meter = Meter::new(limits);
    let watch = meter.watch();
    let guard = Arc::new(Guard::new(grants.network.clone()));
    let ended = match (code, Program::of(code, runtime)) {
        (Code::Module(CompiledModule(module)), Program::Command(_)) => {
            let host = ModuleHost::new(invocation, meter)?;
            within(runtime, limits, &watch, run_module(runtime, module, host, limits)).await?
        }
        (Code::Component(CompiledComponent(component)), Program::Command(wasi)) => {
            let host = Host::new(invocation, meter, Arc::clone(&guard))?;
            within(runtime, limits, &watch, run_component(runtime, component, wasi, host, limits)).await?
        }
        _ => return Err(Error::NotCommand),
    };
    let ended = ended.err().unwrap_or(Ended::Exit(0));
    let suspected = denied::suspected(code, runtime, grants, &ended);
    Ok(Outcome { ended, denials: guard.denials(), suspected })
}

/// Runs a guest, and ends it at its limits. Returns what it gave, or how it ended before.
///
/// A guest that computes is stopped by epochs, and one that waits by the clock.
pub(crate) async fn within<T>(
    runtime: &Runtime,
    limits: &Limits,
    watch: &Arc<Watch>,
    run: impl Future<Output = Result<Result<T, wasmtime::Error>, Error>>,
) -> Result<Result<T, Ended>, Error> {
    let _ticker = Ticker::start(&runtime.engine);
    let given = match limits.time {
        None => run.await?,
        Some(time) => match tokio::time::timeout(time, run).await {
            Ok(given) => given?,
            Err(_) => return Ok(Err(Ended::Stopped(Stop::Time(time)))),
        },
    };
    match Ended::stopped(limits, watch) {
        Some(stopped) => Ok(Err(stopped)),
        None => Ok(given.map_err(|error| Ended::of(&error, limits, watch))),
    }
}

/// Runs `_start`. The outer result is ours, the inner one the guest's.
async fn run_module(
    runtime: &Runtime,
    module: &Module,
    host: ModuleHost,
    limits: &Limits,
) -> Result<Result<(), wasmtime::Error>, Error> {
    let mut store = store(runtime, host, limits)?;
    let pre = crate::linker::module_pre(&mut store, module)?;
    Ok(async {
        let instance = pre.instantiate_async(&mut store).await?;
        instance.get_typed_func::<(), ()>(&mut store, "_start")?.call_async(&mut store, ()).await
    }
    .await)
}

/// Runs `wasi:cli/run`. The outer result is ours, the inner one the guest's.
async fn run_component(
    runtime: &Runtime,
    component: &Component,
    wasi: Wasi,
    host: Host,
    limits: &Limits,
) -> Result<Result<(), wasmtime::Error>, Error> {
    let pre = crate::linker::pre(component)?;
    let mut store = store(runtime, host, limits)?;
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

/// Moves the epoch of an engine on, until it is dropped.
pub(crate) struct Ticker {
    _stop: Sender<()>,
}

impl Ticker {
    pub(crate) fn start(engine: &Engine) -> Self {
        let (sender, receiver) = channel();
        let engine = engine.weak();
        // A thread, since the guest may have the runtime's only one.
        std::thread::spawn(move || {
            while receiver.recv_timeout(TICK) == Err(RecvTimeoutError::Timeout) {
                let Some(engine) = engine.upgrade() else { break };
                engine.increment_epoch();
            }
        });
        Self { _stop: sender }
    }
}
