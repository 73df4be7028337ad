//! The groups of options, one struct per subject.

use super::{ClientAuth, MetricsProvider, Secret, SnapshotCompression, StoreType};
use crate::HostPort;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

/// Defines option groups together with the crate's way to an empty one, which the table's defaults
/// then fill. There is deliberately no public `Default`: all zeros is no configuration.
macro_rules! options {
    ($(
        $(#[$meta:meta])*
        pub struct $name:ident { $($(#[$field_meta:meta])* pub $field:ident: $type:ty,)* }
    )*) => {$(
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq)]
        pub struct $name { $($(#[$field_meta])* pub $field: $type,)* }

        impl $name {
            pub(crate) fn blank() -> $name {
                $name { $($field: Default::default(),)* }
            }
        }
    )*};
}

options! {
    /// Client connections.
    pub struct ClientOptions {
        /// Where clients connect; `None` when only the secure port is open.
        pub address: Option<HostPort>,
        /// Where clients connect with TLS.
        pub secure_address: Option<HostPort>,
        /// The listen backlog; `None` leaves it to the system.
        pub listen_backlog: Option<u32>,
        /// Connections allowed from one address.
        pub cnxns_per_ip_max: Option<u32>,
        /// Connections allowed in all.
        pub cnxns_max: Option<u32>,
        /// Whether client sockets have TCP keep-alive.
        pub tcp_keep_alive: bool,
        /// How long a connection may stay without a session.
        pub sessionless_timeout_ms: u64,
        /// Threads that serve clients: 0 is none but the one that orders writes, `None` as the machine suggests.
        pub worker_threads: Option<u32>,
        /// The largest frame or field a peer may announce (`jute.maxbuffer`).
        pub jute_buffer_bytes_max: u32,
        /// What a record read from disk or from a server may be larger.
        pub jute_extra_bytes: u32,
        /// Whether a server cut off from its ensemble serves reads.
        pub read_only_mode: bool,
    }

    /// Sessions.
    pub struct SessionOptions {
        /// The shortest timeout a client may have.
        pub timeout_ms_min: i32,
        /// The longest timeout a client may have.
        pub timeout_ms_max: i32,
        /// Whether sessions start without the ensemble knowing.
        pub local_enabled: bool,
        /// Whether such a session becomes a global one when it needs to.
        pub local_upgrading_enabled: bool,
    }

    /// Logs and snapshots.
    pub struct StorageOptions {
        /// Whether a missing data directory is created.
        pub data_dir_auto_create: bool,
        /// Whether an empty data directory may become a new database.
        pub database_auto_create: bool,
        /// Transactions between snapshots.
        pub snap_count: u32,
        /// Bytes of log between snapshots.
        pub snap_size_bytes_max: Option<u64>,
        /// Bytes of one log file.
        pub log_size_bytes_max: Option<u64>,
        /// How far ahead log files grow; 0 is not at all.
        pub pre_alloc_bytes: u64,
        /// Whether a transaction is on disk before it is acknowledged.
        pub force_sync: bool,
        /// Syncs slower than this are reported.
        pub fsync_warning_ms: u64,
        /// How long a write may wait for company before it is synced.
        pub flush_delay_ms: u64,
        /// How long to wait for the next write while some are unsynced.
        pub write_queue_poll_ms_max: u64,
        /// Writes per sync.
        pub batch_size_max: u32,
        /// Whether logs without any snapshot are believed.
        pub trust_empty_snapshot: bool,
        /// Compression of snapshots.
        pub snapshot_compression: SnapshotCompression,
        /// Whether snapshots end with the last processed zxid.
        pub serialize_last_processed_zxid: bool,
        /// Recent transactions kept for learners that are a little behind.
        pub commit_log_count: u32,
        /// How much log, relative to the snapshot, is sent before the snapshot is sent instead.
        /// Negative: always the snapshot.
        pub snapshot_size_factor: f64,
    }

    /// Removal of old logs and snapshots.
    pub struct PurgeOptions {
        /// Snapshots kept.
        pub snap_retain_count: u32,
        /// Time between purges; `None` is never.
        pub interval_ms: Option<u64>,
    }

    /// What the data tree allows.
    pub struct TreeOptions {
        /// Whether transactions and snapshots carry the tree's digest.
        pub digest_enabled: bool,
        /// Whether closeSession transactions list the ephemerals they delete.
        pub close_session_txn_enabled: bool,
        /// Whether TTL nodes exist.
        pub extended_types_enabled: bool,
        /// Whether TTLs are encoded as ZooKeeper 3.5.3 did.
        pub emulate_353_ttl_nodes: bool,
        /// Whether quotas refuse writes.
        pub enforce_quota: bool,
        /// Whether ACLs are ignored.
        pub skip_acl: bool,
        /// How many lists of children are kept as they are sent.
        pub child_lists_max: Option<u32>,
        /// Whether ACLs are checked before a learner forwards a request.
        pub eager_acl_check: bool,
        /// Time between sweeps for empty containers and expired nodes.
        pub container_check_interval_ms: u64,
        /// Deletions per minute of such a sweep.
        pub containers_per_minute_max: u32,
        /// How long a container without any child yet is kept; `None` is for ever.
        pub container_never_used_interval_ms_max: Option<u64>,
    }

    /// Election and replication.
    pub struct QuorumOptions {
        /// Ticks a learner may take to connect and synchronise.
        pub init_limit_ticks: u32,
        /// Ticks a learner may be out of touch.
        pub sync_limit_ticks: u32,
        /// Ticks a learner may take to reach its master; 0 is `init_limit_ticks`.
        pub connect_to_learner_master_limit_ticks: u32,
        /// Whether quorum and election ports listen on every interface.
        pub listen_on_all_ips: bool,
        /// Whether an observer writes logs and snapshots.
        pub observer_sync_enabled: bool,
        /// Where a follower serves observers.
        pub observer_master_port: Option<u16>,
        /// The file a two-server ensemble asks when it has no majority.
        pub oracle_path: Option<PathBuf>,
        /// Whether a server may have several addresses.
        pub multi_address_enabled: bool,
        /// Whether such an address is tried before it is used.
        pub reachability_check_enabled: bool,
        /// How long that may take.
        pub reachability_check_timeout_ms: u64,
        /// Time to connect to another server's election port.
        pub connect_timeout_ms: u64,
        /// Read timeout of election connections; `None` derives it from the ticks.
        pub election_read_timeout_ms: Option<u64>,
        /// Attempts to bind the election port; 0 is without end.
        pub election_port_bind_retries: u32,
        /// First wait for votes.
        pub notification_interval_ms_min: u64,
        /// Longest wait for votes.
        pub notification_interval_ms_max: u64,
        /// Wait between attempts to reach the leader.
        pub leader_connect_retry_delay_ms: u64,
        /// Whether the leader serves clients.
        pub leader_serves: bool,
        /// Whether election sockets have TCP keep-alive.
        pub tcp_keep_alive: bool,
        /// Whether a leader's sockets send at once.
        pub leader_no_delay: bool,
        /// Whether a learner's sockets send at once.
        pub follower_no_delay: bool,
        /// Snapshots sent at a time.
        pub concurrent_snap_syncs_max: u32,
        /// Logs sent at a time.
        pub concurrent_diff_syncs_max: u32,
        /// Whether learners are always sent a snapshot.
        pub force_snapshot_sync: bool,
        /// How long a new leader waits for followers before a new election; `None` is by ticks.
        pub epoch_wait_ms_max: Option<u64>,
        /// One acknowledgement in so many is logged.
        pub ack_logging_frequency: u32,
        /// Most time an observer waits, at random, before another master.
        pub observer_reconnect_delay_ms: u64,
        /// How long an observer waits for votes before it looks for a leader.
        pub observer_election_delay_ms: u64,
        /// Bytes of committed packets an observer master keeps.
        pub observer_master_bytes_max: u64,
        /// The last counter of an epoch, for tests.
        pub counter_max: Option<u32>,
        /// The first zxid of a fresh ensemble, for tests.
        pub initial_zxid: Option<i64>,
        /// Whether a gap among proposals is tolerated, for tests.
        pub allow_discontinuous_proposals: bool,
    }

    /// Limits on requests.
    pub struct ThrottleOptions {
        /// Requests in progress before reading stops.
        pub global_outstanding_limit: u32,
        /// Requests past this wait are answered with THROTTLEDOP.
        pub throttled_op_wait_ms: Option<u64>,
        /// Bytes of large requests in progress.
        pub large_request_bytes_max: u64,
        /// From how many bytes on a request is large.
        pub large_request_bytes_min: Option<u64>,
        /// Requests in progress before the throttler stalls.
        pub requests_max: Option<u32>,
        /// How long it stalls.
        pub stall_time_ms: u64,
        /// Whether requests that are no longer wanted are dropped.
        pub drop_stale: bool,
        /// Whether a request older than its session's timeout is unwanted.
        pub stale_latency_check: bool,
        /// Whether a request of a closed connection is unwanted.
        pub stale_connection_check: bool,
        /// How long the throttler may take to stop.
        pub shutdown_timeout_ms: u64,
    }

    /// Limits on new connections.
    pub struct ConnectionThrottleOptions {
        /// The bucket's size; `None` is off.
        pub tokens: Option<u32>,
        /// Time between fills.
        pub fill_time_ms: u64,
        /// Tokens per fill.
        pub fill_count: u32,
        /// Time between adjustments of the dropping probability; `None` is off.
        pub freeze_time_ms: Option<u64>,
        /// What the probability grows by.
        pub drop_increase: f64,
        /// What the probability falls by.
        pub drop_decrease: f64,
        /// The bucket's fill ratio above which it falls.
        pub decrease_ratio: f64,
        /// Whether kinds of sessions cost differently.
        pub weight_enabled: bool,
        /// The cost of a global session.
        pub global_session_weight: u32,
        /// The cost of a local session.
        pub local_session_weight: u32,
        /// The cost of a renewed session.
        pub renew_session_weight: u32,
    }

    /// Four-letter words.
    pub struct FourLetterWordOptions {
        /// Whether every word is answered.
        pub all_allowed: bool,
        /// The words that are answered otherwise.
        pub allowed: BTreeSet<String>,
    }

    /// The HTTP administration server.
    pub struct AdminOptions {
        /// Whether it runs.
        pub enabled: bool,
        /// Where it listens.
        pub address: String,
        /// Where it listens.
        pub port: u16,
        /// How long a connection may be idle.
        pub idle_timeout_ms: u64,
        /// The path of its commands.
        pub command_url: String,
        /// Whether plain and encrypted connections share the port.
        pub port_unification: bool,
        /// Whether plain connections are refused.
        pub force_https: bool,
        /// Whether clients must have a certificate.
        pub need_client_auth: bool,
        /// Whether snapshots can be taken.
        pub snapshot_enabled: bool,
        /// Whether snapshots can be restored.
        pub restore_enabled: bool,
        /// Time between two of those.
        pub rate_limiter_interval_ms: u64,
    }

    /// Where metrics go.
    pub struct MetricsOptions {
        /// Who receives them.
        pub provider: MetricsProvider,
        /// What that provider is told (`metricsProvider.*`).
        pub provider_options: BTreeMap<String, String>,
    }

    /// The audit log.
    pub struct AuditOptions {
        /// Whether it is written.
        pub enabled: bool,
        /// The Java class meant to write it.
        pub class: Option<String>,
    }

    /// Client authentication.
    pub struct AuthOptions {
        /// Authentication providers by the name they were registered under: Java class names.
        pub providers: BTreeMap<String, String>,
        /// Whether the scheme `digest` exists.
        pub digest_enabled: bool,
        /// The hash of the scheme `digest`, by Java's name.
        pub digest_algorithm: String,
        /// `super:<hash>`: the password that is above all ACLs.
        pub super_digest: Option<Secret>,
        /// Whether the scheme `ip` believes X-Forwarded-For.
        pub ip_uses_x_forwarded_for: bool,
        /// The certificate subject that is above all ACLs.
        pub x509_super_user: Option<String>,
        /// The SASL password that is above all ACLs.
        pub sasl_super_password: Option<Secret>,
        /// SASL identities above all ACLs (`superUser`, `superUser.*`).
        pub sasl_super_users: BTreeSet<String>,
        /// The SASL id in an ACL that any SASL identity passes for.
        pub let_any_sasl_user_do_x: Option<String>,
        /// Whether a client whose SASL login fails stays connected.
        pub allow_sasl_failed_clients: bool,
        /// Whether a session needs a SASL login.
        pub session_requires_sasl: bool,
        /// Whether a session needs one of `enforce_schemes`.
        pub enforce_enabled: bool,
        /// Those schemes.
        pub enforce_schemes: BTreeSet<String>,
        /// The names the scheme `ensemble` accepts.
        pub ensemble_names: BTreeSet<String>,
    }

    /// Kerberos and DIGEST-MD5, for clients and peers.
    pub struct SaslOptions {
        /// The JAAS file.
        pub login_config: Option<PathBuf>,
        /// The JAAS section of the server.
        pub server_section: String,
        /// The realm clients are told.
        pub server_realm: Option<String>,
        /// Rules from principals to short names.
        pub auth_to_local: String,
        /// Whether principals lose their host.
        pub remove_host_from_principal: bool,
        /// Whether principals lose their realm.
        pub remove_realm_from_principal: bool,
        /// Whether peers' host names are canonicalised.
        pub canonicalize_host_names: bool,
        /// Time between logins.
        pub relogin_interval_ms_min: u64,
        /// Whether a Kerberos configuration must exist.
        pub require_kerberos_config: bool,
        /// Whether peers authenticate.
        pub quorum_enabled: bool,
        /// Whether this server demands it of those who connect.
        pub quorum_server_requires: bool,
        /// Whether this server demands it where it connects.
        pub quorum_learner_requires: bool,
        /// The JAAS section used when connecting.
        pub quorum_learner_section: String,
        /// The JAAS section used when accepting.
        pub quorum_server_section: String,
        /// The peers' Kerberos principal.
        pub quorum_service_principal: String,
    }

    /// Encryption in general.
    pub struct TlsOptions {
        /// Whether servers dial each other with TLS.
        pub quorum_enabled: bool,
        /// Whether plain peers are accepted beside encrypted ones.
        pub quorum_port_unification: bool,
        /// Whether the peers' certificates are read again when they change.
        pub quorum_reload_cert_files: bool,
        /// Whether the secure client port also takes plain connections.
        pub client_port_unification: bool,
        /// Whether the clients' certificates are read again when they change.
        pub client_cert_reload: bool,
        /// The authentication provider that judges client certificates.
        pub auth_provider: String,
        /// Whether only FIPS 140 algorithms are used, which excludes DIGEST-MD5.
        pub fips_mode: bool,
    }

    /// Encryption of one kind of connection.
    pub struct TlsEndpoint {
        /// The protocol version; `None` is the best there is.
        pub protocol: Option<String>,
        /// The protocol versions accepted.
        pub enabled_protocols: Vec<String>,
        /// The cipher suites accepted.
        pub cipher_suites: Vec<String>,
        /// Own key and certificate.
        pub key_store: Option<PathBuf>,
        /// Its password.
        pub key_store_password: Option<Secret>,
        /// The file that holds its password.
        pub key_store_password_path: Option<PathBuf>,
        /// Its format; `None` goes by the file's name.
        pub key_store_type: Option<StoreType>,
        /// Trusted certificates.
        pub trust_store: Option<PathBuf>,
        /// Its password.
        pub trust_store_password: Option<Secret>,
        /// The file that holds its password.
        pub trust_store_password_path: Option<PathBuf>,
        /// Its format; `None` goes by the file's name.
        pub trust_store_type: Option<StoreType>,
        /// Whether a certificate must name the host.
        pub hostname_verification: bool,
        /// Whether a client's certificate must name its host.
        pub client_hostname_verification: bool,
        /// Whether an address may be turned into a name for that.
        pub allow_reverse_dns_lookup: bool,
        /// Whether revocation lists are consulted.
        pub crl: bool,
        /// Whether revocation is asked for online.
        pub ocsp: bool,
        /// Whether a client must have a certificate.
        pub client_auth: ClientAuth,
        /// How long to wait for the first bytes when plain and encrypted share a port.
        pub handshake_detection_timeout_ms: u64,
    }
}
