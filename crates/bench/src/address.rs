//! Connection strings: `host:port,host:port/chroot` (Java `ConnectStringParser`).

use std::fmt;
use std::str::FromStr;

use zooid_proto::path;

/// The port of a server that names none.
const DEFAULT_PORT: u16 = 2181;

/// Where the servers are, and the path under which everything happens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ConnectString {
    /// At least one.
    pub(crate) servers: Vec<Endpoint>,
    /// "" or a valid path other than "/".
    pub(crate) chroot: String,
}

/// One server's client address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Endpoint {
    /// A name or an address, without brackets.
    pub(crate) host: String,
    /// The client port.
    pub(crate) port: u16,
}

/// Why a connection string is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum AddressError {
    #[error("no server named; expected host:port[,host:port...][/chroot]")]
    NoServer,
    #[error("server '{0}' has no host; expected host:port")]
    NoHost(String),
    #[error("'{port}' in '{server}' is not a port; expected 1 to 65535")]
    BadPort { server: String, port: String },
    #[error("'{0}' is ambiguous; write an IPv6 address in brackets, as in [::1]:2181")]
    UnbracketedIpv6(String),
    #[error("'{0}' opens a bracket that it does not close properly; expected [address]:port")]
    BadBracket(String),
    #[error("'{0}' is not a valid path")]
    BadChroot(String),
}

impl FromStr for ConnectString {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<ConnectString, AddressError> {
        let (servers, chroot) = match text.find('/') {
            Some(slash) => text.split_at(slash),
            None => (text, ""),
        };
        let chroot = if chroot == "/" { "" } else { chroot };
        if !chroot.is_empty() && !path::is_valid(chroot) {
            return Err(AddressError::BadChroot(chroot.into()));
        }
        let servers = servers
            .split(',')
            .map(str::trim)
            .filter(|server| !server.is_empty())
            .map(str::parse)
            .collect::<Result<Vec<Endpoint>, _>>()?;
        if servers.is_empty() {
            return Err(AddressError::NoServer);
        }
        Ok(ConnectString {
            servers,
            chroot: chroot.into(),
        })
    }
}

impl FromStr for Endpoint {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Endpoint, AddressError> {
        let (host, port) = split_port(text)?;
        if host.is_empty() {
            return Err(AddressError::NoHost(text.into()));
        }
        let port = match port {
            None => DEFAULT_PORT,
            Some(port) => match port.parse() {
                Ok(number) if number > 0 => number,
                _ => {
                    return Err(AddressError::BadPort {
                        server: text.into(),
                        port: port.into(),
                    });
                }
            },
        };
        Ok(Endpoint {
            host: host.into(),
            port,
        })
    }
}

fn split_port(text: &str) -> Result<(&str, Option<&str>), AddressError> {
    if let Some(bracketed) = text.strip_prefix('[') {
        let bad = || AddressError::BadBracket(text.into());
        let (host, rest) = bracketed.split_once(']').ok_or_else(bad)?;
        return match rest.strip_prefix(':') {
            Some(port) => Ok((host, Some(port))),
            None if rest.is_empty() => Ok((host, None)),
            None => Err(bad()),
        };
    }
    match text.split_once(':') {
        None => Ok((text, None)),
        Some((_, port)) if port.contains(':') => Err(AddressError::UnbracketedIpv6(text.into())),
        Some((host, port)) => Ok((host, Some(port))),
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

impl fmt::Display for ConnectString {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, server) in self.servers.iter().enumerate() {
            let comma = if i == 0 { "" } else { "," };
            write!(f, "{comma}{server}")?;
        }
        f.write_str(&self.chroot)
    }
}

#[cfg(test)]
mod tests;
