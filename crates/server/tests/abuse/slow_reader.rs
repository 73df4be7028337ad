//! Clients that ask for more than they read.

use crate::bystander::Bystander;
use crate::packet::{connect, header, read, receive, request, set_data, shake_hands};
use crate::zooid::{Setup, Zooid};
use std::io::{ErrorKind, Write as _};
use std::net::TcpStream;
use zooid_interop::{Session, Wire, anyone};
use zooid_proto::{CreateMode, ErrorCode, Jute, MultiRead, MultiReadOp, OpCode, xid};

const BIG_PATH: &str = "/big";
const BIG_BYTES: usize = 1_000_000;
/// What one client that does not read may cost the server when it only asks: the outbox's bound for
/// running reads, the same again on its way to the kernel, and the allocator's slack.
const ASKING_BYTES_MAX: usize = 32 << 20;
/// What it may cost at most, with events or with reads that had to run before a write: the bound at
/// which the connection is given up, twice (what is collected, what is on its way), and a vector's
/// doubling.
const GIVEN_UP_BYTES_MAX: usize = 256 << 20;

fn serve() -> (tempfile::TempDir, Zooid, Bystander) {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let zooid = Setup::on(directory.path()).start();
    let mut bystander = Bystander::arrive(&zooid);
    let data = vec![b'x'; BIG_BYTES];
    bystander
        .session()
        .create(BIG_PATH, Some(&data), &anyone(), CreateMode::Persistent)
        .expect("created");
    (directory, zooid, bystander)
}

/// Checks several times that memory stays within a bound while a bystander is served.
fn assert_bounded(zooid: &Zooid, before: usize, bound: usize, bystander: &mut Bystander) {
    for _ in 0..20 {
        bystander.write();
        let grown = zooid.resident_bytes().saturating_sub(before);
        assert!(grown <= bound, "grown by {grown} bytes");
    }
    bystander.assert_unharmed();
}

#[test]
fn replies_wait_for_a_slow_reader_in_bounded_memory_and_all_arrive() {
    const READS: i32 = 200;
    let (_directory, zooid, mut bystander) = serve();
    let before = zooid.resident_bytes();
    let mut slow = shake_hands(zooid.address);
    for xid in 1..=READS {
        slow.send_raw(&read(xid, OpCode::GetData, BIG_PATH))
            .expect("sent");
    }
    assert_bounded(&zooid, before, ASKING_BYTES_MAX, &mut bystander);
    for xid in 1..=READS {
        let reply = receive(&mut slow).expect("a reply");
        assert_eq!((reply.xid, reply.err), (xid, ErrorCode::Ok));
    }
}

#[test]
fn lists_that_many_slow_readers_wait_for_are_there_once() {
    const READERS: usize = 40;
    const NAMES: usize = 1000;
    const NAME_BYTES: usize = 4000;
    let (_directory, zooid, mut bystander) = serve();
    for name in 0..NAMES {
        let path = format!("/{name:0NAME_BYTES$}");
        let created = bystander
            .session()
            .create(&path, None, &anyone(), CreateMode::Persistent);
        created.expect("created");
    }
    let before = zooid.resident_bytes();
    let mut slow: Vec<Wire> = (0..READERS).map(|_| shake_hands(zooid.address)).collect();
    for wire in &mut slow {
        wire.send_raw(&read(1, OpCode::GetChildren, "/"))
            .expect("sent");
    }
    // A list for each would be 160 MB.
    assert_bounded(&zooid, before, ASKING_BYTES_MAX, &mut bystander);
    for wire in &mut slow {
        let reply = receive(wire).expect("a reply");
        assert_eq!((reply.xid, reply.err), (1, ErrorCode::Ok));
    }
}

