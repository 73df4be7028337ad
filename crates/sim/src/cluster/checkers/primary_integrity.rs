//! Zab's `PrimaryIntegrity`: before a primary broadcasts, it has delivered whatever of earlier primaries
//! anyone ever delivers.

use super::ledger::{Ledger, before};
use crate::cluster::fact::Fact;
use std::collections::BTreeMap;
use zooid_proto::{Epoch, Zxid};

#[derive(Debug, Default)]
pub(crate) struct PrimaryIntegrity {
    /// What each primary had delivered of earlier epochs when it broadcast for the first time.
    delivered: BTreeMap<Epoch, Vec<Zxid>>,
    decided: Vec<Zxid>,
}

impl PrimaryIntegrity {
    /// A primary broadcasts.
    pub(crate) fn observe(&mut self, fact: &Fact<'_>, ledger: &Ledger) -> Result<(), String> {
        let Fact::Appended { member, zxid, .. } = fact else {
            return Ok(());
        };
        let epoch = zxid.epoch();
        if self.delivered.contains_key(&epoch) {
            return Ok(());
        }
        let delivered = before(ledger.applied(*member), epoch).to_vec();
        let older = before(&self.decided, epoch);
        let is_missing = |zxid: &&Zxid| delivered.binary_search(zxid).is_err();
        if let Some(missing) = older.iter().find(is_missing) {
            return Err(format!(
                "{member} broadcasts in epoch {} and has not delivered {missing}",
                epoch.0
            ));
        }
        self.delivered.insert(epoch, delivered);
        Ok(())
    }

    /// Somebody delivers these for the first time.
    pub(crate) fn decided(&mut self, news: &[Zxid]) -> Result<(), String> {
        for zxid in news {
            let later = self.delivered.iter();
            let mut later = later.filter(|(epoch, _)| **epoch > zxid.epoch());
            let lacks = |delivered: &[Zxid]| delivered.binary_search(zxid).is_err();
            if let Some((epoch, _)) = later.find(|(_, delivered)| lacks(delivered)) {
                return Err(format!(
                    "{zxid} is delivered, and the primary of epoch {} had not when it began",
                    epoch.0
                ));
            }
        }
        self.decided.extend_from_slice(news);
        Ok(())
    }
}
