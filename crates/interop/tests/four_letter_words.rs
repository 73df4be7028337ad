//! Four-letter words of Zooid beside those of ZooKeeper 3.8.0, both asked the same after the same
//! history. What belongs to one server (ports, times, ids, sizes of files) is masked.
#![cfg(feature = "peers")]

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpStream};
use std::thread;
use std::time::Duration;
use zooid_interop::{Kind, Options, Server, Session, anyone};
use zooid_proto::CreateMode;

/// Answers that are the same on every server.
#[test]
fn fixed_answers_are_the_same_bytes() {
    let pair = Pair::start(&Options::default());
    for request in [
        &b"ruok"[..],
        b"isro",
        b"gtmk",
        b"stmk\0\0\0\0\0\0\x01\x02",
        b"gtmk",
        b"stmk\xff\xff\xff\xff\xff\xff\xff\xff",
        b"gtmk",
        b"crst",
        b"srst",
        b"wchs",
        b"wchc",
        b"wchp",
        b"hash",
        b"\xff\xf4\xff\xfd",
        b"what",
        b"RUOK",
        b"ruokstat",
    ] {
        let [java, zooid] = pair.ask(request);
        assert_eq!(zooid, java, "{}", request.escape_ascii());
    }
}

#[test]
fn words_outside_of_the_whitelist_are_not_executed() {
    let pair = Pair::start(&Options::default().config("4lw.commands.whitelist", "ruok, wchs"));
    for request in [
        &b"ruok"[..],
        b"wchs",
        b"isro",
        b"stat",
        b"mntr",
        b"stmk\0\0\0\0\0\0\0\0",
        b"\xff\xf4\xff\xfd",
    ] {
        let [java, zooid] = pair.ask(request);
        assert_eq!(zooid, java, "{}", request.escape_ascii());
    }
    // The one that ZooKeeper's own script needs.
    assert!(pair.ask(b"srvr")[1].contains("\nMode: standalone\n"));
}

#[test]
fn counts_are_the_same_after_the_same_history() {
    let pair = Pair::start(&Options::default());
    pair.reset();
    let _sessions = pair.with_history();
    for word in [
        "srvr", "stat", "cons", "dump", "wchs", "wchc", "wchp", "hash",
    ] {
        let [java, zooid] = agreed(|| pair.ask(word.as_bytes()).map(|text| shape(word, &text)));
        assert_eq!(zooid, java, "{word}");
    }
    pair.ask(b"crst");
    let [java, zooid] = pair.ask(b"cons").map(|text| shape("cons", &text));
    assert_eq!(zooid, java, "cons after crst");
}

#[test]
fn conf_and_dirs_have_the_same_lines() {
    let pair = Pair::start(&Options::default().config("clientPortListenBacklog", "77"));
    for word in ["conf", "dirs"] {
        let [java, zooid] = pair
            .ask(word.as_bytes())
            .map(|text| values(&text, ['=', ':']));
        let of_one_server = [
            "clientPort",
            "dataDir",
            "dataDirSize",
            "dataLogDir",
            "dataLogSize",
        ];
        let compared = |lines: Vec<(String, String)>| -> Vec<(String, String)> {
            let keep = |(name, value): (String, String)| {
                let masked = word == "dirs" || of_one_server.contains(&&*name);
                (name, if masked { String::new() } else { value })
            };
            lines.into_iter().map(keep).collect()
        };
        assert_eq!(compared(zooid), compared(java), "{word}");
    }
    let address = pair.zooid.address();
    let directory = pair.zooid.data_dir().join("version-2");
    let conf: BTreeMap<_, _> = values(&pair.ask(b"conf")[1], ['=']).into_iter().collect();
    assert_eq!(conf["clientPort"], address.port().to_string());
    assert_eq!(conf["dataDir"], directory.display().to_string());
    let bytes: u64 = std::fs::read_dir(directory)
        .expect("a data directory")
        .map(|file| file.expect("a file").metadata().expect("its size").len())
        .sum();
    assert_eq!(conf["dataDirSize"], bytes.to_string());
}

