//! How long a thread has been ready to run and had no processor.

use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::time::Duration;

/// Of the thread that has made it.
#[derive(Debug, Default)]
pub(super) struct RunDelay {
    /// `None` where the kernel does not tell.
    file: Option<File>,
}

/// Three numbers of 64 bits.
const TEXT_BYTES_MAX: usize = 64;

impl RunDelay {
    pub(super) fn of_this_thread() -> RunDelay {
        RunDelay {
            file: File::open("/proc/thread-self/schedstat").ok(),
        }
    }

    /// Since the thread began; only goes up.
    pub(super) fn read(&self) -> Option<Duration> {
        let mut text = [0; TEXT_BYTES_MAX];
        let len = self.file.as_ref()?.read_at(&mut text, 0).ok()?;
        parse(text.get(..len)?)
    }
}

/// Nanoseconds on a processor, nanoseconds without one, and how often it got one (`Documentation/scheduler/sched-stats.rst`
/// of Linux).
fn parse(text: &[u8]) -> Option<Duration> {
    let text = str::from_utf8(text).ok()?;
    let waited = text.split_whitespace().nth(1)?;
    waited.parse().ok().map(Duration::from_nanos)
}

#[cfg(test)]
mod tests {
    use super::{Duration, RunDelay, parse};

    #[test]
    fn the_second_number_counts() {
        assert_eq!(parse(b"17 1234 5\n"), Some(Duration::from_nanos(1234)));
        assert_eq!(parse(b"17"), None);
        assert_eq!(parse(b"17 x 5"), None);
    }

    #[test]
    fn this_kernel_tells() {
        let delay = RunDelay::of_this_thread();
        let first = delay.read().expect("Linux has CONFIG_SCHED_INFO");
        std::thread::yield_now();
        assert!(delay.read().unwrap() >= first);
    }
}
