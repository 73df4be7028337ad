//! Has Debian's ZooKeeper write the data directories that the storage crate's tests read, each with
//! a description of what is in it. Called by `scripts/make-golden`, which says more.

use anyhow::{Context, Result, bail, ensure};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use serde_json::{Map, Value, json};
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use tempfile::TempDir;
use zooid_interop::{Kind, Options, SUPER_DIGEST, Server, Session, TreeDump, java_tool};
use zooid_proto::request::{CreateRequest, CreateTtlRequest, PathVersion, SetDataRequest};
use zooid_proto::{
    Acl, CreateMode, Jute, Limit, MultiOp, MultiRequest, MultiResult, OpCode, Reader, Stat, perms,
};

fn main() -> Result<()> {
    let target = std::env::args_os()
        .nth(1)
        .context("usage: make_golden DIRECTORY")?;
    let target = PathBuf::from(target);
    for variant in VARIANTS {
        make(variant, &target.join(variant.name)).with_context(|| variant.name)?;
    }
    Ok(())
}

/// One data directory.
struct Variant {
    name: &'static str,
    properties: &'static [(&'static str, &'static str)],
    /// More than one block of snappy.
    has_large_node: bool,
}

const VARIANTS: &[Variant] = &[
    Variant {
        name: "plain",
        properties: &[],
        has_large_node: false,
    },
    Variant {
        name: "gz",
        properties: &[("zookeeper.snapshot.compression.method", "gz")],
        has_large_node: false,
    },
    Variant {
        name: "snappy",
        properties: &[("zookeeper.snapshot.compression.method", "snappy")],
        has_large_node: true,
    },
    Variant {
        name: "without-digest",
        properties: &[
            ("zookeeper.digest.enabled", "false"),
            ("zookeeper.closeSessionTxn.enabled", "false"),
        ],
        has_large_node: false,
    },
];

fn make(variant: &Variant, target: &Path) -> Result<()> {
    let work = TempDir::new()?;
    let mut server = Server::start_on(Kind::Java, options(variant), work.path())?;
    let session = write_first_log(&server, variant)?;
    server.kill()?;
    server.start_again()?;
    let sessions = write_second_log(&server, session)?;
    let tree = TreeDump::read(&mut super_session(&server)?)?;
    server.kill()?;

    let written = server.data_dir().join("version-2");
    let kept = target.join("version-2");
    fs::create_dir_all(&kept)?;
    for entry in fs::read_dir(&written)? {
        let entry = entry?;
        fs::copy(entry.path(), kept.join(entry.file_name()))?;
    }
    server.start_again()?;
    server.kill()?;
    let expected = describe(&newest_snapshot(&written)?, &tree)?;
    for session in sessions {
        let id = format!("0x{:x}", session.id().0);
        ensure!(
            expected["sessions"].get(&id).is_some(),
            "session {id} is lost"
        );
    }
    fs::write(target.join("expected.json"), one_node_a_line(&expected)?)?;
    Ok(())
}

fn options(variant: &Variant) -> Options {
    let mut options = Options::default()
        .property(SUPER_DIGEST.0, SUPER_DIGEST.1)
        .property("zookeeper.extendedTypesEnabled", "true")
        .property("znode.container.checkIntervalMs", "100")
        // Small files: 8 KiB of padding instead of 64 MiB.
        .property("zookeeper.preAllocSize", "8");
    for (key, value) in variant.properties {
        options = options.property(key, value);
    }
    options
}

/// Everything that a log can hold; leaves a session open with ephemerals.
fn write_first_log(server: &Server, variant: &Variant) -> Result<Session> {
    let mut session = super_session(server)?;
    write_nodes(&mut session, variant)?;
    write_acls(&mut session)?;
    write_multis(&mut session)?;
    write_swept_nodes(&mut session)?;
    write_quota(&mut session)?;
    fail_writes(&mut session)?;
    write_closed_session(server)?;
    let mode = CreateMode::EphemeralSequential;
    session.create("/plain/lock-", Some(b"kept"), &anyone(), mode)?;
    session.create("/ephemeral", None, &anyone(), CreateMode::Ephemeral)?;
    Ok(session)
}

