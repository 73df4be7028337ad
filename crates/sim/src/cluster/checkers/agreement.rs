//! Zab's `Agreement`: of what two members have delivered, one has delivered all that the other has.

use super::ledger::Ledger;
use crate::cluster::fact::Fact;
use zooid_proto::Zxid;

#[derive(Debug)]
pub(crate) struct Agreement {
    members: usize,
}

impl Agreement {
    pub(crate) fn new(members: usize) -> Agreement {
        Agreement { members }
    }

    pub(crate) fn observe(&self, fact: &Fact<'_>, ledger: &Ledger) -> Result<(), String> {
        let (Fact::Applied { member, .. } | Fact::Serving { member, .. }) = fact else {
            return Ok(());
        };
        if !ledger.book(*member).serves {
            return Ok(());
        }
        let mine = ledger.applied(*member);
        for other in (0..self.members).filter(|other| ledger.book(*other).serves) {
            let theirs = ledger.applied(other);
            let (fewer, more) = if mine.len() < theirs.len() {
                (mine, theirs)
            } else {
                (theirs, mine)
            };
            let last = fewer.last();
            let is_new = |last: &Zxid| more.binary_search(last).is_err();
            if let Some(last) = last.filter(|last| is_new(last)) {
                return Err(format!(
                    "{last} is delivered on one only of {member} and {other}, which has less"
                ));
            }
        }
        Ok(())
    }
}
