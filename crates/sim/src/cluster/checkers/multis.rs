//! A multi takes effect as a whole or not at all, on every member.

use crate::checkers::multis::is_whole;
use crate::cluster::fact::Fact;

pub(crate) fn observe(fact: &Fact<'_>) -> Result<(), String> {
    match fact {
        Fact::Applied {
            member,
            record,
            applied,
            replica,
            before,
        } => is_whole(record, applied, replica.digest() == *before)
            .map_err(|what| format!("member {member}: {what}")),
        _ => Ok(()),
    }
}
