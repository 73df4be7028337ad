//! From the first packet of a link to a quorum that holds the epoch's initial history
//! (spec §6.3, §6.6; Java `Leader.getEpochToPropose`, `waitForEpochAck`, `waitForNewLeaderAck`).

use super::confirmation::Round;
use super::peer::{Peer, Role, Stage, Unacknowledged};
use super::reign::Reign;
use super::{Leader, LeaderAction, Phase};
use crate::{History, LinkId};
use alloc::collections::BTreeSet;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use zooid_proto::{
    Epoch, Jute, LearnerInfo, Limit, PacketType, QuorumPacket, Reader, ServerId, Zxid,
};

/// What a FOLLOWERINFO or OBSERVERINFO says.
struct Introduction {
    id: ServerId,
    role: Role,
    accepted: Epoch,
}

/// The epoch after this one would not fit into a zxid.
const EPOCH_MAX: Epoch = Epoch(0x7fff_ffff);

impl Leader {
    /// A link's first packet.
    pub(super) fn introduced(
        &mut self,
        now_ms: i64,
        link: LinkId,
        packet: &QuorumPacket,
        out: &mut Vec<LeaderAction>,
    ) -> Result<(), String> {
        let Introduction { id, role, accepted } = self.introduction(packet)?;
        self.hang_up_older(id, out);
        self.strangers.remove(&link);
        let grace = self.settings.init_limit + self.settings.sync_limit;
        let peer = Peer {
            id,
            role,
            stage: Stage::Introduced,
            heard_ms: now_ms,
            tick_deadline: self.tick().saturating_add(grace),
            unacknowledged: Unacknowledged::default(),
            confirmed: Round::default(),
        };
        self.peers.insert(link, peer);
        if let Phase::Gathering {
            connected,
            accepted: newest,
        } = &mut self.phase
        {
            *newest = accepted.max(*newest);
            if role == Role::Voter {
                connected.insert(id);
            }
        }
        self.fix_epoch(now_ms, out);
        self.announce_epoch(now_ms, link, out);
        Ok(())
    }

    fn introduction(&mut self, packet: &QuorumPacket) -> Result<Introduction, String> {
        let is_observer = match packet.kind {
            PacketType::FollowerInfo => false,
            PacketType::ObserverInfo => true,
            other => return Err(format!("{other:?} instead of an introduction")),
        };
        let id = match &packet.data {
            Some(data) => self.identity(data)?,
            None => self.anonymous_id(),
        };
        let accepted = packet.zxid.epoch();
        if accepted < Epoch(0) || accepted >= EPOCH_MAX {
            return Err(format!(
                "{id} has accepted the impossible epoch {}",
                accepted.0
            ));
        }
        let role = if is_observer {
            Role::Observer
        } else if self.membership.is_voter(id) {
            Role::Voter
        } else {
            Role::NonVoting
        };
        Ok(Introduction { id, role, accepted })
    }

    fn identity(&self, data: &[u8]) -> Result<ServerId, String> {
        let info = LearnerInfo::decode_prefix(data)
            .map_err(|error| format!("bad introduction: {error}"))?;
        let id = info.server_id;
        if id == self.settings.me {
            return Err(format!("it calls itself {id}, as this server does"));
        }
        if info.protocol_version < LearnerInfo::PROTOCOL_VERSION {
            return Err(format!(
                "{id} speaks protocol {:#x}, older than 3.4",
                info.protocol_version
            ));
        }
        if Zxid(info.config_version) > self.membership.version() {
            return Err(format!("{id} has a newer configuration"));
        }
        Ok(id)
    }

    /// Java `Leader.followerCounter`.
    fn anonymous_id(&mut self) -> ServerId {
        let id = self.next_anonymous;
        self.next_anonymous = ServerId(id.0.saturating_sub(1));
        id
    }

