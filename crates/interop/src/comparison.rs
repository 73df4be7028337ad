//! One script, two servers, and the lines in which they differ: two servers alone ([`Pair`]), or two
//! of the same role in ensembles ([`EnsemblePair`]).

#[cfg(test)]
mod tests;

use crate::driver::{self, Outcome, Received};
use crate::rendering::Renderer;
use crate::script::Script;
use crate::site::Site;
use crate::{Ensemble, Kind, Layout, Mode, Options, Server};
use anyhow::{Context, Result, anyhow};
use std::fmt::Write as _;
use std::thread;

/// ZooKeeper 3.8.0 and the server under test, with equal settings and equal histories.
#[derive(Debug)]
pub struct Pair {
    reference: Server,
    candidate: Server,
    on_reference: Renderer,
    on_candidate: Renderer,
}

impl Pair {
    /// Starts both on empty directories.
    ///
    /// # Errors
    /// When one does not come up.
    pub fn start(options: &Options) -> Result<Pair> {
        let start = |kind| Server::start(kind, options.clone());
        let (reference, candidate) =
            side_by_side(|| start(Kind::Java), || start(Kind::under_test()))?;
        Ok(Pair {
            on_reference: Renderer::new(reference.kind()),
            on_candidate: Renderer::new(candidate.kind()),
            reference,
            candidate,
        })
    }

    /// Runs the script against both; the text is empty if they agree.
    ///
    /// # Errors
    /// When the script cannot be run to its end.
    pub fn difference(&mut self, script: &Script) -> Result<String> {
        let (reference, candidate) = side_by_side(
            || driver::run(script, &mut Site::alone(&self.reference)),
            || driver::run(script, &mut Site::alone(&self.candidate)),
        )?;
        let renderers = (&mut self.on_reference, &mut self.on_candidate);
        Ok(difference(&reference, &candidate, renderers))
    }
}

/// An ensemble of ZooKeeper 3.8.0 and one of the server under test, with equal settings.
#[derive(Debug)]
pub struct EnsemblePair {
    layout: fn(Kind) -> Layout,
    options: Options,
    reference: Ensemble,
    candidate: Ensemble,
}

impl EnsemblePair {
    /// Starts both on empty directories.
    ///
    /// # Errors
    /// When one does not come up.
    pub fn start(layout: fn(Kind) -> Layout, options: &Options) -> Result<EnsemblePair> {
        let start = |kind| Ensemble::start(&layout(kind), options);
        let (reference, candidate) =
            side_by_side(|| start(Kind::Java), || start(Kind::under_test()))?;
        Ok(EnsemblePair {
            layout,
            options: options.clone(),
            reference,
            candidate,
        })
    }

    /// Runs the script against a member of either that serves as this, on a tree that has been cleared;
    /// the text is empty if they agree.
    ///
    /// On a busy machine an ensemble of ZooKeeper 3.8.0 leaves a request unanswered now and then, or
    /// closes connections because a member has lost its leader. Then both start again, and the script
    /// with them: what it does every time is a difference.
    ///
    /// # Errors
    /// When the script cannot be run to its end.
    pub fn difference(&mut self, mode: Mode, script: &Script) -> Result<String> {
        let mut attempt = 1;
        loop {
            let (reference, candidate) = at_once(
                || run_on_cleared(&self.reference, mode, script),
                || run_on_cleared(&self.candidate, mode, script),
            )?;
            let candidate = candidate.context("the server under test");
            let outcome = match (reference, candidate) {
                (Ok(reference), Ok(candidate)) => {
                    let has_dropped_out = ends(&reference.0) > ends(&candidate.0);
                    let mut renderers = (reference.1, candidate.1);
                    let renderers = (&mut renderers.0, &mut renderers.1);
                    let text = difference(&reference.0, &candidate.0, renderers);
                    if text.is_empty() || !has_dropped_out {
                        return Ok(text);
                    }
                    Ok(text)
                }
                (_, Err(error)) if Kind::under_test() == Kind::Zooid => return Err(error),
                (Err(error), _) | (_, Err(error)) => Err(error),
            };
            if attempt == ATTEMPTS_MAX {
                return outcome;
            }
            println!("once more, because of {outcome:?}");
            attempt += 1;
            *self = EnsemblePair::start(self.layout, &self.options)?;
        }
    }
}

