//! Zab's `Leadership1` and `Leadership2`: no epoch has two leaders; and none but its leader broadcasts
//! in it.

use super::ledger::Ledger;
use crate::cluster::fact::Fact;
use crate::cluster::schedule::MemberId;
use std::collections::{BTreeMap, BTreeSet};
use zooid_proto::{Epoch, PacketType, Zxid};

#[derive(Debug, Default)]
pub(crate) struct Leadership {
    /// Who has sent NEWLEADER, and in which of its lives.
    leaders: BTreeMap<Epoch, (MemberId, u64)>,
    proposed: BTreeSet<Zxid>,
}

impl Leadership {
    pub(crate) fn observe(&mut self, fact: &Fact<'_>, ledger: &Ledger) -> Result<(), String> {
        match fact {
            Fact::Packet { member, packet, .. } if packet.kind == PacketType::NewLeader => {
                let epoch = packet.zxid.epoch();
                let me = (*member, ledger.book(*member).lives);
                let leader = *self.leaders.entry(epoch).or_insert(me);
                if leader != me {
                    return Err(format!("{leader:?} and {me:?} lead epoch {}", epoch.0));
                }
            }
            Fact::Appended { member, zxid, .. } if self.proposed.insert(*zxid) => {
                let leader = self.leaders.get(&zxid.epoch()).copied();
                if leader != Some((*member, ledger.book(*member).lives)) {
                    return Err(format!(
                        "{member} proposes {zxid}, {leader:?} leads its epoch"
                    ));
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// Whether a primary has proposed it.
    pub(crate) fn has_broadcast(&self, zxid: Zxid) -> bool {
        self.proposed.contains(&zxid)
    }

    /// Who has led last, as far as anyone knows.
    pub(crate) fn newest(&self) -> Option<(Epoch, MemberId)> {
        let (epoch, (member, _)) = self.leaders.last_key_value()?;
        Some((*epoch, *member))
    }

    /// How many epochs were led.
    pub(crate) fn epochs(&self) -> usize {
        self.leaders.len()
    }
}
