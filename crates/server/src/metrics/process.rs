//! What the operating system tells of this process (Java `OSMXBean`).

use rustix::process::{Resource, getrlimit};

/// Open file descriptors. -1: unknown, as in Java.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Descriptors {
    pub(crate) open: i64,
    pub(crate) max: i64,
}

impl Descriptors {
    pub(crate) const UNKNOWN: Descriptors = Descriptors { open: -1, max: -1 };

    pub(crate) fn count() -> Descriptors {
        // One of them is the directory's own.
        let open = std::fs::read_dir("/proc/self/fd").map(|fds| fds.count().saturating_sub(1));
        let open = open.ok().and_then(|count| i64::try_from(count).ok());
        let max = match getrlimit(Resource::Nofile).current {
            Some(limit) => i64::try_from(limit).ok(),
            None => Some(i64::MAX),
        };
        let unknown = Descriptors::UNKNOWN;
        Descriptors {
            open: open.unwrap_or(unknown.open),
            max: max.unwrap_or(unknown.max),
        }
    }
}
