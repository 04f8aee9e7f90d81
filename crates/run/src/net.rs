//! What a guest may reach over the network: pure rules, and whether they cover what it asks for.
//!
//! ```text
//! --net HOST:PORT      sockets and HTTP      --http HOST[:PORT]   HTTP alone       --net listen:PORT   binding, listening
//!
//! a guest names an address   some rule has to cover the address
//! a guest names a name       some rule has to cover the name before it is looked up, and then either that rule has to
//!                            trust the address that comes back, or another rule has to cover the address
//! ```

mod host;

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

use crate::InvalidGrant;
pub(crate) use host::Host;
use host::{Hosts, Port};

/// What a [`Rule`] to listen begins with.
const LISTEN: &str = "listen:";

/// Ports of an [`HttpRule`] that names none but names a host.
const HTTP_PORTS: [u16; 2] = [80, 443];

/// What a guest may reach over the network; nothing by default.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Network {
    /// By sockets, and by `wasi:http`.
    pub rules: Vec<Rule>,
    /// By `wasi:http` alone, which sends requests and nothing else.
    pub http: Vec<HttpRule>,
}

/// Where a guest may connect to, or listen.
///
/// | text | covers |
/// |---|---|
/// | `example.org:443` | a name at one port; it may be at public addresses, and `localhost` at those of this machine |
/// | `*.example.org:443` | all names below one |
/// | `10.1.2.3:*`, `[::1]:80` | an address, here at all ports |
/// | `10.0.0.0/8:443`, `[fd00::/8]:443` | a block of addresses |
/// | `*:443` | any name and any address, private ones included |
/// | `listen:8080`, `listen:127.0.0.1:8080` | binding a port and listening there, at all addresses or one |
///
/// Whoever owns a name says where it is. One that is at a private address needs a rule for that address beside its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule(Reach);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Reach {
    Connect { hosts: Hosts, port: Port },
    Listen { address: Option<IpAddr>, port: Port },
}

/// Where a guest may send HTTP requests.
///
/// As text it is `HOST` for ports 80 and 443, or `HOST:PORT`; hosts are those of [`Rule`], but for `*`, which is any
/// *public* host, at any port if it names none. What is on this machine and in the networks around it is not public.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpRule {
    hosts: Hosts,
    /// Without one, the usual ones of a host, and all of `*`.
    port: Option<Port>,
}

/// How a guest reaches out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Via {
    Socket,
    Http,
}

impl Network {
    /// Covers everything: all hosts, all ports, listening.
    #[must_use]
    pub fn all() -> Self {
        let connect = Reach::Connect { hosts: Hosts::Any, port: Port::Any };
        let listen = Reach::Listen { address: None, port: Port::Any };
        Self { rules: vec![Rule(connect), Rule(listen)], http: Vec::new() }
    }

    /// Whether a guest may look a name up for sockets, at whatever port.
    pub(crate) fn covers_lookup(&self, name: &str) -> bool {
        let mut connects = self.rules.iter().filter_map(Rule::connect);
        connects.any(|(hosts, _)| hosts.covers_name(name))
    }

    /// Whether a guest may reach a name at a port, wherever it may be.
    pub(crate) fn covers_name(&self, name: &str, port: u16, via: Via) -> bool {
        self.any(port, via, |hosts| hosts.covers_name(name))
    }

    /// Whether a guest may reach a name at the address that it was found to be at.
    pub(crate) fn covers_name_at(&self, name: &str, address: SocketAddr, via: Via) -> bool {
        let (port, ip) = (address.port(), address.ip().to_canonical());
        self.any(port, via, |hosts| hosts.covers_name_at(name, ip))
            || (self.covers_name(name, port, via) && self.covers_address(address, via))
    }

    /// Whether a guest may reach an address that it names itself.
    pub(crate) fn covers_address(&self, address: SocketAddr, via: Via) -> bool {
        let ip = address.ip().to_canonical();
        self.any(address.port(), via, |hosts| hosts.covers_address(ip))
    }

    /// Whether a guest may bind an address and listen there.
    pub(crate) fn covers_listening(&self, address: SocketAddr) -> bool {
        let ip = address.ip().to_canonical();
        self.listens().any(|(own, port)| port.covers(address.port()) && own.is_none_or(|own| own == ip))
    }

    /// Whether a guest may listen at all.
    pub(crate) fn may_listen(&self) -> bool {
        self.listens().next().is_some()
    }

    fn listens(&self) -> impl Iterator<Item = (Option<IpAddr>, Port)> {
        self.rules.iter().filter_map(|rule| match rule.0 {
            Reach::Listen { address, port } => Some((address, port)),
            Reach::Connect { .. } => None,
        })
    }

