//! The learner's side of ZAB, from finding the leader to following it (spec §6.2–§6.9; Java `Learner`,
//! `Follower`, `Observer`).
//!
//! A [`Learner`] lives as long as one leader is followed over one link. It is told what has happened
//! and answers with [`LearnerAction`]s, in the order in which they must be carried out. It never
//! promises what is not durable: an epoch is accepted, and entered, and a proposal acknowledged, only
//! after the storage has said so.
//!
//! The whole history that the leader sends goes through one queue ([`history`]), through
//! synchronisation ([`synchronization`]) and broadcast alike, so that nothing can be lost, doubled or
//! overtaken on the way from the one to the other (ZOOKEEPER-4394, 4646, 4685, 4785).

mod action;
mod dialing;
mod fault;
mod held;
mod history;
mod patience;
mod synchronization;

use crate::{EnsembleSettings, Epochs, Membership};
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use dialing::Dialing;
use fault::Fault;
use history::Received;
use patience::Patience;
use synchronization::Synchronization;
use zooid_proto::quorum::{ForwardedRequest, Revalidated, SessionTouch, ack_epoch_data};
use zooid_proto::{
    Epoch, Jute, LearnerInfo, Limit, PacketRun, PacketType, QuorumPacket, Reader, ServerId,
    SessionId, Zxid,
};

pub use action::LearnerAction;

/// As what a server follows; its own role in the configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LearnerKind {
    /// Gets proposals and acknowledges them.
    Follower,
    /// Gets what is committed.
    Observer,
}

/// How far a learner has come (Java `QuorumPeer.ZabState`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LearnerPhase {
    /// Finding the leader and its epoch.
    Discovery,
    /// Taking over the leader's history.
    Synchronization,
    /// Following, with clients.
    Broadcast,
}

/// One server following one leader.
#[derive(Clone, Debug)]
pub struct Learner {
    kind: LearnerKind,
    leader: ServerId,
    init_ms: i64,
    sync_ms: i64,
    introduction: QuorumPacket,
    epochs: Epochs,
    history: Received,
    patience: Patience,
    phase: Phase,
    /// The leader wanted the history cut where it cannot be: only a snapshot can replace it.
    wants_snapshot: bool,
}

/// The names are those of what is awaited.
#[derive(Clone, Debug)]
enum Phase {
    /// A connection.
    Dialing(Dialing),
    /// LEADERINFO.
    LeaderInfo,
    /// The epoch accepted durably.
    EpochAccepted(Epoch),
    /// UPTODATE, and what must come before.
    UpToDate(Synchronization),
    /// Whatever the leader has to say.
    Broadcast(Epoch),
    /// Nothing: this learner has resigned or halted.
    Over,
}

