//! One run from its options to its report.

use super::chance::Chance;
use super::options::Options;
use super::world::World;
use crate::run::{Failure, failed, of_panic};
use crate::trace::Reading;
use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// What a run that met no contradiction was like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Report {
    /// From which everything followed.
    pub seed: u64,
    /// Of everything that happened.
    pub trace_hash: u64,
    /// How much that was.
    pub trace_lines: u64,
    /// Members, observers among them.
    pub members: usize,
    /// Decided.
    pub transactions: usize,
    /// Received by clients.
    pub replies: u64,
    /// Of all members.
    pub lives: u64,
    /// Epochs that were led.
    pub epochs: usize,
    /// Histories that were cut.
    pub truncations: u64,
    /// Snapshots that learners installed.
    pub snapshots: u64,
    /// Whether a member found its disk damaged and did not go on.
    pub has_halted: bool,
    /// Simulated time.
    pub ended_ms: u64,
}

/// Runs once; a second time if it fails, to write down how it came to that.
///
/// # Errors
/// [`Failure`], also if something panics.
pub fn run(options: &Options) -> Result<Report, Failure> {
    let first = play(options, Reading::Nobody).result;
    first.map_err(|failure| match play(options, Reading::Failure).result {
        Err(told) if told.is_like(&failure) => told,
        other => {
            let what = format!("{}: {}; and then {other:?}", failure.checker, failure.what);
            failed(options.seed, "a seed replays", what)
        }
    })
}

/// Runs once, and gives every line of the trace beside what came of it.
pub fn replay(options: &Options) -> (Result<Report, Failure>, Vec<String>) {
    let played = play(options, Reading::Everything);
    (played.result, played.text)
}

/// What is left of a run.
#[derive(Debug)]
pub(crate) struct Played {
    pub(crate) result: Result<Report, Failure>,
    /// The lines of the trace, as far as somebody wants to read them.
    pub(crate) text: Vec<String>,
    /// What broke.
    pub(crate) faults: BTreeSet<Chance>,
}

pub(crate) fn play(options: &Options, reading: Reading) -> Played {
    let world = World::new(options.clone(), reading);
    catch_unwind(AssertUnwindSafe(|| world.run())).unwrap_or_else(|panic| Played {
        result: Err(of_panic(options.seed, &*panic)),
        text: Vec::new(),
        faults: BTreeSet::new(),
    })
}

/// Runs twice and compares the traces.
///
/// # Errors
/// [`Failure`].
pub fn run_twice(options: &Options) -> Result<Report, Failure> {
    let (first, second) = (run(options)?, run(options)?);
    if first == second {
        return Ok(first);
    }
    let what = format!("{first:?} and then {second:?}");
    Err(failed(options.seed, "a seed replays", what))
}
