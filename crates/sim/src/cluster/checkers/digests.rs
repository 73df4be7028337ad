//! At the same zxid every member has the same tree and the same sessions, however it came to them,
//! and the digest that it keeps is its tree's.

use crate::checkers::digests::recompute;
use crate::cluster::fact::Fact;
use crate::trace::Fnv;
use std::collections::BTreeMap;
use zooid_proto::Zxid;
use zooid_tree::Replica;

/// Digests are computed anew after so many transactions.
const INTERVAL: u64 = 64;

#[derive(Debug, Default)]
pub(crate) struct Digests {
    applied: u64,
    /// Digest of the tree, and a hash of the sessions.
    states: BTreeMap<Zxid, (i64, u64)>,
}

impl Digests {
    pub(crate) fn observe(&mut self, fact: &Fact<'_>) -> Result<(), String> {
        match fact {
            Fact::Applied {
                member,
                record,
                replica,
                ..
            } => {
                if replica.digest_mismatches() > 0 {
                    return Err(format!("{record:?} promised {member} another digest"));
                }
                self.applied += 1;
                if self.applied.is_multiple_of(INTERVAL) {
                    recompute(replica)?;
                }
                self.same(record.header.zxid, replica)
                    .map_err(|what| format!("member {member}: {what}"))
            }
            Fact::Started {
                member,
                history,
                replica,
                ..
            }
            | Fact::Truncated {
                member,
                history,
                replica,
            }
            | Fact::Installed {
                member,
                history,
                replica,
            } => {
                if replica.digest_mismatches() > 0 {
                    return Err(format!("member {member} replayed to other digests"));
                }
                recompute(replica)?;
                let last = history.last().copied().unwrap_or_default();
                self.same(last, replica)
                    .map_err(|what| format!("member {member}: {what}"))
            }
            Fact::Final { replica, .. } => recompute(replica),
            _ => Ok(()),
        }
    }

    fn same(&mut self, zxid: Zxid, replica: &Replica) -> Result<(), String> {
        let mut sessions = Fnv::default();
        for (session, timeout_ms) in replica.sessions() {
            sessions.write(&session.0.to_be_bytes());
            sessions.write(&timeout_ms.to_be_bytes());
        }
        let this = (replica.digest(), sessions.finish());
        let known = *self.states.entry(zxid).or_insert(this);
        if known == this {
            Ok(())
        } else {
            Err(format!(
                "at {zxid} the state is {this:?}, elsewhere {known:?}"
            ))
        }
    }
}
