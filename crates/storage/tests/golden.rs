//! Directories written by ZooKeeper itself are recovered to what ZooKeeper had, and what this crate
//! writes is what ZooKeeper wrote. `tests/golden/README.md` says how they were made.

#![allow(clippy::unwrap_used, reason = "tests")]

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use zooid_proto::{Acl, Jute, Limit, OwnerRules, Reader, SessionId, StatPersisted, Zxid, perms};
use zooid_storage::disk::{Disk, RealDisk};
use zooid_storage::{
    BodyParser, Compression, Dirs, LogFileEnd, LogOptions, RecoverOptions, Recovered, SnapshotItem,
    SnapshotOptions, Snapshots, TxnLog, decode_log, decode_snapshot, recover, snapshot_files,
};
use zooid_tree::{Replica, TreeOptions};

const DIRECTORIES: [(&str, Compression, bool); 4] = [
    ("plain", Compression::None, true),
    ("gz", Compression::Gzip, true),
    ("snappy", Compression::Snappy, true),
    ("without-digest", Compression::None, false),
];

fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/golden")
        .join(name)
}

fn tree_options(digest: bool) -> TreeOptions {
    TreeOptions {
        digest,
        owner_rules: OwnerRules {
            extended_types: true,
            ..OwnerRules::default()
        },
        ..TreeOptions::default()
    }
}

/// A data directory of our own, holding what the golden one holds.
struct Server {
    root: tempfile::TempDir,
    disk: Arc<dyn Disk>,
    dirs: Dirs,
    snapshots: Arc<Snapshots>,
    digest: bool,
}

impl Server {
    fn new(digest: bool) -> Server {
        let root = tempfile::tempdir().unwrap();
        let disk: Arc<dyn Disk> = Arc::new(RealDisk);
        let dirs = Dirs::new(root.path(), None);
        Server {
            snapshots: Arc::new(Snapshots::new(Arc::clone(&disk), &dirs)),
            root,
            disk,
            dirs,
            digest,
        }
    }

    fn copy_of(name: &str, digest: bool) -> Server {
        let server = Server::new(digest);
        let target = server.root.path().join("version-2");
        fs::create_dir(&target).unwrap();
        for entry in fs::read_dir(golden(name).join("version-2")).unwrap() {
            let entry = entry.unwrap();
            fs::copy(entry.path(), target.join(entry.file_name())).unwrap();
        }
        server
    }

    fn recover(&self) -> Recovered {
        let options = RecoverOptions {
            tree: tree_options(self.digest),
            snapshot: SnapshotOptions {
                digest: self.digest,
                last_zxid: false,
                ..SnapshotOptions::default()
            },
            ..RecoverOptions::default()
        };
        recover(&self.disk, &self.dirs, &self.snapshots, &options).unwrap()
    }

    fn write_snapshot(&self, replica: &mut Replica, options: &SnapshotOptions) -> PathBuf {
        let mut walk = replica.begin_walk();
        let shared: &Replica = replica;
        let ticket = self.snapshots.ticket();
        let file = (self.snapshots)
            .write(ticket, &mut walk, options, &mut |chunk| chunk(shared))
            .unwrap();
        file.path
    }
}

type Node = (Option<Vec<u8>>, Vec<Acl>, StatPersisted);

#[derive(Debug, PartialEq)]
struct Content {
    sessions: BTreeMap<SessionId, i32>,
    nodes: BTreeMap<String, Node>,
}

fn content_of(replica: &mut Replica) -> Content {
    let mut bytes = Vec::new();
    let mut walk = replica.begin_walk();
    while walk.next_chunk(replica, &mut bytes, 1000) {}
    let mut parser = BodyParser::default();
    let mut r = Reader::new(&bytes, Limit(bytes.len()));
    let mut content = Content {
        sessions: BTreeMap::new(),
        nodes: BTreeMap::new(),
    };
    let mut acls = BTreeMap::from([(-1, vec![Acl::anyone(perms::ALL)])]);
    while let Some(item) = parser.next_item(&mut r).unwrap() {
        match item {
            SnapshotItem::Session { id, timeout_ms } => {
                content.sessions.insert(id, timeout_ms);
            }
            SnapshotItem::Acl { id, acl } => {
                acls.insert(id, acl.iter().cloned().collect());
            }
            SnapshotItem::Node(node) => {
                let path = if node.path.is_empty() {
                    "/"
                } else {
                    &node.path
                };
                let data = node.data.map(<[u8]>::to_vec);
                let value = (data, acls[&node.acl_id].clone(), node.stat);
                content.nodes.insert(path.to_owned(), value);
            }
        }
    }
    content
}

