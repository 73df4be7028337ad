//! What the tests share: a dumb twin of the tree, and random histories for both.

use crate::acl::Access;
use crate::child_lists::ChildListLimits;
use crate::nodes::Slot;
use crate::replica::{Applied, Replica};
use crate::tree::TreeOptions;
use bytes::Bytes;
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use zooid_proto::path::{CONFIG, QUOTA, ZOOKEEPER};
use zooid_proto::{
    Acl, CreateContainerTxn, CreateTtlTxn, CreateTxn, EphemeralOwner, ErrorCode, Limit, OwnerRules,
    Reader, SessionId, SetAclTxn, SetDataTxn, StatPersisted, Txn, TxnHeader, Zxid, perms,
};

pub(crate) const OPTIONS: TreeOptions = TreeOptions {
    digest: true,
    owner_rules: OwnerRules {
        extended_types: true,
        emulate_353_ttl: false,
    },
    child_lists: ChildListLimits::USUAL,
};

pub(crate) const ANYONE: Access<'static> = Access {
    ids: &[],
    skip_acl: false,
};

pub(crate) fn open_acl() -> Vec<Acl> {
    vec![Acl::anyone(perms::ALL)]
}

pub(crate) fn header(session: i64, zxid: i64, txn: &Txn) -> TxnHeader {
    TxnHeader {
        client_id: SessionId(session),
        cxid: 0,
        zxid: Zxid(zxid),
        time: zxid * 10,
        op: txn.op_code().code(),
    }
}

pub(crate) fn create(path: &str, data: &[u8]) -> Txn {
    Txn::Create(CreateTxn {
        path: path.into(),
        data: Some(Bytes::copy_from_slice(data)),
        acl: open_acl().into(),
        ephemeral: false,
        parent_cversion: -1,
    })
}

pub(crate) fn delete(path: &str) -> Txn {
    Txn::Delete { path: path.into() }
}

pub(crate) fn set_data(path: &str, data: &[u8], version: i32) -> Txn {
    Txn::SetData(SetDataTxn {
        path: path.into(),
        data: Some(Bytes::copy_from_slice(data)),
        version,
    })
}

/// A replica that numbers the transactions given to it.
pub(crate) struct Script {
    pub(crate) replica: Replica,
    pub(crate) fired: Vec<crate::Fired>,
    zxid: i64,
}

impl Script {
    pub(crate) fn new() -> Script {
        Script {
            replica: Replica::new(OPTIONS),
            fired: Vec::new(),
            zxid: 0,
        }
    }

    pub(crate) fn run(&mut self, txn: &Txn) -> Applied {
        self.run_as(7, txn)
    }

    pub(crate) fn run_as(&mut self, session: i64, txn: &Txn) -> Applied {
        self.zxid += 1;
        let header = header(session, self.zxid, txn);
        self.replica.apply(&header, txn, None, &mut self.fired)
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ModelNode {
    pub(crate) data: Option<Vec<u8>>,
    pub(crate) acl: Vec<Acl>,
    pub(crate) stat: StatPersisted,
}

/// The tree as a map from paths.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Model {
    pub(crate) nodes: BTreeMap<String, ModelNode>,
    pub(crate) sessions: BTreeMap<i64, i32>,
    pub(crate) zxid: i64,
}

impl Model {
    pub(crate) fn new() -> Model {
        let node = |acl, aversion| ModelNode {
            data: Some(Vec::new()),
            acl,
            stat: StatPersisted {
                aversion,
                ..StatPersisted::default()
            },
        };
        let mut nodes = BTreeMap::new();
        for path in ["", ZOOKEEPER, QUOTA] {
            nodes.insert(path.to_owned(), node(open_acl(), 0));
        }
        let readable = vec![Acl::anyone(perms::READ)];
        nodes.insert(CONFIG.to_owned(), node(readable, -1));
        Model {
            nodes,
            sessions: BTreeMap::new(),
            zxid: 0,
        }
    }

    pub(crate) fn children<'a>(&'a self, path: &'a str) -> impl Iterator<Item = &'a str> + 'a {
        let name = move |other: &'a str| other.strip_prefix(path)?.strip_prefix('/');
        let names = self.nodes.keys().filter_map(move |other| name(other));
        names.filter(|name| !name.contains('/'))
    }