#[test]
fn envi_tells_the_same_of_the_system() {
    let pair = Pair::start(&Options::default());
    let [java, zooid] = pair.ask(b"envi").map(|text| values(&text, ['=']));
    let is_jvm = |name: &str| name.starts_with("java.") || name.starts_with("os.memory.");
    let names = |lines: &[(String, String)]| -> Vec<String> {
        lines
            .iter()
            .map(|(name, _)| name.clone())
            .filter(|name| !is_jvm(name))
            .collect()
    };
    assert_eq!(names(&zooid), names(&java));
    for name in [
        "os.name",
        "os.arch",
        "os.version",
        "user.name",
        "user.home",
        "user.dir",
    ] {
        let value = |lines: &[(String, String)]| {
            lines
                .iter()
                .find(|(found, _)| found == name)
                .map(|(_, value)| value.clone())
        };
        assert_eq!(value(&zooid), value(&java), "{name}");
    }
}

#[test]
fn mntr_has_the_same_names() {
    let pair = Pair::start(&Options::default());
    let _sessions = pair.with_history();
    let [java, zooid] = pair.ask(b"mntr").map(|text| monitored(&text));
    let families = |values: &BTreeMap<String, String>| -> BTreeSet<String> {
        values.keys().map(|name| family(name).to_owned()).collect()
    };
    let left_out = left_out();
    if pair.zooid.kind() == Kind::Java {
        assert_eq!(families(&zooid), families(&java));
        return;
    }
    let expected: BTreeSet<String> = families(&java)
        .into_iter()
        .filter(|name| !is_in(&left_out, name))
        .chain(NEW_IN_3_9.iter().map(|name| (*name).to_owned()))
        .chain(["disk_full".to_owned()])
        .collect();
    assert_eq!(families(&zooid), expected);
    for name in java.keys().filter(|name| !is_in(&left_out, family(name))) {
        assert!(zooid.contains_key(name), "{name}");
    }
}

#[test]
fn mntr_has_the_same_values_after_the_same_history() {
    let pair = Pair::start(&Options::default());
    pair.reset();
    let _sessions = pair.with_history();
    let compared = |values: &BTreeMap<String, String>| -> BTreeMap<String, String> {
        let is_compared =
            |name: &String| SAME_VALUES.contains(&family(name)) || name.starts_with("app_");
        values
            .iter()
            .filter(|(name, _)| is_compared(name))
            .map(|(n, v)| (n.clone(), v.clone()))
            .collect()
    };
    let ask = || pair.ask(b"mntr").map(|text| monitored(&text));
    let [java, zooid] = agreed(|| ask().map(|values| compared(&values)));
    assert_eq!(zooid, java);
    let [java, zooid] = ask();
    for version in [&java["version"], &zooid["version"]] {
        assert!(version.contains(", built on 20"), "{version}");
    }
    if pair.zooid.kind() == Kind::Zooid {
        assert!(zooid["version"].starts_with("3.9."), "{}", zooid["version"]);
        assert_ne!(zooid["proposal_count"], "0");
        assert_eq!(zooid["proposal_count"], zooid["commit_count"]);
    }
}

/// Metrics whose values depend on nothing but what clients did.
const SAME_VALUES: &[&str] = &[
    "server_state",
    "znode_count",
    "watch_count",
    "ephemerals_count",
    "approximate_data_size",
    "global_sessions",
    "local_sessions",
    "outstanding_requests",
    "max_file_descriptor_count",
    "connection_drop_probability",
    "last_client_response_size",
    "max_client_response_size",
    "min_client_response_size",
    "packets_received",
    "packets_sent",
    "bytes_received_count",
    "response_bytes",
    "watch_bytes",
    "connection_request_count",
    "connection_rejected",
    "connection_revalidate_count",
    "sessionless_connections_expired",
    "stale_sessions_expired",
    "digest_mismatches_count",
    "node_created_watch_count",
    "node_deleted_watch_count",
    "node_changed_watch_count",
    "node_children_watch_count",
];

/// Metrics that 3.8.0 does not have yet.
const NEW_IN_3_9: &[&str] = &[
    "snapshot_error_count",
    "snapshot_rate_limited_count",
    "restore_error_count",
    "restore_rate_limited_count",
    "restore_time",
];

struct Pair {
    java: Server,
    zooid: Server,
}