fn hex(value: &Value) -> i64 {
    let digits = value.as_str().unwrap().strip_prefix("0x").unwrap();
    u64::from_str_radix(digits, 16).unwrap().cast_signed()
}

fn expected(name: &str) -> (Zxid, Content) {
    let text = fs::read_to_string(golden(name).join("expected.json")).unwrap();
    let json: Value = serde_json::from_str(&text).unwrap();
    let int = |value: &Value| i32::try_from(value.as_i64().unwrap()).unwrap();
    let sessions = json["sessions"].as_object().unwrap().iter();
    let sessions =
        sessions.map(|(id, timeout)| (SessionId(hex(&Value::String(id.clone()))), int(timeout)));
    let nodes = json["nodes"].as_array().unwrap().iter().map(|node| {
        let stat = StatPersisted {
            czxid: Zxid(hex(&node["czxid"])),
            mzxid: Zxid(hex(&node["mzxid"])),
            ctime: node["ctime"].as_i64().unwrap(),
            mtime: node["mtime"].as_i64().unwrap(),
            version: int(&node["dataversion"]),
            cversion: int(&node["cversion"]),
            aversion: int(&node["aclversion"]),
            ephemeral_owner: hex(&node["ephemeralowner"]),
            pzxid: Zxid(hex(&node["pzxid"])),
        };
        let data = node["data"]
            .as_str()
            .map(|text| STANDARD.decode(text).unwrap());
        let acl = node["acl"].as_array().unwrap().iter();
        let acl = acl.map(|entry| {
            let text = |i: usize| entry[i].as_str().unwrap();
            Acl::new(int(&entry[0]), text(1), text(2))
        });
        let path = node["path"].as_str().unwrap().to_owned();
        (path, (data, acl.collect(), stat))
    });
    let content = Content {
        sessions: sessions.collect(),
        nodes: nodes.collect(),
    };
    (Zxid(hex(&json["zxid"])), content)
}

fn check(name: &str, server: &Server) -> Recovered {
    let mut recovered = server.recover();
    let (zxid, expected) = expected(name);
    assert_eq!(recovered.last_zxid, zxid, "{name}");
    let content = content_of(&mut recovered.replica);
    assert_eq!(content.sessions, expected.sessions, "{name}");
    let paths = |content: &Content| content.nodes.keys().cloned().collect::<Vec<_>>();
    assert_eq!(paths(&content), paths(&expected), "{name}");
    for (path, node) in &expected.nodes {
        assert_eq!(&content.nodes[path], node, "{name}: {path}");
    }
    assert_eq!(recovered.replica.digest_mismatches(), 0, "{name}");
    recovered
}

#[test]
fn zookeepers_directories_are_recovered_from_their_newest_snapshot() {
    for (name, _, digest) in DIRECTORIES {
        let server = Server::copy_of(name, digest);
        let recovered = check(name, &server);
        assert!(
            recovered.found.snapshot.unwrap().zxid > Zxid::ZERO,
            "{name}"
        );
        assert_eq!(recovered.found.torn_tail, None, "{name}");
        assert!(recovered.found.skipped_snapshots.is_empty(), "{name}");
    }
}

