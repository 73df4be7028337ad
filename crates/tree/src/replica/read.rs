//! The reads of clients, and their watches (spec §2.7, §2.10; Java `FinalRequestProcessor`).
//!
//! They run on many threads under the read lock. A read that sets a watch registers it before it
//! returns, so the reply precedes every event that the watch can cause. Nothing here allocates
//! unless the reply or a watch needs it.

use super::{Children, Replica};
use crate::acl::{Access, permits};
use crate::nodes::{LOOK_AHEAD_MAX, Slot};
use crate::path_hash::PathHash;
use crate::watch_table::WatcherId;
use crate::watches::WatchKind;
use zooid_proto::request::SetWatches2;
use zooid_proto::{
    Acl, AddWatchMode, ErrorCode, EventType, Id, SessionId, Stat, WatcherType, perms,
};

impl Replica {
    /// exists. A watch is left on a missing node too.
    ///
    /// # Errors
    /// [`ErrorCode::BadArguments`], [`ErrorCode::NoAuth`], [`ErrorCode::NoNode`].
    pub fn exists(
        &self,
        path: &str,
        access: &Access<'_>,
        watcher: Option<WatcherId>,
    ) -> Result<Stat, ErrorCode> {
        if path.as_bytes().contains(&0) {
            return Err(ErrorCode::BadArguments);
        }
        let hash = PathHash::of(path);
        let found = self.tree.nodes.find_hashed(path, hash);
        if let Some(slot) = found {
            self.require(slot, perms::READ, access)?;
        }
        self.leave_watch(WatchKind::Data, hash, path, watcher);
        let slot = found.ok_or(ErrorCode::NoNode)?;
        Ok(self.tree.stat(slot))
    }

    /// getData.
    ///
    /// # Errors
    /// [`ErrorCode::NoNode`], [`ErrorCode::NoAuth`].
    pub fn get_data(
        &self,
        path: &str,
        access: &Access<'_>,
        watcher: Option<WatcherId>,
    ) -> Result<(Option<&[u8]>, Stat), ErrorCode> {
        let slot = self.read(WatchKind::Data, path, access, watcher)?;
        let node = self.tree.nodes.parts(slot);
        Ok((node.data(), node.stat(self.options().owner_rules)))
    }

    /// getChildren, getChildren2.
    ///
    /// # Errors
    /// [`ErrorCode::NoNode`], [`ErrorCode::NoAuth`].
    pub fn get_children(
        &self,
        path: &str,
        access: &Access<'_>,
        watcher: Option<WatcherId>,
    ) -> Result<(Children<'_>, Stat), ErrorCode> {
        let slot = self.read(WatchKind::Children, path, access, watcher)?;
        let children = Children::new(&self.tree.nodes, slot);
        Ok((children, self.tree.stat(slot)))
    }

    /// getACL. Whoever may read but not administer the node sees no password hashes.
    ///
    /// # Errors
    /// [`ErrorCode::NoNode`], [`ErrorCode::NoAuth`].
    pub fn get_acl(&self, path: &str, access: &Access<'_>) -> Result<(Vec<Acl>, Stat), ErrorCode> {
        let slot = self.tree.find(path).ok_or(ErrorCode::NoNode)?;
        self.require(slot, perms::READ | perms::ADMIN, access)?;
        let acl = self.tree.acl_of(slot);
        let shown = if permits(acl, perms::ADMIN, access) {
            acl.to_vec()
        } else {
            acl.iter().map(masked).collect()
        };
        Ok((shown, self.tree.stat(slot)))
    }

    /// getAllChildrenNumber: how many keys of Java's map lie below `path`, among which the root is
    /// twice.
    ///
    /// # Errors
    /// [`ErrorCode::NoNode`], [`ErrorCode::NoAuth`].
    pub fn all_children_number(&self, path: &str, access: &Access<'_>) -> Result<i32, ErrorCode> {
        let slot = self.tree.find(path).ok_or(ErrorCode::NoNode)?;
        self.require(slot, perms::READ, access)?;
        let count = match path {
            "/" => self.tree.nodes.len() - 1,
            // Every key but "" begins with "/".
            "" => self.tree.nodes.len(),
            _ => self.tree.nodes.subtree(slot).count() - 1,
        };
        Ok(i32::try_from(count).unwrap_or(i32::MAX))
    }

    /// getEphemerals: the session's own, all of them for a prefix that is null, blank or "/".
    #[must_use]
    pub fn ephemerals_with_prefix(&self, session: SessionId, prefix: Option<&str>) -> Vec<String> {
        let mut paths = self.ephemerals_of(session);
        let prefix = prefix.filter(|prefix| !matches!(prefix.trim(), "" | "/"));
        if let Some(prefix) = prefix {
            paths.retain(|path| path.starts_with(prefix));
        }
        paths
    }

