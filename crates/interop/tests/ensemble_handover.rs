//! Leaders that give up the lead in good order, because they are asked to stop or because their epoch has
//! no zxid left, while clients write: no session and nothing acknowledged is lost.
//!
//! How long nothing is acknowledged meanwhile is measured by `bench/failover`.

use anyhow::Result;
use zooid_interop::{
    Ensemble, Kills, Kind, Layout, Options, Role, SUPER_DIGEST, TreeDump, Writers, check_journals,
    wait_for_lost_ephemerals,
};

#[test]
fn members_that_are_asked_to_stop_lose_nothing() {
    let layout = Layout::voters(Kind::under_test(), 3);
    let mut ensemble = Ensemble::start(&layout, &options()).expect("an ensemble");
    let kills = Kills::under_load(4).asking();
    kills.survive(&mut ensemble).expect("nothing is lost");
}

#[test]
fn epochs_that_run_out_of_zxids_lose_nothing() {
    roll_over(&Layout::voters(Kind::Zooid, 3));
}

/// The Java server has the lowest id, and seldom leads.
#[test]
fn nor_do_they_with_a_java_server_among_them() {
    roll_over(&Layout::voters(Kind::Java, 1).seats_of(Kind::Zooid, Role::Voter, 2));
}

/// Writes through epochs of 100 transactions each, and kills a leader meanwhile.
fn roll_over(layout: &Layout) {
    let options = options().property("zookeeper.testingonly.counterMax", "100");
    let mut ensemble = Ensemble::start(layout, &options).expect("an ensemble");
    let writers = Writers::start(4, &ensemble.addresses()).expect("sessions");
    writers.wait_for_more_acks(500).expect("they serve");
    let leader = ensemble.wait_for_leader().expect("one leads");
    ensemble.kill(leader).expect("it runs");
    writers.wait_for_more_acks(100).expect("the others serve");
    ensemble.launch(leader).expect("it starts");
    writers.wait_for_more_acks(200).expect("they serve");
    let journals = writers.finish().expect("the writers' sessions last");

    // The end of an epoch closes connections, those of this test as well.
    let mut failures = Vec::new();
    let (tree, epoch) = loop {
        match look(&mut ensemble) {
            Ok(found) => break found,
            Err(error) => failures.push(error),
        }
        assert!(failures.len() < 10, "they do not settle: {failures:?}");
    };
    check_journals(&tree, &journals);
    assert!(epoch > 5, "there were no more than {epoch} epochs");
}

/// What the members agree on, and their epoch.
fn look(ensemble: &mut Ensemble) -> Result<(TreeDump, i64)> {
    ensemble.wait_until_serving()?;
    let mut session = ensemble.open_synced(ensemble.leader()?)?;
    wait_for_lost_ephemerals(&mut session)?;
    Ok((ensemble.agreed_tree()?, session.last_zxid().epoch().0))
}

fn options() -> Options {
    Options::default()
        .property(SUPER_DIGEST.0, SUPER_DIGEST.1)
        .property("zookeeper.snapCount", "200")
        .property("zookeeper.preAllocSize", "64")
        .config("tickTime", "500")
}
