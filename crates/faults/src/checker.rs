//! Whether a history can be that of one tree whose writes are in one order.
//!
//! Owns the rules, and nothing else: a verdict is a function of the history. ZooKeeper tells the place
//! of every write (its zxid) and the version of what it reads, so most rules need no search: they put
//! the writes where the replies say, and look for what does not fit. The twin searches instead, looks at
//! no zxid, and must come to the same end.

mod existence;
mod facts;
mod order;
mod reads;
mod twin;
mod versions;

#[cfg(test)]
mod tests;

use crate::history::Operation;
use facts::Facts;
use std::fmt;

/// What is wrong with a history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Which rule is broken.
    pub rule: Rule,
    /// How.
    pub text: String,
    /// Which operations show it, as places in the history.
    pub operations: Vec<usize>,
}

/// What must hold. `docs/internals/testing.md` explains each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rule {
    /// A transaction has one zxid, and no two have the same.
    OneZxid,
    /// What is done before something else is asked for has the lower zxid.
    RealTime,
    /// A session's writes are done in the order in which it asked for them.
    SessionOrder,
    /// A session never goes back, on whichever server.
    Monotonic,
    /// A read behind a sync shows all that anyone had been told before.
    SyncedRead,
    /// A value is read only where and after someone wrote it.
    Value,
    /// Versions count the writes of a node: none is lost, none is done twice.
    Versions,
    /// A write is refused only if it could not be done.
    Refusal,
    /// A node is there from its creation to its deletion.
    Existence,
    /// There is an order of the register's operations that explains all answers.
    Linearizable,
}

/// All violations, of all rules. An empty list is a good history.
#[must_use]
pub fn check(operations: &[Operation]) -> Vec<Violation> {
    let mut found = Vec::new();
    let facts = Facts::gather(operations, &mut found);
    order::check(&facts, &mut found);
    versions::check(&facts, &mut found);
    reads::check(&facts, &mut found);
    existence::check(&facts, &mut found);
    twin::check(operations, &mut found);
    found.sort_by_key(|violation| (violation.rule, violation.operations.clone()));
    found
}

impl Violation {
    fn new(rule: Rule, operations: &[usize], text: impl Into<String>) -> Violation {
        Violation {
            rule,
            text: text.into(),
            operations: operations.to_vec(),
        }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {}", self.rule, self.text)
    }
}
