//! Real leaders and real learners over links that break and servers that crash.
//!
//! Elections are the model's: any quorum of servers that look for a leader may elect the best of them at
//! any time, so that several leaders can be in office at once. What must hold whatever happens is
//! written down in [`truth::Truth`]; that an ensemble left alone comes to rest is checked here.

mod random;
mod server;
mod truth;
mod world;

use proptest::prelude::*;
use std::collections::BTreeSet;
use world::World;

/// Steps in which anything may break.
const STEPS: usize = 3000;
/// Steps in which nothing breaks any more; all must be well within them.
const STEPS_TO_HEAL: usize = 20_000;

fn live_and_heal(seed: u64) -> World {
    let mut world = World::new(seed);
    for _ in 0..STEPS {
        world.step();
    }
    world.heal();
    let is_well = (0..STEPS_TO_HEAL).any(|_| {
        world.step();
        world.is_well()
    });
    assert!(is_well, "the ensemble does not come to rest:\n{world}");
    world
}

#[test]
fn everything_that_can_happen_happens() {
    let seen: BTreeSet<&str> = (0..2000)
        .flat_map(|seed| live_and_heal(seed).seen().clone())
        .collect();
    let wanted = [
        "DIFF",
        "INFORM",
        "TRUNC",
        "ahead of the leader",
        "confirmed",
        "connected anew",
        "late",
        "log",
        "no reign",
        "quorum lost",
        "silent",
        "snapshot",
        "third reign",
    ];
    let missing: Vec<_> = wanted.iter().filter(|name| !seen.contains(*name)).collect();
    assert_eq!(missing, [&""; 0]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn one_history_whatever_breaks(seed in any::<u64>().no_shrink()) {
        live_and_heal(seed);
    }
}
