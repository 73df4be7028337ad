//! A multi takes effect as a whole or not at all, as seen from the tree and from its results.

use crate::fact::Fact;
use zooid_proto::{ErrorCode, Txn, TxnRecord};
use zooid_tree::Applied;

#[derive(Debug, Default)]
pub(crate) struct Multis;

impl Multis {
    // A checker like the others, though it has nothing to remember.
    #[allow(clippy::unused_self)]
    pub(crate) fn observe(&mut self, fact: &Fact<'_>) -> Result<(), String> {
        let Fact::Applied {
            record,
            applied,
            replica,
            before,
        } = fact
        else {
            return Ok(());
        };
        is_whole(record, applied, replica.digest() == *before)
    }
}

/// Whether a transaction, if it is a multi, was applied as a whole or not at all. `changed_nothing`
/// says whether the tree is what it was before.
pub(crate) fn is_whole(
    record: &TxnRecord,
    applied: &Applied,
    changed_nothing: bool,
) -> Result<(), String> {
    let Txn::Multi(parts) = &record.txn else {
        return Ok(());
    };
    let zxid = record.header.zxid;
    if applied.multi.len() != parts.len() {
        return Err(format!(
            "{zxid} has {} results of {}",
            applied.multi.len(),
            parts.len()
        ));
    }
    let fails = parts.iter().any(|part| matches!(part, Txn::Error(_)));
    if fails && !changed_nothing {
        return Err(format!("{zxid} failed and changed the tree"));
    }
    if !fails && applied.multi.iter().any(|part| part.err != ErrorCode::Ok) {
        return Err(format!("{zxid} was applied in part: {:?}", applied.multi));
    }
    if fails == (applied.err == ErrorCode::Ok) {
        return Err(format!(
            "{zxid} says {:?}, its parts {:?}",
            applied.err, applied.multi
        ));
    }
    Ok(())
}
