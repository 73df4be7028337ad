//! Random clients, random faults, restarts: nothing may contradict the model, and every seed replays.

use zooid_sim::{Options, run, run_twice};

fn seeds(seeds: impl Iterator<Item = u64>) {
    for seed in seeds {
        run(&Options::random(seed)).unwrap_or_else(|failure| panic!("{failure}"));
    }
}

#[test]
fn even_seeds_hold() {
    seeds((0..60).step_by(2));
}

#[test]
fn odd_seeds_hold() {
    seeds((1..60).step_by(2));
}

#[test]
fn a_seed_replays_to_the_same_trace() {
    let mut hashes = Vec::new();
    for seed in 100..106 {
        let report =
            run_twice(&Options::random(seed)).unwrap_or_else(|failure| panic!("{failure}"));
        hashes.push(report.trace_hash);
    }
    hashes.sort_unstable();
    hashes.dedup();
    assert_eq!(hashes.len(), 6, "another seed is another run");
}

/// Seeds that failed once. What they do changes with the driver; the tests named beside the fixes pin
/// the faults themselves.
#[test]
fn seeds_that_failed_once_hold() {
    seeds(
        [
            0, 4, 23, 25, 35, // a failed sync, and pages that look clean to the next life
            33, // a first write that broke off within the log's magic number
            11, 38, // a TTL node written to after it was found to be due
            41, // a close that took a node made anew by another session
        ]
        .into_iter(),
    );
}
