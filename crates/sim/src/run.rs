//! One run from its options to its report.

use crate::options::Options;
use crate::world::World;
use std::any::Any;
use std::fmt;
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
    /// Of the disk that was there last.
    pub disk_operations: u64,
    /// Applied.
    pub transactions: i64,
    /// Received by clients.
    pub replies: u64,
    /// Of the server.
    pub lives: u64,
    /// Recoveries held against the model.
    pub recoveries: u64,
}

/// A contradiction.
#[derive(Clone, Debug, thiserror::Error)]
pub struct Failure {
    /// With which it happens again.
    pub seed: u64,
    /// Who noticed.
    pub checker: String,
    /// What is wrong.
    pub what: String,
    /// Simulated time.
    pub at_ms: u64,
    /// What broke and was mended last.
    pub milestones: Vec<String>,
    /// The end of the trace.
    pub tail: Vec<String>,
}

impl Failure {
    /// Whether it is the same contradiction at the same moment, whatever is told of it.
    pub(crate) fn is_like(&self, other: &Failure) -> bool {
        let essence = |failure: &Failure| {
            let Failure {
                checker,
                what,
                at_ms,
                ..
            } = failure.clone();
            (checker, what, at_ms)
        };
        essence(self) == essence(other)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for line in self.milestones.iter().chain(&self.tail) {
            writeln!(f, "{line}")?;
        }
        let cut = self
            .what
            .char_indices()
            .nth(WHAT_CHARS_MAX)
            .map_or(self.what.len(), |(at, _)| at);
        let what = &self.what[..cut];
        write!(
            f,
            "seed {} at {} ms: {}: {what}",
            self.seed, self.at_ms, self.checker
        )
    }
}

/// A value may be long and says little.
const WHAT_CHARS_MAX: usize = 2000;

/// Runs once.
///
/// # Errors
/// [`Failure`], also if something panics.
pub fn run(options: &Options) -> Result<Report, Failure> {
    let world = World::new(options.clone());
    catch_unwind(AssertUnwindSafe(|| world.run()))
        .unwrap_or_else(|panic| Err(of_panic(options.seed, &*panic)))
}

/// What a panic tells.
pub(crate) fn of_panic(seed: u64, panic: &(dyn Any + Send)) -> Failure {
    let text = panic.downcast_ref::<String>().cloned();
    let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
    let what = text.unwrap_or_else(|| "a panic without a text".to_owned());
    failed(seed, "nothing panics", what)
}

/// A failure of which no trace tells.
pub(crate) fn failed(seed: u64, checker: &str, what: String) -> Failure {
    Failure {
        seed,
        checker: checker.to_owned(),
        what,
        at_ms: 0,
        milestones: Vec::new(),
        tail: Vec::new(),
    }
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
