//! Taking over the leader's history (spec §6.5; Java `Learner.syncWithLeader`).
//!
//! What must be durable before what is acknowledged: the history, then the epoch, then the ACK of
//! NEWLEADER (ZOOKEEPER-4643, 4646, 3911).

use super::LearnerKind;
use super::action::LearnerAction;
use super::fault::Fault;
use super::held::Held;
use super::history::Received;
use alloc::format;
use alloc::vec::Vec;
use core::mem;
use zooid_proto::{Epoch, PacketType, QuorumPacket, Zxid, mutant};

/// From ACKEPOCH to UPTODATE.
#[derive(Clone, Debug)]
pub(super) struct Synchronization {
    epoch: Epoch,
    kind: LearnerKind,
    step: Step,
}

/// The names are those of what is awaited.
#[derive(Clone, Debug)]
enum Step {
    /// DIFF, TRUNC or SNAP.
    Method,
    /// The log cut behind a transaction. Until then packets are held.
    Truncated(Zxid, Held),
    /// The snapshot of a zxid installed. Until then packets are held.
    Installed(Zxid, Held),
    /// NEWLEADER, behind transactions.
    NewLeader,
    /// Everything up to this durable.
    Durable(Zxid),
    /// The epoch entered durably.
    EpochEntered,
    /// UPTODATE.
    UpToDate,
}

impl Synchronization {
    /// ACKEPOCH has been sent.
    pub(super) fn new(epoch: Epoch, kind: LearnerKind) -> Synchronization {
        Synchronization {
            epoch,
            kind,
            step: Step::Method,
        }
    }

    /// The leader's epoch.
    pub(super) fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// Takes a packet; the epoch to serve in comes back at the end.
    pub(super) fn on_packet(
        &mut self,
        history: &mut Received,
        packet: &QuorumPacket,
        out: &mut Vec<LearnerAction>,
    ) -> Result<Option<Epoch>, Fault> {
        // A leader pings whom it has not heard from yet. It takes an answer before the ACK of NEWLEADER
        // for a fault, and Java's learner is silent until UPTODATE (`LearnerHandler.run`).
        if packet.kind == PacketType::Ping {
            return Ok(None);
        }
        match &mut self.step {
            Step::Truncated(_, held) | Step::Installed(_, held) => held.push(packet)?,
            Step::Method => self.on_method(history, packet, out)?,
            Step::NewLeader => self.on_history(history, packet, out)?,
            Step::Durable(_) | Step::EpochEntered => on_transaction(history, packet, out)?,
            Step::UpToDate if packet.kind == PacketType::UpToDate => return Ok(Some(self.epoch)),
            Step::UpToDate => on_transaction(history, packet, out)?,
        }
        Ok(None)
    }

    /// How the leader means to bring this server up to date.
    fn on_method(
        &mut self,
        history: &Received,
        packet: &QuorumPacket,
        out: &mut Vec<LearnerAction>,
    ) -> Result<(), Fault> {
        let last = history.last();
        match packet.kind {
            PacketType::Diff if packet.zxid < last && !last.is_epoch_start() => {
                Err(Fault::Resign(format!(
                    "DIFF to {}, but this server's history goes on to {last}",
                    packet.zxid
                )))
            }
            PacketType::Diff => {
                self.step = Step::NewLeader;
                Ok(())
            }
            PacketType::Trunc if packet.zxid > last || packet.zxid < Zxid::ZERO => {
                Err(Fault::Resign(format!(
                    "TRUNC to {}, but this server's history ends at {last}",
                    packet.zxid
                )))
            }
            PacketType::Trunc => {
                self.step = Step::Truncated(packet.zxid, Held::default());
                out.push(LearnerAction::Truncate(packet.zxid));
                Ok(())
            }
            _ => Err(Fault::unexpected(packet, "instead of DIFF, TRUNC or SNAP")),
        }
    }

    /// SNAP, and its snapshot.
    pub(super) fn on_snapshot(
        &mut self,
        zxid: Zxid,
        out: &mut Vec<LearnerAction>,
    ) -> Result<(), Fault> {
        if !matches!(self.step, Step::Method) {
            return Err(Fault::Resign(format!("SNAP {zxid} out of place")));
        }
        self.step = Step::Installed(zxid, Held::default());
        out.push(LearnerAction::Install(zxid));
        Ok(())
    }

    /// The log has been cut.
    pub(super) fn on_truncated(
        &mut self,
        history: &mut Received,
        last: Zxid,
        out: &mut Vec<LearnerAction>,
    ) -> Result<(), Fault> {
        let Step::Truncated(target, held) = &mut self.step else {
            return Ok(());
        };
        check_truncated(*target, last)?;
        let held = mem::take(held);
        *history = Received::new(last);
        self.go_on(history, held, out)
    }

