//! Reading and changing a tree of some size.

use std::hint::black_box;

use anyhow::ensure;
use bytes::Bytes;
use zooid_proto::{
    Acl, CreateTxn, ErrorCode, OwnerRules, SessionId, SetDataTxn, Txn, TxnDigest, TxnHeader,
    TxnRecord, Zxid, perms,
};
use zooid_tree::{Access, ChildListLimits, Children, Replica, TreeOptions};

use super::{Case, VALUE};

pub(crate) const GET: Case = Case {
    name: "tree-get",
    what: "read one of 10,000 nodes",
    times: 10_000,
    run: get,
};

pub(crate) const LIST: Case = Case {
    name: "tree-list",
    what: "make the list of 100 children",
    times: 1000,
    run: list,
};

pub(crate) const LIST_AGAIN: Case = Case {
    name: "tree-list-again",
    what: "find a list that was made before",
    times: 10_000,
    run: list_again,
};

pub(crate) const SET: Case = Case {
    name: "tree-set",
    what: "apply a set of one of 10,000 nodes",
    times: 10_000,
    run: set,
};

pub(crate) const CREATE: Case = Case {
    name: "tree-create",
    what: "apply a create beside 10,000 nodes",
    times: 10_000,
    run: create,
};

pub(crate) const MULTI: Case = Case {
    name: "tree-multi",
    what: "apply one create of the 1000 in a multi",
    times: 10_000,
    run: multi,
};

/// Creates in one multi, all below one parent.
pub(crate) const MULTI_LEN: u32 = 1000;
const NODES: u32 = 10_000;
const NODES_PER_DIRECTORY: u32 = 100;

const ANYONE: Access<'static> = Access {
    ids: &[],
    skip_acl: false,
};

/// A tree that is filled, and what to go on with.
pub(crate) struct Forest {
    pub(crate) replica: Replica,
    zxid: i64,
}

impl Forest {
    pub(crate) fn grown() -> anyhow::Result<Forest> {
        let mut forest = Forest {
            replica: Replica::new(options()),
            zxid: 0,
        };
        for directory in 0..NODES / NODES_PER_DIRECTORY {
            forest.apply(&create_txn(&format!("/d{directory}")))?;
        }
        for number in 0..NODES {
            forest.apply(&create_txn(&path(number)))?;
        }
        Ok(forest)
    }

    /// Those of one directory.
    fn children(&self) -> anyhow::Result<Children<'_>> {
        let found = self.replica.get_children(black_box("/d17"), &ANYONE, None);
        let (children, _) = found.map_err(|err| anyhow::anyhow!("{err}"))?;
        Ok(children)
    }

    /// Applies the next transaction; returns how many events it has caused.
    pub(crate) fn apply(&mut self, txn: &Txn) -> anyhow::Result<usize> {
        self.zxid += 1;
        let mut fired = Vec::new();
        let applied = self
            .replica
            .apply(&header(self.zxid, txn), txn, None, &mut fired);
        ensure!(applied.err == ErrorCode::Ok, "{:?}", applied.err);
        Ok(black_box(fired).len())
    }
}

pub(crate) fn options() -> TreeOptions {
    TreeOptions {
        digest: true,
        owner_rules: OwnerRules {
            extended_types: true,
            emulate_353_ttl: false,
        },
        // Lists of a hundred short names, too.
        child_lists: ChildListLimits {
            bytes_min: 0,
            ..ChildListLimits::USUAL
        },
    }
}

/// The nodes of the tree, over and over, in an order in which neighbours are not next to each other.
pub(crate) fn path(number: u32) -> String {
    let number = number.wrapping_mul(7919) % NODES;
    format!("/d{}/n{number}", number % (NODES / NODES_PER_DIRECTORY))
}

/// Of a node that is not there.
pub(crate) fn new_path(number: u32) -> String {
    format!("/d{}/new{number}", number % (NODES / NODES_PER_DIRECTORY))
}

pub(crate) fn set_txn(path: String) -> Txn {
    Txn::SetData(SetDataTxn {
        path,
        data: Some(Bytes::from_static(VALUE)),
        version: 1,
    })
}

fn create_txn(path: &str) -> Txn {
    Txn::Create(CreateTxn {
        path: path.into(),
        data: Some(Bytes::from_static(VALUE)),
        acl: vec![Acl::anyone(perms::ALL)].into(),
        ephemeral: false,
        parent_cversion: -1,
    })
}

pub(crate) fn create_record(zxid: i64, path: &str) -> TxnRecord {
    let txn = create_txn(path);
    TxnRecord {
        header: header(zxid, &txn),
        txn,
        digest: Some(TxnDigest {
            version: TxnDigest::VERSION,
            tree_digest: zxid,
        }),
    }
}

fn header(zxid: i64, txn: &Txn) -> TxnHeader {
    TxnHeader {
        client_id: SessionId(7),
        cxid: 1,
        zxid: Zxid(zxid),
        time: zxid,
        op: txn.op_code().code(),
    }
}

fn get(times: u32) -> anyhow::Result<()> {
    let forest = Forest::grown()?;
    let paths: Vec<String> = (0..NODES).map(path).collect();
    for path in paths.iter().cycle().take(usize::try_from(times)?) {
        let (data, stat) = forest
            .replica
            .get_data(path, &ANYONE, None)
            .map_err(|err| anyhow::anyhow!("{err}"))?;
        black_box((data, stat));
    }
    Ok(())
}

fn list(times: u32) -> anyhow::Result<()> {
    let forest = Forest::grown()?;
    let mut list = Vec::new();
    for _ in 0..times {
        list.clear();
        forest.children()?.encode(&mut list);
        ensure!(black_box(&list).len() > 100);
    }
    Ok(())
}

fn list_again(times: u32) -> anyhow::Result<()> {
    let forest = Forest::grown()?;
    for _ in 0..times {
        let list = forest.children()?.kept();
        ensure!(black_box(list).is_some());
    }
    Ok(())
}

fn set(times: u32) -> anyhow::Result<()> {
    let mut forest = Forest::grown()?;
    let txns: Vec<Txn> = (0..NODES).map(|number| set_txn(path(number))).collect();
    for txn in txns.iter().cycle().take(usize::try_from(times)?) {
        forest.apply(txn)?;
    }
    Ok(())
}

/// Making the transaction is not what is counted, so as many are made whatever the number of times.
fn create(times: u32) -> anyhow::Result<()> {
    let mut forest = Forest::grown()?;
    let txns: Vec<Txn> = (0..2 * CREATE.times)
        .map(|number| create_txn(&new_path(number)))
        .collect();
    for txn in txns.iter().take(usize::try_from(times)?) {
        forest.apply(txn)?;
    }
    Ok(())
}

fn multi(times: u32) -> anyhow::Result<()> {
    let mut forest = Forest::grown()?;
    let multi = |number: u32| {
        let paths = (0..MULTI_LEN).map(|op| format!("/d{}/new{number}-{op}", number % 100));
        Txn::Multi(paths.map(|path| create_txn(&path)).collect())
    };
    let txns: Vec<Txn> = (0..2 * MULTI.times / MULTI_LEN).map(multi).collect();
    for txn in txns.iter().take(usize::try_from(times / MULTI_LEN)?) {
        forest.apply(txn)?;
    }
    Ok(())
}
