//! Who reads behind a sync() sees everything that anyone was told of before the sync() was asked for,
//! on whichever member, and whoever leads (ZOOKEEPER-1675).

use crate::cluster::fact::Fact;
use crate::cluster::promise::Ask;
use crate::packet::{Packet, Reply};
use crate::schedule::ClientId;
use std::collections::{BTreeMap, VecDeque};
use zooid_proto::response::GetDataResponse;
use zooid_proto::{ErrorCode, Jute as _, Limit, Reader};

/// The newest version of each register that somebody has been told of.
type Known = BTreeMap<&'static str, i32>;

#[derive(Debug, Default)]
pub(crate) struct Linearizable {
    /// By anyone.
    known: Known,
    /// By each client when it asked for each sync that is not answered yet.
    asked: BTreeMap<ClientId, VecDeque<Known>>,
    /// What each client's reads must show since its last sync.
    floor: BTreeMap<ClientId, Known>,
}

impl Linearizable {
    pub(crate) fn observe(&mut self, fact: &Fact<'_>) -> Result<(), String> {
        match fact {
            Fact::Dialled { client, .. } => {
                self.asked.remove(client);
                Ok(())
            }
            Fact::Asked {
                client,
                ask: Ask::Sync,
                ..
            } => {
                let asked = self.asked.entry(*client).or_default();
                asked.push_back(self.known.clone());
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
            _ => Ok(()),
        }
    }

    fn answered(&mut self, client: ClientId, ask: &Ask, reply: &Reply) -> Result<(), String> {
        match ask {
            Ask::Sync => {
                let asked = self.asked.get_mut(&client).and_then(VecDeque::pop_front);
                if reply.err == ErrorCode::Ok {
                    let floor = self.floor.entry(client).or_default();
                    floor.extend(asked.into_iter().flatten());
                }
            }
            Ask::Swap {
                register, version, ..
            } if reply.err == ErrorCode::Ok => self.learned(register, version + 1),
            Ask::Look(register) => {
                let floor = self
                    .floor
                    .get(&client)
                    .and_then(|floor| floor.get(register));
                let seen = seen_version(reply);
                if seen < floor.copied() {
                    return Err(format!(
                        "{register} was at {floor:?} before the sync, and is at {seen:?}"
                    ));
                }
                if let Some(seen) = seen {
                    self.learned(register, seen);
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn learned(&mut self, register: &'static str, version: i32) {
        let known = self.known.entry(register).or_insert(version);
        *known = version.max(*known);
    }
}

/// `None` when there is no such node yet.
fn seen_version(reply: &Reply) -> Option<i32> {
    let is_there = reply.err == ErrorCode::Ok;
    let response = GetDataResponse::decode(&mut Reader::new(&reply.body, Limit::default()));
    response.ok().filter(|_| is_there).map(|it| it.stat.version)
}
