//! What leaders and learners ask for is done to their servers and links.

use super::{Index, Link, Message, World, number, record};
use crate::server::{Command, Part, Server};
use crate::truth::Entry;
use std::collections::VecDeque;
use zooid_proto::{PacketType, QuorumPacket, ServerId, Zxid};
use zooid_zab::{History, Leader, LeaderAction, Learner, LearnerAction, LinkId};

/// What a learner never has a reason to say of an honest leader, nor a leader of an honest learner.
const ACCUSATIONS: [&str; 8] = [
    "does not follow",
    "but this server's history",
    "was not in the log",
    "never proposed",
    "out of place",
    "is next",
    "while",
    "bad ",
];

impl World {
    pub(super) fn lead(
        &mut self,
        index: Index,
        step: impl FnOnce(&mut Leader, i64, &History, &mut Vec<LeaderAction>),
    ) {
        let Part::Leading { leader, history } = &mut self.servers[index].part else {
            return;
        };
        let mut out = Vec::new();
        step(leader, self.now_ms, history, &mut out);
        self.perform_leading(index, out);
    }

    pub(super) fn perform_leading(&mut self, index: Index, actions: Vec<LeaderAction>) {
        for action in actions {
            self.seen.insert(name(&action));
            match action {
                LeaderAction::Send(id, packet) => self.send_to_learner(id, Message::Packet(packet)),
                LeaderAction::Broadcast(links, packet) => {
                    for link in links.iter() {
                        self.send_to_learner(*link, Message::Packet(packet.clone()));
                    }
                }
                LeaderAction::SendRun(link, run) => {
                    for packet in run.packets() {
                        self.send_to_learner(link, Message::Packet(packet));
                    }
                }
                LeaderAction::SendLog { link, after, upto } => {
                    self.send_log(index, link, after, upto);
                }
                LeaderAction::SendSnapshot(link) => {
                    let server = &self.servers[index];
                    let entries = server.appended[..server.applied].to_vec();
                    let Part::Leading { history, .. } = &server.part else {
                        continue;
                    };
                    let last = history.last();
                    self.send_to_learner(link, Message::Snapshot(last, entries));
                }
                LeaderAction::ProbeLog { link, after } => {
                    if let Some(link) = self.links.get_mut(&link) {
                        link.to_leader.push_back(Message::Probe(after));
                    }
                }
                LeaderAction::Hangup(link, reason) => {
                    check_reason(&reason);
                    self.cut(link);
                }
                LeaderAction::AcceptEpoch(epoch) => self.command(index, Command::Accept(epoch)),
                LeaderAction::EnterEpoch(epoch) => self.command(index, Command::Enter(epoch)),
                LeaderAction::Established(epoch) => {
                    let leader = &self.servers[index];
                    self.truth
                        .established(leader, epoch, &self.servers, &self.membership);
                    if let Part::Leading { history, .. } = &mut self.servers[index].part {
                        history.advance_to(Zxid::start_of(epoch));
                    }
                }
                LeaderAction::Committed(zxid) => self.commit(index, zxid),
                LeaderAction::Confirmed => self.confirmed(index),
                LeaderAction::Touched(_) => {}
                LeaderAction::Request(..) | LeaderAction::Revalidate { .. } => {
                    unreachable!("nobody asks")
                }
                LeaderAction::Resign(reason) => self.resign(index, &reason),
            }
        }
    }

    fn send_log(&mut self, index: Index, link: LinkId, after: Zxid, upto: Zxid) {
        let part: Vec<Entry> = self.servers[index]
            .log()
            .iter()
            .filter(|entry| entry.zxid > after && entry.zxid <= upto)
            .copied()
            .collect();
        let end = part.last().map(|entry| entry.zxid);
        assert_eq!(end, Some(upto), "the log must lead to where it is to end");
        for entry in part {
            let (zxid, data) = (entry.zxid, record(entry));
            let proposal = QuorumPacket::with_data(PacketType::Proposal, zxid, data);
            self.send_to_learner(link, Message::Packet(proposal));
            let commit = QuorumPacket::new(PacketType::Commit, zxid);
            self.send_to_learner(link, Message::Packet(commit));
        }
    }

    fn commit(&mut self, index: Index, zxid: Zxid) {
        let server = &mut self.servers[index];
        let entry = server.appended[server.applied];
        assert_eq!(
            entry.zxid, zxid,
            "commits must be in the order of proposals"
        );
        server.applied += 1;
        if let Part::Leading { history, .. } = &mut server.part {
            history.push(zxid, record(entry));
        }
        let leader = &self.servers[index];
        self.truth
            .committed(leader, entry, &self.servers, &self.membership);
        self.truth.applied(leader);
    }

    /// Somebody asks all who lead, or think so, whether they have everything.
    pub(super) fn ask_leaders(&mut self) {
        for index in 0..self.servers.len() {
            self.ask(index);
        }
    }

    fn ask(&mut self, index: Index) {
        let known = self.truth.committed.len();
        let mut asked = None;
        self.lead(index, |leader, _, _, out| {
            if leader.is_established() {
                asked = Some((leader.confirm(out), known));
            }
        });
        self.servers[index].asked.extend(asked);
        self.confirmed(index);
    }

    /// A leader that is confirmed has all that was committed when it was asked (ZOOKEEPER-1675).
    fn confirmed(&mut self, index: Index) {
        let server = &mut self.servers[index];
        let Part::Leading { leader, .. } = &server.part else {
            return;
        };
        let confirmed = leader.confirmed();
        while let Some((_, known)) = server.asked.pop_front_if(|(round, _)| *round <= confirmed) {
            self.seen.insert("confirmed");
            assert!(
                server.applied >= known,
                "{} is confirmed, and others have gone on without it",
                server.id
            );
        }
    }

