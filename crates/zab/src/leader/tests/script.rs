//! A leader with its own storage, and learners that say what the test says.

use super::super::*;
use crate::{QuorumVerifier, View};
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::{String, ToString};
use bytes::Bytes;
use zooid_proto::LearnerInfo;

/// Epoch and counter.
pub(super) fn z(epoch: i64, counter: i64) -> Zxid {
    Zxid((epoch << 32) + counter)
}

/// Voters 1 to `voters`, and observers 8 and 9.
pub(super) fn membership(voters: i64) -> Membership {
    let voters: BTreeSet<ServerId> = (1..=voters).map(ServerId).collect();
    Membership::fixed(View {
        version: 7,
        verifier: QuorumVerifier::Majority(voters.clone()),
        voters,
        observers: BTreeSet::from([ServerId(8), ServerId(9)]),
        text: Bytes::from_static(b"version=7"),
    })
}

pub(super) fn settings() -> EnsembleSettings {
    EnsembleSettings {
        me: ServerId(1),
        tick_ms: 100,
        init_limit: 10,
        sync_limit: 5,
        notification_ms_min: 0,
        notification_ms_max: 0,
        force_snapshot_sync: false,
        log_sync: true,
        snap_syncs_max: 10,
        diff_syncs_max: 10,
        counter_max: EnsembleSettings::COUNTER_MAX,
    }
}

/// (4, 1) to (4, 9), of which the window has the last four.
pub(super) fn history() -> History {
    let mut history = History::new(4, Zxid::ZERO);
    for counter in 1..=9 {
        history.push(z(4, counter), Bytes::new());
    }
    history
}

/// What it was told and has not been asked about yet is in `out`; time passes by hand.
pub(super) struct Script {
    pub(super) leader: Leader,
    pub(super) history: History,
    pub(super) now_ms: i64,
    out: Vec<LeaderAction>,
    records: BTreeMap<Zxid, Bytes>,
}

impl Script {
    /// Server 1 of `voters`, with [`history`], in epoch 4.
    pub(super) fn new(voters: i64) -> Script {
        Script::of(&membership(voters), &settings())
    }

    pub(super) fn of(membership: &Membership, settings: &EnsembleSettings) -> Script {
        let epochs = Epochs {
            accepted: Epoch(4),
            current: Epoch(4),
        };
        let mut out = Vec::new();
        let leader = Leader::new(0, settings, membership, epochs, z(4, 9), &mut out);
        Script {
            leader,
            history: history(),
            now_ms: 0,
            out,
            records: BTreeMap::new(),
        }
    }

    /// A leader of epoch 5 that voter 2 follows, on link 2; nothing of it is left to be said.
    pub(super) fn established(voters: i64) -> Script {
        let mut script = Script::new(voters);
        script.establish();
        script
    }

    pub(super) fn establish(&mut self) {
        self.join(2, z(4, 9));
        self.accepted(5);
        self.promise(2, z(4, 9));
        self.entered(5);
        self.ack(2, z(5, 0));
        assert!(self.leader.is_established());
        self.said();
    }

    /// A follower connects on the link of its own number.
    pub(super) fn join(&mut self, id: u64, last: Zxid) {
        self.introduce(id, PacketType::FollowerInfo, id, last);
    }

    pub(super) fn observe(&mut self, id: u64, last: Zxid) {
        self.introduce(id, PacketType::ObserverInfo, id, last);
    }

    pub(super) fn introduce(&mut self, link: u64, kind: PacketType, id: u64, last: Zxid) {
        let info = LearnerInfo {
            server_id: ServerId(i64::try_from(id).unwrap()),
            protocol_version: LearnerInfo::PROTOCOL_VERSION,
            config_version: 7,
        };
        let zxid = Zxid::start_of(last.epoch());
        self.open(link);
        self.packet(link, &QuorumPacket::with_data(kind, zxid, info.to_vec()));
    }

    pub(super) fn open(&mut self, link: u64) {
        self.leader.link_opened(self.now_ms, LinkId(link));
    }

    pub(super) fn close(&mut self, link: u64) {
        self.run(|leader, now_ms, _, out| leader.link_closed(now_ms, LinkId(link), out));
    }

    /// ACKEPOCH, with the epoch of the transaction.
    pub(super) fn promise(&mut self, link: u64, last: Zxid) {
        self.promise_in(link, last.epoch().0, last);
    }

    pub(super) fn promise_in(&mut self, link: u64, epoch: i64, last: Zxid) {
        let data = i32::try_from(epoch).unwrap().to_vec();
        self.packet(
            link,
            &QuorumPacket::with_data(PacketType::AckEpoch, last, data),
        );
    }

    /// A learner of an established leader, up to the moment when it has been sent everything.
    pub(super) fn catch_up(&mut self, id: u64, last: Zxid) {
        self.join(id, last);
        self.promise(id, last);
    }

    pub(super) fn ack(&mut self, link: u64, zxid: Zxid) {
        self.packet(link, &QuorumPacket::new(PacketType::Ack, zxid));
    }

    pub(super) fn packet(&mut self, link: u64, packet: &QuorumPacket) {
        self.run(|leader, now_ms, history, out| {
            leader.packet(now_ms, LinkId(link), packet, history, out);
        });
    }

    pub(super) fn probed(&mut self, link: u64, probe: LogProbe) {
        self.run(|leader, now_ms, history, out| {
            leader.log_probed(now_ms, LinkId(link), probe, history, out);
        });
    }

    pub(super) fn accepted(&mut self, epoch: i64) {
        self.run(|leader, now_ms, _, out| leader.epoch_accepted(now_ms, Epoch(epoch), out));
    }

