//! What a run leaves behind: a hash of everything that happened, and its last lines for whoever has
//! to understand a failure.

use std::collections::VecDeque;

/// Lines kept for a failure's report.
const TAIL_LINES: usize = 60;
const LINE_CHARS_MAX: usize = 300;
/// Turning points kept for a failure's report.
const MILESTONES: usize = 40;

/// FNV-1a, 64 bits: the same on every machine and in every release.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fnv(u64);

impl Default for Fnv {
    fn default() -> Fnv {
        Fnv(0xcbf2_9ce4_8422_2325)
    }
}

impl Fnv {
    pub(crate) fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }

    pub(crate) fn finish(self) -> u64 {
        self.0
    }
}

/// The trace of one run.
#[derive(Debug, Default)]
pub(crate) struct Trace {
    hash: Fnv,
    lines: u64,
    tail: VecDeque<String>,
    milestones: VecDeque<String>,
}

impl Trace {
    pub(crate) fn line(&mut self, at_us: u64, what: &str) {
        self.hash.write(&at_us.to_be_bytes());
        self.hash.write(what.as_bytes());
        self.lines += 1;
        push(&mut self.tail, TAIL_LINES, at_us, what);
    }

    /// A line that is remembered for longer: something broke, or was mended.
    pub(crate) fn milestone(&mut self, at_us: u64, what: &str) {
        self.line(at_us, what);
        push(&mut self.milestones, MILESTONES, at_us, what);
    }

    pub(crate) fn hash(&self) -> u64 {
        self.hash.finish()
    }

    pub(crate) fn lines(&self) -> u64 {
        self.lines
    }

    pub(crate) fn tail(&self) -> Vec<String> {
        self.tail.iter().cloned().collect()
    }

    pub(crate) fn milestones(&self) -> Vec<String> {
        self.milestones.iter().cloned().collect()
    }
}

fn push(lines: &mut VecDeque<String>, most: usize, at_us: u64, what: &str) {
    if lines.len() == most {
        lines.pop_front();
    }
    let cut = what
        .char_indices()
        .nth(LINE_CHARS_MAX)
        .map_or(what.len(), |(at, _)| at);
    let line = format!("{:>10}.{:03} {}", at_us / 1000, at_us % 1000, &what[..cut]);
    lines.push_back(line);
}