/// Changes to what the first log left, so that neither log makes sense without what came before.
fn write_second_log(server: &Server, first: Session) -> Result<Vec<Session>> {
    let mut session = first.reattach(server.address())?;
    session.add_auth("digest", "super:admin")?;
    session.set_data("/plain", Some(b"after the restart"), -1)?;
    session.set_acl(
        "/plain/empty",
        &[Acl::new(perms::READ, "ip", "127.0.0.1")],
        0,
    )?;
    session.delete("/plain/null", 0)?;
    let mode = CreateMode::PersistentSequential;
    session.create("/plain/sequential-", None, &anyone(), mode)?;
    let mut other = super_session(server)?;
    other.create(
        "/ephemeral-of-another",
        None,
        &anyone(),
        CreateMode::Ephemeral,
    )?;
    Ok(vec![session, other])
}

fn write_nodes(session: &mut Session, variant: &Variant) -> Result<()> {
    let persistent = CreateMode::Persistent;
    // create and create2 leave different transactions.
    let request = CreateRequest {
        path: "/plain".into(),
        data: Some(Bytes::from_static(b"data")),
        acl: anyone(),
        flags: persistent.flags(),
    };
    session.call(OpCode::Create, &request.to_vec())?.done()?;
    session.create("/plain/empty", Some(b""), &anyone(), persistent)?;
    session.create("/plain/null", None, &anyone(), persistent)?;
    session.create("/plain/binary", Some(&all_bytes()), &anyone(), persistent)?;
    session.create(
        "/plain/zo\u{f6}id \u{6c34}\u{87c5}",
        Some("\u{3bb}".as_bytes()),
        &anyone(),
        persistent,
    )?;
    session.create("/plain/deep", None, &anyone(), persistent)?;
    session.create("/plain/deep/er", Some(b"1"), &anyone(), persistent)?;
    session.set_data("/plain/deep/er", Some(b"2"), 0)?;
    session.set_data("/plain/deep/er", None, 1)?;
    for is_kept in [true, false, true] {
        let mode = CreateMode::PersistentSequential;
        let path = session.create("/plain/seq-", None, &anyone(), mode)?;
        if !is_kept {
            session.delete(&path, -1)?;
        }
    }
    session.create("/container", None, &anyone(), CreateMode::Container)?;
    session.create("/container/child", None, &anyone(), persistent)?;
    session.create(
        "/container-unused",
        Some(b"c"),
        &anyone(),
        CreateMode::Container,
    )?;
    session.create_ttl(
        "/ttl",
        Some(b"t"),
        &anyone(),
        CreateMode::PersistentWithTtl,
        LONG_TTL_MS,
    )?;
    let mode = CreateMode::PersistentSequentialWithTtl;
    session.create_ttl("/ttl-", None, &anyone(), mode, LONG_TTL_MS)?;
    if variant.has_large_node {
        let large: Vec<u8> = all_bytes().repeat(144);
        session.create("/large", Some(&large), &anyone(), persistent)?;
    }
    Ok(())
}

fn write_acls(session: &mut Session) -> Result<()> {
    let owner = Acl::new(perms::ALL, "digest", "alice:3CbyyKgWdNCQuWwRVBAcbHOYZUM=");
    let reader = Acl::anyone(perms::READ);
    let local = Acl::new(perms::READ | perms::WRITE, "ip", "127.0.0.0/8");
    let persistent = CreateMode::Persistent;
    session.create("/acl", None, &anyone(), persistent)?;
    session.create(
        "/acl/mixed",
        Some(b"m"),
        &[owner.clone(), reader, local],
        persistent,
    )?;
    session.create(
        "/acl/owned",
        Some(b"o"),
        std::slice::from_ref(&owner),
        persistent,
    )?;
    session.create("/acl/changed", None, &anyone(), persistent)?;
    session.set_acl("/acl/changed", &[owner], 0)?;
    session.set_acl(
        "/acl/changed",
        &[Acl::anyone(perms::ALL & !perms::ADMIN)],
        1,
    )?;
    Ok(())
}

