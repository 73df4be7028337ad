//! Trying to reach the leader (spec §6.2; Java `Learner.connectToLeader`). It may have heard of its
//! election a little later than this server, so one refusal means nothing.

/// The attempts at a connection.
#[derive(Clone, Debug)]
pub(super) struct Dialing {
    failures: u32,
    retry_at_ms: Option<i64>,
}

impl Dialing {
    /// The first attempt is under way.
    pub(super) fn first() -> Dialing {
        Dialing {
            failures: 0,
            retry_at_ms: None,
        }
    }

    /// Takes note of a failure and says whether there is to be another attempt.
    pub(super) fn retry(&mut self, now_ms: i64, deadline_ms: i64) -> bool {
        let retry_at_ms = now_ms.saturating_add(RETRY_DELAY_MS);
        self.failures += 1;
        self.retry_at_ms = Some(retry_at_ms);
        self.failures < ATTEMPTS_MAX && retry_at_ms < deadline_ms
    }

    /// Whether the next attempt is due; then it is under way.
    pub(super) fn is_due(&mut self, now_ms: i64) -> bool {
        self.retry_at_ms.take_if(|at| now_ms >= *at).is_some()
    }

    /// When the next attempt is due.
    pub(super) fn next_wakeup_ms(&self) -> i64 {
        self.retry_at_ms.unwrap_or(i64::MAX)
    }
}

/// As in Java; a leader that is still not there is none.
const ATTEMPTS_MAX: u32 = 5;

/// The default of `leaderConnectDelayDuringRetryMs`.
const RETRY_DELAY_MS: i64 = 100;
