//! The tree: nodes with everything that is derived from them (ACL uses, owners, quotas, digest,
//! data size) and the walks that must see every change (Java `DataTree`, without its watches).
//!
//! Each change goes through one of the `pub(crate)` methods that take a path or slot; they keep all
//! the derived state in step. Legality was decided before the transaction was made: a change fails
//! only if its node is missing or present already.

use crate::acl_table::{AclSlot, AclTable};
use crate::child_lists::ChildListLimits;
use crate::digest;
use crate::index::Twice;
use crate::nodes::{Draft, Nodes, Slot, visible_stat};
use crate::owners::Owners;
use crate::path_hash::PathHash;
use crate::quota::{self, Quota, QuotaPaths, QuotaText};
use crate::walk::{Walk, WalkStart, Walks};

use zooid_proto::path::{CONFIG, QUOTA, ZOOKEEPER, split};
use zooid_proto::{
    Acl, AclList, EphemeralOwner, ErrorCode, OwnerRules, SessionId, Stat, StatPersisted, Zxid,
    perms,
};

/// How a tree is kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TreeOptions {
    /// `zookeeper.digest.enabled`.
    pub digest: bool,
    /// How owner fields are read.
    pub owner_rules: OwnerRules,
    /// Which lists of children are kept as they are sent.
    pub child_lists: ChildListLimits,
}

impl TreeOptions {
    /// Draws up a node for such a tree.
    pub(crate) fn draft(self, path: &str, data: Option<&[u8]>, stat: StatPersisted) -> Draft {
        let name = split(path).map_or(path, |(_, name)| name);
        let digest = self.counted(path, data, &stat);
        Draft::new(PathHash::of(path), name, data, stat, digest)
    }

    /// What a node counts for in the tree's digest, if it is part of that.
    fn counted(self, path: &str, data: Option<&[u8]>, stat: &StatPersisted) -> Option<u32> {
        (self.digest && digest::counts(path)).then(|| digest::node(path, data, stat))
    }
}

/// What a create transaction says, whichever its type.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Creation<'a> {
    pub(crate) path: &'a str,
    pub(crate) data: Option<&'a [u8]>,
    pub(crate) acl: &'a AclList,
    pub(crate) owner_raw: i64,
    pub(crate) parent_cversion: i32,
    pub(crate) zxid: Zxid,
    pub(crate) time: i64,
}

/// What came of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Created {
    pub(crate) parent: Slot,
    pub(crate) acl: AclSlot,
    pub(crate) stat: Stat,
}

#[derive(Debug)]
pub(crate) struct Tree {
    pub(crate) nodes: Nodes,
    pub(crate) acls: AclTable,
    pub(crate) owners: Owners,
    options: TreeOptions,
    quotas: QuotaPaths,
    walks: Walks,
    /// Of all nodes but the stale ones.
    digest: u64,
    /// Nodes whose stat has changed and whose digest is still to be computed: once for all changes that a
    /// transaction makes.
    stale: Vec<Slot>,
    data_size: i64,
}

impl Tree {
    /// A tree without even a root, for the loader.
    pub(crate) fn empty(options: TreeOptions) -> Tree {
        Tree {
            nodes: Nodes::new(options.child_lists),
            acls: AclTable::new(),
            owners: Owners::default(),
            options,
            quotas: QuotaPaths::default(),
            walks: Walks::default(),
            digest: 0,
            stale: Vec::new(),
            data_size: 0,
        }
    }

    /// A fresh tree: the four nodes that every tree has.
    pub(crate) fn fresh(options: TreeOptions) -> Tree {
        let mut tree = Tree::empty(options);
        let draft = |path| options.draft(path, Some(b""), StatPersisted::default());
        tree.insert_root(AclSlot::OPEN, draft(""));
        for path in [ZOOKEEPER, QUOTA] {
            let parent = tree.parent_of(path).expect("in this order");
            tree.insert(parent, path, AclSlot::OPEN, draft(path));
        }
        tree.add_config_node();
        tree
    }

    /// Java `DataTree.addConfigNode`.
    fn add_config_node(&mut self) {
        let Some(parent) = self.parent_of(CONFIG) else {
            return;
        };
        let acl = self
            .acls
            .acquire(&AclList::from(vec![Acl::anyone(perms::READ)]));
        let stat = StatPersisted {
            aversion: -1,
            ..StatPersisted::default()
        };
        let config = self.options.draft(CONFIG, Some(b""), stat);
        self.insert(parent, CONFIG, acl, config);
    }

    pub(crate) fn options(&self) -> TreeOptions {
        self.options
    }

    pub(crate) fn digest(&self) -> i64 {
        let stale = self.stale.iter().map(|slot| self.node_digest(*slot));
        let sum = stale.fold(self.digest, |sum, digest| sum.wrapping_add(digest.into()));
        sum.cast_signed()
    }

