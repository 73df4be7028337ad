//! Where things are.

use super::*;

#[test]
fn chunks_follow_one_another_without_a_gap() {
    let mut expected = (0, 0);
    for at in 0..5000 {
        assert_eq!(split::<6>(at), expected, "{at}");
        let (chunk, offset) = expected;
        let len = 64 << usize::saturating_sub(chunk, 1);
        expected = if offset + 1 == len {
            (chunk + 1, 0)
        } else {
            (chunk, offset + 1)
        };
    }
    assert_eq!(split::<6>(u32::MAX), (26, (1 << 31) - 1));
    assert_eq!(split::<14>((1 << 14) - 1), (0, (1 << 14) - 1));
    assert_eq!(split::<14>(u32::MAX), (18, (1 << 31) - 1));
}

#[test]
fn what_was_put_in_stays_where_it_is_and_places_are_used_again() {
    let mut slab = Slab::<u32>::new();
    for number in 0..1000_u32 {
        assert_eq!(slab.insert(number), number);
    }
    assert_eq!(slab.remove(700), 700);
    assert_eq!(slab.insert(7), 700);
    assert_eq!(slab.insert(1000), 1000);
    assert_eq!(slab.end(), 1001);
    assert!((0..1000).all(|at| slab[at] == if at == 700 { 7 } else { at }));
}

#[test]
fn what_is_used_again_next_is_known_before() {
    let mut slab = Slab::<u32>::new();
    for number in 0..10 {
        slab.insert(number);
    }
    assert_eq!(slab.next_reused().count(), 0);
    for at in [3, 5, 7] {
        slab.remove(at);
    }
    let next: Vec<*const u32> = slab.next_reused().map(std::ptr::from_ref).collect();
    for place in next {
        let at = slab.insert(1);
        assert_eq!(place, std::ptr::from_ref(&slab[at]));
    }
}
