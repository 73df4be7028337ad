//! The reply to the four-letter word `conf` (`ZooKeeperServer.dumpConf`,
//! `QuorumZooKeeperServer.dumpConf`).

use crate::{Config, HostPort, PeerAddress, PeerType};
use std::path::Path;

/// A directory of the running server as `conf` reports it.
#[derive(Debug, Clone, Copy)]
pub struct DirectoryReport<'p> {
    /// Its absolute path, `version-2` included.
    pub path: &'p Path,
    /// Bytes of the files in it.
    pub bytes: u64,
}

impl Config {
    /// The reply's text. `client_port` is the port that was bound, which differs from the
    /// configured one when that is 0.
    #[must_use]
    pub fn conf_text(
        &self,
        client_port: Option<u16>,
        data_dir: DirectoryReport<'_>,
        data_log_dir: DirectoryReport<'_>,
    ) -> String {
        let secure_port = self
            .client
            .secure_address
            .as_ref()
            .map(|address: &HostPort| address.port);
        let distributed = self.is_distributed();
        let server_id = self.my_id.filter(|_| distributed).map_or(0, |id| id.0);
        let mut lines = vec![
            ("clientPort", or_unset(client_port)),
            ("secureClientPort", or_unset(secure_port)),
            ("dataDir", data_dir.path.display().to_string()),
            ("dataDirSize", data_dir.bytes.to_string()),
            ("dataLogDir", data_log_dir.path.display().to_string()),
            ("dataLogSize", data_log_dir.bytes.to_string()),
            ("tickTime", self.tick_time_ms.to_string()),
            (
                "maxClientCnxns",
                self.client.cnxns_per_ip_max.unwrap_or(0).to_string(),
            ),
            ("minSessionTimeout", self.session.timeout_ms_min.to_string()),
            ("maxSessionTimeout", self.session.timeout_ms_max.to_string()),
            (
                "clientPortListenBacklog",
                or_unset(self.client.listen_backlog),
            ),
            ("serverId", server_id.to_string()),
        ];
        if distributed {
            lines.extend(self.quorum_conf_lines());
        }
        let mut text: String = lines
            .iter()
            .map(|(key, value)| format!("{key}={value}\n"))
            .collect();
        if distributed {
            text.push_str("membership: \n");
            text.push_str(&self.servers.config_text());
        }
        text
    }

    fn quorum_conf_lines(&self) -> Vec<(&'static str, String)> {
        let own = self.my_id.and_then(|id| self.servers.get(id));
        let addresses = own
            .map(|server| server.addresses.as_slice())
            .unwrap_or_default();
        let peer_type = match self.peer_type() {
            PeerType::Participant => "0",
            PeerType::Observer => "1",
        };
        vec![
            ("initLimit", self.quorum.init_limit_ticks.to_string()),
            ("syncLimit", self.quorum.sync_limit_ticks.to_string()),
            ("electionAlg", "3".to_owned()),
            (
                "electionPort",
                joined(addresses, |address| address.election_port),
            ),
            (
                "quorumPort",
                joined(addresses, |address| address.quorum_port),
            ),
            ("peerType", peer_type.to_owned()),
        ]
    }
}

fn or_unset<T: ToString>(value: Option<T>) -> String {
    value.map_or_else(|| "-1".to_owned(), |value| value.to_string())
}

/// Distinct ports, as `MultipleAddresses.getAllPorts` collects them.
fn joined(addresses: &[PeerAddress], port: fn(&PeerAddress) -> u16) -> String {
    let mut ports: Vec<u16> = Vec::new();
    for address in addresses {
        if !ports.contains(&port(address)) {
            ports.push(port(address));
        }
    }
    ports
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join("|")
}

#[cfg(test)]
mod tests;