    /// The snapshot is the database.
    pub(super) fn on_installed(
        &mut self,
        history: &mut Received,
        out: &mut Vec<LearnerAction>,
    ) -> Result<(), Fault> {
        let Step::Installed(zxid, held) = &mut self.step else {
            return Ok(());
        };
        let held = mem::take(held);
        *history = Received::from_snapshot(*zxid);
        self.go_on(history, held, out)
    }

    fn go_on(
        &mut self,
        history: &mut Received,
        held: Held,
        out: &mut Vec<LearnerAction>,
    ) -> Result<(), Fault> {
        self.step = Step::NewLeader;
        for packet in held.into_packets() {
            // UPTODATE cannot be among them: it answers an ACK that has not been sent.
            self.on_packet(history, &packet, out)?;
        }
        Ok(())
    }

    fn on_history(
        &mut self,
        history: &mut Received,
        packet: &QuorumPacket,
        out: &mut Vec<LearnerAction>,
    ) -> Result<(), Fault> {
        if packet.kind != PacketType::NewLeader {
            return on_transaction(history, packet, out);
        }
        if packet.zxid.epoch() != self.epoch {
            return Err(Fault::Resign(format!(
                "NEWLEADER {} from the leader of epoch {}",
                packet.zxid, self.epoch.0
            )));
        }
        if self.kind == LearnerKind::Follower {
            history.start_acknowledging();
        }
        if mutant!(Zk3911) {
            out.push(self.acknowledgement());
        }
        if mutant!(Zk4643) {
            out.push(LearnerAction::EnterEpoch(self.epoch));
        }
        self.step = Step::Durable(history.last());
        self.enter_if_durable(history, out);
        Ok(())
    }

    /// Something has become durable.
    pub(super) fn on_persisted(
        &mut self,
        history: &mut Received,
        upto: Zxid,
        out: &mut Vec<LearnerAction>,
    ) {
        match self.step {
            // About a history that is being replaced.
            Step::Truncated(..) | Step::Installed(..) => {}
            Step::Method
            | Step::NewLeader
            | Step::Durable(_)
            | Step::EpochEntered
            | Step::UpToDate => {
                history.persisted(upto);
                if mutant!(Zk4685) {
                    history.acknowledge(out);
                }
                self.enter_if_durable(history, out);
            }
        }
    }

    fn enter_if_durable(&mut self, history: &Received, out: &mut Vec<LearnerAction>) {
        let is_durable = |upto| history.is_durable(upto) || mutant!(Zk4646);
        if matches!(self.step, Step::Durable(upto) if is_durable(upto)) {
            self.step = Step::EpochEntered;
            out.push(LearnerAction::EnterEpoch(self.epoch));
        }
    }

    /// The epoch is entered: NEWLEADER can be acknowledged. Says whether it was awaited.
    pub(super) fn on_epoch_entered(&mut self, epoch: Epoch, out: &mut Vec<LearnerAction>) -> bool {
        let is_awaited = matches!(self.step, Step::EpochEntered) && epoch == self.epoch;
        if is_awaited {
            self.step = Step::UpToDate;
            out.push(self.acknowledgement());
        }
        is_awaited
    }

    /// Of NEWLEADER.
    fn acknowledgement(&self) -> LearnerAction {
        let start = Zxid::start_of(self.epoch);
        LearnerAction::Send(QuorumPacket::new(PacketType::Ack, start))
    }

    /// Whether the log is being cut.
    pub(super) fn awaits_truncation(&self) -> bool {
        matches!(self.step, Step::Truncated(..))
    }

    /// Whether a snapshot is being installed.
    pub(super) fn awaits_install(&self) -> bool {
        matches!(self.step, Step::Installed(..))
    }

    /// Whether the leader waits for this server's storage.
    pub(super) fn waits_for_storage(&self) -> bool {
        match self.step {
            Step::Truncated(..) | Step::Installed(..) | Step::Durable(_) | Step::EpochEntered => {
                true
            }
            Step::Method | Step::NewLeader | Step::UpToDate => false,
        }
    }
}

/// No transaction has an epoch's first zxid, so nothing but what comes before can be left then. Else the
/// transaction itself must be there: it is what both histories have in common.
fn check_truncated(target: Zxid, last: Zxid) -> Result<(), Fault> {
    if last > target {
        return Err(Fault::Halt(format!(
            "the log was to be cut behind {target}, and ends at {last}"
        )));
    }
    if last < target && !target.is_epoch_start() {
        return Err(Fault::Resign(format!(
            "{target}, behind which the leader goes on, was not in the log; it ends at {last} now"
        )));
    }
    Ok(())
}

fn on_transaction(
    history: &mut Received,
    packet: &QuorumPacket,
    out: &mut Vec<LearnerAction>,
) -> Result<(), Fault> {
    match packet.kind {
        PacketType::Proposal => history.propose(packet, out),
        PacketType::Commit | PacketType::CommitAndActivate => {
            history.commit_early(packet.zxid, out)
        }
        PacketType::Inform | PacketType::InformAndActivate => history.inform(packet, out),
        _ => Err(Fault::unexpected(packet, "during synchronisation")),
    }
}