    /// CRC-32 over path, data and stat of every node that counts, summed.
    pub(crate) fn digest(&self) -> i64 {
        let mut sum: i64 = 0;
        for (path, node) in &self.nodes {
            if path.starts_with("/zookeeper/") {
                continue;
            }
            let stat = &node.stat;
            let mut bytes = path.clone().into_bytes();
            bytes.extend(node.data.iter().flatten());
            for long in [
                stat.czxid.0,
                stat.mzxid.0,
                stat.pzxid.0,
                stat.ctime,
                stat.mtime,
            ] {
                bytes.extend(long.to_be_bytes());
            }
            for int in [stat.version, stat.cversion, stat.aversion] {
                bytes.extend(int.to_be_bytes());
            }
            bytes.extend(stat.ephemeral_owner.to_be_bytes());
            sum = sum.wrapping_add(i64::from(crc32fast::hash(&bytes)));
        }
        sum
    }

    pub(crate) fn data_size(&self) -> usize {
        let size = |(path, node): (&String, &ModelNode)| {
            path.len() + node.data.as_ref().map_or(0, Vec::len)
        };
        // And the root's second key, "/". Changes of its data count once, in Java too.
        self.nodes.iter().map(size).sum::<usize>() + 1
    }

    /// Whether a server could have made this transaction on this tree. Multis are left out.
    pub(crate) fn is_legal(&self, txn: &Txn) -> bool {
        let may_create = |path: &str| {
            let (parent, _) = path.rsplit_once('/').unwrap();
            let parent = self.nodes.get(parent);
            let owner = parent.map(|node| node.stat.ephemeral_owner);
            !self.nodes.contains_key(path) && owner.is_some_and(|owner| !SESSIONS.contains(&owner))
        };
        match txn {
            Txn::Create(t) | Txn::Create2(t) => t.parent_cversion == -1 && may_create(&t.path),
            Txn::CreateTtl(t) => t.parent_cversion == -1 && may_create(&t.path),
            Txn::CreateContainer(t) => t.parent_cversion == -1 && may_create(&t.path),
            Txn::Delete { path } => {
                self.nodes.contains_key(path) && self.children(path).next().is_none()
            }
            Txn::CloseSession { paths_to_delete } => paths_to_delete.is_some(),
            Txn::Multi(_) => false,
            _ => true,
        }
    }

    pub(crate) fn apply(&mut self, header: &TxnHeader, txn: &Txn) {
        match txn {
            Txn::Multi(parts) if parts.iter().any(|part| matches!(part, Txn::Error(_))) => {}
            Txn::Multi(parts) => {
                for part in parts {
                    self.apply(header, part);
                }
            }
            Txn::Create(t) | Txn::Create2(t) => {
                let owner = if t.ephemeral { header.client_id.0 } else { 0 };
                let is_v1 = matches!(txn, Txn::Create(_));
                let made = self.create(header, &t.path, &t.data, &t.acl, owner, t.parent_cversion);
                if !made && is_v1 && self.nodes.contains_key(&t.path) {
                    self.count_creation(&t.path, t.parent_cversion, header.zxid);
                }
            }
            Txn::CreateTtl(t) => {
                let owner = EphemeralOwner::Ttl(t.ttl).to_raw();
                self.create(header, &t.path, &t.data, &t.acl, owner, t.parent_cversion);
            }
            Txn::CreateContainer(t) => {
                let owner = i64::MIN;
                self.create(header, &t.path, &t.data, &t.acl, owner, t.parent_cversion);
            }
            Txn::Delete { path } | Txn::DeleteContainer { path } => {
                self.delete(path, header.zxid);
            }
            Txn::SetData(t) | Txn::Reconfig(t) => {
                if let Some(node) = self.nodes.get_mut(&t.path) {
                    node.data = t.data.as_ref().map(|data| data.to_vec());
                    node.stat.version = t.version;
                    node.stat.mzxid = header.zxid;
                    node.stat.mtime = header.time;
                }
            }
            Txn::SetAcl(t) => {
                if let Some(node) = self.nodes.get_mut(&t.path) {
                    node.acl = t.acl.to_vec();
                    node.stat.aversion = t.version;
                }
            }
            Txn::CreateSession { timeout_ms } => {
                self.sessions.insert(header.client_id.0, *timeout_ms);
            }
            Txn::CloseSession { paths_to_delete } => {
                self.sessions.remove(&header.client_id.0);
                for path in paths_to_delete.iter().flatten() {
                    self.delete(path, header.zxid);
                }
                for path in self.ephemerals(header.client_id.0) {
                    self.delete(&path, header.zxid);
                }
            }
            Txn::Error(_) | Txn::Check { .. } => {}
        }
        self.zxid = header.zxid.0;
    }

