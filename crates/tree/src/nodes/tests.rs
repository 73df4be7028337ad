//! What a node costs.

use super::*;
use std::fmt::Write;

const NODES: usize = 200_000;
const NAME_LEN: usize = 24;
const DATA_LEN: usize = 46;
const FAN_OUT: usize = 100;

/// What glibc's allocator makes of a request: 8 bytes of its own, rounded up to 16, at least 32.
fn allocated(len: usize) -> usize {
    if len == 0 {
        return 0;
    }
    (len + 8).next_multiple_of(16).max(32)
}

pub(super) fn tree_of(count: usize) -> Nodes {
    let mut nodes = Nodes::new(ChildListLimits::USUAL);
    nodes.insert_root(AclSlot::OPEN, draft("", Some(1)));
    let mut parents = vec![(Slot::ROOT, String::new())];
    for number in 0..count {
        let (parent, path) = &parents[number / FAN_OUT];
        let mut path = path.clone();
        write!(path, "/{number:0NAME_LEN$}").unwrap();
        let slot = nodes.insert(*parent, AclSlot::OPEN, draft(&path, Some(1)));
        // One node in a hundred has children.
        parents.push((slot, path));
    }
    nodes
}

fn draft(path: &str, digest: Option<u32>) -> Draft {
    let name = path.rsplit('/').next().unwrap();
    let stat = StatPersisted::default();
    Draft::new(PathHash::of(path), name, Some(&[7; DATA_LEN]), stat, digest)
}

#[test]
fn a_node_costs_at_most_128_bytes_beyond_its_name_and_data() {
    // The second is just above where the index doubles.
    for count in [NODES, NODES + NODES / 6, NODES + NODES / 2] {
        let mut nodes = tree_of(count);
        // The worst: none is as it was created.
        for slot in (0..nodes.end()).map(Slot) {
            nodes.modify(slot, Some(&[7; DATA_LEN]), 1, Zxid(1), 1);
        }
        let mut bytes = allocated(nodes.index_bytes());
        for slot in nodes.subtree(Slot::ROOT) {
            bytes += Nodes::RECORD_LEN + allocated(nodes.slab[slot.0].name_and_data.len());
            bytes -= nodes.name_bytes(slot).len() + nodes.data_len(slot);
            if let Some(capacity) = nodes.children_capacity(slot) {
                bytes += Nodes::BRANCH_LEN + allocated(capacity * size_of::<Slot>());
            }
            if nodes.slab[slot.0].extra.get().is_some() {
                bytes += Nodes::EXTRA_LEN;
            }
        }
        let per_node = bytes / nodes.len();
        assert!(per_node <= 128, "{per_node} bytes for each of {count}");
    }
}

#[test]
fn removed_nodes_give_their_room_back() {
    let mut nodes = tree_of(1000);
    let leaves: Vec<Slot> = nodes
        .subtree(Slot::ROOT)
        .filter(|slot| nodes.children(*slot).is_empty())
        .collect();
    let end = nodes.end();
    for slot in &leaves {
        nodes.remove(*slot);
        assert!(!nodes.live().contains(*slot));
    }
    assert_eq!(nodes.len(), 1001 - leaves.len());
    for number in 0..leaves.len() {
        let new = draft(&format!("/new{number}"), None);
        nodes.insert(Slot::ROOT, AclSlot::OPEN, new);
    }
    assert_eq!(nodes.end(), end);
}
