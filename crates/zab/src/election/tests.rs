use super::*;
use crate::{Group, QuorumVerifier, View};
use alloc::collections::BTreeSet;
use alloc::vec;
use bytes::Bytes;

mod branches;
mod reluctance;
mod simulation;

fn settings(me: i64) -> EnsembleSettings {
    EnsembleSettings {
        me: ServerId(me),
        tick_ms: 2000,
        init_limit: 10,
        sync_limit: 5,
        notification_ms_min: 200,
        notification_ms_max: 2000,
        force_snapshot_sync: false,
        log_sync: true,
        snap_syncs_max: 10,
        diff_syncs_max: 10,
        counter_max: EnsembleSettings::COUNTER_MAX,
    }
}

fn view(verifier: QuorumVerifier, voters: impl IntoIterator<Item = i64>) -> View {
    View {
        version: 0,
        verifier,
        voters: voters.into_iter().map(ServerId).collect(),
        observers: BTreeSet::new(),
        text: Bytes::from_static(b"version=0"),
    }
}

/// Servers 1 to `voters`, each with one vote.
fn majority(voters: i64) -> Membership {
    let ids = (1..=voters).map(ServerId).collect();
    Membership::fixed(view(QuorumVerifier::Majority(ids), 1..=voters))
}

/// Two groups of three, and 7 and 8 without weight.
fn hierarchical() -> Membership {
    let group = |members: &[(i64, u64)]| Group {
        members: members
            .iter()
            .map(|(id, weight)| (ServerId(*id), *weight))
            .collect(),
    };
    let groups = vec![
        group(&[(1, 1), (2, 1), (3, 1)]),
        group(&[(4, 1), (5, 1), (6, 1)]),
        group(&[(7, 0), (8, 0)]),
    ];
    Membership::fixed(view(QuorumVerifier::Hierarchical(groups), 1..=8))
}