    /// Paths that one call of [`Replica::look_ahead`] looks at.
    pub const LOOK_AHEAD_MAX: usize = LOOK_AHEAD_MAX;

    /// Tells of several lookups to come, so that the nodes are in the cache then. Nothing else comes of it.
    /// In a tree that is small nothing is done. How many of the paths seem to be there.
    pub fn look_ahead<'a>(&self, paths: impl Iterator<Item = &'a [u8]>) -> usize {
        if self.tree.nodes.are_many() {
            self.tree.nodes.look_ahead(paths)
        } else {
            0
        }
    }

    fn read(
        &self,
        kind: WatchKind,
        path: &str,
        access: &Access<'_>,
        watcher: Option<WatcherId>,
    ) -> Result<Slot, ErrorCode> {
        let hash = PathHash::of(path);
        let found = self.tree.nodes.find_hashed(path, hash);
        let slot = found.ok_or(ErrorCode::NoNode)?;
        self.require(slot, perms::READ, access)?;
        self.leave_watch(kind, hash, path, watcher);
        Ok(slot)
    }

    fn require(&self, slot: Slot, perm: i32, access: &Access<'_>) -> Result<(), ErrorCode> {
        if permits(self.tree.acl_of(slot), perm, access) {
            Ok(())
        } else {
            Err(ErrorCode::NoAuth)
        }
    }

    fn leave_watch(&self, kind: WatchKind, hash: PathHash, path: &str, watcher: Option<WatcherId>) {
        if let Some(watcher) = watcher {
            self.watches.watch(kind, hash, path, watcher);
        }
    }
}

/// As Java's `replaceAll(":.*", ":x")`.
fn masked(entry: &Acl) -> Acl {
    match entry.id.id().split_once(':') {
        Some((user, _)) if entry.id.scheme() == "digest" => Acl {
            perms: entry.perms,
            id: Id::new("digest", &format!("{user}:x")),
        },
        _ => entry.clone(),
    }
}

/// Watches.
impl Replica {
    /// setWatches, setWatches2: what has changed since the client last looked is told through
    /// `emit` at once, the rest is watched.
    pub fn set_watches(
        &self,
        watcher: WatcherId,
        request: &SetWatches2,
        emit: &mut dyn FnMut(EventType, &str),
    ) {
        let since = request.relative_zxid;
        for path in &request.data_watches {
            match self.node(path) {
                None => emit(EventType::NodeDeleted, path),
                Some(node) if node.stat_persisted().mzxid > since => {
                    emit(EventType::NodeDataChanged, path);
                }
                Some(_) => self.watch_again(WatchKind::Data, path, watcher),
            }
        }
        for path in &request.exist_watches {
            match self.node(path) {
                Some(_) => emit(EventType::NodeCreated, path),
                None => self.watch_again(WatchKind::Data, path, watcher),
            }
        }
        for path in &request.child_watches {
            match self.node(path) {
                None => emit(EventType::NodeDeleted, path),
                Some(node) if node.stat_persisted().pzxid > since => {
                    emit(EventType::NodeChildrenChanged, path);
                }
                Some(_) => self.watch_again(WatchKind::Children, path, watcher),
            }
        }
        for path in &request.persistent_watches {
            self.add_watch(watcher, path, AddWatchMode::Persistent);
        }
        for path in &request.persistent_recursive_watches {
            self.add_watch(watcher, path, AddWatchMode::PersistentRecursive);
        }
    }

    fn watch_again(&self, kind: WatchKind, path: &str, watcher: WatcherId) {
        self.watches.watch(kind, PathHash::of(path), path, watcher);
    }

    /// addWatch. The node need not exist.
    pub fn add_watch(&self, watcher: WatcherId, path: &str, mode: AddWatchMode) {
        self.watches.add(watcher, path, mode);
    }

    /// checkWatches: whether the watcher has such a watch.
    #[must_use]
    pub fn check_watch(&self, watcher: WatcherId, path: &str, kind: WatcherType) -> bool {
        self.watches.check(watcher, path, kind)
    }

    /// removeWatches: whether the watcher had such a watch.
    pub fn remove_watch(&self, watcher: WatcherId, path: &str, kind: WatcherType) -> bool {
        self.watches.remove(watcher, path, kind)
    }

    /// Forgets a connection that is gone. It must not register another watch.
    pub fn drop_watcher(&self, watcher: WatcherId) {
        self.watches.drop_watcher(watcher);
    }
}
