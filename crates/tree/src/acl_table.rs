//! The table of access control lists: each distinct list is kept once, counted, and named by the
//! number that snapshots use (Java `ReferenceCountedACLCache`).

use std::collections::BTreeMap;
use zooid_proto::{AclList, Jute};

/// Place of a list in the table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct AclSlot(u32);

impl AclSlot {
    /// `world:anyone` with all permissions: always present, never counted, and never stored in a
    /// snapshot, where its number is -1.
    pub(crate) const OPEN: AclSlot = AclSlot(0);
}

const OPEN_ID: i64 = -1;

#[derive(Debug)]
struct Entry {
    id: i64,
    acl: AclList,
    uses: u64,
}

#[derive(Debug)]
pub(crate) struct AclTable {
    entries: Vec<Entry>,
    free: Vec<AclSlot>,
    by_acl: BTreeMap<AclList, AclSlot>,
    by_id: BTreeMap<i64, AclSlot>,
    id_last: i64,
}

impl AclTable {
    pub(crate) fn new() -> AclTable {
        AclTable {
            entries: vec![Entry {
                id: OPEN_ID,
                acl: AclList::OPEN,
                uses: 0,
            }],
            free: Vec::new(),
            by_acl: BTreeMap::new(),
            by_id: BTreeMap::new(),
            id_last: 0,
        }
    }

    /// The list's place, with one use more.
    pub(crate) fn acquire(&mut self, acl: &AclList) -> AclSlot {
        let slot = self.load(self.id_last + 1, acl);
        self.add_use(slot);
        slot
    }

    /// Enters a list under the number that a snapshot gives it; unused as yet. A list that is in
    /// the table already keeps its number.
    pub(crate) fn load(&mut self, id: i64, acl: &AclList) -> AclSlot {
        if acl.is_open() {
            return AclSlot::OPEN;
        }
        match self.by_acl.get(acl) {
            Some(slot) => *slot,
            None => self.insert(id, acl.clone()),
        }
    }

    pub(crate) fn add_use(&mut self, slot: AclSlot) {
        if slot != AclSlot::OPEN {
            self.entry_mut(slot).uses += 1;
        }
    }

    /// Takes one use back, and with the last one the list.
    pub(crate) fn release(&mut self, slot: AclSlot) {
        if slot == AclSlot::OPEN {
            return;
        }
        let entry = self.entry_mut(slot);
        assert!(entry.uses > 0, "an ACL is released as often as acquired");
        entry.uses -= 1;
        if entry.uses == 0 {
            self.remove(slot);
        }
    }

    /// Removes what a snapshot held and no node uses.
    pub(crate) fn purge_unused(&mut self) {
        let unused = |slot: &AclSlot| self.entries[index(*slot)].uses == 0;
        let unused: Vec<AclSlot> = self.by_id.values().copied().filter(unused).collect();
        for slot in unused {
            self.remove(slot);
        }
    }

    pub(crate) fn get(&self, slot: AclSlot) -> &AclList {
        &self.entries[index(slot)].acl
    }

    /// The list's number in a snapshot.
    pub(crate) fn id(&self, slot: AclSlot) -> i64 {
        self.entries[index(slot)].id
    }

    /// Appends the table as a snapshot has it.
    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        put_len(out, self.by_id.len());
        for (id, slot) in &self.by_id {
            id.encode(out);
            self.get(*slot).encode(out);
        }
    }

    fn insert(&mut self, id: i64, acl: AclList) -> AclSlot {
        let entry = Entry {
            id,
            acl: acl.clone(),
            uses: 0,
        };
        let slot = if let Some(slot) = self.free.pop() {
            *self.entry_mut(slot) = entry;
            slot
        } else {
            let slot = AclSlot(u32::try_from(self.entries.len()).expect("fewer lists than nodes"));
            self.entries.push(entry);
            slot
        };
        self.by_acl.insert(acl, slot);
        self.by_id.insert(id, slot);
        self.id_last = self.id_last.max(id);
        slot
    }

    fn remove(&mut self, slot: AclSlot) {
        let Entry { id, acl, .. } = &self.entries[index(slot)];
        self.by_acl.remove(acl);
        self.by_id.remove(id);
        self.free.push(slot);
    }

    fn entry_mut(&mut self, slot: AclSlot) -> &mut Entry {
        &mut self.entries[index(slot)]
    }
}

fn index(slot: AclSlot) -> usize {
    usize::try_from(slot.0).expect("a slot is an index")
}

/// Appends a count as Jute does.
pub(crate) fn put_len(out: &mut Vec<u8>, len: usize) {
    i32::try_from(len)
        .expect("counts in a snapshot fit an i32, as the nodes' slots do")
        .encode(out);
}
