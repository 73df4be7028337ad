use super::{
    CREDIT_MAX, GIVE_WAY_MAX, LOOK_MAX, PATIENCE, Patience, REST_MAX, REST_MIN, note_input, runtime,
};
use rustix::time::{ClockId, clock_gettime};
use std::time::{Duration, Instant};

/// A thread with a clock of its own, and as long as it takes to look once.
struct Waiting {
    patience: Patience,
    now: Instant,
}

const LOOK: Duration = Duration::from_micros(2);

impl Waiting {
    fn new() -> Waiting {
        let now = Instant::now();
        Waiting {
            patience: Patience::new(now),
            now,
        }
    }

    /// Waits for input that comes after `time`, giving way for so long at each look; how long it looked.
    fn wait_beside(&mut self, time: Duration, giving_way: Duration) -> Duration {
        let since = self.now;
        let comes = self.now + time;
        self.patience.had_input(self.now);
        let mut looked = Duration::ZERO;
        while self.now < comes {
            if !self.patience.goes_on(self.now) {
                break;
            }
            let before = self.now;
            self.now += giving_way;
            if !self.patience.gave_way(before, self.now) {
                break;
            }
            self.now += LOOK;
            self.patience.looked(self.now);
            looked = self.now - since;
        }
        self.now = self.now.max(comes);
        self.patience.looked(self.now);
        looked
    }

    fn wait(&mut self, time: Duration) -> Duration {
        self.wait_beside(time, Duration::ZERO)
    }
}

#[test]
fn a_prompt_client_never_finds_the_thread_asleep() {
    let mut waiting = Waiting::new();
    for _ in 0..1000 {
        let soon = LOOK_MAX / 2;
        assert!(waiting.wait(soon) >= soon);
    }
}

#[test]
fn looking_ends_after_its_time() {
    let looked = Waiting::new().wait(LOOK_MAX * 10);
    assert!(
        (LOOK_MAX..LOOK_MAX + LOOK * 2).contains(&looked),
        "{looked:?}"
    );
}

#[test]
fn input_that_comes_now_and_then_is_not_looked_for() {
    let mut waiting = Waiting::new();
    let mut wait_long = || waiting.wait(LOOK_MAX * 10);
    let looked: Duration = (0..100).map(|_| wait_long()).sum();
    assert!(looked <= CREDIT_MAX + LOOK_MAX, "{looked:?}");
    assert_eq!(wait_long(), Duration::ZERO);
}

#[test]
fn sleeps_that_were_short_let_it_look_again() {
    let mut waiting = Waiting::new();
    while !waiting.wait(LOOK_MAX * 10).is_zero() {}
    let waits = (0..).find(|_| !waiting.wait(LOOK_MAX / 2).is_zero());
    assert!(waits.is_some_and(|waits| waits <= 9), "{waits:?}");
}

#[test]
fn input_that_comes_a_little_too_late_is_hardly_looked_for() {
    let mut waiting = Waiting::new();
    let late = LOOK_MAX + LOOK_MAX / 4;
    while !waiting.wait(late).is_zero() {}
    let looked: Duration = (0..1000).map(|_| waiting.wait(late)).sum();
    assert!(looked < late * 1000 / 8, "{looked:?}");
}

#[test]
fn half_of_the_waits_may_be_long() {
    let mut waiting = Waiting::new();
    for _ in 0..1000 {
        assert!(!waiting.wait(LOOK_MAX / 8).is_zero());
        assert!(!waiting.wait(LOOK_MAX * 10).is_zero());
    }
}

#[test]
fn who_is_in_the_way_of_others_keeps_out_of_it_ever_longer() {
    let soon = LOOK_MAX / 2;
    let mut waiting = Waiting::new();
    let mut rests = Vec::new();
    for _ in 0..10 {
        assert_eq!(waiting.wait_beside(soon, GIVE_WAY_MAX * 2), Duration::ZERO);
        let since = waiting.now;
        while waiting.wait(soon).is_zero() {}
        rests.push(waiting.now - since);
    }
    assert!(rests[0] >= REST_MIN - soon * 2, "{rests:?}");
    assert!(rests[0] <= REST_MIN + soon * 4, "{rests:?}");
    assert!(rests[1] > rests[0] * 3 / 2, "{rests:?}");
    assert!(rests[9] >= REST_MAX * 7 / 8, "{rests:?}");
    assert!(rests[9] <= REST_MAX + soon * 4, "{rests:?}");
}

#[test]
fn rests_get_short_again_where_looking_pays() {
    let soon = LOOK_MAX / 2;
    let mut waiting = Waiting::new();
    for _ in 0..10 {
        waiting.wait_beside(soon, GIVE_WAY_MAX * 2);
        while waiting.wait(soon).is_zero() {}
    }
    for _ in 0..100 {
        waiting.wait(soon);
    }
    waiting.wait_beside(soon, GIVE_WAY_MAX * 2);
    let since = waiting.now;
    while waiting.wait(soon).is_zero() {}
    assert!(waiting.now - since < REST_MIN * 2);
}

/// Many times what looking may take.
const LONG: Duration = Duration::from_millis(200);

#[test]
fn a_thread_that_had_input_looks_for_more_and_then_sleeps() {
    let runtime = runtime().unwrap();
    let (credit, used) = runtime.block_on(async {
        note_input();
        let before = cpu_time();
        tokio::time::sleep(LONG).await;
        let credit = PATIENCE.with_borrow(|patience| patience.credit);
        (credit, cpu_time() - before)
    });
    assert!(credit < CREDIT_MAX, "it has not looked");
    assert!(used < LONG / 4, "{used:?} of {LONG:?}");
}

/// Of this thread.
fn cpu_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::try_from(time).unwrap()
}
