//! The quorum port of a real ensemble under what no learner sends.

#[path = "abuse/rng.rs"]
#[allow(dead_code, reason = "used elsewhere")]
mod rng;

use rng::Rng;
use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::time::{Duration, Instant};
use zooid_interop::{Ensemble, Kind, Layout, Options, SUPER_DIGEST, anyone};
use zooid_proto::quorum::ack_epoch_data;
use zooid_proto::{CreateMode, Epoch, Jute, LearnerInfo, PacketType, QuorumPacket, ServerId, Zxid};

/// How long a server may take to close a connection that it does not want.
const PATIENCE: Duration = Duration::from_secs(60);
/// More than a server holds open of those who say nothing.
const CROWD: usize = 600;

#[test]
fn whatever_comes_costs_its_connection_and_nothing_else() {
    let mut ensemble = start();
    let leader = ensemble.leader().expect("one leads");
    let mut rng = Rng::new(20_251_122);
    for id in ensemble.up() {
        let port = quorum_port(&ensemble, id);
        for (what, bytes) in hostile(&mut rng) {
            assert!(is_closed(port, &bytes), "{what} to server {id}");
        }
        for (what, bytes) in unfinished() {
            // Whoever leaves in the middle of a word leaves nothing behind.
            let mut stream = connect(port);
            stream.write_all(&bytes).expect(what);
        }
    }
    assert_unharmed(&mut ensemble, leader, "/after");
    for id in ensemble.up() {
        let log = ensemble.server(id).log();
        assert!(log.contains("closed a stranger's connection"), "{log}");
        assert!(!log.contains("panicked"), "{log}");
    }
}

#[test]
fn strangers_that_say_nothing_do_not_keep_a_learner_out() {
    let mut ensemble = start();
    let leader = ensemble.leader().expect("one leads");
    let port = quorum_port(&ensemble, leader);
    let crowd: Vec<TcpStream> = (0..CROWD).map(|_| connect(port)).collect();
    let follower = ensemble.followers()[0];
    ensemble.kill(follower).expect("it runs");
    ensemble.start_all().expect("it finds its place");
    assert_unharmed(&mut ensemble, leader, "/in-a-crowd");
    drop(crowd);
}

fn start() -> Ensemble {
    let layout = Layout::voters(Kind::Zooid, 3);
    let options = Options::default()
        .property(SUPER_DIGEST.0, SUPER_DIGEST.1)
        .config("initLimit", "3");
    Ensemble::start(&layout, &options).expect("three servers")
}

fn quorum_port(ensemble: &Ensemble, id: ServerId) -> u16 {
    let conf = ensemble.server(id).four_letter_word("conf");
    let conf = conf.expect("it serves");
    let port = conf
        .lines()
        .find_map(|line| line.strip_prefix("quorumPort="));
    port.expect("a member has one").parse().expect("a number")
}

fn connect(port: u16) -> TcpStream {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let stream = TcpStream::connect(address).expect("the port is open");
    stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
    stream
}

/// Sends it all and reads to the end. The server may close before it has taken everything.
fn is_closed(port: u16, bytes: &[u8]) -> bool {
    let mut stream = connect(port);
    let sent = Instant::now();
    let gone = |kind| matches!(kind, ErrorKind::ConnectionReset | ErrorKind::BrokenPipe);
    if let Err(error) = stream.write_all(bytes) {
        return gone(error.kind());
    }
    let mut answer = [0; 4096];
    loop {
        match stream.read(&mut answer) {
            Ok(0) => return true,
            // A leader may take its time to find out, and goes on with its pings meanwhile.
            Ok(_) if sent.elapsed() < PATIENCE => {}
            Ok(_) => return false,
            Err(error) => return gone(error.kind()),
        }
    }
}

/// What no server answers.
fn hostile(rng: &mut Rng) -> Vec<(&'static str, Vec<u8>)> {
    let claim = |kind: PacketType, length: i32| {
        let mut bytes = QuorumPacket::new(kind, Zxid(7)).to_vec();
        bytes.truncate(12);
        bytes.extend(length.to_be_bytes());
        bytes
    };
    let packet = |kind, data: Vec<u8>| QuorumPacket::with_data(kind, Zxid(1 << 32), data).to_vec();
    let info = |id: i64, config_version: i64| {
        let info = LearnerInfo {
            server_id: ServerId(id),
            protocol_version: LearnerInfo::PROTOCOL_VERSION,
            config_version,
        };
        packet(PacketType::FollowerInfo, info.to_vec())
    };
    let newer_config = info(1, i64::MAX);
    let mut two_lives = info(99, 0);
    two_lives.extend(packet(PacketType::AckEpoch, vec![1]));
    let mut from_an_old_epoch = info(98, 0);
    from_an_old_epoch.extend(packet(
        PacketType::AckEpoch,
        ack_epoch_data(Some(Epoch(900))),
    ));
    vec![
        ("random bytes", [vec![0xff], rng.bytes(4096)].concat()),
        ("a type that is none", 77_i32.to_be_bytes().repeat(20)),
        (
            "text",
            b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n".to_vec(),
        ),
        ("too much data", claim(PacketType::FollowerInfo, i32::MAX)),
        ("less than no data", claim(PacketType::FollowerInfo, -2)),
        ("a snapshot", packet(PacketType::Snap, vec![])),
        ("a newer configuration", newer_config),
        ("a short acknowledgement", two_lives),
        ("an epoch of the future", from_an_old_epoch),
    ]
}

/// Good beginnings.
fn unfinished() -> Vec<(&'static str, Vec<u8>)> {
    let whole = QuorumPacket::with_data(PacketType::FollowerInfo, Zxid(0), vec![0; 20]).to_vec();
    vec![
        ("nothing", vec![]),
        ("three bytes", whole[..3].to_vec()),
        ("half a packet", whole[..25].to_vec()),
        ("all but the last byte", whole[..whole.len() - 1].to_vec()),
    ]
}

/// The same leader still leads all of them, and every member takes writes.
fn assert_unharmed(ensemble: &mut Ensemble, leader: ServerId, path: &str) {
    ensemble.wait_until_serving().expect("nobody has ended");
    assert_eq!(ensemble.leader().expect("one leads"), leader);
    for id in ensemble.up() {
        let mut session = ensemble.open_synced(id).expect("a session");
        let path = format!("{path}-{id}");
        session
            .create(&path, Some(b""), &anyone(), CreateMode::Persistent)
            .expect("writes are taken");
    }
    ensemble.agreed_tree().expect("one tree");
}
