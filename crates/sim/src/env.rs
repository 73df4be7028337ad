//! What every part of a run can reach: the time, the schedule, the trace and the checkers.

use crate::checkers::{Checkers, Complaint};
use crate::fact::Fact;
use crate::schedule::{Event, Schedule};
use crate::trace::{Mix, Reading, Trace};
use zooid_node::Now;

/// When the simulated world begins, in milliseconds since 1970.
const WALL_START_MS: i64 = 1_700_000_000_000;

#[derive(Debug)]
pub(crate) struct Env {
    pub(crate) now_us: u64,
    pub(crate) schedule: Schedule,
    pub(crate) trace: Trace,
    pub(crate) checkers: Checkers,
    /// The first complaint; the run is over.
    pub(crate) complaint: Option<Complaint>,
}

impl Env {
    pub(crate) fn new() -> Env {
        Env {
            now_us: 0,
            schedule: Schedule::default(),
            trace: Trace::new(Reading::Failure),
            checkers: Checkers::default(),
            complaint: None,
        }
    }

    pub(crate) fn now(&self) -> Now {
        let mono_ms = i64::try_from(self.now_us / 1000).expect("a run is short");
        Now {
            mono_ms,
            wall_ms: WALL_START_MS + mono_ms,
        }
    }

    /// Tells the trace and the checkers.
    pub(crate) fn tell(&mut self, fact: &Fact<'_>) {
        if self.complaint.is_some() {
            return;
        }
        let is_milestone = matches!(fact, Fact::Died { .. } | Fact::Recovered { .. });
        let line = fact.line();
        let mut hash = Mix::default();
        hash.write(line.as_bytes());
        (self.trace).fact(self.now_us, hash.finish(), is_milestone, || line);
        self.complaint = self.checkers.observe(fact).err();
    }

    pub(crate) fn complain(&mut self, checker: &'static str, what: String) {
        self.complaint.get_or_insert((checker, what));
    }

    pub(crate) fn after(&mut self, delay_us: u64, event: Event) {
        self.schedule.at(self.now_us + delay_us, event);
    }
}
