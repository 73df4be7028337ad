//! Properties of logs, snapshots and the data tree.

use super::{command_line, limit_kib, limit_long, millis, natural, natural_long, property};
use crate::config::SnapshotCompression;
use crate::key::Initial::{Follows, Is, Unset};
use crate::key::Key;
use crate::key::Mark::{Core, Ops, Security};
use crate::key::Setter::{Bool, Choice, Float, Int, Long, Word};
use crate::value::Range;

pub(super) const STORAGE: &[Key] = &[
    property(
        "snapCount",
        Core,
        Is("100000"),
        Int(Range::raised_to(2), |d, v| {
            d.config.storage.snap_count = natural(v);
        }),
        "Transactions between two snapshots, roughly: chance spreads an ensemble's snapshots. If it is not set, a large tree takes as many as it has nodes.",
    ),
    property(
        "snapSizeLimitInKb",
        Core,
        Is("4194304"),
        Long(Range::ANY, |d, v| {
            d.config.storage.snap_size_bytes_max = limit_kib(v);
        }),
        "KiB of log between two snapshots, roughly; not positive is off.",
    ),
    property(
        "txnLogSizeLimitInKb",
        Ops,
        Is("-1"),
        Long(Range::ANY, |d, v| {
            d.config.storage.log_size_bytes_max = limit_kib(v);
        }),
        "KiB of one log file; not positive is off.",
    ),
    property(
        "preAllocSize",
        Core,
        Is("65536"),
        Long(Range::ANY, |d, v| {
            d.config.storage.pre_alloc_bytes = limit_kib(v).unwrap_or(0);
        }),
        "KiB by which a log file grows ahead of its content.",
    ),
    property(
        "forceSync",
        Core,
        Is("yes"),
        Word {
            is: "no",
            other: "yes",
            set: |d, off| d.config.storage.force_sync = !off,
        },
        "Whether a transaction is on disk before it is acknowledged. `no` loses data in a crash.",
    ),
    command_line(
        "fsync.warningthresholdms",
        Ops,
        Unset,
        Long(Range::NATURAL, |d, v| {
            d.config.storage.fsync_warning_ms = natural_long(v);
        }),
        "Older spelling of the next.",
    ),
    property(
        "fsync.warningthresholdms",
        Ops,
        Is("1000"),
        Long(Range::NATURAL, |d, v| {
            d.config.storage.fsync_warning_ms = natural_long(v);
        }),
        "Milliseconds from which on a sync is reported as slow.",
    ),
    property(
        "flushDelay",
        Ops,
        Is("0"),
        Long(Range::NATURAL, |d, v| {
            d.config.storage.flush_delay_ms = natural_long(v);
        }),
        "Milliseconds a write may wait for others before all are synced together.",
    ),
    property(
        "maxWriteQueuePollTime",
        Ops,
        Follows("flushDelay / 3"),
        Long(Range::NATURAL, |d, v| {
            d.raw.write_queue_poll_ms_max = Some(natural_long(v));
        }),
        "Milliseconds to wait for the next write while some are unsynced.",
    ),
    property(
        "maxBatchSize",
        Ops,
        Is("1000"),
        Int(Range::POSITIVE, |d, v| {
            d.config.storage.batch_size_max = natural(v);
        }),
        "Writes synced together.",
    ),
    property(
        "commitLogCount",
        Core,
        Is("500"),
        Int(Range::raised_to(500), |d, v| {
            d.config.storage.commit_log_count = natural(v);
        }),
        "Recent transactions kept in memory for learners that are a little behind.",
    ),
    property(
        "snapshotSizeFactor",
        Core,
        Is("0.33"),
        Float(1.0, |d, v| d.config.storage.snapshot_size_factor = v),
        "Log sent to a learner, relative to the snapshot, before the snapshot is sent instead; \
         negative is always the snapshot.",
    ),
    property(
        "snapshot.trust.empty",
        Core,
        Is("false"),
        Bool(|d, v| d.config.storage.trust_empty_snapshot = v),
        "Whether logs without any snapshot are believed, as when upgrading from 3.4.",
    ),
    property(
        "snapshot.compression.method",
        Core,
        Is(""),
        Choice(&["", "gz", "snappy"], |d, v| {
            d.config.storage.snapshot_compression = match v {
                "gz" => SnapshotCompression::Gzip,
                "snappy" => SnapshotCompression::Snappy,
                _ => SnapshotCompression::None,
            };
        }),
        "Compression of snapshots: nothing, `gz` or `snappy`.",
    ),
    property(
        "serializeLastProcessedZxid.enabled",
        Core,
        Is("true"),
        Bool(|d, v| d.config.storage.serialize_last_processed_zxid = v),
        "Whether a snapshot ends with the zxid it is exact for (3.9).",
    ),
    property(
        "db.autocreate",
        Core,
        Is("true"),
        Bool(|d, v| d.config.storage.database_auto_create = v),
        "Whether a server of an ensemble may start with an empty data directory.",
    ),
    property(
        "datadir.autocreate",
        Core,
        Is("true"),
        Bool(|d, v| d.config.storage.data_dir_auto_create = v),
        "Whether a missing data directory is created.",
    ),
];

pub(super) const TREE: &[Key] = &[
    property(
        "digest.enabled",
        Core,
        Is("true"),
        Bool(|d, v| d.config.tree.digest_enabled = v),
        "Whether transactions and snapshots carry a digest of the tree. The same in all servers.",
    ),
    property(
        "closeSessionTxn.enabled",
        Core,
        Is("true"),
        Bool(|d, v| d.config.tree.close_session_txn_enabled = v),
        "Whether the end of a session lists the nodes it deletes. The same in all servers.",
    ),
    property(
        "extendedTypesEnabled",
        Core,
        Is("false"),
        Bool(|d, v| d.config.tree.extended_types_enabled = v),
        "Whether TTL nodes can be created; server ids then end at 254.",
    ),
    property(
        "emulate353TTLNodes",
        Core,
        Is("false"),
        Bool(|d, v| d.config.tree.emulate_353_ttl_nodes = v),
        "Whether TTLs are written as 3.5.3 did.",
    ),
    property(
        "enforceQuota",
        Core,
        Is("false"),
        Bool(|d, v| d.config.tree.enforce_quota = v),
        "Whether a write beyond a hard quota is refused.",
    ),
    property(
        "skipACL",
        Security,
        Is("no"),
        Word {
            is: "yes",
            other: "no",
            set: |d, on| d.config.tree.skip_acl = on,
        },
        "Whether everyone may do everything.",
    ),
    property(
        "enableEagerACLCheck",
        Ops,
        Is("false"),
        Bool(|d, v| d.config.tree.eager_acl_check = v),
        "Whether a server checks ACLs before it forwards a write to the leader.",
    ),
    command_line(
        "znode.container.checkIntervalMs",
        Core,
        Is("60000"),
        Int(Range::POSITIVE, |d, v| {
            d.config.tree.container_check_interval_ms = millis(v);
        }),
        "Milliseconds between looks for empty containers and expired nodes.",
    ),
    command_line(
        "znode.container.maxPerMinute",
        Core,
        Is("10000"),
        Int(Range::POSITIVE, |d, v| {
            d.config.tree.containers_per_minute_max = natural(v);
        }),
        "Such nodes deleted per minute.",
    ),
    command_line(
        "znode.container.maxNeverUsedIntervalMs",
        Core,
        Is("300000"),
        Long(Range::ANY, |d, v| {
            d.config.tree.container_never_used_interval_ms_max = limit_long(v);
        }),
        "Milliseconds a container may wait for its first child; 0 is for ever.",
    ),
];