    fn any(&self, port: u16, via: Via, covers: impl Fn(&Hosts) -> bool) -> bool {
        let mut connects = self.rules.iter().filter_map(Rule::connect);
        let mut http = self.http.iter();
        connects.any(|(hosts, own)| own.covers(port) && covers(hosts))
            || (via == Via::Http && http.any(|rule| rule.covers_port(port) && covers(&rule.hosts)))
    }
}

impl Rule {
    fn connect(&self) -> Option<(&Hosts, Port)> {
        match &self.0 {
            Reach::Connect { hosts, port } => Some((hosts, *port)),
            Reach::Listen { .. } => None,
        }
    }
}

impl FromStr for Rule {
    type Err = InvalidGrant;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if let Some(place) = text.strip_prefix(LISTEN) {
            return listening(place).map(Self);
        }
        let (host, port) = parts(text)?;
        let port = port.ok_or_else(|| InvalidGrant::PortMissing { rule: text.to_owned() })?;
        Ok(Self(Reach::Connect { hosts: host.parse()?, port: port.parse()? }))
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Reach::Connect { hosts, port } => write!(formatter, "{hosts}:{port}"),
            Reach::Listen { address: None, port } => write!(formatter, "{LISTEN}{port}"),
            Reach::Listen { address: Some(address), port } => {
                write!(formatter, "{LISTEN}{}:{port}", Host::Address(*address))
            }
        }
    }
}

impl HttpRule {
    fn covers_port(&self, port: u16) -> bool {
        match (self.port, &self.hosts) {
            (Some(own), _) => own.covers(port),
            (None, Hosts::Public) => true,
            (None, _) => HTTP_PORTS.contains(&port),
        }
    }
}

impl FromStr for HttpRule {
    type Err = InvalidGrant;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (host, port) = parts(text)?;
        let hosts = match host.parse()? {
            Hosts::Any => Hosts::Public,
            hosts => hosts,
        };
        Ok(Self { hosts, port: port.map(str::parse).transpose()? })
    }
}

impl fmt::Display for HttpRule {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.port {
            None => write!(formatter, "{}", self.hosts),
            Some(port) => write!(formatter, "{}:{port}", self.hosts),
        }
    }
}

/// Parts a host and its port.
fn parts(text: &str) -> Result<(&str, Option<&str>), InvalidGrant> {
    if text.contains("://") {
        return Err(InvalidGrant::Url { url: text.to_owned() });
    }
    match text.rsplit_once(':') {
        // The colons of an address of IPv6 are inside of brackets.
        Some((_, port)) if port.ends_with(']') => Ok((text, None)),
        Some((host, _)) if host.contains(':') && !host.starts_with('[') => {
            Err(InvalidGrant::Brackets { host: text.to_owned() })
        }
        Some((host, port)) => Ok((host, Some(port))),
        None => Ok((text, None)),
    }
}

