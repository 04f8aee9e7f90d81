//! Stands between a guest and the network: asks the rules, and keeps what it refused.

use std::collections::VecDeque;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use wasmtime_wasi::sockets::SocketAddrUse;

use crate::net::{Host, Via};
use crate::{Denied, Network};

/// Refusals that are kept; a guest could ask for ever.
const DENIALS_MAX: usize = 16;

/// Addresses that are kept of names that were looked up; the oldest go first.
const LEARNED_MAX: usize = 1_024;

/// Ports of HTTP that a flag need not name.
const HTTP_PORTS: [u16; 2] = [80, 443];

/// Stands between a guest and the network. All instances of one run share it.
pub(crate) struct Guard {
    network: Network,
    /// Addresses, and the granted name that each was found under.
    learned: Mutex<VecDeque<(IpAddr, Arc<str>)>>,
    denials: Mutex<Vec<Denied>>,
    told: Box<dyn Fn(&Denied) + Send + Sync>,
}

/// Why a name is not looked up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NotLookedUp {
    /// It is neither a name nor an address.
    Invalid,
    /// No rule covers it.
    Denied,
}

impl Guard {
    pub(crate) fn new(network: Network) -> Self {
        Self::telling(network, |_| ())
    }

    /// Makes a guard that tells each refusal once, when it comes.
    pub(crate) fn telling(network: Network, told: impl Fn(&Denied) + Send + Sync + 'static) -> Self {
        Self { network, learned: Mutex::default(), denials: Mutex::default(), told: Box::new(told) }
    }

    /// Returns what was refused so far, each once.
    pub(crate) fn denials(&self) -> Vec<Denied> {
        lock(&self.denials).clone()
    }

    /// Whether a socket may do that with an address.
    pub(crate) fn may_use(&self, address: SocketAddr, usage: SocketAddrUse) -> bool {
        let address = SocketAddr::new(address.ip().to_canonical(), address.port());
        match usage {
            SocketAddrUse::TcpConnect => self.may_send("connect to", address),
            SocketAddrUse::UdpSend => self.may_send("send datagrams to", address),
            // What connects or sends is bound like this before, and may then still not receive from anywhere.
            SocketAddrUse::TcpBind | SocketAddrUse::UdpBind if is_any_port(address) => true,
            SocketAddrUse::TcpBind | SocketAddrUse::UdpBind => self.may_listen("bind", address),
            SocketAddrUse::TcpListen => self.may_listen("listen at", address),
            // Only a socket that may listen accepts.
            SocketAddrUse::TcpAccept => self.network.may_listen(),
            // What comes unasked is not the guest's doing, and no refusal to tell.
            SocketAddrUse::UdpReceive => self.network.may_listen() || self.covers(address),
        }
    }

    /// Reads what is to be looked up for sockets, and says whether it may be. A name that goes out to a resolver is
    /// a message too.
    pub(crate) fn may_look_up(&self, text: &str) -> Result<Host, NotLookedUp> {
        let bare = || text.parse().ok().map(|address: IpAddr| Host::Address(address.to_canonical()));
        let host = Host::parse(text).or_else(bare).ok_or(NotLookedUp::Invalid)?;
        match &host {
            Host::Name(name) if !self.network.covers_lookup(name) => {
                self.deny(format!("look up the name `{name}`"), format!("--net {name}:PORT"));
                Err(NotLookedUp::Denied)
            }
            Host::Name(_) | Host::Address(_) => Ok(host),
        }
    }

    /// Notes where a name is that was granted and looked up.
    pub(crate) fn learn(&self, name: &Arc<str>, address: IpAddr) {
        let found = (address.to_canonical(), Arc::clone(name));
        let mut learned = lock(&self.learned);
        if !learned.contains(&found) {
            if learned.len() == LEARNED_MAX {
                learned.pop_front();
            }
            learned.push_back(found);
        }
    }

    /// Whether a guest may send requests to a host, wherever that may be.
    pub(crate) fn may_request(&self, host: &Host, port: u16) -> bool {
        let may = match host {
            Host::Name(name) => self.network.covers_name(name, port, Via::Http),
            Host::Address(address) => self.network.covers_address((*address, port).into(), Via::Http),
        };
        if !may {
            self.deny(format!("send requests to {host}:{port}"), http_flag(host, port));
        }
        may
    }

    /// Returns at which of the addresses of a name a guest may send requests to it.
    pub(crate) fn requestable(&self, name: &str, addresses: Vec<SocketAddr>) -> Vec<SocketAddr> {
        let may = |address: &SocketAddr| self.network.covers_name_at(name, *address, Via::Http);
        let (may, refused): (Vec<_>, Vec<_>) = addresses.into_iter().partition(may);
        if let ([], [address, ..]) = (may.as_slice(), refused.as_slice()) {
            let (host, port) = (Host::Address(address.ip().to_canonical()), address.port());
            self.deny(format!("send requests to {name}:{port}, which is at {host}"), http_flag(&host, port));
        }
        may
    }

