//! Properties of the administration surfaces, and those that only tune the Java implementation.

use super::{comma_list, limit, millis, non_empty, port, property};
use crate::key::Initial::{self, Follows, Is, Unset};
use crate::key::Key;
use crate::key::Mark::{Core, Java, Ops, Security};
use crate::key::Setter::{Bool, Int, Text, Unread};
use crate::value::Range;

pub(super) const OPERATIONS: &[Key] = &[
    property(
        "4lw.commands.whitelist",
        Core,
        Is("srvr"),
        Text(|d, v| {
            let words = &mut d.config.four_letter_words;
            words.allowed = comma_list(v);
            words.all_allowed = words.allowed.remove("*");
        }),
        "Four-letter words that are answered, separated by commas, or `*`. `srvr` always is.",
    ),
    property(
        "admin.enableServer",
        Ops,
        Is("false"),
        Bool(|d, v| d.config.admin.enabled = v),
        "Whether the HTTP administration server runs. ZooKeeper up to 3.9: true.",
    ),
    property(
        "admin.serverAddress",
        Ops,
        Is("0.0.0.0"),
        Text(|d, v| v.clone_into(&mut d.config.admin.address)),
        "Host or address it listens on.",
    ),
    property(
        "admin.serverPort",
        Ops,
        Is("8080"),
        Int(Range::PORT, |d, v| d.config.admin.port = port(v)),
        "Port it listens on.",
    ),
    property(
        "admin.idleTimeout",
        Ops,
        Is("30000"),
        Int(Range::NATURAL, |d, v| {
            d.config.admin.idle_timeout_ms = millis(v);
        }),
        "Milliseconds a connection to it may be idle.",
    ),
    property(
        "admin.commandURL",
        Ops,
        Is("/commands"),
        Text(|d, v| v.clone_into(&mut d.config.admin.command_url)),
        "Path of its commands.",
    ),
    property(
        "admin.portUnification",
        Security,
        Is("false"),
        Bool(|d, v| d.config.admin.port_unification = v),
        "Whether its port takes both HTTP and HTTPS.",
    ),
    property(
        "admin.forceHttps",
        Security,
        Is("false"),
        Bool(|d, v| d.config.admin.force_https = v),
        "Whether its port takes HTTPS only.",
    ),
    property(
        "admin.needClientAuth",
        Security,
        Is("false"),
        Bool(|d, v| d.config.admin.need_client_auth = v),
        "Whether its clients must have a certificate.",
    ),
    property(
        "admin.snapshot.enabled",
        Ops,
        Is("true"),
        Bool(|d, v| d.config.admin.snapshot_enabled = v),
        "Whether it takes snapshots.",
    ),
    property(
        "admin.restore.enabled",
        Ops,
        Is("true"),
        Bool(|d, v| d.config.admin.restore_enabled = v),
        "Whether it restores them.",
    ),
    property(
        "admin.rateLimiterIntervalInMS",
        Ops,
        Is("300000"),
        Int(Range::NATURAL, |d, v| {
            d.config.admin.rate_limiter_interval_ms = millis(v);
        }),
        "Milliseconds between two of either.",
    ),
    property(
        "audit.enable",
        Ops,
        Is("false"),
        Bool(|d, v| d.config.audit.enabled = v),
        "Whether an audit log is written.",
    ),
    property(
        "audit.impl.class",
        Ops,
        Follows("org.apache.zookeeper.audit.Slf4jAuditLogger"),
        Text(|d, v| d.config.audit.class = non_empty(v)),
        "Java class that writes it.",
    ),
];

