//! One run of a guest: what stands behind it, how it is ended, and what came of it.

use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::time::Duration;

use wasmtime::{Engine, Store};

use crate::guard::Guard;
use crate::host::{Host, ModuleHost, store};
use crate::limits::{Meter, Watch};
use crate::outcome::{Ended, Stop};
use crate::{Code, Error, Invocation, Outcome, Runtime, denied};

/// How often a guest that computes is looked at.
const TICK: Duration = Duration::from_millis(10);

/// One run of a guest.
pub(crate) struct Attempt<'a> {
    runtime: &'a Runtime,
    code: &'a Code,
    invocation: &'a Invocation,
    watch: Arc<Watch>,
    guard: Arc<Guard>,
}

impl<'a> Attempt<'a> {
    /// Starts the time of a run.
    pub(crate) fn new(runtime: &'a Runtime, code: &'a Code, invocation: &'a Invocation) -> Self {
        let watch = Arc::new(Watch::new(&invocation.limits));
        let guard = Arc::new(Guard::new(invocation.grants.network.clone()));
        Self { runtime, code, invocation, watch, guard }
    }

    /// Makes the store of a core module.
    pub(crate) fn module_store(&self) -> Result<Store<ModuleHost>, Error> {
        let host = ModuleHost::new(self.invocation, self.meter())?;
        store(self.runtime, host, &self.invocation.limits)
    }

    /// Makes the store of a component.
    pub(crate) fn component_store(&self) -> Result<Store<Host>, Error> {
        let host = Host::new(self.invocation, self.meter(), Arc::clone(&self.guard))?;
        store(self.runtime, host, &self.invocation.limits)
    }

    fn meter(&self) -> Meter {
        Meter::new(&self.invocation.limits, Arc::clone(&self.watch))
    }

    /// Runs the guest, and ends it at its limits. Returns what it gave, or how it ended before.
    ///
    /// A guest that computes is stopped by epochs, and one that waits by the clock.
    pub(crate) async fn within<T>(
        &self,
        run: impl Future<Output = Result<Result<T, wasmtime::Error>, Error>>,
    ) -> Result<Result<T, Ended>, Error> {
        let limits = &self.invocation.limits;
        let _ticker = Ticker::start(&self.runtime.engine);
        let given = match limits.time {
            None => run.await?,
            Some(time) => match tokio::time::timeout(time, run).await {
                Ok(given) => given?,
                Err(_) => return Ok(Err(Ended::Stopped(Stop::Time(time)))),
            },
        };
        match Ended::stopped(limits, &self.watch) {
            Some(stopped) => Ok(Err(stopped)),
            None => Ok(given.map_err(|error| Ended::of(&error, limits, &self.watch))),
        }
    }

    /// Tells what came of it, as it ended.
    pub(crate) fn outcome(&self, ended: Ended) -> Outcome {
        let suspected = denied::suspected(self.code, self.runtime, &self.invocation.grants, &ended);
        Outcome { ended, denials: self.guard.denials(), suspected }
    }
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
