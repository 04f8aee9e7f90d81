//! Looks names up for sockets: `wasi:sockets/ip-name-lookup`, with a guard before the engine's own.
//!
//! The engine looks up all names or none. A name that goes out to a resolver can carry a message, and where a name is
//! found decides what a guest may connect to. So names are checked before, and addresses learned after.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use wasmtime::component::{Accessor, HasData, Linker, Resource};
use wasmtime_wasi::p2::bindings::sockets as p2;
use wasmtime_wasi::p2::bindings::sockets::ip_name_lookup::ResolveAddressStream;
use wasmtime_wasi::p2::{DynPollable, SocketError};
use wasmtime_wasi::p3::bindings::sockets as p3;
use wasmtime_wasi::sockets::{WasiSockets, WasiSocketsCtxView, WasiSocketsView as _};

use crate::guard::{Guard, NotLookedUp};
use crate::host::Host;
use crate::net;

/// Names that a component is looking up, by the handles of their streams.
pub(crate) type Lookups = HashMap<u32, Arc<str>>;

/// Puts the guarded lookup of 0.2 in the place of the engine's.
pub(crate) fn add_p2(linker: &mut Linker<Host>) -> wasmtime::Result<()> {
    p2::ip_name_lookup::add_to_linker::<Host, Names>(linker, Host::names)
}

/// Puts the guarded lookup of 0.3 in the place of the engine's.
pub(crate) fn add_p3(linker: &mut Linker<Host>) -> wasmtime::Result<()> {
    p3::ip_name_lookup::add_to_linker::<Host, Names>(linker, Host::names)
}

pub(crate) struct Names;

/// What a lookup works on.
pub(crate) struct View<'a> {
    pub(crate) guard: &'a Arc<Guard>,
    pub(crate) lookups: &'a mut Lookups,
    pub(crate) sockets: WasiSocketsCtxView<'a>,
}

impl HasData for Names {
    type Data<'a> = View<'a>;
}

impl p2::ip_name_lookup::Host for View<'_> {
    fn resolve_addresses(
        &mut self,
        network: Resource<p2::network::Network>,
        name: String,
    ) -> Result<Resource<ResolveAddressStream>, SocketError> {
        let host = self.guard.may_look_up(&name).map_err(|refused| match refused {
            NotLookedUp::Invalid => p2::network::ErrorCode::InvalidArgument,
            NotLookedUp::Denied => p2::network::ErrorCode::AccessDenied,
        })?;
        let stream = p2::ip_name_lookup::Host::resolve_addresses(&mut self.sockets, network, plain(&host))?;
        if let net::Host::Name(name) = host {
            self.lookups.insert(stream.rep(), name.into());
        }
        Ok(stream)
    }
}

impl p2::ip_name_lookup::HostResolveAddressStream for View<'_> {
    fn resolve_next_address(
        &mut self,
        stream: Resource<ResolveAddressStream>,
    ) -> Result<Option<p2::network::IpAddress>, SocketError> {
        let name = self.lookups.get(&stream.rep());
        let address = self.sockets.resolve_next_address(stream)?;
        if let (Some(name), Some(address)) = (name, &address) {
            self.guard.learn(name, ip(address));
        }
        Ok(address)
    }

    fn subscribe(&mut self, stream: Resource<ResolveAddressStream>) -> wasmtime::Result<Resource<DynPollable>> {
        p2::ip_name_lookup::HostResolveAddressStream::subscribe(&mut self.sockets, stream)
    }

    fn drop(&mut self, stream: Resource<ResolveAddressStream>) -> wasmtime::Result<()> {
        self.lookups.remove(&stream.rep());
        p2::ip_name_lookup::HostResolveAddressStream::drop(&mut self.sockets, stream)
    }
}

/// The errors of a lookup are those of the interface beside it.
impl p2::network::Host for View<'_> {
    fn convert_error_code(&mut self, error: SocketError) -> wasmtime::Result<p2::network::ErrorCode> {
        self.sockets.convert_error_code(error)
    }

    fn network_error_code(
        &mut self,
        error: Resource<wasmtime::Error>,
    ) -> wasmtime::Result<Option<p2::network::ErrorCode>> {
        self.sockets.network_error_code(error)
    }
}

impl p2::network::HostNetwork for View<'_> {
    fn drop(&mut self, network: Resource<p2::network::Network>) -> wasmtime::Result<()> {
        p2::network::HostNetwork::drop(&mut self.sockets, network)
    }
}

impl p3::ip_name_lookup::Host for View<'_> {}

impl p3::ip_name_lookup::HostWithStore<Host> for Names {
    async fn resolve_addresses(
        accessor: &Accessor<Host, Self>,
        name: String,
    ) -> wasmtime::Result<Result<Vec<p3::types::IpAddress>, p3::ip_name_lookup::ErrorCode>> {
        let guard = accessor.with(|mut access| Arc::clone(access.get().guard));
        let host = match guard.may_look_up(&name) {
            Ok(host) => host,
            Err(NotLookedUp::Invalid) => return Ok(Err(p3::ip_name_lookup::ErrorCode::InvalidArgument)),
            Err(NotLookedUp::Denied) => return Ok(Err(p3::ip_name_lookup::ErrorCode::AccessDenied)),
        };
        let sockets = accessor.with_getter::<WasiSockets>(Host::sockets);
        let addresses = WasiSockets::resolve_addresses(&sockets, plain(&host)).await?;
        if let (net::Host::Name(name), Ok(addresses)) = (host, &addresses) {
            let name: Arc<str> = name.into();
            addresses.iter().for_each(|address| guard.learn(&name, (*address).into()));
        }
        Ok(addresses)
    }
}

/// Writes a host as resolvers take it, in the form that was checked.
fn plain(host: &net::Host) -> String {
    match host {
        net::Host::Name(name) => name.clone(),
        net::Host::Address(address) => address.to_string(),
    }
}

fn ip(address: &p2::network::IpAddress) -> IpAddr {
    match *address {
        p2::network::IpAddress::Ipv4((a, b, c, d)) => Ipv4Addr::new(a, b, c, d).into(),
        p2::network::IpAddress::Ipv6((a, b, c, d, e, f, g, h)) => Ipv6Addr::new(a, b, c, d, e, f, g, h).into(),
    }
}
