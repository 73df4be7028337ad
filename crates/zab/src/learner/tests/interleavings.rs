//! Every order in which packets and the storage's completions may come: nothing is promised before it
//! is durable, and nothing is lost.

use super::script::{Bench, EPOCH, packet, z};
use crate::{LearnerAction, LearnerKind};
use alloc::collections::VecDeque;
use alloc::vec::Vec;
use proptest::prelude::*;
use zooid_proto::PacketType::{self, Commit, Diff, Inform, NewLeader, Proposal, Trunc, UpToDate};
use zooid_proto::{Epoch, QuorumPacket, Zxid};

#[derive(Clone, Copy, Debug)]
enum Method {
    Diff,
    Trunc,
    Snap { already: i64 },
}

#[derive(Clone, Debug)]
enum Said {
    Packet(QuorumPacket),
    Snapshot(Zxid),
}

#[derive(Clone, Copy, Debug)]
enum Write {
    Append(Zxid),
    Truncate(Zxid),
    Install,
    Enter(Epoch),
}

/// What a leader says after ACKEPOCH, and what must come of it.
#[derive(Debug)]
struct Script {
    said: VecDeque<Said>,
    /// Everything that must be durable before the epoch is entered.
    before_newleader: Zxid,
    committed: Vec<Zxid>,
    acknowledged: Vec<Zxid>,
}

const LAST: i64 = 7;

/// `events`: true proposes, false commits. NEWLEADER stands behind the first `early` of them, UPTODATE
/// further on.
fn script(kind: LearnerKind, method: Method, events: &[bool], early: usize, late: usize) -> Script {
    let (opening, base, mut next) = match method {
        Method::Diff => (say(Diff, z(5, LAST + 1)), z(5, LAST), z(5, LAST + 1)),
        Method::Trunc => (say(Trunc, z(5, LAST - 2)), z(5, LAST - 2), z(6, 1)),
        Method::Snap { already } => (Said::Snapshot(z(6, 9)), z(6, 9), z(6, 10 - already)),
    };
    let mut script = Script {
        said: VecDeque::from([opening]),
        before_newleader: base,
        committed: Vec::new(),
        acknowledged: Vec::new(),
    };
    let mut outstanding = VecDeque::new();
    let newleader = early.min(events.len());
    let uptodate = (newleader + late).min(events.len());
    for index in 0..=events.len() {
        if index == newleader {
            script.said.push_back(say(NewLeader, z(6, 0)));
            let promised = outstanding.iter().copied().filter(|zxid| *zxid > base);
            script.acknowledged.extend(promised);
        }
        if index == uptodate {
            script.said.push_back(say(UpToDate, Zxid::NONE));
        }
        let Some(proposes) = events.get(index) else {
            continue;
        };
        let is_early = index < newleader;
        match (kind, *proposes) {
            (LearnerKind::Observer, _) if is_early => {
                script.said.push_back(say(Proposal, next));
                script.said.push_back(say(Commit, next));
                script.commit(base, next);
            }
            (LearnerKind::Observer, _) => {
                script.said.push_back(say(Inform, next));
                script.commit(base, next);
            }
            (LearnerKind::Follower, true) => {
                script.said.push_back(say(Proposal, next));
                outstanding.push_back(next);
                if !is_early && next > base {
                    script.acknowledged.push(next);
                }
            }
            (LearnerKind::Follower, false) => {
                if let Some(zxid) = outstanding.pop_front() {
                    script.said.push_back(say(Commit, zxid));
                    script.commit(base, zxid);
                }
                continue;
            }
        }
        if is_early {
            script.before_newleader = script.before_newleader.max(next);
        }
        next = next.next();
    }
    script
}

fn say(kind: PacketType, zxid: Zxid) -> Said {
    Said::Packet(packet(kind, zxid))
}

impl Script {
    fn commit(&mut self, base: Zxid, zxid: Zxid) {
        if zxid > base {
            self.committed.push(zxid);
        }
    }
}

/// The learner, its storage, and what it has promised.
struct World {
    bench: Bench,
    writes: VecDeque<Write>,
    restoring: bool,
    entered: bool,
    durable: Zxid,
    appended: Vec<Zxid>,
    committed: Vec<Zxid>,
    epoch_acks: usize,
    acks: Vec<Zxid>,
    before_newleader: Zxid,
}

impl World {
    fn hear(&mut self, said: &Said) {
        let mut out = Vec::new();
        match said {
            Said::Packet(packet) => self.bench.learner.packet(0, packet, &mut out),
            Said::Snapshot(zxid) => self.bench.learner.snapshot_received(0, *zxid, &mut out),
        }
        self.take(out);
    }