    pub(crate) fn ephemerals(&self, session: i64) -> Vec<String> {
        let owned = |(_, node): &(&String, &ModelNode)| node.stat.ephemeral_owner == session;
        let nodes = self.nodes.iter().filter(owned);
        nodes.map(|(path, _)| path.clone()).collect()
    }

    fn create(
        &mut self,
        header: &TxnHeader,
        path: &str,
        data: &Option<Bytes>,
        acl: &[Acl],
        ephemeral_owner: i64,
        parent_cversion: i32,
    ) -> bool {
        let (parent, _) = path.rsplit_once('/').unwrap();
        if !self.nodes.contains_key(parent) {
            return false;
        }
        if let Some(node) = self.nodes.get_mut(path) {
            node.acl = acl.to_vec();
            return false;
        }
        self.count_creation(path, parent_cversion, header.zxid);
        let stat = StatPersisted {
            czxid: header.zxid,
            mzxid: header.zxid,
            pzxid: header.zxid,
            ctime: header.time,
            mtime: header.time,
            ephemeral_owner,
            ..StatPersisted::default()
        };
        let node = ModelNode {
            data: data.as_ref().map(|data| data.to_vec()),
            acl: acl.to_vec(),
            stat,
        };
        self.nodes.insert(path.to_owned(), node);
        true
    }

    fn count_creation(&mut self, path: &str, parent_cversion: i32, zxid: Zxid) {
        let (parent, _) = path.rsplit_once('/').unwrap();
        let stat = &mut self.nodes.get_mut(parent).unwrap().stat;
        let cversion = match parent_cversion {
            -1 => stat.cversion + 1,
            given => given,
        };
        if cversion > stat.cversion {
            stat.cversion = cversion;
            stat.pzxid = zxid;
        }
    }

    fn delete(&mut self, path: &str, zxid: Zxid) {
        let (parent, _) = path.rsplit_once('/').unwrap();
        if let Some(parent) = self.nodes.get_mut(parent) {
            parent.stat.pzxid = parent.stat.pzxid.max(zxid);
        }
        let below = format!("{path}/");
        self.nodes
            .retain(|other, _| other != path && !other.starts_with(&below));
    }
}

/// A replica's nodes and sessions in the model's shape.
pub(crate) fn as_model(replica: &Replica) -> Model {
    let (nodes, acls) = replica.storage();
    let model_node = |slot: Slot| ModelNode {
        data: nodes.data(slot).map(<[u8]>::to_vec),
        acl: acls.get(nodes.acl(slot)).to_vec(),
        stat: nodes.stat_persisted(slot),
    };
    Model {
        nodes: nodes
            .subtree(Slot::ROOT)
            .map(|slot| (nodes.path(slot), model_node(slot)))
            .collect(),
        sessions: replica.sessions().map(|(id, ms)| (id.0, ms)).collect(),
        zxid: replica.last_zxid().0,
    }
}

/// Everything that a replica derives from its nodes must be as counted anew from the model.
pub(crate) fn assert_same(replica: &Replica, model: &Model) {
    assert_eq!(as_model(replica), *model);
    assert_eq!(replica.digest(), model.digest(), "incremental digest");
    assert_eq!(replica.node_count(), model.nodes.len() + 1);
    for (path, node) in &model.nodes {
        let found = replica.node(path).expect("every node can be looked up");
        assert_eq!(found.path(), *path);
        let mut names: Vec<&str> = found.children().collect();
        names.sort_unstable();
        assert_eq!(names, model.children(path).collect::<Vec<_>>());
        let stat = found.stat();
        let children = i32::try_from(names.len()).unwrap();
        assert_eq!(stat.num_children, children);
        assert_eq!(stat.cversion, node.stat.cversion * 2 - children);
    }
    assert_owners_same(replica, model);
    assert_acl_table_is_exact(replica, model);
}

