//! Whether the others are there at all. Who leads them shows when the member joins.

use std::net::{TcpStream, ToSocketAddrs as _};
use std::time::Duration;
use zooid_config::{Config, PeerType, ServerSpec};
use zooid_proto::ServerId;

/// A server that does not answer within this is not there.
const CONNECT_MAX: Duration = Duration::from_secs(2);

/// Another voter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peer {
    /// Its `myid`.
    pub id: ServerId,
    /// Its election port.
    pub address: String,
    /// Why it cannot be reached, if it cannot.
    pub problem: Option<String>,
}

/// Tries the election port of every other voter, one after another.
#[must_use]
pub fn ask_peers(config: &Config) -> Vec<Peer> {
    let is_other =
        |spec: &&ServerSpec| Some(spec.id) != config.my_id && spec.peer_type != PeerType::Observer;
    config.servers.iter().filter(is_other).map(ask).collect()
}

fn ask(spec: &ServerSpec) -> Peer {
    let mut peer = Peer {
        id: spec.id,
        address: String::new(),
        problem: None,
    };
    for address in &spec.addresses {
        peer.address = format!("{}:{}", address.host, address.election_port);
        match connect(&address.host, address.election_port) {
            Ok(()) => {
                peer.problem = None;
                break;
            }
            Err(error) => peer.problem = Some(error.to_string()),
        }
    }
    peer
}

fn connect(host: &str, port: u16) -> std::io::Result<()> {
    let mut last = std::io::Error::other("the name has no address");
    for address in (host, port).to_socket_addrs()? {
        match TcpStream::connect_timeout(&address, CONNECT_MAX) {
            Ok(_) => return Ok(()),
            Err(error) => last = error,
        }
    }
    Err(last)
}

/// Whether those who can be reached are a quorum without this server.
#[must_use]
pub fn has_quorum(config: &Config, peers: &[Peer]) -> bool {
    let reached = |id| {
        let peer = peers.iter().find(|peer| peer.id == id);
        peer.is_some_and(|peer| peer.problem.is_none())
    };
    crate::membership::membership(config).is_quorum(reached)
}
