//! What an operator may choose, as far as the protocol is concerned.

use crate::Authenticator;
use zooid_proto::{Limit, OwnerRules, ServerId};

/// Fixed for the life of a server.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Goes into session ids. A standalone server of ZooKeeper uses 1.
    pub server_id: ServerId,
    /// Granularity of session expiry, in milliseconds (`tickTime`).
    pub tick_ms: i64,
    /// Least session timeout granted, in milliseconds.
    pub min_session_timeout_ms: i32,
    /// Greatest session timeout granted, in milliseconds.
    pub max_session_timeout_ms: i32,
    /// `jute.maxbuffer` and its extra size, for what is inside a request.
    pub limit: Limit,
    /// Which node kinds exist.
    pub owner_rules: OwnerRules,
    /// `zookeeper.digest.enabled`
    pub digest: bool,
    /// `zookeeper.closeSessionTxn.enabled`
    pub close_session_txn: bool,
    /// `zookeeper.enforceQuota`
    pub enforce_quota: bool,
    /// `zookeeper.skipACL`
    pub skip_acl: bool,
    /// `reconfigEnabled`
    pub reconfig_enabled: bool,
    /// Sessions that only their server knows; a standalone server has none.
    pub local_sessions: LocalSessions,
    /// Sweeping of container and TTL nodes.
    pub containers: ContainerSettings,
    /// Who may be whom.
    pub authenticator: Authenticator,
    /// Schemes of which a connection must have an identity before anything else
    /// (`zookeeper.enforce.auth.schemes`); empty when not enforced.
    pub required_schemes: Vec<String>,
}

impl Settings {
    /// Clamps a wished session timeout, in milliseconds.
    #[must_use]
    pub fn negotiate_timeout(&self, wished_ms: i32) -> i32 {
        wished_ms
            .min(self.max_session_timeout_ms)
            .max(self.min_session_timeout_ms)
    }
}

/// Sessions that only their server knows (spec §2.3).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LocalSessions {
    /// Whether sessions begin as such (`localSessionsEnabled`).
    pub enabled: bool,
    /// Whether one becomes global when it creates an ephemeral (`localSessionsUpgradingEnabled`).
    pub upgrading: bool,
}

/// `znode.container.*` (spec §2.8).
#[derive(Clone, Copy, Debug)]
pub struct ContainerSettings {
    /// Between looks at the tree, in milliseconds.
    pub check_interval_ms: i64,
    /// Deletions per minute.
    pub max_per_minute: i64,
    /// How old a container must be that never had a child, in milliseconds; 0: never delete one.
    pub max_never_used_ms: i64,
}

impl Default for ContainerSettings {
    fn default() -> ContainerSettings {
        ContainerSettings {
            check_interval_ms: 60_000,
            max_per_minute: 10_000,
            max_never_used_ms: 300_000,
        }
    }
}
