//! A server's life in an ensemble: which role it has, how it comes to one and leaves it
//! (Java `QuorumPeer`; `docs/internals/ensemble.md`).

use super::learning::Desk;
use super::parked::{MUST_WAIT, Parked};
use super::stepping_down::SteppingDown;
use super::{Node, Role};
use crate::prep::Pending;
use crate::step::{Input, Now, Output};
use crate::{Sessions, Settings};
use bytes::Bytes;
use std::collections::BTreeSet;
use zooid_proto::election::{Notification, PeerState};
use zooid_proto::{Epoch, ErrorCode, ServerId, Zxid, mutant};
use zooid_tree::Replica;
use zooid_zab::{
    Election, ElectionAction, EnsembleSettings, Epochs, History, Leader, LeaderPhase, LeaderStatus,
    Learner, LearnerKind, LearnerPhase, LinkId, Membership, Vote,
};

/// The least time without a leader before reads are served.
const READ_ONLY_WAIT_MS: i64 = 2000;

/// What a member of an ensemble starts with.
#[derive(Clone, Debug)]
pub struct Member {
    /// The operator's choices about the ensemble.
    pub settings: EnsembleSettings,
    /// Who takes part.
    pub membership: Membership,
    /// What the epoch files say.
    pub epochs: Epochs,
    /// The end of the durable history, which is in the replica; [`Zxid::NONE`] when the database is
    /// empty and must not be trusted to be.
    pub last: Zxid,
    /// The newest transactions of that history, oldest first.
    pub recent: Vec<(Zxid, Bytes)>,
    /// How many of them to keep (`commitLogCount`).
    pub recent_max: usize,
    /// Whether transactions are logged: always, but on observers without `syncEnabled`.
    pub persists: bool,
    /// Whether it takes clients while it leads (`leaderServes`).
    pub leader_serves: bool,
    /// Whether it serves reads while it has no leader (`readonlymode.enabled`).
    pub read_only_mode: bool,
    /// Whether there is little room on its disk, as [`Input::DiskSpace`] will say if it changes.
    pub is_disk_low: bool,
}

/// The part of a [`Node`] that outlives its roles.
#[derive(Debug)]
pub(super) struct Peer {
    settings: EnsembleSettings,
    membership: Membership,
    epochs: Epochs,
    election: Election,
    history: History,
    recent_max: usize,
    /// Links that others have made to this server.
    links: BTreeSet<LinkId>,
    /// Those that have come while nobody leads here.
    parked: Parked,
    /// The link to the leader, and how many there have been.
    link: Option<LinkId>,
    dials: u64,
    /// The last transaction given to the log, and the last one it has reported.
    appended: Zxid,
    durable: Zxid,
    /// Commands that the storage has not answered yet.
    stores: usize,
    /// Where the snapshot under way will put the history's end.
    installing: Zxid,
    persists: bool,
    observes: bool,
    leader_serves: bool,
    read_only_mode: bool,
    looking_since_ms: i64,
    serving: bool,
    /// While this server leads, if it gives that up.
    pub(super) stepping_down: Option<SteppingDown>,
}

impl Peer {
    fn new(member: Member) -> Peer {
        let Member {
            settings,
            membership,
            epochs,
            last,
            recent,
            recent_max,
            persists,
            leader_serves,
            read_only_mode,
            is_disk_low: _,
        } = member;
        let observes = !membership.is_voter(settings.me);
        let before = recent.first().map_or(last, |(first, _)| Zxid(first.0 - 1));
        let mut history = History::new(recent_max, before.max(Zxid::ZERO));
        for (zxid, record) in recent {
            history.push(zxid, record);
        }
        history.advance_to(last);
        Peer {
            election: Election::new(&settings, observes),
            settings,
            membership,
            epochs,
            history,
            recent_max,
            links: BTreeSet::new(),
            parked: Parked::default(),
            link: None,
            dials: 0,
            appended: last,
            durable: last,
            stores: 0,
            installing: Zxid::NONE,
            persists,
            observes,
            leader_serves,
            read_only_mode,
            looking_since_ms: 0,
            serving: false,
            stepping_down: None,
        }
    }

    pub(super) fn history(&self) -> &History {
        &self.history
    }

    pub(super) fn is_serving(&self) -> bool {
        self.serving
    }

    pub(super) fn persists(&self) -> bool {
        self.persists
    }

    pub(super) fn appended(&mut self, zxid: Zxid) {
        self.appended = zxid;
    }

