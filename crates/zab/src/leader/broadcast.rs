//! Proposals, acknowledgements and commits (spec §6.7, §6.9; Java `Leader.propose`, `processAck`,
//! `commit`, `inform`, `processSync`).

use super::peer::{Peer, Role, Stage};
use super::reign::Reign;
use super::{Leader, LeaderAction};
use crate::LinkId;
use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use bytes::Bytes;
use zooid_proto::quorum::Revalidated;
use zooid_proto::{Jute, PacketRun, PacketType, QuorumPacket, SessionId, Zxid};

impl Leader {
    /// The zxid of the next proposal. `None` when the epoch has none left, and the leader must resign for
    /// a new one. Also before it is established.
    #[must_use]
    pub fn next_zxid(&self) -> Option<Zxid> {
        let next = self.reign()?.last_proposed().next();
        (next.counter() <= self.settings.counter_max).then_some(next)
    }

    /// Proposes the transaction that [`Leader::next_zxid`] has given a zxid, to every follower that
    /// live traffic goes to. The caller's own log has it, or gets it.
    ///
    /// # Panics
    /// If the leader is not established, or it is another zxid: a confused replica stops.
    pub fn propose(&mut self, now_ms: i64, zxid: Zxid, record: Bytes, out: &mut Vec<LeaderAction>) {
        assert_eq!(
            self.next_zxid(),
            Some(zxid),
            "proposals must take consecutive zxids of an established epoch"
        );
        let packet = QuorumPacket::with_data(PacketType::Proposal, zxid, record.clone());
        if let Some(reign) = self.reign_mut() {
            reign.propose(zxid, record);
        }
        self.own.proposed(now_ms, zxid);
        for peer in self.peers.values_mut() {
            if peer.takes_proposals() && matches!(peer.stage, Stage::NewLeaderAcked | Stage::Active)
            {
                peer.unacknowledged.proposed(now_ms, zxid);
            }
        }
        if let Some(followers) = self.followers() {
            out.push(LeaderAction::Broadcast(followers, packet));
        }
    }

    /// The links to whom proposals go, if there are any. They seldom change: the list is kept.
    fn followers(&mut self) -> Option<Arc<[LinkId]>> {
        let takes = |(link, peer): (&LinkId, &Peer)| peer.takes_proposals().then_some(*link);
        let now = || self.peers.iter().filter_map(takes);
        if !now().eq(self.followers.iter().copied()) {
            self.followers = now().collect();
        }
        (!self.followers.is_empty()).then(|| Arc::clone(&self.followers))
    }

    /// This server's own log is durable up to `upto`: its own acknowledgement.
    pub fn persisted(&mut self, upto: Zxid, out: &mut Vec<LeaderAction>) {
        self.durable = upto.max(self.durable);
        self.own.acknowledged(upto);
        let (me, start) = (self.settings.me, self.epoch_start());
        if let Some(reign) = self.reign_mut()
            && upto > start
        {
            reign.ack(me, upto);
        }
        self.commit(out);
    }

    /// A learner's ACK: of NEWLEADER, or of everything up to a proposal.
    pub(super) fn acknowledged(
        &mut self,
        now_ms: i64,
        link: LinkId,
        zxid: Zxid,
        out: &mut Vec<LeaderAction>,
    ) -> Result<(), String> {
        let start = self.epoch_start();
        let last_proposed = self.last_proposed();
        let Some(peer) = self.peers.get_mut(&link) else {
            return Ok(());
        };
        if zxid > last_proposed {
            return Err(format!(
                "{} acknowledges {zxid}, which was never proposed",
                peer.id
            ));
        }
        // Followers up to 3.8.4 also acknowledge the older transactions that they were brought up to
        // date with, and everyone acknowledges the epoch's start a second time, after UPTODATE.
        let is_of_epoch = zxid > start;
        match &mut peer.stage {
            Stage::Syncing { early, .. } if zxid == start => {
                let early = early.take();
                self.new_leader_acknowledged(now_ms, link, early, out);
            }
            Stage::Syncing { early, .. } if is_of_epoch => *early = (*early).max(Some(zxid)),
            Stage::NewLeaderAcked | Stage::Active if is_of_epoch => {
                peer.unacknowledged.acknowledged(zxid);
                self.count(link, zxid, out);
            }
            _ => {}
        }
        Ok(())
    }

