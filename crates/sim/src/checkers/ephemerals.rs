//! Every ephemeral has a live session, and a closed session owns nothing.

use crate::fact::Fact;
use zooid_proto::{EphemeralOwner, Txn};
use zooid_tree::Replica;

#[derive(Debug, Default)]
pub(crate) struct Ephemerals;

impl Ephemerals {
    // A checker like the others, though it has nothing to remember.
    #[allow(clippy::unused_self)]
    pub(crate) fn observe(&mut self, fact: &Fact<'_>) -> Result<(), String> {
        match fact {
            Fact::Applied {
                record, replica, ..
            } => {
                let session = record.header.client_id;
                match record.txn {
                    Txn::CloseSession { .. } if !replica.ephemerals_of(session).is_empty() => {
                        let left = replica.ephemerals_of(session);
                        Err(format!("{session} is closed and owns {left:?}"))
                    }
                    Txn::CloseSession { .. } => owners_live(replica),
                    _ => Ok(()),
                }
            }
            Fact::Recovered { replica, .. } => owners_live(replica),
            _ => Ok(()),
        }
    }
}

pub(crate) fn owners_live(replica: &Replica) -> Result<(), String> {
    let mut wrong = Vec::new();
    super::each_node(replica, &mut |path, node| {
        let EphemeralOwner::Session(session) = node.owner() else {
            return;
        };
        let is_listed = replica
            .ephemerals_of(session)
            .iter()
            .any(|owned| owned == path);
        if replica.session_timeout(session).is_none() || !is_listed {
            wrong.push(format!("{path} of {session}"));
        }
    });
    if wrong.is_empty() {
        Ok(())
    } else {
        Err(format!("without an owner: {wrong:?}"))
    }
}
