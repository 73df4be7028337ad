//! What the tests of this crate share: a history of transactions, and what a replica holds.

use crate::disk::{Disk, SimulatedDisk};
use crate::watermark::Watermark;
use crate::{
    Dirs, LogOptions, RecoverError, RecoverOptions, Recovered, SnapshotError, SnapshotItem,
    SnapshotNode, SnapshotOptions, Snapshots, TxnLog, recover,
};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use zooid_proto::{
    Acl, CreateTxn, Reader, SessionId, SetDataTxn, StatPersisted, Txn, TxnDigest, TxnHeader,
    TxnRecord, Zxid, perms,
};
use zooid_tree::{Replica, TreeOptions};

pub(crate) fn tree_options() -> TreeOptions {
    TreeOptions {
        digest: true,
        ..TreeOptions::default()
    }
}

/// One server's directories on a simulated disk.
#[derive(Debug)]
pub(crate) struct Site {
    pub(crate) simulated: SimulatedDisk,
    pub(crate) disk: Arc<dyn Disk>,
    pub(crate) dirs: Dirs,
    pub(crate) snapshots: Arc<Snapshots>,
    pub(crate) options: LogOptions,
}

impl Site {
    pub(crate) fn new(simulated: SimulatedDisk) -> Site {
        let disk: Arc<dyn Disk> = Arc::new(simulated.clone());
        let dirs = Dirs::new(Path::new("/data"), Some(Path::new("/logs")));
        Site {
            simulated,
            snapshots: Arc::new(Snapshots::new(Arc::clone(&disk), &dirs)),
            disk,
            dirs,
            options: LogOptions {
                preallocate: 16 << 10,
                ..LogOptions::default()
            },
        }
    }

    pub(crate) fn recover(&self) -> Result<Recovered, RecoverError> {
        let options = RecoverOptions {
            tree: tree_options(),
            ..RecoverOptions::default()
        };
        self.recover_with(&options)
    }

    pub(crate) fn recover_with(&self, options: &RecoverOptions) -> Result<Recovered, RecoverError> {
        recover(&self.disk, &self.dirs, &self.snapshots, options)
    }

    pub(crate) fn log(&self, last: Zxid) -> TxnLog {
        TxnLog::new(
            Arc::clone(&self.disk),
            self.dirs.clone(),
            Arc::clone(&self.snapshots),
            self.options,
            last,
        )
    }

    pub(crate) fn snapshot(
        &self,
        replica: &mut Replica,
        options: &SnapshotOptions,
    ) -> Result<(), SnapshotError> {
        let ticket = self.snapshots.ticket();
        let mut walk = replica.begin_walk();
        let shared: &Replica = replica;
        (self.snapshots)
            .write(ticket, &mut walk, options, &mut |chunk| chunk(shared))
            .map(|_| ())
    }

    /// The directories' content by name, but for what is only of the server's own business.
    pub(crate) fn names(&self) -> Vec<String> {
        let dirs = [&self.dirs.logs, &self.dirs.snapshots];
        let entries = dirs.iter().flat_map(|dir| self.disk.list(dir).unwrap());
        let names = entries.map(|entry| entry.name);
        names.filter(|name| name != "zooid.durable").collect()
    }

    /// As if the directories came from ZooKeeper, which remembers nothing about its logs.
    pub(crate) fn forget_watermark(&self) {
        let path = Watermark::path(&self.dirs);
        self.disk.remove(&path).unwrap();
    }

    pub(crate) fn read(&self, path: &Path) -> Vec<u8> {
        crate::read_file(&*self.disk, path, 1 << 24)
            .unwrap()
            .unwrap()
    }

    pub(crate) fn put(&self, path: &Path, content: &[u8]) {
        if self.disk.exists(path).unwrap() {
            self.disk.remove(path).unwrap();
        }
        let mut file = self.disk.create(path).unwrap();
        file.write_at(0, content).unwrap();
    }
}

pub(crate) fn site() -> Site {
    Site::new(SimulatedDisk::new(1))
}

