//! A learner on a test bench: what is done to it, and what it wants done in the same short words.

use crate::{
    EnsembleSettings, Epochs, Learner, LearnerAction, LearnerKind, Membership, QuorumVerifier, View,
};
use alloc::collections::BTreeSet;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use bytes::Bytes;
use zooid_proto::{Epoch, PacketType, QuorumPacket, ServerId, Zxid};

/// Server 1 learning from server 3, which leads in epoch 6.
#[derive(Clone)]
pub(super) struct Bench {
    pub(super) learner: Learner,
    pub(super) now_ms: i64,
}

pub(super) const EPOCH: Epoch = Epoch(6);
pub(super) const TICK_MS: i64 = 1000;
pub(super) const INIT_MS: i64 = 10 * TICK_MS;
pub(super) const SYNC_MS: i64 = 5 * TICK_MS;

pub(super) fn z(epoch: i64, counter: i64) -> Zxid {
    Zxid((epoch << 32) + counter)
}

pub(super) fn settings() -> EnsembleSettings {
    EnsembleSettings {
        me: ServerId(1),
        tick_ms: TICK_MS,
        init_limit: 10,
        sync_limit: 5,
        notification_ms_min: 200,
        notification_ms_max: 60_000,
        force_snapshot_sync: false,
        log_sync: true,
        snap_syncs_max: 10,
        diff_syncs_max: 100,
        counter_max: EnsembleSettings::COUNTER_MAX,
    }
}

pub(super) fn membership() -> Membership {
    let voters: BTreeSet<ServerId> = (1..=3).map(ServerId).collect();
    Membership::fixed(View {
        version: 0x77,
        verifier: QuorumVerifier::Majority(voters.clone()),
        voters,
        observers: BTreeSet::new(),
        text: Bytes::from_static(b"version=77"),
    })
}

pub(super) fn transaction(zxid: Zxid) -> Bytes {
    Bytes::from(format!("txn {zxid}"))
}

pub(super) fn packet(kind: PacketType, zxid: Zxid) -> QuorumPacket {
    match kind {
        PacketType::Proposal | PacketType::Inform => {
            QuorumPacket::with_data(kind, zxid, transaction(zxid))
        }
        PacketType::InformAndActivate => {
            let mut data = 3i64.to_be_bytes().to_vec();
            data.extend_from_slice(&transaction(zxid));
            QuorumPacket::with_data(kind, zxid, data)
        }
        PacketType::CommitAndActivate => {
            QuorumPacket::with_data(kind, zxid, 3i64.to_be_bytes().to_vec())
        }
        PacketType::LeaderInfo => {
            QuorumPacket::with_data(kind, zxid, 0x1_0000i32.to_be_bytes().to_vec())
        }
        PacketType::NewLeader => QuorumPacket::with_data(kind, zxid, &b"version=77"[..]),
        _ => QuorumPacket::new(kind, zxid),
    }
}

impl Bench {
    /// A learner whose history ends at `last`, before anything has happened.
    pub(super) fn dialing(kind: LearnerKind, epochs: Epochs, last: Zxid) -> Bench {
        let mut out = Vec::new();
        let learner = Learner::new(
            0,
            &settings(),
            &membership(),
            kind,
            ServerId(3),
            epochs,
            last,
            &mut out,
        );
        assert_eq!(words(&out), ["dial 3"]);
        Bench { learner, now_ms: 0 }
    }

    /// ACKEPOCH is sent; DIFF, TRUNC or SNAP comes next.
    pub(super) fn synchronizing(kind: LearnerKind, last: Zxid) -> Bench {
        let epochs = Epochs {
            accepted: Epoch(5),
            current: Epoch(5),
        };
        let mut bench = Bench::dialing(kind, epochs, last);
        bench.link_up();
        assert_eq!(
            bench.hear(PacketType::LeaderInfo, z(6, 0)),
            ["accept epoch 6"]
        );
        let sent = bench.epoch_accepted(EPOCH);
        assert_eq!(sent, [format!("send AckEpoch {}", short(last))]);
        bench
    }

    /// DIFF has come; transactions and NEWLEADER come next.
    pub(super) fn behind_diff(kind: LearnerKind, last: Zxid) -> Bench {
        let mut bench = Bench::synchronizing(kind, last);
        assert!(bench.hear(PacketType::Diff, z(6, 0)).is_empty());
        bench
    }

    /// UPTODATE has come, with nothing to catch up with before.
    pub(super) fn serving(kind: LearnerKind, last: Zxid) -> Bench {
        let mut bench = Bench::behind_diff(kind, last);
        bench.hear(PacketType::NewLeader, z(6, 0));
        assert_eq!(bench.epoch_entered(EPOCH), ["send Ack 6.0"]);
        let said = bench.hear(PacketType::UpToDate, Zxid::NONE);
        assert_eq!(said, ["send Ack 6.0", "serve 6"]);
        bench
    }

    pub(super) fn at(&mut self, now_ms: i64) -> &mut Bench {
        self.now_ms = now_ms;
        self
    }

