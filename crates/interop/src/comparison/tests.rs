use crate::Kind;
use crate::driver::{Outcome, Received};
use crate::rendering::Renderer;
use zooid_proto::{Jute, OpCode, ReplyHeader, WatcherEvent, Zxid, xid};

fn difference(reference: &[Outcome], candidate: &[Outcome], kind: Kind) -> String {
    let renderers = (&mut Renderer::new(Kind::Java), &mut Renderer::new(kind));
    super::difference(reference, candidate, renderers)
}

fn outcome(received: Vec<Received>) -> Outcome {
    Outcome {
        step: "a delete /x".into(),
        received: received.into_iter().map(|one| ("a".into(), one)).collect(),
        zxids: (Zxid(4), Zxid(5)),
        has_close: false,
        has_set_watches: false,
        zooid_differs: None,
    }
}

fn header(xid: i32, zxid: i64, err: i32) -> Vec<u8> {
    let (zxid, err) = (Zxid(zxid), err.into());
    ReplyHeader { xid, zxid, err }.to_vec()
}

fn reply(zxid: i64, err: i32) -> Received {
    Received::Reply(OpCode::Delete.code(), header(1, zxid, err))
}

fn event(zxid: i64, path: &str) -> Received {
    let mut packet = header(xid::NOTIFICATION, zxid, 0);
    let path = path.into();
    let (event_type, state) = (2, 3);
    WatcherEvent {
        event_type,
        state,
        path,
    }
    .encode(&mut packet);
    Received::Event(packet)
}

#[test]
fn another_error_is_a_difference() {
    let text = difference(
        &[outcome(vec![reply(5, 0)])],
        &[outcome(vec![reply(5, -101)])],
        Kind::Java,
    );
    assert!(text.contains("- a <- xid=1 zxid=0x5 err=0"), "{text}");
    assert!(text.contains("+ a <- xid=1 zxid=0x5 err=-101"), "{text}");
}

#[test]
fn another_order_is_a_difference() {
    let one = vec![event(-1, "/x"), reply(5, 0)];
    let other = vec![reply(5, 0), event(-1, "/x")];
    assert_ne!(
        difference(&[outcome(one)], &[outcome(other)], Kind::Java),
        ""
    );
}

#[test]
fn ephemerals_of_a_closed_session_may_go_in_any_order() {
    let of_close = |paths: [&str; 2]| Outcome {
        has_close: true,
        ..outcome(paths.map(|path| event(-1, path)).into())
    };
    let (one, other) = (of_close(["/x", "/y"]), of_close(["/y", "/x"]));
    assert_eq!(difference(&[one], &[other], Kind::Java), "");
}

#[test]
fn the_zxid_of_zooids_events_is_the_transactions() {
    let expected = outcome(vec![event(-1, "/x"), reply(5, 0)]);
    let right = outcome(vec![event(5, "/x"), reply(5, 0)]);
    let wrong = outcome(vec![event(4, "/x"), reply(5, 0)]);
    assert_eq!(
        difference(std::slice::from_ref(&expected), &[right], Kind::Zooid),
        ""
    );
    assert_ne!(difference(&[expected], &[wrong], Kind::Zooid), "");
}

#[test]
fn what_the_script_says_of_zooid_is_expected_of_zooid_alone() {
    let differs = Some(vec!["a <- xid=1 zxid=0x5 err=-102".to_owned()]);
    let expected = Outcome {
        zooid_differs: differs,
        ..outcome(vec![reply(5, 0)])
    };
    let actual = outcome(vec![reply(5, -102)]);
    assert_eq!(
        difference(
            std::slice::from_ref(&expected),
            std::slice::from_ref(&actual),
            Kind::Zooid
        ),
        ""
    );
    assert_ne!(difference(&[expected], &[actual], Kind::Java), "");
}

#[test]
fn a_packet_that_does_not_decode_is_compared_as_bytes() {
    let mut packet = header(1, 5, 0);
    packet.push(7);
    let longer = Received::Reply(OpCode::GetData.code(), packet);
    let text = difference(
        &[outcome(vec![reply(5, 0)])],
        &[outcome(vec![longer])],
        Kind::Java,
    );
    assert!(text.contains("bytes=0x07"), "{text}");
}

#[test]
fn a_zxid_that_only_a_check_outside_of_a_multi_takes_is_left_out() {
    let op = OpCode::Check.code();
    let refused = |zxid| Received::Reply(op, header(1, zxid, -103));
    let after = |zxid| Outcome {
        zxids: (Zxid(5), Zxid(6)),
        ..outcome(vec![reply(zxid, 0)])
    };
    let took_one = [outcome(vec![refused(5)]), after(6)];
    let took_none = [outcome(vec![refused(4)]), after(5)];
    assert_eq!(difference(&took_one, &took_none, Kind::Zooid), "");
    let wrong = [outcome(vec![refused(4)]), after(6)];
    assert_ne!(difference(&took_one, &wrong, Kind::Zooid), "");
}

#[test]
fn zxids_count_from_where_the_script_began() {
    let text = |zxid| {
        let base = Zxid(0x1_0000_0005);
        Renderer::counting_from(Kind::Java, base).lines(&outcome(vec![reply(zxid, 0)]))
    };
    assert_eq!(text(0x1_0000_0007), ["a <- xid=1 zxid=0x2 err=0"]);
    assert_eq!(text(0x1_0000_0005), ["a <- xid=1 zxid=before err=0"]);
    assert_eq!(text(-1), ["a <- xid=1 zxid=0xffffffffffffffff err=0"]);
}

#[test]
fn ports_of_peers_are_masked_and_nothing_else() {
    let text = |text: &str| {
        let received = Received::Text(text.into());
        Renderer::new(Kind::Java).lines(&outcome(vec![received]))
    };
    assert_eq!(
        text("server.1=127.0.0.1:1234:56:participant at 127.0.0.1:77"),
        ["a <- server.1=127.0.0.1:_:participant at 127.0.0.1:77"]
    );
}
