//! A leader that has no descriptor left accepts nobody, and is none the worse for it: it goes on leading
//! whom it has, and accepts again on every port as soon as it can (ZOOKEEPER-4203).

use rustix::process::{Pid, Resource, Rlimit, prlimit};
use std::fs;
use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};
use zooid_interop::{Ensemble, Kind, Layout, Options, SUPER_DIGEST, Session, anyone};
use zooid_proto::{CreateMode, ServerId};

/// What the leader may open besides what it has.
const DESCRIPTORS_LEFT: u64 = 20;
/// More than that.
const CROWD: usize = 60;
const PATIENCE: Duration = Duration::from_secs(60);

#[test]
fn a_leader_without_descriptors_goes_on_and_accepts_again() {
    let layout = Layout::voters(Kind::Zooid, 3);
    let mut ensemble = Ensemble::start(&layout, &options()).expect("three servers");
    let leader = ensemble.leader().expect("one leads");
    let follower = ensemble.followers()[0];
    let pid = ensemble.server(leader).pid().expect("it runs");
    let mut session = open(&ensemble, leader);

    let limit = descriptors(pid) + DESCRIPTORS_LEFT;
    limit_descriptors(pid, limit);
    let address = ensemble.server(leader).address();
    let crowd: Vec<TcpStream> = (0..CROWD)
        .map(|_| TcpStream::connect(address).expect("the kernel takes it"))
        .collect();
    wait_until("no descriptor is left", || descriptors(pid) >= limit);
    // Its place on the leader's ports is taken by the crowd before it comes back.
    ensemble.kill(follower).expect("it runs");
    wait_until("no descriptor is left", || descriptors(pid) >= limit);
    ensemble.launch(follower).expect("it starts");
    for n in 0..50 {
        let path = format!("/meanwhile-{n}");
        let made = session.create(&path, None, &anyone(), CreateMode::Persistent);
        made.expect("whom it has, it serves");
    }

    drop(crowd);
    ensemble.wait_until_serving().expect("the follower is back");
    assert_eq!(ensemble.leader().expect("one leads"), leader);
    open(&ensemble, leader).ping().expect("it accepts clients");
    let tree = ensemble.agreed_tree().expect("one tree");
    assert!(tree.nodes.contains_key("/meanwhile-49"));
}

fn open(ensemble: &Ensemble, id: ServerId) -> Session {
    Session::open(ensemble.server(id).address(), 30_000).expect("a session")
}

fn descriptors(pid: u32) -> u64 {
    let open = fs::read_dir(format!("/proc/{pid}/fd")).expect("it runs");
    u64::try_from(open.count()).expect("a small number")
}

fn limit_descriptors(pid: u32, limit: u64) {
    let pid = i32::try_from(pid).expect("as the kernel counts");
    let limit = Rlimit {
        current: Some(limit),
        maximum: Some(limit),
    };
    prlimit(Pid::from_raw(pid), Resource::Nofile, limit).expect("it is ours");
}

fn wait_until(what: &str, holds: impl Fn() -> bool) {
    let started = Instant::now();
    while !holds() {
        assert!(started.elapsed() < PATIENCE, "not within patience: {what}");
        thread::sleep(Duration::from_millis(20));
    }
}

fn options() -> Options {
    Options::default()
        .property(SUPER_DIGEST.0, SUPER_DIGEST.1)
        .config("tickTime", "500")
        .config("maxClientCnxns", "0")
}
