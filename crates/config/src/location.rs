//! Where a setting was written: the sentence part that starts every message.

use std::fmt;
use std::num::NonZeroUsize;
use std::sync::Arc;

/// A named place in a named source, such as line 12 of `conf/zoo.cfg` or the variable `ZOO_SERVERS`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Location {
    source: Arc<str>,
    line: Option<NonZeroUsize>,
}

impl Location {
    /// A source without lines: a command line, an environment variable, or a file as a whole.
    #[must_use]
    pub fn source(name: &str) -> Location {
        Location {
            source: Arc::from(name),
            line: None,
        }
    }

    /// The same source at a 1-based line.
    #[must_use]
    pub fn line(&self, line: usize) -> Location {
        Location {
            source: Arc::clone(&self.source),
            line: NonZeroUsize::new(line),
        }
    }

    /// The same source, its line forgotten.
    #[must_use]
    pub fn whole(&self) -> Location {
        Location {
            source: Arc::clone(&self.source),
            line: None,
        }
    }

    /// The 1-based line, where the source has lines.
    #[must_use]
    pub fn line_number(&self) -> Option<usize> {
        self.line.map(NonZeroUsize::get)
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "{}:{line}", self.source),
            None => f.write_str(&self.source),
        }
    }
}

/// One `key=value` as it was written, both sides trimmed as `QuorumPeerConfig.parseProperties` does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The key.
    pub key: String,
    /// The value, never interpreted yet.
    pub value: String,
    /// Where it stands.
    pub at: Location,
}
