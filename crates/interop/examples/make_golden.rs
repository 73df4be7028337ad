//! Has Debian's ZooKeeper write the data directories that the storage crate's tests read, each with
//! a description of what is in it. Called by `scripts/make-golden`, which says more.

use anyhow::{Context, Result, ensure};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use tempfile::TempDir;
use zooid_interop::{
    Kind, NodeDump, Options, SUPER_DIGEST, Server, Session, SnapshotFile, TreeDump, Workload,
    anyone, snapshots,
};
use zooid_proto::{Acl, CreateMode, perms};

fn main() -> Result<()> {
    let target = std::env::args_os().nth(1);
    let target = PathBuf::from(target.context("usage: make_golden DIRECTORY")?);
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
    let sessions = write_second_log(&server, &session)?;
    let tree = TreeDump::read(&mut Session::open_as_super(&server)?)?;
    server.kill()?;

    let kept = target.join("version-2");
    fs::create_dir_all(&kept)?;
    for entry in fs::read_dir(server.data_dir().join("version-2"))? {
        let entry = entry?;
        fs::copy(entry.path(), kept.join(entry.file_name()))?;
    }
    // Another start writes a snapshot of all that was recovered.
    server.start_again()?;
    server.kill()?;
    let newest = snapshots(&server.data_dir())?
        .pop()
        .context("no snapshot")?;
    let snapshot = SnapshotFile::read(&newest)?;
    for session in sessions {
        let id = format!("0x{:x}", session.id().0);
        ensure!(snapshot.sessions.contains_key(&id), "session {id} is lost");
    }
    fs::write(target.join("expected.json"), describe(&snapshot, &tree)?)?;
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
    let mut session = Session::open_as_super(server)?;
    let mut workload = Workload::new(&mut session, "")?;
    if variant.has_large_node {
        workload.write_large_node()?;
    }
    workload.write_swept_nodes()?;
    workload.write_everything(server)?;
    Ok(session)
}

/// Changes to what the first log left, so that neither log makes sense without what came before.
fn write_second_log(server: &Server, first: &Session) -> Result<Vec<Session>> {
    let mut session = first.reattach(server.address())?;
    session.add_auth("digest", "super:admin")?;
    session.set_data("/plain", Some(b"after the restart"), -1)?;
    let local = [Acl::new(perms::READ, "ip", "127.0.0.1")];
    session.set_acl("/plain/empty", &local, 0)?;
    session.delete("/plain/null", 0)?;
    let mode = CreateMode::PersistentSequential;
    session.create("/plain/sequential-", None, &anyone(), mode)?;
    let mut other = Session::open_as_super(server)?;
    let mode = CreateMode::Ephemeral;
    other.create("/ephemeral-of-another", None, &anyone(), mode)?;
    Ok(vec![session, other])
}

/// What the directory holds: the persisted stats from ZooKeeper's own snapshot tool; data, ACLs and
/// exact times, which that tool does not show, as a client saw them. One node a line.
fn describe(snapshot: &SnapshotFile, tree: &TreeDump) -> Result<String> {
    let paths: Vec<_> = snapshot.nodes.keys().collect();
    ensure!(
        paths.iter().eq(&tree.nodes.keys().collect::<Vec<_>>()),
        "a client saw other nodes"
    );
    let nodes = snapshot.nodes.iter().zip(tree.nodes.values());
    let nodes = nodes.map(|((path, stat), seen)| describe_node(path, stat, seen));
    let nodes: Vec<String> = nodes
        .map(|node| Ok(node?.to_string()))
        .collect::<Result<_>>()?;
    Ok(format!(
        "{{\n\"zxid\": {},\n\"sessions\": {},\n\"nodes\": [\n{}\n]}}\n",
        json!(snapshot.zxid),
        json!(snapshot.sessions),
        nodes.join(",\n")
    ))
}

fn describe_node(path: &str, stat: &BTreeMap<String, String>, seen: &NodeDump) -> Result<Value> {
    let mut node = Map::new();
    node.insert("path".into(), path.into());
    let data = seen.data.as_ref().map(|data| BASE64_STANDARD.encode(data));
    node.insert("data".into(), data.into());
    let acl = seen.acl.iter();
    let acl = acl.map(|acl| json!([acl.perms, acl.id.scheme(), acl.id.id()]));
    node.insert("acl".into(), acl.collect());
    for name in ["cZxid", "mZxid", "pZxid", "ephemeralOwner"] {
        let digits = stat[name].trim_start_matches("0x");
        let value = u64::from_str_radix(digits, 16)?;
        node.insert(name.to_lowercase(), format!("0x{value:x}").into());
    }
    for name in ["cversion", "dataVersion", "aclVersion"] {
        node.insert(name.to_lowercase(), stat[name].parse::<i32>()?.into());
    }
    node.insert("ctime".into(), seen.stat.ctime.into());
    node.insert("mtime".into(), seen.stat.mtime.into());
    Ok(node.into())
}
