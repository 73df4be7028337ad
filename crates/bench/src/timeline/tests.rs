use std::time::{Duration, Instant};

use super::Timeline;

#[test]
fn each_operation_is_in_the_slot_in_which_it_was_complete() {
    let start = Instant::now();
    let mut timeline = Timeline::new(start);
    for millis in [0, 99, 100, 350, 399] {
        timeline.count(start + Duration::from_millis(millis));
    }
    assert_eq!(timeline.slots(), [2, 1, 0, 2]);
}

#[test]
fn threads_add_up_however_long_each_has_counted() {
    let start = Instant::now();
    let (mut short, mut long) = (Timeline::new(start), Timeline::new(start));
    short.count(start);
    long.count(start);
    long.count(start + 2 * Timeline::SLOT);
    short.merge(&long);
    assert_eq!(short.slots(), [2, 0, 1]);
    long.merge(&Timeline::new(start));
    assert_eq!(long.slots(), [1, 0, 1]);
}