    pub(super) fn committed(&mut self, zxid: Zxid, record: Bytes) {
        if mutant!(Zk4925) && !self.serving {
            return self.history.advance_to(zxid);
        }
        self.history.push(zxid, record);
    }

    /// When a server that has no leader begins to serve reads, if it may (spec §2.17).
    pub(super) fn read_only_from_ms(&self) -> Option<i64> {
        let wait_ms = self.settings.tick_ms.max(READ_ONLY_WAIT_MS);
        let is_due = self.read_only_mode && !self.serving;
        is_due.then(|| self.looking_since_ms + wait_ms)
    }

    /// Whether it had better not be elected.
    pub(super) fn set_reluctant(&mut self, is_reluctant: bool) {
        self.election.set_reluctant(is_reluctant);
    }

    pub(super) fn set_serving(&mut self, serving: bool) {
        self.serving = serving;
    }

    fn is_drained(&self) -> bool {
        (self.stores == 0 && self.durable >= self.appended) || mutant!(Zk4712)
    }

    pub(super) fn installing(&mut self, zxid: Zxid) {
        self.installing = zxid;
    }

    pub(super) fn leader_serves(&self) -> bool {
        self.leader_serves
    }

    /// The history is another from now on, and ends here.
    fn replaced(&mut self, last: Zxid) {
        self.history = History::new(self.recent_max, last);
        self.appended = last;
        self.durable = last;
    }
}

/// How far a role has come (Java `QuorumPeer.ZabState`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PeerPhase {
    /// Looking for a leader.
    Election,
    /// Agreeing on the epoch.
    Discovery,
    /// Agreeing on its initial history.
    Synchronization,
    /// In business.
    Broadcast,
}

/// What operators see of a member of an ensemble.
#[derive(Clone, Debug)]
pub struct PeerStatus {
    /// Its role.
    pub state: PeerState,
    /// How far it has come in it.
    pub phase: PeerPhase,
    /// Whether clients are served.
    pub serving: bool,
    /// Who leads, if somebody does.
    pub leader: Option<ServerId>,
    /// What the epoch files say.
    pub epochs: Epochs,
    /// Sessions that only this server knows.
    pub local_sessions: usize,
    /// About its learners, on a leader.
    pub leading: Option<LeaderStatus>,
}

impl Node {
    /// A member of an ensemble, looking for a leader.
    #[must_use]
    pub fn member(
        settings: Settings,
        member: Member,
        replica: &Replica,
        now: Now,
        out: &mut Vec<Output>,
    ) -> Node {
        let sessions = Sessions::new(settings.tick_ms, ErrorCode::SessionExpired);
        let mut node = Node::with_role(settings, Role::Draining, sessions, replica, now);
        let is_disk_low = member.is_disk_low;
        node.peer = Some(Box::new(Peer::new(member)));
        node.disk_space(is_disk_low);
        node.look_if_drained(now, replica, out);
        node
    }

    /// What this server is in its ensemble; `None` on a standalone server.
    #[must_use]
    pub fn peer(&self) -> Option<PeerStatus> {
        let peer = self.peer.as_ref()?;
        let (phase, leader, leading) = match &self.role {
            Role::Leading(leader) => {
                let status = leader.status();
                (status.phase.into(), Some(self.me), Some(status))
            }
            Role::Learning(learner, _) => (learner.phase().into(), Some(learner.leader()), None),
            _ => (PeerPhase::Election, None, None),
        };
        let state = match &self.role {
            Role::Leading(_) => PeerState::Leading,
            Role::Learning(..) if peer.observes => PeerState::Observing,
            Role::Learning(..) => PeerState::Following,
            _ => PeerState::Looking,
        };
        Some(PeerStatus {
            state,
            phase,
            serving: peer.serving,
            leader,
            epochs: peer.epochs,
            local_sessions: self.local.len(),
            leading,
        })
    }

    pub(super) fn election_wakeup_ms(&self) -> Option<i64> {
        let peer = self.peer.as_ref()?;
        let election = peer.election.next_wakeup_ms();
        let others = [peer.read_only_from_ms(), peer.parked.next_due_ms()];
        election
            .into_iter()
            .chain(others.into_iter().flatten())
            .min()
    }

    pub(super) fn stepping_down_until_ms(&self) -> Option<i64> {
        let stepping_down = self.peer.as_ref()?.stepping_down?;
        Some(stepping_down.until_ms())
    }

    pub(super) fn link_to_leader(&self) -> Option<LinkId> {
        self.peer.as_ref()?.link
    }

