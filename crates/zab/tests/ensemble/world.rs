//! Servers, the links between them, and everything that can happen next.

mod actions;

use crate::random::Random;
use crate::server::{Command, Part, Server};
use crate::truth::{Entry, Truth};
use actions::check_reason;
use bytes::Bytes;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt;
use zooid_proto::{QuorumPacket, ServerId, Zxid};
use zooid_zab::{
    EnsembleSettings, History, Leader, Learner, LearnerKind, LinkId, LogProbe, Membership,
    QuorumVerifier, View,
};

/// Where a server is in `servers`.
type Index = usize;

pub(crate) struct World {
    random: Random,
    now_ms: i64,
    membership: Membership,
    servers: Vec<Server>,
    links: BTreeMap<LinkId, Link>,
    next_link: u64,
    next_number: u64,
    truth: Truth,
    is_healed: bool,
    /// A server whose disk hangs.
    hanging: Option<Index>,
    /// A link on which nothing moves.
    stuck: Option<LinkId>,
    /// A server that hears of nothing, not even of the time.
    frozen: Option<Index>,
    /// What has happened at least once.
    seen: BTreeSet<&'static str>,
}

struct Link {
    leader: Index,
    learner: Index,
    to_leader: VecDeque<Message>,
    to_learner: VecDeque<Message>,
}

enum Message {
    Packet(QuorumPacket),
    Snapshot(Zxid, Vec<Entry>),
    /// The leader's own log has been asked.
    Probe(Zxid),
    Down,
}

impl World {
    pub(crate) fn new(seed: u64) -> World {
        let mut random = Random::new(seed);
        let voters = if random.one_in(3) { 5 } else { 3 };
        let ids: BTreeSet<ServerId> = (1..=voters).map(ServerId).collect();
        let membership = Membership::fixed(View {
            version: 0,
            verifier: QuorumVerifier::Majority(ids.clone()),
            voters: ids,
            observers: BTreeSet::from([ServerId(9)]),
            text: Bytes::new(),
        });
        let followers = (1..=voters).map(|id| Server::new(id, LearnerKind::Follower));
        let observer = Server::new(9, LearnerKind::Observer);
        World {
            random,
            now_ms: 0,
            membership,
            servers: followers.chain([observer]).collect(),
            links: BTreeMap::new(),
            next_link: 1,
            next_number: 0,
            truth: Truth::default(),
            is_healed: false,
            hanging: None,
            stuck: None,
            frozen: None,
            seen: BTreeSet::new(),
        }
    }

