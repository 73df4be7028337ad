//! A loss of power at every operation of the disk while a server serves a script in which everything
//! occurs, and several disks found after each.

use zooid_sim::{Faults, Options, run, run_twice};

/// Operations with which a server makes an empty directory its own, before it serves.
const FIRST_LIFE_AT: u64 = 13;

/// The loss happens at each operation of the calm run; every fourth in each of four tests, which run
/// side by side.
fn lose_power_at_every_fourth_from(first: u64) {
    let calm = run(&Options::scripted(Faults::None)).unwrap_or_else(|failure| panic!("{failure}"));
    assert!(calm.disk_operations > 150, "{calm:?}");
    assert!(calm.transactions > 150, "{calm:?}");
    let at = |at| run(&Options::scripted(Faults::PowerLossAt(at)));
    for operation in (first..calm.disk_operations).step_by(4) {
        let report = at(operation).unwrap_or_else(|failure| panic!("{operation}: {failure}"));
        // Before the first life there is no survivor to look at beside the one found.
        let is_before = operation < FIRST_LIFE_AT;
        let (lives, recoveries) = if is_before { (1, 1) } else { (2, 6) };
        assert!(
            report.lives >= lives,
            "{operation}: power was not lost: {report:?}"
        );
        assert!(report.recoveries >= recoveries, "{operation}: {report:?}");
    }
}

#[test]
fn nothing_acknowledged_is_lost_at_operations_4n() {
    lose_power_at_every_fourth_from(0);
}

#[test]
fn nothing_acknowledged_is_lost_at_operations_4n_plus_1() {
    lose_power_at_every_fourth_from(1);
}

#[test]
fn nothing_acknowledged_is_lost_at_operations_4n_plus_2() {
    lose_power_at_every_fourth_from(2);
}

#[test]
fn nothing_acknowledged_is_lost_at_operations_4n_plus_3() {
    lose_power_at_every_fourth_from(3);
}

/// The server halts and is started again on the same disk, or goes on if it can; whatever survives a
/// loss of power at the end is right, too.
#[test]
fn nothing_acknowledged_is_lost_when_any_operation_fails() {
    let calm = run(&Options::scripted(Faults::None)).unwrap_or_else(|failure| panic!("{failure}"));
    let mut restarts = 0;
    for at in 0..calm.disk_operations {
        let report = run(&Options::scripted(Faults::DiskErrorAt(at)));
        let report = report.unwrap_or_else(|failure| panic!("{at}: {failure}"));
        restarts += report.lives - 1;
    }
    assert!(restarts > calm.disk_operations / 4, "{restarts}");
}

#[test]
fn nothing_acknowledged_is_lost_when_the_disk_fills() {
    let mut restarts = 0;
    for kib in 1..60 {
        let report = run(&Options::scripted(Faults::DiskFullAt(kib << 10)));
        let report = report.unwrap_or_else(|failure| panic!("{kib} KiB: {failure}"));
        restarts += report.lives - 1;
    }
    assert!(restarts > 20, "{restarts}");
}

#[test]
fn the_script_replays_to_the_same_trace() {
    for faults in [Faults::None, Faults::PowerLossAt(99)] {
        run_twice(&Options::scripted(faults)).unwrap_or_else(|failure| panic!("{failure}"));
    }
}
