//! A voter's disk loses a bit or a block of what was durable, anywhere in its files. The voter refuses to
//! go on and says what to do, or everything that was acknowledged is there, and all become one again.

use zooid_sim::cluster::{Options, run};

/// Seeds run by each of the two tests, which run side by side.
const SEEDS: u64 = 1_050;
/// Of the seeds, so many in a hundred must notice, and so many must go on.
const SHARE_MIN: u64 = 10;

fn seeds_from(first: u64) {
    let mut halted = 0;
    for seed in first..first + SEEDS {
        let report = run(&Options::damaging(seed)).unwrap_or_else(|failure| panic!("{failure}"));
        halted += u64::from(report.has_halted);
    }
    println!("{halted} of {SEEDS} members with a damaged disk halted");
    assert!(halted * 100 > SEEDS * SHARE_MIN, "{halted}");
    assert!((SEEDS - halted) * 100 > SEEDS * SHARE_MIN, "{halted}");
}

#[test]
fn a_damaged_disk_loses_nothing_in_silence_first_half() {
    seeds_from(0);
}

#[test]
fn a_damaged_disk_loses_nothing_in_silence_second_half() {
    seeds_from(SEEDS);
}
