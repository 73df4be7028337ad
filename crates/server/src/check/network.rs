//! Whether this server's ports can be had, and what sits on them now.

use super::Group;
use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream, ToSocketAddrs as _};
use std::time::Duration;
use zooid_config::{Config, HostPort};

pub(super) fn check(config: &Config) -> Group {
    let mut group = Group::new("network");
    let running = client_port(config, &mut group);
    peer_ports(config, running, &mut group);
    for server in config.servers.iter() {
        let hosts = server.addresses.iter().map(|address| &address.host);
        for host in hosts.filter(|host| (host.as_str(), 0).to_socket_addrs().is_err()) {
            group.warn(format!(
                "server.{}: the name {host} cannot be resolved; correct it, or the name service",
                server.id
            ));
        }
    }
    group
}

/// Whether a server of ZooKeeper's protocol has the client port now.
fn client_port(config: &Config, group: &mut Group) -> bool {
    let Some(address) = &config.client.address else {
        group.fault("no client port is configured; set clientPort");
        return false;
    };
    match occupant(address) {
        Occupant::Nobody => probe("client port", address, group),
        Occupant::Server(about) => {
            group.note(format!(
                "client port {address} is taken by the server that is to be replaced ({about}); stop it \
                 before zooid starts"
            ));
            return true;
        }
        Occupant::Stranger => group.fault(format!(
            "client port {address} is taken by something that does not answer srvr; stop it, or set another \
             clientPort"
        )),
    }
    false
}

/// They are not tried while the other server runs: it may need one at that moment.
fn peer_ports(config: &Config, running: bool, group: &mut Group) {
    let own = config.my_id.and_then(|id| config.servers.get(id));
    let Some(own) = own.filter(|_| config.is_distributed()) else {
        return;
    };
    for address in &own.addresses {
        let ports = [
            ("quorum port", address.quorum_port),
            ("election port", address.election_port),
        ];
        for (what, port) in ports {
            let address = HostPort {
                host: address.host.clone(),
                port,
            };
            if running {
                group.ok(format!(
                    "{what} {address}: not tried while the other server runs"
                ));
            } else if config.quorum.listen_on_all_ips {
                probe(what, &HostPort::wildcard(port), group);
            } else {
                probe(what, &address, group);
            }
        }
    }
}

fn probe(what: &str, address: &HostPort, group: &mut Group) {
    let bound = resolve(address).and_then(TcpListener::bind);
    match bound.map_err(|error| (error.kind(), error)) {
        Ok(_) => group.ok(format!("{what} {address} is free")),
        Err((ErrorKind::AddrInUse, _)) => group.fault(format!(
            "{what} {address} is taken by another program; stop it, or set another port"
        )),
        Err((ErrorKind::AddrNotAvailable, _)) => group.fault(format!(
            "{what} {address} is not an address of this machine; correct it, or set \
             quorumListenOnAllIPs=true"
        )),
        Err((_, error)) => group.fault(format!("{what} {address} cannot be had: {error}")),
    }
}

enum Occupant {
    Nobody,
    /// What it says about itself.
    Server(String),
    Stranger,
}

fn occupant(address: &HostPort) -> Occupant {
    let here = if address.is_wildcard() {
        resolve(&HostPort {
            host: "127.0.0.1".to_owned(),
            port: address.port,
        })
    } else {
        resolve(address)
    };
    let connected = here.and_then(|here| TcpStream::connect_timeout(&here, PATIENCE));
    let Ok(mut stream) = connected else {
        return Occupant::Nobody;
    };
    let mut answer = Vec::new();
    let asked = stream
        .set_read_timeout(Some(PATIENCE))
        .and_then(|()| stream.write_all(b"srvr"))
        .and_then(|()| stream.take(ANSWER_BYTES_MAX).read_to_end(&mut answer));
    let answer = String::from_utf8_lossy(&answer);
    match asked {
        Ok(_) => about(&answer).map_or(Occupant::Stranger, Occupant::Server),
        Err(_) => Occupant::Stranger,
    }
}

/// The answer to `srvr` in a few words; `None` when it is none.
fn about(answer: &str) -> Option<String> {
    if answer.starts_with("This ZooKeeper instance is not currently serving requests") {
        return Some("it does not serve now".to_owned());
    }
    let of = |name: &str| answer.lines().find_map(|line| line.strip_prefix(name));
    let version = of("Zookeeper version: ")?.split(['-', ',']).next()?;
    let mode = of("Mode: ").unwrap_or("unknown");
    Some(format!("version {version}, mode {mode}"))
}

fn resolve(address: &HostPort) -> std::io::Result<SocketAddr> {
    let mut found = (address.host.as_str(), address.port).to_socket_addrs()?;
    found
        .next()
        .ok_or_else(|| ErrorKind::AddrNotAvailable.into())
}

const PATIENCE: Duration = Duration::from_secs(2);
const ANSWER_BYTES_MAX: u64 = 4096;

#[cfg(test)]
mod tests;
