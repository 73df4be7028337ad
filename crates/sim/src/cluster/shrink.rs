//! Makes a failing run smaller: fewer members, clients and faults, a shorter first act.
//!
//! Whatever is left out, the run must fail with the same checker; what it complains of may differ.

use super::chance::{Chance, Script};
use super::options::Options;
use super::run::play;
use crate::trace::Reading;
use std::collections::BTreeSet;

/// Runs that one shrinking may take.
const RUNS_MAX: u64 = 1500;

/// The smallest run found that fails as this one does; `None` if it does not fail.
#[must_use]
pub fn shrink(options: &Options) -> Option<Options> {
    let played = play(options, Reading::Nobody);
    let failure = played.result.err()?;
    let mut search = Search {
        best: options.clone(),
        checker: failure.checker,
        runs: 0,
    };
    search.try_out(|options| options.script = Script::Only(played.faults.clone()));
    loop {
        let before = search.best.clone();
        search.shorten();
        search.send_away();
        search.leave_out_faults();
        if search.best == before || search.runs >= RUNS_MAX {
            return Some(search.best);
        }
    }
}

struct Search {
    best: Options,
    checker: String,
    runs: u64,
}

impl Search {
    /// Keeps a change if the run still fails.
    fn try_out(&mut self, change: impl FnOnce(&mut Options)) -> bool {
        let mut options = self.best.clone();
        change(&mut options);
        if options == self.best || self.runs >= RUNS_MAX {
            return false;
        }
        self.runs += 1;
        let failure = play(&options, Reading::Nobody).result.err();
        let is_same = failure.is_some_and(|failure| failure.checker == self.checker);
        if is_same {
            self.best = options;
        }
        is_same
    }

    /// The first act, by halves and then by tenths.
    fn shorten(&mut self) {
        while self.try_out(|options| options.faults_ms /= 2) {}
        while self.try_out(|options| options.faults_ms -= options.faults_ms / 10) {}
    }

    fn send_away(&mut self) {
        self.try_out(|options| options.with_local_sessions = false);
        for clients in 0..3 {
            if self.best.clients.is_none_or(|now| clients < now)
                && self.try_out(|options| options.clients = Some(clients))
            {
                break;
            }
        }
        self.try_out(|options| options.observers = Some(0));
        self.try_out(|options| options.members = Some(3));
    }

    /// By halves, then by smaller and smaller parts, down to each alone.
    fn leave_out_faults(&mut self) {
        let mut parts = 2;
        while let Script::Only(chances) = self.best.script.clone()
            && !chances.is_empty()
        {
            let chances: Vec<Chance> = chances.into_iter().collect();
            let part_len = chances.len().div_ceil(parts);
            let fewer = chances.chunks(part_len).any(|part| {
                let rest = chances.iter().filter(|chance| !part.contains(chance));
                let rest: BTreeSet<Chance> = rest.copied().collect();
                self.try_out(|options| options.script = Script::Only(rest))
            });
            if !fewer && part_len == 1 {
                return;
            }
            parts = if fewer { parts.max(3) - 1 } else { parts * 2 };
        }
    }
}
