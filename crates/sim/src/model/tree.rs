//! Nodes by path, and the quotas counted in some of them.

use super::watches::Change;
use bytes::Bytes;
use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Arc;
use zooid_proto::path::{CONFIG, QUOTA, ZOOKEEPER};
use zooid_proto::{
    Acl, EphemeralOwner, OwnerRules, SessionId, Stat, StatPersisted, Zxid, path, perms,
};
use zooid_tree::{ChildListLimits, LIMITS_NODE, Replica, STATS_NODE, digest};

pub(crate) const OWNER_RULES: OwnerRules = OwnerRules {
    extended_types: true,
    emulate_353_ttl: false,
};

/// Short lists are kept, too, and few of them.
pub(crate) const CHILD_LISTS: ChildListLimits = ChildListLimits {
    count_max: 3,
    bytes_max: 256,
    bytes_min: 0,
};

/// How long a container may go without its first child.
pub(crate) const NEVER_USED_MS: i64 = 4000;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Node {
    pub(crate) data: Option<Bytes>,
    pub(crate) acl: Vec<Acl>,
    pub(crate) stat: StatPersisted,
}

impl Node {
    pub(crate) fn owner(&self) -> EphemeralOwner {
        EphemeralOwner::from_raw(self.stat.ephemeral_owner, OWNER_RULES)
    }

    pub(crate) fn data_len(&self) -> i64 {
        len(self.data.as_ref())
    }
}

fn len(data: Option<&Bytes>) -> i64 {
    i64::try_from(data.map_or(0, Bytes::len)).expect("data is short")
}

/// The root is "/". A clone shares everything until it changes, and then each node until that does.
#[derive(Clone, Debug)]
pub(crate) struct Tree {
    pub(crate) nodes: Arc<Nodes>,
}

pub(crate) type Nodes = BTreeMap<Arc<str>, Arc<Node>>;

/// Limits and use, by the path they are on; `None` while one of the two nodes is missing.
pub(crate) type Quotas = BTreeMap<String, Option<Quota>>;

#[derive(Clone, Copy, Debug)]
pub(crate) struct Quota {
    pub(crate) count_hard: i64,
    pub(crate) bytes_hard: i64,
    pub(crate) used_count: i64,
    pub(crate) used_bytes: i64,
}

impl Tree {
    pub(crate) fn new() -> Tree {
        let node = |acl: i32, aversion| Node {
            data: Some(Bytes::new()),
            acl: vec![Acl::anyone(acl)],
            stat: StatPersisted {
                aversion,
                ..StatPersisted::default()
            },
        };
        let nodes = [
            ("/", node(perms::ALL, 0)),
            (ZOOKEEPER, node(perms::ALL, 0)),
            (QUOTA, node(perms::ALL, 0)),
            (CONFIG, node(perms::READ, -1)),
        ];
        let nodes = nodes.map(|(path, node)| (path.into(), Arc::new(node)));
        Tree {
            nodes: Arc::new(Nodes::from(nodes)),
        }
    }

    pub(crate) fn children<'a>(&'a self, path: &'a str) -> impl Iterator<Item = &'a str> {
        let below = self.below(path);
        let children = below.filter(move |(child, _)| path::parent(child) == Some(path));
        children.filter_map(|(child, _)| path::split(child).map(|(_, name)| name))
    }