impl Pair {
    fn start(options: &Options) -> Pair {
        thread::scope(|scope| {
            let java = scope.spawn(|| Server::start(Kind::Java, options.clone()));
            let zooid = Server::start(Kind::under_test(), options.clone()).expect("a server");
            let java = java.join().expect("a thread").expect("a server");
            Pair { java, zooid }
        })
    }

    /// Java's answer, Zooid's answer.
    fn ask(&self, request: &[u8]) -> [String; 2] {
        [&self.java, &self.zooid].map(|server| ask(server, request))
    }

    /// Counts from here. Java counts what it has sent after it was sent, so the answer to the
    /// request that found the server serving may be counted only now.
    fn reset(&self) {
        let is_counted = |text: String| monitored(&text)["packets_sent"] == "1";
        let are_counted = || self.ask(b"mntr").map(is_counted) == [true, true];
        let found = (0..TRIES_MAX).any(|_| are_counted());
        assert!(found, "no answer was counted");
        self.ask(b"srst");
    }

    /// The same requests to both. The sessions stay open.
    fn with_history(&self) -> [Session; 2] {
        [&self.java, &self.zooid].map(|server| history(server).expect("what a client does"))
    }
}

/// Of a word whose answer may be a moment late.
const TRIES_MAX: usize = 100;

/// Java's and Zooid's, asked for until they agree. A connection may be listed for a moment after
/// it was closed, and a packet be counted a moment after it was sent.
fn agreed<T: PartialEq>(ask: impl Fn() -> [T; 2]) -> [T; 2] {
    let agree = || Some(ask()).filter(|[java, zooid]| java == zooid);
    (1..TRIES_MAX).find_map(|_| agree()).unwrap_or_else(ask)
}

fn ask(server: &Server, request: &[u8]) -> String {
    const PATIENCE: Duration = Duration::from_secs(30);
    let mut stream = TcpStream::connect(server.address()).expect("a connection");
    stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
    stream.write_all(request).expect("sent");
    stream.shutdown(Shutdown::Write).expect("half closed");
    let mut answer = Vec::new();
    // A server may reset rather than close, which says as much.
    let _ = stream.read_to_end(&mut answer);
    String::from_utf8(answer).expect("text")
}

/// A little of everything that shows in an answer.
fn history(server: &Server) -> anyhow::Result<Session> {
    let mut session = Session::open(server.address(), 30_000)?;
    let acl = &anyone();
    for path in ["/app", "/app/a", "/app/b", "/zookeeper/quota/app"] {
        session.create(path, Some(b"data"), acl, CreateMode::Persistent)?;
    }
    let quota: [(&str, &[u8]); 2] = [
        (
            "/zookeeper/quota/app/zookeeper_limits",
            b"count=100,bytes=-1",
        ),
        ("/zookeeper/quota/app/zookeeper_stats", b"count=0,bytes=0"),
    ];
    for (path, text) in quota {
        session.create(path, Some(text), acl, CreateMode::Persistent)?;
    }
    session.create("/app/e", None, acl, CreateMode::Ephemeral)?;
    session.create("/app/f", None, acl, CreateMode::Ephemeral)?;
    session.exists("/app/a", true)?;
    session.exists("/app/new", true)?;
    session.set_data("/app/a", Some(b"other"), -1)?;
    session.create("/app/new", None, acl, CreateMode::Persistent)?;
    session.exists("/app/b", true)?;
    session.exists("/app/missing", true)?;
    // Every 128th transaction is in the log of digests.
    while session.last_zxid().0 < 130 {
        session.set_data("/app/b", Some(b"data"), -1)?;
        session.exists("/app/b", true)?;
    }
    session.get_data("/app/b")?;
    Ok(session)
}

/// Every word with a digit in it becomes a `#`.
fn mask(text: &str) -> String {
    let mut masked = String::new();
    for piece in text.split_inclusive(|c: char| !c.is_ascii_alphanumeric()) {
        let end = piece
            .find(|c: char| !c.is_ascii_alphanumeric())
            .unwrap_or(piece.len());
        let has_digit = piece[..end].contains(|c: char| c.is_ascii_digit());
        masked.push_str(if has_digit { "#" } else { &piece[..end] });
        masked.push_str(&piece[end..]);
    }
    masked
}

