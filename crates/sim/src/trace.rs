//! What a run leaves behind: a hash of everything that happened, and, when somebody wants to read it,
//! its lines.

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

/// Eight bytes at a time: for hashes that need only be the same for the same bytes, and fast.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Mix(u64);

impl Mix {
    pub(crate) fn write(&mut self, bytes: &[u8]) {
        let (words, rest) = bytes.as_chunks::<8>();
        for word in words {
            self.word(u64::from_le_bytes(*word));
        }
        for byte in rest {
            self.word(u64::from(*byte));
        }
    }

    pub(crate) fn word(&mut self, word: u64) {
        self.0 = (self.0 ^ word)
            .wrapping_mul(0x9e37_79b9_7f4a_7c15)
            .rotate_left(29);
    }

    pub(crate) fn finish(self) -> u64 {
        // What was written last has not reached every bit yet.
        let mixed = (self.0 ^ (self.0 >> 32)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed ^ (mixed >> 29)
    }
}

/// How much of a trace is kept as text. Writing it costs more than everything else in a run: a run is
/// made again, from its seed, when somebody wants to read it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Reading {
    /// Nobody: its hash is enough.
    #[default]
    Nobody,
    /// Its end and its turning points.
    Failure,
    /// All of it.
    Everything,
}

/// The trace of one run.
#[derive(Debug, Default)]
pub(crate) struct Trace {
    reading: Reading,
    hash: Mix,
    lines: u64,
    text: VecDeque<String>,
    milestones: VecDeque<String>,
}

impl Trace {
    pub(crate) fn new(reading: Reading) -> Trace {
        Trace {
            reading,
            ..Trace::default()
        }
    }

    /// Something happened: what it comes to as a number, and, for whoever reads it, as text.
    pub(crate) fn fact(
        &mut self,
        at_us: u64,
        hash: u64,
        is_milestone: bool,
        text: impl FnOnce() -> String,
    ) {
        self.hash.word(at_us);
        self.hash.word(hash);
        self.lines += 1;
        let tail = match self.reading {
            Reading::Nobody => return,
            Reading::Failure => TAIL_LINES,
            Reading::Everything => usize::MAX,
        };
        let line = stamped(at_us, &text());
        if is_milestone {
            push(&mut self.milestones, MILESTONES, line.clone());
        }
        push(&mut self.text, tail, line);
    }

    /// A line that is remembered for longer: something broke, or was mended.
    pub(crate) fn milestone(&mut self, at_us: u64, what: &str) {
        let mut hash = Mix::default();
        hash.write(what.as_bytes());
        self.fact(at_us, hash.finish(), true, || what.to_owned());
    }

    pub(crate) fn hash(&self) -> u64 {
        self.hash.finish()
    }

    pub(crate) fn lines(&self) -> u64 {
        self.lines
    }

    /// The lines that were kept, and the turning points.
    pub(crate) fn into_text(self) -> (Vec<String>, Vec<String>) {
        (self.text.into(), self.milestones.into())
    }
}

fn push(lines: &mut VecDeque<String>, most: usize, line: String) {
    if lines.len() == most {
        lines.pop_front();
    }
    lines.push_back(line);
}

fn stamped(at_us: u64, what: &str) -> String {
    let cut = what
        .char_indices()
        .nth(LINE_CHARS_MAX)
        .map_or(what.len(), |(at, _)| at);
    format!("{:>10}.{:03} {}", at_us / 1000, at_us % 1000, &what[..cut])
}
