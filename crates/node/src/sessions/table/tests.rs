use super::*;
use std::collections::{BTreeMap, BTreeSet};

fn info(timeout_ms: i32) -> SessionInfo {
    SessionInfo {
        timeout_ms,
        owner: None,
        expires_ms: 0,
        closing: false,
    }
}

/// As three servers count them, from the same moment on.
fn ids() -> impl Iterator<Item = SessionId> {
    (0..3000).map(|n| SessionId(((n % 3 + 1) << 56) | (0x1234_5678 << 20) | (n / 3)))
}

#[test]
fn it_does_what_an_ordered_map_does() {
    let mut table = SessionTable::default();
    let mut twin = BTreeMap::new();
    for (n, id) in (0..).zip(ids()) {
        assert_eq!(table.insert(id, info(n)), twin.insert(id, info(n)));
        if n % 2 == 0 {
            assert_eq!(table.insert(id, info(-n)), twin.insert(id, info(-n)));
        }
    }
    for id in ids().step_by(3) {
        assert_eq!(table.remove(id), twin.remove(&id));
        assert_eq!(table.remove(id), None);
    }
    for id in ids() {
        assert_eq!(table.get(id), twin.get(&id));
        assert_eq!(table.get_mut(id), twin.get_mut(&id));
    }
    assert_eq!(table.len(), twin.len());
}

#[test]
fn sessions_of_all_servers_are_spread() {
    const PLACES: u64 = 4096;
    let places: BTreeSet<u64> = ids().map(|id| hash(&id) % PLACES).collect();
    // Chance would fill about half of them.
    assert!(places.len() > 1500, "{} places for 3000", places.len());
}