    pub(super) fn entered(&mut self, epoch: i64) {
        self.run(|leader, now_ms, _, out| leader.epoch_entered(now_ms, Epoch(epoch), out));
    }

    pub(super) fn persisted(&mut self, upto: Zxid) {
        self.run(|leader, _, _, out| leader.persisted(upto, out));
    }

    pub(super) fn propose(&mut self) -> Zxid {
        let zxid = self.leader.next_zxid().unwrap();
        let record = Bytes::from(zxid.to_string());
        self.records.insert(zxid, record.clone());
        self.run(|leader, now_ms, _, out| leader.propose(now_ms, zxid, record, out));
        zxid
    }

    pub(super) fn sync(&mut self, link: u64) {
        self.run(|leader, _, _, out| leader.sync(LinkId(link), out));
    }

    /// Asks for proof of leadership.
    pub(super) fn confirm(&mut self) -> Round {
        let mut round = Round::default();
        self.run(|leader, _, _, out| round = leader.confirm(out));
        round
    }

    /// A learner's answer to the round.
    pub(super) fn answer(&mut self, link: u64, round: Round) {
        self.packet(link, &QuorumPacket::new(PacketType::Ping, round.token()));
    }

    /// Lets time pass, timer by timer.
    pub(super) fn wait(&mut self, ms: i64) {
        let until_ms = self.now_ms + ms;
        loop {
            let due_ms = self.leader.next_wakeup_ms();
            if due_ms > until_ms {
                break;
            }
            self.now_ms = due_ms.max(self.now_ms);
            self.run(|leader, now_ms, _, out| leader.timer(now_ms, out));
        }
        self.now_ms = until_ms;
    }

    /// Lets time pass while a learner answers every PING.
    pub(super) fn wait_with(&mut self, links: &[u64], ms: i64) {
        for _ in 0..ms / 50 {
            self.wait(50);
            for link in links {
                self.packet(*link, &QuorumPacket::new(PacketType::Ping, Zxid::ZERO));
            }
        }
    }

    pub(super) fn run(
        &mut self,
        step: impl FnOnce(&mut Leader, i64, &History, &mut Vec<LeaderAction>),
    ) {
        let from = self.out.len();
        step(&mut self.leader, self.now_ms, &self.history, &mut self.out);
        for action in &self.out[from..] {
            match action {
                LeaderAction::Established(epoch) => self.history.advance_to(Zxid::start_of(*epoch)),
                LeaderAction::Committed(zxid) => {
                    self.history.push(*zxid, self.records[zxid].clone());
                }
                _ => {}
            }
        }
    }

    /// What has come out since this was last asked.
    pub(super) fn actions(&mut self) -> Vec<LeaderAction> {
        core::mem::take(&mut self.out)
    }

    /// The same, for reading.
    pub(super) fn said(&mut self) -> Vec<String> {
        self.actions()
            .into_iter()
            .flat_map(packets)
            .map(|action| show(&action))
            .collect()
    }

    /// The same, as far as a link is concerned.
    pub(super) fn said_to(&mut self, link: u64) -> Vec<String> {
        let prefix = format!("{link}: ");
        let said = self.said();
        said.iter()
            .filter_map(|line| line.strip_prefix(&prefix))
            .map(ToString::to_string)
            .collect()
    }
}

/// What is sent to several, or several times, as so many actions.
fn packets(action: LeaderAction) -> Vec<LeaderAction> {
    match action {
        LeaderAction::Broadcast(links, packet) => links
            .iter()
            .map(|link| LeaderAction::Send(*link, packet.clone()))
            .collect(),
        LeaderAction::SendRun(link, run) => run
            .packets()
            .map(|packet| LeaderAction::Send(link, packet))
            .collect(),
        other => alloc::vec![other],
    }
}

fn show(action: &LeaderAction) -> String {
    match action {
        LeaderAction::Broadcast(..) | LeaderAction::SendRun(..) => {
            unreachable!("they are shown by their packets")
        }
        LeaderAction::Send(link, packet) => {
            format!("{}: {:?} {}", link.0, packet.kind, show_zxid(packet.zxid))
        }
        LeaderAction::SendLog { link, after, upto } => {
            format!(
                "{}: log {}..={}",
                link.0,
                show_zxid(*after),
                show_zxid(*upto)
            )
        }
        LeaderAction::SendSnapshot(link) => format!("{}: snapshot", link.0),
        LeaderAction::ProbeLog { link, after } => {
            format!("{}: probe {}", link.0, show_zxid(*after))
        }
        LeaderAction::Hangup(link, reason) => format!("{}: hangup, {reason}", link.0),
        LeaderAction::AcceptEpoch(epoch) => format!("accept {}", epoch.0),
        LeaderAction::EnterEpoch(epoch) => format!("enter {}", epoch.0),
        LeaderAction::Established(epoch) => format!("established {}", epoch.0),
        LeaderAction::Committed(zxid) => format!("committed {}", show_zxid(*zxid)),
        LeaderAction::Confirmed => "confirmed".to_string(),
        LeaderAction::Request(link, request) => format!("{}: request {}", link.0, request.cxid),
        LeaderAction::Revalidate { link, session, .. } => {
            format!("{}: revalidate {session}", link.0)
        }
        LeaderAction::Touched(touches) => format!("touched {}", touches.len()),
        LeaderAction::Resign(reason) => format!("resign, {reason}"),
    }
}

fn show_zxid(zxid: Zxid) -> String {
    if let Some(round) = Round::from_token(zxid) {
        format!("{round:?}")
    } else if zxid < Zxid::ZERO {
        zxid.0.to_string()
    } else {
        format!("{}.{}", zxid.epoch().0, zxid.counter())
    }
}
