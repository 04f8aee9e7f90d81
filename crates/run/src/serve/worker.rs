//! The instances behind a server.

use std::pin::Pin;
use std::sync::{Arc, OnceLock, Weak};
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Sleep;
use wasmtime::component::GuestTaskId;
use wasmtime::{Store, StoreContextMut};
use wasmtime_wasi_http::WasiHttpView as _;
use wasmtime_wasi_http::handler::{
    ExpirationError, HandlerState, Instance, InstantiationError, ProxyPre, ShouldAccept, WorkerExpiration, WorkerState,
    WorkerStatus,
};
use wasmtime_wasi_http::p2::bindings::http::types as p2;
use wasmtime_wasi_http::p3::bindings::http::types as p3;

use super::Watcher;
use crate::guard::Guard;
use crate::host::{Host, store};
use crate::limits::{Meter, Watch};
use crate::{Ended, Invocation, Limits, Runtime, Stop};

/// Requests that one instance of WASI 0.3 takes in its life.
const INSTANCE_REQUESTS_MAX: usize = 128;
/// Time that an instance waits for its next request.
const IDLE_MAX: Duration = Duration::from_secs(1);

/// Makes the instances.
pub(super) struct Workers {
    runtime: Runtime,
    proxy: ProxyPre<Host>,
    invocation: Invocation,
    guard: Arc<Guard>,
    /// Gone when the server has stopped: instances that are cut off then have done nothing wrong.
    watcher: Weak<dyn Watcher>,
    /// Places for instances; whoever finds none waits.
    places: Arc<Semaphore>,
}

impl Workers {
    pub(super) fn new(
        runtime: Runtime,
        proxy: ProxyPre<Host>,
        invocation: Invocation,
        watcher: Weak<dyn Watcher>,
        places: usize,
    ) -> Self {
        let told = Weak::clone(&watcher);
        let guard = Guard::telling(invocation.grants.network.clone(), move |denied| {
            if let Some(watcher) = told.upgrade() {
                watcher.denied(denied);
            }
        });
        let places = Arc::new(Semaphore::new(places));
        Self { runtime, proxy, invocation, guard: Arc::new(guard), watcher, places }
    }

    /// Tells of an error that the guest gave for a response. Of all others that end a request, its instance tells.
    pub(super) fn tell_error_code(&self, error: &wasmtime::Error) {
        let of_0_2 = error.downcast_ref::<p2::ErrorCode>().map(|code| format!("{code:?}"));
        let code = of_0_2.or_else(|| error.downcast_ref::<p3::ErrorCode>().map(|code| format!("{code:?}")));
        if let Some((code, watcher)) = code.zip(self.watcher.upgrade()) {
            watcher.failed(&code);
        }
    }
}

/// Goes with a request for as long as the guest is at it.
pub(super) struct Ticket {
    _place: OwnedSemaphorePermit,
    /// That of the instance which took the request.
    watch: OnceLock<Arc<Watch>>,
}

impl Ticket {
    pub(super) fn new(place: OwnedSemaphorePermit) -> Self {
        Self { _place: place, watch: OnceLock::new() }
    }

    /// Whether a request failed because its time was over.
    pub(super) fn is_late(&self, error: &wasmtime::Error) -> bool {
        let instantiation = error.downcast_ref::<InstantiationError<Arc<Self>>>();
        let stop = instantiation.and_then(|failed| failed.error.downcast_ref::<Stop>());
        error.is::<ExpirationError>()
            || matches!(stop, Some(Stop::Time(_)))
            || self.watch.get().is_some_and(|watch| watch.is_expired())
    }
}

impl HandlerState for Workers {
    type StoreData = Host;
    type WorkerExpiration = Expiration;
    type WorkerState = Worker;