/// How many connections have ended in a script.
fn ends(outcomes: &[Outcome]) -> usize {
    let received = outcomes.iter().flat_map(|outcome| &outcome.received);
    let is_end = |received: &Received| matches!(received, Received::Closed);
    received.filter(|(_, received)| is_end(received)).count()
}

/// Does the same to Java and to the server under test, at the same time.
fn side_by_side<T: Send>(
    on_reference: impl FnOnce() -> Result<T> + Send,
    on_candidate: impl FnOnce() -> Result<T>,
) -> Result<(T, T)> {
    let (reference, candidate) = at_once(on_reference, on_candidate)?;
    Ok((reference?, candidate.context("the server under test")?))
}

fn at_once<T: Send, U>(
    on_reference: impl FnOnce() -> T + Send,
    on_candidate: impl FnOnce() -> U,
) -> Result<(T, U)> {
    thread::scope(|scope| {
        let reference = scope.spawn(on_reference);
        let candidate = on_candidate();
        let reference = reference
            .join()
            .map_err(|_| anyhow!("Java's side panicked"));
        Ok((reference?, candidate))
    })
}

fn run_on_cleared(
    ensemble: &Ensemble,
    mode: Mode,
    script: &Script,
) -> Result<(Vec<Outcome>, Renderer)> {
    let mut site = Site::cleared(ensemble, mode)?;
    let base = site.newest()?;
    site.catch_up(base)?;
    let renderer = Renderer::counting_from(site.server(None)?.kind(), base);
    // The site's own sessions stay until then, so that their ends take no zxids of the script's.
    let outcomes = driver::run(script, &mut site)?;
    site.leave()?;
    Ok((outcomes, renderer))
}

/// Runs the script against one server; every step and what came of it.
///
/// # Errors
/// When the script cannot be run to its end.
pub fn transcript(script: &Script, server: &Server) -> Result<String> {
    let mut renderer = Renderer::new(server.kind());
    let mut text = String::new();
    for outcome in driver::run(script, &mut Site::alone(server))? {
        let _ = writeln!(text, "{}", outcome.step);
        for line in renderer.lines(&outcome) {
            let _ = writeln!(text, "| {line}");
        }
    }
    Ok(text)
}

/// The differences, each with the steps just before it.
fn difference(
    reference: &[Outcome],
    candidate: &[Outcome],
    (on_reference, on_candidate): (&mut Renderer, &mut Renderer),
) -> String {
    let mut text = String::new();
    let mut steps_equal = 0;
    for (index, (one, other)) in reference.iter().zip(candidate).enumerate() {
        let mut expected = on_reference.lines(one);
        let actual = on_candidate.lines(other);
        if let (Kind::Zooid, Some(differs)) = (on_candidate.kind(), &one.zooid_differs) {
            if *differs == expected {
                let _ = writeln!(text, "> {}\n  does not differ any more\n", one.step);
            }
            expected.clone_from(differs);
        }
        if expected == actual {
            steps_equal += 1;
            continue;
        }
        let before = index.saturating_sub(STEPS_SHOWN_BEFORE)..index;
        for step in &reference[before] {
            let _ = writeln!(text, "  {}", step.step);
        }
        let _ = writeln!(text, "> {}", one.step);
        write_lines(&mut text, &expected, &actual);
        text.push('\n');
    }
    if !text.is_empty() {
        let steps = reference.len();
        let _ = writeln!(text, "{} of {steps} steps differ", steps - steps_equal);
    }
    text
}

/// Equal lines once, others marked `-` (expected) and `+` (got).
fn write_lines(text: &mut String, expected: &[String], actual: &[String]) {
    let equal_at_start = expected
        .iter()
        .zip(actual)
        .take_while(|(a, b)| a == b)
        .count();
    let (same, expected) = expected.split_at(equal_at_start);
    for line in same {
        let _ = writeln!(text, "    {line}");
    }
    for line in expected {
        let _ = writeln!(text, "  - {line}");
    }
    for line in &actual[equal_at_start..] {
        let _ = writeln!(text, "  + {line}");
    }
}

const ATTEMPTS_MAX: usize = 3;
const STEPS_SHOWN_BEFORE: usize = 3;
