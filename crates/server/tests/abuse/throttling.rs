//! A server that has too much to do: who waits, who is refused, and that nobody else notices.

use crate::bystander::Bystander;
use crate::held_log::HeldLog;
use crate::packet::{connect, create, ping, read, receive, shake_hands};
use crate::zooid::Setup;
use std::net::TcpStream;
use zooid_interop::Wire;
use zooid_proto::{ErrorCode, OpCode};

fn send(wire: &mut Wire, packets: &[Vec<u8>]) {
    wire.send_raw(&packets.concat()).expect("sent");
}

/// The next replies, as xid and error code.
fn replies<const N: usize>(wire: &mut Wire) -> [(i32, ErrorCode); N] {
    std::array::from_fn(|_| {
        let reply = receive(wire).expect("a reply");
        (reply.xid, reply.err)
    })
}

const OK: ErrorCode = ErrorCode::Ok;
const THROTTLED: ErrorCode = ErrorCode::ThrottledOp;

#[test]
fn requests_beyond_the_limit_wait_for_their_turn() {
    let server = HeldLog::start(&[("zookeeper.request_throttle_max_requests", "2")]);
    let (mut one, mut other) = (
        shake_hands(server.zooid.address),
        shake_hands(server.zooid.address),
    );
    server.hold();
    let creates = [1, 2, 3, 4].map(|xid| create(xid, &format!("/one-{xid}"), b""));
    send(&mut one, &creates);
    server.zooid.wait_for_metric("outstanding_requests", 2.0);
    send(&mut other, &[ping(), create(1, "/other", b"")]);
    server
        .zooid
        .wait_for_metric("request_throttle_wait_count", 10.0);
    assert_eq!(server.zooid.metric("outstanding_requests"), 2.0);
    server.release();
    assert_eq!(replies(&mut one), [(1, OK), (2, OK), (3, OK), (4, OK)]);
    assert_eq!(replies(&mut other), [(-2, OK), (1, OK)]);
    assert_eq!(server.zooid.metric("throttled_ops"), 0.0);
    assert_eq!(server.zooid.metric("outstanding_requests"), 0.0);
}

#[test]
fn what_waits_when_the_server_is_told_to_stop_is_not_carried_out() {
    let server = HeldLog::start(&[("zookeeper.request_throttle_max_requests", "1")]);
    let address = server.zooid.address;
    let (mut one, mut other) = (shake_hands(address), shake_hands(address));
    server.hold();
    send(&mut one, &[create(1, "/one", b"")]);
    server.zooid.wait_for_metric("outstanding_requests", 1.0);
    send(&mut other, &[create(1, "/other", b"")]);
    server
        .zooid
        .wait_for_metric("request_throttle_wait_count", 1.0);
    server.zooid.signal("TERM");
    // It stops listening first.
    while TcpStream::connect(address).is_ok() {}
    server.release();
    assert_eq!(replies(&mut one), [(1, OK)]);
    assert!(receive(&mut other).is_none());
    server.zooid.wait().assert_exit_code(0);
}

#[test]
fn requests_that_have_waited_too_long_are_refused() {
    let server = HeldLog::start(&[
        ("zookeeper.request_throttle_max_requests", "1"),
        ("zookeeper.request_throttle_stall_time", "1"),
        ("zookeeper.throttled_op_wait_time", "500"),
    ]);
    let (mut one, mut other) = (
        shake_hands(server.zooid.address),
        shake_hands(server.zooid.address),
    );
    server.hold();
    send(&mut one, &[create(1, "/one", b"")]);
    server.zooid.wait_for_metric("outstanding_requests", 1.0);
    let stalls = server.zooid.metric("request_throttle_wait_count");
    let late = [
        read(1, OpCode::GetData, "/"),
        create(2, "/late", b""),
        ping(),
    ];
    send(&mut other, &late);
    // A stall takes a millisecond at least.
    server
        .zooid
        .wait_for_metric("request_throttle_wait_count", stalls + 600.0);
    server.release();
    assert_eq!(replies(&mut one), [(1, OK)]);
    assert_eq!(
        replies(&mut other),
        [(1, THROTTLED), (2, THROTTLED), (-2, OK)]
    );
    send(&mut other, &[read(3, OpCode::Exists, "/late")]);
    assert_eq!(replies(&mut other), [(3, ErrorCode::NoNode)]);
    assert_eq!(server.zooid.metric("throttled_ops"), 2.0);
    assert!(server.zooid.metric("max_request_throttle_queue_time_ms") > 500.0);
}