    /// A server that connects anew has given up its older connection, though that may not show yet.
    fn hang_up_older(&mut self, id: ServerId, out: &mut Vec<LeaderAction>) {
        let older: Vec<LinkId> = self
            .peers
            .iter()
            .filter(|(_, peer)| peer.id == id)
            .map(|(link, _)| *link)
            .collect();
        for link in older {
            self.hang_up(link, format!("{id} has connected anew"), out);
        }
    }

    /// Fixes the epoch when a quorum has connected: one more than any of them knows of.
    pub(super) fn fix_epoch(&mut self, now_ms: i64, out: &mut Vec<LeaderAction>) {
        let Phase::Gathering {
            connected,
            accepted,
        } = &self.phase
        else {
            return;
        };
        if !self.membership.is_quorum(|id| connected.contains(&id)) {
            return;
        }
        if *accepted >= EPOCH_MAX {
            self.resign("there is no epoch left".to_string(), out);
            return;
        }
        let epoch = Epoch(accepted.0 + 1);
        self.enter_phase(now_ms, Phase::Accepting { epoch });
        out.push(LeaderAction::AcceptEpoch(epoch));
    }

    /// This server's own acceptedEpoch is durable: its own promise, and the others may be asked for
    /// theirs.
    pub fn epoch_accepted(&mut self, now_ms: i64, epoch: Epoch, out: &mut Vec<LeaderAction>) {
        match self.phase {
            Phase::Accepting { epoch: own } if own == epoch => {}
            _ => return,
        }
        let promised = BTreeSet::from([self.settings.me]);
        self.enter_phase(now_ms, Phase::Electing { epoch, promised });
        let links: Vec<LinkId> = self.peers.keys().copied().collect();
        for link in links {
            self.announce_epoch(now_ms, link, out);
        }
        self.finish_election(now_ms, out);
    }

    /// Sends LEADERINFO, unless it is too early.
    fn announce_epoch(&mut self, now_ms: i64, link: LinkId, out: &mut Vec<LeaderAction>) {
        if matches!(
            self.phase,
            Phase::Gathering { .. } | Phase::Accepting { .. } | Phase::Resigned
        ) {
            return;
        }
        let zxid = self.epoch_start();
        let Some(peer) = self.peers.get_mut(&link) else {
            return;
        };
        peer.turn_to(now_ms, Stage::EpochSent);
        let mut version = Vec::new();
        LearnerInfo::PROTOCOL_VERSION.encode(&mut version);
        let packet = QuorumPacket::with_data(PacketType::LeaderInfo, zxid, version);
        out.push(LeaderAction::Send(link, packet));
    }

    /// A learner's ACKEPOCH. An epoch of −1 says that it had accepted this epoch before: it gets its
    /// history, and does not count.
    pub(super) fn epoch_acknowledged(
        &mut self,
        now_ms: i64,
        link: LinkId,
        packet: &QuorumPacket,
        history: &History,
        out: &mut Vec<LeaderAction>,
    ) -> Result<(), String> {
        let data = packet.data.as_deref().unwrap_or_default();
        let current = Reader::new(data, Limit::default())
            .i32()
            .map_err(|error| format!("bad ACKEPOCH: {error}"))?;
        let last = packet.zxid;
        let Some(peer) = self.peers.get_mut(&link) else {
            return Ok(());
        };
        if let Phase::Electing { promised, .. } = &mut self.phase
            && current != -1
        {
            let own = (self.epochs.current, self.last);
            if (Epoch(current.into()), last) > own {
                return Err(format!(
                    "{} is ahead of this leader, with {last} of epoch {current}",
                    peer.id
                ));
            }
            if last != Zxid::NONE && peer.role == Role::Voter {
                promised.insert(peer.id);
            }
        }
        peer.turn_to(now_ms, Stage::EpochAcked { last });
        self.finish_election(now_ms, out);
        self.synchronize_promised(now_ms, history, out);
        Ok(())
    }

