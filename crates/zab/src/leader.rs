//! The leader's side of ZAB, for all of its learners (spec §6.3–6.9; Java `Leader`, `LearnerHandler`).
//!
//! [`Leader`] is one reign, from winning an election to [`LeaderAction::Resign`]. It fixes an epoch,
//! brings every learner up to date, declares itself established when a quorum holds the epoch's
//! initial history, and from then on says what is proposed, committed and overdue. It owns no
//! transaction beyond those in flight: what is committed is in the caller's [`History`].
//!
//! A learner that breaks the protocol is hung up on, with a reason; nothing that arrives on a link can
//! make the leader panic. What it asserts are its caller's obligations.
//!
//! What a server has acknowledged lasts as long as its link. When it comes back it may be told to cut
//! off what it had acknowledged, and must not be counted until it has it again. Only its promise to the
//! epoch outlives the link: that is in its acceptedEpoch, and it does not promise twice.

mod action;
mod broadcast;
mod confirmation;
mod discovery;
mod liveness;
mod peer;
mod reign;
mod status;
mod sync;

pub use action::LeaderAction;
pub use confirmation::Round;
pub use status::{LeaderPhase, LeaderStatus, LearnerStatus};

use crate::{EnsembleSettings, Epochs, History, LinkId, LogProbe, Membership};
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use peer::{Peer, Role, Stage, Unacknowledged};
use reign::Reign;
use zooid_proto::quorum::{ForwardedRequest, SessionTouch, decode_touches};
use zooid_proto::{
    Epoch, Jute, Limit, PacketRun, PacketType, QuorumPacket, Reader, ServerId, Zxid,
};

/// A server that leads, or tries to.
#[derive(Clone, Debug)]
pub struct Leader {
    settings: EnsembleSettings,
    membership: Membership,
    epochs: Epochs,
    /// The end of the history that the reign began with.
    last: Zxid,
    /// How far this server's own log is durable.
    durable: Zxid,
    /// How long that log has owed what it was given.
    own: Unacknowledged,
    phase: Phase,
    /// When the phase must be over, save for the last.
    phase_deadline_ms: i64,
    /// Links that have not said whose they are, and when they were opened.
    strangers: BTreeMap<LinkId, i64>,
    peers: BTreeMap<LinkId, Peer>,
    /// Those of them that the last proposal went to.
    followers: Arc<[LinkId]>,
    /// The id of the next learner that does not say its own.
    next_anonymous: ServerId,
}

#[derive(Clone, Debug)]
enum Phase {
    /// A quorum must connect before the epoch is known.
    Gathering {
        connected: BTreeSet<ServerId>,
        /// The newest epoch that any of them has accepted, or any other learner.
        accepted: Epoch,
    },
    /// This server's own acceptedEpoch is on its way to the disk.
    Accepting {
        epoch: Epoch,
    },
    /// A quorum must promise itself to the epoch.
    Electing {
        epoch: Epoch,
        promised: BTreeSet<ServerId>,
    },
    /// A quorum must hold the initial history.
    Synchronizing {
        epoch: Epoch,
        /// Whether this server's own currentEpoch is durable. Its history is.
        is_entered: bool,
    },
    Broadcasting(Reign),
    Resigned,
}

impl Leader {
    /// Takes office. `last` is the end of this server's history, all of it durable and applied.
    pub fn new(
        now_ms: i64,
        settings: &EnsembleSettings,
        membership: &Membership,
        epochs: Epochs,
        last: Zxid,
        out: &mut Vec<LeaderAction>,
    ) -> Leader {
        let mut leader = Leader {
            settings: settings.clone(),
            membership: membership.clone(),
            epochs,
            last,
            durable: last,
            own: Unacknowledged::default(),
            phase: Phase::Gathering {
                connected: BTreeSet::from([settings.me]),
                accepted: epochs.accepted.max(epochs.current).max(last.epoch()),
            },
            phase_deadline_ms: now_ms.saturating_add(settings.init_ms()),
            strangers: BTreeMap::new(),
            peers: BTreeMap::new(),
            followers: Arc::new([]),
            next_anonymous: ServerId(-1),
        };
        leader.fix_epoch(now_ms, out);
        leader
    }

