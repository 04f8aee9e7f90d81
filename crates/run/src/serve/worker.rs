//! The instances behind a server.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use tokio::time::Sleep;
use wasmtime::component::GuestTaskId;
use wasmtime::{Store, StoreContextMut};
use wasmtime_wasi_http::WasiHttpView as _;
use wasmtime_wasi_http::handler::{
    HandlerState, Instance, ProxyPre, ShouldAccept, WorkerExpiration, WorkerState, WorkerStatus,
};

use super::Watcher;
use crate::guard::Guard;
use crate::host::{Host, store};
use crate::limits::Meter;
use crate::{Ended, Invocation, Limits, Runtime};

/// Requests that one instance of WASI 0.3 takes in its life.
const INSTANCE_REQUESTS_MAX: usize = 128;
/// Requests that it works on at once.
const INSTANCE_REQUESTS_AT_ONCE: usize = 16;
/// Time that an instance waits for its next request.
const IDLE_MAX: Duration = Duration::from_secs(1);
/// Time that a request may take where no limit says otherwise.
const REQUEST_TIME_MAX: Duration = Duration::from_secs(600);

/// Makes the instances.
pub(super) struct Workers {
    runtime: Runtime,
    proxy: ProxyPre<Host>,
    invocation: Arc<Invocation>,
    guard: Arc<Guard>,
    watcher: Arc<dyn Watcher>,
}

impl Workers {
    pub(super) fn new(
        runtime: Runtime,
        proxy: ProxyPre<Host>,
        invocation: Arc<Invocation>,
        watcher: Arc<dyn Watcher>,
    ) -> Self {
        let told = Arc::clone(&watcher);
        let guard = Guard::telling(invocation.grants.network.clone(), move |denied| told.denied(denied));
        Self { runtime, proxy, invocation, guard: Arc::new(guard), watcher }
    }

    fn request_time(&self) -> Duration {
        self.invocation.limits.time.unwrap_or(REQUEST_TIME_MAX)
    }
}

impl HandlerState for Workers {
    type StoreData = Host;
    type WorkerExpiration = Expiration;
    type WorkerState = Worker;

    async fn instantiate(&self) -> wasmtime::Result<Instance<Host, Expiration, Worker>> {
        // An instance that lives on is not late because of the requests that it has answered: each is timed on its own.
        let time = match self.proxy {
            ProxyPre::P2(_) => Some(self.request_time()),
            ProxyPre::P3(_) => None,
        };
        let limits = Limits { time, ..self.invocation.limits.clone() };
        let host = Host::new(&self.invocation, Meter::new(&limits), Arc::clone(&self.guard))?;
        let mut store = store(&self.runtime, host, &limits)?;
        let proxy = self.proxy.instantiate_async(&mut store).await?;
        let time = self.request_time();
        let requests_max = match self.proxy {
            ProxyPre::P2(_) => 1,
            ProxyPre::P3(_) => INSTANCE_REQUESTS_MAX,
        };
        let expiration = Expiration { time, sleep: Box::pin(tokio::time::sleep(time)) };
        let state = Worker { time, requests_max, limits, watcher: Arc::clone(&self.watcher) };
        Ok(Instance { store, proxy, view: Host::http, expiration, state })
    }
}

/// Ends an instance that has nothing to do, or is at one thing for too long.
pub(super) struct Expiration {
    time: Duration,
    sleep: Pin<Box<Sleep>>,
}

impl WorkerExpiration for Expiration {
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>, status: WorkerStatus, start: Instant) -> Poll<()> {
        let time = match status {
            WorkerStatus::Idle => IDLE_MAX,
            WorkerStatus::Requests | WorkerStatus::PostReturn => self.time,
        };
        let deadline = (start + time).into();
        if self.sleep.deadline() != deadline {
            self.sleep.as_mut().reset(deadline);
        }
        self.sleep.as_mut().poll(context)
    }
}

/// What an instance takes on.
pub(super) struct Worker {
    time: Duration,
    requests_max: usize,
    limits: Limits,
    watcher: Arc<dyn Watcher>,
}

impl WorkerState for Worker {
    type StoreData = Host;
    type RequestData = ();

    fn should_accept_request(&self, at_once: usize, total: usize) -> ShouldAccept {
        match (total >= self.requests_max, at_once >= INSTANCE_REQUESTS_AT_ONCE) {
            (true, _) => ShouldAccept::Never,
            (false, true) => ShouldAccept::No,
            (false, false) => ShouldAccept::Yes,
        }
    }

    fn on_request_start(
        &self,
        _: StoreContextMut<'_, Host>,
        (): (),
        _: GuestTaskId,
    ) -> Pin<Box<dyn Future<Output = ()> + Send + Sync>> {
        Box::pin(tokio::time::sleep(self.time))
    }

    fn drop(&self, mut store: Store<Host>, result: wasmtime::Result<()>) {
        if let Err(error) = result {
            let watch = store.data_mut().watch();
            self.watcher.ended(&Ended::of(&error, &self.limits, &watch));
        }
    }
}
