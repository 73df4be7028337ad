use super::*;
use alloc::vec::Vec;

fn zxids(history: &History) -> Vec<i64> {
    history.iter().map(|(zxid, _)| zxid.0).collect()
}

#[test]
fn the_window_keeps_the_newest() {
    let mut history = History::new(3, Zxid(5));
    assert_eq!((history.min(), history.max()), (Zxid(5), Zxid(5)));
    for zxid in 6..=9 {
        history.push(Zxid(zxid), Bytes::new());
    }
    assert_eq!(zxids(&history), [7, 8, 9]);
    assert_eq!((history.min(), history.max()), (Zxid(7), Zxid(9)));
}

#[test]
fn a_hole_empties_the_window() {
    let mut history = History::new(10, Zxid(1));
    history.push(Zxid(2), Bytes::new());
    history.push(Zxid(4), Bytes::new());
    assert_eq!(zxids(&history), [4]);
}

#[test]
fn an_epoch_begins_at_its_first_transaction() {
    let mut history = History::new(10, Zxid(1));
    history.push(Zxid(2), Bytes::new());
    history.advance_to(Zxid(0x1_0000_0000));
    assert_eq!(
        (history.max(), history.last()),
        (Zxid(2), Zxid(0x1_0000_0000))
    );
    history.push(Zxid(0x1_0000_0001), Bytes::new());
    assert_eq!(zxids(&history), [2, 0x1_0000_0001]);
    history.push(Zxid(0x2_0000_0002), Bytes::new());
    assert_eq!(
        zxids(&history),
        [0x2_0000_0002],
        "the first of its epoch is missing"
    );
}
