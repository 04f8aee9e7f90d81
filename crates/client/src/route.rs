//! Where a request may go on to when a registry points elsewhere: redirects, upload locations, next pages.

use std::net::{Ipv4Addr, Ipv6Addr};

use url::{Host, Url};

use crate::Detour;

/// Whether two URLs have the same scheme, host and port, so that what one may see the other may.
pub(crate) fn is_same_origin(one: &Url, other: &Url) -> bool {
    one.origin() == other.origin()
}

/// Resolves what a server at `from` points to.
///
/// A registry behind a proxy that ends TLS often takes its own scheme for `http`, as it is not told otherwise
/// (`X-Forwarded-Proto`). What it names at its own host is asked for as it was itself: over HTTPS.
pub(crate) fn resolve(from: &Url, text: &str) -> Result<Url, url::ParseError> {
    let to = from.join(text)?;
    let mut over_tls = to.clone();
    let is_meant = to.scheme() == "http" && over_tls.set_scheme("https").is_ok() && is_same_origin(from, &over_tls);
    Ok(if is_meant { over_tls } else { to })
}

/// Checks that a request to `from` may go on to `to`.
pub(crate) fn check(from: &Url, to: &Url) -> Result<(), Detour> {
    if !matches!(to.scheme(), "http" | "https") {
        return Err(Detour::Scheme);
    }
    if has_user(to) {
        return Err(Detour::UserName);
    }
    if from.scheme() == "https" && to.scheme() != "https" {
        return Err(Detour::Downgrade);
    }
    if leads_inwards(from, to) {
        return Err(Detour::Private);
    }
    Ok(())
}

/// Whether a URL holds a user name or a password.
pub(crate) fn has_user(url: &Url) -> bool {
    !url.username().is_empty() || url.password().is_some()
}

/// Whether `to` can be reached from fewer places than `from`, which then should have no say in what is sent there.
///
/// Names are not looked up: a public name that stands for a private address is not noticed.
pub(crate) fn leads_inwards(from: &Url, to: &Url) -> bool {
    reach(to) < reach(from)
}

/// From where an address can be reached, the narrowest first.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Reach {
    /// From this machine and its link, where clouds have the service that knows a machine's secrets.
    Machine,
    /// From a private network.
    Network,
    /// From everywhere.
    World,
}

fn reach(url: &Url) -> Reach {
    match url.host() {
        Some(Host::Domain(name)) => {
            let name = name.trim_end_matches('.');
            if name == "localhost" || name.ends_with(".localhost") { Reach::Machine } else { Reach::World }
        }
        Some(Host::Ipv4(address)) => reach_v4(address),
        Some(Host::Ipv6(address)) => embedded_v4(address).map_or_else(|| reach_v6(address), reach_v4),
        None => Reach::Machine,
    }
}

fn reach_v4(address: Ipv4Addr) -> Reach {
    match address.octets() {
        // "This network" (RFC 791), loopback, link-local (RFC 3927), protocol assignments (RFC 6890).
        [0 | 127, ..] | [169, 254, ..] | [192, 0, 0, _] => Reach::Machine,
        // Private (RFC 1918), shared by the customers of a carrier (RFC 6598), for benchmarks (RFC 2544).
        [10, ..] | [172, 16..32, ..] | [192, 168, ..] | [100, 64..128, ..] | [198, 18 | 19, ..] => Reach::Network,
        _ => Reach::World,
    }
}

fn reach_v6(address: Ipv6Addr) -> Reach {
    match address {
        _ if address.is_unicast_link_local() => Reach::Machine,
        _ if address.is_unique_local() => Reach::Network,
        _ => Reach::World,
    }
}

