use super::*;
use crate::{Group, QuorumVerifier, View};
use alloc::collections::BTreeSet;
use alloc::vec;
use bytes::Bytes;

fn vote(leader: i64, epoch: i64, zxid: i64, round: i64) -> Vote {
    Vote {
        leader: ServerId(leader),
        zxid: Zxid(zxid),
        round,
        peer_epoch: Epoch(epoch),
    }
}

fn membership(verifier: QuorumVerifier, voters: &[i64]) -> Membership {
    Membership::fixed(View {
        version: 0,
        verifier,
        voters: voters.iter().copied().map(ServerId).collect(),
        observers: BTreeSet::new(),
        text: Bytes::new(),
    })
}

fn majority_of_three() -> Membership {
    let voters = [1, 2, 3];
    membership(
        QuorumVerifier::Majority(voters.map(ServerId).into()),
        &voters,
    )
}

#[test]
fn epoch_counts_before_zxid_and_zxid_before_id() {
    let ensemble = majority_of_three();
    let in_order = [
        vote(3, i64::MIN, i64::MIN, 1),
        vote(3, 0, -1, 9),
        vote(3, 1, 5, 9),
        vote(1, 1, 6, 1),
        vote(2, 1, 6, 1),
        vote(1, 2, 0, 1),
    ];
    for (i, worse) in in_order.iter().enumerate() {
        assert!(!worse.is_better_than(worse, &ensemble));
        for better in &in_order[i + 1..] {
            assert!(
                better.is_better_than(worse, &ensemble),
                "{better:?} {worse:?}"
            );
            assert!(
                !worse.is_better_than(better, &ensemble),
                "{better:?} {worse:?}"
            );
        }
    }
}

#[test]
fn who_has_no_weight_is_never_better() {
    let group = |members: &[(i64, u64)]| Group {
        members: members.iter().map(|(id, w)| (ServerId(*id), *w)).collect(),
    };
    let groups = vec![group(&[(1, 1), (2, 1), (3, 1)]), group(&[(4, 0)])];
    let ensemble = membership(QuorumVerifier::Hierarchical(groups), &[1, 2, 3, 4]);
    assert!(!vote(4, 9, 9, 1).is_better_than(&vote(1, 1, 1, 1), &ensemble));
    assert!(vote(1, 1, 1, 1).is_better_than(&vote(1, 1, 0, 1), &ensemble));
    assert!(vote(1, 1, 1, 1).is_better_than(&vote(4, 9, 9, 1), &ensemble));
    assert!(!vote(5, 9, 9, 1).is_better_than(&vote(1, 1, 1, 1), &ensemble));
}

#[test]
fn ballots_agree_as_votes_of_zookeeper_are_equal() {
    use PeerState::{Following, Leading, Looking};
    let ballot = |vote, state, version| Ballot {
        vote,
        state,
        version,
    };
    let base = vote(3, 2, 7, 4);
    let agree = |a: Ballot, b: Ballot| {
        assert_eq!(a.agrees_with(&b), b.agrees_with(&a));
        a.agrees_with(&b)
    };
    // While one of them looks, everything counts.
    for other in [
        vote(2, 2, 7, 4),
        vote(3, 1, 7, 4),
        vote(3, 2, 6, 4),
        vote(3, 2, 7, 5),
    ] {
        assert!(!agree(ballot(base, Looking, 0), ballot(other, Looking, 0)));
        assert!(!agree(
            ballot(base, Looking, 0),
            ballot(other, Following, 2)
        ));
    }
    assert!(agree(ballot(base, Looking, 0), ballot(base, Leading, 2)));
    // Out of the election, zxid and round do not.
    let later = vote(3, 2, 99, 99);
    let other_epoch = vote(3, 1, 7, 4);
    let other_leader = vote(2, 2, 7, 4);
    for (a, b) in [(2, 2), (0, 0), (1, 2)] {
        let reference = ballot(base, Following, a);
        assert!(agree(reference, ballot(later, Leading, b)));
        assert!(!agree(reference, ballot(other_epoch, Leading, b)));
        assert!(!agree(reference, ballot(other_leader, Leading, b)));
    }
    // Among releases that tell different epochs, neither does the epoch.
    let reference = ballot(base, Following, 2);
    assert!(agree(reference, ballot(other_epoch, Leading, 0)));
    assert!(!agree(reference, ballot(other_leader, Leading, 0)));
}
