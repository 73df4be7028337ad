//! How fast somebody may read and write the whole tree beside the server's work.
//!
//! A snapshot is in no hurry; requests are. Whoever makes one rests after a short stretch of work for some
//! times as long as that took, the time that the disk took included. So it takes a fixed share of a core and
//! of the disk, less where others are in its way, and yet comes to its end.

use std::time::{Duration, Instant};

/// A stretch of work: as long as a request may wait for a core.
const WORK: Duration = Duration::from_micros(300);
const RESTS_PER_WORK: u32 = 3;
/// Nobody waits much longer for somebody to notice that the server stops.
const REST_MAX: Duration = Duration::from_millis(50);

/// One piece of work.
#[derive(Debug)]
pub(crate) struct Pace {
    began: Instant,
}

impl Pace {
    pub(crate) fn new() -> Pace {
        Pace {
            began: Instant::now(),
        }
    }

    /// To be called between small pieces of the work, without a lock. Rests if it is time to.
    pub(crate) fn keep(&mut self) {
        if let Some(rest) = rest_after(self.began.elapsed()) {
            std::thread::sleep(rest);
            self.began = Instant::now();
        }
    }
}

fn rest_after(worked: Duration) -> Option<Duration> {
    (worked >= WORK).then(|| (worked * RESTS_PER_WORK).min(REST_MAX))
}

#[cfg(test)]
mod tests {
    use super::{Duration, REST_MAX, rest_after};

    #[test]
    fn the_rest_is_some_times_the_work_but_never_long() {
        let us = Duration::from_micros;
        assert_eq!(rest_after(us(299)), None);
        assert_eq!(rest_after(us(300)), Some(us(900)));
        assert_eq!(rest_after(us(4000)), Some(us(12_000)));
        assert_eq!(rest_after(us(1_000_000)), Some(REST_MAX));
    }
}
