use super::{Verdict, adler_explained_by_one_bit, judge, records_within};
use crate::disk::SECTOR_LEN;
use crate::log::{BATCH_RECORDS_MAX, frame};
use crate::width::len64;
use proptest::prelude::*;

fn record(len: usize, fill: u8) -> Vec<u8> {
    let mut record = Vec::new();
    frame::put(&mut record, &vec![fill; len]);
    record
}

/// What follows the last good record, which ends at `offset`; the file has room for more.
fn judge_at(offset: u64, bytes: &[u8]) -> Verdict {
    let len = bytes
        .iter()
        .rposition(|byte| *byte != 0)
        .map_or(0, |last| last + 1);
    judge(&bytes[..len], offset, len64(bytes.len()) + 4096, true)
}

fn is_damaged(verdict: Verdict) -> bool {
    matches!(verdict, Verdict::Damaged(_))
}

#[test]
fn zeros_are_a_clean_end() {
    assert_eq!(judge_at(16, &[0; 5000]), Verdict::Clean);
}

#[test]
fn a_record_that_breaks_off_is_torn() {
    let whole = record(700, 3);
    for len in 5..whole.len() {
        assert_eq!(judge_at(100, &whole[..len]), Verdict::Torn, "{len}");
    }
}

#[test]
fn a_record_that_lost_a_sector_is_torn_wherever_it_starts() {
    for start in 0..SECTOR_LEN {
        let mut bytes = [record(2000, 3), record(50, 4)].concat();
        for border in (0..2013_usize).filter(|at| (at + start) % SECTOR_LEN == 0) {
            let mut torn = bytes.clone();
            let end = (border + SECTOR_LEN).min(2013);
            torn[border..end].fill(0);
            assert_eq!(
                judge_at(len64(start), &torn),
                Verdict::Torn,
                "{start} {border}"
            );
        }
        // Four bytes or less are zeros anyway.
        let first = SECTOR_LEN - start;
        if first > 4 {
            bytes[..first].fill(0);
            assert_eq!(judge_at(len64(start), &bytes), Verdict::Torn, "{start}");
        }
    }
}

#[test]
fn every_single_flipped_bit_is_damage() {
    // The second record's data are zeros over whole sectors: only the arithmetic tells.
    for (len, fill) in [(40, 9), (3000, 0), (600, 255)] {
        for follower in [Vec::new(), record(50, 4)] {
            let good = [record(len, fill), follower].concat();
            for byte in 0..len + 13 {
                for bit in 0..8 {
                    let mut bad = good.clone();
                    bad[byte] ^= 1 << bit;
                    assert!(is_damaged(judge_at(16, &bad)), "{len} {byte} {bit}");
                }
            }
        }
    }
}

#[test]
fn a_wiped_record_before_a_long_history_is_damage() {
    let mut bytes = record(600, 3);
    bytes.fill(0);
    bytes.extend(record(40, 1).repeat(BATCH_RECORDS_MAX));
    assert_eq!(judge_at(512, &bytes), Verdict::Torn);
    bytes.extend(record(40, 1));
    assert!(is_damaged(judge_at(512, &bytes)));
    // Without syncs there is no telling how much a crash may take.
    assert_eq!(judge(&bytes, 512, 1 << 20, false), Verdict::Torn);
}

#[test]
fn bits_flipped_in_the_padding_take_nothing_away() {
    for at in [600, 4000] {
        let mut padding = vec![0; 5000];
        padding[at] = 1;
        assert_eq!(judge_at(512, &padding), Verdict::Torn, "{at}");
    }
}

#[test]
fn records_are_counted_wherever_they_start() {
    let bytes = [&[1, 2, 3][..], &record(40, 1), &[0; 7], &record(90, 2)].concat();
    assert_eq!(records_within(&bytes), 2);
}

proptest! {
    #[test]
    fn one_flipped_bit_is_always_explained(
        body in prop::collection::vec(any::<u8>(), 1..200),
        zeros in 0_usize..70_000,
        place in any::<prop::sample::Index>(),
        bit in 0_u32..8,
    ) {
        let mut body = [body, vec![0; zeros]].concat();
        let stored = u64::from(simd_adler32::adler32(&body.as_slice()));
        let place = place.index(body.len());
        body[place] ^= 1_u8 << bit;
        prop_assert!(adler_explained_by_one_bit(&body, stored));
    }

    #[test]
    fn a_lost_sector_is_not_taken_for_a_flipped_bit(seed in any::<u64>(), at in 0_usize..4) {
        let mut state = seed | 1;
        let mut body: Vec<u8> = (0..4 * SECTOR_LEN).map(|_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            state.to_be_bytes()[0] | 1
        }).collect();
        let stored = u64::from(simd_adler32::adler32(&body.as_slice()));
        body[at * SECTOR_LEN..][..SECTOR_LEN].fill(0);
        prop_assert!(!adler_explained_by_one_bit(&body, stored));
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..600), offset in 16_u64..2000) {
        let _ = judge_at(offset, &bytes);
    }
}