    pub(super) fn act(
        &mut self,
        input: impl FnOnce(&mut Learner, i64, &mut Vec<LearnerAction>),
    ) -> Vec<String> {
        let mut out = Vec::new();
        input(&mut self.learner, self.now_ms, &mut out);
        words(&out)
    }

    pub(super) fn hear(&mut self, kind: PacketType, zxid: Zxid) -> Vec<String> {
        self.hear_packet(&packet(kind, zxid))
    }

    pub(super) fn hear_packet(&mut self, packet: &QuorumPacket) -> Vec<String> {
        self.act(|learner, now_ms, out| learner.packet(now_ms, packet, out))
    }

    /// PROPOSAL and COMMIT of the same.
    pub(super) fn hear_committed(&mut self, zxid: Zxid) -> Vec<String> {
        let mut words = self.hear(PacketType::Proposal, zxid);
        words.extend(self.hear(PacketType::Commit, zxid));
        words
    }

    pub(super) fn link_up(&mut self) -> Vec<String> {
        self.act(|learner, now_ms, out| learner.link_up(now_ms, out))
    }

    pub(super) fn link_down(&mut self) -> Vec<String> {
        self.act(|learner, now_ms, out| learner.link_down(now_ms, out))
    }

    pub(super) fn snapshot(&mut self, zxid: Zxid) -> Vec<String> {
        self.act(|learner, now_ms, out| learner.snapshot_received(now_ms, zxid, out))
    }

    pub(super) fn epoch_accepted(&mut self, epoch: Epoch) -> Vec<String> {
        self.act(|learner, _, out| learner.epoch_accepted(epoch, out))
    }

    pub(super) fn epoch_entered(&mut self, epoch: Epoch) -> Vec<String> {
        self.act(|learner, _, out| learner.epoch_entered(epoch, out))
    }

    pub(super) fn persisted(&mut self, upto: Zxid) -> Vec<String> {
        self.act(|learner, _, out| learner.persisted(upto, out))
    }

    pub(super) fn cannot_truncate(&mut self) -> Vec<String> {
        let reason = "nothing leads there";
        self.act(|learner, now_ms, out| learner.cannot_truncate(now_ms, reason.into(), out))
    }

    pub(super) fn cannot_install(&mut self) -> Vec<String> {
        self.act(|learner, _, out| learner.cannot_install("no room".into(), out))
    }

    pub(super) fn truncated(&mut self, last: Zxid) -> Vec<String> {
        self.act(|learner, now_ms, out| learner.truncated(now_ms, last, out))
    }

    pub(super) fn installed(&mut self) -> Vec<String> {
        self.act(|learner, now_ms, out| learner.installed(now_ms, out))
    }

    pub(super) fn timer(&mut self) -> Vec<String> {
        self.act(|learner, now_ms, out| learner.timer(now_ms, out))
    }
}

/// Why the learner has given up, if that is all it has to say.
pub(super) fn resigned(words: &[String]) -> &str {
    match words {
        [hangup, resign] if hangup == "hangup" => {
            resign.strip_prefix("resign: ").unwrap_or("not resigned")
        }
        _ => "not resigned",
    }
}

fn short(zxid: Zxid) -> String {
    format!("{}.{}", zxid.epoch().0, zxid.counter())
}

fn words(actions: &[LearnerAction]) -> Vec<String> {
    actions
        .iter()
        .flat_map(packets)
        .map(|action| word(&action))
        .collect()
}

/// What is sent in a row, as so many actions.
fn packets(action: &LearnerAction) -> Vec<LearnerAction> {
    match action {
        LearnerAction::SendRun(run) => run.packets().map(LearnerAction::Send).collect(),
        other => alloc::vec![other.clone()],
    }
}

fn word(action: &LearnerAction) -> String {
    match action {
        LearnerAction::SendRun(_) => unreachable!("it is shown by its packets"),
        LearnerAction::Dial(server) => format!("dial {server}"),
        LearnerAction::Send(packet) => format!("send {:?} {}", packet.kind, short(packet.zxid)),
        LearnerAction::Hangup(_) => String::from("hangup"),
        LearnerAction::AcceptEpoch(epoch) => format!("accept epoch {}", epoch.0),
        LearnerAction::EnterEpoch(epoch) => format!("enter epoch {}", epoch.0),
        LearnerAction::Append(zxid, record) => {
            assert_eq!(*record, transaction(*zxid));
            format!("append {}", short(*zxid))
        }
        LearnerAction::Commit(zxid) => format!("commit {}", short(*zxid)),
        LearnerAction::Truncate(zxid) => format!("truncate {}", short(*zxid)),
        LearnerAction::Install(zxid) => format!("install {}", short(*zxid)),
        LearnerAction::Serve(epoch) => format!("serve {}", epoch.0),
        LearnerAction::Ping(zxid) => format!("ping {}", short(*zxid)),
        LearnerAction::SyncDone => String::from("sync done"),
        LearnerAction::Revalidated { session, valid } => format!("revalidated {session} {valid}"),
        LearnerAction::Silent(leader) => format!("silent {leader}"),
        LearnerAction::Resign(reason) => format!("resign: {reason}"),
        LearnerAction::Halt(reason) => format!("halt: {reason}"),
    }
}