    pub(super) fn forget_leader_link(&mut self) {
        if let Some(peer) = &mut self.peer {
            peer.link = None;
        }
    }

    pub(super) fn dial(&mut self, server: ServerId, out: &mut Vec<Output>) {
        self.hang_up_on_leader("dialling again".to_owned(), out);
        let Some(peer) = &mut self.peer else {
            return;
        };
        let link = LinkId(2 * peer.dials + 1);
        peer.dials += 1;
        peer.link = Some(link);
        out.push(Output::Dial { link, server });
    }

    pub(super) fn hang_up_on_leader(&mut self, reason: String, out: &mut Vec<Output>) {
        if let Some(link) = self.peer.as_mut().and_then(|peer| peer.link.take()) {
            out.push(Output::Hangup { link, reason });
        }
    }

    /// Closes a link that somebody made to this server.
    pub(super) fn hang_up(&mut self, link: LinkId, reason: String, out: &mut Vec<Output>) {
        if let Some(peer) = &mut self.peer {
            peer.links.remove(&link);
        }
        out.push(Output::Hangup { link, reason });
    }

    /// Gives the storage a command that it will answer.
    pub(super) fn store(&mut self, command: Output, out: &mut Vec<Output>) {
        if let Some(peer) = &mut self.peer {
            peer.stores += 1;
        }
        out.push(command);
    }

    /// Everything that only members of ensembles hear.
    pub(super) fn ensemble_input(
        &mut self,
        now: Now,
        input: Input,
        replica: &Replica,
        out: &mut Vec<Output>,
    ) {
        match &input {
            Input::Vote { from, message } => return self.vote(now, *from, message, replica, out),
            Input::Unreachable(server) => return self.unreachable(now, *server, replica, out),
            Input::Reachable(server) => return self.reachable(*server),
            _ => {}
        }
        if !self.stored(&input) {
            return;
        }
        self.note_link(&input);
        match &self.role {
            Role::Standalone(_) => {}
            Role::Draining | Role::Looking => self.park_or_ignore(now, input, out),
            Role::Leading(_) => self.leader_input(now, input, replica, out),
            Role::Learning(..) => self.learner_input(now, input, replica, out),
        }
        self.look_if_drained(now, replica, out);
    }

    /// Notes what the storage has done. Whether the input is to be looked at further: an answer about
    /// a history that has been replaced since is not.
    fn stored(&mut self, input: &Input) -> bool {
        let is_learning = matches!(self.role, Role::Learning(..));
        let Some(peer) = &mut self.peer else {
            return false;
        };
        match *input {
            Input::EpochAccepted(epoch) => peer.epochs.accepted = epoch,
            Input::EpochEntered(epoch) => peer.epochs.current = epoch,
            Input::Truncated { generation, .. }
            | Input::CannotTruncate { generation, .. }
            | Input::CannotInstall { generation, .. }
            | Input::Installed { generation }
                if generation != self.generation =>
            {
                return false;
            }
            Input::Truncated { .. } if mutant!(Zk5094) && !is_learning => {}
            Input::Truncated { last, .. } => peer.replaced(last),
            Input::Installed { .. } => peer.replaced(peer.installing),
            Input::CannotTruncate { .. } | Input::CannotInstall { .. } => {}
            _ => return true,
        }
        peer.stores = peer.stores.saturating_sub(1);
        true
    }

    fn note_link(&mut self, input: &Input) {
        let Some(peer) = &mut self.peer else {
            return;
        };
        match input {
            Input::LinkAccepted(link) => {
                peer.links.insert(*link);
            }
            Input::LinkDown(link) => {
                peer.links.remove(link);
                peer.parked.remove(*link);
            }
            _ => {}
        }
    }

    fn park_or_ignore(&mut self, now: Now, input: Input, out: &mut Vec<Output>) {
        let Some(peer) = &mut self.peer else {
            return;
        };
        let (link, parked) = match input {
            Input::LinkAccepted(link) => (link, peer.parked.add(link, now.mono_ms)),
            Input::Packet(link, packet) => (link, peer.parked.keep(link, packet)),
            Input::PacketRun(link, _) if peer.parked.contains(link) => (link, Err(MUST_WAIT)),
            // Of an earlier role.
            _ => return,
        };
        if let Err(reason) = parked {
            self.end_parked(link, reason, out);
        }
    }

    fn end_parked(&mut self, link: LinkId, reason: &str, out: &mut Vec<Output>) {
        if let Some(peer) = &mut self.peer {
            peer.parked.remove(link);
            peer.links.remove(&link);
        }
        let reason = reason.to_owned();
        out.push(Output::Hangup { link, reason });
    }

