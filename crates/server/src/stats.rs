//! What the server counts about itself (Java `ServerStats` and `ServerMetrics`).
//!
//! Nothing is locked per request: a connection counts for itself and hands over what a turn of
//! work has added, the other threads count once per batch. What the numbers are called is in
//! [`crate::metrics`].

use crate::metrics::Distribution;
use crate::role_log::RoleLog;
use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::time::Duration;
use zooid_node::{Input, NodeStats, Now, PeerStatus, Recent, Tally};
use zooid_proto::{EventType, PacketType};
use zooid_tree::Fired;

/// Which of Java's trace messages are wanted at first: requests, packets, sessions, warnings
/// (Java `ZooTrace`).
const INITIAL_TRACE_MASK: i64 = 1 << 1 | 1 << 4 | 1 << 5 | 1 << 8;

/// Counted by many threads, read by operators.
#[derive(Debug)]
pub(crate) struct ServerStats {
    pub(crate) started: Now,
    pub(crate) counters: Counters,
    /// What `stmk` has set. Nothing depends on it.
    pub(crate) trace_mask: AtomicI64,
    /// Whether what stores data is refused for want of space.
    disk_full: AtomicBool,
    summaries: Mutex<Summaries>,
    roles: Mutex<RoleLog>,
}

/// Plain counters; relaxed, since none orders anything.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) packets_received: AtomicU64,
    pub(crate) packets_sent: AtomicU64,
    pub(crate) bytes_received: AtomicU64,
    pub(crate) reply_bytes: AtomicU64,
    pub(crate) event_bytes: AtomicU64,
    pub(crate) auth_failures: AtomicU64,
    pub(crate) local_connections: AtomicU64,
    pub(crate) remote_connections: AtomicU64,
    pub(crate) connections_rejected: AtomicU64,
    pub(crate) connections_dropped: AtomicU64,
    pub(crate) sessionless_expired: AtomicU64,
    pub(crate) connect_requests: AtomicU64,
    pub(crate) requests_queued: AtomicU64,
    pub(crate) requests_held_back: AtomicU64,
    pub(crate) requests_throttled: AtomicU64,
    pub(crate) stale_requests: AtomicU64,
    pub(crate) stale_requests_dropped: AtomicU64,
    pub(crate) large_requests_rejected: AtomicU64,
    pub(crate) sessions_expired: AtomicU64,
    pub(crate) revalidations: AtomicU64,
    pub(crate) proposals: AtomicU64,
    pub(crate) commits: AtomicU64,
    /// Handed to the log.
    pub(crate) txns_logged: AtomicU64,
    /// From a leader.
    pub(crate) proposals_received: AtomicU64,
    /// From a leader.
    pub(crate) commits_received: AtomicU64,
    /// Begun here.
    pub(crate) elections: AtomicU64,
    /// Learners of this leader, by how they were brought up to date.
    pub(crate) syncs_by_txns: AtomicU64,
    pub(crate) syncs_by_snapshot: AtomicU64,
    /// Asked of this leader by learners.
    pub(crate) learner_revalidations: AtomicU64,
    pub(crate) digest_mismatches: AtomicU64,
    pub(crate) snapshot_errors: AtomicU64,
    /// Lists of children that were sent before.
    pub(crate) lists_found: AtomicU64,
    /// Lists of children that were made and kept.
    pub(crate) lists_made: AtomicU64,
}

/// Measurements. Times are in milliseconds, sizes in bytes.
#[derive(Clone, Debug)]
pub(crate) struct Summaries {
    pub(crate) reads: Distribution,
    pub(crate) updates: Distribution,
    /// Waiting of requests before their turn.
    pub(crate) throttle_waits: Distribution,
    /// Connection tokens missing after each connect request.
    pub(crate) token_deficit: Tally,
    /// Writing and syncing one batch of the log.
    pub(crate) flushes: Distribution,
    pub(crate) batch_records: Tally,
    pub(crate) core_queue: Tally,
    pub(crate) snapshots: Tally,
    pub(crate) startup: Tally,
    pub(crate) startup_txns: Tally,
    /// From looking for a leader to having one, or being it.
    pub(crate) elections: Tally,
    /// From having no leader to being in business.
    pub(crate) unavailable: Tally,
    /// The same of those who then lead.
    pub(crate) leader_unavailable: Tally,
    /// From having a leader to being in business.
    pub(crate) follower_syncs: Tally,
    pub(crate) observer_syncs: Tally,
    /// Replies and events.
    pub(crate) packet_bytes: Tally,
    pub(crate) last_packet_bytes: i64,
    /// Watches fired by one event, by its kind.
    pub(crate) created_watches: Tally,
    pub(crate) deleted_watches: Tally,
    pub(crate) changed_watches: Tally,
    pub(crate) children_watches: Tally,
    /// Writes refused by a hard quota, by the top-level node.
    pub(crate) quota_refusals: BTreeMap<String, i64>,
}

