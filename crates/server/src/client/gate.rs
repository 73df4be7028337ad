//! Which of a client's frames are let in now: those that are not, stay where they are.
//!
//! It keeps this connection's part in what is in progress over all of them, which is what
//! [`crate::request_throttle`] and `globalOutstandingLimit` go by.

use crate::connection_throttle::{Refused, Wish};
use crate::request_throttle::{Fate, Waiting};
use crate::shared::Shared;
use std::sync::atomic::{AtomicUsize, Ordering};
use zooid_node::Connection;
use zooid_proto::{ConnectRequest, Jute as _, Limit, OpCode, Reader};

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Gate {
    /// This connection's part of [`Shared::in_process`].
    outstanding: usize,
    /// This connection's part of [`Shared::large_bytes`].
    large_bytes: usize,
}

/// Whether a frame is let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Entry {
    Now,
    /// Now, but it has waited for too long to be carried out.
    Late,
    /// When others are answered.
    Stalled,
}

/// Why a connection is closed instead.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Refusal {
    #[error(
        "a request of {0} bytes is refused, since there are too many large ones (largeRequestMaxBytes)"
    )]
    Large(usize),
    #[error(
        "a request is dropped that nobody waits for any more (request_throttle_drop_stale), and \
         those behind it with it"
    )]
    Stale,
    #[error("too many clients connect at once (connection_throttle_tokens)")]
    Connecting,
}

/// A frame at the gate.
#[derive(Clone, Copy, Debug)]
pub(super) struct Arrived<'a> {
    pub(super) frame: &'a [u8],
    pub(super) waited_ms: i64,
    /// Whether its client has closed its side since.
    pub(super) is_gone: bool,
}

impl Gate {
    /// This connection's requests that are not answered yet.
    pub(super) fn outstanding(&self) -> usize {
        self.outstanding
    }

    /// Refuses a frame by its length, before the rest of it is read.
    pub(super) fn check_len(&self, shared: &Shared, len: usize) -> Result<(), Refusal> {
        if !shared.request_throttle.is_large(len) {
            return Ok(());
        }
        let others = shared.large_bytes.load(Ordering::Relaxed);
        if shared
            .request_throttle
            .large_bytes_fit(others.saturating_add(len))
        {
            return Ok(());
        }
        shared.stats.large_rejected();
        Err(Refusal::Large(len))
    }

    /// Lets a whole frame in, or not. What is let in is counted until [`Gate::settle`].
    pub(super) fn enter(
        &mut self,
        shared: &Shared,
        conn: &Connection,
        arrived: &Arrived<'_>,
    ) -> Result<Entry, Refusal> {
        let throttle = &shared.request_throttle;
        let op = arrived.frame.get(4..).and_then(<[u8]>::first_chunk);
        let waiting = Waiting {
            op: op.and_then(|code| OpCode::from_code(i32::from_be_bytes(*code))),
            waited_ms: arrived.waited_ms,
            session_timeout_ms: conn.is_established().then(|| conn.timeout_ms()),
            is_gone: arrived.is_gone,
        };
        let fate = throttle.fate(&waiting);
        if fate == Fate::Dropped {
            shared.stats.stale_dropped();
            return Err(Refusal::Stale);
        }
        if !self.reserve(shared) {
            return Ok(Entry::Stalled);
        }
        if fate == Fate::Stale {
            shared.stats.stale();
        }
        self.reserve_bytes(shared, arrived.frame.len())?;
        if conn.is_fresh() {
            admit_session(shared, arrived.frame)?;
        }
        Ok(if throttle.is_too_late(arrived.waited_ms) {
            Entry::Late
        } else {
            Entry::Now
        })
    }

    /// Takes a place among the requests in progress, if they are limited.
    fn reserve(&mut self, shared: &Shared) -> bool {
        let Some(max) = shared.request_throttle.requests_max() else {
            return true;
        };
        let one_more = |now: usize| (now < max).then_some(now + 1);
        let has_room = (shared.in_process)
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_more)
            .is_ok();
        self.outstanding += usize::from(has_room);
        has_room
    }

    fn reserve_bytes(&mut self, shared: &Shared, len: usize) -> Result<(), Refusal> {
        if !shared.request_throttle.is_large(len) {
            return Ok(());
        }
        let all = shared.large_bytes.fetch_add(len, Ordering::Relaxed) + len;
        self.large_bytes += len;
        if shared.request_throttle.large_bytes_fit(all) {
            return Ok(());
        }
        shared.stats.large_rejected();
        Err(Refusal::Large(len))
    }

    /// After each frame where places are limited, so that what was answered at once makes room.
    pub(super) fn settle_if_limited(&mut self, shared: &Shared, conn: &Connection) {
        let throttle = &shared.request_throttle;
        if throttle.requests_max().is_some() || throttle.large_over_bytes().is_some() {
            self.settle(shared, conn);
        }
    }

    /// Counts what the connection really has in progress.
    pub(super) fn settle(&mut self, shared: &Shared, conn: &Connection) {
        let large = shared.request_throttle.large_over_bytes();
        let large_bytes = large.map_or(0, |over| conn.outstanding_bytes_over(over));
        self.set(shared, conn.outstanding(), large_bytes);
    }

    /// Counts nothing any more.
    pub(super) fn leave(&mut self, shared: &Shared) {
        self.set(shared, 0, 0);
    }

    fn set(&mut self, shared: &Shared, outstanding: usize, large_bytes: usize) {
        replace(&shared.in_process, &mut self.outstanding, outstanding);
        replace(&shared.large_bytes, &mut self.large_bytes, large_bytes);
        let in_process = shared.in_process.load(Ordering::Relaxed);
        let limit = shared.request_throttle.requests_max();
        if limit.is_some_and(|max| in_process < max) {
            // Whoever finds more room than it needs passes the word on, by coming here.
            shared.room.notify_one();
        }
    }
}

/// Replaces one connection's part of a total.
fn replace(total: &AtomicUsize, part: &mut usize, now: usize) {
    if *part != now {
        total.fetch_add(now, Ordering::Relaxed);
        total.fetch_sub(*part, Ordering::Relaxed);
        *part = now;
    }
}

/// Each connect request costs tokens. One that cannot be read is left to the connection.
fn admit_session(shared: &Shared, frame: &[u8]) -> Result<(), Refusal> {
    let mut r = Reader::new(frame, Limit::default());
    let Ok(request) = ConnectRequest::decode(&mut r) else {
        return Ok(());
    };
    let wish = match request.session_id.0 {
        0 if shared.config.session.local_enabled => Wish::LocalSession,
        0 => Wish::GlobalSession,
        _ => Wish::Renewal,
    };
    let now_ms = crate::clock::mono_ms();
    let mut throttle = shared.connection_throttle.lock();
    match throttle.admit(wish, now_ms, chance()) {
        Ok(()) => {
            shared.stats.session_admitted(throttle.deficit());
            Ok(())
        }
        Err(Refused) => {
            shared.stats.rejected();
            Err(Refusal::Connecting)
        }
    }
}

/// A random number from 0 up to, not including, 1; good enough to spread a crowd.
fn chance() -> f64 {
    use std::hash::{BuildHasher as _, RandomState};
    // Each state has a key of its own, and the first ones come from the system.
    let bits = RandomState::new().hash_one(0_u8);
    let fraction = u32::try_from(bits >> 32).expect("32 bits are left");
    f64::from(fraction) / (f64::from(u32::MAX) + 1.0)
}