/// Returns the IPv4 address that an IPv6 address stands for: by NAT64 (RFC 6052), by 6to4 (RFC 3056), mapped, or in the
/// old compatible form, which makes `::` and `::1` part of "this network".
fn embedded_v4(address: Ipv6Addr) -> Option<Ipv4Addr> {
    match address.segments() {
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] | [0x2002, high, low, ..] => {
            Some(Ipv4Addr::from_bits(u32::from(high) << 16 | u32::from(low)))
        }
        _ => address.to_ipv4(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_detour_is_judged_by_scheme_and_place() {
        let table = [
            ("https://ghcr.io/v2/", "https://storage.example/x?signature=1", None),
            ("https://ghcr.io/v2/", "https://ghcr.io:8443/x", None),
            ("http://localhost:5000/v2/", "http://127.0.0.1:9000/x", None),
            ("http://localhost:5000/v2/", "https://storage.example/x", None),
            ("http://10.0.0.1/v2/", "http://192.168.0.1/x", None),
            ("https://ghcr.io/v2/", "http://ghcr.io/x", Some(Detour::Downgrade)),
            ("https://127.0.0.1/v2/", "http://127.0.0.1/x", Some(Detour::Downgrade)),
            ("https://ghcr.io/v2/", "https://127.0.0.1/x", Some(Detour::Private)),
            ("https://ghcr.io/v2/", "https://LOCALHOST./x", Some(Detour::Private)),
            ("https://ghcr.io/v2/", "https://a.localhost/x", Some(Detour::Private)),
            ("https://ghcr.io/v2/", "https://169.254.169.254/x", Some(Detour::Private)),
            ("https://ghcr.io/v2/", "https://2130706433/x", Some(Detour::Private)),
            ("https://ghcr.io/v2/", "https://100.100.100.200/x", Some(Detour::Private)),
            ("https://ghcr.io/v2/", "https://0.0.0.0/x", Some(Detour::Private)),
            ("https://ghcr.io/v2/", "https://[fd00::1]/x", Some(Detour::Private)),
            ("https://ghcr.io/v2/", "https://[fe80::1]/x", Some(Detour::Private)),
            ("https://ghcr.io/v2/", "https://[::ffff:127.0.0.1]/x", Some(Detour::Private)),
            ("https://ghcr.io/v2/", "https://[::127.0.0.1]/x", Some(Detour::Private)),
            ("https://ghcr.io/v2/", "https://[::1]/x", Some(Detour::Private)),
            ("https://ghcr.io/v2/", "https://[::]/x", Some(Detour::Private)),
            ("https://ghcr.io/v2/", "https://[64:ff9b::a9fe:a9fe]/x", Some(Detour::Private)),
            ("https://ghcr.io/v2/", "https://[2002:7f00:1::]/x", Some(Detour::Private)),
            ("https://ghcr.io/v2/", "https://[2002:808:808::]/x", None),
            ("https://ghcr.io/v2/", "https://[2606:4700::1]/x", None),
            ("https://ghcr.io/v2/", "https://127.1./x", Some(Detour::Private)),
            ("https://ghcr.io/v2/", "https://0300.0250.1/x", Some(Detour::Private)),
            ("https://ghcr.io/v2/", "https://172.31.0.1/x", Some(Detour::Private)),
            ("https://ghcr.io/v2/", "https://172.32.0.1/x", None),
            ("https://ghcr.io/v2/", "https://192.0.0.192/x", Some(Detour::Private)),
            ("https://ghcr.io/v2/", "https://198.19.0.1/x", Some(Detour::Private)),
            ("https://ghcr.io/v2/", "https://localhost.example/x", None),
            // A private network has no say in what this machine is asked.
            ("http://10.0.0.1/v2/", "http://127.0.0.1/x", Some(Detour::Private)),
            ("http://10.0.0.1/v2/", "http://169.254.169.254/x", Some(Detour::Private)),
            ("http://[fd00::1]/v2/", "http://localhost/x", Some(Detour::Private)),
            ("http://127.0.0.1/v2/", "http://10.0.0.1/x", None),
            ("https://ghcr.io/v2/", "file:///etc/passwd", Some(Detour::Scheme)),
            ("https://ghcr.io/v2/", "https://a:b@storage.example/x", Some(Detour::UserName)),
        ];
        for (from, to, expected) in table {
            let found = check(&from.parse().unwrap(), &to.parse().unwrap()).err();
            assert_eq!(found, expected, "{from} to {to}");
        }
    }

    #[test]
    fn plain_http_at_the_same_host_is_meant_over_https() {
        let table = [
            ("https://a.example/v2/", "http://a.example/x?y", "https://a.example/x?y"),
            ("https://a.example/v2/", "http://a.example:80/x", "https://a.example/x"),
            ("https://a.example/v2/", "http://a.example:443/x", "https://a.example/x"),
            ("https://a.example:5000/v2/", "http://a.example:5000/x", "https://a.example:5000/x"),
            ("https://a.example/v2/", "/x", "https://a.example/x"),
            ("https://a.example/v2/", "//b.example/x", "https://b.example/x"),
            ("https://a.example/v2/", "http://a.example:8080/x", "http://a.example:8080/x"),
            ("https://a.example/v2/", "http://b.example/x", "http://b.example/x"),
            ("http://a.example/v2/", "http://a.example/x", "http://a.example/x"),
            ("http://a.example:443/v2/", "http://a.example:443/x", "http://a.example:443/x"),
        ];
        for (from, text, expected) in table {
            assert_eq!(resolve(&from.parse().unwrap(), text).unwrap().as_str(), expected, "{text} at {from}");
        }
    }

    #[test]
    fn an_origin_is_scheme_host_and_port() {
        let url = |text: &str| text.parse::<Url>().unwrap();
        assert!(is_same_origin(&url("https://a.example/x"), &url("https://a.example:443/y")));
        for other in ["http://a.example/x", "https://a.example:444/x", "https://b.example/x"] {
            assert!(!is_same_origin(&url("https://a.example/x"), &url(other)), "{other}");
        }
    }
}
