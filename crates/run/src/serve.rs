//! Handlers of HTTP: each request goes to an instance of the guest.
//!
//! ```text
//! listener ─accept─> connection (hyper) ─request─> REQUESTS_MAX at once ─> instance ─response─> connection
//!                                                    as many as have place
//!                                                    0.2: a new one each time
//!                                                    0.3: one takes INSTANCE_REQUESTS_MAX, one by one
//! ```
//!
//! A request keeps its place until the guest is done with it, also where its client has gone.
//!
//! WASI 0.2 says nothing of a second request to the same instance, and guests in use do not survive one.

mod connection;
mod worker;

use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use wasmtime::component::InstancePre;
use wasmtime_wasi_http::handler::{ProxyHandler, ProxyPre};

use self::worker::Workers;
use crate::attempt::Ticker;
use crate::code::CompiledComponent;
use crate::host::Host;
use crate::{Code, Denied, Ended, Error, Invocation, Program, Runtime, Wasi};

/// Connections that are open at once; more wait to be accepted.
const CONNECTIONS_MAX: usize = 1_000;
/// Requests that are worked on at once; more wait.
const REQUESTS_MAX: usize = 1_000;
/// Time that a request may take where no limit says otherwise.
const REQUEST_TIME_MAX: Duration = Duration::from_secs(600);
/// Time that open requests have to end in when the server is to stop.
const GRACE: Duration = Duration::from_secs(10);
/// Wait after a connection could not be accepted, as for want of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Is told what happens while a guest serves.
pub trait Watcher: Send + Sync + 'static {
    /// The guest fits the host, and connections are taken.
    fn serving(&self);

    /// An instance ended otherwise than it should have. A request that it had not answered got status 500, or 504 where its
    /// time was over.
    fn ended(&self, ended: &Ended);

    /// An instance gave an error, which `error` says, where a response was asked for; its request got status 500.
    fn failed(&self, error: &str);

    /// The guest was refused something, for the first time.
    fn denied(&self, denied: &Denied);
}

/// Serves HTTP until `shutdown`, and then ends the requests that are open.
///
/// Each instance has the limits of the invocation; its time counts for each request, and is 10 minutes where there is none.
///
/// # Errors
/// [`Error::NotHandler`], and [`Error`] where the guest does not fit the host.
pub async fn serve(
    runtime: &Runtime,
    code: &Code,
    mut invocation: Invocation,
    watcher: Arc<dyn Watcher>,
    listener: TcpListener,
    shutdown: impl Future<Output = ()>,
) -> Result<(), Error> {
    let proxy = proxy(runtime, code)?;
    let _ticker = Ticker::start(&runtime.engine);
    // A limit of time also keeps guests from blocking the threads that all of them share.
    invocation.limits.time.get_or_insert(REQUEST_TIME_MAX);
    let places = runtime.places_for(code).clamp(1, REQUESTS_MAX);
    let handler = ProxyHandler::new(Workers::new(runtime.clone(), proxy, invocation, Arc::downgrade(&watcher), places));
    watcher.serving();
    let requests = Arc::new(Semaphore::new(REQUESTS_MAX));
    let connections = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let (stop, stopping) = tokio::sync::watch::channel(());
    let mut open = JoinSet::new();
    let mut shutdown = std::pin::pin!(shutdown);
    loop {
        let accept = async {
            let permit = Arc::clone(&connections).acquire_owned().await.expect("nobody closes it");
            (permit, listener.accept().await)
        };
        let (permit, accepted) = tokio::select! {
            () = &mut shutdown => break,
            Some(_) = open.join_next() => continue,
            accepted = accept => accepted,
        };
        match accepted {
            Ok((stream, _)) => {
                let serve = connection::serve(stream, handler.clone(), Arc::clone(&requests), stopping.clone());
                open.spawn(async move {
                    serve.await;
                    drop(permit);
                });
            }
            Err(_) => tokio::time::sleep(ACCEPT_PAUSE).await,
        }
    }
    drop(listener);
    drop(stop);
    // What does not end in time is cut off.
    let _all_ended = tokio::time::timeout(GRACE, async { while open.join_next().await.is_some() {} }).await;
    Ok(())
}

fn proxy(runtime: &Runtime, code: &Code) -> Result<ProxyPre<Host>, Error> {
    let programs = Program::all_of(code, runtime);
    let handler = programs.iter().find_map(|program| match program {
        Program::Handler(wasi) => Some(*wasi),
        Program::Command(_) | Program::Functions => None,
    });
    let (Code::Component(CompiledComponent(component)), Some(wasi)) = (code, handler) else {
        return Err(Error::NotHandler);
    };
    let pre: InstancePre<Host> = crate::linker::pre(component)?;
    let proxy = match wasi {
        Wasi::V03 => wasmtime_wasi_http::p3::bindings::ServicePre::new(pre).map(ProxyPre::P3),
        Wasi::V01 | Wasi::V02 => wasmtime_wasi_http::p2::bindings::ProxyPre::new(pre).map(ProxyPre::P2),
    };
    proxy.map_err(Error::instantiate)
}