impl Learner {
    /// Starts to follow `leader`. `last` is the last transaction of the durable and applied history; an
    /// epoch's start only if the database has nothing else.
    #[expect(
        clippy::too_many_arguments,
        reason = "each is a fact of its own, and told once"
    )]
    pub fn new(
        now_ms: i64,
        settings: &EnsembleSettings,
        membership: &Membership,
        kind: LearnerKind,
        leader: ServerId,
        epochs: Epochs,
        last: Zxid,
        out: &mut Vec<LearnerAction>,
    ) -> Learner {
        out.push(LearnerAction::Dial(leader));
        Learner {
            kind,
            leader,
            init_ms: settings.init_ms(),
            sync_ms: settings.sync_ms(),
            introduction: introduction(settings.me, kind, epochs.accepted, membership),
            epochs,
            history: Received::new(last),
            patience: Patience::new(now_ms, settings.init_ms()),
            phase: Phase::Dialing(Dialing::first()),
            wants_snapshot: false,
        }
    }

    /// The connection asked for stands.
    pub fn link_up(&mut self, now_ms: i64, out: &mut Vec<LearnerAction>) {
        if let Phase::Dialing(_) = self.phase {
            self.patience = Patience::new(now_ms, self.init_ms);
            self.phase = Phase::LeaderInfo;
            out.push(LearnerAction::Send(self.introduction.clone()));
        }
    }

    /// The connection is gone, or could not be made.
    pub fn link_down(&mut self, now_ms: i64, out: &mut Vec<LearnerAction>) {
        let reason = match &mut self.phase {
            Phase::Over => return,
            Phase::Dialing(dialing) => {
                if dialing.retry(now_ms, self.patience.deadline_ms()) {
                    return;
                }
                format!("leader {} cannot be reached", self.leader)
            }
            Phase::LeaderInfo
            | Phase::EpochAccepted(_)
            | Phase::UpToDate(_)
            | Phase::Broadcast(_) => format!("the link to leader {} is gone", self.leader),
        };
        self.phase = Phase::Over;
        out.push(LearnerAction::Resign(reason));
    }

    /// Bytes are coming that are no packet yet: a long snapshot is no silence.
    pub fn heard(&mut self, now_ms: i64) {
        if !matches!(self.phase, Phase::Dialing(_)) {
            self.patience.restart(now_ms);
        }
    }

    /// The leader has sent a packet. SNAP never comes here, but to [`Learner::snapshot_received`].
    pub fn packet(&mut self, now_ms: i64, packet: &QuorumPacket, out: &mut Vec<LearnerAction>) {
        self.heard(now_ms);
        let outcome = match &mut self.phase {
            Phase::Over | Phase::Dialing(_) => Ok(()),
            Phase::LeaderInfo => self.on_leader_info(packet, out),
            Phase::EpochAccepted(_) => Err(Fault::unexpected(packet, "before ACKEPOCH")),
            Phase::UpToDate(synchronization) => {
                match synchronization.on_packet(&mut self.history, packet, out) {
                    Ok(Some(epoch)) => {
                        self.serve(now_ms, epoch, out);
                        Ok(())
                    }
                    Ok(None) => Ok(()),
                    Err(fault) => Err(fault),
                }
            }
            Phase::Broadcast(_) => self.on_broadcast(packet, out),
        };
        self.conclude(outcome, out);
    }

    /// The leader has sent packets, one behind the other.
    pub fn packet_run(&mut self, now_ms: i64, run: PacketRun, out: &mut Vec<LearnerAction>) {
        let commits = run.kind == PacketType::Commit && self.kind == LearnerKind::Follower;
        if !commits || !self.is_serving() {
            for packet in run.packets() {
                self.packet(now_ms, &packet, out);
            }
            return;
        }
        self.heard(now_ms);
        let outcome = run
            .zxids()
            .try_for_each(|zxid| self.history.commit_live(zxid, out));
        self.conclude(outcome, out);
    }

    /// A SNAP and the snapshot behind it have come, whole.
    pub fn snapshot_received(&mut self, now_ms: i64, zxid: Zxid, out: &mut Vec<LearnerAction>) {
        self.heard(now_ms);
        let outcome = match &mut self.phase {
            Phase::Over | Phase::Dialing(_) => Ok(()),
            Phase::UpToDate(synchronization) => synchronization.on_snapshot(zxid, out),
            Phase::LeaderInfo | Phase::EpochAccepted(_) | Phase::Broadcast(_) => {
                Err(Fault::Resign(format!("SNAP {zxid} out of place")))
            }
        };
        self.conclude(outcome, out);
    }

    /// [`LearnerAction::AcceptEpoch`] is done.
    pub fn epoch_accepted(&mut self, epoch: Epoch, out: &mut Vec<LearnerAction>) {
        if matches!(self.phase, Phase::EpochAccepted(awaited) if awaited == epoch) {
            self.patience.excuse();
            self.epochs.accepted = epoch;
            self.acknowledge_epoch(epoch, Some(self.epochs.current), out);
        }
    }

    /// [`LearnerAction::EnterEpoch`] is done.
    pub fn epoch_entered(&mut self, epoch: Epoch, out: &mut Vec<LearnerAction>) {
        if let Phase::UpToDate(synchronization) = &mut self.phase
            && synchronization.on_epoch_entered(epoch, out)
        {
            self.patience.excuse();
            self.epochs.current = epoch;
        }
    }

    /// Everything appended up to `upto` is durable; of the log's present history, not of one before a
    /// truncation or a snapshot.
    pub fn persisted(&mut self, upto: Zxid, out: &mut Vec<LearnerAction>) {
        match &mut self.phase {
            Phase::UpToDate(synchronization) => {
                synchronization.on_persisted(&mut self.history, upto, out);
            }
            Phase::Broadcast(_) => {
                self.history.persisted(upto);
                self.history.acknowledge(out);
            }
            Phase::Dialing(_) | Phase::LeaderInfo | Phase::EpochAccepted(_) | Phase::Over => {}
        }
    }

    /// [`LearnerAction::Truncate`] is done, and `last` is the last transaction left.
    pub fn truncated(&mut self, now_ms: i64, last: Zxid, out: &mut Vec<LearnerAction>) {
        if let Phase::UpToDate(synchronization) = &mut self.phase {
            self.patience.restart(now_ms);
            let outcome = synchronization.on_truncated(&mut self.history, last, out);
            self.conclude(outcome, out);
        }
    }

    /// [`LearnerAction::Truncate`] cannot be done, and nothing has been: the history goes back no further
    /// than a snapshot that holds more. The leader is asked once more, for a snapshot; the role goes on,
    /// because the leader may need this server for its quorum.
    pub fn cannot_truncate(&mut self, now_ms: i64, reason: String, out: &mut Vec<LearnerAction>) {
        let Phase::UpToDate(synchronization) = &self.phase else {
            return;
        };
        if !synchronization.awaits_truncation() {
            return;
        }
        if self.wants_snapshot {
            return self.conclude(Err(Fault::Halt(reason)), out);
        }
        self.wants_snapshot = true;
        self.introduction.zxid = Zxid::start_of(self.epochs.accepted);
        self.patience = Patience::new(now_ms, self.init_ms);
        self.phase = Phase::Dialing(Dialing::first());
        out.push(LearnerAction::Hangup(reason));
        out.push(LearnerAction::Dial(self.leader));
    }

    /// [`LearnerAction::Install`] cannot be done for want of room, and nothing has been. Whoever leads next may
    /// have less to send.
    pub fn cannot_install(&mut self, reason: String, out: &mut Vec<LearnerAction>) {
        if let Phase::UpToDate(synchronization) = &self.phase
            && synchronization.awaits_install()
        {
            self.conclude(Err(Fault::Resign(reason)), out);
        }
    }

    /// [`LearnerAction::Install`] is done.
    pub fn installed(&mut self, now_ms: i64, out: &mut Vec<LearnerAction>) {
        if let Phase::UpToDate(synchronization) = &mut self.phase {
            self.patience.restart(now_ms);
            let outcome = synchronization.on_installed(&mut self.history, out);
            self.conclude(outcome, out);
        }
    }

    /// Forwards a client's write or sync. Nobody is served who could ask before broadcast, and who asks
    /// after the end is cut off with this learner; then it goes nowhere.
    pub fn request(&mut self, request: &ForwardedRequest, out: &mut Vec<LearnerAction>) {
        if self.is_serving() {
            out.push(LearnerAction::Send(request.to_packet()));
        }
    }

    /// Asks whether a session that a client wants to go on with is alive.
    pub fn revalidate(
        &mut self,
        session: SessionId,
        timeout_ms: i32,
        out: &mut Vec<LearnerAction>,
    ) {
        if self.is_serving() {
            let touch = SessionTouch {
                session,
                timeout_ms,
            };
            out.push(send_with(
                PacketType::Revalidate,
                Zxid::NONE,
                touch.to_vec(),
            ));
        }
    }

    /// Answers [`LearnerAction::Ping`] with the sessions heard of since the one before.
    pub fn pong(&mut self, zxid: Zxid, touches: &[SessionTouch], out: &mut Vec<LearnerAction>) {
        if self.is_serving() {
            let mut data = Vec::with_capacity(touches.len() * 12);
            for touch in touches {
                touch.encode(&mut data);
            }
            out.push(send_with(PacketType::Ping, zxid, data));
        }
    }

    /// Time has passed.
    pub fn timer(&mut self, now_ms: i64, out: &mut Vec<LearnerAction>) {
        if let Phase::Dialing(dialing) = &mut self.phase
            && dialing.is_due(now_ms)
        {
            out.push(LearnerAction::Dial(self.leader));
        }
        let is_over = matches!(self.phase, Phase::Over);
        if is_over || !self.patience.is_over(now_ms, self.owes_an_answer()) {
            return;
        }
        out.push(LearnerAction::Silent(self.leader));
        let fault = Fault::Resign(format!(
            "nothing from leader {} for {} ms in {:?}",
            self.leader,
            self.patience.limit_ms(),
            self.phase(),
        ));
        self.conclude(Err(fault), out);
    }

    /// When [`Learner::timer`] is due at the latest.
    #[must_use]
    pub fn next_wakeup_ms(&self) -> i64 {
        match &self.phase {
            Phase::Over => i64::MAX,
            Phase::Dialing(dialing) => dialing.next_wakeup_ms().min(self.patience.deadline_ms()),
            Phase::LeaderInfo
            | Phase::EpochAccepted(_)
            | Phase::UpToDate(_)
            | Phase::Broadcast(_) => self.patience.deadline_ms(),
        }
    }

    /// Whether the leader has said that this server may serve clients.
    #[must_use]
    pub fn is_serving(&self) -> bool {
        matches!(self.phase, Phase::Broadcast(_))
    }

    /// How far it has come.
    #[must_use]
    pub fn phase(&self) -> LearnerPhase {
        match self.phase {
            Phase::Dialing(_) | Phase::LeaderInfo | Phase::EpochAccepted(_) | Phase::Over => {
                LearnerPhase::Discovery
            }
            Phase::UpToDate(_) => LearnerPhase::Synchronization,
            Phase::Broadcast(_) => LearnerPhase::Broadcast,
        }
    }

    /// The leader's epoch, once it is accepted.
    #[must_use]
    pub fn epoch(&self) -> Option<Epoch> {
        match &self.phase {
            Phase::Dialing(_) | Phase::LeaderInfo | Phase::EpochAccepted(_) | Phase::Over => None,
            Phase::UpToDate(synchronization) => Some(synchronization.epoch()),
            Phase::Broadcast(epoch) => Some(*epoch),
        }
    }

    /// Who is followed.
    #[must_use]
    pub fn leader(&self) -> ServerId {
        self.leader
    }

    /// As what.
    #[must_use]
    pub fn kind(&self) -> LearnerKind {
        self.kind
    }

    /// Java `Learner.registerWithLeader`. A leader from before 3.4 would answer NEWLEADER here.
    fn on_leader_info(
        &mut self,
        packet: &QuorumPacket,
        out: &mut Vec<LearnerAction>,
    ) -> Result<(), Fault> {
        if packet.kind != PacketType::LeaderInfo {
            return Err(Fault::unexpected(packet, "instead of LEADERINFO"));
        }
        let epoch = packet.zxid.epoch();
        let accepted = self.epochs.accepted;
        if epoch < accepted {
            return Err(Fault::Resign(format!(
                "the leader's epoch {} is older than {}, accepted before",
                epoch.0, accepted.0
            )));
        }
        if epoch > accepted {
            self.phase = Phase::EpochAccepted(epoch);
            out.push(LearnerAction::AcceptEpoch(epoch));
        } else {
            // A promise counts once; this server still needs to be synchronised.
            self.acknowledge_epoch(epoch, None, out);
        }
        Ok(())
    }

    fn acknowledge_epoch(
        &mut self,
        epoch: Epoch,
        current: Option<Epoch>,
        out: &mut Vec<LearnerAction>,
    ) {
        // No history ends with the start of an epoch that is yet to come, nor can one be made of it by
        // DIFF or TRUNC: every leader answers with SNAP, and without a current epoch it does not take
        // the answer for a history to be compared with its own (Java `LearnerHandler.syncFollower`).
        let (last, current) = if self.wants_snapshot {
            (Zxid::start_of(Epoch(epoch.0 + 1)), None)
        } else {
            (self.history.last(), current)
        };
        let data = ack_epoch_data(current);
        out.push(send_with(PacketType::AckEpoch, last, data));
        self.phase = Phase::UpToDate(Synchronization::new(epoch, self.kind));
    }

    /// UPTODATE: the second ACK of the epoch, then those of the proposals that are durable already.
    fn serve(&mut self, now_ms: i64, epoch: Epoch, out: &mut Vec<LearnerAction>) {
        self.patience = Patience::new(now_ms, self.sync_ms);
        self.phase = Phase::Broadcast(epoch);
        let ack = QuorumPacket::new(PacketType::Ack, Zxid::start_of(epoch));
        out.push(LearnerAction::Send(ack));
        self.history.acknowledge(out);
        out.push(LearnerAction::Serve(epoch));
    }

    /// Java `Follower.processPacket`, `Observer.processPacket`.
    fn on_broadcast(
        &mut self,
        packet: &QuorumPacket,
        out: &mut Vec<LearnerAction>,
    ) -> Result<(), Fault> {
        let is_observer = self.kind == LearnerKind::Observer;
        match packet.kind {
            PacketType::Ping => out.push(LearnerAction::Ping(packet.zxid)),
            // An observer hears of it again, by INFORM, when it is committed.
            PacketType::Proposal | PacketType::Commit if is_observer => {}
            PacketType::Proposal => self.history.propose(packet, out)?,
            PacketType::Commit | PacketType::CommitAndActivate => {
                self.history.commit_live(packet.zxid, out)?;
            }
            PacketType::Inform | PacketType::InformAndActivate => {
                self.history.inform(packet, out)?;
            }
            PacketType::Sync => out.push(LearnerAction::SyncDone),
            PacketType::Revalidate => out.push(revalidated(packet)?),
            _ => return Err(Fault::unexpected(packet, "during broadcast")),
        }
        Ok(())
    }

    /// Whether it is this server's turn: the leader has nothing to say until the storage is done.
    fn owes_an_answer(&self) -> bool {
        match &self.phase {
            Phase::EpochAccepted(_) => true,
            Phase::UpToDate(synchronization) => synchronization.waits_for_storage(),
            Phase::Dialing(_) | Phase::LeaderInfo | Phase::Broadcast(_) | Phase::Over => false,
        }
    }

    fn conclude(&mut self, outcome: Result<(), Fault>, out: &mut Vec<LearnerAction>) {
        let Err(fault) = outcome else { return };
        self.phase = Phase::Over;
        match fault {
            Fault::Resign(reason) => {
                out.push(LearnerAction::Hangup(reason.clone()));
                out.push(LearnerAction::Resign(reason));
            }
            Fault::Halt(reason) => out.push(LearnerAction::Halt(reason)),
        }
    }
}

fn introduction(
    me: ServerId,
    kind: LearnerKind,
    accepted: Epoch,
    membership: &Membership,
) -> QuorumPacket {
    let info = LearnerInfo {
        server_id: me,
        protocol_version: LearnerInfo::PROTOCOL_VERSION,
        config_version: membership.committed.version,
    };
    let kind = match kind {
        LearnerKind::Follower => PacketType::FollowerInfo,
        LearnerKind::Observer => PacketType::ObserverInfo,
    };
    QuorumPacket::with_data(kind, Zxid::start_of(accepted), info.to_vec())
}

fn revalidated(packet: &QuorumPacket) -> Result<LearnerAction, Fault> {
    let data = packet.data.as_deref().unwrap_or_default();
    let Ok(answer) = Revalidated::decode(&mut Reader::new(data, Limit::default())) else {
        return Err(Fault::malformed(packet));
    };
    Ok(LearnerAction::Revalidated {
        session: answer.session,
        valid: answer.valid,
    })
}

fn send_with(kind: PacketType, zxid: Zxid, data: Vec<u8>) -> LearnerAction {
    LearnerAction::Send(QuorumPacket::with_data(kind, zxid, data))
}

#[cfg(test)]
mod tests;
