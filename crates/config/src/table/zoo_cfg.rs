//! Keys of `zoo.cfg` proper: those `QuorumPeerConfig` itself reads.

use super::{file, limit, millis, natural, port};
use crate::PeerType;
use crate::config::MetricsProvider;
use crate::key::Initial::{Follows, Is, Required, Unset};
use crate::key::Key;
use crate::key::Mark::{Core, Java, Ops, Security};
use crate::key::Setter::{Bool, Choice, Class, Family, Int, Interval, Servers, Text, Unread};
use crate::value::Range;
use std::path::PathBuf;

/// Keys a standalone server has, too.
pub(super) const SERVER: &[Key] = &[
    file(
        "dataDir",
        Core,
        Required("/var/lib/zookeeper"),
        Text(|d, v| d.raw.data_dir = Some(PathBuf::from(v))),
        "Directory of snapshots, `myid` and the epoch files.",
    ),
    file(
        "dataLogDir",
        Core,
        Follows("dataDir"),
        Text(|d, v| d.raw.data_log_dir = Some(PathBuf::from(v))),
        "Directory of transaction logs; best on a disk of its own.",
    ),
    file(
        "clientPort",
        Core,
        Unset,
        Int(Range::PORT, |d, v| d.raw.client_port = Some(port(v))),
        "Port for clients. May be left out when the `server.N` line has one, or only the secure \
         port is open.",
    ),
    file(
        "clientPortAddress",
        Core,
        Follows("every interface"),
        Text(|d, v| d.raw.client_port_address = Some(v.to_owned())),
        "Host or address the client port listens on.",
    ),
    file(
        "secureClientPort",
        Security,
        Unset,
        Int(Range::PORT, |d, v| d.raw.secure_client_port = Some(port(v))),
        "Port for clients that use TLS.",
    ),
    file(
        "secureClientPortAddress",
        Security,
        Follows("every interface"),
        Text(|d, v| d.raw.secure_client_port_address = Some(v.to_owned())),
        "Host or address the secure client port listens on.",
    ),
    file(
        "clientPortListenBacklog",
        Ops,
        Is("-1"),
        Int(Range::ANY, |d, v| d.config.client.listen_backlog = limit(v)),
        "Connections waiting to be accepted; -1 leaves it to the system.",
    ),
    file(
        "tickTime",
        Core,
        Is("3000"),
        Int(TICK, |d, v| d.config.tick_time_ms = v),
        "Milliseconds of a tick, the unit of session timeouts and of the ensemble's limits.",
    ),
    file(
        "minSessionTimeout",
        Core,
        Follows("2 × tickTime"),
        Int(Range::ANY, |d, v| {
            d.raw.session_timeout_ms_min = (v != UNSET).then_some(v);
        }),
        "Shortest session timeout, in milliseconds; a client that asks for less gets this.",
    ),
    file(
        "maxSessionTimeout",
        Core,
        Follows("20 × tickTime"),
        Int(Range::ANY, |d, v| {
            d.raw.session_timeout_ms_max = (v != UNSET).then_some(v);
        }),
        "Longest session timeout, in milliseconds; a client that asks for more gets this.",
    ),
    file(
        "maxClientCnxns",
        Core,
        Is("60"),
        Int(Range::ANY, |d, v| {
            d.config.client.cnxns_per_ip_max = limit(v);
        }),
        "Connections from one address; 0 is unlimited.",
    ),
    file(
        "autopurge.snapRetainCount",
        Ops,
        Is("3"),
        Int(Range::raised_to(3), |d, v| {
            d.config.purge.snap_retain_count = natural(v);
        }),
        "Snapshots a purge keeps, with their logs.",
    ),
    file(
        "autopurge.purgeInterval",
        Ops,
        Is("0"),
        Interval(|d, v| d.config.purge.interval_ms = limit(v).map(u64::from)),
        "Time between purges: hours, or with a unit `ms`, `s`, `m`, `h`, `d`; 0 is never.",
    ),
    file(
        "metricsProvider.className",
        Ops,
        Is(DEFAULT_PROVIDER),
        Class(
            &[DEFAULT_PROVIDER, PROMETHEUS_PROVIDER, NULL_PROVIDER],
            |d, v| {
                d.config.metrics.provider = match v {
                    PROMETHEUS_PROVIDER => MetricsProvider::Prometheus,
                    NULL_PROVIDER => MetricsProvider::Null,
                    _ => MetricsProvider::Default,
                };
            },
        ),
        "Who receives metrics: `…metrics.impl.DefaultMetricsProvider`, \
         `…metrics.prometheus.PrometheusMetricsProvider` or `…metrics.impl.NullMetricsProvider`.",
    ),
    file(
        "metricsProvider.*",
        Ops,
        Unset,
        Family(|d, name, v| {
            d.config
                .metrics
                .provider_options
                .insert(name.to_owned(), v.to_owned());
        }),
        "Passed to that provider, for example `metricsProvider.httpPort`.",
    ),
    file(
        "jvm.pause.monitor",
        Java,
        Is("false"),
        Unread("boolean"),
        "Watch for pauses of the JVM.",
    ),
    file(
        "jvm.pause.info-threshold.ms",
        Java,
        Is("1000"),
        Unread("long"),
        "Pause worth a note.",
    ),
    file(
        "jvm.pause.warn-threshold.ms",
        Java,
        Is("10000"),
        Unread("long"),
        "Pause worth a warning.",
    ),
    file(
        "jvm.pause.sleep.time.ms",
        Java,
        Is("500"),
        Unread("long"),
        "Time between looks.",
    ),
];