/// Makes transactions: what the transaction of a zxid does follows from the zxid alone.
pub(crate) fn txn(zxid: Zxid) -> (TxnHeader, Txn) {
    let step = zxid.0 & 0xffff_ffff;
    let path = |step: i64| match step {
        ..=3 => "/a".to_owned(),
        _ => format!("/a/n{}", step / 3),
    };
    let body = match step % 3 {
        _ if step == 1 => Txn::CreateSession { timeout_ms: 4000 },
        _ if step == 2 => create("/a", &[], false, 1),
        0 if step > 3 => create(&path(step), &[7; 40], step % 2 == 1, step / 3 - 1),
        1 => Txn::SetData(SetDataTxn {
            path: path(step),
            data: Some(vec![1; usize::try_from(step * 37 % 900).unwrap()].into()),
            version: i32::try_from(step).unwrap(),
        }),
        _ => Txn::SetData(SetDataTxn {
            path: "/a".into(),
            data: Some(step.to_string().into_bytes().into()),
            version: i32::try_from(step).unwrap(),
        }),
    };
    let header = TxnHeader {
        client_id: SessionId(0x77),
        cxid: 5,
        zxid,
        time: 1000 + step,
        op: body.op_code().code(),
    };
    (header, body)
}

fn create(path: &str, data: &'static [u8], ephemeral: bool, siblings: i64) -> Txn {
    Txn::Create(CreateTxn {
        path: path.into(),
        data: Some(data.into()),
        acl: vec![Acl::new(perms::READ, "digest", path)].into(),
        ephemeral,
        parent_cversion: i32::try_from(siblings).unwrap(),
    })
}

/// Applies the next transaction to `replica` and returns its encoding, with the right digest.
pub(crate) fn apply(replica: &mut Replica, zxid: Zxid) -> Vec<u8> {
    let (header, txn) = txn(zxid);
    replica.apply(&header, &txn, None, &mut Vec::new());
    let digest = Some(TxnDigest {
        version: TxnDigest::VERSION,
        tree_digest: replica.digest(),
    });
    TxnRecord {
        header,
        txn,
        digest,
    }
    .encode()
}

/// A replica after the transactions up to `upto` of epoch 0.
pub(crate) fn replica_at(upto: Zxid) -> Replica {
    let mut replica = Replica::new(tree_options());
    for zxid in 1..=upto.0 {
        apply(&mut replica, Zxid(zxid));
    }
    replica
}

/// A node's data, access control list and metadata.
type Node = (Option<Vec<u8>>, Vec<Acl>, StatPersisted);

/// What a replica holds, in an order of its own.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Content {
    pub(crate) zxid: Zxid,
    pub(crate) digest: i64,
    pub(crate) sessions: BTreeMap<SessionId, i32>,
    pub(crate) nodes: BTreeMap<String, Node>,
}

pub(crate) fn content(replica: &mut Replica) -> Content {
    let mut bytes = Vec::new();
    let mut walk = replica.begin_walk();
    while walk.next_chunk(replica, &mut bytes, 100) {}
    let mut content = Content {
        zxid: replica.last_zxid(),
        digest: replica.digest(),
        sessions: BTreeMap::new(),
        nodes: BTreeMap::new(),
    };
    let mut acls = BTreeMap::from([(-1, vec![Acl::anyone(perms::ALL)])]);
    let mut parser = crate::BodyParser::default();
    let mut r = Reader::new(&bytes, zooid_proto::Limit(1 << 20));
    while let Some(item) = parser.next_item(&mut r).unwrap() {
        match item {
            SnapshotItem::Session { id, timeout_ms } => {
                content.sessions.insert(id, timeout_ms);
            }
            SnapshotItem::Acl { id, acl } => {
                acls.insert(id, acl.iter().cloned().collect());
            }
            SnapshotItem::Node(SnapshotNode {
                path,
                data,
                acl_id,
                stat,
            }) => {
                let value = (data.map(<[u8]>::to_vec), acls[&acl_id].clone(), stat);
                content.nodes.insert(path.into_owned(), value);
            }
        }
    }
    assert!(r.is_empty());
    content
}