    /// Goes on when a quorum, this server included, will follow no older leader.
    fn finish_election(&mut self, now_ms: i64, out: &mut Vec<LeaderAction>) {
        let Phase::Electing { epoch, promised } = &self.phase else {
            return;
        };
        if !self.membership.is_quorum(|id| promised.contains(&id)) {
            return;
        }
        let epoch = *epoch;
        let is_entered = false;
        self.enter_phase(now_ms, Phase::Synchronizing { epoch, is_entered });
        out.push(LeaderAction::EnterEpoch(epoch));
    }

    /// Once the election is over, brings everyone up to date that has promised itself.
    fn synchronize_promised(
        &mut self,
        now_ms: i64,
        history: &History,
        out: &mut Vec<LeaderAction>,
    ) {
        if !matches!(
            self.phase,
            Phase::Synchronizing { .. } | Phase::Broadcasting(_)
        ) {
            return;
        }
        let is_waiting = |peer: &Peer| matches!(peer.stage, Stage::EpochAcked { .. });
        let links: Vec<LinkId> = self
            .peers
            .iter()
            .filter(|(_, peer)| is_waiting(peer))
            .map(|(link, _)| *link)
            .collect();
        for link in links {
            if let Err(reason) = self.synchronize(now_ms, link, None, history, out) {
                self.hang_up(link, reason, out);
            }
        }
    }

    /// This server's own currentEpoch is durable: it may count itself for NEWLEADER (its history is
    /// durable since before it stood for election).
    pub fn epoch_entered(&mut self, now_ms: i64, epoch: Epoch, out: &mut Vec<LeaderAction>) {
        match &mut self.phase {
            Phase::Synchronizing {
                epoch: own,
                is_entered,
            } if *own == epoch => *is_entered = true,
            _ => return,
        }
        self.extend_phase(now_ms);
        self.establish(now_ms, out);
    }

    /// A learner holds the epoch's initial history.
    pub(super) fn new_leader_acknowledged(
        &mut self,
        now_ms: i64,
        link: LinkId,
        early: Option<Zxid>,
        out: &mut Vec<LeaderAction>,
    ) {
        if let Some(peer) = self.peers.get_mut(&link) {
            peer.turn_to(now_ms, Stage::NewLeaderAcked);
        }
        self.establish(now_ms, out);
        self.activate(now_ms, link, out);
        if let Some(upto) = early {
            self.count(link, upto, out);
        }
    }

    /// Opens the reign when a quorum holds the initial history: that is then committed.
    fn establish(&mut self, now_ms: i64, out: &mut Vec<LeaderAction>) {
        let Phase::Synchronizing {
            epoch,
            is_entered: true,
        } = self.phase
        else {
            return;
        };
        if !self.is_quorum(Peer::holds_initial_history) {
            return;
        }
        let reign = Reign::new(now_ms, &self.settings, &self.membership, epoch);
        self.phase = Phase::Broadcasting(reign);
        out.push(LeaderAction::Established(epoch));
        let links: Vec<LinkId> = self.peers.keys().copied().collect();
        for link in links {
            self.activate(now_ms, link, out);
        }
    }

    /// Sends UPTODATE, unless it is too early or has been sent.
    fn activate(&mut self, now_ms: i64, link: LinkId, out: &mut Vec<LeaderAction>) {
        if !self.is_established() {
            return;
        }
        let Some(peer) = self.peers.get_mut(&link) else {
            return;
        };
        if peer.stage == Stage::NewLeaderAcked {
            peer.turn_to(now_ms, Stage::Active);
            let packet = QuorumPacket::new(PacketType::UpToDate, Zxid::NONE);
            out.push(LeaderAction::Send(link, packet));
        }
    }

    fn enter_phase(&mut self, now_ms: i64, phase: Phase) {
        self.phase = phase;
        self.extend_phase(now_ms);
    }

    fn extend_phase(&mut self, now_ms: i64) {
        self.phase_deadline_ms = now_ms.saturating_add(self.settings.init_ms());
    }
}
