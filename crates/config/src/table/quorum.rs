//! Properties of election and replication.

use super::{command_line, limit_millis, millis, natural, natural_long, property};
use crate::key::Initial::{Follows, Is, Unset};
use crate::key::Key;
use crate::key::Mark::{Core, Java, Ops};
use crate::key::Setter::{Bool, Int, Long, Unread, Word};
use crate::value::Range;

pub(super) const QUORUM: &[Key] = &[
    property(
        "cnxTimeout",
        Core,
        Is("5000"),
        Int(Range::POSITIVE, |d, v| {
            d.config.quorum.connect_timeout_ms = millis(v);
        }),
        "Milliseconds to connect to another server's election port.",
    ),
    property(
        "quorumCnxnTimeoutMs",
        Core,
        Is("-1"),
        Int(Range::ANY, |d, v| {
            d.config.quorum.election_read_timeout_ms = limit_millis(v);
        }),
        "Milliseconds an election connection may be silent; negative is by ticks.",
    ),
    property(
        "electionPortBindRetry",
        Core,
        Is("3"),
        Int(Range::NATURAL, |d, v| {
            d.config.quorum.election_port_bind_retries = natural(v);
        }),
        "Attempts to bind the election port; 0 is without end.",
    ),
    property(
        "fastleader.minNotificationInterval",
        Core,
        Is("200"),
        Int(Range::POSITIVE, |d, v| {
            d.config.quorum.notification_interval_ms_min = millis(v);
        }),
        "Milliseconds of the first wait for votes.",
    ),
    property(
        "fastleader.maxNotificationInterval",
        Core,
        Is("60000"),
        Int(Range::POSITIVE, |d, v| {
            d.config.quorum.notification_interval_ms_max = millis(v);
        }),
        "Milliseconds of the longest wait for votes.",
    ),
    property(
        "leaderConnectDelayDuringRetryMs",
        Core,
        Is("100"),
        Int(Range::NATURAL, |d, v| {
            d.config.quorum.leader_connect_retry_delay_ms = millis(v);
        }),
        "Milliseconds between attempts to reach the leader.",
    ),
    property(
        "leaderServes",
        Core,
        Is("yes"),
        Word {
            is: "no",
            other: "yes",
            set: |d, off| d.config.quorum.leader_serves = !off,
        },
        "Whether the leader serves clients.",
    ),
    command_line(
        "leader.nodelay",
        Ops,
        Is("true"),
        Bool(|d, v| d.config.quorum.leader_no_delay = v),
        "Whether a leader's sockets send at once.",
    ),
    command_line(
        "follower.nodelay",
        Ops,
        Is("true"),
        Bool(|d, v| d.config.quorum.follower_no_delay = v),
        "Whether a learner's sockets send at once.",
    ),
    property(
        "leader.maxConcurrentSnapSyncs",
        Core,
        Is("10"),
        Int(Range::POSITIVE, |d, v| {
            d.config.quorum.concurrent_snap_syncs_max = natural(v);
        }),
        "Learners sent a snapshot at a time.",
    ),
    property(
        "leader.maxConcurrentDiffSyncs",
        Core,
        Is("100"),
        Int(Range::POSITIVE, |d, v| {
            d.config.quorum.concurrent_diff_syncs_max = natural(v);
        }),
        "Learners sent missing transactions at a time.",
    ),
    property(
        "forceSnapshotSync",
        Ops,
        Is("false"),
        Bool(|d, v| d.config.quorum.force_snapshot_sync = v),
        "Whether learners are always sent a snapshot.",
    ),
    property(
        "leader.maxTimeToWaitForEpoch",
        Ops,
        Is("-1"),
        Int(Range::ANY, |d, v| {
            d.config.quorum.epoch_wait_ms_max = limit_millis(v);
        }),
        "Milliseconds a new leader waits for followers; negative is initLimit.",
    ),
    property(
        "leader.ackLoggingFrequency",
        Ops,
        Is("1000"),
        Int(Range::POSITIVE, |d, v| {
            d.config.quorum.ack_logging_frequency = natural(v);
        }),
        "One acknowledgement in so many is logged.",
    ),
    property(
        "observer.reconnectDelayMs",
        Core,
        Is("0"),
        Long(Range::NATURAL, |d, v| {
            d.config.quorum.observer_reconnect_delay_ms = natural_long(v);
        }),
        "Most milliseconds, at random, before an observer tries another master.",
    ),
    property(
        "observer.election.DelayMs",
        Core,
        Is("200"),
        Long(Range::NATURAL, |d, v| {
            d.config.quorum.observer_election_delay_ms = natural_long(v);
        }),
        "Milliseconds an observer lets an election settle.",
    ),
    property(
        "observer.syncEnabled",
        Core,
        Follows("syncEnabled"),
        Bool(|d, v| d.raw.observer_sync_enabled = Some(v)),
        "As `syncEnabled`, over which it wins.",
    ),
    property(
        "observerMaster.sizeLimit",
        Core,
        Is("33554432"),
        Int(Range::NATURAL, |d, v| {
            d.config.quorum.observer_master_bytes_max = natural(v).into();
        }),
        "Bytes of committed transactions kept for observers of a follower.",
    ),
    property(
        "multiAddress.enabled",
        Core,
        Unset,
        Bool(|d, v| d.config.quorum.multi_address_enabled = v),
        "As the key of `zoo.cfg`, which wins. ZooKeeper needs both to read several addresses.",
    ),
    property(
        "multiAddress.reachabilityCheckEnabled",
        Core,
        Unset,
        Bool(|d, v| d.config.quorum.reachability_check_enabled = v),
        "As the key of `zoo.cfg`, which wins.",
    ),
    property(
        "multiAddress.reachabilityCheckTimeoutMs",
        Core,
        Unset,
        Int(Range::NATURAL, |d, v| {
            d.config.quorum.reachability_check_timeout_ms = millis(v);
        }),
        "As the key of `zoo.cfg`, which wins.",
    ),
    property(
        "testingonly.counterMax",
        Core,
        Unset,
        Int(Range::POSITIVE, |d, v| {
            d.config.quorum.counter_max = Some(natural(v));
        }),
        "Transactions of an epoch before the next one must begin, for tests. ZooKeeper has no such \
         key, and needs four billion.",
    ),
    property(
        "testingonly.initialZxid",
        Ops,
        Unset,
        Long(Range::ANY, |d, v| d.config.quorum.initial_zxid = Some(v)),
        "First zxid of a fresh ensemble, for tests.",
    ),
    property(
        "test.allowDiscontinuousProposals",
        Ops,
        Is("false"),
        Bool(|d, v| d.config.quorum.allow_discontinuous_proposals = v),
        "Whether gaps between proposals are tolerated, for tests.",
    ),
    property(
        "tcpKeepAlive",
        Ops,
        Is("false"),
        Bool(|d, v| d.config.quorum.tcp_keep_alive = v),
        "Whether election sockets have TCP keep-alive.",
    ),
    property(
        "leader.closeSocketAsync",
        Java,
        Is("false"),
        Unread("boolean"),
        "Close in a thread.",
    ),
    property(
        "learner.closeSocketAsync",
        Java,
        Is("false"),
        Unread("boolean"),
        "Close in a thread.",
    ),
    property(
        "learner.asyncSending",
        Java,
        Is("false"),
        Unread("boolean"),
        "Send in a thread.",
    ),
    property(
        "follower.skipLearnerRequestToNextProcessor",
        Java,
        Is("false"),
        Unread("boolean"),
        "Path of observers' requests through the processors.",
    ),
    property(
        "forward_learner_requests_to_commit_processor_disabled",
        Java,
        Is("false"),
        Unread("boolean"),
        "Path of learners' requests through the processors.",
    ),
];
