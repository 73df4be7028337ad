//! Host and port pairs, kept as written: names are resolved by whoever connects, each time anew.

use std::fmt;
use std::net::IpAddr;

/// A host, by name or address, and a port. Prints with brackets around an IPv6 address.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct HostPort {
    /// A name or an address, an IPv6 one without brackets.
    pub host: String,
    /// The port; 0 asks the system for one.
    pub port: u16,
}

impl HostPort {
    /// A listening address on every interface. Java prints it as `0.0.0.0` and listens on IPv6 too.
    #[must_use]
    pub fn wildcard(port: u16) -> HostPort {
        HostPort {
            host: WILDCARD.to_owned(),
            port,
        }
    }

    /// Whether it means every interface (`InetAddress.isAnyLocalAddress`).
    #[must_use]
    pub fn is_wildcard(&self) -> bool {
        self.ip().is_some_and(|ip| ip.is_unspecified())
    }

    /// The address, if the host is one and not a name.
    #[must_use]
    pub fn ip(&self) -> Option<IpAddr> {
        self.host.parse().ok()
    }
}

impl fmt::Display for HostPort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", delimited_host(&self.host), self.port)
    }
}

/// A host as Java's `QuorumServer.delimitedHostString` prints it: IPv6 in brackets and in full.
pub(crate) fn delimited_host(host: &str) -> String {
    match host.parse::<IpAddr>() {
        Ok(IpAddr::V6(ip)) => match ip.to_ipv4_mapped() {
            Some(mapped) => mapped.to_string(),
            None => format!("[{}]", ip.segments().map(|s| format!("{s:x}")).join(":")),
        },
        _ if host.contains(':') => format!("[{host}]"),
        _ => host.to_owned(),
    }
}

/// Splits `host:a:b`, the host possibly in brackets, as `ConfigUtils.getHostAndPort` does.
pub(crate) fn split_host(text: &str) -> Result<Vec<&str>, &'static str> {
    let Some(bracketed) = text.strip_prefix('[') else {
        return Ok(without_empty_tail(text.split(':').collect()));
    };
    let (host, rest) = bracketed.split_once(']').ok_or("'[' has no matching ']'")?;
    let ports = rest.strip_prefix(':').ok_or("there is no ':' after ']'")?;
    let mut parts = vec![host];
    parts.extend(ports.split(':'));
    Ok(without_empty_tail(parts))
}

/// Java's `String.split` leaves out empty strings at the end.
fn without_empty_tail(mut parts: Vec<&str>) -> Vec<&str> {
    while parts.last().is_some_and(|part| part.is_empty()) {
        parts.pop();
    }
    parts
}

const WILDCARD: &str = "0.0.0.0";
