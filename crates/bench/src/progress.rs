//! One line on the terminal that says how far a run is.

use std::io::{self, IsTerminal, Write};
use std::time::{Duration, Instant};

use crate::units::grouped;

/// Rewrites its line once a second; silent when standard error is not a terminal.
pub(crate) struct Progress {
    is_shown: bool,
    started: Instant,
    warm_up: Duration,
    last: (Instant, u64),
}

impl Progress {
    pub(crate) fn new(started: Instant, warm_up: Duration) -> Progress {
        Progress {
            is_shown: io::stderr().is_terminal(),
            started,
            warm_up,
            last: (started, 0),
        }
    }

    /// Says what is being done before and after the load.
    pub(crate) fn step(what: &str) {
        if io::stderr().is_terminal() {
            let _ = write!(io::stderr(), "\r\x1b[K{what}");
        }
    }

    /// Shows how many operations have been completed so far.
    pub(crate) fn update(&mut self, now: Instant, completed: u64) {
        if !self.is_shown {
            return;
        }
        let elapsed = now.duration_since(self.started);
        let phase = if elapsed < self.warm_up {
            "warming up"
        } else {
            "measuring"
        };
        let (then, before) = self.last;
        let millis = u64::try_from(now.duration_since(then).as_millis()).unwrap_or(u64::MAX);
        let per_second = completed.saturating_sub(before).saturating_mul(1000) / millis.max(1);
        self.last = (now, completed);
        // Nothing depends on this line; a closed terminal is no reason to stop.
        let _ = write!(
            io::stderr(),
            "\r\x1b[K{phase}, {} s: {} operations, {}/s",
            elapsed.as_secs(),
            grouped(completed),
            grouped(per_second),
        );
    }

    /// Wipes the line.
    pub(crate) fn clear() {
        Progress::step("");
    }
}
