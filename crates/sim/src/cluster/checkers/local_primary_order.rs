//! Zab's `LocalPrimaryOrder`: whoever delivers what a primary broadcasts has delivered before it all
//! that the primary broadcast earlier.

use super::ledger::Ledger;
use crate::cluster::fact::Fact;
use std::collections::BTreeMap;
use zooid_proto::{Epoch, Zxid};

#[derive(Debug, Default)]
pub(crate) struct LocalPrimaryOrder {
    /// In the order in which each epoch's primary broadcast them.
    broadcast: BTreeMap<Epoch, Vec<Zxid>>,
}

impl LocalPrimaryOrder {
    pub(crate) fn observe(&mut self, fact: &Fact<'_>, ledger: &Ledger) -> Result<(), String> {
        match fact {
            Fact::Appended { zxid, .. } => {
                let broadcast = self.broadcast.entry(zxid.epoch()).or_default();
                // Whoever has it first is the primary, or the leadership complains.
                if !broadcast.contains(zxid) {
                    broadcast.push(*zxid);
                }
                Ok(())
            }
            Fact::Applied { member, record, .. } => {
                let zxid = record.header.zxid;
                let broadcast = self.broadcast.get(&zxid.epoch());
                let mut broadcast = broadcast.into_iter().flatten().rev();
                let mut delivered = ledger.applied(*member).iter().rev().skip(1);
                broadcast.find(|other| **other == zxid);
                match broadcast.next() {
                    Some(earlier) if delivered.next() != Some(earlier) => Err(format!(
                        "member {member} delivers {zxid} and not {earlier} before it"
                    )),
                    _ => Ok(()),
                }
            }
            _ => Ok(()),
        }
    }
}
