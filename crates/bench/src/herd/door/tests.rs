use std::time::{Duration, Instant};

use super::{Door, PAUSE};

fn door(limit_max: usize) -> Door {
    Door::new("127.0.0.1:1".parse().unwrap(), limit_max)
}

/// How many may enter now, one after the other.
fn enter_all(door: &mut Door, now: Instant) -> usize {
    let before = door.trying;
    while door.is_open(now) {
        door.enter();
    }
    door.trying - before
}

#[test]
fn as_many_try_as_may_wait() {
    let mut door = door(48);
    let now = Instant::now();
    assert_eq!(enter_all(&mut door, now), 48);
    door.succeed();
    assert_eq!(enter_all(&mut door, now), 1);
}

#[test]
fn after_a_failure_one_tries_alone_and_then_twice_as_many_each_time() {
    let mut door = door(4);
    let now = Instant::now();
    enter_all(&mut door, now);
    for _ in 0..4 {
        door.fail(now);
    }
    assert_eq!(
        enter_all(&mut door, now + PAUSE - Duration::from_micros(1)),
        0
    );
    assert_eq!(enter_all(&mut door, now + PAUSE), 1);
    door.succeed();
    assert_eq!(enter_all(&mut door, now + PAUSE), 2);
    door.succeed();
    assert_eq!(enter_all(&mut door, now + PAUSE), 3);
    door.fail(now);
    assert_eq!(enter_all(&mut door, now), 0);
}
