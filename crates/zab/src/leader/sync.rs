//! How a learner is brought up to date (spec §6.4; Java `LearnerHandler.syncFollower`).
//!
//! [`choose`] decides, from values only; the rest of the file acts on it. Whatever is not proven to
//! follow on the learner's own history without a hole is a snapshot (obligation 7).

use super::peer::{Role, Stage};
use super::{Leader, LeaderAction};
use crate::{History, LinkId, LogProbe};
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use bytes::Bytes;
use zooid_proto::{PacketType, QuorumPacket, Zxid, mutant};

/// Costs that are limited separately.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SyncKind {
    Packets,
    Snapshot,
}

/// What a learner is sent before NEWLEADER, save for proposals in flight.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum SyncPlan {
    /// What the learner has is a prefix of the leader's history.
    Diff {
        zxid: Zxid,
        missing: Missing,
    },
    /// It is one after its log has been cut behind `to`.
    Trunc {
        to: Zxid,
        missing: Missing,
    },
    /// Ask the log first.
    Probe,
    Snapshot,
}

/// The transactions that a learner lacks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Missing {
    /// Those after `.0` up to and with `.1`, from the log.
    log: Option<(Zxid, Zxid)>,
    /// Those after it, from the window.
    window_after: Zxid,
}

impl Missing {
    /// Everything after a zxid that is in the window, or an epoch's start between two that are.
    fn after(zxid: Zxid) -> Missing {
        Missing {
            log: None,
            window_after: zxid,
        }
    }

    fn from_log(after: Zxid, upto: Zxid) -> Missing {
        Missing {
            log: Some((after, upto)),
            window_after: upto,
        }
    }
}

/// What the choice depends on besides the two histories.
#[derive(Clone, Copy, Debug)]
pub(super) struct SyncRules {
    pub(super) force_snapshot: bool,
    pub(super) use_log: bool,
    /// The end of the history that this reign began with.
    pub(super) inherited: Zxid,
    /// How far this server's own log is known to be durable, and so readable.
    pub(super) durable: Zxid,
}

/// Chooses for a learner whose history ends with `peer`. `probe` is what the log has said about it, if
/// it has been asked.
pub(super) fn choose(
    peer: Zxid,
    history: &History,
    rules: SyncRules,
    probe: Option<LogProbe>,
) -> SyncPlan {
    let (min, max) = ends(history, rules.inherited);
    if rules.force_snapshot {
        SyncPlan::Snapshot
    } else if peer == history.last() || peer == max || (peer > max && mutant!(Zk2845)) {
        SyncPlan::Diff {
            zxid: peer,
            missing: Missing::after(peer),
        }
    } else if peer > max {
        cut(peer, max, Missing::after(max))
    } else if peer > min {
        walk_window(peer, history)
    } else if peer == min {
        SyncPlan::Diff {
            zxid: max,
            missing: Missing::after(peer),
        }
    } else if !rules.use_log || min > rules.durable || min.is_epoch_start() {
        SyncPlan::Snapshot
    } else {
        match probe {
            None => SyncPlan::Probe,
            Some(probe) => walk_log(peer, (min, max), probe),
        }
    }
}

/// The first and the last transaction of the window; twice the history's last one when it is empty. An
/// epoch that has no transaction yet ends where the reign began.
fn ends(history: &History, inherited: Zxid) -> (Zxid, Zxid) {
    let is_empty = history.iter().next().is_none();
    if is_empty && history.last().is_epoch_start() {
        (inherited, inherited)
    } else {
        (history.min(), history.max())
    }
}

/// A learner with a tail that the leader's history does not have loses it. Not across epochs: that the
/// learner has `to` follows only from both histories being of one leader's making. The start of an
/// epoch is no transaction, so nothing can be cut there either.
fn cut(peer: Zxid, to: Zxid, missing: Missing) -> SyncPlan {
    let is_of_one_leader = to.epoch() == peer.epoch();
    if is_of_one_leader && !to.is_epoch_start() && !peer.is_epoch_start() {
        SyncPlan::Trunc { to, missing }
    } else {
        SyncPlan::Snapshot
    }
}

/// A tail that the history has gone past is cut only while the history is still in the tail's epoch;
/// otherwise it is a snapshot, as in Java.
fn walk_window(peer: Zxid, history: &History) -> SyncPlan {
    let mut previous = None;
    let next = history.iter().map(|(zxid, _)| zxid).find(|zxid| {
        let is_before = *zxid < peer;
        if is_before {
            previous = Some(*zxid);
        }
        !is_before
    });
    // Who has seen an epoch's start has the whole history of the epochs before it.
    let is_prefix = next == Some(peer) || peer.is_epoch_start();
    match previous {
        _ if is_prefix => SyncPlan::Diff {
            zxid: history.max(),
            missing: Missing::after(peer),
        },
        Some(previous) if next.is_some_and(|next| next.epoch() == peer.epoch()) => {
            cut(peer, previous, Missing::after(previous))
        }
        _ => SyncPlan::Snapshot,
    }
}