    pub(super) fn learn(
        &mut self,
        index: Index,
        step: impl FnOnce(&mut Learner, i64, &mut Vec<LearnerAction>),
    ) {
        let Part::Following { learner, .. } = &mut self.servers[index].part else {
            return;
        };
        let mut out = Vec::new();
        step(learner, self.now_ms, &mut out);
        self.perform_learning(index, out);
    }

    pub(super) fn perform_learning(&mut self, index: Index, actions: Vec<LearnerAction>) {
        for action in actions {
            let Part::Following { link, snapshot, .. } = &mut self.servers[index].part else {
                return;
            };
            match action {
                LearnerAction::Dial(leader) => self.dial(index, leader),
                LearnerAction::Send(packet) => {
                    if let Some(link) = link.and_then(|id| self.links.get_mut(&id)) {
                        link.to_leader.push_back(Message::Packet(packet));
                    }
                }
                LearnerAction::SendRun(run) => {
                    if let Some(link) = link.and_then(|id| self.links.get_mut(&id)) {
                        link.to_leader.extend(run.packets().map(Message::Packet));
                    }
                }
                LearnerAction::Hangup(reason) => {
                    check_reason(&reason);
                    link.take().into_iter().for_each(|id| self.cut(id));
                }
                LearnerAction::AcceptEpoch(epoch) => self.command(index, Command::Accept(epoch)),
                LearnerAction::EnterEpoch(epoch) => self.command(index, Command::Enter(epoch)),
                LearnerAction::Append(zxid, record) => {
                    let number = number(&record);
                    let entry = Entry { zxid, number };
                    self.servers[index].appended.push(entry);
                    self.command(index, Command::Append(entry));
                }
                LearnerAction::Commit(zxid) => {
                    let server = &mut self.servers[index];
                    assert_eq!(server.appended[server.applied].zxid, zxid);
                    server.applied += 1;
                    // What it is brought up to date with is committed when the leader is established.
                    if server.is_serving() {
                        self.truth.applied(&self.servers[index]);
                    }
                }
                LearnerAction::Truncate(to) => self.command(index, Command::Truncate(to)),
                LearnerAction::Install(_) => {
                    let entries = snapshot.take().expect("one was received");
                    self.command(index, Command::Install(entries));
                }
                LearnerAction::Serve(_) => self.truth.applied(&self.servers[index]),
                LearnerAction::Ping(zxid) => {
                    self.learn(index, |learner, _, out| learner.pong(zxid, &[], out));
                }
                LearnerAction::SyncDone | LearnerAction::Revalidated { .. } => {
                    unreachable!("nobody has asked")
                }
                // Who is elected is drawn by lot here.
                LearnerAction::Silent(_) => {}
                LearnerAction::Resign(reason) => self.resign(index, &reason),
                LearnerAction::Halt(reason) => panic!("a server has stopped: {reason}"),
            }
        }
    }

    fn dial(&mut self, index: Index, leader: ServerId) {
        let is_he = |server: &Server| server.id == leader && server.is_leading();
        let Some(at) = self.servers.iter().position(is_he) else {
            return self.learn(index, |learner, now_ms, out| learner.link_down(now_ms, out));
        };
        let id = LinkId(self.next_link);
        self.next_link += 1;
        let opened = Link {
            leader: at,
            learner: index,
            to_leader: VecDeque::new(),
            to_learner: VecDeque::new(),
        };
        self.links.insert(id, opened);
        if let Part::Following { link, .. } = &mut self.servers[index].part {
            *link = Some(id);
        }
        self.lead(at, |leader, now_ms, _, _| leader.link_opened(now_ms, id));
        self.learn(index, |learner, now_ms, out| learner.link_up(now_ms, out));
    }

    fn send_to_learner(&mut self, id: LinkId, message: Message) {
        if let Some(link) = self.links.get_mut(&id)
            && !matches!(link.to_learner.back(), Some(Message::Down))
        {
            link.to_learner.push_back(message);
        }
    }

    fn command(&mut self, index: Index, command: Command) {
        self.servers[index].queue.push_back(command);
    }
}

fn name(action: &LeaderAction) -> &'static str {
    match action {
        LeaderAction::Send(_, packet) | LeaderAction::Broadcast(_, packet) => match packet.kind {
            PacketType::Diff => "DIFF",
            PacketType::Trunc => "TRUNC",
            PacketType::Inform => "INFORM",
            _ => "another packet",
        },
        LeaderAction::SendLog { .. } => "log",
        LeaderAction::SendSnapshot(_) => "snapshot",
        LeaderAction::Established(epoch) if epoch.0 > 2 => "third reign",
        LeaderAction::Hangup(_, reason) if reason.contains("anew") => "connected anew",
        LeaderAction::Hangup(_, reason) if reason.contains("ahead") => "ahead of the leader",
        LeaderAction::Hangup(_, reason) if reason.contains("acknowledges") => "late",
        LeaderAction::Hangup(..) => "silent",
        LeaderAction::Resign(reason) if reason.contains("too few") => "quorum lost",
        LeaderAction::Resign(_) => "no reign",
        _ => "another action",
    }
}

pub(super) fn check_reason(reason: &str) {
    for accusation in ACCUSATIONS {
        assert!(!reason.contains(accusation), "{reason}");
    }
}
