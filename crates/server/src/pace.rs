//! How fast somebody may read and write the whole tree beside the server's work.
//!
//! A snapshot is in no hurry; requests are. Whoever makes one rests after a short stretch of work for some
//! times as long as that took, the time that the disk took included. So it takes a fixed share of a core and
//! of the disk, less where others are in its way, and yet comes to its end.
//!
//! Priorities would not do. Linux owes a thread of low priority what it has not had while others ran, and lets
//! it have that at once and undisturbed when it wakes up: tens of milliseconds where it shares a processor with
//! threads of still lower priority.

use std::time::Duration;

/// A stretch of work: as long as a request may wait for a core.
const WORK: Duration = Duration::from_micros(200);
/// A snapshot for oneself, of which the log makes no haste.
const RESTS_OF_WRITER: u32 = 3;
/// A snapshot for somebody who cannot serve without it.
const RESTS_OF_LEARNER: u32 = 1;
/// Nobody waits much longer for somebody to notice that the server stops.
const REST_MAX: Duration = Duration::from_millis(50);

/// How fast one thread may work.
#[derive(Debug)]
pub(crate) struct Pace {
    /// How much longer than its work it rests.
    rests: u32,
    /// Since its last rest.
    worked: Duration,
}

impl Pace {
    /// Of who writes a snapshot of its own.
    pub(crate) fn of_writer() -> Pace {
        Pace::with_rests(RESTS_OF_WRITER)
    }

    /// Of who gets a snapshot that a leader sends.
    pub(crate) fn of_learner() -> Pace {
        Pace::with_rests(RESTS_OF_LEARNER)
    }

    fn with_rests(rests: u32) -> Pace {
        Pace {
            rests,
            worked: Duration::ZERO,
        }
    }

    /// Has done a small piece of the work, and holds no lock. Rests if it is time to.
    pub(crate) fn keep(&mut self, piece: Duration) {
        if let Some(rest) = self.rest_after(piece) {
            std::thread::sleep(rest);
        }
    }

    fn rest_after(&mut self, piece: Duration) -> Option<Duration> {
        self.worked += piece;
        if self.worked < WORK {
            return None;
        }
        let worked = std::mem::take(&mut self.worked);
        Some((worked * self.rests).min(REST_MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::{Duration, Pace, REST_MAX, WORK};

    #[test]
    fn the_rest_is_some_times_the_work_but_never_long() {
        let rest = |pace: Pace, work| { pace }.rest_after(work);
        let little = Duration::from_micros(1);
        assert_eq!(rest(Pace::of_writer(), WORK - little), None);
        assert_eq!(rest(Pace::of_writer(), WORK), Some(3 * WORK));
        assert_eq!(rest(Pace::of_learner(), WORK), Some(WORK));
        assert_eq!(rest(Pace::of_writer(), 5 * WORK), Some(15 * WORK));
        let long = Duration::from_secs(1);
        assert_eq!(rest(Pace::of_learner(), long), Some(REST_MAX));
    }

    #[test]
    fn pieces_add_up_until_a_rest() {
        let mut pace = Pace::of_learner();
        let piece = WORK / 2;
        assert_eq!(pace.rest_after(piece), None);
        assert_eq!(pace.rest_after(piece), Some(WORK));
        assert_eq!(pace.rest_after(piece), None);
    }
}
