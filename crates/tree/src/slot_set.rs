//! Sets of slots, a bit for each.

use crate::nodes::Slot;
use std::ops::Range;

const WORD_BITS: u32 = u64::BITS;

/// A set of slots. It takes an eighth of a byte for each up to the highest that was ever in it.
#[derive(Debug, Default)]
pub(crate) struct SlotSet {
    words: Vec<u64>,
}

impl SlotSet {
    /// With room for the slots below `end`.
    pub(crate) fn with_room(end: u32) -> SlotSet {
        SlotSet {
            words: vec![0; index(end.div_ceil(WORD_BITS))],
        }
    }

    pub(crate) fn contains(&self, slot: Slot) -> bool {
        let (word, mask) = bit(slot);
        self.word(word) & mask != 0
    }

    pub(crate) fn insert(&mut self, slot: Slot) {
        let (word, mask) = bit(slot);
        if word >= self.words.len() {
            self.words.resize(word + 1, 0);
        }
        self.words[word] |= mask;
    }

    pub(crate) fn remove(&mut self, slot: Slot) {
        let (word, mask) = bit(slot);
        if let Some(word) = self.words.get_mut(word) {
            *word &= !mask;
        }
    }

    /// The first of a range that is here and not there.
    pub(crate) fn first_not_in(&self, there: &SlotSet, range: Range<u32>) -> Option<Slot> {
        let first_word = range.start / WORD_BITS;
        for word in first_word..range.end.div_ceil(WORD_BITS) {
            #[cfg(test)]
            counting::look();
            let mut found = self.word(index(word)) & !there.word(index(word));
            if word == first_word {
                found &= u64::MAX << (range.start % WORD_BITS);
            }
            if found != 0 {
                let slot = word * WORD_BITS + found.trailing_zeros();
                return (slot < range.end).then_some(Slot(slot));
            }
        }
        None
    }

    fn word(&self, word: usize) -> u64 {
        self.words.get(word).copied().unwrap_or_default()
    }
}

fn bit(slot: Slot) -> (usize, u64) {
    (index(slot.0 / WORD_BITS), 1 << (slot.0 % WORD_BITS))
}

fn index(word: u32) -> usize {
    usize::try_from(word).expect("usize has at least 32 bits")
}

/// How much searches have cost, for tests of those who search.
#[cfg(test)]
pub(crate) mod counting {
    use std::cell::Cell;

    thread_local! {
        static LOOKS: Cell<u64> = const { Cell::new(0) };
    }

    pub(super) fn look() {
        LOOKS.set(LOOKS.get() + 1);
    }

    /// Words looked at by this thread, 64 slots each.
    pub(crate) fn looks() -> u64 {
        LOOKS.get()
    }
}

#[cfg(test)]
mod tests {
    use super::{Slot, SlotSet};
    use proptest::collection::btree_set;
    use proptest::prelude::*;

    fn set_of<'a>(slots: impl IntoIterator<Item = &'a u32>) -> SlotSet {
        let mut set = SlotSet::default();
        for slot in slots {
            set.insert(Slot(*slot));
        }
        set
    }

    proptest! {
        #[test]
        fn the_first_of_a_difference_is_found(
            here in btree_set(0..400_u32, 0..100),
            there in btree_set(0..400_u32, 0..100),
            start in 0..450_u32,
            len in 0..450_u32,
        ) {
            let range = start..start + len;
            let mut difference = here.difference(&there).copied();
            let expected = difference.find(|slot| range.contains(slot)).map(Slot);
            prop_assert_eq!(set_of(&here).first_not_in(&set_of(&there), range), expected);
        }
    }

    #[test]
    fn what_is_removed_is_gone() {
        let mut set = SlotSet::with_room(3);
        assert!(!set.contains(Slot(2)));
        for slot in [2, 700] {
            set.insert(Slot(slot));
            assert!(set.contains(Slot(slot)));
            set.remove(Slot(slot));
            assert!(!set.contains(Slot(slot)));
        }
        set.remove(Slot(100_000));
        assert!(!set.contains(Slot(100_000)));
    }
}
