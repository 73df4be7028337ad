//! Malformed frames close the connection they came on, and no other.

use crate::bystander::Bystander;
use crate::packet::{connect, connect_body, framed, ping, read, receive, request, shake_hands};
use crate::rng::Rng;
use crate::zooid::{Setup, Zooid};
use std::net::{Shutdown, TcpStream};
use zooid_interop::Wire;
use zooid_proto::{ErrorCode, OpCode, xid};

/// `jute.maxbuffer`'s default: the largest packet that a server takes.
const PACKET_BYTES_MAX: usize = 0xf_ffff;

fn serve() -> (tempfile::TempDir, Zooid, Bystander) {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let zooid = Setup::on(directory.path())
        .config("maxClientCnxns", &0)
        .start();
    let bystander = Bystander::arrive(&zooid);
    (directory, zooid, bystander)
}

/// Sends bytes, says that there will be no more, and returns all that comes back.
fn send_and_end(zooid: &Zooid, bytes: &[u8]) -> Vec<u8> {
    use std::io::{Read as _, Write as _};
    let mut stream = TcpStream::connect(zooid.address).expect("the server listens");
    stream
        .set_read_timeout(Some(crate::zooid::PATIENCE))
        .expect("a timeout");
    // The server may close before it has taken everything.
    let _ = stream.write_all(bytes);
    let _ = stream.shutdown(Shutdown::Write);
    let mut answer = Vec::new();
    match stream.read_to_end(&mut answer) {
        Err(error) if error.kind() != std::io::ErrorKind::ConnectionReset => {
            panic!("the server keeps the connection: {error}")
        }
        _ => answer,
    }
}

#[test]
fn length_out_of_range_closes_without_a_word() {
    let (_directory, zooid, mut bystander) = serve();
    let above = i32::try_from(PACKET_BYTES_MAX).expect("20 bits") + 1;
    for length in [-1, -2, i32::MIN, above, i32::MAX] {
        let mut fresh = Wire::open(zooid.address).expect("the server listens");
        let mut greeted = shake_hands(zooid.address);
        for wire in [&mut fresh, &mut greeted] {
            wire.send_raw(&length.to_be_bytes()).expect("sent");
            assert_eq!(wire.receive_rest().expect("closed"), b"", "{length}");
        }
        bystander.ping();
    }
    bystander.assert_unharmed();
    zooid.wait_for_log("packet length -2147483648 is out of range");
}

#[test]
fn largest_packet_is_served_and_one_byte_more_is_not() {
    let (_directory, zooid, mut bystander) = serve();
    let set_of_len = |len: usize| {
        let around = crate::packet::set_data(1, "/kept-00000", b"").len() - 4;
        crate::packet::set_data(1, "/kept-00000", &vec![b'x'; len - around])
    };
    let mut wire = shake_hands(zooid.address);
    wire.send_raw(&set_of_len(PACKET_BYTES_MAX)).expect("sent");
    assert_eq!(receive(&mut wire).expect("a reply").err, ErrorCode::Ok);
    wire.send_raw(&set_of_len(PACKET_BYTES_MAX + 1))
        .expect("sent");
    assert_eq!(receive(&mut wire), None);

    let back = bystander
        .session()
        .set_data("/kept-00000", Some(b"value 0"), 1);
    back.expect("changed once, and not twice");
    bystander.assert_unharmed();
}

#[test]
fn truncated_connect_request_gets_no_answer() {
    let (_directory, zooid, mut bystander) = serve();
    let whole = connect_body();
    // Without the last byte it is that of an old client, and well.
    for len in 0..whole.len() - 1 {
        // The frame is whole, but not what is in it.
        assert_eq!(send_and_end(&zooid, &framed(&whole[..len])), b"", "{len}");
        // The frame breaks off.
        assert_eq!(send_and_end(&zooid, &connect()[..4 + len]), b"", "{len}");
    }
    bystander.assert_unharmed();
}

#[test]
fn random_bytes_open_nothing() {
    let (_directory, zooid, mut bystander) = serve();
    let mut rng = Rng::new(20_240_501);
    for _ in 0..300 {
        let len = rng.below(300);
        send_and_end(&zooid, &rng.bytes(len));
    }
    for _ in 0..300 {
        let len = rng.below(80);
        send_and_end(&zooid, &framed(&rng.bytes(len)));
    }
    bystander.assert_unharmed();
}

