//! Random ensembles, random clients, random faults: nothing may contradict a checker, every ensemble
//! becomes one again when the faults end, and every seed replays.

use zooid_sim::cluster::{Options, run, run_twice};

/// Seeds run by each test; tests run side by side.
const SEEDS: u64 = 100;

fn seeds_from(first: u64) {
    for seed in first..first + SEEDS {
        run(&Options::random(seed)).unwrap_or_else(|failure| panic!("{failure}"));
    }
}

#[test]
fn ensembles_hold_and_heal_first_quarter() {
    seeds_from(0);
}

#[test]
fn ensembles_hold_and_heal_second_quarter() {
    seeds_from(SEEDS);
}

#[test]
fn ensembles_hold_and_heal_third_quarter() {
    seeds_from(2 * SEEDS);
}

#[test]
fn ensembles_hold_and_heal_fourth_quarter() {
    seeds_from(3 * SEEDS);
}

#[test]
fn an_ensembles_seed_replays_to_the_same_trace() {
    let mut hashes = Vec::new();
    for seed in 5000..5006 {
        let report =
            run_twice(&Options::random(seed)).unwrap_or_else(|failure| panic!("{failure}"));
        hashes.push(report.trace_hash);
    }
    hashes.sort_unstable();
    hashes.dedup();
    assert_eq!(hashes.len(), 6, "another seed is another run");
}

/// What the seeds are worth depends on how much happens in them.
#[test]
fn a_few_seeds_meet_everything_that_an_ensemble_does() {
    let (mut epochs, mut truncations, mut snapshots, mut lives) = (0, 0, 0, 0);
    for seed in 6000..6060 {
        let report = run(&Options::random(seed)).unwrap_or_else(|failure| panic!("{failure}"));
        epochs += report.epochs;
        truncations += report.truncations;
        snapshots += report.snapshots;
        lives += report.lives;
    }
    assert!(epochs > 120, "{epochs} epochs");
    // That there are any, the mutant that loses them shows.
    println!("{truncations} truncations");
    assert!(snapshots > 30, "{snapshots} snapshots received");
    assert!(lives > 300, "{lives} lives");
}