    fn may_send(&self, action: &str, address: SocketAddr) -> bool {
        let may = self.covers(address);
        if !may {
            let (host, port) = (Host::Address(address.ip()), address.port());
            match self.name_of(address.ip()) {
                None => self.deny(format!("{action} {host}:{port}"), format!("--net {host}:{port}")),
                Some(name) if self.network.covers_name(&name, port, Via::Socket) => {
                    self.deny(format!("{action} {name}:{port}, which is at {host}"), format!("--net {host}:{port}"));
                }
                Some(name) => self.deny(format!("{action} {name}:{port}"), format!("--net {name}:{port}")),
            }
        }
        may
    }

    fn may_listen(&self, action: &str, address: SocketAddr) -> bool {
        let may = self.network.covers_listening(address);
        if !may {
            let port = match address.port() {
                0 => "*".to_owned(),
                port => port.to_string(),
            };
            let flag = match address.ip() {
                ip if ip.is_unspecified() => format!("--net listen:{port}"),
                ip => format!("--net listen:{}:{port}", Host::Address(ip)),
            };
            self.deny(format!("{action} {address}"), flag);
        }
        may
    }

    /// Whether a rule covers an address, or the name that it was found under.
    fn covers(&self, address: SocketAddr) -> bool {
        let is_found = |(ip, name): &(IpAddr, Arc<str>)| {
            *ip == address.ip() && self.network.covers_name_at(name, address, Via::Socket)
        };
        self.network.covers_address(address, Via::Socket) || lock(&self.learned).iter().any(is_found)
    }

    fn name_of(&self, address: IpAddr) -> Option<Arc<str>> {
        let learned = lock(&self.learned);
        learned.iter().rev().find(|(own, _)| *own == address).map(|(_, name)| Arc::clone(name))
    }

    fn deny(&self, what: String, flag: String) {
        let denied = Denied { what, flag };
        let mut denials = lock(&self.denials);
        if denials.len() < DENIALS_MAX && !denials.contains(&denied) {
            denials.push(denied.clone());
            drop(denials);
            (self.told)(&denied);
        }
    }
}

/// Whether an address is what the system picks for a socket that does not say.
fn is_any_port(address: SocketAddr) -> bool {
    address.ip().is_unspecified() && address.port() == 0
}

