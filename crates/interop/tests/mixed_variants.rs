//! Ensembles of Zooid and Debian's ZooKeeper 3.8.0 of other shapes than three voters: five voters with
//! observers of both kinds under leaders of both kinds, groups with weights, servers with two addresses,
//! and local sessions.

use zooid_interop::Kind::{Java, Zooid};
use zooid_interop::{
    Ensemble, Kind, Layout, Mode, Options, Role, SUPER_DIGEST, Session, anyone, use_every_member,
};
use zooid_proto::{CreateMode, ServerId};

#[test]
fn observers_of_both_kinds_follow_leaders_of_both_kinds() {
    let voters = Layout::mixed(&[Zooid, Java, Zooid]);
    let layout = voters
        .seats_of(Zooid, Role::Observer, 1)
        .seats_of(Java, Role::Observer, 1);
    let mut ensemble = Ensemble::prepare(&layout, &options()).expect("a place");
    ensemble
        .start_led_by(ServerId(3))
        .expect("server 3 is elected");
    assert_eq!(kind_of_leader(&ensemble), Zooid);
    serve(&ensemble, "/led-by-zooid");
    ensemble.kill(ServerId(3)).expect("it runs");
    ensemble.wait_until_serving().expect("the others go on");
    assert_eq!(kind_of_leader(&ensemble), Java);
    serve(&ensemble, "/led-by-java");
    ensemble.launch(ServerId(3)).expect("it starts");
    ensemble.wait_until_serving().expect("it comes back");
    serve(&ensemble, "/all-again");
}

#[test]
fn five_voters_of_both_kinds_go_on_without_two() {
    let layout = Layout::mixed(&[Java, Zooid, Zooid, Java, Zooid]);
    let mut ensemble = Ensemble::prepare(&layout, &options()).expect("a place");
    ensemble
        .start_led_by(ServerId(5))
        .expect("server 5 is elected");
    serve(&ensemble, "/five");
    for id in [5, 4] {
        ensemble.kill(ServerId(id)).expect("it runs");
        ensemble.wait_until_serving().expect("the others go on");
    }
    serve(&ensemble, "/three");
    ensemble.kill(ServerId(3)).expect("it runs");
    ensemble
        .wait_until_not_serving()
        .expect("two are no quorum");
    ensemble.start_all().expect("all come back");
    serve(&ensemble, "/five-again");
}

/// Servers 1 and 5 are a quorum by their weight, 2 to 4 are none.
#[test]
fn weight_in_groups_decides_among_both_kinds() {
    for strong in [Zooid, Java] {
        let weak = other(strong);
        let layout = Layout::mixed(&[strong, weak, weak, strong, weak]);
        let layout = layout.grouped(&[&[2, 0], &[1, 1], &[1]]);
        let mut ensemble = Ensemble::start(&layout, &options()).expect("five servers");
        for id in [2, 3, 4] {
            ensemble.kill(ServerId(id)).expect("it runs");
        }
        ensemble.wait_until_serving().expect("two servers serve");
        serve(&ensemble, "/by-two");
        for id in [1, 5] {
            ensemble.kill(ServerId(id)).expect("it runs");
        }
        for id in [2, 3, 4] {
            ensemble.launch(ServerId(id)).expect("it starts");
        }
        ensemble.wait_until_not_serving().expect("three do not");
        ensemble.start_all().expect("all serve");
        serve(&ensemble, "/by-all");
    }
}

#[test]
fn servers_with_two_addresses_find_each_other() {
    let options = options()
        .property("zookeeper.multiAddress.enabled", "true")
        .config("multiAddress.enabled", "true");
    for kinds in [[Zooid, Java, Java], [Java, Zooid, Zooid]] {
        let layout = Layout::mixed(&kinds).at_two_addresses();
        let mut ensemble = Ensemble::prepare(&layout, &options).expect("a place");
        ensemble
            .start_led_by(ServerId(3))
            .expect("server 3 is elected");
        serve(&ensemble, "/led-by-3");
        ensemble.kill(ServerId(3)).expect("it runs");
        ensemble.wait_until_serving().expect("two go on");
        ensemble.launch(ServerId(3)).expect("it starts");
        ensemble.wait_until_serving().expect("it comes back");
        serve(&ensemble, "/led-by-2");
    }
}

/// A local session writes, becomes known to all with its first ephemeral, and moves to the other kind.
#[test]
fn local_sessions_become_global_across_kinds() {
    let options = options()
        .config("localSessionsEnabled", "true")
        .config("localSessionsUpgradingEnabled", "true");
    for kinds in [[Zooid, Java, Zooid], [Java, Zooid, Java]] {
        let mut ensemble = Ensemble::prepare(&Layout::mixed(&kinds), &options).expect("a place");
        ensemble
            .start_led_by(ServerId(3))
            .expect("server 3 is elected");
        for id in ensemble.ids() {
            upgrade_and_move(&ensemble, id);
        }
        ensemble.agreed_tree().expect("one tree");
    }
}

fn upgrade_and_move(ensemble: &Ensemble, id: ServerId) {
    let address = ensemble.server(id).address();
    let mut session = Session::open(address, 30_000).expect("a session");
    let global = count(ensemble, id);
    let plain = format!("/plain-{id}");
    let created = session.create(&plain, None, &anyone(), CreateMode::Persistent);
    created.expect("a local session writes");
    assert_eq!(count(ensemble, id), global);
    let mine = format!("/mine-{id}");
    let created = session.create(&mine, None, &anyone(), CreateMode::Ephemeral);
    created.expect("an upgraded session owns nodes");
    for other in ensemble.ids().filter(|other| *other != id) {
        let behind = ensemble.open_synced(other).expect("a session");
        behind.close().expect("it ends");
        let moved = session.reattach(ensemble.server(other).address());
        session = moved.expect("the others know it");
        let stat = session.exists(&mine, false).expect("it reads");
        assert_eq!(stat.expect("it is there").ephemeral_owner, session.id().0);
    }
    session.close().expect("it ends");
}

fn count(ensemble: &Ensemble, id: ServerId) -> usize {
    let status = ensemble.status(id).expect("it serves");
    status
        .number("global_sessions")
        .expect("mntr has the gauge")
}

fn kind_of_leader(ensemble: &Ensemble) -> Kind {
    let leader = ensemble.one_in_mode(Mode::Leader).expect("one leads");
    ensemble.server(leader).kind()
}

fn other(kind: Kind) -> Kind {
    match kind {
        Java => Zooid,
        Zooid => Java,
    }
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
