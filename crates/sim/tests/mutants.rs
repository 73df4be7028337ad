//! The simulator can fail: each known fault that is committed on purpose is found, by a checker that the
//! table in `docs/internals/simulator.md` names. Run with `--features mutants`.
//!
//! Faults that take long to find are left to the command: `zooid-sim --mutants`.

use std::collections::BTreeMap;
use std::thread::available_parallelism;
use std::time::Duration;
use zooid_mutants::{Mutant, Simulation};
use zooid_sim::hunt::{Budget, hunt, run_seed};

/// A fault is looked for here if it takes no more seeds, on the average.
const QUICK_SEEDS: u64 = 60;
/// So often: who notices first depends on the seed, and a row has room for the most common only.
const FINDS: usize = 3;
/// Ten times as many seeds as that takes, so that it is no accident if it is not found.
const SEEDS_MAX: u64 = 30 * QUICK_SEEDS;
/// Of each simulation, without a fault.
const CONTROL_SEEDS: u64 = 100;

fn budget() -> Budget {
    Budget {
        finds: FINDS,
        seeds: SEEDS_MAX,
        // Seeds are the limit: how fast this machine is must not matter.
        cpu: Duration::MAX,
        jobs: available_parallelism().map_or(1, usize::from),
    }
}

/// Rows by name: who notices, and how many seeds that takes.
fn table() -> BTreeMap<String, (String, u64)> {
    let rows = PAGE.lines().filter(|line| line.starts_with("| `"));
    rows.filter_map(|line| {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        let [_, name, _, _, _, checker, seeds, _, _] = cells[..] else {
            return None;
        };
        let name = name.trim_matches('`').to_owned();
        Some((name, (checker.to_owned(), seeds.parse().ok()?)))
    })
    .collect()
}

const PAGE: &str = include_str!("../../../docs/internals/simulator.md");

#[test]
fn each_fault_is_found_by_a_checker_of_its_row() {
    let table = table();
    let mut wrong = Vec::new();
    for mutant in Mutant::ALL {
        let (checkers, seeds) = &table[&mutant.to_string()];
        if *seeds > QUICK_SEEDS {
            continue;
        }
        let hunt = hunt(*mutant, budget());
        let noticed = hunt.checkers();
        println!("{mutant}: {} seeds: {noticed:?}", hunt.seeds);
        if hunt.found.len() < FINDS {
            wrong.push(format!("{mutant} survives {} seeds", hunt.seeds));
        } else if !checkers.split("; ").any(|known| noticed.contains(&known)) {
            wrong.push(format!(
                "{mutant} is noticed by {noticed:?}, not {checkers}"
            ));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn the_table_has_every_fault_as_it_is_described() {
    for mutant in Mutant::ALL {
        let fault = mutant.fault();
        let row = format!("| `{mutant}` | {} {} |", fault.what, fault.outcome);
        assert!(PAGE.contains(&row), "no row begins with {row}");
    }
    let mut known: Vec<String> = Mutant::ALL.iter().map(Mutant::to_string).collect();
    known.sort();
    assert_eq!(table().into_keys().collect::<Vec<_>>(), known);
}

#[test]
fn without_a_fault_the_same_seeds_hold() {
    for simulation in [Simulation::Ensemble, Simulation::Server] {
        for seed in 0..CONTROL_SEEDS {
            run_seed(simulation, seed).unwrap_or_else(|failure| panic!("{failure}"));
        }
    }
}
