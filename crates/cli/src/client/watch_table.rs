//! The watches that this client has set, by kind (Java `ZKWatchManager`).
//!
//! Needed to set them again after a reconnect, and to say which ones a removal removed. Paths are
//! the server's. There is one listener, so a watch is just a path in a set.

use std::collections::BTreeSet;

use zooid_proto::request::{SetWatches, SetWatches2};
use zooid_proto::{ErrorCode, EventType, Jute, OpCode, WatcherType, Zxid};

/// A kind of watch that a read or addWatch leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum WatchKind {
    Data,
    Exist,
    Child,
    Persistent,
    PersistentRecursive,
}

/// What a request watches if it succeeds.
#[derive(Clone, Debug)]
pub(super) struct Registration {
    pub kind: WatchKind,
    pub path: String,
}

#[derive(Debug, Default)]
pub(super) struct WatchTable(BTreeSet<(WatchKind, String)>);

impl WatchTable {
    /// Takes note of a reply to a request that asked for a watch.
    pub(super) fn on_reply(&mut self, registration: Registration, err: ErrorCode) {
        let Registration { kind, path } = registration;
        let kind = match (kind, err) {
            (kind, ErrorCode::Ok) => kind,
            // exists on a missing node waits for its creation.
            (WatchKind::Data | WatchKind::Exist, ErrorCode::NoNode) => WatchKind::Exist,
            _ => return,
        };
        self.0.insert((kind, path));
    }

    /// Takes note of an event: one-shot watches that it used up are gone.
    pub(super) fn on_event(&mut self, event: EventType, path: &str) {
        let used_up: &[WatchKind] = match event {
            EventType::NodeCreated | EventType::NodeDataChanged => {
                &[WatchKind::Data, WatchKind::Exist]
            }
            EventType::NodeDeleted => &[WatchKind::Data, WatchKind::Exist, WatchKind::Child],
            EventType::NodeChildrenChanged => &[WatchKind::Child],
            EventType::None
            | EventType::DataWatchRemoved
            | EventType::ChildWatchRemoved
            | EventType::PersistentWatchRemoved => &[],
        };
        for kind in used_up {
            self.0.remove(&(*kind, path.to_owned()));
        }
    }

    /// Whether a removal of `what` on `path` would find anything.
    pub(super) fn has(&self, what: WatcherType, path: &str) -> bool {
        kinds_of(what)
            .iter()
            .any(|kind| self.0.contains(&(*kind, path.to_owned())))
    }

    /// Removes, and says which events tell of it.
    pub(super) fn remove(&mut self, what: WatcherType, path: &str) -> BTreeSet<RemovedEvent> {
        kinds_of(what)
            .iter()
            .filter(|kind| self.0.remove(&(**kind, path.to_owned())))
            .map(|kind| match kind {
                WatchKind::Data | WatchKind::Exist => RemovedEvent::Data,
                WatchKind::Child => RemovedEvent::Child,
                WatchKind::Persistent | WatchKind::PersistentRecursive => RemovedEvent::Persistent,
            })
            .collect()
    }

    /// The request that sets them all again; `None` when there are none. Servers older than 3.6
    /// know only the first form, so it is used where it can say all.
    pub(super) fn reset_request(&self, seen: Zxid) -> Option<(OpCode, Vec<u8>)> {
        if self.0.is_empty() {
            return None;
        }
        let persistent_watches = self.paths(WatchKind::Persistent);
        let persistent_recursive_watches = self.paths(WatchKind::PersistentRecursive);
        let (data_watches, exist_watches, child_watches) = (
            self.paths(WatchKind::Data),
            self.paths(WatchKind::Exist),
            self.paths(WatchKind::Child),
        );
        if persistent_watches.is_empty() && persistent_recursive_watches.is_empty() {
            let body = SetWatches {
                relative_zxid: seen,
                data_watches,
                exist_watches,
                child_watches,
            };
            return Some((OpCode::SetWatches, body.to_vec()));
        }
        let body = SetWatches2 {
            relative_zxid: seen,
            data_watches,
            exist_watches,
            child_watches,
            persistent_watches,
            persistent_recursive_watches,
        };
        Some((OpCode::SetWatches2, body.to_vec()))
    }

    fn paths(&self, wanted: WatchKind) -> Vec<String> {
        let of_kind = self.0.iter().filter(|(kind, _)| *kind == wanted);
        of_kind.map(|(_, path)| path.clone()).collect()
    }
}

/// Which removal event to deliver.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum RemovedEvent {
    Data,
    Child,
    Persistent,
}

impl From<RemovedEvent> for EventType {
    fn from(removed: RemovedEvent) -> EventType {
        match removed {
            RemovedEvent::Data => EventType::DataWatchRemoved,
            RemovedEvent::Child => EventType::ChildWatchRemoved,
            RemovedEvent::Persistent => EventType::PersistentWatchRemoved,
        }
    }
}

fn kinds_of(what: WatcherType) -> &'static [WatchKind] {
    match what {
        WatcherType::Children => &[WatchKind::Child],
        WatcherType::Data => &[WatchKind::Data, WatchKind::Exist],
        WatcherType::Persistent => &[WatchKind::Persistent],
        WatcherType::PersistentRecursive => &[WatchKind::PersistentRecursive],
        WatcherType::Any => &[
            WatchKind::Data,
            WatchKind::Exist,
            WatchKind::Child,
            WatchKind::Persistent,
            WatchKind::PersistentRecursive,
        ],
    }
}

#[cfg(test)]
mod tests;