    pub(crate) fn seen(&self) -> &BTreeSet<&'static str> {
        &self.seen
    }

    /// Nothing breaks from here on, and everyone that was down comes up.
    pub(crate) fn heal(&mut self) {
        self.is_healed = true;
        self.hanging = None;
        self.stuck = None;
        self.frozen = None;
        for server in &mut self.servers {
            if matches!(server.part, Part::Down) {
                server.part = Part::Looking;
            }
        }
    }

    /// Everyone serves, and has all that is committed. Who has promised itself to a newer epoch than the
    /// leader's has to wait for the next election, as in ZooKeeper; a quorum never has.
    pub(crate) fn is_well(&self) -> bool {
        let epoch = self.servers.iter().find_map(Server::reigning);
        self.servers.iter().all(|server| {
            let is_bound = Some(server.disk.epochs.accepted) > epoch;
            let has_all = server.applied == self.truth.committed.len();
            epoch.is_some() && (is_bound || server.is_serving() && has_all && server.is_idle())
        })
    }

    pub(crate) fn step(&mut self) {
        let index = self.random.below(self.servers.len());
        match self.random.below(100) {
            0..45 => self.deliver(),
            45..74 => self.write(index),
            74 => self.ask_leaders(),
            75..83 => self.pass_time(),
            83..88 => self.elect(),
            88..93 => self.follow(index),
            _ if self.is_healed => self.deliver(),
            93..96 => self.propose(index),
            96 => self.stall(index),
            97 => self.cut_any(),
            98 => self.crash(index),
            _ => self.restart(index),
        }
    }

    fn deliver(&mut self) {
        if self.links.is_empty() {
            return;
        }
        let nth = self.random.below(self.links.len());
        let is_to_leader = self.random.one_in(2);
        let Some((&id, link)) = self.links.iter_mut().nth(nth) else {
            return;
        };
        if self.stuck == Some(id) {
            return;
        }
        let (index, queue) = if is_to_leader {
            (link.leader, &mut link.to_leader)
        } else {
            (link.learner, &mut link.to_learner)
        };
        if self.frozen == Some(index) {
            return;
        }
        let Some(message) = queue.pop_front() else {
            return;
        };
        if is_to_leader {
            self.tell_leader(index, id, &message);
        } else {
            self.tell_learner(index, id, &message);
        }
        self.forget_if_over(id);
    }

    /// A link whose ends have both heard of its end can go.
    fn forget_if_over(&mut self, id: LinkId) {
        let Some(link) = self.links.get(&id) else {
            return;
        };
        let is_quiet = link.to_leader.is_empty() && link.to_learner.is_empty();
        let is_in_use = self.servers[link.leader].is_leading() && self.is_linked(link.learner, id);
        if is_quiet && !is_in_use {
            self.links.remove(&id);
        }
    }

    fn is_linked(&self, index: Index, id: LinkId) -> bool {
        matches!(&self.servers[index].part, Part::Following { link, .. } if *link == Some(id))
    }

    fn tell_leader(&mut self, index: Index, id: LinkId, message: &Message) {
        let probe = match message {
            Message::Probe(after) => probe(&self.servers[index], *after),
            _ => LogProbe::Unknown,
        };
        self.lead(index, |leader, now_ms, history, out| match message {
            Message::Packet(packet) => leader.packet(now_ms, id, packet, history, out),
            Message::Probe(_) => leader.log_probed(now_ms, id, probe, history, out),
            Message::Down => leader.link_closed(now_ms, id, out),
            Message::Snapshot(..) => unreachable!("learners send none"),
        });
    }

    fn tell_learner(&mut self, index: Index, id: LinkId, message: &Message) {
        if !self.is_linked(index, id) {
            return;
        }
        if let Message::Snapshot(_, entries) = message
            && let Part::Following { snapshot, .. } = &mut self.servers[index].part
        {
            *snapshot = Some(entries.clone());
        }
        self.learn(index, |learner, now_ms, out| match message {
            Message::Packet(packet) => learner.packet(now_ms, packet, out),
            Message::Snapshot(zxid, _) => learner.snapshot_received(now_ms, *zxid, out),
            Message::Down => learner.link_down(now_ms, out),
            Message::Probe(_) => unreachable!("that is the leader's own"),
        });
    }

    /// The disk does one thing, and says so.
    fn write(&mut self, index: Index) {
        let is_of_epoch = self.random.one_in(2);
        let server = &mut self.servers[index];
        let hangs = self.hanging == Some(index) || self.frozen == Some(index);
        if matches!(server.part, Part::Down) || hangs {
            return;
        }
        let Some(command) = server.write(is_of_epoch) else {
            if matches!(server.part, Part::Draining) {
                server.reload();
                server.part = Part::Looking;
            }
            return;
        };
        let last = server.last();
        if let Command::Truncate(_) | Command::Install(_) = command {
            self.truth.kept(&self.servers, &self.membership);
        }
        self.lead(index, |leader, now_ms, _, out| match command {
            Command::Append(entry) => leader.persisted(entry.zxid, out),
            Command::Accept(epoch) => leader.epoch_accepted(now_ms, epoch, out),
            Command::Enter(epoch) => leader.epoch_entered(now_ms, epoch, out),
            Command::Truncate(_) | Command::Install(_) => unreachable!("a leader cuts nothing"),
        });
        self.learn(index, |learner, now_ms, out| match command {
            Command::Append(entry) => learner.persisted(entry.zxid, out),
            Command::Truncate(_) => learner.truncated(now_ms, last, out),
            Command::Install(_) => learner.installed(now_ms, out),
            Command::Accept(epoch) => learner.epoch_accepted(epoch, out),
            Command::Enter(epoch) => learner.epoch_entered(epoch, out),
        });
    }

    fn pass_time(&mut self) {
        self.now_ms += i64::try_from(self.random.below(40)).expect("it is below 40");
        for index in 0..self.servers.len() {
            if self.frozen == Some(index) {
                continue;
            }
            self.lead(index, |leader, now_ms, _, out| {
                if now_ms >= leader.next_wakeup_ms() {
                    leader.timer(now_ms, out);
                }
            });
            self.learn(index, |learner, now_ms, out| {
                if now_ms >= learner.next_wakeup_ms() {
                    learner.timer(now_ms, out);
                }
            });
        }
    }

    /// The best of those that look for a leader takes office, if they are a quorum; when all is well,
    /// only if nobody is in office.
    fn elect(&mut self) {
        let is_voting =
            |server: &&Server| server.is_looking() && server.kind == LearnerKind::Follower;
        let rank = |server: &&Server| (server.disk.epochs.current, server.last(), server.id);
        let mut electors: Vec<&Server> = self.servers.iter().filter(is_voting).collect();
        if !self.is_healed && !electors.is_empty() && self.random.one_in(2) {
            electors.remove(self.random.below(electors.len()));
        }
        let is_elector = |id| electors.iter().any(|server| server.id == id);
        let is_redundant = self.is_healed && self.servers.iter().any(Server::is_leading);
        if is_redundant || !self.membership.is_quorum(is_elector) {
            return;
        }
        let best = electors
            .into_iter()
            .max_by_key(rank)
            .map(|server| server.id);
        if let Some(index) = self
            .servers
            .iter()
            .position(|server| Some(server.id) == best)
        {
            self.take_office(index);
        }
    }

    fn take_office(&mut self, index: Index) {
        let settings = settings(self.servers[index].id);
        let server = &mut self.servers[index];
        let known = self.random.below(4).min(server.appended.len());
        let (older, window) = server.appended.split_at(server.appended.len() - known);
        let start = older.last().map_or(Zxid::ZERO, |entry| entry.zxid);
        let mut history = History::new(4, start);
        for entry in window {
            history.push(entry.zxid, record(*entry));
        }
        let mut out = Vec::new();
        let leader = Leader::new(
            self.now_ms,
            &settings,
            &self.membership,
            server.disk.epochs,
            server.last(),
            &mut out,
        );
        let leader = Box::new(leader);
        server.asked.clear();
        server.part = Part::Leading { leader, history };
        self.perform_leading(index, out);
    }

    /// A server that looks for a leader finds somebody who says he is.
    fn follow(&mut self, index: Index) {
        let leaders: Vec<ServerId> = self
            .servers
            .iter()
            .filter(|server| server.is_leading())
            .map(|server| server.id)
            .collect();
        if !self.servers[index].is_looking() || leaders.is_empty() {
            return;
        }
        let leader = leaders[self.random.below(leaders.len())];
        let server = &mut self.servers[index];
        let mut out = Vec::new();
        let learner = Learner::new(
            self.now_ms,
            &settings(server.id),
            &self.membership,
            server.kind,
            leader,
            server.disk.epochs,
            server.last(),
            &mut out,
        );
        server.part = Part::Following {
            learner: Box::new(learner),
            link: None,
            snapshot: None,
        };
        self.perform_learning(index, out);
    }

    fn propose(&mut self, index: Index) {
        let number = self.next_number;
        let Part::Leading { leader, .. } = &self.servers[index].part else {
            return;
        };
        let Some(zxid) = leader.next_zxid().filter(|_| leader.outstanding() < 5) else {
            return;
        };
        self.next_number += 1;
        let entry = Entry { zxid, number };
        let server = &mut self.servers[index];
        server.appended.push(entry);
        server.queue.push_back(Command::Append(entry));
        self.lead(index, |leader, now_ms, _, out| {
            leader.propose(now_ms, zxid, record(entry), out);
        });
    }

    fn cut_any(&mut self) {
        if !self.links.is_empty() {
            let nth = self.random.below(self.links.len());
            let id = self.links.keys().nth(nth).copied();
            id.into_iter().for_each(|id| self.cut(id));
        }
    }

    /// Both ends hear of it, each in its own time, and of nothing that was under way.
    fn cut(&mut self, id: LinkId) {
        if let Some(link) = self.links.get_mut(&id) {
            link.to_leader = VecDeque::from([Message::Down]);
            link.to_learner = VecDeque::from([Message::Down]);
        }
    }

    fn cut_all_of(&mut self, index: Index) {
        let is_his = |link: &Link| link.leader == index || link.learner == index;
        let ids: Vec<LinkId> = self
            .links
            .iter()
            .filter(|(_, link)| is_his(link))
            .map(|(id, _)| *id)
            .collect();
        ids.into_iter().for_each(|id| self.cut(id));
    }

    /// Something hangs for a while.
    fn stall(&mut self, index: Index) {
        let is_stalled = self.hanging.is_some() || self.stuck.is_some() || self.frozen.is_some();
        if is_stalled {
            if self.random.one_in(8) {
                self.hanging = None;
                self.stuck = None;
                self.frozen = None;
            }
            return;
        }
        match self.random.below(3) {
            0 => self.hanging = Some(index),
            1 => self.frozen = self.servers.iter().position(Server::is_leading),
            _ => self.stuck = self.links.keys().next_back().copied(),
        }
    }

    fn crash(&mut self, index: Index) {
        if self.random.one_in(3) {
            self.cut_all_of(index);
            let server = &mut self.servers[index];
            server.part = Part::Down;
            server.queue.clear();
            server.reload();
        }
    }

    fn restart(&mut self, index: Index) {
        let server = &mut self.servers[index];
        if matches!(server.part, Part::Down) {
            server.part = Part::Looking;
        }
    }

    fn resign(&mut self, index: Index, reason: &str) {
        check_reason(reason);
        self.cut_all_of(index);
        self.servers[index].part = Part::Draining;
    }
}

