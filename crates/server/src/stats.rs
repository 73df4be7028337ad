//! The server's counters (Java `ServerStats` and `ServerMetrics`).

use parking_lot::Mutex;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;
use zooid_node::{Now, Recent, Tally};
use zooid_proto::EventType;

/// Counted by many threads, read by operators.
#[derive(Debug)]
pub(crate) struct ServerStats {
    pub(crate) started: Now,
    latencies: Mutex<Latencies>,
    pub(crate) counters: Counters,
}

/// Latencies of requests, in milliseconds.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Latencies {
    pub(crate) reads: Tally,
    pub(crate) writes: Tally,
    pub(crate) syncs: Tally,
    pub(crate) snapshots: Tally,
}

/// Plain counters; relaxed, since none orders anything.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) packets_received: AtomicU64,
    pub(crate) packets_sent: AtomicU64,
    pub(crate) bytes_received: AtomicU64,
    pub(crate) auth_failures: AtomicU64,
    pub(crate) connections_accepted: AtomicU64,
    pub(crate) connections_rejected: AtomicU64,
    pub(crate) sessionless_expired: AtomicU64,
    pub(crate) proposals: AtomicU64,
    pub(crate) commits: AtomicU64,
    pub(crate) last_proposal_bytes: AtomicI64,
    pub(crate) node_created_watches: AtomicU64,
    pub(crate) node_deleted_watches: AtomicU64,
    pub(crate) node_changed_watches: AtomicU64,
    pub(crate) node_children_watches: AtomicU64,
    pub(crate) snapshots: AtomicU64,
    pub(crate) snapshot_errors: AtomicU64,
    pub(crate) syncs: AtomicU64,
    pub(crate) slow_syncs: AtomicU64,
}

fn add(counter: &AtomicU64, n: u64) {
    if n > 0 {
        counter.fetch_add(n, Ordering::Relaxed);
    }
}

impl ServerStats {
    pub(crate) fn new(started: Now) -> ServerStats {
        ServerStats {
            started,
            latencies: Mutex::new(Latencies::default()),
            counters: Counters::default(),
        }
    }

    /// Adds what a connection has counted.
    pub(crate) fn add(&self, recent: &Recent) {
        add(&self.counters.packets_received, recent.packets_received);
        add(&self.counters.auth_failures, recent.auth_failures);
        let replies = recent.reads.count + recent.writes.count;
        if replies > 0 {
            add(&self.counters.packets_sent, replies);
            let mut latencies = self.latencies.lock();
            latencies.reads.merge(&recent.reads);
            latencies.writes.merge(&recent.writes);
        }
    }

    pub(crate) fn latencies(&self) -> Latencies {
        *self.latencies.lock()
    }

    /// `srst`: latencies and packet counts start anew.
    pub(crate) fn reset(&self) {
        *self.latencies.lock() = Latencies::default();
        self.counters.packets_received.store(0, Ordering::Relaxed);
        self.counters.packets_sent.store(0, Ordering::Relaxed);
    }

    pub(crate) fn bytes_received(&self, n: usize) {
        add(
            &self.counters.bytes_received,
            u64::try_from(n).unwrap_or(u64::MAX),
        );
    }

    pub(crate) fn sessionless_expired(&self) {
        add(&self.counters.sessionless_expired, 1);
    }

    pub(crate) fn accepted(&self) {
        add(&self.counters.connections_accepted, 1);
    }

    pub(crate) fn rejected(&self) {
        add(&self.counters.connections_rejected, 1);
    }

    pub(crate) fn proposed(&self, bytes: usize) {
        add(&self.counters.proposals, 1);
        let bytes = i64::try_from(bytes).unwrap_or(i64::MAX);
        self.counters
            .last_proposal_bytes
            .store(bytes, Ordering::Relaxed);
    }

    pub(crate) fn synced(&self, took: Duration, slow: bool) {
        add(&self.counters.syncs, 1);
        add(&self.counters.slow_syncs, u64::from(slow));
        let ms = i64::try_from(took.as_millis()).unwrap_or(i64::MAX);
        self.latencies.lock().syncs.add(ms);
    }

    pub(crate) fn snapshot_taken(&self, took: Duration) {
        add(&self.counters.snapshots, 1);
        let ms = i64::try_from(took.as_millis()).unwrap_or(i64::MAX);
        self.latencies.lock().snapshots.add(ms);
    }

    pub(crate) fn snapshot_failed(&self) {
        add(&self.counters.snapshot_errors, 1);
    }

    pub(crate) fn committed(&self) {
        add(&self.counters.commits, 1);
    }

    pub(crate) fn watch_fired(&self, event: EventType) {
        let counter = match event {
            EventType::NodeCreated => &self.counters.node_created_watches,
            EventType::NodeDeleted => &self.counters.node_deleted_watches,
            EventType::NodeDataChanged => &self.counters.node_changed_watches,
            EventType::NodeChildrenChanged => &self.counters.node_children_watches,
            EventType::None
            | EventType::DataWatchRemoved
            | EventType::ChildWatchRemoved
            | EventType::PersistentWatchRemoved => return,
        };
        add(&self.counters.packets_sent, 1);
        add(counter, 1);
    }
}