#[test]
fn reads_between_writes_of_a_client_that_does_not_read_are_bounded() {
    const READS: i32 = 990;
    let (_directory, zooid, mut bystander) = serve();
    let before = zooid.resident_bytes();
    // Both writes are proposed at once, and the reads have to run before the second is applied.
    let mut packets = set_data(1, "/kept-00000", b"value 0");
    for xid in 2..READS {
        packets.extend(read(xid, OpCode::GetData, BIG_PATH));
    }
    packets.extend(set_data(READS, "/kept-00000", b"value 0"));
    let mut slow = shake_hands(zooid.address);
    slow.send_raw(&packets).expect("sent");
    assert_bounded(&zooid, before, GIVEN_UP_BYTES_MAX, &mut bystander);
    // It is given up, or served to the end; in either case in order.
    let mut expected = 1;
    while expected <= READS
        && let Some(reply) = receive(&mut slow)
    {
        assert_eq!((reply.xid, reply.err), (expected, ErrorCode::Ok));
        expected += 1;
    }
}

#[test]
fn multi_read_that_multiplies_its_size_is_bounded() {
    const READS: usize = 1000;
    let (_directory, zooid, mut bystander) = serve();
    let before = zooid.resident_bytes();
    let read_big = (MultiReadOp::GetData, BIG_PATH.to_owned());
    let body = MultiRead(vec![read_big; READS]).to_vec();
    let mut greedy = shake_hands(zooid.address);
    greedy
        .send_raw(&request(1, OpCode::MultiRead.code(), &body))
        .expect("sent");
    assert_bounded(&zooid, before, GIVEN_UP_BYTES_MAX, &mut bystander);
    // A gigabyte does not come.
    if let Some(reply) = receive(&mut greedy) {
        assert_ne!(reply.err, ErrorCode::Ok);
    }
    bystander.assert_unharmed();
}

/// A client that is told of every change below `/` and reads nothing.
fn deaf_watcher(zooid: &Zooid) -> Wire {
    let mut body = Vec::new();
    String::from("/").encode(&mut body);
    1_i32.encode(&mut body);
    let mut wire = shake_hands(zooid.address);
    wire.send_raw(&request(1, OpCode::AddWatch.code(), &body))
        .expect("sent");
    assert_eq!(receive(&mut wire).expect("a reply").err, ErrorCode::Ok);
    wire
}

#[test]
fn watcher_that_never_reads_is_given_up_at_the_bound() {
    /// Together more than the outbox's bound and all that the kernel may hold.
    const EVENTS: usize = 1000;
    const NAME_BYTES: usize = 120_000;
    let (_directory, zooid, mut bystander) = serve();
    let mut deaf = deaf_watcher(&zooid);
    let mut hearing = deaf_watcher(&zooid);
    let path = format!("/{}", "n".repeat(NAME_BYTES));
    let before = zooid.resident_bytes();

    let session: &mut Session = bystander.session();
    session
        .create(&path, None, &anyone(), CreateMode::Persistent)
        .expect("created");
    for version in 0..EVENTS {
        let version = i32::try_from(version).expect("a small number");
        session.set_data(&path, None, version).expect("served");
        let event = hearing.receive().expect("an event").expect("an event");
        assert_eq!(header(&event).xid, xid::NOTIFICATION);
    }
    assert_bounded(&zooid, before, GIVEN_UP_BYTES_MAX, &mut bystander);

    let mut heard = 0;
    while let Some(reply) = receive(&mut deaf) {
        assert_eq!(reply.xid, xid::NOTIFICATION);
        heard += 1;
    }
    assert!(heard < EVENTS, "the kernel cannot hold all {heard} events");
}

#[test]
fn requests_of_a_client_that_does_not_read_are_bounded() {
    let (_directory, zooid, mut bystander) = serve();
    let before = zooid.resident_bytes();
    let mut flooding = TcpStream::connect(zooid.address).expect("the server listens");
    flooding.write_all(&connect()).expect("sent");
    flooding.set_nonblocking(true).expect("a socket");
    let packet = read(1, OpCode::GetData, BIG_PATH);
    let mut sent = 0;
    // Once the server has not taken anything for so many round trips of somebody else, it will not.
    let mut refused = 0;
    while refused < 50 {
        match flooding.write(&packet[sent..]) {
            Ok(len) => {
                sent = (sent + len) % packet.len();
                refused = 0;
            }
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::WouldBlock);
                refused += 1;
                bystander.ping();
            }
        }
    }
    assert_bounded(&zooid, before, ASKING_BYTES_MAX, &mut bystander);
}
