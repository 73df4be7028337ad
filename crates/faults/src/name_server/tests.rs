use super::{Answer, NameServer};
use std::net::Ipv4Addr;

/// A question for `a.test`, of a kind.
fn query(kind: u8) -> Vec<u8> {
    let mut query = vec![7, 9, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0];
    query.extend(b"\x01a\x04TEST\x00\x00");
    query.extend([kind, 0, 1]);
    query
}

#[test]
fn names_are_answered_as_the_test_says() {
    let server = NameServer {
        answers: Default::default(),
    };
    assert_eq!(server.reply(&query(1)), None);
    server.say("a.test", Answer::Unknown);
    let reply = server.reply(&query(1)).expect("an answer");
    assert_eq!(reply[..12], [7, 9, 0x81, 0x83, 0, 1, 0, 0, 0, 0, 0, 0]);
    server.say("a.test", Answer::Address(Ipv4Addr::new(10, 77, 0, 1)));
    let reply = server.reply(&query(1)).expect("an answer");
    assert_eq!(reply[..12], [7, 9, 0x81, 0x80, 0, 1, 0, 1, 0, 0, 0, 0]);
    assert_eq!(reply[reply.len() - 6..], [0, 4, 10, 77, 0, 1]);
    let other_kind = server.reply(&query(28)).expect("an answer");
    assert_eq!(other_kind[4..8], [0, 1, 0, 0], "of that kind there is none");
    server.say("a.test", Answer::Silence);
    assert_eq!(server.reply(&query(1)), None);
    assert_eq!(server.reply(&query(1)[..20]), None, "what is no question");
}