#[test]
fn random_bytes_in_a_session_end_that_session_only() {
    let (_directory, zooid, mut bystander) = serve();
    let mut rng = Rng::new(20_240_502);
    for round in 0..200 {
        let mut bytes = connect();
        for _ in 0..rng.below(5) {
            let len = rng.below(120);
            let garbage = rng.bytes(len);
            bytes.extend(if round % 2 == 0 {
                framed(&garbage)
            } else {
                garbage
            });
        }
        send_and_end(&zooid, &bytes);
    }
    bystander.assert_unharmed();
}

/// Bodies that fit no request, or fit one by chance.
fn garbage_bodies(rng: &mut Rng) -> Vec<Vec<u8>> {
    let huge_vector = [&[0, 0, 0, 2][..], b"/a", &i32::MAX.to_be_bytes(), &[0; 40]].concat();
    vec![
        vec![],
        vec![0; 64],
        vec![0xff; 64],
        i32::MAX.to_be_bytes().repeat(8),
        huge_vector,
        rng.bytes(7),
        rng.bytes(64),
        rng.bytes(1000),
    ]
}

#[test]
fn every_operation_with_a_garbage_body_is_answered_or_closes() {
    let (_directory, zooid, mut bystander) = serve();
    let mut rng = Rng::new(20_240_503);
    let known = OpCode::ALL.iter().map(|op| op.code());
    let unknown = [10, 23, 99, 108, -2, -9, -12, i32::MAX, i32::MIN];
    let sentinel = read(99, OpCode::Exists, "/kept-00000");
    for op in known.chain(unknown) {
        for body in garbage_bodies(&mut rng) {
            let mut wire = shake_hands(zooid.address);
            wire.send_raw(&request(7, op, &body)).expect("sent");
            wire.send_raw(&sentinel).expect("sent");
            // Whatever the answer is, either the connection goes on in order or it ends.
            let mut seen = Vec::new();
            while let Some(reply) = receive(&mut wire) {
                seen.push(reply.xid);
                if reply.xid == 99 {
                    break;
                }
            }
            let expected =
                |answer: i32| seen.is_empty() || seen == [answer] || seen == [answer, 99];
            let answered_ping = op == OpCode::Ping.code() && expected(xid::PING);
            assert!(expected(7) || answered_ping, "{op} {body:?}: {seen:?}");
        }
        bystander.ping();
    }
    bystander.assert_unharmed();
}

/// A whole conversation, and what its replies must be.
fn conversation() -> (Vec<u8>, Vec<(i32, ErrorCode)>) {
    let bytes = [
        connect(),
        read(1, OpCode::GetData, "/kept-00000"),
        read(2, OpCode::Exists, "/missing"),
        ping(),
        request(3, OpCode::CloseSession.code(), &[]),
    ];
    let replies = vec![
        (1, ErrorCode::Ok),
        (2, ErrorCode::NoNode),
        (xid::PING, ErrorCode::Ok),
        (3, ErrorCode::Ok),
    ];
    (bytes.concat(), replies)
}

fn assert_conversation(wire: &mut Wire, replies: &[(i32, ErrorCode)]) {
    assert_eq!(
        wire.receive().expect("a session").expect("a session").len(),
        37
    );
    let mut seen = Vec::new();
    while let Some(reply) = receive(wire) {
        seen.push((reply.xid, reply.err));
    }
    assert_eq!(seen, replies);
}

#[test]
fn requests_may_arrive_in_any_two_pieces() {
    let (_directory, zooid, mut bystander) = serve();
    let (bytes, replies) = conversation();
    for split in 1..bytes.len() {
        let mut wire = Wire::open(zooid.address).expect("the server listens");
        wire.send_raw(&bytes[..split]).expect("sent");
        // By the time this is back the server has had its chance to look at the first piece.
        bystander.ping();
        wire.send_raw(&bytes[split..]).expect("sent");
        assert_conversation(&mut wire, &replies);
    }
}

#[test]
fn requests_may_arrive_byte_by_byte() {
    let (_directory, zooid, mut bystander) = serve();
    let (bytes, replies) = conversation();
    let mut wire = Wire::open(zooid.address).expect("the server listens");
    for byte in bytes {
        wire.send_raw(&[byte]).expect("sent");
        bystander.ping();
    }
    assert_conversation(&mut wire, &replies);
}

#[test]
fn words_mean_nothing_once_a_session_is_open() {
    let (_directory, zooid, mut bystander) = serve();
    let mut wire = shake_hands(zooid.address);
    wire.send_raw(b"srvr").expect("sent");
    // Read as a length, it is far too large.
    assert_eq!(wire.receive_rest().expect("closed"), b"");
    zooid.wait_for_log("packet length 1936881266 is out of range");
    bystander.assert_unharmed();
}
