use super::*;
use zooid_config::Config;

/// Lets everybody in whom the bucket lets in.
const LUCKY: f64 = 0.999_999;

fn options(tokens: u32) -> ConnectionThrottleOptions {
    ConnectionThrottleOptions {
        tokens: Some(tokens),
        fill_time_ms: 100,
        fill_count: 2,
        ..Config::default().connection_throttle
    }
}

fn admitted(throttle: &mut ConnectionThrottle, wish: Wish, now_ms: i64) -> usize {
    let admit = |_: &u8| throttle.admit(wish, now_ms, LUCKY).is_ok();
    (0..u8::MAX).take_while(admit).count()
}

#[test]
fn without_tokens_everybody_comes_in() {
    let mut throttle = ConnectionThrottle::new(Config::default().connection_throttle, 0);
    assert_eq!(
        admitted(&mut throttle, Wish::GlobalSession, 0),
        usize::from(u8::MAX)
    );
    assert_eq!(throttle.deficit(), 0);
}

#[test]
fn a_bucket_empties_and_fills() {
    let mut throttle = ConnectionThrottle::new(options(5), 1000);
    assert_eq!(admitted(&mut throttle, Wish::GlobalSession, 1000), 5);
    assert_eq!(throttle.deficit(), 5);
    // It fills when more than the time has passed, and then in proportion.
    assert_eq!(admitted(&mut throttle, Wish::Renewal, 1100), 0);
    assert_eq!(admitted(&mut throttle, Wish::Renewal, 1150), 3);
    assert_eq!(admitted(&mut throttle, Wish::Renewal, 99_999), 5);
    // A clock that stands still or goes back fills nothing.
    assert_eq!(admitted(&mut throttle, Wish::Renewal, 0), 0);
}

#[test]
fn kinds_of_sessions_have_prices_when_weights_are_on() {
    let weighted = ConnectionThrottleOptions {
        weight_enabled: true,
        ..options(4)
    };
    let count = |wish| admitted(&mut ConnectionThrottle::new(weighted.clone(), 0), wish, 0);
    assert_eq!(count(Wish::GlobalSession), 4);
    assert_eq!(count(Wish::Renewal), 6);
    assert_eq!(count(Wish::LocalSession), 12);
}

#[test]
fn no_session_is_cheaper_than_a_local_one() {
    let weighted = ConnectionThrottleOptions {
        weight_enabled: true,
        local_session_weight: 5,
        renew_session_weight: 0,
        ..options(4)
    };
    let count = |wish| admitted(&mut ConnectionThrottle::new(weighted.clone(), 0), wish, 0);
    assert_eq!(count(Wish::GlobalSession), 4);
    assert_eq!(count(Wish::Renewal), 4);
    assert_eq!(count(Wish::LocalSession), 4);
}

#[test]
fn an_empty_bucket_raises_the_chance_of_being_refused_and_a_full_one_lowers_it() {
    let blue = ConnectionThrottleOptions {
        freeze_time_ms: Some(10),
        drop_increase: 0.6,
        drop_decrease: 0.25,
        ..options(1)
    };
    let mut throttle = ConnectionThrottle::new(blue, 0);
    throttle.admit(Wish::GlobalSession, 0, LUCKY).unwrap();
    for (now_ms, expected) in [(10, 0.0), (11, 0.6), (21, 0.6), (22, 1.0), (50, 1.0)] {
        assert_eq!(
            throttle.admit(Wish::GlobalSession, now_ms, LUCKY),
            Err(Refused)
        );
        assert!((throttle.drop_probability() - expected).abs() < 1e-9);
    }
    // Full again: the chance falls at each look, and then decides.
    assert_eq!(throttle.admit(Wish::GlobalSession, 200, 0.5), Err(Refused));
    assert!((throttle.drop_probability() - 0.75).abs() < 1e-9);
    assert_eq!(throttle.admit(Wish::GlobalSession, 205, 0.74), Err(Refused));
    assert_eq!(throttle.admit(Wish::GlobalSession, 206, 0.75), Ok(()));
}