/// A client sends two creations, which have to wait, and goes.
fn go_before_the_turn_comes(properties: &[(&str, &str)]) -> (HeldLog, Wire) {
    let limit = ("zookeeper.request_throttle_max_requests", "1");
    let server = HeldLog::start(&[&[limit], properties].concat());
    let mut staying = shake_hands(server.zooid.address);
    let mut going = shake_hands(server.zooid.address);
    server.hold();
    send(&mut staying, &[create(1, "/staying", b"")]);
    server.zooid.wait_for_metric("outstanding_requests", 1.0);
    let stalls = server.zooid.metric("request_throttle_wait_count");
    send(
        &mut going,
        &[create(1, "/gone-1", b""), create(2, "/gone-2", b"")],
    );
    server
        .zooid
        .wait_for_metric("request_throttle_wait_count", stalls + 1.0);
    drop(going);
    (server, staying)
}

#[test]
fn waiting_requests_of_a_client_that_has_gone_are_dropped() {
    let (server, mut staying) = go_before_the_turn_comes(&[]);
    server.zooid.wait_for_metric("stale_requests_dropped", 1.0);
    server.zooid.wait_for_log("nobody waits for any more");
    server.release();
    assert_eq!(replies(&mut staying), [(1, OK)]);
    Bystander::arrive(&server.zooid).assert_unharmed();
    send(&mut staying, &[read(2, OpCode::Exists, "/gone-1")]);
    assert_eq!(replies(&mut staying), [(2, ErrorCode::NoNode)]);
    // The first takes the second with it, uncounted.
    assert_eq!(server.zooid.metric("stale_requests_dropped"), 1.0);
    assert_eq!(server.zooid.metric("stale_requests"), 0.0);
}

#[test]
fn waiting_requests_of_a_client_that_has_gone_are_carried_out_on_demand() {
    let keep = ("zookeeper.request_throttle_drop_stale", "false");
    let (server, mut staying) = go_before_the_turn_comes(&[keep]);
    server.release();
    assert_eq!(replies(&mut staying), [(1, OK)]);
    // Five nodes are always there; the eighth is the second one of the client that has gone.
    server.zooid.wait_for_metric("znode_count", 8.0);
    send(&mut staying, &[read(2, OpCode::Exists, "/gone-2")]);
    assert_eq!(replies(&mut staying), [(2, OK)]);
    server.zooid.wait_for_metric("connection_drop_count", 1.0);
    assert_eq!(server.zooid.metric("stale_requests_dropped"), 0.0);
}

#[test]
fn large_requests_are_refused_when_there_are_too_many() {
    let server = HeldLog::start(&[
        ("zookeeper.largeRequestThreshold", "1000"),
        ("zookeeper.largeRequestMaxBytes", "5000"),
    ]);
    let mut one = shake_hands(server.zooid.address);
    let mut other = shake_hands(server.zooid.address);
    let mut small = shake_hands(server.zooid.address);
    server.hold();
    send(&mut one, &[create(1, "/one", &[0; 3000])]);
    server.zooid.wait_for_metric("outstanding_requests", 1.0);
    send(&mut other, &[create(1, "/other", &[0; 3000])]);
    assert!(receive(&mut other).is_none());
    server.zooid.wait_for_log("largeRequestMaxBytes");
    send(&mut small, &[create(1, "/small", &[0; 500])]);
    server.release();
    assert_eq!(replies(&mut one), [(1, OK)]);
    assert_eq!(replies(&mut small), [(1, OK)]);
    let mut again = shake_hands(server.zooid.address);
    send(&mut again, &[create(1, "/other", &[0; 3000])]);
    assert_eq!(replies(&mut again), [(1, OK)]);
    assert_eq!(server.zooid.metric("large_requests_rejected"), 1.0);
}

