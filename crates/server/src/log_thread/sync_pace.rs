//! How soon after one sync of the log the next begins.

use std::time::{Duration, Instant};

/// Most of the time between the beginnings of two syncs.
const PERIOD_MAX: Duration = Duration::from_micros(1500);
/// How much longer that time is than a sync takes.
const SYNCS: u32 = 5;
/// So many records for each sync are many. Fewer have few clients behind them, and each of those would
/// wait longer for its own write than the others gain.
const MANY: u32 = 16;
/// Of how many syncs it takes the usual, about.
const MEMORY: u32 = 8;

/// Lets records gather when there are many.
///
/// A sync costs the processor some 80 µs, whatever it covers, and so does what follows it: a thread that wakes up, an
/// acknowledgement, a commit. Where clients ask for more than the processors can do, one sync for more
/// records makes everybody's write faster. How long a sync takes tells of both the disk and the processors: a
/// fast disk of a machine with time to spare is asked often, and a slow one is not waited for on top.
#[derive(Debug, Default)]
pub(super) struct SyncPace {
    /// What a sync covers, smoothed, times [`MEMORY`].
    records: u32,
    /// What a sync takes, smoothed, times [`MEMORY`].
    took: Duration,
    began: Option<Instant>,
}

impl SyncPace {
    /// How long to let records gather before the next sync begins.
    pub(super) fn rest(&self, now: Instant) -> Duration {
        match self.began {
            Some(began) if self.records >= MANY * MEMORY => {
                (began + self.period()).saturating_duration_since(now)
            }
            _ => Duration::ZERO,
        }
    }

    fn period(&self) -> Duration {
        (self.took * SYNCS / MEMORY).min(PERIOD_MAX)
    }

    /// A sync of so many records began and took so long.
    pub(super) fn synced(&mut self, began: Instant, took: Duration, records: usize) {
        let records = u32::try_from(records).unwrap_or(u32::MAX / MEMORY);
        self.began = Some(began);
        self.records = self.records - self.records / MEMORY + records;
        self.took = self.took - self.took / MEMORY + took;
    }
}

#[cfg(test)]
mod tests {
    use super::{MANY, PERIOD_MAX, SYNCS, SyncPace};
    use std::time::{Duration, Instant};

    const SYNC: Duration = Duration::from_micros(200);

    /// After as many syncs, and when the last began.
    fn after(syncs: usize, took: Duration, records: u32) -> (SyncPace, Instant) {
        let mut pace = SyncPace::default();
        let mut now = Instant::now();
        for _ in 0..syncs {
            now += PERIOD_MAX;
            pace.synced(now, took, usize::try_from(records).unwrap());
        }
        (pace, now)
    }

    fn is_about(rest: Duration, wanted: Duration) -> bool {
        rest.abs_diff(wanted) < wanted / 100
    }

    #[test]
    fn few_records_do_not_wait() {
        let (pace, began) = after(100, SYNC, MANY / 2);
        assert_eq!(pace.rest(began + SYNC), Duration::ZERO);
        assert_eq!(SyncPace::default().rest(began), Duration::ZERO);
    }

    #[test]
    fn many_records_wait_for_as_long_as_some_syncs_take() {
        let (pace, began) = after(100, SYNC, MANY * 2);
        let rest = pace.rest(began + SYNC);
        assert!(is_about(rest, SYNC * (SYNCS - 1)), "{rest:?}");
        assert_eq!(pace.rest(began + SYNC * SYNCS), Duration::ZERO);
    }

    #[test]
    fn a_fast_disk_is_asked_more_often() {
        let (pace, began) = after(100, SYNC / 10, MANY * 2);
        let rest = pace.rest(began);
        assert!(is_about(rest, SYNC * SYNCS / 10), "{rest:?}");
    }

    #[test]
    fn a_slow_disk_is_not_waited_for_on_top() {
        let (pace, began) = after(100, SYNC * 100, MANY * 2);
        assert_eq!(pace.rest(began), PERIOD_MAX);
        assert_eq!(pace.rest(began + SYNC * 100), Duration::ZERO);
    }

    #[test]
    fn one_large_batch_makes_nobody_wait() {
        let (mut pace, began) = after(100, SYNC, 2);
        pace.synced(began, SYNC, usize::try_from(MANY * 2).unwrap());
        assert_eq!(pace.rest(began), Duration::ZERO);
    }

    #[test]
    fn after_a_rush_nobody_waits_for_long() {
        let (mut pace, mut now) = after(100, SYNC, MANY * 4);
        let mut waits = 0;
        while !pace.rest(now).is_zero() {
            waits += 1;
            now += PERIOD_MAX;
            pace.synced(now, SYNC, 1);
        }
        assert!(waits < 16, "{waits}");
    }
}