    /// Completes the oldest write.
    fn write(&mut self) {
        let Some(write) = self.writes.pop_front() else {
            return;
        };
        let learner = &mut self.bench.learner;
        let mut out = Vec::new();
        match write {
            Write::Append(zxid) => {
                self.durable = zxid;
                learner.persisted(zxid, &mut out);
            }
            Write::Truncate(target) => {
                self.restoring = false;
                self.durable = target;
                learner.truncated(0, target, &mut out);
            }
            Write::Install => {
                self.restoring = false;
                self.durable = z(6, 9);
                learner.installed(0, &mut out);
            }
            Write::Enter(epoch) => {
                self.entered = true;
                learner.epoch_entered(epoch, &mut out);
            }
        }
        self.take(out);
    }

    fn take(&mut self, actions: Vec<LearnerAction>) {
        for action in actions {
            match action {
                LearnerAction::Append(zxid, _) => {
                    assert!(
                        !self.restoring,
                        "nothing is appended to a history being replaced"
                    );
                    assert!(self.appended.last().is_none_or(|last| zxid > *last));
                    self.appended.push(zxid);
                    self.writes.push_back(Write::Append(zxid));
                }
                LearnerAction::Commit(zxid) => {
                    assert!(
                        !self.restoring,
                        "nothing is applied to a history being replaced"
                    );
                    assert_eq!(self.appended[self.committed.len()], zxid, "log order");
                    self.committed.push(zxid);
                }
                LearnerAction::Truncate(target) => {
                    self.restoring = true;
                    self.writes.push_back(Write::Truncate(target));
                }
                LearnerAction::Install(_) => {
                    self.restoring = true;
                    self.writes.push_back(Write::Install);
                }
                LearnerAction::EnterEpoch(epoch) => {
                    assert!(!self.restoring);
                    assert!(self.durable >= self.before_newleader, "history, then epoch");
                    self.writes.push_back(Write::Enter(epoch));
                }
                LearnerAction::Send(packet) => {
                    assert_eq!(packet.kind, PacketType::Ack);
                    self.acknowledged(packet.zxid);
                }
                LearnerAction::SendRun(run) => {
                    assert_eq!(run.kind, PacketType::Ack);
                    run.zxids().for_each(|zxid| self.acknowledged(zxid));
                }
                LearnerAction::Serve(epoch) => assert_eq!(epoch, EPOCH),
                other => panic!("{other:?}"),
            }
        }
    }

    fn acknowledged(&mut self, zxid: Zxid) {
        assert!(self.entered, "epoch, then ACK");
        if zxid == z(6, 0) {
            assert!(self.acks.is_empty(), "NEWLEADER and UPTODATE come first");
            self.epoch_acks += 1;
        } else {
            assert_eq!(self.epoch_acks, 2);
            assert!(self.durable >= zxid, "an ACK is a promise");
            assert!(self.acks.last().is_none_or(|last| zxid > *last), "in order");
            self.acks.push(zxid);
        }
    }

    /// UPTODATE answers the first ACK; everything else comes when it likes.
    fn may_hear(&self, said: &Said) -> bool {
        match said {
            Said::Packet(packet) if packet.kind == UpToDate => self.epoch_acks == 1,
            Said::Packet(_) | Said::Snapshot(_) => true,
        }
    }
}

fn check(kind: LearnerKind, mut script: Script, schedule: &[bool]) {
    let mut world = World {
        bench: Bench::synchronizing(kind, z(5, LAST)),
        writes: VecDeque::new(),
        restoring: false,
        entered: false,
        durable: z(5, LAST),
        appended: Vec::new(),
        committed: Vec::new(),
        epoch_acks: 0,
        acks: Vec::new(),
        before_newleader: script.before_newleader,
    };
    let mut schedule = schedule.iter().copied();
    while !script.said.is_empty() || !world.writes.is_empty() {
        let may_hear = script.said.front().is_some_and(|said| world.may_hear(said));
        assert!(may_hear || !world.writes.is_empty(), "it goes on");
        let prefers_hearing = schedule.next().unwrap_or(true);
        if may_hear && (prefers_hearing || world.writes.is_empty()) {
            let said = script.said.pop_front().unwrap();
            world.hear(&said);
        } else {
            world.write();
        }
    }
    assert!(world.bench.learner.is_serving());
    assert_eq!(world.committed, script.committed);
    assert_eq!(world.acks, script.acknowledged);
}

fn method() -> impl Strategy<Value = Method> {
    prop_oneof![
        Just(Method::Diff),
        Just(Method::Trunc),
        (0..4i64).prop_map(|already| Method::Snap { already }),
    ]
}

proptest! {
    #[test]
    fn nothing_is_promised_too_early_and_nothing_is_lost(
        is_observer in any::<bool>(),
        method in method(),
        events in proptest::collection::vec(any::<bool>(), 0..24),
        early in 0..12usize,
        late in 0..12usize,
        schedule in proptest::collection::vec(any::<bool>(), 0..96),
    ) {
        let kind = if is_observer { LearnerKind::Observer } else { LearnerKind::Follower };
        check(kind, script(kind, method, &events, early, late), &schedule);
    }
}
