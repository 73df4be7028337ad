//! Properties of client connections and of the limits on them.

use super::{command_line, limit, limit_millis, millis, natural, property};
use crate::key::Initial::{Follows, Is};
use crate::key::Key;
use crate::key::Mark::{Core, Ops};
use crate::key::Setter::{Bool, Float, Int};
use crate::value::Range;

pub(super) const CLIENTS: &[Key] = &[
    command_line(
        "jute.maxbuffer",
        Core,
        Is("1048575"),
        Int(Range::POSITIVE, |d, v| {
            d.config.client.jute_buffer_bytes_max = natural(v);
        }),
        "Bytes of the largest request, and with it of a node's data. `0x…` is understood.",
    ),
    property(
        "jute.maxbuffer.extrasize",
        Core,
        Follows("jute.maxbuffer"),
        Int(Range::raised_to(1024), |d, v| {
            d.raw.jute_extra_bytes = Some(natural(v));
        }),
        "Bytes a record may have beyond that when it comes from the disk or a server.",
    ),
    command_line(
        "readonlymode.enabled",
        Core,
        Is("false"),
        Bool(|d, v| d.config.client.read_only_mode = v),
        "Whether a server that has lost its ensemble serves reads to clients that allow it.",
    ),
    property(
        "maxCnxns",
        Ops,
        Is("0"),
        Int(Range::ANY, |d, v| d.config.client.cnxns_max = limit(v)),
        "Client connections in all; 0 is unlimited.",
    ),
    property(
        "clientTcpKeepAlive",
        Ops,
        Is("false"),
        Bool(|d, v| d.config.client.tcp_keep_alive = v),
        "Whether client sockets have TCP keep-alive.",
    ),
    property(
        "nio.numWorkerThreads",
        Ops,
        Follows("cores − 1, or 0 on up to two"),
        Int(Range::NATURAL, |d, v| {
            d.config.client.worker_threads = Some(natural(v));
        }),
        "Threads that serve clients, at most one for each core; 0: the one that orders writes does. ZooKeeper: 2 × cores.",
    ),
    property(
        "nio.sessionlessCnxnTimeout",
        Core,
        Is("10000"),
        Int(Range::POSITIVE, |d, v| {
            d.config.client.sessionless_timeout_ms = millis(v);
        }),
        "Milliseconds a connection may stay without a session.",
    ),
];

