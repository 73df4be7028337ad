//! Zab's `GlobalPrimaryOrder`: nobody delivers what an earlier primary broadcast behind what a later one
//! did.

use super::ledger::Ledger;
use crate::cluster::fact::Fact;

#[derive(Debug, Default)]
pub(crate) struct GlobalPrimaryOrder;

impl GlobalPrimaryOrder {
    // A checker like the others, though it has nothing to remember.
    #[allow(clippy::unused_self)]
    pub(crate) fn observe(&self, fact: &Fact<'_>, ledger: &Ledger) -> Result<(), String> {
        let Fact::Applied { member, .. } = fact else {
            return Ok(());
        };
        match ledger.applied(*member) {
            [.., before, last] if before.epoch() > last.epoch() => Err(format!(
                "member {member} delivers {last} behind {before} of a later primary"
            )),
            _ => Ok(()),
        }
    }
}