impl Summaries {
    pub(crate) fn new() -> Summaries {
        Summaries {
            reads: Distribution::new(),
            updates: Distribution::new(),
            throttle_waits: Distribution::new(),
            token_deficit: Tally::default(),
            flushes: Distribution::new(),
            batch_records: Tally::default(),
            core_queue: Tally::default(),
            snapshots: Tally::default(),
            startup: Tally::default(),
            startup_txns: Tally::default(),
            elections: Tally::default(),
            unavailable: Tally::default(),
            leader_unavailable: Tally::default(),
            follower_syncs: Tally::default(),
            observer_syncs: Tally::default(),
            packet_bytes: Tally::default(),
            last_packet_bytes: 0,
            created_watches: Tally::default(),
            deleted_watches: Tally::default(),
            changed_watches: Tally::default(),
            children_watches: Tally::default(),
            quota_refusals: BTreeMap::new(),
        }
    }

    /// Of all requests.
    pub(crate) fn latency(&self) -> Tally {
        let mut all = *self.reads.tally();
        all.merge(self.updates.tally());
        all
    }
}

fn add(counter: &AtomicU64, n: u64) {
    if n > 0 {
        counter.fetch_add(n, Ordering::Relaxed);
    }
}

fn count(n: usize) -> u64 {
    u64::try_from(n).unwrap_or(u64::MAX)
}

fn millis(took: Duration) -> i64 {
    i64::try_from(took.as_millis()).unwrap_or(i64::MAX)
}

impl ServerStats {
    pub(crate) fn new(started: Now) -> ServerStats {
        ServerStats {
            started,
            counters: Counters::default(),
            trace_mask: AtomicI64::new(INITIAL_TRACE_MASK),
            disk_full: AtomicBool::new(false),
            summaries: Mutex::new(Summaries::new()),
            roles: Mutex::default(),
        }
    }

    pub(crate) fn summaries(&self) -> Summaries {
        self.summaries.lock().clone()
    }

    /// `srst`. As in Java, what is a gauge there goes on counting.
    pub(crate) fn reset(&self) {
        *self.summaries.lock() = Summaries::new();
        self.counters.reset();
    }
}

impl Counters {
    fn reset(&self) {
        let Counters {
            packets_received,
            packets_sent,
            bytes_received,
            reply_bytes,
            event_bytes,
            auth_failures: _,
            local_connections: _,
            remote_connections: _,
            connections_rejected,
            connections_dropped,
            sessionless_expired,
            connect_requests,
            requests_queued,
            requests_held_back,
            requests_throttled,
            stale_requests,
            stale_requests_dropped,
            large_requests_rejected,
            sessions_expired,
            revalidations,
            proposals,
            commits,
            txns_logged,
            proposals_received,
            commits_received,
            elections,
            syncs_by_txns,
            syncs_by_snapshot,
            learner_revalidations,
            digest_mismatches,
            snapshot_errors,
            lists_found,
            lists_made,
        } = self;
        for counter in [
            packets_received,
            packets_sent,
            bytes_received,
            reply_bytes,
            event_bytes,
            connections_rejected,
            connections_dropped,
            sessionless_expired,
            connect_requests,
            requests_queued,
            requests_held_back,
            requests_throttled,
            stale_requests,
            stale_requests_dropped,
            large_requests_rejected,
            sessions_expired,
            revalidations,
            proposals,
            commits,
            txns_logged,
            proposals_received,
            commits_received,
            elections,
            syncs_by_txns,
            syncs_by_snapshot,
            learner_revalidations,
            digest_mismatches,
            snapshot_errors,
            lists_found,
            lists_made,
        ] {
            counter.store(0, Ordering::Relaxed);
        }
    }
}

