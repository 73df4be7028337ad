//! Zab's `TotalOrder`: if somebody delivers one transaction before another, whoever delivers the other
//! has delivered the one before it.

use super::ledger::Ledger;
use crate::cluster::fact::Fact;
use std::collections::BTreeMap;
use zooid_proto::Zxid;

#[derive(Debug, Default)]
pub(crate) struct TotalOrder {
    /// What was delivered right before each transaction, wherever it was delivered first.
    before: BTreeMap<Zxid, Option<Zxid>>,
}

impl TotalOrder {
    pub(crate) fn observe(&mut self, fact: &Fact<'_>, ledger: &Ledger) -> Result<(), String> {
        let Fact::Applied { member, record, .. } = fact else {
            return Ok(());
        };
        let zxid = record.header.zxid;
        let delivered = ledger.applied(*member);
        let mine = delivered.iter().rev().nth(1).copied();
        let known = *self.before.entry(zxid).or_insert(mine);
        if mine == known {
            Ok(())
        } else {
            Err(format!(
                "member {member} delivers {zxid} behind {mine:?}, another behind {known:?}"
            ))
        }
    }
}
