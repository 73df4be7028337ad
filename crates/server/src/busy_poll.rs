//! Threads that look for input for a moment before they sleep.
//!
//! To wake a thread takes longer than to answer a request, above all where a hypervisor has stopped the
//! processor meanwhile: some 25 µs. A client that gets its reply mostly sends its next request sooner than
//! that. So a thread that has just had input looks for more, for up to [`LOOK_MAX`], as halt polling does
//! in hypervisors. Two things bound what that costs. Looking in vain is paid for by input that was found: a server whose
//! input comes now and then, or a little too late, sleeps at once. And a thread looks only while nobody else
//! wants its processor.

use std::cell::{Cell, RefCell};
use std::io;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::Notify;

/// How long a thread looks for input before it sleeps.
const LOOK_MAX: Duration = Duration::from_micros(50);
/// A sleep that ended within this time might have been spared by looking; to wake up is part of it.
const SHORT: Duration = Duration::from_micros(75);
/// What input pays for that was found by looking: doing so twice in vain.
const PAY: Duration = Duration::from_micros(100);
/// What a short sleep pays for: trying whether looking would find it, now and then.
const PAY_ASLEEP: Duration = Duration::from_micros(6);
/// What can be paid in advance.
const CREDIT_MAX: Duration = Duration::from_millis(1);
/// To give way takes longer only when somebody else has made use of it.
const GIVE_WAY_MAX: Duration = Duration::from_micros(20);
/// How long a thread that was in the way does not look, the first time and at most.
const REST_MIN: Duration = Duration::from_millis(1);
const REST_MAX: Duration = Duration::from_millis(64);

thread_local! {
    static HAD_INPUT: Cell<bool> = const { Cell::new(false) };
    static PATIENCE: RefCell<Patience> = RefCell::new(Patience::new(Instant::now()));
}

/// This thread has got something to do.
pub(crate) fn note_input() {
    HAD_INPUT.set(true);
}

/// A runtime of one thread, which looks for input as the module says if its tasks [`note_input`].
///
/// # Errors
/// When the system has no more descriptors.
pub(crate) fn runtime() -> io::Result<Runtime> {
    // Something to do, without which the thread sleeps; it asks the system for input before it does it.
    let again = Arc::new(Notify::new());
    let look_again = Arc::clone(&again);
    let runtime = Builder::new_current_thread()
        .enable_all()
        .on_thread_park(move || {
            if PATIENCE.with_borrow_mut(Patience::look) {
                look_again.notify_one();
            }
        })
        .on_thread_unpark(|| PATIENCE.with_borrow_mut(|patience| patience.looked(Instant::now())))
        .build()?;
    runtime.spawn(async move {
        loop {
            again.notified().await;
        }
    });
    Ok(runtime)
}

/// How one thread waits for its input.
#[derive(Debug)]
struct Patience {
    /// How long it may still look in vain.
    credit: Duration,
    /// The current wait's beginning.
    since: Instant,
    is_looking: bool,
    /// When it last saw what there is.
    looked: Instant,
    /// Until when it keeps out of the way of others, and how long the next time.
    rests_until: Instant,
    rest: Duration,
}

impl Patience {
    fn new(now: Instant) -> Patience {
        Patience {
            credit: CREDIT_MAX,
            since: now,
            is_looking: false,
            looked: now,
            rests_until: now,
            rest: REST_MIN,
        }
    }

    /// Whether to look once more instead of sleeping, after others have had their turn.
    fn look(&mut self) -> bool {
        let now = Instant::now();
        if HAD_INPUT.replace(false) {
            self.had_input(now);
        }
        if !self.goes_on(now) {
            return false;
        }
        thread::yield_now();
        self.gave_way(now, Instant::now())
    }

    /// All there was to do is done, and the next wait begins.
    fn had_input(&mut self, now: Instant) {
        let waited = self.looked.saturating_duration_since(self.since);
        if self.is_looking {
            self.spend(waited);
            self.earn(PAY);
            self.rest = (self.rest - self.rest / 16).max(REST_MIN);
        } else if waited <= SHORT {
            self.earn(PAY_ASLEEP);
        }
        self.since = now;
        self.is_looking = self.credit >= LOOK_MAX && now >= self.rests_until;
    }

    fn goes_on(&mut self, now: Instant) -> bool {
        if self.is_looking && now >= self.since + LOOK_MAX {
            self.give_up(now);
        }
        self.is_looking
    }

    /// Others were let through from `before` to `now`. Whether to look on.
    fn gave_way(&mut self, before: Instant, now: Instant) -> bool {
        if now.saturating_duration_since(before) > GIVE_WAY_MAX {
            self.rests_until = now + self.rest;
            self.rest = (self.rest * 2).min(REST_MAX);
            self.give_up(now);
        }
        self.is_looking
    }

    fn give_up(&mut self, now: Instant) {
        self.spend(now.saturating_duration_since(self.since));
        self.is_looking = false;
    }

    fn earn(&mut self, time: Duration) {
        self.credit = (self.credit + time).min(CREDIT_MAX);
    }

    fn spend(&mut self, time: Duration) {
        self.credit = self.credit.saturating_sub(time);
    }

    fn looked(&mut self, now: Instant) {
        self.looked = now;
    }
}

#[cfg(test)]
mod tests;