fn probe(server: &Server, after: Zxid) -> LogProbe {
    let log = server.log();
    let at = log.partition_point(|entry| entry.zxid <= after);
    let prev = at.checked_sub(1).map(|at| log[at].zxid);
    match (prev, log.get(at)) {
        (Some(prev), Some(next)) => LogProbe::Found {
            prev,
            next: next.zxid,
        },
        _ => LogProbe::Unknown,
    }
}

fn record(entry: Entry) -> Bytes {
    Bytes::copy_from_slice(&entry.number.to_be_bytes())
}

fn number(record: &Bytes) -> u64 {
    let bytes = record[..].try_into().expect("records are numbers");
    u64::from_be_bytes(bytes)
}

fn settings(me: ServerId) -> EnsembleSettings {
    EnsembleSettings {
        me,
        tick_ms: 200,
        init_limit: 10,
        sync_limit: 2,
        notification_ms_min: 0,
        notification_ms_max: 0,
        force_snapshot_sync: false,
        log_sync: true,
        snap_syncs_max: 10,
        diff_syncs_max: 10,
        counter_max: EnsembleSettings::COUNTER_MAX,
    }
}

impl fmt::Display for World {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "at {} ms, {} committed",
            self.now_ms,
            self.truth.committed.len()
        )?;
        for server in &self.servers {
            let part = match &server.part {
                Part::Down => "down".to_string(),
                Part::Draining => "draining".to_string(),
                Part::Looking => "looking".to_string(),
                Part::Leading { leader, .. } => format!("{:?}", leader.status()),
                Part::Following { learner, .. } => format!("{:?}", learner.phase()),
            };
            let (id, last, applied) = (server.id, server.last(), server.applied);
            writeln!(
                f,
                "{id}: to {last}, {applied} applied, {:?}, {part}",
                server.disk.epochs
            )?;
        }
        Ok(())
    }
}