/// Connections.
impl ServerStats {
    /// Adds what a connection has counted, and how long its frames have waited for their turn.
    pub(crate) fn add(&self, recent: &Recent, waits: &Tally) {
        let counters = &self.counters;
        add(&counters.packets_received, recent.packets_received);
        add(&counters.auth_failures, recent.auth_failures);
        add(&counters.requests_throttled, recent.throttled);
        let sent = &recent.sent;
        if sent.packets == 0 && waits.count == 0 {
            return;
        }
        add(&counters.packets_sent, sent.packets);
        add(&counters.reply_bytes, sent.replies.sum.unsigned_abs());
        add(&counters.event_bytes, sent.events.sum.unsigned_abs());
        add(&counters.lists_found, sent.lists_found);
        add(&counters.lists_made, sent.lists_made);
        let mut summaries = self.summaries.lock();
        summaries.reads.merge(&recent.reads);
        summaries.updates.merge(&recent.writes);
        summaries.throttle_waits.merge(waits);
        summaries.packet_bytes.merge(&sent.replies);
        summaries.packet_bytes.merge(&sent.events);
        if sent.last_bytes > 0 {
            summaries.last_packet_bytes = sent.last_bytes;
        }
    }

    pub(crate) fn bytes_received(&self, n: usize) {
        add(&self.counters.bytes_received, count(n));
    }

    /// A four-letter word counts as a packet, and so does its answer.
    pub(crate) fn word_received(&self) {
        add(&self.counters.packets_received, 1);
    }

    pub(crate) fn word_answered(&self) {
        add(&self.counters.packets_sent, 1);
    }

    pub(crate) fn accepted(&self, remote: &SocketAddr) {
        let is_local = remote.ip().to_canonical().is_loopback();
        let counter = if is_local {
            &self.counters.local_connections
        } else {
            &self.counters.remote_connections
        };
        add(counter, 1);
    }

    pub(crate) fn rejected(&self) {
        add(&self.counters.connections_rejected, 1);
    }

    /// The client's side has closed or reset.
    pub(crate) fn dropped(&self) {
        add(&self.counters.connections_dropped, 1);
    }

    pub(crate) fn sessionless_expired(&self) {
        add(&self.counters.sessionless_expired, 1);
    }

    /// A connection is not served for now because too many requests are under way.
    pub(crate) fn held_back(&self) {
        add(&self.counters.requests_held_back, 1);
    }

    /// A request is carried out for which nobody waits any more.
    pub(crate) fn stale(&self) {
        add(&self.counters.stale_requests, 1);
    }

    /// Such a request is dropped.
    pub(crate) fn stale_dropped(&self) {
        add(&self.counters.stale_requests_dropped, 1);
    }

    /// A request is refused because all large ones together would be too large.
    pub(crate) fn large_rejected(&self) {
        add(&self.counters.large_requests_rejected, 1);
    }

    /// A client may open a session, and so many connection tokens are missing.
    pub(crate) fn session_admitted(&self, deficit: u64) {
        let deficit = i64::try_from(deficit).unwrap_or(i64::MAX);
        self.summaries.lock().token_deficit.add(deficit);
    }

    /// These go to the core's queue.
    pub(crate) fn queued(&self, inputs: &[Input]) {
        let is_open = |input: &&Input| matches!(input, Input::Open(..));
        let opens = inputs.iter().filter(is_open).count();
        add(&self.counters.connect_requests, count(opens));
        add(&self.counters.requests_queued, count(inputs.len()));
    }
}

/// The core, the log and the snapshots.
impl ServerStats {
    /// The core has taken so many messages from its queue at once.
    pub(crate) fn core_batch(&self, messages: usize) {
        let messages = i64::try_from(messages).unwrap_or(i64::MAX);
        self.summaries.lock().core_queue.add(messages);
    }

    /// What the node has counted between two looks at it.
    pub(crate) fn node_advanced(&self, before: &NodeStats, now: &NodeStats) {
        let expired = now.sessions_expired - before.sessions_expired;
        add(&self.counters.sessions_expired, expired);
        let revalidations = now.revalidations - before.revalidations;
        add(&self.counters.revalidations, revalidations);
    }

