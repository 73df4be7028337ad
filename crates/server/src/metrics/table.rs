//! The table of metrics, in the order in which `mntr` prints them.

use super::quotas::NamespaceQuota;
use super::{Metric, Number, Readings, Source};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use zooid_node::Tally;

/// All metrics: gauges, gauge sets, counters, summaries, those with quantiles last.
pub(crate) static METRICS: &[Metric] = &[
    gauge(
        "avg_latency",
        "Average time of a request, in milliseconds",
        |r| {
            let latency = r.summaries.latency();
            Number::mean(latency.sum, latency.count)
        },
    ),
    gauge(
        "max_latency",
        "Longest time of a request, in milliseconds",
        |r| Number::Integer(r.summaries.latency().max),
    ),
    gauge(
        "min_latency",
        "Shortest time of a request, in milliseconds",
        |r| Number::Integer(r.summaries.latency().min),
    ),
    gauge("packets_received", "Packets from clients", |r| {
        counter_value(&r.stats.counters.packets_received)
    }),
    gauge("packets_sent", "Packets to clients", |r| {
        counter_value(&r.stats.counters.packets_sent)
    }),
    gauge("num_alive_connections", "Client connections", |r| {
        Number::of_usize(r.connections)
    }),
    gauge(
        "outstanding_requests",
        "Requests that are not answered yet",
        |r| Number::of_usize(r.outstanding),
    ),
    gauge(
        "uptime",
        "Time since the server was started, in milliseconds",
        |r| Number::Integer(r.uptime_ms),
    ),
    gauge(
        "znode_count",
        "Nodes, the root counted twice as ZooKeeper does",
        |r| Number::of_usize(r.database.nodes),
    ),
    gauge("watch_count", "Watches", |r| {
        Number::of_usize(r.database.watches)
    }),
    gauge("ephemerals_count", "Ephemeral nodes", |r| {
        Number::of_usize(r.database.ephemerals)
    }),
    gauge(
        "approximate_data_size",
        "Characters of all paths and bytes of all data",
        |r| Number::Integer(r.database.data_size),
    ),
    gauge("global_sessions", "Sessions of the ensemble", |r| {
        Number::of_usize(r.database.sessions)
    }),
    gauge(
        "local_sessions",
        "Sessions that only this server knows",
        |r| Number::of_usize(r.local_sessions()),
    ),
    gauge("open_file_descriptor_count", "Open file descriptors", |r| {
        Number::Integer(r.descriptors.open)
    }),
    gauge(
        "max_file_descriptor_count",
        "File descriptors allowed",
        |r| Number::Integer(r.descriptors.max),
    ),
    gauge(
        "connection_drop_probability",
        "Chance that a connect request is refused",
        |r| Number::Double(r.drop_probability),
    ),
    gauge(
        "last_client_response_size",
        "Bytes of the latest reply or event",
        |r| packet_bytes(r, |_| r.summaries.last_packet_bytes),
    ),
    gauge(
        "max_client_response_size",
        "Bytes of the largest reply or event",
        |r| packet_bytes(r, |bytes| bytes.max),
    ),
    gauge(
        "min_client_response_size",
        "Bytes of the smallest reply or event",
        |r| packet_bytes(r, |bytes| bytes.min),
    ),
    gauge(
        "outstanding_tls_handshake",
        "TLS handshakes under way",
        |_| Number::Integer(0),
    ),
    gauge("auth_failed_count", "Authentications refused", |r| {
        counter_value(&r.stats.counters.auth_failures)
    }),
    gauge(
        "non_mtls_remote_conn_count",
        "Connections accepted without TLS from elsewhere",
        |r| counter_value(&r.stats.counters.remote_connections),
    ),
    gauge(
        "non_mtls_local_conn_count",
        "Connections accepted without TLS from this host",
        |r| counter_value(&r.stats.counters.local_connections),
    ),
    gauge(
        "disk_full",
        "1 when there is so little space for the log that a standalone server or a leader refuses what stores data",
        |r| Number::Integer(i64::from(r.stats.is_disk_full())),
    ),
    optional("quorum_size", "Servers whose votes count", |r| {
        Some(Number::of_usize(r.member.as_ref()?.voters))
    }),
    optional("learners", "Servers that follow this leader", |r| {
        Some(Number::of_usize(r.leading()?.learner_count()))
    }),
    optional(
        "synced_followers",
        "Followers that this leader has in sync",
        |r| Some(Number::of_usize(r.leading()?.synced_followers())),
    ),
    optional(
        "synced_non_voting_followers",
        "Those of them whose votes do not count",
        |r| Some(Number::of_usize(r.leading()?.synced_non_voting_followers())),
    ),
    optional(
        "synced_observers",
        "Observers that this leader has in sync",
        |r| Some(Number::of_usize(r.leading()?.synced_observers())),
    ),
    optional(
        "pending_syncs",
        "sync()s of learners' clients that wait for a commit",
        |r| Some(Number::of_usize(r.leading()?.pending_syncs)),
    ),
    optional(
        "leader_uptime",
        "Time that this server has led, in milliseconds",
        |r| Some(Number::Integer(r.leader_uptime_ms()?)),
    ),
    optional(
        "last_proposal_size",
        "Bytes of this leader's latest proposal",
        |r| Some(Number::Integer(r.proposal_bytes()?[0])),
    ),
    optional(
        "min_proposal_size",
        "Bytes of this leader's smallest proposal",
        |r| Some(Number::Integer(r.proposal_bytes()?[1])),
    ),
    optional(
        "max_proposal_size",
        "Bytes of this leader's largest proposal",
        |r| Some(Number::Integer(r.proposal_bytes()?[2])),
    ),
    gauge_set(
        "quota_count_limit_per_namespace",
        "Nodes allowed by quotas",
        |r| per_namespace(r, |quota| quota.count_limit),
    ),
    gauge_set(
        "quota_bytes_limit_per_namespace",
        "Bytes of data allowed by quotas",
        |r| per_namespace(r, |quota| quota.bytes_limit),
    ),
    gauge_set(
        "quota_count_usage_per_namespace",
        "Nodes counted for quotas",
        |r| per_namespace(r, |quota| quota.count_used),
    ),
    gauge_set(
        "quota_bytes_usage_per_namespace",
        "Bytes of data counted for quotas",
        |r| per_namespace(r, |quota| quota.bytes_used),
    ),
    counter(
        "snapshot_error_count",
        "Snapshots that could not be written",
        |c| &c.snapshot_errors,
    ),
    zero_counter(
        "snapshot_rate_limited_count",
        "Snapshot commands refused for coming too fast",
    ),
    zero_counter("restore_error_count", "Restore commands that failed"),
    zero_counter(
        "restore_rate_limited_count",
        "Restore commands refused for coming too fast",
    ),
    counter(
        "looking_count",
        "Times that the server looked for a leader",
        |x| &x.elections,
    ),
    counter(
        "diff_count",
        "Learners brought up to date by transactions",
        |x| &x.syncs_by_txns,
    ),
    counter(
        "snap_count",
        "Learners brought up to date by a snapshot",
        |x| &x.syncs_by_snapshot,
    ),
    counter("commit_count", "Transactions committed", |c| &c.commits),
    counter("connection_request_count", "Requests for a session", |c| {
        &c.connect_requests
    }),
    counter(
        "connection_rejected",
        "Connections refused by a limit",
        |c| &c.connections_rejected,
    ),
    counter("bytes_received_count", "Bytes from clients", |c| {
        &c.bytes_received
    }),
    zero_counter(
        "unrecoverable_error_count",
        "Errors after which the server does not go on",
    ),
    zero_counter(
        "add_dead_watcher_stall_time",
        "Time spent waiting to forget watchers, in milliseconds",
    ),
    zero_counter("dead_watchers_queued", "Watchers waiting to be forgotten"),
    zero_counter("dead_watchers_cleared", "Watchers forgotten in batches"),
    zero_counter(
        "response_packet_cache_hits",
        "Replies of getData taken from a cache",
    ),
    zero_counter(
        "response_packet_cache_misses",
        "Replies of getData not found in a cache",
    ),
    counter(
        "response_packet_get_children_cache_hits",
        "Lists of children, of those worth keeping, that were sent before",
        |c| &c.lists_found,
    ),
    counter(
        "response_packet_get_children_cache_misses",
        "Lists of children, of those worth keeping, that were made anew",
        |c| &c.lists_made,
    ),
    counter(
        "prep_processor_request_queued",
        "Requests handed to the core thread",
        |c| &c.requests_queued,
    ),
    counter(
        "revalidate_count",
        "Sessions that learners asked about",
        |x| &x.learner_revalidations,
    ),
    counter(
        "connection_drop_count",
        "Connections closed by the client",
        |c| &c.connections_dropped,
    ),
    counter(
        "connection_revalidate_count",
        "Sessions taken up again",
        |c| &c.revalidations,
    ),
    counter(
        "sessionless_connections_expired",
        "Connections closed for never opening a session",
        |c| &c.sessionless_expired,
    ),
    counter("stale_sessions_expired", "Sessions expired", |c| {
        &c.sessions_expired
    }),
    counter(
        "throttled_ops",
        "Requests answered with an error for waiting too long",
        |c| &c.requests_throttled,
    ),
    counter(
        "learner_proposal_received_count",
        "Proposals received from a leader",
        |x| &x.proposals_received,
    ),
    counter(
        "learner_commit_received_count",
        "Commits received from a leader",
        |x| &x.commits_received,
    ),
    counter(
        "sync_processor_request_queued",
        "Transactions handed to the log thread",
        |c| &c.txns_logged,
    ),
    counter("proposal_count", "Transactions proposed", |c| &c.proposals),
    zero_counter(
        "quit_leading_due_to_disloyal_voter",
        "Times that a leader gave up for its voters",
    ),
    counter(
        "stale_requests",
        "Requests carried out though nobody waited for them any more",
        |c| &c.stale_requests,
    ),
    counter(
        "stale_requests_dropped",
        "Requests not carried out since nobody waited for them any more",
        |c| &c.stale_requests_dropped,
    ),
    zero_counter("stale_replies", "Replies to connections that were gone"),
    counter(
        "request_throttle_wait_count",
        "Times that a connection waited because too many requests were in progress",
        |c| &c.requests_held_back,
    ),
    counter(
        "large_requests_rejected",
        "Requests refused for all large ones together being too large",
        |c| &c.large_requests_rejected,
    ),
    counter(
        "digest_mismatches_count",
        "Transactions after which the tree was not as promised",
        |c| &c.digest_mismatches,
    ),
    zero_counter("unsuccessful_handshake", "TLS handshakes that failed"),
    zero_counter(
        "insecure_admin_count",
        "Connections without TLS to the admin server",
    ),
    zero_counter(
        "tls_handshake_exceeded",
        "TLS handshakes refused for too many under way",
    ),
    zero_counter(
        "cnxn_closed_without_zk_server_running",
        "Connections closed because nothing was served",
    ),
    zero_counter(
        "skip_learner_request_to_next_processor_count",
        "Requests of a learner that had gone",
    ),
    counter("response_bytes", "Bytes of replies", |c| &c.reply_bytes),
    counter("watch_bytes", "Bytes of watch events", |c| &c.event_bytes),
    counter_set(
        "quota_exceeded_error_per_namespace",
        "Writes refused by a hard quota",
        |s| &s.quota_refusals,
    ),
    basic(
        "fsynctime",
        "Time of writing and syncing a batch of the log, in milliseconds",
        |s| s.flushes.tally(),
    ),
    basic(
        "snapshottime",
        "Time of writing a snapshot, in milliseconds",
        |s| &s.snapshots,
    ),
    zero_basic(
        "restore_time",
        "Time of restoring a snapshot, in milliseconds",
    ),
    basic(
        "dbinittime",
        "Time of reading the database at start, in milliseconds",
        |s| &s.startup,
    ),
    basic(
        "follower_sync_time",
        "Time for a follower to catch up, in milliseconds",
        |x| &x.follower_syncs,
    ),
    basic(
        "observer_sync_time",
        "Time for an observer to catch up, in milliseconds",
        |x| &x.observer_syncs,
    ),
    basic(
        "election_time",
        "Time of an election, in milliseconds",
        |x| &x.elections,
    ),
    basic(
        "connection_token_deficit",
        "Connection tokens missing after a connect request",
        |s| &s.token_deficit,
    ),
    zero_basic("inflight_snap_count", "Learners being sent a snapshot"),
    zero_basic("inflight_diff_count", "Learners being sent transactions"),
    basic(
        "node_created_watch_count",
        "Watches fired by a creation",
        |s| &s.created_watches,
    ),
    basic(
        "node_deleted_watch_count",
        "Watches fired by a deletion",
        |s| &s.deleted_watches,
    ),
    basic(
        "node_changed_watch_count",
        "Watches fired by a change of data",
        |s| &s.changed_watches,
    ),
    basic(
        "node_children_watch_count",
        "Watches fired by a change of children",
        |s| &s.children_watches,
    ),
    basic(
        "prep_processor_queue_size",
        "Messages that the core thread found in its queue",
        |s| &s.core_queue,
    ),
    basic(
        "unavailable_time",
        "Time without a leader, in milliseconds",
        |x| &x.unavailable,
    ),
    basic(
        "leader_unavailable_time",
        "Time of a leader without a quorum, in milliseconds",
        |x| &x.leader_unavailable,
    ),
    basic(
        "startup_txns_loaded",
        "Transactions read from the log at start",
        |s| &s.startup_txns,
    ),
    basic(
        "sync_processor_batch_size",
        "Transactions synced together",
        |s| &s.batch_records,
    ),
    zero_basic(
        "netty_queued_buffer_capacity",
        "Bytes of a request that arrived in parts (Netty)",
    ),
    zero_basic(
        "learner_request_processor_queue_size",
        "Requests of learners in a leader's queue",
    ),
    zero_basic(
        "socket_closing_time",
        "Time of closing a connection to a peer, in milliseconds",
    ),
    advanced("readlatency", "Time of a read, in milliseconds", |s| {
        &s.reads
    }),
    advanced("updatelatency", "Time of a write, in milliseconds", |s| {
        &s.updates
    }),
    zero_advanced(
        "propagation_latency",
        "Time from a leader's proposal to a learner's commit, in milliseconds",
    ),
    zero_advanced(
        "dead_watchers_cleaner_latency",
        "Time of forgetting a batch of watchers, in milliseconds",
    ),
    zero_advanced(
        "om_proposal_process_time_ms",
        "Time of a proposal in an observer master, in milliseconds",
    ),
    zero_advanced(
        "om_commit_process_time_ms",
        "Time of a commit in an observer master, in milliseconds",
    ),
    zero_advanced(
        "proposal_latency",
        "Time from a leader's proposal to a learner, in milliseconds",
    ),
    zero_advanced(
        "proposal_ack_creation_latency",
        "Time from a proposal to its acknowledgement, in milliseconds",
    ),
    zero_advanced(
        "commit_propagation_latency",
        "Time from a leader's commit to a learner, in milliseconds",
    ),
    advanced(
        "sync_processor_queue_flush_time_ms",
        "Time of writing and syncing a batch of the log, in milliseconds",
        |s| &s.flushes,
    ),
    zero_advanced(
        "quorum_ack_latency",
        "Time from a proposal to its quorum, in milliseconds",
    ),
    advanced(
        "request_throttle_queue_time_ms",
        "Time of a request before its turn, in milliseconds",
        |s| &s.throttle_waits,
    ),
];