    /// Whoever has waited in vain for this server to lead looks again.
    fn end_overdue_links(&mut self, now: Now, out: &mut Vec<Output>) {
        let overdue = self
            .peer
            .as_mut()
            .map(|peer| peer.parked.take_overdue(now.mono_ms));
        for link in overdue.unwrap_or_default() {
            self.end_parked(link, "this server does not lead", out);
        }
    }

    fn vote(
        &mut self,
        now: Now,
        from: ServerId,
        message: &Bytes,
        replica: &Replica,
        out: &mut Vec<Output>,
    ) {
        // What is no notification is not worth more than the bytes it came in.
        let Ok(notification) = Notification::decode(message) else {
            return;
        };
        self.elect(now, replica, out, |election, membership, actions| {
            election.receive(now.mono_ms, membership, from, &notification, actions);
        });
    }

    /// An election need not wait for this server.
    pub(super) fn unreachable(
        &mut self,
        now: Now,
        server: ServerId,
        replica: &Replica,
        out: &mut Vec<Output>,
    ) {
        self.elect(now, replica, out, |election, membership, actions| {
            election.unreachable(now.mono_ms, membership, server, actions);
        });
    }

    fn reachable(&mut self, server: ServerId) {
        if let Some(peer) = &mut self.peer {
            peer.election.reachable(server);
        }
    }

    fn elect(
        &mut self,
        now: Now,
        replica: &Replica,
        out: &mut Vec<Output>,
        act: impl FnOnce(&mut Election, &Membership, &mut Vec<ElectionAction>),
    ) {
        let Some(peer) = &mut self.peer else {
            return;
        };
        let mut actions = Vec::new();
        act(&mut peer.election, &peer.membership, &mut actions);
        for action in actions {
            match action {
                ElectionAction::Send { to, notification } => out.push(Output::Vote {
                    to,
                    message: notification.encode(),
                }),
                ElectionAction::Decided(vote) => self.decided(now, vote, replica, out),
                ElectionAction::Outdone(voter) => self.outdone(voter, out),
            }
        }
        self.look_if_drained(now, replica, out);
    }

    /// A better candidate came too late to be elected. With a quorum this server leads all the same.
    fn outdone(&mut self, voter: ServerId, out: &mut Vec<Output>) {
        let Role::Leading(leader) = &self.role else {
            return;
        };
        if leader.epoch().is_none() {
            self.resign(format!("server {voter} has a better vote"), out);
        }
    }

    fn decided(&mut self, now: Now, vote: Vote, replica: &Replica, out: &mut Vec<Output>) {
        if !matches!(self.role, Role::Looking) {
            return;
        }
        self.stop_serving_reads(out);
        if vote.leader == self.me {
            self.take_office(now, replica, out);
        } else {
            self.join(now, vote.leader, replica, out);
        }
        out.push(Output::RoleChanged);
    }

    fn take_office(&mut self, now: Now, replica: &Replica, out: &mut Vec<Output>) {
        let Some(peer) = &mut self.peer else {
            return;
        };
        let mut actions = Vec::new();
        let mut leader = Leader::new(
            now.mono_ms,
            &peer.settings,
            &peer.membership,
            peer.epochs,
            peer.appended,
            &mut actions,
        );
        for (link, packets) in peer.parked.take() {
            leader.link_opened(now.mono_ms, link);
            for packet in &packets {
                leader.packet(now.mono_ms, link, packet, &peer.history, &mut actions);
            }
        }
        self.role = Role::Leading(Box::new(leader));
        self.carry_out(now, &mut actions, replica, out);
    }

    fn join(&mut self, now: Now, leader: ServerId, replica: &Replica, out: &mut Vec<Output>) {
        let Some(peer) = &mut self.peer else {
            return;
        };
        peer.parked.clear();
        for link in std::mem::take(&mut peer.links) {
            let reason = format!("server {leader} was elected, not this one");
            out.push(Output::Hangup { link, reason });
        }
        let kind = if peer.observes {
            LearnerKind::Observer
        } else {
            LearnerKind::Follower
        };
        let mut actions = Vec::new();
        let learner = Learner::new(
            now.mono_ms,
            &peer.settings,
            &peer.membership,
            kind,
            leader,
            peer.epochs,
            peer.appended,
            &mut actions,
        );
        self.role = Role::Learning(Box::new(learner), Desk::default());
        self.follow(now, &mut actions, replica, out);
    }

