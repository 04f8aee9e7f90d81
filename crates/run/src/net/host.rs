//! Patterns of hosts and ports, and the normal form of what they are compared with.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use crate::InvalidGrant;

/// Bytes of a name, as DNS has it.
const NAME_BYTES_MAX: usize = 253;

/// The name of this machine, for itself. RFC 6761, section 6.3: it and all below it are on the loopback.
const LOCALHOST: &str = "localhost";

/// A host in its normal form: a name in lower case, of ASCII, with no dot at its end, or an address, which is one of
/// IPv4 where it can be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Host {
    Name(String),
    Address(IpAddr),
}

impl Host {
    /// Reads a host as browsers do: `EXAMPLE.org.` is `example.org`, and `2130706433`, `0x7f.1` and
    /// `[::ffff:127.0.0.1]` are `127.0.0.1`, as the system's resolver would have it too.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let host = match url::Host::parse(text).ok()? {
            url::Host::Ipv4(address) => return Some(Self::Address(address.into())),
            url::Host::Ipv6(address) => return Some(Self::Address(IpAddr::V6(address).to_canonical())),
            url::Host::Domain(name) => name,
        };
        let name = host.strip_suffix('.').unwrap_or(&host);
        let is_name = !name.is_empty() && name.len() <= NAME_BYTES_MAX && !name.split('.').any(str::is_empty);
        is_name.then(|| Self::Name(name.to_owned()))
    }
}

impl fmt::Display for Host {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => formatter.write_str(name),
            Self::Address(IpAddr::V4(address)) => write!(formatter, "{address}"),
            Self::Address(IpAddr::V6(address)) => write!(formatter, "[{address}]"),
        }
    }
}

/// Which hosts a rule covers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Hosts {
    /// All names and all addresses.
    Any,
    /// All names, and the addresses that [`is_public`].
    Public,
    /// One name.
    Name(String),
    /// All names below one, which is not itself covered.
    Below(String),
    /// Addresses; one alone is a block too.
    Block(Block),
}

impl Hosts {
    pub(super) fn covers_name(&self, name: &str) -> bool {
        match self {
            Self::Any | Self::Public => true,
            Self::Name(own) => own == name,
            Self::Below(own) => name.strip_suffix(own).is_some_and(|start| start.ends_with('.')),
            Self::Block(_) => false,
        }
    }

    pub(super) fn covers_address(&self, address: IpAddr) -> bool {
        match self {
            Self::Any => true,
            Self::Public => is_public(address),
            Self::Name(_) | Self::Below(_) => false,
            Self::Block(block) => block.contains(address),
        }
    }

    /// Whether a name that is covered may be at an address.
    ///
    /// Whoever owns a name says where it is, and may be who wrote the guest. So a name takes the guest out into the
    /// public, and not into this machine or the networks around it.
    pub(super) fn covers_name_at(&self, name: &str, address: IpAddr) -> bool {
        let may_be_there = match self {
            Self::Any => true,
            Self::Public => is_public(address),
            Self::Name(_) | Self::Below(_) => is_public(address) || (is_localhost(name) && address.is_loopback()),
            Self::Block(_) => false,
        };
        may_be_there && self.covers_name(name)
    }
}

impl FromStr for Hosts {
    type Err = InvalidGrant;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let invalid = || InvalidGrant::Host { host: text.to_owned() };
        if text == "*" {
            return Ok(Self::Any);
        }
        if text.parse::<Ipv6Addr>().is_ok() {
            return Err(InvalidGrant::Brackets { host: text.to_owned() });
        }
        if text.contains('/') {
            return text.parse().map(Self::Block);
        }
        let (below, host) = match text.strip_prefix("*.") {
            Some(host) => (true, host),
            None => (false, text),
        };
        match (Host::parse(host).ok_or_else(invalid)?, below) {
            (Host::Name(name), _) if name.contains('*') => Err(invalid()),
            (Host::Name(name), true) => Ok(Self::Below(name)),
            (Host::Name(name), false) => Ok(Self::Name(name)),
            (Host::Address(address), false) => Ok(Self::Block(Block::one(address))),
            (Host::Address(_), true) => Err(invalid()),
        }
    }
}

