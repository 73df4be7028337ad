//! A session whose ephemerals have more bytes of paths than `jute.maxbuffer` lets a server read ends in one
//! transaction, and the ensemble goes on, and starts again (ZOOKEEPER-4306).

use std::time::{Duration, Instant};
use zooid_interop::{Ensemble, Kind, Layout, Options, SUPER_DIGEST, Session, anyone};
use zooid_proto::request::CreateRequest;
use zooid_proto::{CreateMode, Jute, OpCode, ServerId};

/// With the default limit, 1 MiB and as much again, this is too long for one record.
const PATHS_BYTES: usize = 2_500_000;
const NAME_BYTES: usize = 1000;
const PATIENCE: Duration = Duration::from_secs(60);

#[test]
fn a_session_with_more_ephemerals_than_fit_into_a_record_ends() {
    let layout = Layout::voters(Kind::Zooid, 3);
    let mut ensemble = Ensemble::start(&layout, &options()).expect("three servers");
    let leader = ensemble.leader().expect("one leads");
    end_sessions(&mut ensemble, leader);
}

#[test]
fn followers_of_zookeeper_s_can_read_how_it_ends() {
    let layout = Layout::mixed(&[Kind::Java, Kind::Java, Kind::Zooid]);
    let mut ensemble = Ensemble::prepare(&layout, &options()).expect("directories");
    let leader = *ensemble.voters().last().expect("three voters");
    ensemble
        .start_led_by(leader)
        .expect("the last server leads");
    end_sessions(&mut ensemble, leader);
    ensemble
        .check_logs_of(Kind::Java)
        .expect("no digest was wrong");
}

/// One closes and one expires, each at another server.
fn end_sessions(ensemble: &mut Ensemble, leader: ServerId) {
    let follower = ensemble.followers()[0];
    let closes = with_ephemerals(ensemble, follower, "/closes");
    closes.close().expect("it closes");
    let expires = with_ephemerals(ensemble, leader, "/expires");
    drop(expires);
    let mut session = ensemble.open_synced(follower).expect("a session");
    for parent in ["/closes", "/expires"] {
        wait_until_empty(&mut session, parent);
    }
    ensemble.check_agreement().expect("all have the same");
    ensemble.kill_all().expect("they run");
    ensemble.start_all().expect("they can read their logs");
    ensemble.check_agreement().expect("all have the same");
}

fn with_ephemerals(ensemble: &Ensemble, id: ServerId, parent: &str) -> Session {
    let mut session = Session::open(ensemble.server(id).address(), 5_000).expect("a session");
    let made = session.create(parent, None, &anyone(), CreateMode::Persistent);
    made.expect("it is created");
    let bodies: Vec<Vec<u8>> = (0..PATHS_BYTES / NAME_BYTES)
        .map(|n| ephemeral(&format!("{parent}/{n:0NAME_BYTES$}")))
        .collect();
    session
        .call_all(OpCode::Create, &bodies)
        .expect("they are created");
    session
}

fn ephemeral(path: &str) -> Vec<u8> {
    let request = CreateRequest {
        path: path.to_owned(),
        data: None,
        acl: anyone().into(),
        flags: CreateMode::Ephemeral.flags(),
    };
    request.to_vec()
}

/// The names of its children may be too long for one answer, their number is not.
fn wait_until_empty(session: &mut Session, parent: &str) {
    let started = Instant::now();
    loop {
        let stat = session.exists(parent, false).expect("it is answered");
        if stat.expect("it is there").num_children == 0 {
            return;
        }
        assert!(started.elapsed() < PATIENCE, "{parent} is not empty");
        session.ping().expect("it lives");
    }
}

fn options() -> Options {
    Options::default()
        .property(SUPER_DIGEST.0, SUPER_DIGEST.1)
        .config("tickTime", "500")
}
