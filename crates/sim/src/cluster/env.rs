//! What every part of a run can reach: the time, the schedule, the networks, the trace and the
//! checkers.

use super::ballots::Ballots;
use super::checkers::Checkers;
use super::fact::Fact;
use super::network::Network;
use super::options::{Options, Profile};
use super::schedule::Event;
use crate::random::Random;
use crate::schedule::Schedule;
use crate::trace::{Reading, Trace};
use zooid_node::Now;

/// When the simulated world begins, in milliseconds since 1970.
const WALL_START_MS: i64 = 1_700_000_000_000;

#[derive(Debug)]
pub(crate) struct Env {
    pub(crate) now_us: u64,
    pub(crate) schedule: Schedule<Event>,
    pub(crate) network: Network,
    pub(crate) ballots: Ballots,
    pub(crate) trace: Trace,
    pub(crate) checkers: Checkers,
    /// The first complaint; the run is over.
    pub(crate) complaint: Option<(&'static str, String)>,
}

impl Env {
    pub(crate) fn new(options: &Options, profile: &Profile, reading: Reading) -> Env {
        Env {
            now_us: 0,
            schedule: Schedule::default(),
            network: Network::new(options.seed, profile.latency_us),
            ballots: Ballots::new(options.seed, profile.latency_us),
            trace: Trace::new(reading),
            checkers: Checkers::new(profile),
            complaint: None,
        }
    }

    /// Tells the trace and the checkers.
    pub(crate) fn tell(&mut self, fact: &Fact<'_>) {
        if self.complaint.is_some() {
            return;
        }
        let line = || fact.line();
        (self.trace).fact(self.now_us, fact.hash(), fact.is_milestone(), line);
        self.complaint = self.checkers.observe(fact).err();
    }

    pub(crate) fn milestone(&mut self, what: &str) {
        self.trace.milestone(self.now_us, what);
    }

    pub(crate) fn complain(&mut self, checker: &'static str, what: String) {
        self.complaint.get_or_insert((checker, what));
    }

    pub(crate) fn after(&mut self, delay_us: u64, event: Event) {
        self.schedule.at(self.now_us + delay_us, event);
    }
}

/// A member's clock: it begins anywhere and goes at a pace of its own.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    start_ms: i64,
    wall_skew_ms: i64,
    /// In a million.
    pace: u64,
}

impl Clock {
    pub(crate) fn draw(dice: &mut Random, drift_ppm: u64) -> Clock {
        let signed = |value: u64| i64::try_from(value).expect("small");
        Clock {
            start_ms: signed(dice.below(100_000)),
            wall_skew_ms: signed(dice.below(2 * drift_ppm + 1)) - signed(drift_ppm),
            pace: 1_000_000 - drift_ppm + dice.below(2 * drift_ppm + 1),
        }
    }

    /// Somebody sets the wall clock, or the machine was suspended: a monotonic clock never goes back.
    pub(crate) fn jump(&mut self, wall_ms: i64, mono_ms: u64) {
        self.wall_skew_ms += wall_ms;
        self.start_ms += i64::try_from(mono_ms).expect("small");
    }

    pub(crate) fn now(&self, now_us: u64) -> Now {
        let passed_us = now_us * self.pace / 1_000_000;
        let passed_ms = i64::try_from(passed_us / 1000).expect("a run is short");
        Now {
            mono_ms: self.start_ms + passed_ms,
            wall_ms: WALL_START_MS + self.wall_skew_ms + passed_ms,
        }
    }

    /// When the monotonic clock will show this, in the world's time.
    pub(crate) fn world_us(&self, mono_ms: i64) -> u64 {
        let passed_ms = u64::try_from(mono_ms.saturating_sub(self.start_ms)).unwrap_or(0);
        let passed_us = passed_ms.saturating_mul(1000).min(MONO_US_MAX);
        passed_us * 1_000_000 / self.pace + 1
    }
}

/// Timers further away are as good as none.
const MONO_US_MAX: u64 = 3_600_000_000;