impl fmt::Display for Hosts {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any | Self::Public => formatter.write_str("*"),
            Self::Name(name) => formatter.write_str(name),
            Self::Below(name) => write!(formatter, "*.{name}"),
            Self::Block(block) => write!(formatter, "{block}"),
        }
    }
}

/// Addresses that begin alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Block {
    first: IpAddr,
    /// Bits that are alike.
    prefix: u32,
}

impl Block {
    fn one(address: IpAddr) -> Self {
        Self { first: address, prefix: bits(address) }
    }

    fn contains(&self, address: IpAddr) -> bool {
        address.is_ipv4() == self.first.is_ipv4() && self.start_of(address) == self.first
    }

    /// Clears what is behind the prefix.
    fn start_of(&self, address: IpAddr) -> IpAddr {
        match address {
            IpAddr::V4(address) => {
                let mask = u32::MAX.checked_shl(u32::BITS - self.prefix).unwrap_or(0);
                Ipv4Addr::from_bits(address.to_bits() & mask).into()
            }
            IpAddr::V6(address) => {
                let mask = u128::MAX.checked_shl(u128::BITS - self.prefix).unwrap_or(0);
                Ipv6Addr::from_bits(address.to_bits() & mask).into()
            }
        }
    }
}

impl FromStr for Block {
    type Err = InvalidGrant;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let invalid = || InvalidGrant::Host { host: text.to_owned() };
        let plain = text.strip_prefix('[').and_then(|inner| inner.strip_suffix(']'));
        let (address, prefix) = plain.unwrap_or(text).split_once('/').ok_or_else(invalid)?;
        let first: IpAddr = address.parse().map_err(|_| invalid())?;
        let prefix: u32 = prefix.parse().map_err(|_| invalid())?;
        if prefix > bits(first) {
            return Err(invalid());
        }
        if first.is_ipv6() != plain.is_some() {
            let host = text.to_owned();
            return Err(if plain.is_some() { InvalidGrant::Host { host } } else { InvalidGrant::Brackets { host } });
        }
        let block = Self { first, prefix };
        // Addresses that are compared are ones of IPv4 where they can be, so that such a block would cover nothing.
        let is_mapped = matches!(first, IpAddr::V6(address) if address.to_ipv4_mapped().is_some());
        match block.start_of(first) {
            _ if is_mapped => Err(invalid()),
            start if start == first => Ok(block),
            start => {
                let first = Self { first: start, prefix }.to_string();
                Err(InvalidGrant::Block { block: text.to_owned(), first })
            }
        }
    }
}

impl fmt::Display for Block {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { first, prefix } = self;
        match (first, *prefix == bits(*first)) {
            (IpAddr::V4(first), true) => write!(formatter, "{first}"),
            (IpAddr::V4(first), false) => write!(formatter, "{first}/{prefix}"),
            (IpAddr::V6(first), true) => write!(formatter, "[{first}]"),
            (IpAddr::V6(first), false) => write!(formatter, "[{first}/{prefix}]"),
        }
    }
}

fn bits(address: IpAddr) -> u32 {
    match address {
        IpAddr::V4(_) => Ipv4Addr::BITS,
        IpAddr::V6(_) => Ipv6Addr::BITS,
    }
}

/// Which ports a rule covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Port {
    Any,
    One(u16),
}

impl Port {
    pub(super) fn covers(self, port: u16) -> bool {
        match self {
            Self::Any => true,
            Self::One(own) => own == port,
        }
    }
}

impl FromStr for Port {
    type Err = InvalidGrant;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "*" {
            return Ok(Self::Any);
        }
        let is_number = text.bytes().all(|byte| byte.is_ascii_digit());
        let port = text.parse().ok().filter(|port| is_number && *port != 0);
        port.map(Self::One).ok_or_else(|| InvalidGrant::Port { port: text.to_owned() })
    }
}

impl fmt::Display for Port {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => formatter.write_str("*"),
            Self::One(port) => write!(formatter, "{port}"),
        }
    }
}

fn is_localhost(name: &str) -> bool {
    name == LOCALHOST || name.strip_suffix(LOCALHOST).is_some_and(|start| start.ends_with('.'))
}