/// The log's part ends with the transaction that the window begins with, so that the two overlap.
fn walk_log(peer: Zxid, (min, max): (Zxid, Zxid), probe: LogProbe) -> SyncPlan {
    let LogProbe::Found { prev, next } = probe else {
        return SyncPlan::Snapshot;
    };
    if prev > peer || next <= peer || next > min {
        return SyncPlan::Snapshot;
    }
    let missing = Missing::from_log(prev, min);
    if prev == peer || peer.is_epoch_start() {
        SyncPlan::Diff { zxid: max, missing }
    } else if next.epoch() == peer.epoch() {
        cut(peer, prev, missing)
    } else {
        SyncPlan::Snapshot
    }
}

impl Leader {
    /// Sends a learner what it lacks, or asks the log first.
    pub(super) fn synchronize(
        &mut self,
        now_ms: i64,
        link: LinkId,
        probe: Option<LogProbe>,
        history: &History,
        out: &mut Vec<LeaderAction>,
    ) -> Result<(), String> {
        let Some(peer) = self.peers.get(&link) else {
            return Ok(());
        };
        let (Stage::EpochAcked { last } | Stage::Probing { last }) = peer.stage else {
            return Ok(());
        };
        let (kind, prefix) = match choose(last, history, self.sync_rules(), probe) {
            SyncPlan::Probe => {
                self.set_stage(now_ms, link, Stage::Probing { last });
                out.push(LeaderAction::ProbeLog { link, after: last });
                return Ok(());
            }
            SyncPlan::Diff { zxid, missing } => {
                let opening = QuorumPacket::new(PacketType::Diff, zxid);
                (SyncKind::Packets, Some((opening, missing)))
            }
            SyncPlan::Trunc { to, missing } => {
                let opening = QuorumPacket::new(PacketType::Trunc, to);
                (SyncKind::Packets, Some((opening, missing)))
            }
            SyncPlan::Snapshot => (SyncKind::Snapshot, None),
        };
        self.admit(link, kind)?;
        match prefix {
            Some((opening, missing)) => send_missing(link, opening, missing, history, out),
            None => out.push(LeaderAction::SendSnapshot(link)),
        }
        self.send_in_flight(link, history, out);
        out.push(LeaderAction::Send(link, self.new_leader_packet()));
        self.set_stage(now_ms, link, Stage::Syncing { kind, early: None });
        Ok(())
    }

    /// Observers wait for each other; followers, on whom the quorum depends, do not (Java
    /// `LearnerSyncThrottler`).
    fn admit(&self, link: LinkId, kind: SyncKind) -> Result<(), String> {
        let limit = match kind {
            SyncKind::Packets => self.settings.diff_syncs_max,
            SyncKind::Snapshot => self.settings.snap_syncs_max,
        };
        let is_alike = |stage| matches!(stage, Stage::Syncing { kind: other, .. } if other == kind);
        let under_way = self.peers.values().filter(|peer| is_alike(peer.stage));
        let is_exempt = self
            .peers
            .get(&link)
            .is_some_and(|peer| peer.role != Role::Observer);
        if is_exempt || under_way.count() < limit {
            Ok(())
        } else {
            Err(format!("{limit} learners are being synchronized already"))
        }
    }

    /// Proposals that are not committed yet are a follower's business before NEWLEADER is
    /// (ZOOKEEPER-3104). An observer hears of them when they commit.
    fn send_in_flight(&self, link: LinkId, history: &History, out: &mut Vec<LeaderAction>) {
        let Some(reign) = self.reign() else {
            return;
        };
        assert!(
            history.last() >= reign.last_committed(),
            "the history lacks what is committed"
        );
        let is_follower = self
            .peers
            .get(&link)
            .is_some_and(|peer| peer.role != Role::Observer);
        if is_follower {
            out.extend(
                reign
                    .in_flight()
                    .map(|(zxid, record)| proposal(link, zxid, record)),
            );
        }
    }

    fn new_leader_packet(&self) -> QuorumPacket {
        let text = self.membership.newest().text.clone();
        QuorumPacket::with_data(PacketType::NewLeader, self.epoch_start(), text)
    }

    fn sync_rules(&self) -> SyncRules {
        SyncRules {
            force_snapshot: self.settings.force_snapshot_sync,
            use_log: self.settings.log_sync,
            inherited: self.last,
            durable: self.durable,
        }
    }

    fn set_stage(&mut self, now_ms: i64, link: LinkId, stage: Stage) {
        if let Some(peer) = self.peers.get_mut(&link) {
            peer.turn_to(now_ms, stage);
        }
    }
}

fn send_missing(
    link: LinkId,
    opening: QuorumPacket,
    missing: Missing,
    history: &History,
    out: &mut Vec<LeaderAction>,
) {
    out.push(LeaderAction::Send(link, opening));
    if let Some((after, upto)) = missing.log {
        out.push(LeaderAction::SendLog { link, after, upto });
    }
    for (zxid, record) in history.iter() {
        if zxid > missing.window_after {
            out.push(proposal(link, zxid, record));
            let commit = QuorumPacket::new(PacketType::Commit, zxid);
            out.push(LeaderAction::Send(link, commit));
        }
    }
}

fn proposal(link: LinkId, zxid: Zxid, record: &Bytes) -> LeaderAction {
    let packet = QuorumPacket::with_data(PacketType::Proposal, zxid, record.clone());
    LeaderAction::Send(link, packet)
}

#[cfg(test)]
mod tests;