    pub(crate) fn data_size(&self) -> i64 {
        self.data_size
    }

    pub(crate) fn find(&self, path: &str) -> Option<Slot> {
        self.nodes.find(path)
    }

    /// The parent of a path, which itself need not exist.
    pub(crate) fn parent_of(&self, path: &str) -> Option<Slot> {
        let (parent, _) = split(path)?;
        // Only the root is known by the path that a lone "/" has for a parent.
        self.nodes.find(parent)
    }

    pub(crate) fn stat(&self, slot: Slot) -> Stat {
        self.nodes.parts(slot).stat(self.options.owner_rules)
    }

    pub(crate) fn owner(&self, slot: Slot) -> EphemeralOwner {
        EphemeralOwner::from_raw(self.nodes.owner_raw(slot), self.options.owner_rules)
    }

    pub(crate) fn acl_of(&self, slot: Slot) -> &AclList {
        self.acls.get(self.nodes.acl(slot))
    }

    /// Inserts the root, with an ACL that the caller has acquired.
    pub(crate) fn insert_root(&mut self, acl: AclSlot, root: Draft) {
        // Java counts the root under both its keys.
        self.data_size += node_size("/", root.data_len()) + node_size("", root.data_len());
        self.count(0, root.digest().unwrap_or_default());
        self.nodes.insert_root(acl, root);
    }

    /// Inserts a node, with an ACL that the caller has acquired.
    fn insert(&mut self, parent: Slot, path: &str, acl: AclSlot, draft: Draft) {
        let owner = self.count_in(path, &draft);
        let slot = self.nodes.insert(parent, acl, draft);
        self.inserted(slot, owner);
    }

    /// As [`Tree::insert`], for the loader: see [`Nodes::insert_deferred`].
    pub(crate) fn insert_deferred(
        &mut self,
        parent: Slot,
        path: &str,
        acl: AclSlot,
        draft: Draft,
    ) -> Result<Slot, Twice> {
        let owner = self.count_in(path, &draft);
        let slot = self.nodes.insert_deferred(parent, acl, draft)?;
        self.inserted(slot, owner);
        Ok(slot)
    }

    /// Sums include a node that is to be inserted. Returns its owner.
    fn count_in(&mut self, path: &str, draft: &Draft) -> EphemeralOwner {
        self.count(0, draft.digest().unwrap_or_default());
        self.data_size += node_size(path, draft.data_len());
        EphemeralOwner::from_raw(draft.stat().ephemeral_owner, self.options.owner_rules)
    }

    fn inserted(&mut self, slot: Slot, owner: EphemeralOwner) {
        self.walks.inserted(slot);
        self.owners.add(slot, owner);
    }

    /// Java `DataTree.createNode`.
    pub(crate) fn create(&mut self, new: &Creation<'_>) -> Result<Created, ErrorCode> {
        let (parent_path, name) = split(new.path).ok_or(ErrorCode::BadArguments)?;
        let parent = self.find(parent_path).ok_or(ErrorCode::NoNode)?;
        let hash = PathHash::of(new.path);
        if let Some(existing) = self.nodes.find_hashed(new.path, hash) {
            // Met only while replaying onto a fuzzy snapshot, which may know this node without
            // having its ACL.
            self.replace_acl(existing, new.acl);
            return Err(ErrorCode::NodeExists);
        }
        if name.is_empty() || !Nodes::name_fits(name) {
            return Err(ErrorCode::BadArguments);
        }
        self.count_creation(parent, new.parent_cversion, new.zxid);
        let stat = StatPersisted {
            czxid: new.zxid,
            mzxid: new.zxid,
            pzxid: new.zxid,
            ctime: new.time,
            mtime: new.time,
            ephemeral_owner: new.owner_raw,
            ..StatPersisted::default()
        };
        let acl = self.acls.acquire(new.acl);
        let digest = self.options.counted(new.path, new.data, &stat);
        let draft = Draft::new(hash, name, new.data, stat, digest);
        let data_len = draft.data_len();
        self.insert(parent, new.path, acl, draft);
        self.quota_after_create(new.path, parent_path, name);
        self.charge(new.path, signed(data_len), 1);
        Ok(Created {
            acl,
            parent,
            stat: visible_stat(&stat, 0, data_len, self.options.owner_rules),
        })
    }

    /// Raises a parent's count of created children, unless a later creation has done so already
    /// (Java `DataTree.setCversionPzxid`).
    pub(crate) fn count_creation(&mut self, parent: Slot, cversion: i32, zxid: Zxid) {
        self.walks.before_change(parent, &self.nodes, &self.acls);
        // Logs of 3.3 have no count.
        let cversion = (cversion != -1).then_some(cversion);
        if self.nodes.count_creation(parent, cversion, zxid) {
            self.make_stale(parent);
        }
    }