/// Reads where to listen: `PORT` or `ADDRESS:PORT`.
fn listening(place: &str) -> Result<Reach, InvalidGrant> {
    let (address, port) = match parts(place)? {
        (address, Some(port)) => match Host::parse(address) {
            Some(Host::Address(address)) => (Some(address), port),
            Some(Host::Name(_)) | None => return Err(InvalidGrant::Host { host: address.to_owned() }),
        },
        (port, None) => (None, port),
    };
    // Listening at all addresses is what no address means.
    let address = address.filter(|address| !address.is_unspecified());
    Ok(Reach::Listen { address, port: port.parse()? })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn network(rules: &[&str], http: &[&str]) -> Network {
        Network {
            rules: rules.iter().map(|rule| rule.parse().unwrap()).collect(),
            http: http.iter().map(|rule| rule.parse().unwrap()).collect(),
        }
    }

    fn at(address: &str) -> SocketAddr {
        address.parse().unwrap()
    }

    #[test]
    fn rules_are_read_and_written() {
        for (text, written) in [
            ("example.org:443", "example.org:443"),
            ("EXAMPLE.org.:443", "example.org:443"),
            ("*.example.org:*", "*.example.org:*"),
            ("*:*", "*:*"),
            ("*:443", "*:443"),
            ("10.0.0.0/8:*", "10.0.0.0/8:*"),
            ("1.2.3.4/32:80", "1.2.3.4:80"),
            ("[::1]:80", "[::1]:80"),
            ("[::ffff:1.2.3.4]:80", "1.2.3.4:80"),
            ("[fd00::/8]:80", "[fd00::/8]:80"),
            ("listen:8080", "listen:8080"),
            ("listen:*", "listen:*"),
            ("listen:127.0.0.1:8080", "listen:127.0.0.1:8080"),
            ("listen:[::1]:*", "listen:[::1]:*"),
            ("listen:0.0.0.0:8080", "listen:8080"),
        ] {
            let rule: Rule = text.parse().unwrap();
            assert_eq!(rule.to_string(), written, "{text}");
            assert_eq!(written.parse(), Ok(rule), "{text}");
        }
    }

    #[test]
    fn rules_of_http_are_read_and_written() {
        for (text, written) in [
            ("example.org", "example.org"),
            ("Example.org:8080", "example.org:8080"),
            ("*", "*"),
            ("*:443", "*:443"),
            ("*.example.org", "*.example.org"),
            ("[::1]", "[::1]"),
            ("[::1]:80", "[::1]:80"),
            ("10.0.0.0/8", "10.0.0.0/8"),
        ] {
            let rule: HttpRule = text.parse().unwrap();
            assert_eq!(rule.to_string(), written, "{text}");
            assert_eq!(written.parse(), Ok(rule), "{text}");
        }
    }

    #[test]
    fn what_is_no_rule_says_why() {
        for (text, why) in [
            ("example.org", "`example.org` names no port: write `example.org:443`, or `example.org:*` for all of them"),
            ("[::1]", "`[::1]` names no port: write `[::1]:443`, or `[::1]:*` for all of them"),
            ("example.org:0", "`0` is no port: it is a number from 1 to 65535, or `*` for all of them"),
            ("example.org:65536", "`65536` is no port: it is a number from 1 to 65535, or `*` for all of them"),
            ("example.org:+80", "`+80` is no port: it is a number from 1 to 65535, or `*` for all of them"),
            ("example.org:", "`` is no port: it is a number from 1 to 65535, or `*` for all of them"),
            ("listen:http", "`http` is no port: it is a number from 1 to 65535, or `*` for all of them"),
            ("https://example.org", "`https://example.org` is a URL: write its host and port"),
            ("::1:80", "`::1:80` is an address of IPv6: write it in brackets, as in `[::1]:80`"),
            ("fd00::/8:80", "`fd00::/8:80` is an address of IPv6: write it in brackets, as in `[::1]:80`"),
            ("10.1.0.0/8:80", "`10.1.0.0/8` is no block: its address is not the first one; that is `10.0.0.0/8`"),
            ("[fd00::1/8]:80", "`[fd00::1/8]` is no block: its address is not the first one; that is `[fd00::/8]`"),
        ] {
            assert_eq!(text.parse::<Rule>().unwrap_err().to_string(), why, "{text}");
        }
        for text in [
            "a*.org:80",
            "*.*.org:80",
            "*.1.2.3.4:80",
            "**:80",
            "a b:80",
            ":80",
            "user@a:80",
            "a/b:80",
            "10.0.0.0/33:80",
            "[10.0.0.0/8]:80",
            "[::ffff:10.0.0.0/104]:80",
            "listen:example.org:80",
            "listen:10.0.0.0/8:80",
        ] {
            assert!(matches!(text.parse::<Rule>(), Err(InvalidGrant::Host { .. })), "{text}");
        }
    }

    #[test]
    fn a_name_covers_no_address_and_an_address_no_name() {
        let by_name = network(&["localhost:80"], &[]);
        let by_address = network(&["127.0.0.1:80"], &[]);
        assert!(by_name.covers_name("localhost", 80, Via::Socket));
        assert!(!by_name.covers_name("localhost", 81, Via::Socket));
        assert!(!by_name.covers_address(at("127.0.0.1:80"), Via::Http));
        assert!(by_address.covers_address(at("127.0.0.1:80"), Via::Socket));
        assert!(by_address.covers_address(at("[::ffff:127.0.0.1]:80"), Via::Socket));
        assert!(!by_address.covers_address(at("127.0.0.1:81"), Via::Socket));
        assert!(!by_address.covers_name("localhost", 80, Via::Http));
        assert!(!by_address.covers_lookup("localhost"));
    }

    #[test]
    fn a_name_at_a_private_address_needs_a_rule_for_that_address_too() {
        let address = at("10.1.2.3:80");
        let covers = |network: Network| network.covers_name_at("db.example", address, Via::Socket);
        assert!(!covers(network(&["db.example:80"], &[])));
        assert!(!covers(network(&["10.1.2.3:80"], &[])));
        assert!(!covers(network(&["db.example:80", "10.1.2.3:81"], &[])));
        assert!(!covers(network(&["db.example:81", "10.1.2.3:80"], &[])));
        assert!(covers(network(&["db.example:80", "10.1.2.3:80"], &[])));
        assert!(covers(network(&["*:80"], &[])));
    }

    #[test]
    fn rules_of_http_cover_no_sockets() {
        let http = network(&[], &["example.org", "10.0.0.1"]);
        assert!(http.covers_name("example.org", 80, Via::Http) && http.covers_name("example.org", 443, Via::Http));
        assert!(!http.covers_name("example.org", 8080, Via::Http));
        assert!(http.covers_address(at("10.0.0.1:443"), Via::Http));
        assert!(!http.covers_name("example.org", 80, Via::Socket));
        assert!(!http.covers_address(at("10.0.0.1:443"), Via::Socket));
        assert!(!http.covers_lookup("example.org"));
        assert!(network(&["example.org:8080"], &[]).covers_name("example.org", 8080, Via::Http));
    }

    #[test]
    fn http_to_any_host_is_to_public_ones() {
        let http = network(&[], &["*"]);
        assert!(http.covers_name("example.org", 8080, Via::Http));
        assert!(http.covers_name_at("example.org", at("1.1.1.1:8080"), Via::Http));
        assert!(!http.covers_name_at("example.org", at("127.0.0.1:8080"), Via::Http));
        assert!(!http.covers_name_at("localhost", at("127.0.0.1:80"), Via::Http));
        assert!(!http.covers_name_at("example.org", at("[::ffff:169.254.169.254]:80"), Via::Http));
        assert!(http.covers_address(at("1.1.1.1:80"), Via::Http));
        assert!(!http.covers_address(at("192.168.0.1:80"), Via::Http));
    }

    #[test]
    fn listening_is_granted_by_its_own_rules() {
        let covers = |rules: &[&str], address: &str| network(rules, &[]).covers_listening(at(address));
        assert!(covers(&["listen:8080"], "0.0.0.0:8080") && covers(&["listen:8080"], "[::]:8080"));
        assert!(covers(&["listen:8080"], "127.0.0.1:8080"));
        assert!(!covers(&["listen:8080"], "127.0.0.1:8081"));
        assert!(covers(&["listen:127.0.0.1:8080"], "127.0.0.1:8080"));
        assert!(!covers(&["listen:127.0.0.1:8080"], "0.0.0.0:8080"));
        assert!(covers(&["listen:*"], "0.0.0.0:0"));
        assert!(!covers(&["*:*"], "0.0.0.0:8080"));
        assert!(!network(&["*:*"], &[]).may_listen() && network(&["listen:1"], &[]).may_listen());
    }

    #[test]
    fn all_covers_all_and_nothing_nothing() {
        let (all, nothing) = (Network::all(), Network::default());
        let address = at("169.254.169.254:80");
        for via in [Via::Socket, Via::Http] {
            assert!(all.covers_name_at("a", address, via) && all.covers_address(address, via));
            assert!(!nothing.covers_name_at("a", address, via) && !nothing.covers_address(address, via));
        }
        assert!(all.covers_listening(address) && !nothing.covers_listening(address));
        assert!(all.covers_lookup("a") && !nothing.covers_lookup("a"));
    }

    /// Texts that rules are made of, right and wrong.
    fn text() -> impl Strategy<Value = String> {
        let part =
            prop_oneof!["[a-z0-9.*:/\\[\\]-]{0,12}", Just("listen:".to_owned()), Just("[::1]".to_owned()), ".{0,4}"];
        proptest::collection::vec(part, 0..4).prop_map(|parts| parts.concat())
    }

    proptest! {
        #[test]
        fn a_rule_is_read_as_it_is_written(text in text()) {
            if let Ok(rule) = text.parse::<Rule>() {
                prop_assert_eq!(rule.to_string().parse(), Ok(rule));
            }
            if let Ok(rule) = text.parse::<HttpRule>() {
                prop_assert_eq!(rule.to_string().parse(), Ok(rule));
            }
        }

        #[test]
        fn an_address_covers_itself_alone(own: IpAddr, other: IpAddr, port in 1_u16..) {
            let network = network(&[&format!("{}:{port}", Host::Address(own.to_canonical()))], &[]);
            prop_assert!(network.covers_address((own, port).into(), Via::Socket));
            let is_same = own.to_canonical() == other.to_canonical();
            prop_assert_eq!(network.covers_address((other, port).into(), Via::Socket), is_same);
        }

        #[test]
        fn a_block_covers_what_shares_its_prefix(first: u32, prefix in 0_u32..=32, other: u32) {
            let mask = u32::MAX.checked_shl(32 - prefix).unwrap_or(0);
            let network = network(&[&format!("{}/{prefix}:*", std::net::Ipv4Addr::from_bits(first & mask))], &[]);
            let address = IpAddr::from(std::net::Ipv4Addr::from_bits(other));
            prop_assert_eq!(network.covers_address((address, 1).into(), Via::Socket), (first ^ other) & mask == 0);
        }
    }
}
