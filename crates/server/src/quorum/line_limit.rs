//! How often strangers may make the server write a line into its log.

use parking_lot::Mutex;

/// At most so many lines in any window of time; whoever is over it is counted.
#[derive(Debug, Default)]
pub(super) struct LineLimit(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    window_began_ms: i64,
    lines: u32,
    suppressed: u64,
}

impl LineLimit {
    /// Whether to write a line now: if so, how many were left out since the last one.
    pub(super) fn admit(&self, now_ms: i64) -> Option<u64> {
        let mut state = self.0.lock();
        if now_ms - state.window_began_ms >= WINDOW_MS {
            state.window_began_ms = now_ms;
            state.lines = 0;
        }
        if state.lines == LINES_PER_WINDOW_MAX {
            state.suppressed += 1;
            return None;
        }
        state.lines += 1;
        Some(std::mem::take(&mut state.suppressed))
    }
}

const WINDOW_MS: i64 = 10_000;
const LINES_PER_WINDOW_MAX: u32 = 20;

#[cfg(test)]
mod tests;
