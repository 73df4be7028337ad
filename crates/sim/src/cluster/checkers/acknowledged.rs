//! What clients were told is true: what they wrote is read by them from then on, and is on every
//! member in the end; nobody else's compare-and-set was told the same success.

use crate::cluster::fact::Fact;
use crate::cluster::promise::Ask;
use crate::packet::{Packet, Reply};
use crate::schedule::ClientId;
use std::collections::{BTreeMap, BTreeSet};
use zooid_proto::{ErrorCode, SessionId};
use zooid_tree::Replica;

#[derive(Debug, Default)]
pub(crate) struct Acknowledged {
    sessions: BTreeMap<ClientId, SessionId>,
    created: BTreeSet<String>,
    ephemerals: BTreeMap<String, SessionId>,
    /// Deletions asked for, which may have happened unless they were answered, and those that have.
    doomed: BTreeSet<String>,
    deleted: BTreeSet<String>,
    /// What was written as each version of a register.
    swaps: BTreeMap<(&'static str, i32), String>,
}

impl Acknowledged {
    pub(crate) fn observe(&mut self, fact: &Fact<'_>) -> Result<(), String> {
        match fact {
            Fact::Received {
                client,
                packet: Packet::Connected(response),
                ..
            } => {
                self.sessions.insert(*client, response.session_id);
                Ok(())
            }
            Fact::Asked {
                ask: Ask::Delete(path),
                ..
            } => {
                self.doomed.insert(path.clone());
                Ok(())
            }
            Fact::Received {
                client,
                packet: Packet::Reply(reply),
                ask: Some(ask),
                ..
            } => self
                .answered(*client, ask, reply)
                .map_err(|what| format!("client {}: {what}", client.0)),
            Fact::Final { member, replica } => self
                .is_in(replica)
                .map_err(|what| format!("member {member}: {what}")),
            _ => Ok(()),
        }
    }

    fn answered(&mut self, client: ClientId, ask: &Ask, reply: &Reply) -> Result<(), String> {
        // The oracle knows whether the session may have ephemerals, and whether a disk was full.
        let refusals = [
            ErrorCode::SessionExpired,
            ErrorCode::EphemeralOnLocalSession,
            ErrorCode::NotReadOnly,
            ErrorCode::SystemError,
        ];
        let is_over = refusals.contains(&reply.err);
        match (ask, reply.err) {
            (Ask::Unique(path), ErrorCode::Ok) => {
                self.created.insert(path.clone());
            }
            // A multi that failed is a success that tells so.
            (Ask::Pair(one, other), ErrorCode::Ok) if tells_of(reply, one) => {
                self.created.extend([one.clone(), other.clone()]);
            }
            (Ask::Ephemeral(path), ErrorCode::Ok) => {
                let session = self.sessions.get(&client).copied().unwrap_or_default();
                self.ephemerals.insert(path.clone(), session);
            }
            (Ask::Delete(path), ErrorCode::Ok) => {
                self.deleted.insert(path.clone());
            }
            (
                Ask::Swap {
                    register,
                    version,
                    value,
                },
                ErrorCode::Ok,
            ) => {
                let swap = (*register, version + 1);
                if let Some(other) = self.swaps.insert(swap, value.clone()) {
                    return Err(format!("{other} and {value} are both {swap:?}"));
                }
            }
            (Ask::Read(path), ErrorCode::NoNode) if self.created.contains(path) => {
                return Err(format!("{path} was created, and is not there"));
            }
            (Ask::Unique(_) | Ask::Ephemeral(_) | Ask::Look(_), err)
                if err != ErrorCode::Ok && !is_over =>
            {
                return Err(format!("{ask:?}: {err:?}"));
            }
            _ => {}
        }
        Ok(())
    }

    fn is_in(&self, replica: &Replica) -> Result<(), String> {
        for path in &self.created {
            if replica.node(path).and_then(|node| node.data()) != Some(path.as_bytes()) {
                return Err(format!("{path} was created, and is not there"));
            }
        }
        for (path, session) in &self.ephemerals {
            let lives = replica.session_timeout(*session).is_some();
            let is_there = replica.node(path).is_some();
            if is_there && (!lives || self.deleted.contains(path)) {
                return Err(format!("{path} of {session} is there still"));
            }
            if !is_there && lives && !self.doomed.contains(path) {
                return Err(format!("{path} of {session} was created, and is not there"));
            }
        }
        for ((register, version), value) in &self.swaps {
            let Some(node) = replica.node(register) else {
                return Err(format!("{register} is gone"));
            };
            let stat = node.stat_persisted();
            let is_newest = stat.version == *version;
            if stat.version < *version || (is_newest && node.data() != Some(value.as_bytes())) {
                return Err(format!(
                    "{register} is at {}, {value} was written as {version}",
                    stat.version
                ));
            }
        }
        Ok(())
    }
}

/// Whether a path stands in a reply.
fn tells_of(reply: &Reply, path: &str) -> bool {
    let mut parts = reply.body.windows(path.len());
    parts.any(|part| part == path.as_bytes())
}
