use super::{ChildListLimits, ChildLists};
use crate::nodes::Slot;
use bytes::Bytes;

const LIMITS: ChildListLimits = ChildListLimits {
    count_max: 3,
    bytes_max: 100,
    bytes_min: 10,
};

fn lists_of(sizes: &[(u32, usize)]) -> ChildLists {
    let lists = ChildLists::new(LIMITS);
    for (slot, size) in sizes {
        lists.keep(Slot(*slot), Bytes::from(vec![1; *size]));
    }
    lists
}

fn kept(lists: &ChildLists) -> Vec<u32> {
    let kept = lists.kept.lock();
    let sum: usize = kept.lists.values().map(|list| list.encoded.len()).sum();
    assert_eq!((kept.bytes, kept.uses.len()), (sum, kept.lists.len()));
    kept.lists.keys().map(|slot| slot.0).collect()
}

#[test]
fn beyond_their_number_the_list_goes_that_nobody_has_asked_for_longest() {
    let lists = lists_of(&[(1, 10), (2, 10), (3, 10)]);
    assert!(lists.get(Slot(1)).is_some());
    lists.keep(Slot(4), Bytes::from(vec![1; 10]));
    assert_eq!(kept(&lists), [1, 3, 4]);
}

#[test]
fn beyond_their_bytes_as_many_go_as_have_to() {
    let lists = lists_of(&[(1, 40), (2, 40), (3, 90)]);
    assert_eq!(kept(&lists), [3]);
}

#[test]
fn a_list_that_two_readers_have_made_is_kept_once() {
    let lists = lists_of(&[(1, 40), (1, 40)]);
    assert_eq!(kept(&lists), [1]);
}

#[test]
fn a_list_goes_when_its_children_change_and_stays_with_those_who_have_it() {
    let mut lists = lists_of(&[(1, 10), (2, 10)]);
    let held = lists.get(Slot(1)).expect("kept");
    lists.children_change(Slot(1));
    assert_eq!(kept(&lists), [2]);
    assert!(lists.get(Slot(1)).is_none());
    assert_eq!(held.len(), 10);
}

#[test]
fn short_lists_those_that_never_fit_and_all_if_none_are_wanted_are_not_kept() {
    let lists = ChildLists::new(LIMITS);
    assert_eq!(
        [9, 10, 100, 101].map(|bytes| lists.keeps(bytes)),
        [false, true, true, false]
    );
    let none = ChildLists::new(ChildListLimits {
        count_max: 0,
        ..LIMITS
    });
    assert!(!none.keeps(50));
}
