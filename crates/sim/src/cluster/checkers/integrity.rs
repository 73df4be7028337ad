//! Zab's `Integrity`: what anyone delivers, the primary of its epoch has broadcast, and nobody delivers
//! it twice. (Being broadcast by another than the epoch's leader is the leadership's affair.)

use super::leadership::Leadership;
use super::ledger::Ledger;
use crate::cluster::fact::Fact;

#[derive(Debug, Default)]
pub(crate) struct Integrity;

impl Integrity {
    // A checker like the others, though it has nothing to remember.
    #[allow(clippy::unused_self)]
    pub(crate) fn observe(
        &self,
        fact: &Fact<'_>,
        ledger: &Ledger,
        leadership: &Leadership,
    ) -> Result<(), String> {
        let Fact::Applied { member, record, .. } = fact else {
            return Ok(());
        };
        let zxid = record.header.zxid;
        if !leadership.has_broadcast(zxid) {
            return Err(format!("member {member} delivers {zxid} of no primary"));
        }
        let delivered = ledger.applied(*member);
        let (_, earlier) = delivered.split_last().unwrap_or((&zxid, &[]));
        if earlier.contains(&zxid) {
            return Err(format!("member {member} delivers {zxid} twice"));
        }
        Ok(())
    }
}
