//! Whether all members have the same in the end.

use super::Cluster;
use anyhow::{Context, Result, ensure};
use std::collections::{BTreeMap, BTreeSet};
use zooid_interop::{Session, TreeDump};

impl Cluster {
    /// Checks that every member has the same tree, to the last stat.
    ///
    /// # Errors
    /// When two differ, or one cannot be read.
    pub fn ensure_one_tree(&self) -> Result<TreeDump> {
        let mut agreed: Option<(i64, TreeDump)> = None;
        for (id, address) in self.addresses() {
            let mut session = Session::open(address, SESSION_TIMEOUT_MS)?;
            session.add_auth("digest", "super:admin")?;
            session.sync("/")?;
            let mut tree = TreeDump::read(&mut session)?;
            // Each member writes this one for itself, when it starts.
            if let Some(config) = tree.nodes.get_mut("/zookeeper/config") {
                config.stat.mtime = 0;
            }
            let Some((first, expected)) = &agreed else {
                agreed = Some((id, tree));
                continue;
            };
            let difference = expected.difference(&tree);
            ensure!(
                difference.is_empty(),
                "the tree of member {first} (-) is not that of member {id} (+):\n{difference}"
            );
        }
        Ok(agreed.context("there are no members")?.1)
    }

    /// Checks that the members tell equal digests of equal zxids, as far as the word `hash` goes, and
    /// returns how many zxids two members at least told of.
    ///
    /// # Errors
    /// When they differ, or one cannot be asked.
    pub fn ensure_equal_digests(&self) -> Result<usize> {
        let mut told: BTreeMap<String, Vec<(i64, String)>> = BTreeMap::new();
        for member in self.members.values() {
            for line in member.word("hash")?.lines() {
                let (zxid, digest) = line.split_once(": ").context("a line of hash")?;
                let tellers = told.entry(zxid.into()).or_default();
                tellers.push((member.id(), digest.into()));
            }
        }
        told.retain(|_, tellers| tellers.len() > 1);
        for (zxid, tellers) in &told {
            let digests: BTreeSet<&String> = tellers.iter().map(|(_, digest)| digest).collect();
            ensure!(digests.len() == 1, "digests at {zxid} differ: {tellers:?}");
        }
        Ok(told.len())
    }
}

const SESSION_TIMEOUT_MS: i32 = 10_000;