    /// The node itself and all below it.
    pub(crate) fn subtree<'a>(&'a self, top: &'a str) -> impl Iterator<Item = (&'a str, &'a Node)> {
        let itself = self.nodes.get_key_value(top);
        let itself = itself.map(|(path, node)| (&**path, &**node));
        itself.into_iter().chain(self.below(top))
    }

    /// All below a node: their paths stand together, behind its own and a slash.
    fn below<'a>(&'a self, top: &'a str) -> impl Iterator<Item = (&'a str, &'a Node)> {
        let prefix = format!("{}/", top.trim_end_matches('/'));
        let from = Bound::Excluded(prefix.as_str());
        let all = self.nodes.range::<str, _>((from, Bound::Unbounded));
        let all = all.map(|(path, node)| (&**path, &**node));
        all.take_while(move |(path, _)| path.starts_with(&prefix))
    }

    /// As clients see it.
    pub(crate) fn stat(&self, path: &str) -> Option<Stat> {
        let node = self.nodes.get(path)?;
        let StatPersisted {
            czxid,
            mzxid,
            ctime,
            mtime,
            version,
            cversion,
            aversion,
            pzxid,
            ..
        } = node.stat;
        let num_children = i32::try_from(self.children(path).count()).expect("a small tree");
        Some(Stat {
            czxid,
            mzxid,
            ctime,
            mtime,
            version,
            cversion: cversion * 2 - num_children,
            aversion,
            ephemeral_owner: node.owner().visible(),
            data_length: i32::try_from(node.data_len()).expect("data is short"),
            num_children,
            pzxid,
        })
    }

    /// The sum that the servers compare.
    pub(crate) fn digest(&self) -> i64 {
        let counted = self.nodes.iter().filter(|(path, _)| digest::counts(path));
        let each = counted
            .map(|(path, node)| i64::from(digest::node(path, node.data.as_deref(), &node.stat)));
        each.fold(0, i64::wrapping_add)
    }

    /// A node that is known to be there.
    pub(crate) fn node_mut(&mut self, path: &str) -> &mut Node {
        let nodes = Arc::make_mut(&mut self.nodes);
        let node = nodes.get_mut(path).expect("the node was looked up");
        Arc::make_mut(node)
    }

    /// Inserts a node under a parent that exists.
    pub(crate) fn insert(&mut self, path: &str, node: Node, changes: &mut Vec<Change>) {
        let parent_path = path::parent(path).expect("paths begin with a slash");
        let zxid = node.stat.czxid;
        let parent = self.node_mut(parent_path);
        parent.stat.cversion += 1;
        parent.stat.pzxid = zxid;
        changes.push(Change::Created {
            path: path.to_owned(),
            acl: node.acl.clone(),
            parent_acl: parent.acl.clone(),
            zxid,
        });
        let bytes = node.data_len();
        Arc::make_mut(&mut self.nodes).insert(path.into(), Arc::new(node));
        if let Some(target) = quota_target(path, STATS_NODE) {
            self.recount(&target);
        }
        self.charge(path, 1, bytes);
    }

    /// Removes a node that exists.
    pub(crate) fn remove(&mut self, path: &str, zxid: Zxid, changes: &mut Vec<Change>) {
        let nodes = Arc::make_mut(&mut self.nodes);
        let node = nodes.remove(path).expect("the node was looked up");
        let parent_path = path::parent(path).expect("paths begin with a slash");
        let parent = self.node_mut(parent_path);
        parent.stat.pzxid = zxid;
        changes.push(Change::Deleted {
            path: path.to_owned(),
            acl: node.acl.clone(),
            parent_acl: parent.acl.clone(),
            zxid,
        });
        self.charge(path, -1, -node.data_len());
    }

    pub(crate) fn set_data(&mut self, path: &str, data: Option<Bytes>) {
        let node = self.node_mut(path);
        let grown = len(data.as_ref()) - node.data_len();
        node.data = data;
        self.charge(path, 0, grown);
    }

    /// Whether a server may delete a node by itself.
    pub(crate) fn may_be_swept(&self, path: &str, wall_ms: i64) -> Result<(), String> {
        let Some(node) = self.nodes.get(path) else {
            return Err(format!("{path} was swept, which is not there"));
        };
        let age_ms = wall_ms - node.stat.mtime;
        let is_due = match node.owner() {
            EphemeralOwner::Container => node.stat.cversion > 0 || age_ms > NEVER_USED_MS,
            EphemeralOwner::Ttl(ttl_ms) => age_ms > ttl_ms,
            EphemeralOwner::Persistent | EphemeralOwner::Session(_) => false,
        };
        if is_due && self.children(path).next().is_none() {
            Ok(())
        } else {
            Err(format!("{path} was swept, which should stay: {node:?}"))
        }
    }

    pub(crate) fn close_session(
        &mut self,
        session: SessionId,
        zxid: Zxid,
        changes: &mut Vec<Change>,
    ) {
        let owned = self
            .nodes
            .iter()
            .filter(|(_, node)| node.owner() == EphemeralOwner::Session(session));
        let paths: Vec<String> = owned.map(|(path, _)| path.to_string()).collect();
        for path in paths {
            self.remove(&path, zxid, changes);
        }
    }
}

