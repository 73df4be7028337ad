//! From ready to stopped.

use crate::bystander::Bystander;
use crate::packet::{connect, framed, receive, request, shake_hands};
use crate::preload;
use crate::zooid::{Setup, Zooid, binary};
use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};
use std::process::Command;
use zooid_interop::{Session, Wire, anyone};
use zooid_proto::request::CreateRequest;
use zooid_proto::{CreateMode, ErrorCode, Jute, OpCode};

const PIPELINED: i32 = 100;

fn create(xid: i32) -> Vec<u8> {
    let body = CreateRequest {
        path: format!("/pipelined-{xid}"),
        data: None,
        acl: anyone().into(),
        flags: 0,
    };
    request(xid, OpCode::Create.code(), &body.to_vec())
}

/// Sends writes all at once, then the signal, and checks that all are answered and kept.
fn stops_without_losing_what_was_begun(signal: &str) {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let setup = Setup::on(directory.path());
    let zooid = setup.start();
    let mut idle = shake_hands(zooid.address);
    let mut half_open = Wire::open(zooid.address).expect("the server listens");
    half_open.send_raw(&connect()[..4]).expect("sent");
    let mut busy = shake_hands(zooid.address);
    let packets: Vec<u8> = (1..=PIPELINED).flat_map(create).collect();
    busy.send_raw(&packets).expect("sent");
    // The server has read the first request, hence all: they came in one piece.
    assert_eq!(receive(&mut busy).expect("a reply").xid, 1);
    zooid.signal(signal);
    for xid in 2..=PIPELINED {
        let reply = receive(&mut busy).expect("what was begun is finished");
        assert_eq!((reply.xid, reply.err), (xid, ErrorCode::Ok));
    }
    assert_eq!(busy.receive_rest().expect("closed"), b"");
    assert_eq!(idle.receive_rest().expect("closed"), b"");
    assert_eq!(half_open.receive_rest().expect("closed"), b"");
    let ended = zooid.wait();
    ended.assert_exit_code(0);
    ended.assert_says(signal);
    ended.assert_says("stopped");

    let zooid = setup.start();
    let mut session = Session::open(zooid.address, 40_000).expect("a session");
    for xid in 1..=PIPELINED {
        let path = format!("/pipelined-{xid}");
        assert!(
            session.exists(&path, false).expect("served").is_some(),
            "{path}"
        );
    }
}

#[test]
fn sigterm_finishes_what_was_begun() {
    stops_without_losing_what_was_begun("TERM");
}

#[test]
fn sigint_finishes_what_was_begun() {
    stops_without_losing_what_was_begun("INT");
}

#[test]
fn sigterm_right_after_ready_ends_well() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    for _ in 0..5 {
        Setup::on(directory.path()).start().stop();
    }
}

#[test]
fn client_that_reads_nothing_does_not_keep_the_server_from_stopping() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let zooid = Setup::on(directory.path()).start();
    let mut bystander = Bystander::arrive(&zooid);
    let data = vec![0; 1_000_000];
    bystander.write_value(data).expect("served");
    let mut slow = shake_hands(zooid.address);
    for xid in 1..100 {
        let packet = crate::packet::read(xid, OpCode::GetData, "/kept-00001");
        slow.send_raw(&packet).expect("sent");
    }
    bystander.ping();
    zooid.stop();
}

/// While a snapshot of four pieces is being written, the first of which is held up: whoever is told to stop
/// does not write the others.
#[test]
fn a_snapshot_does_not_keep_the_server_from_stopping() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let setup = Setup::on(directory.path());
    let zooid = setup.start();
    let mut session = Session::open(zooid.address, 40_000).expect("a session");
    for path in ["/a", "/b", "/c", "/d"] {
        let created = session.create(
            path,
            Some(&[7; 1_000_000]),
            &anyone(),
            CreateMode::Persistent,
        );
        created.expect("served");
    }
    zooid.stop();

    let hold = directory.path().join("hold");
    let library = preload::build(directory.path(), "held_sync");
    let zooid = (setup.clone())
        .config("snapCount", &20)
        .environment("LD_PRELOAD", &library.display())
        .environment("HELD_SYNC_OF", &"/.snapshot.")
        .environment("HELD_SYNC_WHILE", &hold.display())
        .start();
    fs::write(&hold, "").expect("the test's own directory");
    let snapshots = || {
        let files = fs::read_dir(setup.data_dir().join("version-2")).expect("it is there");
        let names = files.map(|file| file.expect("listed").file_name());
        let names = names.map(|name| name.into_string().expect("a name of ours"));
        let mut snapshots: Vec<_> = names.filter(|name| name.contains("snapshot")).collect();
        snapshots.sort();
        snapshots
    };
    let before = snapshots();
    let mut session = Session::open(zooid.address, 40_000).expect("a session");
    let mut idle = shake_hands(zooid.address);
    while snapshots() == before {
        session.set_data("/a", None, -1).expect("served");
    }
    zooid.signal("TERM");
    assert_eq!(idle.receive_rest().expect("closed"), b"");
    fs::remove_file(&hold).expect("it is held");
    let ended = zooid.wait();
    ended.assert_exit_code(0);
    ended.assert_says("the snapshot was given up before its end");
    assert_eq!(snapshots(), before);
}