/// Keys of an ensemble.
pub(super) const ENSEMBLE: &[Key] = &[
    file(
        "server.*",
        Core,
        Unset,
        Servers,
        "`server.N`: a server of the ensemble and its addresses.",
    ),
    file(
        "group*",
        Core,
        Unset,
        Servers,
        "`group.G=1:2:3`: servers that vote as a group.",
    ),
    file(
        "weight*",
        Core,
        Unset,
        Servers,
        "`weight.N=1`: what a server's vote weighs in its group.",
    ),
    file(
        "dynamicConfigFile",
        Core,
        Unset,
        Text(|d, v| d.config.dynamic_config_file = Some(PathBuf::from(v))),
        "File with the `server.`, `group.` and `weight.` lines, none of which may then be here.",
    ),
    file(
        "initLimit",
        Core,
        Required("10"),
        Int(Range::NATURAL, |d, v| {
            d.config.quorum.init_limit_ticks = natural(v);
        }),
        "Ticks a learner may take to connect to the leader and synchronise. Required in an ensemble.",
    ),
    file(
        "syncLimit",
        Core,
        Required("5"),
        Int(Range::NATURAL, |d, v| {
            d.config.quorum.sync_limit_ticks = natural(v);
        }),
        "Ticks a learner may be out of touch with the leader. Required in an ensemble.",
    ),
    file(
        "connectToLearnerMasterLimit",
        Core,
        Is("0"),
        Int(Range::NATURAL, |d, v| {
            d.config.quorum.connect_to_learner_master_limit_ticks = natural(v);
        }),
        "Ticks a learner may take to connect to its master; 0 is initLimit.",
    ),
    file(
        "electionAlg",
        Core,
        Is("3"),
        Int(Range::between(3, 3), |_, _| {}),
        "Election algorithm; there is only one.",
    ),
    file(
        "peerType",
        Core,
        Is("participant"),
        Choice(&["participant", "observer"], |d, v| {
            d.raw.peer_type = PeerType::parse(v);
        }),
        "Whether this server votes. The list of servers has the last word.",
    ),
    file(
        "standaloneEnabled",
        Core,
        Is("true"),
        Bool(|d, v| d.config.standalone_enabled = v),
        "Whether a single participant runs as a standalone server.",
    ),
    file(
        "reconfigEnabled",
        Core,
        Is("false"),
        Bool(|d, v| d.config.reconfig_enabled = v),
        "Whether clients may change the ensemble while it runs.",
    ),
    file(
        "quorumListenOnAllIPs",
        Core,
        Is("false"),
        Bool(|d, v| d.config.quorum.listen_on_all_ips = v),
        "Whether the quorum and election ports listen on every interface.",
    ),
    file(
        "localSessionsEnabled",
        Core,
        Is("false"),
        Bool(|d, v| d.config.session.local_enabled = v),
        "Whether sessions start without a transaction, known to one server only.",
    ),
    file(
        "localSessionsUpgradingEnabled",
        Core,
        Is("false"),
        Bool(|d, v| d.config.session.local_upgrading_enabled = v),
        "Whether such a session becomes a global one to create an ephemeral node.",
    ),
    file(
        "syncEnabled",
        Core,
        Is("true"),
        Bool(|d, v| d.config.quorum.observer_sync_enabled = v),
        "Whether an observer writes logs and snapshots.",
    ),
    file(
        "observerMasterPort",
        Core,
        Is("0"),
        Int(OBSERVER_MASTER_PORT, |d, v| {
            d.config.quorum.observer_master_port = Some(port(v)).filter(|port| *port > 0);
        }),
        "Port on which a follower serves observers; 0 is off.",
    ),
    file(
        "oraclePath",
        Core,
        Unset,
        Text(|d, v| d.config.quorum.oracle_path = Some(PathBuf::from(v))),
        "File that decides for an ensemble of two when one is gone: it starts with `1` or `0`.",
    ),
    file(
        "multiAddress.enabled",
        Core,
        Is("false"),
        Bool(|d, v| d.config.quorum.multi_address_enabled = v),
        "Whether a `server.N` line may have several addresses.",
    ),
    file(
        "multiAddress.reachabilityCheckEnabled",
        Core,
        Is("true"),
        Bool(|d, v| d.config.quorum.reachability_check_enabled = v),
        "Whether such an address is tried before it is used.",
    ),
    file(
        "multiAddress.reachabilityCheckTimeoutMs",
        Core,
        Is("1000"),
        Int(Range::NATURAL, |d, v| {
            d.config.quorum.reachability_check_timeout_ms = millis(v);
        }),
        "How long that may take, in milliseconds.",
    ),
    file(
        "sslQuorum",
        Security,
        Is("false"),
        Bool(|d, v| d.config.tls.quorum_enabled = v),
        "Whether servers talk to each other with TLS.",
    ),
    file(
        "portUnification",
        Security,
        Is("false"),
        Bool(|d, v| d.config.tls.quorum_port_unification = v),
        "Whether servers accept both TLS and plain connections from each other.",
    ),
    file(
        "sslQuorumReloadCertFiles",
        Security,
        Is("false"),
        Bool(|d, v| d.config.tls.quorum_reload_cert_files = v),
        "Whether key and trust stores of the quorum are read again when they change.",
    ),
    file(
        "quorum.auth.enableSasl",
        Security,
        Is("false"),
        Bool(|d, v| d.config.sasl.quorum_enabled = v),
        "Whether servers authenticate to each other with SASL.",
    ),
    file(
        "quorum.auth.learnerRequireSasl",
        Security,
        Is("false"),
        Bool(|d, v| d.config.sasl.quorum_learner_requires = v),
        "Whether this server insists on it where it connects.",
    ),
    file(
        "quorum.auth.serverRequireSasl",
        Security,
        Is("false"),
        Bool(|d, v| d.config.sasl.quorum_server_requires = v),
        "Whether this server insists on it from those who connect.",
    ),
    file(
        "quorum.auth.learner.saslLoginContext",
        Security,
        Is("QuorumLearner"),
        Text(|d, v| v.clone_into(&mut d.config.sasl.quorum_learner_section)),
        "JAAS section used when connecting.",
    ),
    file(
        "quorum.auth.server.saslLoginContext",
        Security,
        Is("QuorumServer"),
        Text(|d, v| v.clone_into(&mut d.config.sasl.quorum_server_section)),
        "JAAS section used when accepting.",
    ),
    file(
        "quorum.auth.kerberos.servicePrincipal",
        Security,
        Is("zkquorum/localhost"),
        Text(|d, v| v.clone_into(&mut d.config.sasl.quorum_service_principal)),
        "Kerberos principal of the servers; `_HOST` becomes the peer's host.",
    ),
    file(
        "quorum.cnxn.threads.size",
        Java,
        Is("20"),
        Unread("int"),
        "Threads that open connections between servers.",
    ),
];

/// The largest tick of which twenty still fit a session timeout.
const TICK: Range = Range::between(1, (i32::MAX / 20) as i64);
/// Java takes any number that is not positive for off.
const OBSERVER_MASTER_PORT: Range = Range::between(i32::MIN as i64, 65535);
/// Java's mark for a session timeout that is not set.
const UNSET: i32 = -1;

const DEFAULT_PROVIDER: &str = "org.apache.zookeeper.metrics.impl.DefaultMetricsProvider";
const NULL_PROVIDER: &str = "org.apache.zookeeper.metrics.impl.NullMetricsProvider";
const PROMETHEUS_PROVIDER: &str =
    "org.apache.zookeeper.metrics.prometheus.PrometheusMetricsProvider";
