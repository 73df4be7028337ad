//! The digest that a server keeps is that of its tree, and that of the log.

use crate::fact::Fact;
use zooid_tree::{Replica, digest};

/// Digests are computed anew after so many transactions.
const INTERVAL: u64 = 16;

#[derive(Debug, Default)]
pub(crate) struct Digests {
    applied: u64,
}

impl Digests {
    pub(crate) fn observe(&mut self, fact: &Fact<'_>) -> Result<(), String> {
        match fact {
            Fact::Applied {
                record, replica, ..
            } => {
                if replica.digest_mismatches() > 0 {
                    return Err(format!("{record:?} promised another digest"));
                }
                self.applied += 1;
                if self.applied.is_multiple_of(INTERVAL) {
                    recompute(replica)
                } else {
                    Ok(())
                }
            }
            Fact::Recovered { replica, .. } => {
                if replica.digest_mismatches() > 0 {
                    return Err("the log promised other digests than its replay gave".to_owned());
                }
                recompute(replica)
            }
            _ => Ok(()),
        }
    }
}

pub(crate) fn recompute(replica: &Replica) -> Result<(), String> {
    let mut sum = 0_i64;
    super::each_node(replica, &mut |path, node| {
        if digest::counts(path) {
            let digest = digest::node(path, node.data(), &node.stat_persisted());
            sum = sum.wrapping_add(i64::from(digest));
        }
    });
    if sum == replica.digest() {
        Ok(())
    } else {
        let (kept, zxid) = (replica.digest(), replica.last_zxid());
        Err(format!(
            "at {zxid} the tree's digest is {sum}, the server keeps {kept}"
        ))
    }
}
