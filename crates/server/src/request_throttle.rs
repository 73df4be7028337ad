//! Which requests wait, and which are not carried out, when there are too many of them (spec §2.17;
//! Java `RequestThrottler`, `Request.isStale` and the large requests of `ZooKeeperServer`).
//!
//! ZooKeeper has one queue for the requests of all; here a request waits where it arrived, among the
//! unread bytes of its connection. Who counts what is in progress is [`crate::client`].

use std::time::Duration;
use zooid_config::{Config, PeerType, ThrottleOptions};
use zooid_proto::OpCode;

/// See the module.
#[derive(Clone, Debug)]
pub(crate) struct RequestThrottle {
    options: ThrottleOptions,
}

/// `globalOutstandingLimit`: each voter of an ensemble has its part of it, as if the leader served no
/// clients (Java `LeaderZooKeeperServer`, `FollowerZooKeeperServer`).
pub(crate) fn global_outstanding_max(config: &Config) -> usize {
    let all = crate::shared::size(config.throttle.global_outstanding_limit);
    let voters = config.voters().count();
    if voters > 2 && config.peer_type() == PeerType::Participant {
        all / (voters - 1)
    } else {
        all
    }
}

/// A request that waits for its turn.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Waiting {
    /// `None`: nothing that ZooKeeper knows.
    pub(crate) op: Option<OpCode>,
    pub(crate) waited_ms: i64,
    /// `None` while no session is open.
    pub(crate) session_timeout_ms: Option<i32>,
    /// Whether the client has closed its side.
    pub(crate) is_gone: bool,
}

/// What is to become of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// Its turn may come.
    Wanted,
    /// Nobody waits for its reply any more, and yet its turn may come.
    Stale,
    /// Nobody waits for it, and it is dropped, and its connection with it: what comes behind it must
    /// not take effect either.
    Dropped,
}

impl RequestThrottle {
    pub(crate) fn new(options: ThrottleOptions) -> RequestThrottle {
        RequestThrottle { options }
    }

    /// Requests that may be in progress before others wait; `None`: no limit.
    pub(crate) fn requests_max(&self) -> Option<usize> {
        self.options.requests_max.map(crate::shared::size)
    }

    /// How long to wait for room before looking again.
    pub(crate) fn stall_time(&self) -> Duration {
        Duration::from_millis(self.options.stall_time_ms)
    }

    pub(crate) fn fate(&self, waiting: &Waiting) -> Fate {
        if !self.is_stale(waiting) {
            Fate::Wanted
        } else if self.options.requests_max.is_some() && self.options.drop_stale {
            Fate::Dropped
        } else {
            Fate::Stale
        }
    }

    /// The end of a session may outlive its connection, since it cleans up behind it.
    fn is_stale(&self, waiting: &Waiting) -> bool {
        let options = &self.options;
        let is_late = |timeout_ms: i32| waiting.waited_ms > i64::from(timeout_ms);
        waiting.op != Some(OpCode::CloseSession)
            && ((options.stale_connection_check && waiting.is_gone)
                || (options.stale_latency_check && waiting.session_timeout_ms.is_some_and(is_late)))
    }

    /// Whether its turn comes too late for it to be carried out.
    pub(crate) fn is_too_late(&self, waited_ms: i64) -> bool {
        let limit_ms = self.options.throttled_op_wait_ms;
        limit_ms.is_some_and(|limit_ms| waited_ms.cast_unsigned() > limit_ms && waited_ms > 0)
    }

    /// The size that a request must exceed to be a large one; `None`: none is.
    pub(crate) fn large_over_bytes(&self) -> Option<usize> {
        let least = self.options.large_request_bytes_min?;
        Some(usize::try_from(least).unwrap_or(usize::MAX))
    }

    /// Whether a request of this size is a large one.
    pub(crate) fn is_large(&self, bytes: usize) -> bool {
        self.large_over_bytes().is_some_and(|over| bytes > over)
    }

    /// Whether all large requests in progress may be of this size together.
    pub(crate) fn large_bytes_fit(&self, bytes: usize) -> bool {
        u64::try_from(bytes).is_ok_and(|bytes| bytes <= self.options.large_request_bytes_max)
    }
}

#[cfg(test)]
mod tests;