const fn metric(name: &'static str, doc: &'static str, source: Source) -> Metric {
    Metric { name, doc, source }
}

const fn gauge(
    name: &'static str,
    doc: &'static str,
    value: fn(&Readings<'_>) -> Number,
) -> Metric {
    metric(name, doc, Source::Gauge(value))
}

/// A state that not every server has.
const fn optional(
    name: &'static str,
    doc: &'static str,
    value: fn(&Readings<'_>) -> Option<Number>,
) -> Metric {
    metric(name, doc, Source::Optional(value))
}

const fn gauge_set(
    name: &'static str,
    doc: &'static str,
    values: fn(&Readings<'_>) -> BTreeMap<String, i64>,
) -> Metric {
    metric(name, doc, Source::GaugeSet(values))
}

const fn counter(
    name: &'static str,
    doc: &'static str,
    value: fn(&crate::stats::Counters) -> &AtomicU64,
) -> Metric {
    metric(name, doc, Source::Counter(value))
}

const fn counter_set(
    name: &'static str,
    doc: &'static str,
    values: fn(&crate::stats::Summaries) -> &BTreeMap<String, i64>,
) -> Metric {
    metric(name, doc, Source::CounterSet(values))
}

const fn basic(
    name: &'static str,
    doc: &'static str,
    tally: fn(&crate::stats::Summaries) -> &Tally,
) -> Metric {
    metric(name, doc, Source::Basic(tally))
}

const fn advanced(
    name: &'static str,
    doc: &'static str,
    distribution: fn(&crate::stats::Summaries) -> &super::Distribution,
) -> Metric {
    metric(name, doc, Source::Advanced(distribution))
}

const fn zero_counter(name: &'static str, doc: &'static str) -> Metric {
    metric(name, doc, Source::ZeroCounter)
}

const fn zero_basic(name: &'static str, doc: &'static str) -> Metric {
    metric(name, doc, Source::ZeroBasic)
}

const fn zero_advanced(name: &'static str, doc: &'static str) -> Metric {
    metric(name, doc, Source::ZeroAdvanced)
}

fn counter_value(counter: &AtomicU64) -> Number {
    Number::of_u64(counter.load(Ordering::Relaxed))
}

/// -1 before the first packet (Java `BufferStats`).
fn packet_bytes(readings: &Readings<'_>, value: impl Fn(&Tally) -> i64) -> Number {
    let bytes = &readings.summaries.packet_bytes;
    Number::Integer(if bytes.count == 0 { -1 } else { value(bytes) })
}

fn per_namespace(
    readings: &Readings<'_>,
    value: fn(&NamespaceQuota) -> i64,
) -> BTreeMap<String, i64> {
    let quotas = &readings.database.quotas;
    quotas
        .iter()
        .map(|(name, quota)| (name.clone(), value(quota)))
        .collect()
}
