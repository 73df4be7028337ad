//! On every member, every ephemeral has a live session, and a closed session owns nothing.

use crate::checkers::ephemerals::owners_live;
use crate::cluster::fact::Fact;
use zooid_proto::Txn;

#[derive(Debug, Default)]
pub(crate) struct Ephemerals;

impl Ephemerals {
    // A checker like the others, though it has nothing to remember.
    #[allow(clippy::unused_self)]
    pub(crate) fn observe(&mut self, fact: &Fact<'_>) -> Result<(), String> {
        match fact {
            Fact::Applied {
                record, replica, ..
            } if matches!(record.txn, Txn::CloseSession { .. }) => {
                let session = record.header.client_id;
                let left = replica.ephemerals_of(session);
                if !left.is_empty() {
                    return Err(format!("{session} is closed and owns {left:?}"));
                }
                owners_live(replica)
            }
            Fact::Started { replica, .. }
            | Fact::Truncated { replica, .. }
            | Fact::Installed { replica, .. }
            | Fact::Final { replica, .. } => owners_live(replica),
            _ => Ok(()),
        }
    }
}
