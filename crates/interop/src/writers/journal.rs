//! What a writer knows to be so, and whether a tree agrees.

#[cfg(test)]
mod tests;

use super::writer::number_of;
use crate::{Session, TreeDump};
use anyhow::Result;
use std::collections::{BTreeMap, BTreeSet};
use zooid_proto::{SessionId, Zxid};

/// What one writer knows.
#[derive(Debug)]
pub struct Journal {
    /// Its session, which lives.
    pub session: SessionId,
    /// The newest that it was told.
    pub last_zxid: Zxid,
    /// How often it had to connect again.
    pub connections_lost: usize,
    /// What each node has been given, last one last. The servers may hold any from the last
    /// acknowledged one on.
    pub(super) nodes: BTreeMap<String, Vec<Write>>,
    /// By the counter's path.
    pub(super) increments: BTreeMap<String, Increments>,
}

/// A write that was sent.
#[derive(Debug)]
pub(super) struct Write {
    /// `None` for a deletion.
    pub data: Option<Vec<u8>>,
    pub is_acked: bool,
}

/// The values that one writer has given a counter.
#[derive(Debug, Default)]
pub(super) struct Increments {
    pub acked: BTreeSet<u64>,
    /// Sent, and no answer came.
    pub unknown: BTreeSet<u64>,
}

impl Journal {
    pub(super) fn new(session: &Session, root: &str) -> Journal {
        Journal {
            session: session.id(),
            last_zxid: session.last_zxid(),
            connections_lost: 0,
            nodes: BTreeMap::from([(root.into(), vec![Write::acked(Some(b""))])]),
            increments: BTreeMap::new(),
        }
    }

    /// Nodes written or deleted.
    #[must_use]
    pub fn node_count(&self) -> usize {
        self.nodes.len()
    }
}

impl Write {
    pub(super) fn sent(data: Option<Vec<u8>>) -> Write {
        let is_acked = false;
        Write { data, is_acked }
    }

    pub(super) fn acked(data: Option<&[u8]>) -> Write {
        let data = data.map(<[u8]>::to_vec);
        let is_acked = true;
        Write { data, is_acked }
    }
}

/// Checks that the tree, which is up to date, has everything acknowledged and nothing that cannot be:
/// after [`wait_for_lost_ephemerals`] every ephemeral belongs to a writer.
///
/// # Panics
/// When it has not.
pub fn check_journals(tree: &TreeDump, journals: &[Journal]) {
    for (path, writes) in journals.iter().flat_map(|journal| &journal.nodes) {
        check_node(path, writes, tree);
    }
    for (path, node) in &tree.nodes {
        let owner = node.stat.ephemeral_owner;
        let lives = journals.iter().any(|journal| journal.session.0 == owner);
        assert!(
            owner == 0 || lives,
            "{path} belongs to 0x{owner:x}, which has gone"
        );
    }
    let counters: BTreeSet<&String> = journals
        .iter()
        .flat_map(|journal| journal.increments.keys())
        .collect();
    for path in counters {
        let increments = journals
            .iter()
            .filter_map(|journal| journal.increments.get(path));
        check_counter(path, increments, tree);
    }
}

/// Waits until the sessions that nobody came back to have expired, with their ephemerals.
///
/// # Errors
/// When the connection ends, or one of them stays.
pub fn wait_for_lost_ephemerals(session: &mut Session) -> Result<()> {
    let is_lost = |name: &String| name.starts_with("lost-") || name.starts_with("closed-");
    for root in session.get_children("/")?.children {
        // By name: they may go while they are looked for.
        for name in session.get_children(&format!("/{root}"))?.children {
            if is_lost(&name) {
                session.wait_until_gone(&format!("/{root}/{name}"))?;
            }
        }
    }
    Ok(())
}

/// The node is as the last acknowledged write left it, or one that was sent after it.
fn check_node(path: &str, writes: &[Write], tree: &TreeDump) {
    let last_acked = writes.iter().rposition(|write| write.is_acked);
    let possible = &writes[last_acked.unwrap_or(0)..];
    let found = tree
        .nodes
        .get(path)
        .map(|node| node.data.as_deref().unwrap_or_default());
    let is_possible = possible.iter().any(|write| write.data.as_deref() == found);
    // Never acknowledged: it may as well not be there.
    let is_absent = last_acked.is_none() && found.is_none();
    assert!(
        is_possible || is_absent,
        "{path}: {found:?}, after {} writes",
        writes.len()
    );
}

/// Every value up to the counter's own was given by exactly one writer that was told so, or by some
/// that were told nothing.
fn check_counter<'a>(
    path: &str,
    increments: impl Iterator<Item = &'a Increments>,
    tree: &TreeDump,
) {
    let node = tree.nodes.get(path);
    let node = node.unwrap_or_else(|| panic!("{path} is not there"));
    let value = number_of(node.data.as_deref());
    let mut acked = BTreeSet::new();
    let mut unknown: BTreeSet<u64> = BTreeSet::new();
    for writer in increments {
        for one in &writer.acked {
            assert!(
                acked.insert(*one),
                "two writers gave {path} the value {one}"
            );
        }
        unknown.extend(&writer.unknown);
    }
    let newest = acked.last().copied().unwrap_or(0);
    assert!(newest <= value, "{path} is {value} and was {newest}");
    for one in 1..=value {
        let is_known = acked.contains(&one) || unknown.contains(&one);
        assert!(is_known, "nobody gave {path} the value {one}");
    }
}
