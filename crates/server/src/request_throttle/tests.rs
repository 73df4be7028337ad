use super::*;
use zooid_config::{Companions, Draft, Location, NamedText};

fn options(requests_max: u32) -> ThrottleOptions {
    ThrottleOptions {
        requests_max: Some(requests_max),
        ..Config::default().throttle
    }
}

const WRITE: Waiting = Waiting {
    op: Some(OpCode::Create),
    waited_ms: 5000,
    session_timeout_ms: Some(4000),
    is_gone: false,
};

#[test]
fn nothing_waits_or_is_refused_by_default() {
    let throttle = RequestThrottle::new(Config::default().throttle);
    assert_eq!(throttle.requests_max(), None);
    assert_eq!(throttle.fate(&WRITE), Fate::Wanted);
    assert!(!throttle.is_too_late(i64::MAX));
    assert!(!throttle.is_large(usize::MAX));
    assert_eq!(throttle.stall_time(), Duration::from_millis(100));
}

#[test]
fn requests_of_a_client_that_has_gone_are_dropped_when_there_are_too_many() {
    let gone = Waiting {
        is_gone: true,
        ..WRITE
    };
    let fate = |options| RequestThrottle::new(options).fate(&gone);
    assert_eq!(fate(options(10)), Fate::Dropped);
    // Without a limit nothing waits, and nothing is dropped.
    assert_eq!(fate(Config::default().throttle), Fate::Stale);
    let keep = ThrottleOptions {
        drop_stale: false,
        ..options(10)
    };
    assert_eq!(fate(keep), Fate::Stale);
    let ignore = ThrottleOptions {
        stale_connection_check: false,
        ..options(10)
    };
    assert_eq!(fate(ignore), Fate::Wanted);
}

#[test]
fn requests_older_than_their_session_s_timeout_are_dropped_on_demand() {
    let throttle = RequestThrottle::new(ThrottleOptions {
        stale_latency_check: true,
        ..options(10)
    });
    assert_eq!(throttle.fate(&WRITE), Fate::Dropped);
    let in_time = Waiting {
        waited_ms: 4000,
        ..WRITE
    };
    assert_eq!(throttle.fate(&in_time), Fate::Wanted);
    let without_session = Waiting {
        session_timeout_ms: None,
        ..WRITE
    };
    assert_eq!(throttle.fate(&without_session), Fate::Wanted);
}

#[test]
fn the_end_of_a_session_is_never_stale() {
    let throttle = RequestThrottle::new(ThrottleOptions {
        stale_latency_check: true,
        ..options(10)
    });
    let close = Waiting {
        op: Some(OpCode::CloseSession),
        is_gone: true,
        ..WRITE
    };
    assert_eq!(throttle.fate(&close), Fate::Wanted);
}

#[test]
fn a_turn_that_comes_after_the_limit_is_too_late() {
    let throttle = RequestThrottle::new(ThrottleOptions {
        throttled_op_wait_ms: Some(30),
        ..options(10)
    });
    assert!(!throttle.is_too_late(30));
    assert!(throttle.is_too_late(31));
    assert!(!throttle.is_too_late(-1));
}

#[test]
fn large_requests_share_an_allowance() {
    let throttle = RequestThrottle::new(ThrottleOptions {
        large_request_bytes_min: Some(1000),
        large_request_bytes_max: 5000,
        ..options(10)
    });
    assert!(!throttle.is_large(1000));
    assert!(throttle.is_large(1001));
    assert!(throttle.large_bytes_fit(5000));
    assert!(!throttle.large_bytes_fit(5001));
}

#[test]
fn voters_of_an_ensemble_share_the_limit_on_requests() {
    let limit = |servers: &str, me: &str| {
        let text = format!(
            "dataDir=/d\nclientPort=1\ninitLimit=10\nsyncLimit=5\nglobalOutstandingLimit=100\n{servers}"
        );
        let draft = Draft::parse(&Location::source("a test"), text.as_bytes(), &[]).unwrap();
        let my_id = NamedText {
            path: "/d/myid".into(),
            bytes: me.as_bytes().to_vec(),
        };
        let companions = Companions {
            my_id: Some(my_id),
            ..Companions::default()
        };
        global_outstanding_max(&draft.finish(&companions).unwrap().config)
    };
    let two = "server.1=a:1:2\nserver.2=b:1:2\n";
    let three = format!("{two}server.3=c:1:2\n");
    let observed = format!("{three}server.4=d:1:2:observer\n");
    assert_eq!(limit("", "1"), 100);
    assert_eq!(limit(two, "1"), 100);
    assert_eq!(limit(&three, "1"), 50);
    assert_eq!(limit(&observed, "2"), 50);
    assert_eq!(limit(&observed, "4"), 100);
}