    /// A server has connected.
    pub fn link_opened(&mut self, now_ms: i64, link: LinkId) {
        self.strangers.insert(link, now_ms);
    }

    /// A connection is gone.
    pub fn link_closed(&mut self, _now_ms: i64, link: LinkId, _out: &mut Vec<LeaderAction>) {
        self.forget(link);
    }

    /// A packet has arrived. Those of links that are hung up are ignored. `history` holds all that has
    /// been [`LeaderAction::Committed`], and ends no earlier than an [`LeaderAction::Established`]
    /// epoch's start.
    pub fn packet(
        &mut self,
        now_ms: i64,
        link: LinkId,
        packet: &QuorumPacket,
        history: &History,
        out: &mut Vec<LeaderAction>,
    ) {
        let result = if self.strangers.contains_key(&link) {
            self.introduced(now_ms, link, packet, out)
        } else {
            self.heard(now_ms, link);
            self.dispatch(now_ms, link, packet, history, out)
        };
        if let Err(reason) = result {
            self.hang_up(link, reason, out);
        }
    }

    /// Packets have arrived, one behind the other. Of acknowledgements the last stands for those before, since
    /// a log is written in order.
    pub fn packet_run(
        &mut self,
        now_ms: i64,
        link: LinkId,
        run: PacketRun,
        history: &History,
        out: &mut Vec<LeaderAction>,
    ) {
        let run = match run.kind {
            PacketType::Ack => PacketRun::of(run.kind, run.last),
            _ => run,
        };
        for packet in run.packets() {
            self.packet(now_ms, link, &packet, history, out);
        }
    }

    /// The log has been searched for a learner's last zxid.
    pub fn log_probed(
        &mut self,
        now_ms: i64,
        link: LinkId,
        probe: LogProbe,
        history: &History,
        out: &mut Vec<LeaderAction>,
    ) {
        let is_asked = |peer: &Peer| matches!(peer.stage, Stage::Probing { .. });
        if !self.peers.get(&link).is_some_and(is_asked) {
            return;
        }
        if let Err(reason) = self.synchronize(now_ms, link, Some(probe), history, out) {
            self.hang_up(link, reason, out);
        }
    }

    /// A log or a snapshot is still on its way to a learner, which can therefore not have answered:
    /// counts as a sign of life.
    pub fn sending(&mut self, now_ms: i64, link: LinkId) {
        if let Some(peer) = self.peers.get_mut(&link) {
            peer.heard_ms = now_ms;
        }
    }

    /// The epoch, once it is fixed.
    #[must_use]
    pub fn epoch(&self) -> Option<Epoch> {
        match &self.phase {
            Phase::Gathering { .. } | Phase::Resigned => None,
            Phase::Accepting { epoch }
            | Phase::Electing { epoch, .. }
            | Phase::Synchronizing { epoch, .. } => Some(*epoch),
            Phase::Broadcasting(reign) => Some(reign.epoch),
        }
    }

    /// Whether a quorum holds the epoch's initial history.
    #[must_use]
    pub fn is_established(&self) -> bool {
        self.reign().is_some()
    }

    /// Whether the followers that are up to date are a quorum by themselves.
    #[must_use]
    pub fn is_dispensable(&self) -> bool {
        let is_one = |peer: &&Peer| peer.role == Role::Voter && peer.is_active();
        let voters = self.peers.values().filter(is_one);
        let ids: BTreeSet<ServerId> = voters.map(|peer| peer.id).collect();
        self.membership.is_quorum(|id| ids.contains(&id))
    }

    fn reign(&self) -> Option<&Reign> {
        match &self.phase {
            Phase::Broadcasting(reign) => Some(reign),
            _ => None,
        }
    }

    fn reign_mut(&mut self) -> Option<&mut Reign> {
        match &mut self.phase {
            Phase::Broadcasting(reign) => Some(reign),
            _ => None,
        }
    }