fn http_flag(host: &Host, port: u16) -> String {
    match HTTP_PORTS.contains(&port) {
        true => format!("--http {host}"),
        false => format!("--http {host}:{port}"),
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guard(rules: &[&str], http: &[&str]) -> Guard {
        Guard::new(Network {
            rules: rules.iter().map(|rule| rule.parse().unwrap()).collect(),
            http: http.iter().map(|rule| rule.parse().unwrap()).collect(),
        })
    }

    fn at(address: &str) -> SocketAddr {
        address.parse().unwrap()
    }

    fn denials(guard: &Guard) -> Vec<(String, String)> {
        guard.denials().into_iter().map(|denied| (denied.what, denied.flag)).collect()
    }

    fn pair(what: &str, flag: &str) -> (String, String) {
        (what.to_owned(), flag.to_owned())
    }

    #[test]
    fn an_address_that_no_rule_covers_is_refused_and_told_once() {
        let guard = guard(&["10.0.0.1:80"], &["10.0.0.2"]);
        assert!(guard.may_use(at("10.0.0.1:80"), SocketAddrUse::TcpConnect));
        assert!(guard.may_use(at("[::ffff:10.0.0.1]:80"), SocketAddrUse::TcpConnect));
        for _ in 0..2 {
            assert!(!guard.may_use(at("10.0.0.2:80"), SocketAddrUse::TcpConnect));
            assert!(!guard.may_use(at("[::ffff:10.0.0.2]:80"), SocketAddrUse::TcpConnect));
            assert!(!guard.may_use(at("[::1]:53"), SocketAddrUse::UdpSend));
        }
        let connect = pair("connect to 10.0.0.2:80", "--net 10.0.0.2:80");
        assert_eq!(denials(&guard), [connect, pair("send datagrams to [::1]:53", "--net [::1]:53")]);
    }

    #[test]
    fn the_addresses_of_a_granted_name_are_learned_for_its_port() {
        let guard = guard(&["a.example:80", "10.0.0.1:80"], &[]);
        let name: Arc<str> = "a.example".into();
        assert!(!guard.may_use(at("1.1.1.1:80"), SocketAddrUse::TcpConnect));
        guard.learn(&name, at("1.1.1.1:0").ip());
        guard.learn(&name, at("10.0.0.2:0").ip());
        assert!(guard.may_use(at("1.1.1.1:80"), SocketAddrUse::TcpConnect));
        assert!(guard.may_use(at("1.1.1.1:80"), SocketAddrUse::UdpSend));
        assert!(guard.may_use(at("1.1.1.1:80"), SocketAddrUse::UdpReceive));
        assert!(!guard.may_use(at("1.1.1.1:81"), SocketAddrUse::TcpConnect));
        assert!(!guard.may_use(at("10.0.0.2:80"), SocketAddrUse::TcpConnect));
        let expected = [
            pair("connect to 1.1.1.1:80", "--net 1.1.1.1:80"),
            pair("connect to a.example:81", "--net a.example:81"),
            pair("connect to a.example:80, which is at 10.0.0.2", "--net 10.0.0.2:80"),
        ];
        assert_eq!(denials(&guard), expected);
    }

    #[test]
    fn names_are_looked_up_for_sockets_only_when_granted() {
        let guard = guard(&["a.example:80"], &["b.example"]);
        assert_eq!(guard.may_look_up("A.example.").unwrap().to_string(), "a.example");
        assert_eq!(guard.may_look_up("b.example"), Err(NotLookedUp::Denied));
        assert_eq!(guard.may_look_up("secret.c.example"), Err(NotLookedUp::Denied));
        assert_eq!(guard.may_look_up("a b"), Err(NotLookedUp::Invalid));
        for address in ["1.2.3.4", "::1", "[::1]"] {
            assert!(matches!(guard.may_look_up(address), Ok(Host::Address(_))), "{address}");
        }
        let flags: Vec<String> = denials(&guard).into_iter().map(|(_, flag)| flag).collect();
        assert_eq!(flags, ["--net b.example:PORT", "--net secret.c.example:PORT"]);
    }

    #[test]
    fn listening_needs_its_own_grant() {
        let listening = |rules: &[&str], address: &str, usage| {
            let guard = guard(rules, &[]);
            (guard.may_use(at(address), usage), denials(&guard).pop().map(|(_, flag)| flag))
        };
        let flag = |flag: &str| Some(flag.to_owned());
        let refused = |text: &str| (false, flag(text));
        assert_eq!(listening(&[], "0.0.0.0:0", SocketAddrUse::TcpBind), (true, None));
        assert_eq!(listening(&["*:*"], "0.0.0.0:80", SocketAddrUse::TcpBind), refused("--net listen:80"));
        assert_eq!(listening(&["*:*"], "[::]:53", SocketAddrUse::UdpBind), refused("--net listen:53"));
        assert_eq!(listening(&["*:*"], "127.0.0.1:0", SocketAddrUse::TcpBind), refused("--net listen:127.0.0.1:*"));
        assert_eq!(listening(&["*:*"], "0.0.0.0:0", SocketAddrUse::TcpListen), refused("--net listen:*"));
        assert_eq!(listening(&["*:*"], "10.0.0.1:9", SocketAddrUse::TcpAccept), (false, None));
        assert_eq!(listening(&[], "10.0.0.1:9", SocketAddrUse::UdpReceive), (false, None));
        for usage in [SocketAddrUse::TcpBind, SocketAddrUse::TcpListen, SocketAddrUse::UdpBind] {
            assert_eq!(listening(&["listen:80"], "0.0.0.0:80", usage), (true, None));
        }
        for usage in [SocketAddrUse::TcpAccept, SocketAddrUse::UdpReceive] {
            assert_eq!(listening(&["listen:80"], "10.0.0.1:9", usage), (true, None));
        }
    }

    #[test]
    fn requests_are_checked_by_name_and_then_by_address() {
        let guard = guard(&[], &["a.example", "10.0.0.1:8080"]);
        assert!(guard.may_request(&Host::parse("a.example").unwrap(), 80));
        assert!(guard.may_request(&Host::parse("10.0.0.1").unwrap(), 8080));
        assert!(!guard.may_request(&Host::parse("b.example").unwrap(), 443));
        assert!(!guard.may_request(&Host::parse("10.0.0.1").unwrap(), 80));
        assert!(!guard.may_request(&Host::parse("[::1]").unwrap(), 8080));
        let addresses = ["127.0.0.1:80", "1.1.1.1:80", "10.0.0.1:80"].map(at).to_vec();
        assert_eq!(guard.requestable("a.example", addresses), [at("1.1.1.1:80")]);
        assert_eq!(guard.requestable("a.example", vec![at("[::ffff:169.254.169.254]:80")]), []);
        let expected = [
            pair("send requests to b.example:443", "--http b.example"),
            pair("send requests to 10.0.0.1:80", "--http 10.0.0.1"),
            pair("send requests to [::1]:8080", "--http [::1]:8080"),
            pair("send requests to a.example:80, which is at 169.254.169.254", "--http 169.254.169.254"),
        ];
        assert_eq!(denials(&guard), expected);
    }

    #[test]
    fn what_a_guest_asks_for_is_kept_up_to_a_bound() {
        let told = Arc::new(Mutex::new(0));
        let count = Arc::clone(&told);
        let guard = Guard::telling(Network::default(), move |_| *lock(&count) += 1);
        for port in 1..=100 {
            assert!(!guard.may_use((IpAddr::from([10, 0, 0, 1]), port).into(), SocketAddrUse::TcpConnect));
        }
        assert_eq!((guard.denials().len(), *lock(&told)), (DENIALS_MAX, DENIALS_MAX));
        let name: Arc<str> = "a.example".into();
        for number in 0..2_000_u32 {
            guard.learn(&name, IpAddr::V4(number.into()));
        }
        assert_eq!(lock(&guard.learned).len(), LEARNED_MAX);
    }
}
