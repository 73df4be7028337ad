//! The simulator of ensembles can fail: each known fault, put into its driver, is caught within a few
//! seeds.

use zooid_sim::cluster::{Mutant, Options, run};

/// Seeds that a fault may survive.
const SEEDS_MAX: u64 = 60;

/// Runs seeds until one fails; what it complains of.
fn caught(mutant: Mutant, members: Option<usize>) -> String {
    for seed in 0..SEEDS_MAX {
        let options = Options {
            mutant: Some(mutant),
            members,
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
        caught(Mutant::AcknowledgesBeforeSync, None),
        "durable before promised"
    );
}

#[test]
fn an_epoch_entered_before_its_history_is_durable_is_caught() {
    assert_eq!(
        caught(Mutant::EntersEpochBeforeHistory, None),
        "durable before promised"
    );
}

#[test]
fn a_wrong_quorum_is_caught() {
    assert_eq!(
        caught(Mutant::CountsWrongQuorum, Some(5)),
        "decided is durable on a quorum"
    );
}

#[test]
fn a_lost_truncation_is_caught() {
    // Who notices first depends on what the member says of itself next: a vote, or an acknowledgement.
    let checker = caught(Mutant::LosesTruncation, None);
    let checkers = [
        "durable before promised",
        "equal zxids, equal records and histories",
    ];
    assert!(checkers.contains(&checker.as_str()), "{checker}");
}

#[test]
fn acknowledgements_out_of_order_are_caught() {
    assert_eq!(
        caught(Mutant::ReordersAcknowledgements, None),
        "durable before promised"
    );
}
