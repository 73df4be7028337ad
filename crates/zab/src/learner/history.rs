//! The history that comes from the leader: what of it is appended, durable, committed and
//! acknowledged.

use super::action::LearnerAction;
use super::fault::Fault;
use alloc::collections::VecDeque;
use alloc::format;
use alloc::vec::Vec;
use bytes::Bytes;
use zooid_proto::{PacketRun, PacketType, QuorumPacket, Zxid, mutant};

/// One history, in one order. It lives through synchronisation and broadcast; only a truncation or a
/// snapshot starts it anew.
#[derive(Clone, Debug)]
pub(super) struct Received {
    last: Zxid,
    durable: Zxid,
    committed: Zxid,
    /// Up to where a snapshot has it all already. A leader reads the SNAP's zxid after it has begun to
    /// queue packets for this learner, so some of them may come behind the snapshot (spec §6.4).
    installed: Option<Zxid>,
    /// Appended, not committed. Bounded by what the leader lets be outstanding.
    pending: VecDeque<Zxid>,
    /// Appended, not acknowledged. Bounded by the leader, which drops a learner that stays behind for
    /// `syncLimit`.
    unacknowledged: VecDeque<Zxid>,
    acknowledges: bool,
}

impl Received {
    /// Goes on behind `last`, everything up to which is durable and applied.
    pub(super) fn new(last: Zxid) -> Received {
        Received {
            last,
            durable: last,
            committed: last,
            installed: None,
            pending: VecDeque::new(),
            unacknowledged: VecDeque::new(),
            acknowledges: false,
        }
    }

    /// Goes on behind an installed snapshot.
    pub(super) fn from_snapshot(zxid: Zxid) -> Received {
        Received {
            installed: Some(zxid),
            ..Received::new(zxid)
        }
    }

    /// The last transaction appended.
    pub(super) fn last(&self) -> Zxid {
        self.last
    }

    /// Whether everything appended up to `upto` is durable.
    pub(super) fn is_durable(&self, upto: Zxid) -> bool {
        self.durable >= upto
    }

    /// Everything appended up to `upto` has become durable.
    pub(super) fn persisted(&mut self, upto: Zxid) {
        // Of what is not appended yet nothing can be durable.
        self.durable = self.durable.max(upto.min(self.last));
    }

    /// PROPOSAL.
    pub(super) fn propose(
        &mut self,
        packet: &QuorumPacket,
        out: &mut Vec<LearnerAction>,
    ) -> Result<(), Fault> {
        self.append(packet.zxid, transaction(packet)?, out)
    }

    /// INFORM: proposed and committed at once. An old leader sends outstanding proposals to observers
    /// that it synchronises; then this only commits.
    pub(super) fn inform(
        &mut self,
        packet: &QuorumPacket,
        out: &mut Vec<LearnerAction>,
    ) -> Result<(), Fault> {
        let record = transaction(packet)?;
        if !self.is_head(packet.zxid) {
            self.append(packet.zxid, record, out)?;
        }
        self.commit_early(packet.zxid, out)
    }

    fn append(
        &mut self,
        zxid: Zxid,
        record: Bytes,
        out: &mut Vec<LearnerAction>,
    ) -> Result<(), Fault> {
        if self.is_in_snapshot(zxid) {
            return Ok(());
        }
        if !zxid.follows(self.last) {
            return Err(Fault::Resign(format!(
                "transaction {zxid} does not follow {}",
                self.last
            )));
        }
        self.last = zxid;
        self.pending.push_back(zxid);
        if self.acknowledges {
            self.unacknowledged.push_back(zxid);
        }
        out.push(LearnerAction::Append(zxid, record));
        Ok(())
    }

    /// COMMIT during synchronisation. What is committed already may be so again; anything else must be
    /// the oldest that is not.
    pub(super) fn commit_early(
        &mut self,
        zxid: Zxid,
        out: &mut Vec<LearnerAction>,
    ) -> Result<(), Fault> {
        if self.is_head(zxid) {
            self.commit_head(zxid, out);
        } else if zxid > self.committed {
            return Err(Fault::Resign(self.mismatch(zxid)));
        }
        Ok(())
    }

    /// COMMIT during broadcast. Java stops the process when it is not for the oldest pending proposal,
    /// and ignores it when there is none (`FollowerZooKeeperServer.commit`).
    pub(super) fn commit_live(
        &mut self,
        zxid: Zxid,
        out: &mut Vec<LearnerAction>,
    ) -> Result<(), Fault> {
        if self.is_head(zxid) {
            self.commit_head(zxid, out);
        } else if !self.pending.is_empty() && !self.is_in_snapshot(zxid) {
            return Err(Fault::Halt(self.mismatch(zxid)));
        }
        Ok(())
    }

    fn commit_head(&mut self, zxid: Zxid, out: &mut Vec<LearnerAction>) {
        self.pending.pop_front();
        self.committed = zxid;
        out.push(LearnerAction::Commit(zxid));
    }

    /// From NEWLEADER on a follower acknowledges everything that is not committed. What is, is part of
    /// the epoch's initial history, which the ACK of NEWLEADER stands for.
    pub(super) fn start_acknowledging(&mut self) {
        self.acknowledges = true;
        self.unacknowledged.clone_from(&self.pending);
        if mutant!(Zk4394) {
            self.pending.clear();
        }
    }

    /// Acknowledges what is durable, each proposal by itself and in order: a Java leader counts no ACK
    /// for the proposals before it (`Leader.processAck`).
    pub(super) fn acknowledge(&mut self, out: &mut Vec<LearnerAction>) {
        let durable = self.durable;
        while let Some(first) = self.unacknowledged.pop_front_if(|zxid| *zxid <= durable) {
            let mut run = PacketRun::of(PacketType::Ack, first);
            while let Some(next) = self.unacknowledged.front().filter(|zxid| **zxid <= durable)
                && run.extend(PacketRun::of(PacketType::Ack, *next))
            {
                self.unacknowledged.pop_front();
            }
            out.push(LearnerAction::SendRun(run));
        }
    }

    fn is_head(&self, zxid: Zxid) -> bool {
        self.pending.front() == Some(&zxid)
    }

    fn is_in_snapshot(&self, zxid: Zxid) -> bool {
        self.installed.is_some_and(|upto| zxid <= upto)
    }

    fn mismatch(&self, zxid: Zxid) -> alloc::string::String {
        match self.pending.front() {
            Some(head) => format!("COMMIT {zxid}, but {head} is next"),
            None => format!("COMMIT {zxid}, which was never proposed"),
        }
    }
}

/// The encoded transaction of a PROPOSAL, INFORM or INFORMANDACTIVATE. The last has the leader-to-be in
/// front.
fn transaction(packet: &QuorumPacket) -> Result<Bytes, Fault> {
    let skip = match packet.kind {
        PacketType::InformAndActivate => size_of::<i64>(),
        _ => 0,
    };
    match &packet.data {
        Some(data) if data.len() > skip => Ok(data.slice(skip..)),
        _ => Err(Fault::malformed(packet)),
    }
}
