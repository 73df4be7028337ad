//! How soon after one sync of the log the next begins.

use std::time::{Duration, Instant};

/// Most of the time between the beginnings of two syncs.
const PERIOD_MAX: Duration = Duration::from_millis(2);
/// How much longer that time is than a sync takes, in [`STEPS`]: at least, at first and at most.
const SYNCS_MIN: u32 = STEPS;
const SYNCS_FIRST: u32 = 2 * STEPS;
const SYNCS_MAX: u32 = 3 * STEPS;
/// Steps to a whole.
const STEPS: u32 = 4;
/// So many records for each sync are many. Fewer have few clients behind them, and each of those would
/// wait longer for its own write than the others gain.
const MANY: u32 = 16;
/// Of how many syncs it takes the usual, about.
const MEMORY: u32 = 8;
/// How often the distance is looked at.
const LOOK_PERIOD: Duration = Duration::from_millis(10);
/// One in so many: the share of the time that the thread waits for a processor when they are as busy as they
/// should be. Where it waits for longer they have too much to do, and where it does not they could do more.
const DELAY_SHARE: u32 = 10;

/// Lets records gather when there are many and the processors are busy.
///
/// A sync costs the processor some 80 µs, whatever it covers, and so does what follows it: a thread that wakes up, an
/// acknowledgement, a commit. Where clients ask for more than the processors can do, one sync for more
/// records makes everybody's write faster. Where processors are idle it makes them slower. Which it is,
/// the thread sees from how long it waits for a processor itself; without knowing it keeps to the first distance. A
/// slow disk is not waited for on top.
#[derive(Debug)]
pub(super) struct SyncPace {
    /// What a sync covers, smoothed, times [`MEMORY`].
    records: u32,
    /// What a sync takes, smoothed, times [`MEMORY`].
    took: Duration,
    began: Option<Instant>,
    /// How many syncs, times [`STEPS`], lie between the beginnings of two.
    syncs: u32,
    /// When the distance was last looked at, and how long the thread had waited for processors by then.
    looked: Option<(Instant, Duration)>,
}

impl Default for SyncPace {
    fn default() -> SyncPace {
        SyncPace {
            records: 0,
            took: Duration::ZERO,
            began: None,
            syncs: SYNCS_FIRST,
            looked: None,
        }
    }
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
        (self.took * self.syncs / (MEMORY * STEPS)).min(PERIOD_MAX)
    }

    /// A sync of so many records began and took so long.
    pub(super) fn synced(&mut self, began: Instant, took: Duration, records: usize) {
        let records = u32::try_from(records).unwrap_or(u32::MAX / MEMORY);
        self.began = Some(began);
        self.records = self.records - self.records / MEMORY + records;
        self.took = self.took - self.took / MEMORY + took;
    }

    /// Whether it is time for [`SyncPace::look`].
    pub(super) fn is_look_due(&self, now: Instant) -> bool {
        let due = |(looked, _)| now.saturating_duration_since(looked) >= LOOK_PERIOD;
        self.looked.is_none_or(due)
    }

    /// By `now` the thread has waited so long for processors since it began.
    pub(super) fn look(&mut self, now: Instant, delay: Duration) {
        if let Some((looked, before)) = self.looked.replace((now, delay)) {
            let elapsed = now.saturating_duration_since(looked);
            let is_busy = delay.saturating_sub(before) * DELAY_SHARE > elapsed;
            self.syncs = if is_busy {
                (self.syncs + 1).min(SYNCS_MAX)
            } else {
                (self.syncs - 1).max(SYNCS_MIN)
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{
        DELAY_SHARE, LOOK_PERIOD, MANY, PERIOD_MAX, STEPS, SYNCS_FIRST, SYNCS_MAX, SyncPace,
    };
    use std::time::{Duration, Instant};

    const SYNC: Duration = Duration::from_micros(150);

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

    /// Looks as often at a thread that waits for a processor for `share` percent of the time.
    fn look(pace: &mut SyncPace, count: u32, share: u32) {
        let start = Instant::now();
        let before = pace.looked.map_or(Duration::ZERO, |(_, delay)| delay);
        pace.looked = Some((start, before));
        for n in 1..=count {
            let now = start + LOOK_PERIOD * n;
            assert!(pace.is_look_due(now));
            pace.look(now, before + LOOK_PERIOD * n * share / 100);
            assert!(!pace.is_look_due(now + LOOK_PERIOD / 2));
        }
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
        let syncs = SYNCS_FIRST / STEPS;
        let rest = pace.rest(began + SYNC);
        assert!(is_about(rest, SYNC * (syncs - 1)), "{rest:?}");
        assert_eq!(pace.rest(began + SYNC * syncs), Duration::ZERO);
    }

    #[test]
    fn where_processors_are_busy_records_wait_ever_longer() {
        let (mut pace, began) = after(100, SYNC, MANY * 2);
        let busy = 100 / DELAY_SHARE + 1;
        look(&mut pace, STEPS, busy);
        let rest = pace.rest(began);
        assert!(is_about(rest, SYNC * (SYNCS_FIRST / STEPS + 1)), "{rest:?}");
        look(&mut pace, 100, busy);
        let rest = pace.rest(began);
        assert!(is_about(rest, SYNC * (SYNCS_MAX / STEPS)), "{rest:?}");
    }

    #[test]
    fn where_processors_are_idle_nobody_waits() {
        let (mut pace, began) = after(100, SYNC, MANY * 2);
        look(&mut pace, 100, 100 / DELAY_SHARE);
        assert_eq!(pace.rest(began + SYNC), Duration::ZERO);
    }

    #[test]
    fn a_fast_disk_is_asked_more_often() {
        let (pace, began) = after(100, SYNC / 10, MANY * 2);
        let rest = pace.rest(began);
        assert!(
            is_about(rest, SYNC * (SYNCS_FIRST / STEPS) / 10),
            "{rest:?}"
        );
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
