//! Sessions by their ids. Each write looks for one, and nobody asks for all of them: so they are in no
//! order, and cannot be iterated.

use super::SessionInfo;
use hashbrown::HashTable;
use hashbrown::hash_table::Entry;
use zooid_proto::SessionId;

/// See the module.
#[derive(Clone, Debug, Default)]
pub(super) struct SessionTable(HashTable<(SessionId, SessionInfo)>);

impl SessionTable {
    pub(super) fn get(&self, id: SessionId) -> Option<&SessionInfo> {
        let found = self.0.find(hash(&id), |(other, _)| *other == id);
        found.map(|(_, info)| info)
    }

    pub(super) fn get_mut(&mut self, id: SessionId) -> Option<&mut SessionInfo> {
        let found = self.0.find_mut(hash(&id), |(other, _)| *other == id);
        found.map(|(_, info)| info)
    }

    /// What was known of the session before.
    pub(super) fn insert(&mut self, id: SessionId, info: SessionInfo) -> Option<SessionInfo> {
        match self.entry(id) {
            Entry::Occupied(mut found) => {
                let (_, old) = std::mem::replace(found.get_mut(), (id, info));
                Some(old)
            }
            Entry::Vacant(place) => {
                place.insert((id, info));
                None
            }
        }
    }

    pub(super) fn remove(&mut self, id: SessionId) -> Option<SessionInfo> {
        match self.entry(id) {
            Entry::Occupied(found) => {
                let ((_, info), _) = found.remove();
                Some(info)
            }
            Entry::Vacant(_) => None,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    fn entry(&mut self, id: SessionId) -> Entry<'_, (SessionId, SessionInfo)> {
        let is_it = |(other, _): &(SessionId, SessionInfo)| *other == id;
        self.0.entry(hash(&id), is_it, |(other, _)| hash(other))
    }
}

/// Ids differ in their lowest bits, and those of different servers in their highest: both decide about
/// all bits of the hash.
fn hash(id: &SessionId) -> u64 {
    const ODD: u64 = 0x9e37_79b9_7f4a_7c15;
    let (low, high) = id.0.cast_unsigned().carrying_mul(ODD, 0);
    low ^ high
}

#[cfg(test)]
mod tests;