    /// The zxid that no transaction of the epoch has; before the epoch is fixed, the history's end.
    fn epoch_start(&self) -> Zxid {
        self.epoch().map_or(self.last, Zxid::start_of)
    }

    /// The one place that knows what may come when.
    fn dispatch(
        &mut self,
        now_ms: i64,
        link: LinkId,
        packet: &QuorumPacket,
        history: &History,
        out: &mut Vec<LeaderAction>,
    ) -> Result<(), String> {
        let Some(peer) = self.peers.get(&link) else {
            return Ok(());
        };
        match (packet.kind, peer.stage) {
            (PacketType::AckEpoch, Stage::EpochSent) => {
                self.epoch_acknowledged(now_ms, link, packet, history, out)
            }
            (PacketType::Ack, Stage::Syncing { .. } | Stage::NewLeaderAcked | Stage::Active) => {
                self.acknowledged(now_ms, link, packet.zxid, out)
            }
            (PacketType::Ping, Stage::Syncing { .. } | Stage::NewLeaderAcked | Stage::Active) => {
                pinged(packet, out)?;
                self.ping_answered(link, packet.zxid, out)
            }
            (PacketType::Request, Stage::Active) => requested(link, packet, out),
            (PacketType::Revalidate, Stage::Active) => revalidate(link, packet, out),
            (kind, stage) => Err(format!("{kind:?} from {} while {stage:?}", peer.id)),
        }
    }

    fn hang_up(&mut self, link: LinkId, reason: String, out: &mut Vec<LeaderAction>) {
        self.forget(link);
        out.push(LeaderAction::Hangup(link, reason));
    }

    fn forget(&mut self, link: LinkId) {
        self.strangers.remove(&link);
        let peer = self.peers.remove(&link);
        if let (Some(peer), Some(reign)) = (peer, self.reign_mut()) {
            reign.forget(peer.id);
            reign.forget_syncs(link);
        }
    }

    fn resign(&mut self, reason: String, out: &mut Vec<LeaderAction>) {
        self.phase = Phase::Resigned;
        self.strangers.clear();
        self.peers.clear();
        out.push(LeaderAction::Resign(reason));
    }

    /// Whether this server and the voters among the learners for which `has` holds are a quorum.
    fn is_quorum(&self, has: impl Fn(&Peer) -> bool) -> bool {
        let voters = self.peers.values().filter(|peer| peer.role == Role::Voter);
        let ids: BTreeSet<ServerId> = voters
            .filter(|peer| has(peer))
            .map(|peer| peer.id)
            .collect();
        self.membership
            .is_quorum(|id| id == self.settings.me || ids.contains(&id))
    }
}

fn pinged(packet: &QuorumPacket, out: &mut Vec<LeaderAction>) -> Result<(), String> {
    let touches = decode_touches(packet.data.as_deref().unwrap_or_default())
        .map_err(|error| format!("bad PING: {error}"))?;
    if !touches.is_empty() {
        out.push(LeaderAction::Touched(touches));
    }
    Ok(())
}

fn requested(
    link: LinkId,
    packet: &QuorumPacket,
    out: &mut Vec<LeaderAction>,
) -> Result<(), String> {
    let request =
        ForwardedRequest::from_packet(packet).map_err(|error| format!("bad REQUEST: {error}"))?;
    out.push(LeaderAction::Request(link, request));
    Ok(())
}

fn revalidate(
    link: LinkId,
    packet: &QuorumPacket,
    out: &mut Vec<LeaderAction>,
) -> Result<(), String> {
    let data = packet.data.as_deref().unwrap_or_default();
    let SessionTouch {
        session,
        timeout_ms,
    } = Jute::decode(&mut Reader::new(data, Limit::default()))
        .map_err(|error| format!("bad REVALIDATE: {error}"))?;
    out.push(LeaderAction::Revalidate {
        link,
        session,
        timeout_ms,
    });
    Ok(())
}

#[cfg(test)]
mod tests;
