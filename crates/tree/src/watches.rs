//! The rules of watches: two tables, and which event goes to which (spec §2.7; Java `DataTree`).

use crate::path_hash::PathHash;
use crate::watch_table::{Modes, WatchTable, WatcherId};
use std::sync::Arc;
use zooid_proto::path;
use zooid_proto::{AclList, AddWatchMode, EventType, WatcherType, Zxid};

/// An event for one watcher. Watchers of the same event share path and ACL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fired {
    /// Whom to tell.
    pub watcher: WatcherId,
    /// What happened.
    pub event: EventType,
    /// Where.
    pub path: Arc<str>,
    /// By which transaction.
    pub zxid: Zxid,
    /// Who may read the node, at the time: a connection that may not is not told.
    pub acl: AclList,
}

/// What `wchs` tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WatchSummary {
    /// Connections that watch data, or have done so.
    pub connections: usize,
    /// Paths whose data is watched.
    pub paths: usize,
    /// Pairs of the two.
    pub total: usize,
}

/// Which of the two tables a read's watch goes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WatchKind {
    Data,
    Children,
}

#[derive(Debug, Default)]
pub(crate) struct Watches {
    data: WatchTable,
    /// Recursive watches are only in the other one: they do not hear of children.
    children: WatchTable,
    /// Room for the watchers of one event.
    hits: Vec<WatcherId>,
    more_hits: Vec<WatcherId>,
}

/// The node that an event is about.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Subject<'a> {
    pub(crate) path: &'a str,
    pub(crate) acl: &'a AclList,
}

/// Registration.
impl Watches {
    /// Leaves a one-shot watch.
    pub(crate) fn watch(&self, kind: WatchKind, hash: PathHash, path: &str, watcher: WatcherId) {
        let table = match kind {
            WatchKind::Data => &self.data,
            WatchKind::Children => &self.children,
        };
        table.add(hash, path, watcher, Modes::STANDARD);
    }

    pub(crate) fn add(&self, watcher: WatcherId, path: &str, mode: AddWatchMode) {
        let hash = PathHash::of(path);
        match mode {
            AddWatchMode::Persistent => {
                self.data.add(hash, path, watcher, Modes::PERSISTENT);
                self.children.add(hash, path, watcher, Modes::PERSISTENT);
            }
            AddWatchMode::PersistentRecursive => {
                self.data.add(hash, path, watcher, Modes::RECURSIVE);
            }
        }
    }

    pub(crate) fn check(&self, watcher: WatcherId, path: &str, kind: WatcherType) -> bool {
        let (data, children) = masks(kind);
        let in_table = |table: &WatchTable, mask: Option<Modes>| {
            mask.is_some_and(|mask| table.has(path, watcher, mask))
        };
        // Persistent watches are in both tables; Java asks the one.
        in_table(&self.data, data) || in_table(&self.children, children)
    }

    pub(crate) fn remove(&self, watcher: WatcherId, path: &str, kind: WatcherType) -> bool {
        let (data, children) = masks(kind);
        let from = |table: &WatchTable, mask: Option<Modes>| {
            mask.is_some_and(|mask| table.remove(path, watcher, mask))
        };
        let from_children = from(&self.children, children);
        from(&self.data, data) || from_children
    }

    pub(crate) fn drop_watcher(&self, watcher: WatcherId) {
        self.data.drop_watcher(watcher);
        self.children.drop_watcher(watcher);
    }
}

/// What a request's type means in the data table and in the children's.
fn masks(kind: WatcherType) -> (Option<Modes>, Option<Modes>) {
    match kind {
        WatcherType::Children => (None, Some(Modes::STANDARD)),
        WatcherType::Data => (Some(Modes::STANDARD), None),
        WatcherType::Any => (Some(Modes::ALL), Some(Modes::ALL)),
        WatcherType::Persistent => (Some(Modes::PERSISTENT), Some(Modes::PERSISTENT)),
        WatcherType::PersistentRecursive => (Some(Modes::RECURSIVE), None),
    }
}

/// Events.
impl Watches {
    /// Whether there is anybody to be told of anything.
    pub(crate) fn are_any(&self) -> bool {
        self.count() > 0
    }

    pub(crate) fn created(
        &mut self,
        node: Subject<'_>,
        parent_acl: &AclList,
        zxid: Zxid,
        fired: &mut Vec<Fired>,
    ) {
        self.fire_data(EventType::NodeCreated, node, zxid, fired);
        self.fire_parent(node.path, parent_acl, zxid, fired);
    }

    /// Whoever watches both data and children is told once.
    pub(crate) fn deleted(
        &mut self,
        node: Subject<'_>,
        parent_acl: &AclList,
        zxid: Zxid,
        fired: &mut Vec<Fired>,
    ) {
        self.hits.clear();
        self.more_hits.clear();
        self.data.fire(node.path, &mut self.hits);
        self.children.fire(node.path, &mut self.more_hits);
        push(&self.hits, EventType::NodeDeleted, node, zxid, fired);
        let told = &self.hits;
        self.more_hits
            .retain(|watcher| told.binary_search(watcher).is_err());
        push(&self.more_hits, EventType::NodeDeleted, node, zxid, fired);
        self.fire_parent(node.path, parent_acl, zxid, fired);
    }

    pub(crate) fn data_changed(&mut self, node: Subject<'_>, zxid: Zxid, fired: &mut Vec<Fired>) {
        self.fire_data(EventType::NodeDataChanged, node, zxid, fired);
    }

    fn fire_data(
        &mut self,
        event: EventType,
        node: Subject<'_>,
        zxid: Zxid,
        fired: &mut Vec<Fired>,
    ) {
        self.hits.clear();
        self.data.fire(node.path, &mut self.hits);
        push(&self.hits, event, node, zxid, fired);
    }

    fn fire_parent(&mut self, path: &str, acl: &AclList, zxid: Zxid, fired: &mut Vec<Fired>) {
        let Some(path) = path::parent(path) else {
            return;
        };
        self.hits.clear();
        self.children.fire(path, &mut self.hits);
        let parent = Subject { path, acl };
        push(
            &self.hits,
            EventType::NodeChildrenChanged,
            parent,
            zxid,
            fired,
        );
    }
}

fn push(
    hits: &[WatcherId],
    event: EventType,
    subject: Subject<'_>,
    zxid: Zxid,
    fired: &mut Vec<Fired>,
) {
    if hits.is_empty() {
        return;
    }
    let path: Arc<str> = subject.path.into();
    fired.extend(hits.iter().map(|watcher| Fired {
        watcher: *watcher,
        event,
        path: Arc::clone(&path),
        zxid,
        acl: subject.acl.clone(),
    }));
}

/// Counts and dumps. Like Java's four-letter words, all but the count leave the children's table
/// out.
impl Watches {
    pub(crate) fn count(&self) -> usize {
        self.data.total() + self.children.total()
    }

    pub(crate) fn summary(&self) -> WatchSummary {
        WatchSummary {
            connections: self.data.watcher_count(),
            paths: self.data.path_count(),
            total: self.data.total(),
        }
    }

    pub(crate) fn by_watcher(&self) -> Vec<(WatcherId, Vec<Arc<str>>)> {
        self.data.by_watcher()
    }

    pub(crate) fn by_path(&self) -> Vec<(Arc<str>, Vec<WatcherId>)> {
        self.data.by_path()
    }
}

#[cfg(test)]
mod tests;
