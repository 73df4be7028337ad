//! The value of one `server.<id>` line (`QuorumPeer.QuorumServer`):
//!
//! ```text
//! addr[|addr…][;[client][;secure]]
//! addr   = host:quorumPort:electionPort[:participant|observer]
//! client = [host:]port
//! ```

use crate::address::{delimited_host, split_host};
use crate::{ConfigError, Entry, HostPort};
use std::fmt;
use zooid_proto::ServerId;

/// One server of the ensemble.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerSpec {
    /// Its number.
    pub id: ServerId,
    /// Where its peers reach it; never empty, more than one only with `multiAddress.enabled`.
    pub addresses: Vec<PeerAddress>,
    /// Whether it votes.
    pub peer_type: PeerType,
    /// Where clients reach it.
    pub client: Option<ClientAddress>,
    /// Where clients reach it with TLS.
    pub secure_client: Option<ClientAddress>,
}

/// One host of a server, with its two ports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeerAddress {
    /// A name or an address, an IPv6 one without brackets.
    pub host: String,
    /// Where the leader takes followers.
    pub quorum_port: u16,
    /// Where votes are exchanged.
    pub election_port: u16,
}

/// A client address, and whether the config text shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientAddress {
    /// The address.
    pub address: HostPort,
    /// It was not in the spec but came from `clientPort`: known to this server only.
    pub is_from_static: bool,
}

/// Whether a server votes (`QuorumPeer.LearnerType`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum PeerType {
    /// It votes.
    #[default]
    Participant,
    /// It only learns.
    Observer,
}

impl PeerType {
    pub(crate) fn parse(word: &str) -> Option<PeerType> {
        match word.trim().to_ascii_lowercase().as_str() {
            "participant" => Some(PeerType::Participant),
            "observer" => Some(PeerType::Observer),
            _ => None,
        }
    }
}

impl fmt::Display for PeerType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            PeerType::Participant => "participant",
            PeerType::Observer => "observer",
        })
    }
}

impl ServerSpec {
    /// Reads the value of a `server.<id>` entry.
    pub(crate) fn parse(
        id: ServerId,
        entry: &Entry,
        multi_address_enabled: bool,
    ) -> Result<ServerSpec, ConfigError> {
        let refuse = |refusal: Refusal| {
            ConfigError::invalid(&entry.at, &entry.key, &entry.value, FORM, &refusal.0)
        };
        Parts::of(&entry.value, multi_address_enabled)
            .and_then(|parts| parts.into_spec(id))
            .map_err(refuse)
    }
}

impl fmt::Display for ServerSpec {
    /// As `QuorumServer.toString`: the role always, client addresses unless static.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut addresses: Vec<_> = self.addresses.iter().collect();
        addresses.sort_by(|a, b| a.host.cmp(&b.host));
        let addresses: Vec<_> = addresses.into_iter().map(ToString::to_string).collect();
        write!(f, "{}:{}", addresses.join("|"), self.peer_type)?;
        let shown = |client: &Option<ClientAddress>| {
            client
                .as_ref()
                .filter(|c| !c.is_from_static)
                .map(|c| c.address.to_string())
        };
        match (shown(&self.client), shown(&self.secure_client)) {
            (None, None) => Ok(()),
            (Some(client), None) => write!(f, ";{client}"),
            (client, Some(secure)) => write!(f, ";{};{secure}", client.unwrap_or_default()),
        }
    }
}

impl fmt::Display for PeerAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}:{}:{}",
            delimited_host(&self.host),
            self.quorum_port,
            self.election_port
        )
    }
}

/// What to change in a spec.
struct Refusal(String);

impl From<&str> for Refusal {
    fn from(remedy: &str) -> Refusal {
        Refusal(remedy.to_owned())
    }
}

/// A spec cut at its separators.
struct Parts<'t> {
    addresses: Vec<&'t str>,
    client: Option<&'t str>,
    secure: Option<&'t str>,
}

impl<'t> Parts<'t> {
    fn of(text: &'t str, multi_address_enabled: bool) -> Result<Parts<'t>, Refusal> {
        let mut sections = text.split(';');
        let addresses: Vec<_> = sections.next().unwrap_or_default().split('|').collect();
        let mut client_section = || sections.next().filter(|section| !section.is_empty());
        let (client, secure) = (client_section(), client_section());
        if sections.next().is_some() {
            return Err("remove what follows the second client address".into());
        }
        if addresses.len() > 1 && !multi_address_enabled {
            return Err("several addresses need multiAddress.enabled=true, on every server".into());
        }
        Ok(Parts {
            addresses,
            client,
            secure,
        })
    }

    fn into_spec(self, id: ServerId) -> Result<ServerSpec, Refusal> {
        let mut addresses = Vec::new();
        let mut peer_type = None;
        for text in self.addresses {
            let (address, role) = parse_address(text)?;
            if peer_type.is_some() && role.is_some() && role != peer_type {
                return Err("give all addresses of one server the same role".into());
            }
            peer_type = peer_type.or(role);
            addresses.push(address);
        }
        Ok(ServerSpec {
            id,
            addresses,
            peer_type: peer_type.unwrap_or_default(),
            client: self.client.map(parse_client).transpose()?,
            secure_client: self.secure.map(parse_client).transpose()?,
        })
    }
}

fn parse_address(text: &str) -> Result<(PeerAddress, Option<PeerType>), Refusal> {
    let parts = split_host(text)?;
    let (host, quorum_port, election_port, role) = match parts[..] {
        [host, quorum_port, election_port] => (host, quorum_port, election_port, None),
        [host, quorum_port, election_port, role] => (host, quorum_port, election_port, Some(role)),
        [_, _] => return Err("add the election port: host:2888:3888".into()),
        [_, _, _, _, ..] => return Err("write an IPv6 address in brackets: [::1]:2888:3888".into()),
        _ => return Err("write for example host:2888:3888".into()),
    };
    let address = PeerAddress {
        host: parse_host(host)?,
        quorum_port: parse_port(quorum_port)?,
        election_port: parse_port(election_port)?,
    };
    if address.quorum_port == address.election_port {
        return Err("quorum port and election port must be different".into());
    }
    let role = role.map(|word| {
        let unknown = || {
            Refusal(format!(
                "{word:?} is no role, it is participant or observer"
            ))
        };
        PeerType::parse(word).ok_or_else(unknown)
    });
    Ok((address, role.transpose()?))
}

fn parse_client(text: &str) -> Result<ClientAddress, Refusal> {
    let parts = split_host(text)?;
    let address = match parts[..] {
        [port] if !text.starts_with('[') => HostPort::wildcard(parse_port(port)?),
        [host, port] => HostPort {
            host: parse_host(host)?,
            port: parse_port(port)?,
        },
        _ => return Err("write a client address as port or host:port, after the ';'".into()),
    };
    Ok(ClientAddress {
        address,
        is_from_static: false,
    })
}

fn parse_host(text: &str) -> Result<String, Refusal> {
    let host = text.trim();
    if host.is_empty() {
        return Err("name the host before the first ':'".into());
    }
    Ok(host.to_owned())
}

fn parse_port(text: &str) -> Result<u16, Refusal> {
    text.parse().map_err(|_| {
        Refusal(format!(
            "{text:?} is no port, it is a number from 0 to 65535"
        ))
    })
}

const FORM: &str = "host:quorumPort:electionPort[:participant|observer][;[host:]clientPort]";

#[cfg(test)]
mod tests;