    /// A transaction goes to the log: of this server's own, or of its leader's.
    /// Transactions of these sizes go to the log.
    pub(crate) fn logged(&self, sizes: impl ExactSizeIterator<Item = usize>, origin: TxnOrigin) {
        let txns = count(sizes.len());
        add(&self.counters.txns_logged, txns);
        match origin {
            TxnOrigin::Own => {
                add(&self.counters.proposals, txns);
                let mut roles = self.roles.lock();
                sizes.for_each(|bytes| roles.proposed(bytes));
            }
            TxnOrigin::Leader => add(&self.counters.proposals_received, txns),
        }
    }

    pub(crate) fn committed(&self, txns: u64, origin: TxnOrigin) {
        match origin {
            TxnOrigin::Own => add(&self.counters.commits, txns),
            TxnOrigin::Leader => add(&self.counters.commits_received, txns),
        }
    }

    /// A hard quota at or below a top-level node has refused a write.
    pub(crate) fn quota_refused(&self, namespace: &str) {
        let mut summaries = self.summaries.lock();
        *summaries
            .quota_refusals
            .entry(namespace.to_owned())
            .or_default() += 1;
    }

    pub(crate) fn digest_mismatched(&self) {
        add(&self.counters.digest_mismatches, 1);
    }

    /// A transaction's watches, those of one event next to each other.
    pub(crate) fn watches_fired(&self, fired: &[Fired]) {
        if fired.is_empty() {
            return;
        }
        let mut summaries = self.summaries.lock();
        for event in fired.chunk_by(|one, next| one.event == next.event && one.path == next.path) {
            let watches = match event[0].event {
                EventType::NodeCreated => &mut summaries.created_watches,
                EventType::NodeDeleted => &mut summaries.deleted_watches,
                EventType::NodeDataChanged => &mut summaries.changed_watches,
                EventType::NodeChildrenChanged => &mut summaries.children_watches,
                EventType::None
                | EventType::DataWatchRemoved
                | EventType::ChildWatchRemoved
                | EventType::PersistentWatchRemoved => continue,
            };
            watches.add(i64::try_from(event.len()).unwrap_or(i64::MAX));
        }
    }

    /// A batch of the log is durable.
    pub(crate) fn synced(&self, took: Duration, records: usize) {
        let mut summaries = self.summaries.lock();
        summaries.flushes.add(millis(took));
        let records = i64::try_from(records).unwrap_or(i64::MAX);
        summaries.batch_records.add(records);
    }

    pub(crate) fn snapshot_taken(&self, took: Duration) {
        self.summaries.lock().snapshots.add(millis(took));
    }

    pub(crate) fn set_disk_full(&self, is_full: bool) {
        self.disk_full.store(is_full, Ordering::Relaxed);
    }

    pub(crate) fn is_disk_full(&self) -> bool {
        self.disk_full.load(Ordering::Relaxed)
    }

    pub(crate) fn snapshot_failed(&self) {
        add(&self.counters.snapshot_errors, 1);
    }

    /// The database was read, so many transactions of it from the log.
    pub(crate) fn recovered(&self, took: Duration, txns: u64) {
        let mut summaries = self.summaries.lock();
        summaries.startup.add(millis(took));
        summaries
            .startup_txns
            .add(i64::try_from(txns).unwrap_or(i64::MAX));
    }
}

/// Whose transaction it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TxnOrigin {
    /// Of this server, which is alone or leads.
    Own,
    /// Of the server that leads.
    Leader,
}

/// The ensemble.
impl ServerStats {
    /// What this server has been.
    pub(crate) fn roles(&self) -> RoleLog {
        self.roles.lock().clone()
    }

    /// This server has become something else.
    pub(crate) fn role_changed(&self, now: Now, status: &PeerStatus) {
        let mut summaries = self.summaries.lock();
        let mut roles = self.roles.lock();
        roles.changed(now.mono_ms, status, &self.counters, &mut summaries);
    }

    /// A learner is brought up to date, if this packet is how.
    pub(crate) fn sent_to_learner(&self, kind: PacketType) {
        if matches!(kind, PacketType::Diff | PacketType::Trunc) {
            add(&self.counters.syncs_by_txns, 1);
        }
    }

    pub(crate) fn sent_snapshot(&self) {
        add(&self.counters.syncs_by_snapshot, 1);
    }

    /// A packet has come.
    pub(crate) fn received(&self, input: &Input) {
        if let Input::Packet(link, packet) = input
            && packet.kind == PacketType::Revalidate
            && link.0.is_multiple_of(2)
        {
            add(&self.counters.learner_revalidations, 1);
        }
    }
}

#[cfg(test)]
mod tests;
