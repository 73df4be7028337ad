//! Nothing acknowledged is lost in an ensemble of Zooid and Debian's ZooKeeper 3.8.0 whose members are
//! killed with SIGKILL while clients write, the leader among them, and in the end all of them at once.
//!
//! What ZooKeeper's members say meanwhile is not looked at. A follower of 3.8.0 whose leader dies under
//! load stops its log thread with a NullPointerException (ZOOKEEPER-4409), then reports a zxid that its log
//! has gone past, is sent the same transactions again and logs them twice. When it reads them back it finds
//! wrong digests; what it has in the end is right. Ensembles of ZooKeeper alone do the same.
//!
//! `INTEROP_KILLS=20` kills longer.

use zooid_interop::Kind::{Java, Zooid};
use zooid_interop::{Ensemble, Kills, Layout, Options, Role, SUPER_DIGEST};

#[test]
fn one_zooid_among_java_loses_nothing() {
    kill_and_check(&Layout::mixed(&[Java, Zooid, Java]), 6);
}

#[test]
fn one_java_among_zooid_loses_nothing() {
    kill_and_check(&Layout::mixed(&[Zooid, Java, Zooid]), 6);
}

#[test]
fn five_voters_and_observers_of_either_kind_lose_nothing() {
    let voters = Layout::mixed(&[Zooid, Java, Zooid, Java, Zooid]);
    let layout = voters
        .seats_of(Java, Role::Observer, 1)
        .seats_of(Zooid, Role::Observer, 1);
    kill_and_check(&layout, 5);
}

fn kill_and_check(layout: &Layout, kills: u64) {
    let mut ensemble = Ensemble::start(layout, &options()).expect("an ensemble");
    Kills::under_load(kills)
        .survive(&mut ensemble)
        .expect("nothing is lost");
    ensemble.check_logs_of(Zooid).expect("they are content");
}

fn options() -> Options {
    Options::default()
        .property(SUPER_DIGEST.0, SUPER_DIGEST.1)
        .property("zookeeper.snapCount", "200")
        .property("zookeeper.preAllocSize", "64")
        .config("tickTime", "500")
}