#[test]
fn zookeepers_directories_are_recovered_from_their_logs_alone() {
    for (name, _, digest) in DIRECTORIES {
        let server = Server::copy_of(name, digest);
        let newest = snapshot_files(&RealDisk, &server.dirs.snapshots)
            .unwrap()
            .remove(0);
        fs::remove_file(newest.path).unwrap();
        let recovered = check(name, &server);
        assert_eq!(recovered.found.snapshot.unwrap().zxid, Zxid::ZERO, "{name}");
        assert_eq!(recovered.found.logs.len(), 2, "{name}");
        let first = recovered.recent.front().unwrap().0;
        assert_eq!(first, Zxid(1), "{name}");
    }
}

#[test]
fn a_snapshot_of_ours_holds_what_zookeepers_directory_held() {
    for (name, compression, digest) in DIRECTORIES {
        let server = Server::copy_of(name, digest);
        let mut recovered = server.recover();
        let options = SnapshotOptions {
            compression,
            digest,
            last_zxid: true,
        };
        server.write_snapshot(&mut recovered.replica, &options);
        let again = check(name, &server);
        assert_eq!(again.found.snapshot.unwrap().zxid, recovered.last_zxid);
        assert_eq!(again.found.txns, 0);
    }
}

/// The children of `/zookeeper` come in the order of a hash map in Java, so the checksums differ too.
#[test]
fn the_snapshot_of_an_empty_database_is_zookeepers_but_for_the_order_of_nodes() {
    for (name, digest) in [("plain", true), ("without-digest", false)] {
        let server = Server::new(digest);
        let mut recovered = server.recover();
        assert!(recovered.found.initialized);
        let ours = fs::read(server.dirs.snapshots.join("snapshot.0")).unwrap();
        let theirs = fs::read(golden(name).join("version-2/snapshot.0")).unwrap();
        assert_eq!(ours.len(), theirs.len(), "{name}");
        let summary = |bytes| decode_snapshot(bytes, Compression::None).unwrap();
        assert_eq!(summary(&ours), summary(&theirs), "{name}");
        let copy = Server::copy_of(name, digest);
        let oldest = snapshot_files(&RealDisk, &copy.dirs.snapshots)
            .unwrap()
            .pop()
            .unwrap();
        let mut loaded = copy.snapshots.load(&oldest, tree_options(digest)).unwrap();
        let (ours, theirs) = (&mut recovered.replica, &mut loaded.replica);
        assert_eq!(content_of(ours), content_of(theirs), "{name}");
    }
}

#[test]
fn zookeepers_snapshots_decode_whole() {
    for (name, compression, digest) in DIRECTORIES {
        for file in snapshot_files(&RealDisk, &golden(name).join("version-2")).unwrap() {
            let bytes = fs::read(&file.path).unwrap();
            let summary = decode_snapshot(&bytes, compression).unwrap();
            assert_eq!(summary.trailer.digest.is_some(), digest, "{:?}", file.path);
            assert_eq!(summary.trailer.last_zxid, None);
            assert!(summary.nodes >= 4);
        }
    }
}

/// Each transaction of ZooKeeper's was synced on its own, its client having waited for it; so the
/// file's length is what the rule for padding makes of single commits.
#[test]
fn a_log_of_ours_is_zookeepers_byte_for_byte() {
    for (name, _, digest) in DIRECTORIES {
        let server = Server::new(digest);
        server.disk.create_dir_all(&server.dirs.logs).unwrap();
        let theirs = fs::read(golden(name).join("version-2/log.1")).unwrap();
        let decoded = decode_log(&theirs).unwrap();
        assert_eq!(decoded.end, LogFileEnd::Clean);
        let options = LogOptions {
            preallocate: 8 << 10,
            ..LogOptions::default()
        };
        let mut log = TxnLog::new(
            Arc::clone(&server.disk),
            server.dirs.clone(),
            Arc::clone(&server.snapshots),
            options,
            Zxid::ZERO,
        );
        for txn in &decoded.txns {
            log.append(txn.header.zxid, &txn.encode()).unwrap();
            log.commit().unwrap();
        }
        let ours = fs::read(server.dirs.logs.join("log.1")).unwrap();
        assert_eq!(ours.len(), theirs.len(), "{name}");
        assert!(ours == theirs, "{name}: the bytes differ");
        assert_eq!(decoded.header.unwrap().to_vec(), theirs[..16]);
    }
}