    /// Counts an acknowledgement, if it is a voter's.
    pub(super) fn count(&mut self, link: LinkId, upto: Zxid, out: &mut Vec<LeaderAction>) {
        let voter = self
            .peers
            .get(&link)
            .filter(|peer| peer.role == Role::Voter)
            .map(|peer| peer.id);
        if let (Some(id), Some(reign)) = (voter, self.reign_mut()) {
            reign.ack(id, upto);
            self.commit(out);
        }
    }

    /// Tells everyone of what has become committed, and then whoever has waited for it.
    fn commit(&mut self, out: &mut Vec<LeaderAction>) {
        while let Some(first) = self.reign().and_then(Reign::next_to_commit) {
            self.answer_syncs_before(first, out);
            self.commit_run(first, out);
            self.answer_syncs(out);
        }
        self.answer_syncs(out);
    }

    /// Commits as much as there is up to the next sync that waits.
    fn commit_run(&mut self, first: Zxid, out: &mut Vec<LeaderAction>) {
        let Some(last) = self.reign().map(Reign::run_end) else {
            return;
        };
        let run = PacketRun {
            kind: PacketType::Commit,
            first,
            last,
        };
        for (link, peer) in &self.peers {
            if peer.takes_proposals() {
                out.push(LeaderAction::SendRun(*link, run));
            }
        }
        let observers = self.links_of(Peer::is_informed);
        for zxid in run.zxids() {
            let committed = self.reign_mut().and_then(Reign::next_committed);
            let (oldest, record) = committed.expect("it is committable");
            assert_eq!(zxid, oldest, "commits must leave in the order of proposals");
            if let Some(observers) = &observers {
                let packet = QuorumPacket::with_data(PacketType::Inform, zxid, record);
                out.push(LeaderAction::Broadcast(Arc::clone(observers), packet));
            }
            out.push(LeaderAction::Committed(zxid));
        }
    }

    /// The links of those for whom `is_one` holds, if there are any.
    fn links_of(&self, is_one: impl Fn(&Peer) -> bool) -> Option<Arc<[LinkId]>> {
        let mut links = self
            .peers
            .iter()
            .filter(|(_, peer)| is_one(peer))
            .peekable();
        links.peek()?;
        Some(links.map(|(link, _)| *link).collect())
    }

    /// Answers a learner's forwarded sync(), behind everything that is proposed by now and before
    /// everything that is not, and when this server is known to have led after it came.
    pub fn sync(&mut self, link: LinkId, out: &mut Vec<LeaderAction>) {
        if !self.peers.get(&link).is_some_and(|peer| peer.is_active()) {
            return;
        }
        let round = self.confirm(out);
        if let Some(reign) = self.reign_mut() {
            reign.sync(link, round);
        }
        self.answer_syncs(out);
    }

    /// Answers those whose wait is over.
    pub(super) fn answer_syncs(&mut self, out: &mut Vec<LeaderAction>) {
        while let Some(link) = self.reign_mut().and_then(|reign| reign.next_sync_due()) {
            out.push(sync_reply(link));
        }
    }

    fn answer_syncs_before(&mut self, zxid: Zxid, out: &mut Vec<LeaderAction>) {
        let next = |reign: &mut Reign| reign.next_sync_before(zxid);
        while let Some(link) = self.reign_mut().and_then(next) {
            out.push(sync_reply(link));
        }
    }

    /// Answers a [`LeaderAction::Revalidate`].
    pub fn revalidated(
        &mut self,
        link: LinkId,
        session: SessionId,
        valid: bool,
        out: &mut Vec<LeaderAction>,
    ) {
        if self.peers.contains_key(&link) {
            let mut data = Vec::new();
            Revalidated { session, valid }.encode(&mut data);
            let packet = QuorumPacket::with_data(PacketType::Revalidate, Zxid::NONE, data);
            out.push(LeaderAction::Send(link, packet));
        }
    }

    /// The newest zxid handed out; the epoch's start counts as one.
    #[must_use]
    pub fn last_proposed(&self) -> Zxid {
        let reign = self.reign();
        reign.map_or_else(|| self.epoch_start(), |reign| reign.last_proposed())
    }

    /// The newest committed zxid; the epoch's start counts as one when the leader is established.
    #[must_use]
    pub fn last_committed(&self) -> Zxid {
        self.reign()
            .map_or(self.last, |reign| reign.last_committed())
    }

    /// Proposals in flight.
    #[must_use]
    pub fn outstanding(&self) -> usize {
        self.reign().map_or(0, |reign| reign.outstanding())
    }
}

fn sync_reply(link: LinkId) -> LeaderAction {
    LeaderAction::Send(link, QuorumPacket::new(PacketType::Sync, Zxid::ZERO))
}