    async fn instantiate(&self) -> wasmtime::Result<Instance<Host, Expiration, Worker>> {
        let place = Arc::clone(&self.places).acquire_owned().await?;
        let limits = &self.invocation.limits;
        let time = limits.time.unwrap_or(Duration::MAX);
        // An instance that lives on is not late because of the requests that it has answered: each is timed on its own.
        let watch = Arc::new(Watch::new(&Limits { time: None, ..limits.clone() }));
        let meter = Meter::new(limits, Arc::clone(&watch));
        let host = Host::new(&self.invocation, meter, Arc::clone(&self.guard))?;
        let mut store = store(&self.runtime, host, limits)?;
        let made = tokio::time::timeout(time, self.proxy.instantiate_async(&mut store)).await;
        let made = made.unwrap_or_else(|_| Err(Stop::Time(time).into()));
        // No worker comes of it, which would tell.
        let proxy = made.inspect_err(|error| tell(&self.watcher, &Ended::of(error, limits, &watch)))?;
        let is_reused = matches!(self.proxy, ProxyPre::P3(_));
        let expiration = Expiration { time, sleep: Box::pin(tokio::time::sleep(time)), watch };
        let watcher = Weak::clone(&self.watcher);
        let limits = limits.clone();
        let state = Worker { is_reused, limits, watcher, _place: place };
        Ok(Instance { store, proxy, view: Host::http, expiration, state })
    }
}

/// Ends an instance that has nothing to do, or is at one thing for too long.
pub(super) struct Expiration {
    time: Duration,
    sleep: Pin<Box<Sleep>>,
    watch: Arc<Watch>,
}

impl WorkerExpiration for Expiration {
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>, status: WorkerStatus, start: Instant) -> Poll<()> {
        let time = match status {
            WorkerStatus::Idle => IDLE_MAX,
            WorkerStatus::Requests | WorkerStatus::PostReturn => self.time,
        };
        // A time that no clock reaches is none.
        let Some(deadline) = start.checked_add(time).map(Into::into) else { return Poll::Pending };
        if self.sleep.deadline() != deadline {
            self.sleep.as_mut().reset(deadline);
        }
        ready!(self.sleep.as_mut().poll(context));
        if status != WorkerStatus::Idle {
            self.watch.expire();
        }
        Poll::Ready(())
    }
}

/// What an instance takes on.
pub(super) struct Worker {
    /// Whether it takes another request when it has answered one.
    is_reused: bool,
    limits: Limits,
    watcher: Weak<dyn Watcher>,
    _place: OwnedSemaphorePermit,
}

impl WorkerState for Worker {
    type StoreData = Host;
    type RequestData = Arc<Ticket>;

    fn should_accept_request(&self, at_once: usize, total: usize) -> ShouldAccept {
        let requests_max = if self.is_reused { INSTANCE_REQUESTS_MAX } else { 1 };
        // One at a time: a guest that blocks keeps what comes to its instance meanwhile waiting, for which the engine has no
        // sign, and one that traps takes with it whatever it is at.
        match (total >= requests_max, at_once > 0) {
            (true, _) => ShouldAccept::Never,
            (false, true) => ShouldAccept::No,
            (false, false) => ShouldAccept::Yes,
        }
    }

    fn on_request_start(
        &self,
        mut store: StoreContextMut<'_, Host>,
        ticket: Arc<Ticket>,
        _: GuestTaskId,
    ) -> Pin<Box<dyn Future<Output = ()> + Send + Sync>> {
        ticket.watch.get_or_init(|| store.data_mut().watch());
        // The instance ends when its request is late.
        Box::pin(async move {
            let _held = ticket;
            std::future::pending().await
        })
    }

    fn drop(&self, mut store: Store<Host>, result: wasmtime::Result<()>) {
        if let Err(error) = result {
            let watch = store.data_mut().watch();
            tell(&self.watcher, &Ended::of(&error, &self.limits, &watch));
        }
    }
}

fn tell(watcher: &Weak<dyn Watcher>, ended: &Ended) {
    if let Some(watcher) = watcher.upgrade() {
        watcher.ended(ended);
    }
}