    /// Java `DataTree.deleteNode`, for a node that exists. Children can only be met while replaying
    /// onto a fuzzy snapshot: they were created after this deletion, by transactions that are
    /// still to come.
    pub(crate) fn delete(&mut self, slot: Slot, path: &str, zxid: Zxid) {
        self.touch_parent(self.nodes.parent(slot), zxid);
        let mut below: Vec<Slot> = self.nodes.subtree(slot).skip(1).collect();
        while let Some(descendant) = below.pop() {
            let path = self.nodes.path(descendant);
            self.remove(descendant, &path);
        }
        self.remove(slot, path);
    }

    /// A deletion always dates its parent, even if the node turns out to be gone.
    pub(crate) fn touch_parent(&mut self, parent: Slot, zxid: Zxid) {
        self.walks.before_change(parent, &self.nodes, &self.acls);
        if self.nodes.date_children(parent, zxid) {
            self.make_stale(parent);
        }
    }

    fn remove(&mut self, slot: Slot, path: &str) {
        let data_len = data_len(self.nodes.data(slot));
        self.walks.before_change(slot, &self.nodes, &self.acls);
        if self.nodes.is_stale(slot) {
            // Only live nodes can be.
            self.settle_digest();
        }
        self.count(self.nodes.digest(slot), 0);
        self.data_size -= node_size(path, self.nodes.data_len(slot));
        self.owners.remove(slot, self.owner(slot));
        self.acls.release(self.nodes.acl(slot));
        self.nodes.remove(slot);
        if let Some((parent, name)) = split(path)
            && let Some(target) = quota::target(parent, name, quota::LIMITS_NODE)
        {
            self.quotas.remove(target);
        }
        self.charge(path, -data_len, -1);
    }

    /// Java `DataTree.setData`.
    pub(crate) fn set_data(
        &mut self,
        slot: Slot,
        path: &str,
        data: Option<&[u8]>,
        version: i32,
        mzxid: Zxid,
        mtime: i64,
    ) -> Stat {
        let grown = signed(data.map_or(0, <[u8]>::len)) - signed(self.nodes.data_len(slot));
        self.walks.before_change(slot, &self.nodes, &self.acls);
        self.nodes.modify(slot, data, version, mzxid, mtime);
        let node = self.nodes.parts(slot);
        let stat = node.stat(self.options.owner_rules);
        if node.is_counted() && node.is_branch() {
            let prefix = digest::prefix(path, data);
            self.nodes.keep_digest_prefix(slot, prefix);
            self.make_stale(slot);
        } else if node.is_counted() {
            let after = digest::node(path, data, &node.stat_persisted());
            let before = self.nodes.set_digest(slot, after);
            self.count(before, after);
        }
        self.data_size += grown;
        self.charge(path, grown, 0);
        stat
    }

    /// Java `DataTree.setACL`.
    pub(crate) fn set_acl(&mut self, slot: Slot, acl: &AclList, aversion: i32) {
        self.replace_acl(slot, acl);
        self.nodes.set_aversion(slot, aversion);
        self.make_stale(slot);
    }

    fn replace_acl(&mut self, slot: Slot, acl: &AclList) {
        self.walks.before_change(slot, &self.nodes, &self.acls);
        let old = self.nodes.acl(slot);
        let new = self.acls.acquire(acl);
        self.nodes.set_acl(slot, new);
        self.acls.release(old);
    }

    /// Sets what `/zookeeper/config` holds (Java `ZKDatabase.initConfigInZKDatabase`).
    pub(crate) fn set_config(&mut self, text: &[u8], version: Zxid, wall_ms: i64) {
        if self.find(CONFIG).is_none() {
            self.add_config_node();
        }
        if let Some(slot) = self.find(CONFIG) {
            self.set_data(slot, CONFIG, Some(text), -1, version, wall_ms);
        }
    }

    /// The paths that a session owns, sorted.
    pub(crate) fn ephemerals_of(&self, session: SessionId) -> Vec<String> {
        let slots = self.owners.ephemerals(session);
        let mut paths: Vec<String> = slots.map(|slot| self.nodes.path(slot)).collect();
        paths.sort_unstable();
        paths
    }

    /// A node's stat has changed, or its data with it.
    fn make_stale(&mut self, slot: Slot) {
        if let Some(digest) = self.nodes.make_stale(slot) {
            self.count(digest, 0);
            self.stale.push(slot);
        }
    }

    fn count(&mut self, before: u32, after: u32) {
        let digest = self.digest.wrapping_sub(u64::from(before));
        self.digest = digest.wrapping_add(u64::from(after));
    }

