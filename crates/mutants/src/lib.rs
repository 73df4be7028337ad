//! Known faults that the simulator commits on purpose, to prove that it would notice them.
//!
//! Owns their names, what each is, and which one is committed now. Where a fault is committed the code
//! asks `zooid_proto::mutant!`, which is `false` unless `zooid-proto` is built with its feature
//! `mutants`; nothing but the simulator's tests is. So one build has all faults, and a server's has
//! none, nor this crate.
#![forbid(unsafe_code)]

mod fault;

pub use fault::{Fault, Simulation};

use std::cell::Cell;
use std::fmt;
use std::str::FromStr;

/// A fault. `Zk` and a number is one of ZooKeeper's own, `ZOOKEEPER-` and that number; the others are
/// faults that any server of this kind could have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs, reason = "Mutant::fault tells, in one place")]
pub enum Mutant {
    CountsWrongQuorum,
    Zk3911,
    Zk4643,
    Zk4646,
    Zk4685,
    Zk4394,
    Zk4785,
    Zk4925,
    Zk4712,
    Zk3642,
    Zk5094,
    Zk4882,
    Zk3104,
    Zk2845,
    Zk2846,
    Zk4837,
    Zk2355,
    Zk1675,
    Zk4306,
    AcknowledgesBeforeSync,
    LosesTruncation,
    ReordersAcknowledgements,
    Zk3127,
    Zk3144,
    TellsBeforeSync,
    AppliesHalfMultis,
    ForgetsToRollBack,
    TellsEventsLate,
    NeverSyncsNames,
    PurgesTooMuch,
    LeavesEphemerals,
}

thread_local! {
    /// A run of the simulator is one thread, so that several with different faults can go on at once.
    static COMMITTED: Cell<Option<Mutant>> = const { Cell::new(None) };
}

impl Mutant {
    /// All of them.
    pub const ALL: &[Mutant] = &[
        Mutant::CountsWrongQuorum,
        Mutant::Zk3911,
        Mutant::Zk4643,
        Mutant::Zk4646,
        Mutant::Zk4685,
        Mutant::Zk4394,
        Mutant::Zk4785,
        Mutant::Zk4925,
        Mutant::Zk4712,
        Mutant::Zk3642,
        Mutant::Zk5094,
        Mutant::Zk4882,
        Mutant::Zk3104,
        Mutant::Zk2845,
        Mutant::Zk2846,
        Mutant::Zk4837,
        Mutant::Zk2355,
        Mutant::Zk1675,
        Mutant::Zk4306,
        Mutant::AcknowledgesBeforeSync,
        Mutant::LosesTruncation,
        Mutant::ReordersAcknowledgements,
        Mutant::Zk3127,
        Mutant::Zk3144,
        Mutant::TellsBeforeSync,
        Mutant::AppliesHalfMultis,
        Mutant::ForgetsToRollBack,
        Mutant::TellsEventsLate,
        Mutant::NeverSyncsNames,
        Mutant::PurgesTooMuch,
        Mutant::LeavesEphemerals,
    ];

    /// Whether this fault is to be committed by this thread.
    #[must_use]
    pub fn is_committed(self) -> bool {
        COMMITTED.get() == Some(self)
    }

    /// Runs `act` with this fault committed on this thread, whatever becomes of it.
    pub fn commit<T>(self, act: impl FnOnce() -> T) -> T {
        /// Undoes it also when `act` panics.
        struct Undo(Option<Mutant>);
        impl Drop for Undo {
            fn drop(&mut self) {
                COMMITTED.set(self.0);
            }
        }
        let _undo = Undo(COMMITTED.replace(Some(self)));
        act()
    }
}

impl fmt::Display for Mutant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

impl FromStr for Mutant {
    type Err = String;

    fn from_str(name: &str) -> Result<Mutant, String> {
        let found = Mutant::ALL.iter().find(|known| known.to_string() == name);
        found.copied().ok_or_else(|| {
            let names: Vec<String> = Mutant::ALL.iter().map(Mutant::to_string).collect();
            format!("no fault is called {name}; there are {}", names.join(", "))
        })
    }
}

#[cfg(test)]
mod tests;
