//! What stands behind a guest: its view of WASI, and the meter that counts for it.

use std::sync::Arc;

use wasmtime::component::ResourceTable;
use wasmtime::{Store, UpdateDeadline};
use wasmtime_wasi::p1::WasiP1Ctx;
use wasmtime_wasi::sockets::WasiSocketsCtxView;
use wasmtime_wasi::{FsPerms, WasiCtx, WasiCtxBuilder, WasiCtxView, WasiView};
use wasmtime_wasi_http::{WasiHttpCtx, WasiHttpCtxView, WasiHttpView};

use crate::guard::Guard;
use crate::http_out::Hooks;
use crate::limits::{Meter, Watch};
use crate::names::{self, Lookups};
use crate::outcome::Stop;
use crate::stdio::{Counted, Input};
use crate::{Access, Error, Invocation, Limits, Runtime};

/// Random bytes that a guest may ask for at once.
const RANDOM_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// What stands behind a component.
pub(crate) struct Host {
    wasi: WasiCtx,
    table: ResourceTable,
    http: WasiHttpCtx,
    hooks: Hooks,
    guard: Arc<Guard>,
    lookups: Lookups,
    meter: Meter,
}

/// What stands behind a core module.
pub(crate) struct ModuleHost {
    pub(crate) wasi: WasiP1Ctx,
    meter: Meter,
}

impl Host {
    /// Makes what stands behind one instance; all instances of a run share the guard.
    pub(crate) fn new(invocation: &Invocation, meter: Meter, guard: Arc<Guard>) -> Result<Self, Error> {
        let mut builder = builder(invocation, &meter.watch())?;
        allow_sockets(&mut builder, &guard);
        let wasi = builder.build();
        let mut table = ResourceTable::new();
        table.set_max_capacity(crate::limits::RESOURCES_MAX);
        let (http, hooks) = (WasiHttpCtx::new(), Hooks::new(Arc::clone(&guard)));
        Ok(Self { wasi, table, http, hooks, guard, lookups: Lookups::new(), meter })
    }

    /// Returns what name lookup works on.
    pub(crate) fn names(&mut self) -> names::View<'_> {
        let sockets = WasiSocketsCtxView { ctx: self.wasi.sockets(), table: &mut self.table };
        names::View { guard: &self.guard, lookups: &mut self.lookups, sockets }
    }

    pub(crate) fn watch(&self) -> Arc<Watch> {
        self.meter.watch()
    }
}

impl ModuleHost {
    pub(crate) fn new(invocation: &Invocation, meter: Meter) -> Result<Self, Error> {
        let wasi = builder(invocation, &meter.watch())?.build_p1();
        Ok(Self { wasi, meter })
    }
}

/// Something that is metered.
pub(crate) trait Metered: Send + 'static {
    fn meter(&mut self) -> &mut Meter;
}

impl Metered for Host {
    fn meter(&mut self) -> &mut Meter {
        &mut self.meter
    }
}

impl Metered for ModuleHost {
    fn meter(&mut self) -> &mut Meter {
        &mut self.meter
    }
}

impl WasiView for Host {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

impl WasiHttpView for Host {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView { hooks: &mut self.hooks, table: &mut self.table, ctx: &mut self.http }
    }
}

/// Sets WASI up: what the guest is granted, and nothing else.
fn builder(invocation: &Invocation, watch: &Arc<Watch>) -> Result<WasiCtxBuilder, Error> {
    let Invocation { arguments, grants, limits, stdio } = invocation;
    let mut builder = WasiCtxBuilder::new();
    builder.args(arguments).envs(&grants.environment).max_random_size(RANDOM_BYTES_MAX);
    // A call that blocks this thread could not be ended in time.
    builder.allow_blocking_current_thread(limits.time.is_none());
    match &stdio.stdin {
        Input::Empty => &mut builder,
        Input::Bytes(bytes) => builder.stdin(wasmtime_wasi::p2::pipe::MemoryInputPipe::new(bytes.clone())),
        Input::Process => builder.inherit_stdin(),
    };
    builder.stdout(Counted::new(stdio.stdout.clone(), Arc::clone(watch)));
    builder.stderr(Counted::new(stdio.stderr.clone(), Arc::clone(watch)));
    for folder in &grants.folders {
        let permissions = match folder.access {
            Access::Read => FsPerms::ReadOnly,
            Access::ReadWrite => FsPerms::ReadWrite,
        };
        builder
            .preopened_dir(&folder.host, &folder.guest, permissions)
            .map_err(|source| Error::Folder { host: folder.host.display().to_string(), source: source.into() })?;
    }
    Ok(builder)
}

/// Lets sockets be made, which reach what the guard lets them. A guest that may reach nothing is told so when it tries:
/// only then is it known what it wanted.
fn allow_sockets(builder: &mut WasiCtxBuilder, guard: &Arc<Guard>) {
    let guard = Arc::clone(guard);
    builder.allow_tcp(true).allow_udp(true).allow_ip_name_lookup(true);
    builder.socket_addr_check(move |address, usage| Box::pin(std::future::ready(guard.may_use(address, usage))));
}

/// Makes a store whose guest stops at its limits.
pub(crate) fn store<T: Metered>(runtime: &Runtime, host: T, limits: &Limits) -> Result<Store<T>, Error> {
    let mut store = Store::new(&runtime.engine, host);
    let watch = store.data_mut().meter().watch();
    store.limiter(|host| host.meter());
    if let Some(fuel) = limits.fuel {
        store.set_fuel(fuel).map_err(|source| Error::Engine { source: source.into() })?;
    }
    let (time, output) = (limits.time.unwrap_or_default(), limits.output.unwrap_or_default());
    store.set_epoch_deadline(1);
    store.epoch_deadline_callback(move |_| match (watch.is_late(), watch.is_output_exceeded()) {
        (true, _) => Err(Stop::Time(time).into()),
        (false, true) => Err(Stop::Output(output).into()),
        (false, false) => Ok(UpdateDeadline::Yield(1)),
    });
    Ok(store)
}