pub(super) const THROTTLING: &[Key] = &[
    property(
        "globalOutstandingLimit",
        Core,
        Is("1000"),
        Int(Range::POSITIVE, |d, v| {
            d.config.throttle.global_outstanding_limit = natural(v);
        }),
        "Requests in progress before no more are read.",
    ),
    property(
        "throttled_op_wait_time",
        Ops,
        Is("0"),
        Int(Range::ANY, |d, v| {
            d.config.throttle.throttled_op_wait_ms = limit(v).map(u64::from);
        }),
        "Milliseconds of waiting after which a request is answered with THROTTLEDOP; 0 is off.",
    ),
    property(
        "largeRequestMaxBytes",
        Ops,
        Is("104857600"),
        Int(Range::POSITIVE, |d, v| {
            d.config.throttle.large_request_bytes_max = natural(v).into();
        }),
        "Bytes of large requests in progress; one more closes its connection.",
    ),
    property(
        "largeRequestThreshold",
        Ops,
        Is("-1"),
        Int(Range::ANY, |d, v| {
            d.config.throttle.large_request_bytes_min = limit(v).map(u64::from);
        }),
        "Bytes from which on a request is large; not positive is off.",
    ),
    property(
        "request_throttle_max_requests",
        Ops,
        Is("0"),
        Int(Range::ANY, |d, v| d.config.throttle.requests_max = limit(v)),
        "Requests in progress before the throttler stalls; 0 is off.",
    ),
    property(
        "request_throttle_stall_time",
        Ops,
        Is("100"),
        Int(Range::NATURAL, |d, v| {
            d.config.throttle.stall_time_ms = millis(v);
        }),
        "Milliseconds it stalls at a time.",
    ),
    property(
        "request_throttle_drop_stale",
        Ops,
        Is("true"),
        Bool(|d, v| d.config.throttle.drop_stale = v),
        "Whether it drops requests nobody waits for any more.",
    ),
    property(
        "request_stale_latency_check",
        Ops,
        Is("false"),
        Bool(|d, v| d.config.throttle.stale_latency_check = v),
        "Whether a request older than its session's timeout is one of those.",
    ),
    property(
        "request_stale_connection_check",
        Ops,
        Is("true"),
        Bool(|d, v| d.config.throttle.stale_connection_check = v),
        "Whether a request of a closed connection is one of those.",
    ),
    property(
        "request_throttler.shutdownTimeout",
        Ops,
        Is("10000"),
        Int(Range::NATURAL, |d, v| {
            d.config.throttle.shutdown_timeout_ms = millis(v);
        }),
        "Milliseconds the throttler may take to stop.",
    ),
    property(
        "connection_throttle_tokens",
        Ops,
        Is("0"),
        Int(Range::ANY, |d, v| {
            d.config.connection_throttle.tokens = limit(v);
        }),
        "New connections that may come at once; 0 is unlimited.",
    ),
    property(
        "connection_throttle_fill_time",
        Ops,
        Is("1"),
        Int(Range::POSITIVE, |d, v| {
            d.config.connection_throttle.fill_time_ms = millis(v);
        }),
        "Milliseconds after which some more may come.",
    ),
    property(
        "connection_throttle_fill_count",
        Ops,
        Is("1"),
        Int(Range::NATURAL, |d, v| {
            d.config.connection_throttle.fill_count = natural(v);
        }),
        "How many more.",
    ),
    property(
        "connection_throttle_freeze_time",
        Ops,
        Is("-1"),
        Int(Range::ANY, |d, v| {
            d.config.connection_throttle.freeze_time_ms = limit_millis(v);
        }),
        "Milliseconds between changes of the probability to drop one; negative is off.",
    ),
    property(
        "connection_throttle_drop_increase",
        Ops,
        Is("0.02"),
        Float(f64::MAX, |d, v| {
            d.config.connection_throttle.drop_increase = v;
        }),
        "What it grows by when no more may come.",
    ),
    property(
        "connection_throttle_drop_decrease",
        Ops,
        Is("0.002"),
        Float(f64::MAX, |d, v| {
            d.config.connection_throttle.drop_decrease = v;
        }),
        "What it falls by when enough may come.",
    ),
    property(
        "connection_throttle_decrease_ratio",
        Ops,
        Is("0"),
        Float(f64::MAX, |d, v| {
            d.config.connection_throttle.decrease_ratio = v;
        }),
        "Share of the tokens that is enough.",
    ),
    property(
        "connection_throttle_weight_enabled",
        Ops,
        Is("false"),
        Bool(|d, v| d.config.connection_throttle.weight_enabled = v),
        "Whether kinds of sessions cost different numbers of tokens.",
    ),
    property(
        "connection_throttle_global_session_weight",
        Ops,
        Is("3"),
        Int(Range::POSITIVE, |d, v| {
            d.config.connection_throttle.global_session_weight = natural(v);
        }),
        "Tokens of a global session.",
    ),
    property(
        "connection_throttle_local_session_weight",
        Ops,
        Is("1"),
        Int(Range::POSITIVE, |d, v| {
            d.config.connection_throttle.local_session_weight = natural(v);
        }),
        "Tokens of a local session.",
    ),
    property(
        "connection_throttle_renew_session_weight",
        Ops,
        Is("2"),
        Int(Range::POSITIVE, |d, v| {
            d.config.connection_throttle.renew_session_weight = natural(v);
        }),
        "Tokens of a session that comes back.",
    ),
];
