//! Zooid at every place of an ensemble of three whose other members are Debian's ZooKeeper 3.8.0: as
//! leader and as follower of either kind, before and after the leader is killed with SIGKILL and comes
//! back.
//!
//! Each member takes every kind of write, all of them have the same tree and the same digests, sessions
//! move between members and end on all of them, and ZooKeeper has nothing to complain of.

use zooid_interop::Kind::{Java, Zooid};
use zooid_interop::{
    Ensemble, Kind, Layout, Options, SUPER_DIGEST, Session, anyone, use_every_member,
};
use zooid_proto::{CreateMode, ServerId};

#[test]
fn zooid_is_server_1() {
    elect_and_serve([Zooid, Java, Java]);
}

#[test]
fn zooid_is_server_2() {
    elect_and_serve([Java, Zooid, Java]);
}

#[test]
fn zooid_is_server_3() {
    elect_and_serve([Java, Java, Zooid]);
}

#[test]
fn java_is_server_1() {
    elect_and_serve([Java, Zooid, Zooid]);
}

#[test]
fn java_is_server_2() {
    elect_and_serve([Zooid, Java, Zooid]);
}

#[test]
fn java_is_server_3() {
    elect_and_serve([Zooid, Zooid, Java]);
}

/// Server 3 leads, is killed and comes back to server 2, which is killed and comes back to server 3.
fn elect_and_serve(kinds: [Kind; 3]) {
    let [first, second, third] = [1, 2, 3].map(ServerId);
    let mut ensemble = Ensemble::prepare(&Layout::mixed(&kinds), &options()).expect("a place");
    ensemble.start_led_by(third).expect("server 3 is elected");
    let mut traveller = Traveller::start(&ensemble, first);
    serve(&ensemble, "/led-by-3");

    ensemble.kill(third).expect("it runs");
    ensemble.wait_until_serving().expect("two go on");
    let leader = ensemble.leader().expect("one leads");
    assert_eq!(leader, second, "of equal histories the highest id wins");
    traveller.move_to(&ensemble, second);
    serve(&ensemble, "/led-by-2-of-two");

    ensemble.launch(third).expect("it starts");
    ensemble.wait_until_serving().expect("it comes back");
    assert_eq!(ensemble.leader().expect("one leads"), second);
    traveller.move_to(&ensemble, third);
    serve(&ensemble, "/led-by-2");

    ensemble.kill(second).expect("it runs");
    ensemble.wait_until_serving().expect("two go on");
    assert_eq!(ensemble.leader().expect("one leads"), third);
    ensemble.launch(second).expect("it starts");
    ensemble.wait_until_serving().expect("it comes back");
    assert_eq!(ensemble.leader().expect("one leads"), third);
    traveller.move_to(&ensemble, second);
    serve(&ensemble, "/led-by-3-again");
}

fn serve(ensemble: &Ensemble, root: &str) {
    use_every_member(ensemble, root).expect("every member does everything");
    ensemble.check_agreement().expect("they agree");
    for kind in [Zooid, Java] {
        ensemble.check_logs_of(kind).expect("they are content");
    }
}

fn options() -> Options {
    Options::default()
        .property(SUPER_DIGEST.0, SUPER_DIGEST.1)
        .property("zookeeper.extendedTypesEnabled", "true")
        .property("zookeeper.preAllocSize", "64")
        .config("tickTime", "500")
}

/// A session with an ephemeral node, which outlives its servers.
struct Traveller(Session);

impl Traveller {
    fn start(ensemble: &Ensemble, id: ServerId) -> Traveller {
        let address = ensemble.server(id).address();
        let mut session = Session::open(address, 600_000).expect("a session");
        let created = session.create(TRAVELLER, None, &anyone(), CreateMode::Ephemeral);
        created.expect("it writes");
        Traveller(session)
    }

    /// Comes back to the session at another server.
    fn move_to(&mut self, ensemble: &Ensemble, id: ServerId) {
        let synced = ensemble.open_synced(id).expect("a session");
        synced.close().expect("it ends");
        let address = ensemble.server(id).address();
        self.0 = self.0.reattach(address).expect("the session lives");
        let stat = self.0.exists(TRAVELLER, false).expect("it reads");
        let owner = stat.expect("the node lives").ephemeral_owner;
        assert_eq!(owner, self.0.id().0);
    }
}

const TRAVELLER: &str = "/traveller";
