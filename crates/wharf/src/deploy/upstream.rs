//! A server behind a proxy.

use std::net::Ipv6Addr;
use std::str::FromStr;

/// A server behind a proxy: `host:port`, spoken to in plain HTTP.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upstream {
    pub(super) host: String,
    pub(super) port: u16,
}

/// A text that is no [`Upstream`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it has the form HOST:PORT, such as localhost:8080")]
pub struct InvalidUpstream;

impl FromStr for Upstream {
    type Err = InvalidUpstream;

    fn from_str(text: &str) -> Result<Self, InvalidUpstream> {
        let (host, port) = text.rsplit_once(':').ok_or(InvalidUpstream)?;
        let port = port.parse().ok().filter(|port| *port != 0).ok_or(InvalidUpstream)?;
        // Brackets tell the colons of an IPv6 address from that of the port.
        let bracketed = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
        let is_name = |character: char| character.is_ascii_alphanumeric() || matches!(character, '-' | '.' | '_');
        let host = match bracketed {
            Some(address) => address.parse::<Ipv6Addr>().map_err(|_| InvalidUpstream)?.to_string(),
            None if !host.is_empty() && host.chars().all(is_name) => host.to_owned(),
            None => return Err(InvalidUpstream),
        };
        Ok(Self { host, port })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_upstream_is_a_name_or_an_address_with_a_port() {
        for (text, host, port) in [
            ("localhost:8080", "localhost", 8080),
            ("my_service.default.svc:80", "my_service.default.svc", 80),
            ("10.0.0.1:1", "10.0.0.1", 1),
            ("[::1]:65535", "::1", 65535),
        ] {
            assert_eq!(text.parse(), Ok(Upstream { host: host.to_owned(), port }), "{text}");
        }
        for text in
            ["", "localhost", ":80", "localhost:", "localhost:0", "localhost:65536", "::1:80", "[::1]", "a b:80"]
        {
            assert_eq!(text.parse::<Upstream>(), Err(InvalidUpstream), "{text}");
        }
        for text in ["http://localhost:80", "localhost:80/path", "jo@localhost:80", "[localhost]:80", "a\n:80"] {
            assert_eq!(text.parse::<Upstream>(), Err(InvalidUpstream), "{text}");
        }
    }
}