/// Quotas.
impl Tree {
    pub(crate) fn quotas(&self) -> Quotas {
        self.quota_targets()
            .map(|target| (target.clone(), self.quota(&target)))
            .collect()
    }

    fn quota_targets(&self) -> impl Iterator<Item = String> {
        self.nodes
            .keys()
            .filter_map(|path| quota_target(path, LIMITS_NODE))
    }

    fn quota(&self, target: &str) -> Option<Quota> {
        let text = |name| {
            let node = self.nodes.get(&*quota_path(target, name))?;
            Some(String::from_utf8_lossy(node.data.as_deref().unwrap_or_default()).into_owned())
        };
        let (limits, used) = (text(LIMITS_NODE)?, text(STATS_NODE)?);
        Some(Quota {
            count_hard: number(&limits, "countHardLimit"),
            bytes_hard: number(&limits, "byteHardLimit"),
            used_count: number(&used, "count"),
            used_bytes: number(&used, "bytes"),
        })
    }

    fn charge(&mut self, path: &str, count: i64, bytes: i64) {
        let target = self
            .quota_targets()
            .filter(|target| is_at_or_below(path, target))
            .max();
        let Some(quota) = target.as_ref().and_then(|target| self.quota(target)) else {
            return;
        };
        let target = target.unwrap_or_default();
        self.set_used(&target, quota.used_count + count, quota.used_bytes + bytes);
    }

    fn recount(&mut self, target: &str) {
        let below = self.subtree(target).map(|(_, node)| node.data_len());
        let (count, bytes) = below.fold((0, 0), |(count, bytes), len| (count + 1, bytes + len));
        self.set_used(target, count, bytes);
    }

    fn set_used(&mut self, target: &str, count: i64, bytes: i64) {
        let path = quota_path(target, STATS_NODE);
        if self.nodes.contains_key(&*path) {
            self.node_mut(&path).data = Some(Bytes::from(format!("count={count},bytes={bytes}")));
        }
    }

    /// Whether a node counts what is used of a quota that has no limits any more. It says what it
    /// said when those were removed, and that depends on when quotas were last counted anew: in a
    /// recovery, also when its snapshot was loaded. ZooKeeper's do the same.
    pub(crate) fn is_frozen(&self, path: &str) -> bool {
        quota_target(path, STATS_NODE)
            .is_some_and(|target| !self.nodes.contains_key(&*quota_path(&target, LIMITS_NODE)))
    }

    /// Takes over from a recovered tree what cannot be predicted.
    pub(crate) fn adopt_frozen(&mut self, recovered: &Replica) {
        let frozen = self.nodes.keys().filter(|path| self.is_frozen(path));
        for path in frozen.cloned().collect::<Vec<Arc<str>>>() {
            let data = recovered.node(&path).and_then(|node| node.data());
            self.node_mut(&path).data = data.map(Bytes::copy_from_slice);
        }
    }

    pub(crate) fn recount_quotas(&mut self) {
        for target in self.quota_targets().collect::<Vec<_>>() {
            self.recount(&target);
        }
    }
}

pub(crate) fn is_at_or_below(path: &str, top: &str) -> bool {
    path.strip_prefix(top)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

fn quota_path(target: &str, name: &str) -> String {
    format!("{QUOTA}{target}/{name}")
}

fn quota_target(path: &str, name: &str) -> Option<String> {
    let target = path
        .strip_prefix(QUOTA)?
        .strip_suffix(name)?
        .strip_suffix('/')?;
    target.starts_with('/').then(|| target.to_owned())
}

/// A number in a quota's text; -1 when it is not there.
fn number(text: &str, name: &str) -> i64 {
    let mut pairs = text
        .split([',', ';'])
        .filter_map(|pair| pair.split_once('='));
    let found = pairs.find(|(key, _)| *key == name);
    found
        .and_then(|(_, value)| value.trim_end_matches('=').parse().ok())
        .unwrap_or(-1)
}
