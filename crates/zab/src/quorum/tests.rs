use super::*;
use alloc::vec;
use proptest::prelude::*;

fn ids(range: core::ops::RangeInclusive<i64>) -> BTreeSet<ServerId> {
    range.map(ServerId).collect()
}

#[test]
fn a_majority_is_more_than_half() {
    let of = |voters, acks| {
        let acks = ids(1..=acks);
        QuorumVerifier::Majority(ids(1..=voters)).is_quorum(|id| acks.contains(&id))
    };
    assert!(of(1, 1));
    assert!(!of(2, 1));
    assert!(of(3, 2));
    assert!(!of(4, 2));
    assert!(of(4, 3));
    assert!(of(5, 3));
}

#[test]
fn strangers_do_not_count() {
    let verifier = QuorumVerifier::Majority(ids(1..=3));
    assert!(!verifier.is_quorum(|id| id.0 > 2));
}

#[test]
fn groups_without_weight_do_not_count() {
    let group = |members: &[(i64, u64)]| Group {
        members: members
            .iter()
            .map(|(id, weight)| (ServerId(*id), *weight))
            .collect(),
    };
    let verifier = QuorumVerifier::Hierarchical(vec![
        group(&[(1, 1), (2, 1), (3, 1)]),
        group(&[(4, 0), (5, 0)]),
    ]);
    assert!(verifier.is_quorum(|id| id.0 <= 2));
    assert!(!verifier.is_quorum(|id| id.0 >= 3));
    assert_eq!(verifier.weight(ServerId(4)), 0);
}

/// The definition, written out slowly: try every way to be a quorum.
fn naive(groups: &[Group], acks: &BTreeSet<ServerId>) -> bool {
    let mut weighty = 0_u32;
    let mut agreeing = 0_u32;
    for group in groups {
        let mut total = 0;
        let mut yes = 0;
        for (id, weight) in &group.members {
            total += weight;
            if acks.contains(id) {
                yes += weight;
            }
        }
        if total > 0 {
            weighty += 1;
            // "More than half of an integer total", without dividing.
            if 2 * yes > total || (total % 2 == 1 && 2 * yes == total + 1) {
                agreeing += 1;
            }
        }
    }
    2 * agreeing > weighty
}

proptest! {
    #[test]
    fn hierarchical_equals_its_naive_twin(
        weights in prop::collection::vec(prop::collection::vec(0_u64..4, 1..5), 1..5),
        acks in prop::collection::btree_set(1_i64..25, 0..25),
    ) {
        let mut next = 0;
        let groups: Vec<Group> = weights
            .iter()
            .map(|group| Group {
                members: group.iter().map(|w| { next += 1; (ServerId(next), *w) }).collect(),
            })
            .collect();
        let acks: BTreeSet<ServerId> = acks.into_iter().map(ServerId).collect();
        let expected = naive(&groups, &acks);
        let verifier = QuorumVerifier::Hierarchical(groups);
        prop_assert_eq!(verifier.is_quorum(|id| acks.contains(&id)), expected);
    }

    #[test]
    fn two_quorums_always_meet(
        voters in 1_i64..8,
        left in prop::collection::btree_set(1_i64..8, 0..8),
        right in prop::collection::btree_set(1_i64..8, 0..8),
    ) {
        let verifier = QuorumVerifier::Majority(ids(1..=voters));
        let has = |set: &BTreeSet<i64>| verifier.is_quorum(|id| set.contains(&id.0));
        if has(&left) && has(&right) {
            prop_assert!(left.intersection(&right).any(|id| *id <= voters));
        }
    }
}
