//! One script, two servers, and the lines in which they differ.

#[cfg(test)]
mod tests;

use crate::driver::{self, Outcome};
use crate::rendering::Renderer;
use crate::script::Script;
use crate::{Kind, Options, Server};
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
        thread::scope(|scope| {
            let reference = scope.spawn(|| Server::start(Kind::Java, options.clone()));
            let candidate = Server::start(Kind::under_test(), options.clone())?;
            let reference = reference
                .join()
                .map_err(|_| anyhow!("starting Java panicked"))??;
            Ok(Pair {
                on_reference: Renderer::new(reference.kind()),
                on_candidate: Renderer::new(candidate.kind()),
                reference,
                candidate,
            })
        })
    }

    /// Runs the script against both; the text is empty if they agree.
    ///
    /// # Errors
    /// When the script cannot be run to its end.
    pub fn difference(&mut self, script: &Script) -> Result<String> {
        let (reference, candidate) = thread::scope(|scope| {
            let reference = scope.spawn(|| driver::run(script, &self.reference));
            let candidate = driver::run(script, &self.candidate);
            let reference = reference.join().map_err(|_| anyhow!("the driver panicked"));
            anyhow::Ok((reference??, candidate.context("the server under test")?))
        })?;
        let renderers = (&mut self.on_reference, &mut self.on_candidate);
        Ok(difference(&reference, &candidate, renderers))
    }
}

/// Runs the script against one server; every step and what came of it.
///
/// # Errors
/// When the script cannot be run to its end.
pub fn transcript(script: &Script, server: &Server) -> Result<String> {
    let mut renderer = Renderer::new(server.kind());
    let mut text = String::new();
    for outcome in driver::run(script, server)? {
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

const STEPS_SHOWN_BEFORE: usize = 3;
