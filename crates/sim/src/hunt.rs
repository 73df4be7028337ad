//! Looking for the first seeds whose runs notice a fault that is committed on purpose.

use crate::run::Failure;
use crate::{Options, cluster, run};
use rustix::time::{ClockId, clock_gettime};
use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use zooid_mutants::{Mutant, Simulation};

/// What came of looking for a fault.
#[derive(Clone, Debug)]
pub struct Hunt {
    /// Which fault.
    pub mutant: Mutant,
    /// The failures with the lowest seeds, lowest first; none if no seed has failed.
    pub found: Vec<Failure>,
    /// How many seeds were run, up to the last of these if enough were found.
    pub seeds: u64,
    /// Time of processors, of all threads together.
    pub cpu: Duration,
}

/// How long to go on.
#[derive(Clone, Copy, Debug)]
pub struct Budget {
    /// Failures that are enough.
    pub finds: usize,
    /// Seeds, from 0 on.
    pub seeds: u64,
    /// Time of processors, of all threads together. It is looked at between seeds.
    pub cpu: Duration,
    /// Threads.
    pub jobs: usize,
}

/// Runs seeds from 0 on with a fault committed until enough of them fail. Which ones that are depends on
/// the fault alone, not on the number of threads.
///
/// # Panics
/// If none would be enough.
#[must_use]
pub fn hunt(mutant: Mutant, budget: Budget) -> Hunt {
    assert!(budget.finds > 0, "a hunt wants something");
    let search = Search {
        mutant,
        budget,
        next: AtomicU64::new(0),
        end: AtomicU64::new(budget.seeds),
        result: Mutex::new(Hunt {
            mutant,
            found: Vec::new(),
            seeds: 0,
            cpu: Duration::ZERO,
        }),
    };
    std::thread::scope(|scope| {
        for _ in 0..budget.jobs.max(1) {
            scope.spawn(|| search.work());
        }
    });
    let result = search.result.into_inner();
    let mut hunt = result.unwrap_or_else(PoisonError::into_inner);
    if let Some(last) = hunt.found.get(budget.finds - 1) {
        hunt.seeds = last.seed + 1;
    }
    hunt
}

/// Runs one seed with a fault committed.
///
/// # Errors
/// [`Failure`]: the fault was noticed.
pub fn run_with(mutant: Mutant, seed: u64) -> Result<(), Failure> {
    mutant.commit(|| run_seed(mutant.fault().simulation, seed))
}

/// Runs one seed.
///
/// # Errors
/// [`Failure`].
pub fn run_seed(simulation: Simulation, seed: u64) -> Result<(), Failure> {
    match simulation {
        Simulation::Ensemble => cluster::run(&cluster::Options::random(seed)).map(|_| ()),
        Simulation::Server => run(&Options::random(seed)).map(|_| ()),
    }
}

struct Search {
    mutant: Mutant,
    budget: Budget,
    next: AtomicU64,
    /// No seed from here on is of interest.
    end: AtomicU64,
    result: Mutex<Hunt>,
}

impl Hunt {
    /// Who has noticed, those that did most often first.
    #[must_use]
    pub fn checkers(&self) -> Vec<&str> {
        let mut counts = BTreeMap::new();
        for failure in &self.found {
            *counts.entry(failure.checker.as_str()).or_insert(0_u32) += 1;
        }
        let mut checkers: Vec<_> = counts.into_iter().collect();
        checkers.sort_by_key(|(_, count)| Reverse(*count));
        checkers.into_iter().map(|(checker, _)| checker).collect()
    }
}

impl Search {
    fn work(&self) {
        loop {
            let seed = self.next.fetch_add(1, Ordering::Relaxed);
            if seed >= self.end.load(Ordering::Relaxed) || self.is_over() {
                return;
            }
            let before = thread_cpu();
            let outcome = run_with(self.mutant, seed);
            self.count(outcome, thread_cpu().saturating_sub(before));
        }
    }

    fn is_over(&self) -> bool {
        let result = self.result.lock().unwrap_or_else(PoisonError::into_inner);
        result.cpu >= self.budget.cpu
    }

    fn count(&self, outcome: Result<(), Failure>, cpu: Duration) {
        let mut result = self.result.lock().unwrap_or_else(PoisonError::into_inner);
        result.seeds += 1;
        result.cpu += cpu;
        let Err(failure) = outcome else {
            return;
        };
        result.found.push(failure);
        result.found.sort_by_key(|failure| failure.seed);
        result.found.truncate(self.budget.finds);
        if let Some(last) = result.found.get(self.budget.finds - 1) {
            self.end.fetch_min(last.seed, Ordering::Relaxed);
        }
    }
}

fn thread_cpu() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
    let nanos = u32::try_from(time.tv_nsec).unwrap_or(0);
    Duration::new(seconds, nanos)
}