#[test]
fn a_busy_server_stops_reading_from_those_who_wait() {
    let server = HeldLog::start(&[("zookeeper.globalOutstandingLimit", "1")]);
    let mut wire = shake_hands(server.zooid.address);
    let mut bystander = shake_hands(server.zooid.address);
    let port = wire.local_address().expect("connected").port();
    let received = || {
        let connections = server.zooid.word("cons");
        let line = connections
            .lines()
            .find(|line| line.contains(&format!(":{port}[")));
        let (_, rest) = line
            .and_then(|line| line.split_once("recved="))
            .expect("listed");
        rest.split(',').next().map(str::to_owned)
    };
    server.hold();
    send(&mut wire, &[create(1, "/1", b""), create(2, "/2", b"")]);
    server
        .zooid
        .wait_for_metric("request_throttle_wait_count", 1.0);
    let before = received();
    send(&mut wire, &[ping(), create(3, "/3", b"")]);
    // Others are served meanwhile, and nothing of that client is read.
    for xid in 1..100 {
        send(&mut bystander, &[read(xid, OpCode::Exists, "/")]);
        assert_eq!(replies(&mut bystander), [(xid, OK)]);
    }
    assert_eq!(received(), before);
    server.release();
    assert_eq!(replies(&mut wire), [(1, OK), (2, OK), (-2, OK), (3, OK)]);
}

#[test]
fn connect_requests_beyond_the_tokens_are_refused() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let zooid = Setup::on(directory.path())
        .config("4lw.commands.whitelist", &"*")
        .property("zookeeper.connection_throttle_tokens", &3)
        .property("zookeeper.connection_throttle_fill_time", &86_400_000)
        .start();
    let mut bystander = Bystander::arrive(&zooid);
    let _others = [shake_hands(zooid.address), shake_hands(zooid.address)];
    let mut late = Wire::open(zooid.address).expect("the server listens");
    late.send_raw(&connect()).expect("sent");
    assert_eq!(late.receive_rest().expect("closed"), b"");
    zooid.wait_for_log("connection_throttle_tokens");
    assert_eq!(zooid.metric("connection_rejected"), 1.0);
    assert_eq!(zooid.metric("max_connection_token_deficit"), 3.0);
    assert_eq!(zooid.metric("connection_drop_probability"), 0.0);
    bystander.assert_unharmed();
}

#[test]
fn an_empty_bucket_makes_refusals_likely() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let zooid = Setup::on(directory.path())
        .config("4lw.commands.whitelist", &"*")
        .property("zookeeper.connection_throttle_tokens", &1)
        .property("zookeeper.connection_throttle_fill_time", &86_400_000)
        .property("zookeeper.connection_throttle_freeze_time", &0)
        .property("zookeeper.connection_throttle_drop_increase", &0.5)
        .start();
    let _first = shake_hands(zooid.address);
    while zooid.metric("connection_drop_probability") < 1.0 {
        let mut late = Wire::open(zooid.address).expect("the server listens");
        late.send_raw(&connect()).expect("sent");
        assert_eq!(late.receive_rest().expect("closed"), b"");
    }
}

#[test]
fn slow_syncs_are_warned_of() {
    let server = HeldLog::start(&[("fsync.warningthresholdms", "1")]);
    let mut wire = shake_hands(server.zooid.address);
    server.hold();
    send(&mut wire, &[create(1, "/slow", b"")]);
    server.zooid.wait_for_metric("outstanding_requests", 1.0);
    // Some round trips later more than a millisecond has passed.
    let begun = std::time::Instant::now();
    while begun.elapsed().as_millis() < 20 {
        server.zooid.word("ruok");
    }
    server.release();
    assert_eq!(replies(&mut wire), [(1, OK)]);
    server
        .zooid
        .wait_for_log("syncing the transaction log took long");
}