pub(super) const JAVA: &[Key] = &[
    java(
        "serverCnxnFactory",
        Follows("NIO"),
        "class",
        "Network library of the server.",
    ),
    java(
        "nio.numSelectorThreads",
        Follows("√(cores / 2)"),
        "int",
        "Threads that poll sockets.",
    ),
    java(
        "nio.shutdownTimeout",
        Is("5000"),
        "long",
        "Milliseconds those may take to stop.",
    ),
    java(
        "nio.directBufferBytes",
        Is("65536"),
        "int",
        "Bytes of a thread's buffer.",
    ),
    java(
        "intBufferStartingSizeBytes",
        Is("1024"),
        "int",
        "Bytes of a reply's first buffer.",
    ),
    java(
        "netty.advancedFlowControl.enabled",
        Is("false"),
        "boolean",
        "When Netty reads.",
    ),
    java(
        "netty.server.outstandingHandshake.limit",
        Is("-1"),
        "int",
        "TLS handshakes at a time.",
    ),
    java(
        "netty.server.earlyDropSecureConnectionHandshakes",
        Is("false"),
        "boolean",
        "Whether handshakes are dropped before the server runs.",
    ),
    java(
        "maxResponseCacheSize",
        Is("400"),
        "int",
        "Cached replies of getData.",
    ),
    property(
        "maxGetChildrenResponseCacheSize",
        Ops,
        Is("400"),
        Int(Range::ANY, |d, v| d.config.tree.child_lists_max = limit(v)),
        "Lists of children kept for the next who asks; not positive is none.",
    ),
    java(
        "commitProcessor.numWorkerThreads",
        Follows("cores"),
        "int",
        "Threads that serve reads.",
    ),
    java(
        "commitProcessor.shutdownTimeout",
        Is("5000"),
        "long",
        "Milliseconds those may take to stop.",
    ),
    java(
        "commitProcessor.maxReadBatchSize",
        Is("-1"),
        "int",
        "Reads between commits.",
    ),
    java(
        "commitProcessor.maxCommitBatchSize",
        Is("1"),
        "int",
        "Commits between reads.",
    ),
    java(
        "watchManagerName",
        Follows("WatchManager"),
        "class",
        "Table of watches.",
    ),
    java(
        "watcherCleanThreshold",
        Is("1000"),
        "int",
        "Dead watchers before a clean-up.",
    ),
    java(
        "watcherCleanIntervalInSeconds",
        Is("600"),
        "int",
        "Seconds before a clean-up.",
    ),
    java(
        "watcherCleanThreadsNum",
        Is("2"),
        "int",
        "Threads of the clean-up.",
    ),
    java(
        "maxInProcessingDeadWatchers",
        Is("-1"),
        "int",
        "Dead watchers before closing waits.",
    ),
    java(
        "bitHashCacheSize",
        Is("10"),
        "int",
        "Cache of the other table of watches.",
    ),
    java(
        "pathStats.enabled",
        Is("false"),
        "boolean",
        "Statistics by path.",
    ),
    java(
        "pathStats.sampleRate",
        Is("0.1"),
        "number",
        "Share of requests they count.",
    ),
    java(
        "pathStats.initialDelay",
        Is("5"),
        "long",
        "Minutes before their first line.",
    ),
    java(
        "pathStats.delay",
        Is("5"),
        "long",
        "Minutes between their lines.",
    ),
    java("pathStats.topPathMax", Is("20"), "int", "Paths they name."),
    java(
        "pathStats.maxDepth",
        Is("6"),
        "int",
        "Path components they look at.",
    ),
    java(
        "pathStats.slotCapacity",
        Is("60"),
        "int",
        "Slots they keep.",
    ),
    java(
        "pathStats.slotDuration",
        Is("15"),
        "int",
        "Seconds of a slot.",
    ),
    java(
        "messageTracker.Enabled",
        Is("false"),
        "boolean",
        "Recent messages between servers.",
    ),
    java(
        "messageTracker.BufferSize",
        Is("10"),
        "int",
        "How many of those.",
    ),
    java(
        "admin.httpVersion",
        Is("11"),
        "int",
        "HTTP version of the administration server.",
    ),
    java(
        "jmx.log4j.disable",
        Is("false"),
        "boolean",
        "Management of log4j.",
    ),
    java(
        "log.*",
        Unset,
        "text",
        "`log.dir`, `log.file` and the like, for the log's own settings.",
    ),
    java("root.logger", Unset, "text", "For the log's own settings."),
    java(
        "console.threshold",
        Unset,
        "text",
        "For the log's own settings.",
    ),
    java("tracelog.*", Unset, "text", "For the log's own settings."),
    java("auditlog.*", Unset, "text", "For the log's own settings."),
    java(
        "kinit",
        Is("/usr/bin/kinit"),
        "text",
        "Program that renews Kerberos tickets.",
    ),
    java("client.secure", Unset, "boolean", "For clients."),
    java("clientCnxnSocket", Unset, "class", "For clients."),
    java("sasl.client*", Unset, "text", "For clients."),
    java("server.principal", Unset, "text", "For clients."),
    java("request.timeout", Unset, "long", "For clients."),
    java("disableAutoWatchReset", Unset, "boolean", "For clients."),
    java("shuffleDnsResponse", Unset, "boolean", "For clients."),
];

const fn java(
    name: &'static str,
    initial: Initial,
    type_name: &'static str,
    doc: &'static str,
) -> Key {
    property(name, Java, initial, Unread(type_name), doc)
}