    /// The role's epoch is established: clients may come.
    pub(super) fn peer_established(&mut self, epoch: Epoch, serves: bool, out: &mut Vec<Output>) {
        let Some(peer) = &mut self.peer else {
            return;
        };
        peer.history.advance_to(Zxid::start_of(epoch));
        peer.election.set_vote_epoch(epoch);
        peer.serving = serves;
        if serves {
            out.push(Output::Serve(true));
        }
        out.push(Output::RoleChanged);
    }

    pub(super) fn peer_persisted(
        &mut self,
        now: Now,
        upto: Zxid,
        replica: &Replica,
        out: &mut Vec<Output>,
    ) {
        if let Some(peer) = &mut self.peer {
            peer.durable = peer.durable.max(upto);
        }
        self.lead(now, replica, out, |leader, _, actions| {
            leader.persisted(upto, actions);
        });
        self.learn(now, replica, out, |learner, actions| {
            learner.persisted(upto, actions);
        });
        self.look_if_drained(now, replica, out);
    }

    pub(super) fn peer_timer(&mut self, now: Now, replica: &Replica, out: &mut Vec<Output>) {
        match &self.role {
            Role::Standalone(_) | Role::Draining => {}
            Role::Looking => {
                self.elect(now, replica, out, |election, membership, actions| {
                    election.timer(now.mono_ms, membership, actions);
                });
                self.end_overdue_links(now, out);
                self.serve_reads_if_due(now, out);
            }
            Role::Leading(_) => self.lead(now, replica, out, |leader, _, actions| {
                leader.timer(now.mono_ms, actions);
            }),
            Role::Learning(..) => self.learn(now, replica, out, |learner, actions| {
                learner.timer(now.mono_ms, actions);
            }),
        }
        self.look_if_drained(now, replica, out);
    }

    /// Leaves the role. Nothing new reaches the log until the next one (obligation 4).
    pub(super) fn resign(&mut self, reason: String, out: &mut Vec<Output>) {
        self.hang_up_on_leader(reason.clone(), out);
        if let Some(peer) = &mut self.peer {
            peer.serving = false;
            peer.stepping_down = None;
            peer.election.leave();
            for link in std::mem::take(&mut peer.links) {
                let reason = reason.clone();
                out.push(Output::Hangup { link, reason });
            }
        }
        self.role = Role::Draining;
        self.sessions = Sessions::new(self.settings.tick_ms, ErrorCode::SessionExpired);
        self.local = self.sessions.clone();
        self.bound.clear();
        self.barriers.clear();
        out.push(Output::Serve(false));
        out.push(Output::Resigned { reason });
        out.push(Output::RoleChanged);
    }

    /// Once the log has everything it was given, what is logged and not committed becomes part of
    /// this server's history, which is what it votes with (Java `fastForwardDataBase`).
    pub(super) fn look_if_drained(&mut self, now: Now, replica: &Replica, out: &mut Vec<Output>) {
        let drained = self.peer.as_ref().is_some_and(|peer| peer.is_drained());
        if !drained || !matches!(self.role, Role::Draining) || self.halted {
            return;
        }
        for proposal in self.proposals.drain(..) {
            if let Some(peer) = &mut self.peer {
                peer.committed(proposal.record.header.zxid, proposal.bytes);
            }
            out.push(Output::Commit {
                record: proposal.record,
                owner: None,
            });
        }
        self.pending = Pending::new(replica);
        self.role = Role::Looking;
        let Some(peer) = &mut self.peer else {
            return;
        };
        peer.looking_since_ms = now.mono_ms;
        self.room.others_are_asked(now.mono_ms);
        let (last, epoch) = (peer.appended, peer.epochs.current);
        self.elect(now, replica, out, |election, membership, actions| {
            election.start(now.mono_ms, membership, last, epoch, actions);
        });
    }
}

impl From<LeaderPhase> for PeerPhase {
    fn from(phase: LeaderPhase) -> PeerPhase {
        match phase {
            LeaderPhase::Discovery => PeerPhase::Discovery,
            LeaderPhase::Synchronization => PeerPhase::Synchronization,
            LeaderPhase::Broadcast => PeerPhase::Broadcast,
        }
    }
}

impl From<LearnerPhase> for PeerPhase {
    fn from(phase: LearnerPhase) -> PeerPhase {
        match phase {
            LearnerPhase::Discovery => PeerPhase::Discovery,
            LearnerPhase::Synchronization => PeerPhase::Synchronization,
            LearnerPhase::Broadcast => PeerPhase::Broadcast,
        }
    }
}

#[cfg(test)]
mod tests;