#[test]
fn ipv6_and_ipv4_addresses_are_served() {
    let hosts = [
        IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(Ipv6Addr::LOCALHOST),
    ];
    for host in hosts {
        if TcpListener::bind((host, 0)).is_err() {
            println!("this machine has no {host}");
            continue;
        }
        let directory = tempfile::tempdir().expect("a temporary directory");
        let zooid = Setup::on(directory.path()).host(&host.to_string()).start();
        Bystander::arrive(&zooid).assert_unharmed();
    }
}

#[test]
fn without_a_configuration_the_default_is_served_and_said() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let mut command = Command::new(binary());
    command.arg("serve").current_dir(directory.path());
    for inherited in [
        "ZOOCFG",
        "ZOOCFGDIR",
        "ZOO_CONF_DIR",
        "JVMFLAGS",
        "SERVER_JVMFLAGS",
    ] {
        command.env_remove(inherited);
    }
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 2181));
    let log = match Zooid::run(command, address) {
        Ok(zooid) => {
            Bystander::arrive(&zooid).assert_unharmed();
            zooid.stop()
        }
        // Somebody else has the port, which is no secret.
        Err(ended) => {
            ended.assert_exit_code(1);
            ended.assert_says("cannot listen on 127.0.0.1:2181: Address already in use");
            ended.log
        }
    };
    let said = "no configuration given: standalone on 127.0.0.1:2181, data in ./zooid-data";
    assert_eq!(log.matches(said).count(), 1, "{log}");
}

#[test]
fn port_and_directory_are_enough_of_a_configuration() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    // A short form has no address, so it means all of them. The port is kept taken: what it stands
    // for shows without serving the whole network.
    let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    let address = taken.local_addr().expect("bound");
    let mut command = Command::new(binary());
    command
        .args(["serve", &address.port().to_string()])
        .arg(directory.path().join("data"));
    let Err(ended) = Zooid::run(command, address) else {
        panic!("the port is taken")
    };
    ended.assert_exit_code(1);
    ended.assert_says(&format!(":{}: Address already in use", address.port()));
    ended.assert_says("configuration taken from the command line");
}

#[test]
fn variables_for_java_mean_nothing() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let zooid = Setup::on(directory.path())
        .environment("JAVA_HOME", &"/nonexistent")
        .environment("ZK_SERVER_HEAP", &"a lot")
        .environment("ZK_CLIENT_HEAP", &"0")
        .environment("JMXPORT", &"-1")
        .start();
    Bystander::arrive(&zooid).assert_unharmed();
    let log = zooid.stop();
    assert!(!log.contains("WARN"), "{log}");
}

#[test]
fn detail_of_the_log_is_a_choice() {
    let log = |detail: &str| {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let setup = Setup::on(directory.path()).environment("ZOOID_LOG", &detail);
        setup.start().stop()
    };
    assert_eq!(log("error"), "");
    assert!(log("info").contains(" INFO "));
    assert!(log("zooid_server::client=debug").is_empty());
}

#[test]
fn oversized_connect_request_is_still_only_a_connect_request() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let zooid = Setup::on(directory.path()).start();
    let mut body = crate::packet::connect_body();
    body.resize(100_000, 0xff);
    let mut wire = Wire::open(zooid.address).expect("the server listens");
    wire.send_raw(&framed(&body)).expect("sent");
    // Java ignores what follows the record.
    assert!(wire.receive().expect("an answer").is_some());
}