fn assert_owners_same(replica: &Replica, model: &Model) {
    for session in SESSIONS {
        let owned = replica.ephemerals_of(SessionId(session));
        assert_eq!(owned, model.ephemerals(session));
    }
    let expired: BTreeSet<String> = replica.expired_nodes(i64::MAX, 1).into_iter().collect();
    let may_expire = |(path, node): &(&String, &ModelNode)| {
        let owner = EphemeralOwner::from_raw(node.stat.ephemeral_owner, OPTIONS.owner_rules);
        matches!(owner, EphemeralOwner::Container | EphemeralOwner::Ttl(_))
            && model.children(path).next().is_none()
    };
    let expected = model.nodes.iter().filter(may_expire);
    let expected: BTreeSet<String> = expected.map(|(path, _)| path.clone()).collect();
    assert_eq!(expired, expected);
}

fn assert_acl_table_is_exact(replica: &Replica, model: &Model) {
    let (_, acls) = replica.storage();
    let mut encoded = Vec::new();
    acls.encode(&mut encoded);
    let mut reader = Reader::new(&encoded, Limit(usize::MAX));
    let stored = reader.i32().unwrap();
    let distinct: BTreeSet<&Vec<Acl>> = model.nodes.values().map(|node| &node.acl).collect();
    let in_use = distinct.iter().filter(|acl| ***acl != open_acl()).count();
    assert_eq!(usize::try_from(stored).unwrap(), in_use);
}

const SESSIONS: [i64; 3] = [0x101, 0x102, 0x103];

/// One step of a random history; what it means depends on the tree it meets.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    Create {
        at: usize,
        name: usize,
        kind: usize,
        session: usize,
        data: Option<Vec<u8>>,
        acl: usize,
        cversion: i32,
    },
    Delete {
        at: usize,
        missing: bool,
    },
    SetData {
        at: usize,
        data: Option<Vec<u8>>,
    },
    SetAcl {
        at: usize,
        acl: usize,
    },
    Session {
        session: usize,
        open: bool,
        listed: bool,
    },
    Multi(Vec<Step>, bool),
    Error,
}

fn acl(choice: usize) -> Vec<Acl> {
    match choice % 4 {
        0 | 1 => open_acl(),
        2 => vec![Acl::anyone(perms::READ)],
        _ => vec![Acl::new(perms::ALL, "digest", "u:h"), Acl::anyone(1)],
    }
}

pub(crate) fn step() -> impl Strategy<Value = Step> {
    let simple = simple_step().boxed();
    let multi = prop::collection::vec(simple_step(), 0..4);
    prop_oneof![
        12 => simple,
        2 => (multi, prop::bool::weighted(0.2)).prop_map(|(parts, fails)| Step::Multi(parts, fails)),
        1 => Just(Step::Error),
    ]
}

fn simple_step() -> impl Strategy<Value = Step> {
    let data = prop::option::of(prop::collection::vec(any::<u8>(), 0..6));
    let create = (
        any::<usize>(),
        0..6_usize,
        0..8_usize,
        0..3_usize,
        data.clone(),
        0..4_usize,
        prop_oneof![4 => Just(-1), 2 => Just(1), 1 => Just(0), 1 => 0..9_i32],
    )
        .prop_map(
            |(at, name, kind, session, data, acl, cversion)| Step::Create {
                at,
                name,
                kind,
                session,
                data,
                acl,
                cversion,
            },
        );
    prop_oneof![
        8 => create,
        4 => (any::<usize>(), prop::bool::weighted(0.1))
            .prop_map(|(at, missing)| Step::Delete { at, missing }),
        4 => (any::<usize>(), data).prop_map(|(at, data)| Step::SetData { at, data }),
        2 => (any::<usize>(), 0..4_usize).prop_map(|(at, acl)| Step::SetAcl { at, acl }),
        1 => (0..3_usize, any::<bool>(), any::<bool>())
            .prop_map(|(session, open, listed)| Step::Session { session, open, listed }),
    ]
}