fn write_multis(session: &mut Session) -> Result<()> {
    let create = |path: &str, mode: CreateMode| CreateRequest {
        path: path.into(),
        data: Some(Bytes::from_static(b"multi")),
        acl: anyone(),
        flags: mode.flags(),
    };
    let at = |path: &str, version| PathVersion {
        path: path.into(),
        version,
    };
    let failed = multi(
        session,
        vec![
            MultiOp::Create(create("/multi", CreateMode::Persistent)),
            MultiOp::Create2(create("/multi/a", CreateMode::Persistent)),
            MultiOp::Create2(create("/multi/ephemeral", CreateMode::Ephemeral)),
            MultiOp::CreateContainer(create("/multi/container", CreateMode::Container)),
            MultiOp::CreateTtl(CreateTtlRequest {
                path: "/multi/ttl".into(),
                data: None,
                acl: anyone(),
                flags: CreateMode::PersistentWithTtl.flags(),
                ttl: LONG_TTL_MS,
            }),
            MultiOp::Check(at("/multi/a", 0)),
            MultiOp::SetData(SetDataRequest {
                path: "/multi/a".into(),
                data: Some(Bytes::from_static(b"set")),
                version: 0,
            }),
            MultiOp::Create(create("/multi/gone", CreateMode::Persistent)),
            MultiOp::Delete(at("/multi/gone", 0)),
        ],
    )?;
    ensure!(!failed, "the first multi should succeed");
    let failing = vec![
        MultiOp::Create(create("/multi/never", CreateMode::Persistent)),
        MultiOp::Check(at("/multi/a", 7)),
        MultiOp::Delete(at("/multi", -1)),
    ];
    ensure!(multi(session, failing)?, "the second multi should fail");
    ensure!(!multi(session, vec![])?, "an empty multi is legal");
    Ok(())
}

/// Whether an operation of it failed.
fn multi(session: &mut Session, ops: Vec<MultiOp>) -> Result<bool> {
    let reply = session.call(OpCode::Multi, &MultiRequest(ops).to_vec())?;
    reply.done()?;
    let results = MultiResult::decode_all(&mut Reader::new(&reply.body, Limit::default()))?;
    Ok(results
        .iter()
        .any(|result| matches!(result, MultiResult::Error(_))))
}

/// A container whose children have gone and a node whose time is over: the server deletes both.
fn write_swept_nodes(session: &mut Session) -> Result<()> {
    session.create("/swept", None, &anyone(), CreateMode::Container)?;
    session.create("/swept/child", None, &anyone(), CreateMode::Persistent)?;
    session.delete("/swept/child", -1)?;
    wait_until_gone(session, "/swept")?;
    session.create_ttl(
        "/expired",
        None,
        &anyone(),
        CreateMode::PersistentWithTtl,
        1,
    )?;
    wait_until_gone(session, "/expired")
}

fn wait_until_gone(session: &mut Session, path: &str) -> Result<()> {
    if session.exists(path, true)?.is_some() {
        session.wait_for_event()?;
    }
    let gone = session.exists(path, false)?.is_none();
    ensure!(gone, "{path} is still there");
    Ok(())
}

fn write_quota(session: &mut Session) -> Result<()> {
    let persistent = CreateMode::Persistent;
    let limits = "count=7,bytes=9000=;byteHardLimit=8000;countHardLimit=6";
    session.create("/quota", Some(b"four"), &anyone(), persistent)?;
    session.create("/zookeeper/quota/quota", None, &anyone(), persistent)?;
    let limits_path = "/zookeeper/quota/quota/zookeeper_limits";
    session.create(limits_path, Some(limits.as_bytes()), &anyone(), persistent)?;
    let stats_path = "/zookeeper/quota/quota/zookeeper_stats";
    session.create(stats_path, Some(b"count=0,bytes=0"), &anyone(), persistent)?;
    session.create("/quota/child", Some(b"sixsix"), &anyone(), persistent)?;
    Ok(())
}

/// Each leaves an error transaction.
fn fail_writes(session: &mut Session) -> Result<()> {
    let outcomes = [
        session
            .create("/plain", None, &anyone(), CreateMode::Persistent)
            .is_err(),
        session.delete("/plain", -1).is_err(),
        session.set_data("/plain", None, 99).is_err(),
    ];
    ensure!(outcomes == [true; 3], "a write succeeded that should fail");
    Ok(())
}

/// A session that ends, and its ephemerals with it.
fn write_closed_session(server: &Server) -> Result<()> {
    let mut session = super_session(server)?;
    session.create("/closed-1", None, &anyone(), CreateMode::Ephemeral)?;
    session.create(
        "/plain/deep/closed-2",
        None,
        &anyone(),
        CreateMode::Ephemeral,
    )?;
    session.close()
}

fn super_session(server: &Server) -> Result<Session> {
    let mut session = Session::open(server.address(), SESSION_TIMEOUT_MS)?;
    session.add_auth("digest", "super:admin")?;
    Ok(session)
}

fn anyone() -> Vec<Acl> {
    vec![Acl::anyone(perms::ALL)]
}

fn all_bytes() -> Vec<u8> {
    (0..=u8::MAX).collect()
}

