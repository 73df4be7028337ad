//! The typed configuration: what the rest of the server reads.
//!
//! Values are parsed and bounded here; nothing downstream validates them again. A limit that is
//! switched off is `None`, never a magic number. Defaults live in the table of keys and nowhere
//! else, so the only way to a configuration without a file is [`Config::default`].

use crate::draft::Draft;
use crate::key::is_secret_property;
use crate::{PeerType, ServerList};
use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use zooid_proto::ServerId;

mod options;

pub use options::*;

/// Everything a server is told before it starts.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// Snapshots, `myid` and the epoch files.
    pub data_dir: PathBuf,
    /// Transaction logs.
    pub data_log_dir: PathBuf,
    /// The unit of time of sessions and of the ensemble.
    pub tick_time_ms: i32,
    /// Whether a single voter runs without the ensemble's protocol.
    pub standalone_enabled: bool,
    /// Whether the ensemble may be changed while it runs.
    pub reconfig_enabled: bool,
    /// This server's number, if it has one.
    pub my_id: Option<ServerId>,
    /// The ensemble as last committed.
    pub servers: ServerList,
    /// The ensemble as last proposed (`<file>.dynamic.next`), if that file was there.
    pub last_seen_servers: Option<ServerList>,
    /// The file this configuration came from.
    pub config_file: Option<PathBuf>,
    /// The file the list of servers came from, if not the same.
    pub dynamic_config_file: Option<PathBuf>,
    /// Client connections.
    pub client: ClientOptions,
    /// Sessions.
    pub session: SessionOptions,
    /// Logs and snapshots.
    pub storage: StorageOptions,
    /// Removal of old logs and snapshots.
    pub purge: PurgeOptions,
    /// What the data tree allows.
    pub tree: TreeOptions,
    /// Election and replication.
    pub quorum: QuorumOptions,
    /// Limits on requests.
    pub throttle: ThrottleOptions,
    /// Limits on new connections.
    pub connection_throttle: ConnectionThrottleOptions,
    /// Four-letter words.
    pub four_letter_words: FourLetterWordOptions,
    /// The HTTP administration server.
    pub admin: AdminOptions,
    /// Where metrics go.
    pub metrics: MetricsOptions,
    /// The audit log.
    pub audit: AuditOptions,
    /// Client authentication.
    pub auth: AuthOptions,
    /// Kerberos and DIGEST-MD5, for clients and peers.
    pub sasl: SaslOptions,
    /// Encryption in general.
    pub tls: TlsOptions,
    /// Encryption of client connections (`ssl.*`).
    pub tls_client: TlsEndpoint,
    /// Encryption between servers (`ssl.quorum.*`).
    pub tls_quorum: TlsEndpoint,
    /// Every system property in effect, Java's included.
    pub properties: PropertyMap,
}

impl Config {
    /// Whether the server takes part in an ensemble (`QuorumPeerConfig.isDistributed`).
    #[must_use]
    pub fn is_distributed(&self) -> bool {
        let voters_count = self.servers.voters().count();
        voters_count > 1 || (!self.standalone_enabled && !self.servers.is_empty())
    }

    /// The servers whose votes count, by id.
    pub fn voters(&self) -> impl Iterator<Item = ServerId> + '_ {
        self.servers.voters()
    }

    /// What the list of servers says this server is. One that is not in it is a participant.
    #[must_use]
    pub fn peer_type(&self) -> PeerType {
        let me = self.my_id.and_then(|id| self.servers.get(id));
        me.map_or(PeerType::Participant, |server| server.peer_type)
    }

    pub(crate) fn blank() -> Config {
        Config {
            data_dir: PathBuf::new(),
            data_log_dir: PathBuf::new(),
            tick_time_ms: 0,
            standalone_enabled: false,
            reconfig_enabled: false,
            my_id: None,
            servers: ServerList::default(),
            last_seen_servers: None,
            config_file: None,
            dynamic_config_file: None,
            client: ClientOptions::blank(),
            session: SessionOptions::blank(),
            storage: StorageOptions::blank(),
            purge: PurgeOptions::blank(),
            tree: TreeOptions::blank(),
            quorum: QuorumOptions::blank(),
            throttle: ThrottleOptions::blank(),
            connection_throttle: ConnectionThrottleOptions::blank(),
            four_letter_words: FourLetterWordOptions::blank(),
            admin: AdminOptions::blank(),
            metrics: MetricsOptions::blank(),
            audit: AuditOptions::blank(),
            auth: AuthOptions::blank(),
            sasl: SaslOptions::blank(),
            tls: TlsOptions::blank(),
            tls_client: TlsEndpoint::blank(),
            tls_quorum: TlsEndpoint::blank(),
            properties: PropertyMap::default(),
        }
    }
}

impl Default for Config {
    /// The configuration of a server started without one: standalone, in `./zooid-data`, reachable
    /// on 127.0.0.1:2181.
    fn default() -> Config {
        Draft::embedded(&[])
            .and_then(Draft::finish_alone)
            .expect("the built-in default is valid")
    }
}

impl FourLetterWordOptions {
    /// Whether `word` is answered.
    #[must_use]
    pub fn allows(&self, word: &str) -> bool {
        self.all_allowed || self.allowed.contains(word)
    }
}

/// Compression of snapshots (`SnapStream.StreamMode`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SnapshotCompression {
    /// Plain, with an Adler-32 seal.
    #[default]
    None,
    /// gzip; the file's name ends in `.gz`.
    Gzip,
    /// snappy; the file's name ends in `.snappy`.
    Snappy,
}

/// Who receives the metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum MetricsProvider {
    /// Four-letter words and the administration server.
    #[default]
    Default,
    /// Nobody.
    Null,
    /// A Prometheus endpoint as well.
    Prometheus,
}

/// Whether a client must have a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ClientAuth {
    /// It is not asked.
    None,
    /// It is asked and may have none.
    Want,
    /// It must.
    #[default]
    Need,
}

/// The format of a key or trust store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StoreType {
    /// Java's own.
    Jks,
    /// Text.
    Pem,
    /// PKCS #12.
    Pkcs12,
    /// BouncyCastle FIPS.
    Bcfks,
}

/// A text that is never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(pub String);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// System properties by name. Printing it hides the secrets; reading them is by name.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct PropertyMap(BTreeMap<String, String>);

impl PropertyMap {
    /// The value of one property.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// All of them by name, a secret's value replaced.
    pub fn shown(&self) -> impl Iterator<Item = (&str, &str)> {
        let shown = |name: &str, value| {
            if is_secret_property(name) {
                HIDDEN
            } else {
                value
            }
        };
        self.0
            .iter()
            .map(move |(name, value)| (name.as_str(), shown(name, value.as_str())))
    }

    pub(crate) fn insert(&mut self, name: String, value: String) {
        self.0.insert(name, value);
    }
}

impl fmt::Debug for PropertyMap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.shown()).finish()
    }
}

const HIDDEN: &str = "…";