    /// Computes the digests of the nodes that are stale. To be called at the end of a transaction; until
    /// then [`Tree::digest`] is right, but does so each time.
    pub(crate) fn settle_digest(&mut self) {
        while let Some(slot) = self.stale.pop() {
            let digest = self.nodes.refresh_digest(slot);
            self.count(0, digest);
        }
    }

    /// What a node counts for in the digest.
    pub(crate) fn node_digest(&self, slot: Slot) -> u32 {
        if self.nodes.is_stale(slot) {
            self.nodes.digest_now(slot)
        } else {
            self.nodes.digest(slot)
        }
    }
}

/// Quotas.
impl Tree {
    /// The quota that a path is charged to, if both its nodes are there.
    pub(crate) fn quota_of(&self, path: &str) -> Option<Quota> {
        if self.quotas.is_empty() {
            return None;
        }
        let target = self.quotas.longest_above(path)?;
        let limits = self.quota_text(&quota::limits_path(target))?.limits();
        let used = self.quota_text(&quota::stats_path(target))?;
        Some(Quota {
            path: target.to_owned(),
            limits,
            used_count: used.count(),
            used_bytes: used.bytes(),
        })
    }

    /// Counts every quota anew, from the nodes themselves (Java `DataTree.setupQuota`).
    pub(crate) fn recount_quotas(&mut self) {
        let Some(top) = self.find(QUOTA) else {
            return;
        };
        let nodes = &self.nodes;
        let leaves = nodes
            .subtree(top)
            .filter(|slot| nodes.children(*slot).is_empty());
        let targets: Vec<String> = leaves
            .filter_map(|slot| {
                let path = nodes.path(slot);
                let (parent, name) = split(&path)?;
                quota::target(parent, name, quota::LIMITS_NODE).map(str::to_owned)
            })
            .collect();
        for target in targets {
            self.recount(&target);
            self.quotas.add(&target);
        }
    }

    fn quota_after_create(&mut self, path: &str, parent: &str, name: &str) {
        debug_assert!(path.len() > parent.len());
        if let Some(target) = quota::target(parent, name, quota::LIMITS_NODE) {
            self.quotas.add(target);
        }
        if let Some(target) = quota::target(parent, name, quota::STATS_NODE) {
            self.recount(target);
        }
    }

    fn recount(&mut self, target: &str) {
        let (mut count, mut bytes) = (0, 0);
        if let Some(top) = self.find(target) {
            for slot in self.nodes.subtree(top) {
                count += 1;
                bytes += data_len(self.nodes.data(slot));
            }
        }
        self.replace_stats(&quota::stats_path(target), &QuotaText::used(count, bytes));
    }

    /// Charges a change at `path` to the quota it is under.
    #[inline]
    fn charge(&mut self, path: &str, bytes: i64, count: i64) {
        if !self.quotas.is_empty() {
            self.charge_to_quota(path, bytes, count);
        }
    }

    fn charge_to_quota(&mut self, path: &str, bytes: i64, count: i64) {
        let Some(target) = self.quotas.longest_above(path) else {
            return;
        };
        let stats_path = quota::stats_path(target);
        let Some(used) = self.quota_text(&stats_path) else {
            return;
        };
        let (count, bytes) = (used.count() + count, used.bytes() + bytes);
        self.replace_stats(&stats_path, &used.with(count, bytes));
    }

    fn quota_text(&self, path: &str) -> Option<QuotaText> {
        let slot = self.find(path)?;
        Some(QuotaText::parse(self.nodes.data(slot).unwrap_or_default()))
    }

    /// Stats change in place: no version, no watch, no digest; nor does Java adjust its data size.
    fn replace_stats(&mut self, path: &str, text: &QuotaText) {
        let Some(slot) = self.find(path) else {
            return;
        };
        self.walks.before_change(slot, &self.nodes, &self.acls);
        (self.nodes).set_data(slot, Some(text.to_string().as_bytes()));
    }
}

/// Walks.
impl Tree {
    /// Begins a walk whose stream starts with `sessions`, encoded.
    pub(crate) fn begin_walk(&mut self, zxid: Zxid, sessions: Vec<u8>) -> Walk {
        let mut header = sessions;
        self.acls.encode(&mut header);
        let start = WalkStart {
            zxid,
            digest: self.digest(),
            header,
        };
        self.walks.begin(&self.nodes, start)
    }
}

/// Java `DataTree.getNodeSize`: UTF-16 units of the path and bytes of the data.
fn node_size(path: &str, data_len: usize) -> i64 {
    let units = if path.is_ascii() {
        path.len()
    } else {
        path.encode_utf16().count()
    };
    signed(units) + signed(data_len)
}

fn data_len(data: Option<&[u8]>) -> i64 {
    signed(data.map_or(0, <[u8]>::len))
}

fn signed(len: usize) -> i64 {
    i64::try_from(len).expect("lengths in memory fit an i64")
}
