//! The watches of one connection, and which events they make of a change (spec §2.7).

use super::read::permits;
use crate::packet::Notice;
use std::collections::BTreeMap;
use zooid_proto::{Acl, AddWatchMode, EventType, Id, WatcherType, Zxid, path, perms};

/// Something that watches may be about.
#[derive(Clone, Debug)]
pub(crate) enum Change {
    Created {
        path: String,
        acl: Vec<Acl>,
        parent_acl: Vec<Acl>,
        zxid: Zxid,
    },
    Deleted {
        path: String,
        acl: Vec<Acl>,
        parent_acl: Vec<Acl>,
        zxid: Zxid,
    },
    DataChanged {
        path: String,
        acl: Vec<Acl>,
        zxid: Zxid,
    },
}

#[derive(Clone, Copy, Debug, Default)]
struct Modes {
    once: bool,
    persistent: bool,
    recursive: bool,
}

impl Modes {
    fn any(self) -> bool {
        self.once || self.persistent || self.recursive
    }
}

type Table = BTreeMap<String, Modes>;

#[derive(Clone, Debug, Default)]
pub(crate) struct Watches {
    data: Table,
    children: Table,
}

impl Watches {
    pub(crate) fn watch_data(&mut self, path: &str) {
        self.data.entry(path.to_owned()).or_default().once = true;
    }

    pub(crate) fn watch_children(&mut self, path: &str) {
        self.children.entry(path.to_owned()).or_default().once = true;
    }

    pub(crate) fn add(&mut self, path: &str, mode: AddWatchMode) {
        let data = self.data.entry(path.to_owned()).or_default();
        match mode {
            AddWatchMode::Persistent => {
                data.persistent = true;
                self.children.entry(path.to_owned()).or_default().persistent = true;
            }
            AddWatchMode::PersistentRecursive => data.recursive = true,
        }
    }

    /// Whether there is such a watch; if asked to, it is removed.
    pub(crate) fn find(&mut self, path: &str, kind: WatcherType, remove: bool) -> bool {
        let mut found = false;
        let mut look = |table: &mut Table, pick: fn(&mut Modes) -> &mut bool| {
            if let Some(modes) = table.get_mut(path) {
                let flag = pick(modes);
                found |= *flag;
                *flag &= !remove;
            }
        };
        let all = kind == WatcherType::Any;
        if all || kind == WatcherType::Data {
            look(&mut self.data, |modes| &mut modes.once);
        }
        if all || kind == WatcherType::Children {
            look(&mut self.children, |modes| &mut modes.once);
        }
        if all || kind == WatcherType::Persistent {
            look(&mut self.data, |modes| &mut modes.persistent);
            look(&mut self.children, |modes| &mut modes.persistent);
        }
        if all || kind == WatcherType::PersistentRecursive {
            look(&mut self.data, |modes| &mut modes.recursive);
        }
        found
    }

    /// What a connection with these identities is told of a change.
    pub(crate) fn fire(&mut self, change: &Change, ids: &[Id], told: &mut Vec<Notice>) {
        let mut tell = |hit: bool, event: EventType, path: &str, acl: &[Acl], zxid: Zxid| {
            if hit && permits(acl, perms::READ, ids) {
                told.push(Notice {
                    zxid,
                    event: event.code(),
                    path: path.to_owned(),
                });
            }
        };
        match change {
            Change::Created {
                path,
                acl,
                parent_acl,
                zxid,
            } => {
                let data = hit(&mut self.data, path);
                tell(data, EventType::NodeCreated, path, acl, *zxid);
                let parent = path::parent(path).unwrap_or("/");
                let children = hit(&mut self.children, parent);
                tell(
                    children,
                    EventType::NodeChildrenChanged,
                    parent,
                    parent_acl,
                    *zxid,
                );
            }
            Change::Deleted {
                path,
                acl,
                parent_acl,
                zxid,
            } => {
                let data = hit(&mut self.data, path);
                let both = hit(&mut self.children, path) || data;
                tell(both, EventType::NodeDeleted, path, acl, *zxid);
                let parent = path::parent(path).unwrap_or("/");
                let children = hit(&mut self.children, parent);
                tell(
                    children,
                    EventType::NodeChildrenChanged,
                    parent,
                    parent_acl,
                    *zxid,
                );
            }
            Change::DataChanged { path, acl, zxid } => {
                let data = hit(&mut self.data, path);
                tell(data, EventType::NodeDataChanged, path, acl, *zxid);
            }
        }
    }
}

fn hit(table: &mut Table, path: &str) -> bool {
    let own = table.get_mut(path).is_some_and(|modes| {
        let any = modes.any();
        modes.once = false;
        any
    });
    let mut above = path;
    let mut recursive = false;
    while above != "/" {
        above = path::parent(above).unwrap_or("/");
        recursive |= table.get(above).is_some_and(|modes| modes.recursive);
    }
    own || recursive
}
