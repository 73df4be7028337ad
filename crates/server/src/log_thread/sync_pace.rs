//! How soon after one sync of the log the next begins.

use std::time::{Duration, Instant};

/// Between the beginnings of two syncs, if each makes many records durable.
const PERIOD: Duration = Duration::from_micros(1500);
/// So many records for each sync are many. Fewer have few clients behind them, and each of those would
/// wait longer for its own write than the others gain.
const MANY: usize = 96;
/// Of how many syncs it takes the usual size, about.
const MEMORY: usize = 8;

/// Lets records gather when there are many.
///
/// A sync costs the processor some 80 µs, whatever it covers, and so does what follows it: a thread that wakes up, an
/// acknowledgement, a commit. Where clients ask for more than the processors can do, one sync for twice as
/// many records makes everybody's write faster. A disk that takes longer than [`PERIOD`] is not waited
/// for on top.
#[derive(Debug, Default)]
pub(super) struct SyncPace {
    /// What a sync covers, smoothed, times [`MEMORY`].
    usual: usize,
    began: Option<Instant>,
}

impl SyncPace {
    /// How long to let records gather before the next sync begins.
    pub(super) fn rest(&self, now: Instant) -> Duration {
        match self.began {
            Some(began) if self.usual >= MANY * MEMORY => {
                (began + PERIOD).saturating_duration_since(now)
            }
            _ => Duration::ZERO,
        }
    }

    /// A sync of so many records begins.
    pub(super) fn begins(&mut self, now: Instant, records: usize) {
        self.began = Some(now);
        self.usual = self.usual - self.usual / MEMORY + records;
    }
}

#[cfg(test)]
mod tests {
    use super::{MANY, PERIOD, SyncPace};
    use std::time::{Duration, Instant};

    fn after(syncs: usize, records: usize) -> (SyncPace, Instant) {
        let mut pace = SyncPace::default();
        let mut now = Instant::now();
        for _ in 0..syncs {
            now += PERIOD;
            pace.begins(now, records);
        }
        (pace, now)
    }

    #[test]
    fn few_records_do_not_wait() {
        let (pace, now) = after(100, MANY / 2);
        assert_eq!(pace.rest(now), Duration::ZERO);
        assert_eq!(SyncPace::default().rest(now), Duration::ZERO);
    }

    #[test]
    fn many_records_wait_until_the_period_is_over() {
        let (pace, now) = after(100, MANY * 2);
        assert_eq!(pace.rest(now), PERIOD);
        assert_eq!(pace.rest(now + PERIOD / 3), PERIOD - PERIOD / 3);
        // The disk itself has taken as long.
        assert_eq!(pace.rest(now + PERIOD * 2), Duration::ZERO);
    }

    #[test]
    fn one_large_batch_makes_nobody_wait() {
        let (mut pace, now) = after(100, 2);
        pace.begins(now, MANY * 2);
        assert_eq!(pace.rest(now), Duration::ZERO);
    }

    #[test]
    fn after_a_rush_nobody_waits_for_long() {
        let (mut pace, mut now) = after(100, MANY * 4);
        let mut waits = 0;
        while !pace.rest(now).is_zero() {
            waits += 1;
            now += PERIOD;
            pace.begins(now, 1);
        }
        assert!(waits < 16, "{waits}");
    }
}
