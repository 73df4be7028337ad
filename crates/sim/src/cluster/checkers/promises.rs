//! What one member tells another of its disk is so (obligations 1 to 4): acknowledgements, accepted
//! and entered epochs, votes.

use super::ledger::{Ledger, before};
use crate::cluster::fact::Fact;
use crate::cluster::options::{Profile, server_id};
use crate::cluster::schedule::{MemberId, WireId};
use std::collections::BTreeMap;
use zooid_proto::{Epoch, Limit, PacketType, QuorumPacket, Reader, Zxid};

#[derive(Debug)]
pub(crate) struct Promises {
    voters: usize,
    /// The history with which each epoch begins.
    initial: BTreeMap<Epoch, Vec<Zxid>>,
    /// The epoch that a leader has announced on a wire.
    announced: BTreeMap<WireId, Epoch>,
    /// The last acknowledgement on a wire.
    acknowledged: BTreeMap<WireId, Zxid>,
}

impl Promises {
    pub(crate) fn new(profile: &Profile) -> Promises {
        Promises {
            voters: profile.voters,
            initial: BTreeMap::new(),
            announced: BTreeMap::new(),
            acknowledged: BTreeMap::new(),
        }
    }

    pub(crate) fn observe(&mut self, fact: &Fact<'_>, ledger: &Ledger) -> Result<(), String> {
        match fact {
            Fact::Packet {
                member,
                wire,
                packet,
                ..
            } => match packet.kind {
                PacketType::LeaderInfo => {
                    self.announced.insert(*wire, packet.zxid.epoch());
                    Ok(())
                }
                PacketType::NewLeader => self.lead(*member, packet.zxid.epoch(), ledger),
                PacketType::AckEpoch => self.accepted(*member, *wire, packet, ledger),
                PacketType::Ack => self.acknowledged(*member, *wire, packet.zxid, ledger),
                _ => Ok(()),
            },
            Fact::EpochEntered { member, epoch } => self.entered(*member, *epoch, ledger),
            Fact::Voted { member, message } => voted(*member, message, ledger),
            _ => Ok(()),
        }
    }

    fn lead(&mut self, member: MemberId, epoch: Epoch, ledger: &Ledger) -> Result<(), String> {
        let durable = &ledger.book(member).durable;
        let initial = before(durable, epoch);
        self.initial
            .entry(epoch)
            .or_insert_with(|| initial.to_vec());
        Ok(())
    }

    /// Whoever is in an epoch has its initial history (obligation 3).
    fn entered(&self, member: MemberId, epoch: Epoch, ledger: &Ledger) -> Result<(), String> {
        let Some(initial) = self.initial.get(&epoch) else {
            return Ok(());
        };
        let has = before(&ledger.book(member).durable, epoch);
        if member < self.voters && has != initial {
            let (has, wants) = (has.last(), initial.last());
            return Err(format!(
                "member {member} is in epoch {} with {has:?}, which begins with {wants:?}",
                epoch.0
            ));
        }
        Ok(())
    }

    fn accepted(
        &self,
        member: MemberId,
        wire: WireId,
        packet: &QuorumPacket,
        ledger: &Ledger,
    ) -> Result<(), String> {
        let epochs = ledger.book(member).epochs;
        let announced = self.announced.get(&wire).copied().unwrap_or_default();
        if epochs.accepted < announced {
            return Err(format!(
                "{member} accepts epoch {}, its disk knows {}",
                announced.0, epochs.accepted.0
            ));
        }
        let claimed = packet.data.as_deref().and_then(<[u8]>::first_chunk);
        let claimed = claimed.map_or(-1, |bytes| i64::from(i32::from_be_bytes(*bytes)));
        if claimed > epochs.current.0 {
            return Err(format!(
                "{member} claims epoch {claimed}, its disk {}",
                epochs.current.0
            ));
        }
        // Who asks for a snapshot claims nothing.
        let asks = claimed == -1 && packet.zxid > Zxid::start_of(announced);
        if asks && packet.zxid.is_epoch_start() {
            return Ok(());
        }
        holds(member, packet.zxid, ledger)
    }

    fn acknowledged(
        &mut self,
        member: MemberId,
        wire: WireId,
        zxid: Zxid,
        ledger: &Ledger,
    ) -> Result<(), String> {
        let last = self.acknowledged.insert(wire, zxid);
        if last.is_none() && !zxid.is_epoch_start() {
            return Err(format!(
                "{member} acknowledges {zxid} before NEWLEADER on {}",
                wire.0
            ));
        }
        if last.is_some_and(|last| last > zxid) {
            return Err(format!("{member} acknowledges {last:?} and then {zxid}"));
        }
        let book = ledger.book(member);
        if zxid.is_epoch_start() {
            if member < self.voters && book.epochs.current < zxid.epoch() {
                return Err(format!(
                    "{member} acknowledges {zxid}, and is in epoch {}",
                    book.epochs.current.0
                ));
            }
            return self.entered(member, zxid.epoch(), ledger);
        }
        if book.durable.binary_search(&zxid).is_err() {
            let has = book.durable.last();
            return Err(format!("{member} acknowledges {zxid} and has {has:?}"));
        }
        Ok(())
    }
}

/// A member that claims to have a history up to `zxid` has it on its disk, and nothing behind it.
fn holds(member: MemberId, zxid: Zxid, ledger: &Ledger) -> Result<(), String> {
    let book = ledger.book(member);
    let last = book.durable.last().copied().unwrap_or_default();
    let is_so = if zxid.is_epoch_start() {
        last <= zxid && (book.epochs.current >= zxid.epoch() || book.loaded == zxid)
    } else {
        last == zxid
    };
    if is_so {
        Ok(())
    } else {
        Err(format!("{member} claims {zxid}, its disk has {last}"))
    }
}

/// A looking member that proposes itself tells of its own disk (obligation 4).
fn voted(member: MemberId, message: &[u8], ledger: &Ledger) -> Result<(), String> {
    let mut r = Reader::new(message, Limit::default());
    let mut parse = || -> Result<_, zooid_proto::DecodeError> {
        Ok((r.i32()?, r.i64()?, r.i64()?, r.i64()?, r.i64()?))
    };
    let (state, leader, zxid, _, epoch) = parse().map_err(|err| err.to_string())?;
    if state != LOOKING || leader != server_id(member).0 {
        return Ok(());
    }
    let current = ledger.book(member).epochs.current.0;
    if epoch != current {
        return Err(format!(
            "{member} votes with epoch {epoch}, its disk has {current}"
        ));
    }
    holds(member, Zxid(zxid), ledger)
}

/// The state in a notification.
const LOOKING: i32 = 0;
