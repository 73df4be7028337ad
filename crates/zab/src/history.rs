//! The most recent committed transactions, kept for learners that are a little behind
//! (spec §6.4; Java `ZKDatabase.committedLog`).

use alloc::collections::VecDeque;
use bytes::Bytes;
use zooid_proto::{Zxid, mutant};

/// A window over the end of the committed history. It never has a hole: what does not follow what is
/// there empties it first (ZOOKEEPER-4925).
#[derive(Clone, Debug)]
pub struct History {
    window: VecDeque<(Zxid, Bytes)>,
    capacity: usize,
    last: Zxid,
}

impl History {
    /// An empty window at the end `last` of a history, holding at most `capacity` transactions
    /// (`commitLogCount`).
    #[must_use]
    pub fn new(capacity: usize, last: Zxid) -> History {
        History {
            window: VecDeque::new(),
            capacity,
            last,
        }
    }

    /// Adds the next committed transaction.
    ///
    /// # Panics
    /// If it does not come after everything before: a confused replica stops.
    pub fn push(&mut self, zxid: Zxid, record: Bytes) {
        assert!(zxid > self.last, "{zxid} after {}", self.last);
        let newest = self.window.back().map_or(self.last, |(newest, _)| *newest);
        if !zxid.follows(newest) && !mutant!(Zk4925) {
            self.window.clear();
        }
        self.window.push_back((zxid, record));
        while self.window.len() > self.capacity {
            self.window.pop_front();
        }
        self.last = zxid;
    }

    /// Takes an epoch's first zxid, which no transaction has, as the end of the history.
    pub fn advance_to(&mut self, zxid: Zxid) {
        self.last = self.last.max(zxid);
    }

    /// The end of the committed history: L in spec §6.4.
    #[must_use]
    pub fn last(&self) -> Zxid {
        self.last
    }

    /// The oldest transaction in the window; the history's end when it is empty.
    #[must_use]
    pub fn min(&self) -> Zxid {
        self.window.front().map_or(self.last, |(zxid, _)| *zxid)
    }

    /// The newest transaction in the window; the history's end when it is empty.
    #[must_use]
    pub fn max(&self) -> Zxid {
        self.window.back().map_or(self.last, |(zxid, _)| *zxid)
    }

    /// The window, oldest first.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (Zxid, &Bytes)> {
        self.window.iter().map(|(zxid, record)| (*zxid, record))
    }
}

#[cfg(test)]
mod tests;
