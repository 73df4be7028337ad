//! Which nodes belong to a session, and which may go by themselves: containers and nodes with a
//! time to live (Java `DataTree.ephemerals`, `containers`, `ttls`).

use crate::nodes::Slot;
use std::collections::{BTreeMap, BTreeSet};
use zooid_proto::{EphemeralOwner, SessionId};

#[derive(Debug, Default)]
pub(crate) struct Owners {
    /// A session stays here with nothing once it has owned a node, until it is closed; `dump`
    /// shows it.
    ephemerals: BTreeMap<SessionId, BTreeSet<Slot>>,
    containers: BTreeSet<Slot>,
    ttls: BTreeSet<Slot>,
}

impl Owners {
    pub(crate) fn add(&mut self, slot: Slot, owner: EphemeralOwner) {
        match owner {
            EphemeralOwner::Persistent => {}
            EphemeralOwner::Session(session) => {
                self.ephemerals.entry(session).or_default().insert(slot);
            }
            EphemeralOwner::Container => {
                self.containers.insert(slot);
            }
            EphemeralOwner::Ttl(_) => {
                self.ttls.insert(slot);
            }
        }
    }

    pub(crate) fn remove(&mut self, slot: Slot, owner: EphemeralOwner) {
        match owner {
            EphemeralOwner::Persistent => {}
            EphemeralOwner::Session(session) => {
                if let Some(slots) = self.ephemerals.get_mut(&session) {
                    slots.remove(&slot);
                }
            }
            EphemeralOwner::Container => {
                self.containers.remove(&slot);
            }
            EphemeralOwner::Ttl(_) => {
                self.ttls.remove(&slot);
            }
        }
    }

    /// Forgets a session whose nodes are gone.
    pub(crate) fn forget(&mut self, session: SessionId) {
        let slots = self.ephemerals.remove(&session);
        assert!(
            slots.is_none_or(|slots| slots.is_empty()),
            "a closed session owns nothing"
        );
    }

    pub(crate) fn ephemerals(&self, session: SessionId) -> impl Iterator<Item = Slot> + '_ {
        self.ephemerals.get(&session).into_iter().flatten().copied()
    }

    pub(crate) fn sessions(&self) -> impl Iterator<Item = SessionId> + '_ {
        self.ephemerals.keys().copied()
    }

    pub(crate) fn ephemerals_count(&self) -> usize {
        self.ephemerals.values().map(BTreeSet::len).sum()
    }

    pub(crate) fn containers(&self) -> impl Iterator<Item = Slot> + '_ {
        self.containers.iter().copied()
    }

    pub(crate) fn ttls(&self) -> impl Iterator<Item = Slot> + '_ {
        self.ttls.iter().copied()
    }
}
