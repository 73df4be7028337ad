//! The simulator can fail: each known fault, put into its driver, is caught within a few seeds.

use zooid_sim::{Mutant, Options, run};

/// Seeds that a fault may survive.
const SEEDS_MAX: u64 = 20;

/// Runs seeds until one fails; what it complains of.
fn caught(mutant: Mutant) -> String {
    for seed in 0..SEEDS_MAX {
        let options = Options {
            mutant: Some(mutant),
            ..Options::random(seed)
        };
        if let Err(failure) = run(&options) {
            println!(
                "{mutant:?}: seed {seed}: {}: {}",
                failure.checker, failure.what
            );
            return failure.checker;
        }
    }
    panic!("{mutant:?} survived {SEEDS_MAX} seeds");
}

#[test]
fn an_acknowledgement_before_the_sync_is_caught() {
    assert_eq!(
        caught(Mutant::AcknowledgesBeforeSync),
        "durable before told"
    );
}

#[test]
fn half_a_multi_is_caught() {
    assert_eq!(caught(Mutant::AppliesHalfMultis), "a multi is atomic");
}

#[test]
fn a_restart_that_keeps_what_was_not_durable_is_caught() {
    assert_eq!(
        caught(Mutant::ForgetsToRollBack),
        "acknowledged is never lost"
    );
}

#[test]
fn an_event_told_late_is_caught() {
    assert_eq!(caught(Mutant::TellsEventsLate), "as the model says");
}

#[test]
fn names_that_are_never_synced_are_caught() {
    assert_eq!(caught(Mutant::NeverSyncsNames), "every survivor recovers");
}

#[test]
fn a_purge_of_logs_that_are_needed_is_caught() {
    assert_eq!(caught(Mutant::PurgesTooMuch), "every survivor recovers");
}

#[test]
fn ephemerals_left_behind_are_caught() {
    assert_eq!(
        caught(Mutant::LeavesEphemerals),
        "ephemerals have live sessions"
    );
}
