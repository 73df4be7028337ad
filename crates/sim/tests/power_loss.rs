//! The power goes at every operation of several lives, and many disks are found after each: nothing
//! that was durable is missing, nothing is there that never was, and no start is refused.

use zooid_sim::power_loss::{Options, Report, sweep};

/// Disks found by chance after each operation.
const SURVIVORS: u64 = 28;
const LIVES: u64 = 6;

fn lives_from(first: u64) -> Report {
    let mut sum = Report::default();
    for seed in first..first + LIVES {
        let options = Options {
            seed,
            survivors: SURVIVORS,
        };
        let report = sweep(options).unwrap_or_else(|what| panic!("{what}"));
        sum.operations += report.operations;
        sum.crash_points += report.crash_points;
        sum.interrupted += report.interrupted;
        sum.torn += report.torn;
    }
    println!("{sum:?}");
    // Half of the crash points that the two tests together are to have.
    assert!(sum.crash_points >= 50_000, "{sum:?}");
    assert!(sum.interrupted >= 6_000, "{sum:?}");
    assert!(sum.torn >= 500, "{sum:?}");
    sum
}

#[test]
fn no_loss_of_power_loses_what_was_durable_first_half() {
    lives_from(0);
}

#[test]
fn no_loss_of_power_loses_what_was_durable_second_half() {
    lives_from(LIVES);
}