impl Step {
    /// The transaction, and the session that asks for it.
    pub(crate) fn to_txn(&self, model: &Model) -> (i64, Txn) {
        let paths: Vec<&String> = model.nodes.keys().collect();
        let any_path = |at: usize| paths[at % paths.len()].clone();
        match self {
            Step::Create {
                at,
                name,
                kind,
                session,
                data,
                acl: acl_choice,
                cversion,
            } => {
                let path = format!("{}/n{name}", any_path(*at));
                let data = data.clone().map(Bytes::from);
                let acl = acl(*acl_choice);
                let create = |ephemeral| CreateTxn {
                    path: path.clone(),
                    data: data.clone(),
                    acl: acl.clone().into(),
                    ephemeral,
                    parent_cversion: *cversion,
                };
                let txn = match kind {
                    0 | 1 => Txn::Create(create(false)),
                    2 => Txn::Create2(create(false)),
                    3 | 4 => Txn::Create(create(true)),
                    5 => Txn::Create2(create(true)),
                    6 => Txn::CreateContainer(CreateContainerTxn {
                        path,
                        data,
                        acl: acl.into(),
                        parent_cversion: *cversion,
                    }),
                    _ => Txn::CreateTtl(CreateTtlTxn {
                        path,
                        data,
                        acl: acl.into(),
                        parent_cversion: *cversion,
                        ttl: 5,
                    }),
                };
                (SESSIONS[*session], txn)
            }
            Step::Delete { at, missing } => {
                let mut path = any_path(*at);
                if *missing {
                    path.push_str("/none");
                }
                if path.is_empty() || path.starts_with(ZOOKEEPER) {
                    path = "/n0".into();
                }
                (1, Txn::Delete { path })
            }
            Step::SetData { at, data } => {
                let txn = SetDataTxn {
                    path: any_path(*at),
                    data: data.clone().map(Bytes::from),
                    version: 3,
                };
                (1, Txn::SetData(txn))
            }
            Step::SetAcl { at, acl: choice } => {
                let txn = SetAclTxn {
                    path: any_path(*at),
                    acl: acl(*choice).into(),
                    version: 4,
                };
                (1, Txn::SetAcl(txn))
            }
            Step::Session {
                session,
                open,
                listed,
            } => {
                let session = SESSIONS[*session];
                let paths_to_delete = listed.then(|| model.ephemerals(session));
                let txn = if *open {
                    Txn::CreateSession { timeout_ms: 4000 }
                } else {
                    Txn::CloseSession { paths_to_delete }
                };
                (session, txn)
            }
            Step::Multi(parts, fails) => {
                let parts = parts.iter().map(|part| part.to_txn(model).1);
                // Sessions never open or close within a multi.
                let mut parts: Vec<Txn> = parts
                    .filter(|part| {
                        !matches!(part, Txn::CreateSession { .. } | Txn::CloseSession { .. })
                    })
                    .collect();
                if *fails {
                    parts.push(Txn::Error(ErrorCode::NoNode));
                }
                (SESSIONS[0], Txn::Multi(parts))
            }
            Step::Error => (1, Txn::Error(ErrorCode::BadVersion)),
        }
    }
}

/// A replica and its twin, in step.
pub(crate) struct Twins {
    pub(crate) replica: Replica,
    pub(crate) model: Model,
}

impl Twins {
    pub(crate) fn new() -> Twins {
        Twins::with(OPTIONS)
    }

    pub(crate) fn with(options: TreeOptions) -> Twins {
        Twins {
            replica: Replica::new(options),
            model: Model::new(),
        }
    }

    pub(crate) fn step(&mut self, step: &Step) {
        let (session, txn) = step.to_txn(&self.model);
        let header = header(session, self.model.zxid + 1, &txn);
        self.model.apply(&header, &txn);
        // An empty or failed multi has a zxid as well.
        self.model.zxid = header.zxid.0;
        self.replica.apply(&header, &txn, None, &mut Vec::new());
    }
}
