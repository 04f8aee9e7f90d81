//! Where a request may go on to when a registry points elsewhere: redirects, upload locations, next pages.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use url::{Host, Url};

use crate::Detour;

/// Whether two URLs have the same scheme, host and port, so that what one may see the other may.
pub(crate) fn is_same_origin(one: &Url, other: &Url) -> bool {
    one.origin() == other.origin()
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
    if is_local(to) && !is_local(from) {
        return Err(Detour::Private);
    }
    Ok(())
}

/// Whether a URL holds a user name or a password.
pub(crate) fn has_user(url: &Url) -> bool {
    !url.username().is_empty() || url.password().is_some()
}

/// Whether a URL names this machine or an address that is not reachable from everywhere.
///
/// Names are not looked up: a public name that stands for a private address is not noticed.
pub(crate) fn is_local(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => {
            let name = name.trim_end_matches('.');
            name == "localhost" || name.ends_with(".localhost")
        }
        Some(Host::Ipv4(address)) => is_local_address(address.into()),
        Some(Host::Ipv6(address)) => is_local_address(address.into()),
        None => true,
    }
}

fn is_local_address(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_local_v4(address),
        IpAddr::V6(address) => match address.to_ipv4_mapped() {
            Some(mapped) => is_local_v4(mapped),
            None => is_local_v6(address),
        },
    }
}

fn is_local_v4(address: Ipv4Addr) -> bool {
    let [first, second, ..] = address.octets();
    // 100.64.0.0/10 is shared by the customers of a carrier (RFC 6598); clouds put services there.
    let is_shared = first == 100 && (64..128).contains(&second);
    address.is_loopback() || address.is_private() || address.is_link_local() || first == 0 || is_shared
}

fn is_local_v6(address: Ipv6Addr) -> bool {
    address.is_loopback() || address.is_unspecified() || address.is_unique_local() || address.is_unicast_link_local()
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
            ("https://ghcr.io/v2/", "file:///etc/passwd", Some(Detour::Scheme)),
            ("https://ghcr.io/v2/", "https://a:b@storage.example/x", Some(Detour::UserName)),
        ];
        for (from, to, expected) in table {
            let found = check(&from.parse().unwrap(), &to.parse().unwrap()).err();
            assert_eq!(found, expected, "{from} to {to}");
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
