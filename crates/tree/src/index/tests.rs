//! The index against a list.

use super::*;
use proptest::prelude::*;

#[derive(Clone, Debug)]
enum Op {
    Insert(u32),
    Defer(u32),
    Remove(usize),
    Find(u32),
}

/// Few different hashes, near one another and at the ends of shards, so that they crowd.
fn hash() -> impl Strategy<Value = u32> {
    let crowded = prop_oneof![
        Just(0_u32),
        Just(0xff_fff0),
        Just(0x0100_0000),
        Just(u32::MAX - 40)
    ];
    (crowded, 0..=40_u32).prop_map(|(base, offset)| base + offset)
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        3 => hash().prop_map(Op::Insert),
        3 => hash().prop_map(Op::Defer),
        2 => (0..200_usize).prop_map(Op::Remove),
        2 => hash().prop_map(Op::Find),
    ]
}

fn find_all(index: &Index, hash: PathHash) -> Vec<Slot> {
    let mut found = Vec::new();
    loop {
        let before = found.len();
        let next = index.find(hash, |slot| !found.contains(&slot));
        found.extend(next);
        if found.len() == before {
            found.sort_unstable();
            return found;
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_use_of_the_index_is_as_in_a_list(ops in prop::collection::vec(op(), 0..300)) {
        let mut index = Index::new();
        let mut list: Vec<(u32, Slot)> = Vec::new();
        let mut next = 1;
        for op in ops {
            match op {
                Op::Insert(hash) => {
                    index.insert(PathHash::from_bits(hash), Slot(next));
                    list.push((hash, Slot(next)));
                    next += 1;
                }
                Op::Defer(hash) => {
                    let hash_of = PathHash::from_bits(hash);
                    index.defer(hash_of, Slot(next), |_, _| false).unwrap();
                    list.push((hash, Slot(next)));
                    next += 1;
                }
                Op::Remove(at) if at < list.len() => {
                    let (hash, slot) = list.swap_remove(at);
                    index.settle(PathHash::from_bits(hash), |_, _| false).unwrap();
                    index.remove(PathHash::from_bits(hash), slot);
                }
                Op::Remove(_) => {}
                Op::Find(hash) => {
                    index.settle(PathHash::from_bits(hash), |_, _| false).unwrap();
                    let mut expected: Vec<Slot> =
                        list.iter().filter(|e| e.0 == hash).map(|e| e.1).collect();
                    expected.sort_unstable();
                    prop_assert_eq!(find_all(&index, PathHash::from_bits(hash)), expected);
                }
            }
        }
        index.settle_all(|_, _| false).unwrap();
        prop_assert_eq!(index.len(), list.len());
        for (hash, slot) in list {
            let found = index.find(PathHash::from_bits(hash), |at| at == slot);
            prop_assert_eq!(found, Some(slot));
        }
    }
}

/// Where they meet: in one shard's wait, or the second when the first is placed.
#[test]
fn whoever_is_entered_twice_is_noticed() {
    let hash = PathHash::of("/a");
    let is_same = |a: Slot, b: Slot| a.0 % 10 == b.0 % 10;
    let mut index = Index::new();
    index.defer(hash, Slot(1), is_same).unwrap();
    index.defer(hash, Slot(2), is_same).unwrap();
    index.settle(hash, is_same).unwrap();
    index.defer(hash, Slot(12), is_same).unwrap();
    assert_eq!(index.settle_all(is_same), Err(Twice(Slot(12))));
    let mut index = Index::new();
    let several = || (1..=u32::try_from(WAITING_MAX).unwrap()).map(Slot);
    let mut deferred = several().map(|slot| index.defer(hash, slot, |_, b| b.0 == 4000));
    assert_eq!(deferred.find(Result::is_err), Some(Err(Twice(Slot(4000)))));
}

#[test]
fn deferred_or_not_there_is_as_much_room() {
    let (mut deferred, mut inserted) = (Index::new(), Index::new());
    for number in 1..=100_000 {
        let hash = PathHash::of(&format!("/node-{number}"));
        deferred.defer(hash, Slot(number), |_, _| false).unwrap();
        inserted.insert(hash, Slot(number));
    }
    deferred.settle_all(|_, _| false).unwrap();
    assert_eq!(deferred.bytes(), inserted.bytes());
}

#[test]
fn what_grows_keeps_everything_and_little_room() {
    let mut index = Index::new();
    let hash = |number: u32| PathHash::of(&format!("/node-{number}"));
    for number in 1..=200_000 {
        index.insert(hash(number), Slot(number));
        if number.is_power_of_two() && number > 1 << 14 {
            let len = usize::try_from(number).unwrap();
            assert!(index.bytes() < len * 12, "{} for {len}", index.bytes());
        }
    }
    for number in 1..=200_000 {
        let found = index.find(hash(number), |slot| slot == Slot(number));
        assert_eq!(found, Some(Slot(number)));
    }
}