/// An answer without what belongs to one server. Lines of one kind have no order.
fn shape(word: &str, text: &str) -> String {
    let mut lines: Vec<String> = match word {
        "srvr" | "stat" => text
            .lines()
            .filter(is_no_version)
            .map(server_line)
            .collect(),
        "cons" => text.lines().map(connection_line).collect(),
        // Java keeps sets that have become empty for a while.
        "dump" => text
            .lines()
            .filter(|line| !line.starts_with("0 expire at "))
            .map(dump_line)
            .collect(),
        "wchs" => text.lines().map(str::to_owned).collect(),
        "wchc" | "wchp" => text.lines().map(session_masked).collect(),
        _ => text.lines().map(mask).collect(),
    };
    lines.sort();
    lines.join("\n")
}

fn is_no_version(line: &&str) -> bool {
    !line.starts_with("Zookeeper version: ")
}

fn server_line(line: &str) -> String {
    let is_of_one_server = line.starts_with("Latency ") || line.starts_with("Connections:");
    match line.strip_prefix(" /") {
        Some(_) => connection_line(line),
        None if is_of_one_server => mask(line),
        None => line.to_owned(),
    }
}

/// Of a connection, what its client did is the same on both servers.
fn connection_line(line: &str) -> String {
    let masked = ["sid", "est", "lresp", "llat", "minlat", "avglat", "maxlat"];
    let Some((address, fields)) = line.split_once('(') else {
        return line.to_owned();
    };
    let fields = fields.split(',').map(|field| match field.split_once('=') {
        Some((name, value)) if masked.contains(&name) => {
            let end = if value.ends_with(')') { ")" } else { "" };
            format!("{name}=#{end}")
        }
        _ => field.to_owned(),
    });
    let interest = address.split_once('[').map_or("", |(_, interest)| interest);
    format!("/#[{interest}({}", fields.collect::<Vec<_>>().join(","))
}

fn dump_line(line: &str) -> String {
    match line.split_once(" expire at ") {
        Some((count, date)) => {
            let words = date.split(' ').count();
            format!("{count} expire at {words} words:")
        }
        None => session_masked(&line.replace("Sets (", "Sets (0")),
    }
}

fn session_masked(line: &str) -> String {
    if line.contains("0x") || line.contains("Sets (") {
        return mask(line);
    }
    line.to_owned()
}

/// Lines of a name, one of the separators, a value.
fn values<const N: usize>(text: &str, separators: [char; N]) -> Vec<(String, String)> {
    text.lines()
        .filter_map(|line| line.split_once(separators))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .filter(|(_, value)| !value.is_empty())
        .collect()
}

fn monitored(text: &str) -> BTreeMap<String, String> {
    let line = |line: &str| {
        let (name, value) = line.strip_prefix("zk_")?.split_once('\t')?;
        Some((name.to_owned(), value.to_owned()))
    };
    text.lines()
        .map(|text| line(text).expect("zk_, a name, a tab, a value"))
        .collect()
}

/// The metric that a number is part of: without `avg_` and the like.
fn family(name: &str) -> &str {
    const PARTS: [&str; 9] = [
        "avg", "min", "max", "cnt", "sum", "p50", "p95", "p99", "p999",
    ];
    // Gauges whose own names begin so.
    const WHOLE: [&str; 6] = [
        "avg_latency",
        "min_latency",
        "max_latency",
        "min_client_response_size",
        "max_client_response_size",
        "max_file_descriptor_count",
    ];
    match name.split_once('_') {
        Some((part, family)) if PARTS.contains(&part) && !WHOLE.contains(&name) => family,
        _ => name,
    }
}

/// Whether a metric is one of these; those per top-level node begin with its name.
fn is_in(names: &BTreeSet<String>, name: &str) -> bool {
    let suffix = name.split_once('_').map_or(name, |(_, suffix)| suffix);
    names.contains(name) || (suffix.ends_with("_per_namespace") && names.contains(suffix))
}

/// The names that the list of divergences says are left out.
fn left_out() -> BTreeSet<String> {
    let page = include_str!("../../../docs/divergences.md");
    let rows = page
        .lines()
        .filter_map(|line| line.strip_prefix("| `mntr` leaves out "));
    rows.flat_map(|row| {
        let difference = row.split('|').next().unwrap_or_default();
        difference.split('`').skip(1).step_by(2).map(str::to_owned)
    })
    .collect()
}
