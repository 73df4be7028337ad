//! Everything that the table of metrics reads, taken at one time.

use super::process::Descriptors;
use super::quotas::{NamespaceQuota, quotas};
use crate::clock;
use crate::role_log::RoleLog;
use crate::shared::Shared;
use crate::stats::{ServerStats, Summaries};
use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use zooid_node::PeerStatus;
use zooid_proto::Zxid;
use zooid_proto::election::PeerState;
use zooid_tree::Replica;
use zooid_zab::LeaderStatus;

/// See the module.
#[derive(Debug)]
pub(crate) struct Readings<'a> {
    /// `None` for a standalone server.
    pub(crate) member: Option<MemberReadings>,
    pub(crate) uptime_ms: i64,
    pub(crate) connections: usize,
    /// Requests whose reply is not made yet.
    pub(crate) outstanding: usize,
    pub(crate) descriptors: Descriptors,
    pub(crate) database: DatabaseReadings,
    pub(crate) summaries: Summaries,
    /// The share of connect requests that is refused at random.
    pub(crate) drop_probability: f64,
    pub(crate) stats: &'a ServerStats,
}

/// What the replica tells of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct DatabaseReadings {
    pub(crate) last_zxid: Zxid,
    pub(crate) nodes: usize,
    pub(crate) watches: usize,
    pub(crate) ephemerals: usize,
    pub(crate) sessions: usize,
    pub(crate) data_size: i64,
    pub(crate) quotas: BTreeMap<String, NamespaceQuota>,
}

/// What a member of an ensemble tells of itself.
#[derive(Clone, Debug)]
pub(crate) struct MemberReadings {
    pub(crate) status: PeerStatus,
    /// How many votes count.
    pub(crate) voters: usize,
    pub(crate) roles: RoleLog,
    pub(crate) now_ms: i64,
}

impl Readings<'_> {
    /// What the server is in its ensemble (Java `ServerStats.getServerState`).
    pub(crate) fn server_state(&self) -> &'static str {
        let Some(member) = &self.member else {
            return "standalone";
        };
        match member.status.state {
            PeerState::Looking => "read-only",
            PeerState::Following => "follower",
            PeerState::Leading => "leader",
            PeerState::Observing => "observer",
        }
    }

    /// Sessions that only this server knows.
    pub(crate) fn local_sessions(&self) -> usize {
        let member = self.member.as_ref();
        member.map_or(0, |member| member.status.local_sessions)
    }

    /// On a leader, how it leads.
    pub(crate) fn leading(&self) -> Option<&LeaderStatus> {
        self.member.as_ref()?.status.leading.as_ref()
    }

    /// On a leader, for how long it has been that.
    pub(crate) fn leader_uptime_ms(&self) -> Option<i64> {
        let member = self.member.as_ref()?;
        member.roles.leader_uptime_ms(member.now_ms)
    }

    /// On a leader, bytes of the last, the smallest and the largest proposal.
    pub(crate) fn proposal_bytes(&self) -> Option<[i64; 3]> {
        self.member.as_ref()?.roles.proposal_bytes()
    }

    /// `None` when the core has ended.
    pub(crate) async fn take(shared: &Shared) -> Option<Readings<'_>> {
        let member = if shared.config.is_distributed() {
            Some(MemberReadings {
                status: shared.inspect(zooid_node::Node::peer).await??,
                voters: shared.config.voters().count(),
                roles: shared.stats.roles(),
                now_ms: clock::mono_ms(),
            })
        } else {
            None
        };
        Some(Readings {
            member,
            uptime_ms: clock::mono_ms() - shared.stats.started.mono_ms,
            connections: shared.clients.len(),
            outstanding: shared.in_process.load(Ordering::Relaxed),
            descriptors: Descriptors::count(),
            database: DatabaseReadings::of(&shared.replica.read()),
            summaries: shared.stats.summaries(),
            drop_probability: shared.connection_throttle.lock().drop_probability(),
            stats: &shared.stats,
        })
    }
}

impl DatabaseReadings {
    fn of(replica: &Replica) -> DatabaseReadings {
        DatabaseReadings {
            last_zxid: replica.last_zxid(),
            nodes: replica.node_count(),
            watches: replica.watch_count(),
            ephemerals: replica.ephemerals_count(),
            sessions: replica.session_count(),
            data_size: replica.approximate_data_size(),
            quotas: quotas(replica),
        }
    }
}