/// Whether an address is one of the internet: not of this machine, of a network around it, or of what a cloud puts
/// beside it. From the registries of special addresses of IANA.
fn is_public(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    /// First address and bits alike.
    const SPECIAL: &[([u8; 4], u32)] = &[
        ([0, 0, 0, 0], 8),        // this network
        ([10, 0, 0, 0], 8),       // private
        ([100, 64, 0, 0], 10),    // behind a carrier's NAT
        ([127, 0, 0, 0], 8),      // this machine
        ([168, 63, 129, 16], 32), // what Azure puts beside its machines
        ([169, 254, 0, 0], 16),   // this link; what other clouds put beside their machines
        ([172, 16, 0, 0], 12),    // private
        ([192, 0, 0, 0], 24),     // protocols
        ([192, 0, 2, 0], 24),     // documentation
        ([192, 88, 99, 0], 24),   // relays of 6to4
        ([192, 168, 0, 0], 16),   // private
        ([198, 18, 0, 0], 15),    // benchmarks
        ([198, 51, 100, 0], 24),  // documentation
        ([203, 0, 113, 0], 24),   // documentation
        ([224, 0, 0, 0], 3),      // to many, reserved, to all
    ];
    let is_in = |(first, prefix): &([u8; 4], u32)| {
        Block { first: Ipv4Addr::from_octets(*first).into(), prefix: *prefix }.contains(address.into())
    };
    !SPECIAL.iter().any(is_in)
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    match address.segments() {
        // NAT64: an address of IPv4 in the last 32 bits. RFC 6052.
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => {
            is_public_v4(Ipv4Addr::from_bits(u32::from(high) << 16 | u32::from(low)))
        }
        // Protocols, Teredo among them, which holds an address of IPv4; documentation; 6to4, which holds one too.
        [0x2001, 0..=0x01ff, ..] | [0x2001, 0x0db8, ..] | [0x2002, ..] | [0x3fff, 0..=0x0fff, ..] => false,
        // All that is given out.
        [first, ..] => first & 0xe000 == 0x2000,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn a_host_has_one_form() {
        for (text, host) in [
            ("example.org", "example.org"),
            ("EXAMPLE.org", "example.org"),
            ("example.org.", "example.org"),
            ("b\u{fc}cher.example", "xn--bcher-kva.example"),
            ("ex\u{ad}ample.org", "example.org"),
            ("%65xample.org", "example.org"),
            ("127.0.0.1", "127.0.0.1"),
            ("127.0.0.1.", "127.0.0.1"),
            ("2130706433", "127.0.0.1"),
            ("0x7f.1", "127.0.0.1"),
            ("0177.0.0.1", "127.0.0.1"),
            ("127.1", "127.0.0.1"),
            ("\u{ff11}27.0.0.1", "127.0.0.1"),
            ("[::1]", "[::1]"),
            ("[0:0::1]", "[::1]"),
            ("[::ffff:127.0.0.1]", "127.0.0.1"),
            ("[::ffff:7f00:1]", "127.0.0.1"),
        ] {
            assert_eq!(Host::parse(text).map(|host| host.to_string()).as_deref(), Some(host), "{text}");
        }
    }

    #[test]
    fn what_is_no_host_is_refused() {
        let long = "a.".repeat(NAME_BYTES_MAX);
        for text in [
            "",
            ".",
            "..",
            "a..b",
            ".a",
            "a b",
            "a/b",
            "a:80",
            "user@a",
            "a\nb",
            "::1",
            "[::1",
            "1.2.3.4.5",
            "256.1.1.1",
            &long,
        ] {
            assert_eq!(Host::parse(text), None, "{text}");
        }
    }

    #[test]
    fn private_addresses_are_not_public() {
        for text in [
            "0.0.0.0",
            "10.0.0.1",
            "10.255.255.255",
            "100.64.0.1",
            "100.100.100.200",
            "100.127.255.255",
            "127.0.0.1",
            "127.255.255.254",
            "168.63.129.16",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.192",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.0.1",
            "198.18.0.1",
            "198.19.255.255",
            "198.51.100.1",
            "203.0.113.1",
            "224.0.0.1",
            "239.255.255.255",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::7f00:1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "64:ff9b::7f00:1",
            "64:ff9b::a9fe:a9fe",
            "64:ff9b:1::1",
            "100::1",
            "2001::1",
            "2001:0:7f00:1::",
            "2001:db8::1",
            "2002:7f00:1::",
            "3fff::1",
            "5f00::1",
            "fc00::1",
            "fd00:ec2::254",
            "fe80::1",
            "fec0::1",
            "ff02::1",
        ] {
            assert!(!is_public(address(text)), "{text}");
        }
    }

    #[test]
    fn the_rest_is_public() {
        for text in [
            "1.1.1.1",
            "9.255.255.255",
            "11.0.0.0",
            "100.63.255.255",
            "100.128.0.0",
            "126.255.255.255",
            "128.0.0.0",
            "168.63.129.15",
            "169.253.255.255",
            "172.15.255.255",
            "172.32.0.0",
            "192.0.1.0",
            "192.167.255.255",
            "192.169.0.0",
            "198.17.255.255",
            "198.20.0.0",
            "223.255.255.255",
            "::ffff:1.1.1.1",
            "64:ff9b::101:101",
            "2001:200::1",
            "2001:4860:4860::8888",
            "2606:4700:4700::1111",
            "3fff:1000::1",
        ] {
            assert!(is_public(address(text)), "{text}");
        }
    }

    #[test]
    fn a_block_covers_what_begins_alike() {
        for (block, inside, outside) in [
            ("10.0.0.0/8", "10.255.0.1", "11.0.0.0"),
            ("10.0.0.0/8", "10.0.0.0", "9.255.255.255"),
            ("192.168.7.0/31", "192.168.7.1", "192.168.7.2"),
            ("1.2.3.4", "1.2.3.4", "1.2.3.5"),
            ("1.2.3.4/32", "1.2.3.4", "1.2.3.5"),
            ("0.0.0.0/0", "255.255.255.255", "::1"),
            ("[::/0]", "::1", "1.2.3.4"),
            ("[fd00::/8]", "fdff::1", "fe00::1"),
            ("[::1]", "::1", "::2"),
        ] {
            let hosts: Hosts = block.parse().unwrap();
            assert!(hosts.covers_address(address(inside)), "{block} {inside}");
            assert!(!hosts.covers_address(address(outside)), "{block} {outside}");
            assert!(!hosts.covers_name("a"), "{block}");
        }
    }

    #[test]
    fn a_name_covers_itself_or_what_is_below() {
        for (hosts, inside, outside) in [
            ("example.org", "example.org", "a.example.org"),
            ("EXAMPLE.ORG.", "example.org", "example.org.evil"),
            ("*.example.org", "a.example.org", "example.org"),
            ("*.example.org", "a.b.example.org", "badexample.org"),
        ] {
            let hosts: Hosts = hosts.parse().unwrap();
            assert!(hosts.covers_name(inside), "{hosts} {inside}");
            assert!(!hosts.covers_name(outside), "{hosts} {outside}");
        }
        assert!(Hosts::Any.covers_name("a") && Hosts::Public.covers_name("a"));
    }

    #[test]
    fn a_name_may_be_in_the_public_only_and_localhost_on_the_loopback() {
        let at = |hosts: &str, name: &str, at: &str| hosts.parse::<Hosts>().unwrap().covers_name_at(name, address(at));
        assert!(at("a.example", "a.example", "1.1.1.1"));
        assert!(!at("a.example", "a.example", "127.0.0.1"));
        assert!(!at("a.example", "a.example", "169.254.169.254"));
        assert!(!at("*.example", "a.example", "10.0.0.1"));
        assert!(!at("a.example", "b.example", "1.1.1.1"));
        assert!(at("localhost", "localhost", "127.0.0.1"));
        assert!(at("*.localhost", "app.localhost", "::1"));
        assert!(!at("notlocalhost", "notlocalhost", "127.0.0.1"));
        assert!(!at("localhost", "localhost", "10.0.0.1"));
        assert!(at("*", "a.example", "127.0.0.1"));
        assert!(!at("127.0.0.1", "localhost", "127.0.0.1"));
        assert!(!Hosts::Public.covers_name_at("localhost", address("127.0.0.1")));
        assert!(Hosts::Public.covers_name_at("a.example", address("1.1.1.1")));
    }
}
