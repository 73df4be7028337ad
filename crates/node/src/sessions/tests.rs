use super::*;
use crate::{ConnId, Owner};

const A: SessionId = SessionId(0xa);
const B: SessionId = SessionId(0xb);
const ONE: Owner = Owner::Client(ConnId(1));
const TWO: Owner = Owner::Client(ConnId(2));

fn sessions() -> Sessions {
    let mut sessions = Sessions::new(100, ErrorCode::UnknownSession);
    sessions.track(A, 1000, 0);
    sessions
}

#[test]
fn a_silent_session_expires_once_and_never_early() {
    let mut sessions = sessions();
    assert_eq!(sessions.next_expiry_ms(), Some(1100));
    assert_eq!(sessions.expired(1099), []);
    assert_eq!(sessions.expired(1100), [A]);
    assert_eq!(sessions.expired(9999), []);
}

#[test]
fn touching_puts_expiry_off() {
    let mut sessions = sessions();
    assert!(sessions.touch(A, 1050));
    assert_eq!(sessions.expired(2099), []);
    assert_eq!(sessions.expired(2100), [A]);
    assert!(!sessions.touch(B, 0));
}

#[test]
fn whenever_it_is_touched_a_session_expires_when_java_says() {
    let mut sessions = sessions();
    for now_ms in (0..5000).map(|n| n * 7 % 5000) {
        assert!(sessions.touch(A, now_ms));
        let expected = ((now_ms + 1000) / 100 + 1) * 100;
        assert_eq!(sessions.get(A).map(|info| info.expires_ms), Some(expected));
        assert_eq!(sessions.next_expiry_ms(), Some(expected));
    }
}

#[test]
fn a_closing_session_is_neither_touched_nor_attached_nor_expired_again() {
    let mut sessions = sessions();
    sessions.set_closing(A);
    assert!(!sessions.touch(A, 10));
    assert!(!sessions.attach(A, ONE, 1000, 10));
    assert_eq!(sessions.check(A, ONE), Err(ErrorCode::SessionExpired));
    assert_eq!(sessions.expired(99_999), []);
    assert!(sessions.remove(A).is_some());
    assert_eq!(sessions.check(A, ONE), Err(ErrorCode::UnknownSession));
}

#[test]
fn the_latest_connection_owns_the_session() {
    let mut sessions = sessions();
    assert_eq!(sessions.check(A, ONE), Ok(()));
    assert!(sessions.attach(A, TWO, 2000, 0));
    assert_eq!(sessions.check(A, ONE), Err(ErrorCode::SessionMoved));
    assert_eq!(sessions.check(A, TWO), Ok(()));
    // The old connection's late end takes nothing from the new one.
    sessions.detach(A, ONE);
    assert_eq!(sessions.check(A, ONE), Err(ErrorCode::SessionMoved));
    sessions.detach(A, TWO);
    assert_eq!(sessions.check(A, ONE), Ok(()));
    assert_eq!(sessions.get(A).map(|info| info.timeout_ms), Some(2000));
}

#[test]
fn tracking_again_moves_the_session_to_its_new_bucket() {
    let mut sessions = sessions();
    sessions.track(A, 5000, 0);
    assert_eq!(sessions.expired(1100), []);
    assert_eq!(sessions.expired(5100), [A]);
    assert_eq!(sessions.len(), 1);
}