fn newest_snapshot(directory: &Path) -> Result<PathBuf> {
    let mut newest = None;
    for entry in fs::read_dir(directory)? {
        let name = entry?.file_name();
        let mut parts = name.to_str().unwrap_or_default().split('.');
        if parts.next() == Some("snapshot") {
            let zxid = i64::from_str_radix(parts.next().unwrap_or_default(), 16)?;
            newest = newest.max(Some((zxid, directory.join(&name))));
        }
    }
    Ok(newest.context("no snapshot")?.1)
}

/// What the directory holds: the persisted stats from ZooKeeper's own snapshot tool, data and
/// ACLs, which that tool does not show in full, as a client saw them.
fn describe(snapshot: &Path, tree: &TreeDump) -> Result<Value> {
    let arguments = [OsString::from(snapshot)];
    let printed = java_tool("org.apache.zookeeper.server.SnapshotFormatter", &arguments)?;
    let (nodes, rest) = printed
        .split_once("\nSession Details")
        .context("SnapshotFormatter printed no sessions")?;
    let nodes = nodes
        .split("\n----\n")
        .skip(1)
        .map(|block| describe_node(block, tree))
        .collect::<Result<Vec<_>>>()?;
    ensure!(
        nodes.len() == tree.nodes.len(),
        "the snapshot has other nodes than the client saw"
    );
    let zxid = rest.rsplit("Last zxid: ").next().context("no zxid")?;
    Ok(json!({
        "zxid": zxid.trim(),
        "sessions": describe_sessions(rest),
        "nodes": nodes,
    }))
}

fn one_node_a_line(expected: &Value) -> Result<String> {
    let nodes = expected["nodes"].as_array().context("no nodes")?;
    let nodes: Vec<_> = nodes.iter().map(Value::to_string).collect();
    Ok(format!(
        "{{\n\"zxid\": {},\n\"sessions\": {},\n\"nodes\": [\n{}\n]}}\n",
        expected["zxid"],
        expected["sessions"],
        nodes.join(",\n")
    ))
}

fn describe_sessions(printed: &str) -> Value {
    let mut sessions = Map::new();
    for line in printed.lines().filter(|line| line.starts_with("0x")) {
        let mut fields = line.split(", ");
        if let (Some(id), Some(timeout)) = (fields.next(), fields.next()) {
            let timeout: i32 = timeout.parse().unwrap_or_default();
            sessions.insert(id.into(), timeout.into());
        }
    }
    sessions.into()
}

fn describe_node(block: &str, tree: &TreeDump) -> Result<Value> {
    let mut lines = block.lines();
    let path = lines.next().context("a node without a path")?;
    let seen = tree
        .nodes
        .get(path)
        .with_context(|| format!("{path} was not seen"))?;
    let mut node = Map::new();
    node.insert("path".into(), path.into());
    node.insert(
        "data".into(),
        seen.data
            .as_ref()
            .map(|data| BASE64_STANDARD.encode(data))
            .into(),
    );
    let acl = seen
        .acl
        .iter()
        .map(|acl| json!([acl.perms, acl.id.scheme(), acl.id.id()]));
    node.insert("acl".into(), acl.collect());
    for line in lines {
        let Some((name, value)) = line.trim().split_once(" = ") else {
            continue;
        };
        match name {
            "cZxid" | "mZxid" | "pZxid" | "ephemeralOwner" => {
                node.insert(name.to_lowercase(), format!("0x{:x}", hex(value)?).into());
            }
            "cversion" | "dataVersion" | "aclVersion" => {
                node.insert(name.to_lowercase(), value.parse::<i32>()?.into());
            }
            // Times are printed to the second; what the client saw is exact.
            _ => {}
        }
    }
    node.insert("ctime".into(), seen.stat.ctime.into());
    node.insert("mtime".into(), seen.stat.mtime.into());
    check_against(&node, &seen.stat)?;
    Ok(node.into())
}

fn check_against(node: &Map<String, Value>, seen: &Stat) -> Result<()> {
    let persisted = node["cversion"].as_i64().context("no cversion")?;
    let visible = 2 * persisted - i64::from(seen.num_children);
    if visible != i64::from(seen.cversion) {
        bail!(
            "{}: cversion {visible}, the client saw {}",
            node["path"],
            seen.cversion
        );
    }
    Ok(())
}

fn hex(text: &str) -> Result<u64> {
    Ok(u64::from_str_radix(text.trim_start_matches("0x"), 16)?)
}

// Some thirty years: no reader of these files shall see the node expire.
const LONG_TTL_MS: i64 = 1_000_000_000_000;
const SESSION_TIMEOUT_MS: i32 = 600_000;
