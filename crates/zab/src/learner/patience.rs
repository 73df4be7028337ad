//! How long a learner waits for its leader (`initLimit`, `syncLimit`; in Java the socket's read
//! timeout).

/// A time limit for the leader's silence. It runs only while it is the leader's turn.
#[derive(Clone, Debug)]
pub(super) struct Patience {
    limit_ms: i64,
    deadline_ms: i64,
    excused: bool,
}

impl Patience {
    /// The leader's turn begins.
    pub(super) fn new(now_ms: i64, limit_ms: i64) -> Patience {
        Patience {
            limit_ms,
            deadline_ms: now_ms.saturating_add(limit_ms),
            excused: false,
        }
    }

    /// Something came from the leader.
    pub(super) fn restart(&mut self, now_ms: i64) {
        *self = Patience::new(now_ms, self.limit_ms);
    }

    /// A completion of the storage, which does not tell the time, has made it the leader's turn: the
    /// limit starts again when it runs out the first time.
    pub(super) fn excuse(&mut self) {
        self.excused = true;
    }

    /// Whether the leader has been silent for too long, given whether it is this server's turn.
    pub(super) fn is_over(&mut self, now_ms: i64, is_our_turn: bool) -> bool {
        if now_ms < self.deadline_ms {
            return false;
        }
        if self.excused || is_our_turn {
            self.restart(now_ms);
            return false;
        }
        true
    }

    /// How long it is.
    pub(super) fn limit_ms(&self) -> i64 {
        self.limit_ms
    }

    /// When it ends.
    pub(super) fn deadline_ms(&self) -> i64 {
        self.deadline_ms
    }
}
