//! Ensembles of Zooid and of Debian's ZooKeeper 3.8.0 side by side: the scripts of
//! `byte_comparison.rs` against a leader, a follower and an observer of each, and the same bytes back.

use std::fmt::Write as _;
use zooid_interop::comparison::EnsemblePair;
use zooid_interop::script::Script;
use zooid_interop::{
    Ensemble, Kind, Layout, Mode, Options, Role, SUPER_DIGEST, anyone, random_script,
};
use zooid_proto::{CreateMode, ErrorCode, OpCode};

#[test]
fn leaders_send_the_same_bytes() {
    compare(Mode::Leader, &options(), SCRIPTS, random_seeds(0));
}

#[test]
fn followers_send_the_same_bytes() {
    compare(Mode::Follower, &options(), SCRIPTS, random_seeds(1));
}

#[test]
fn observers_send_the_same_bytes() {
    compare(Mode::Observer, &options(), SCRIPTS, random_seeds(2));
}

#[test]
fn followers_tell_of_what_the_leader_sweeps() {
    let options = options().property("znode.container.checkIntervalMs", "100");
    compare(Mode::Follower, &options, SWEEPING_SCRIPTS, vec![]);
}

/// Clients of one ensemble, each on another member.
#[test]
fn members_agree_in_the_same_bytes() {
    compare(Mode::Follower, &options(), SCRIPTS_FOR_MEMBERS, vec![]);
}

/// ZooKeeper has nothing to compare with here: it stands still, see [`POISON`].
#[test]
fn an_ensemble_goes_on_after_a_reconfig_that_cannot_be_decoded() {
    let kind = Kind::under_test();
    if kind == Kind::Java {
        return;
    }
    let ensemble = Ensemble::start(&layout(kind), &options()).expect("an ensemble");
    for id in ensemble.ids() {
        let mut session = ensemble.open_synced(id).expect("a session");
        let reply = session.call(OpCode::Reconfig, &[0xff; 12]);
        assert_eq!(reply.expect("a reply").err, ErrorCode::MarshallingError);
        let created = session.create(&format!("/{id}"), None, &anyone(), CreateMode::Persistent);
        created.expect("it writes");
    }
}

fn compare(mode: Mode, options: &Options, scripts: &[(&str, &str)], seeds: Vec<u64>) {
    let mut pair = EnsemblePair::start(layout, options).expect("two ensembles");
    let mut differences = String::new();
    let mut run = |name: &str, text: &str| {
        println!("{name}");
        let mut script = Script::parse(text).expect("a script");
        script.steps.retain(|step| !step.text.contains(POISON));
        match pair.difference(mode, &script) {
            Ok(difference) if difference.is_empty() => {}
            Ok(difference) => _ = writeln!(differences, "== {name}\n{difference}"),
            Err(error) => _ = writeln!(differences, "== {name} does not run to its end: {error:#}"),
        }
    };
    for (name, text) in scripts {
        run(name, text);
    }
    for seed in seeds {
        run(&format!("seed {seed}"), &random_script(seed, RANDOM_STEPS));
    }
    assert!(differences.is_empty(), "\n{differences}");
}

/// `INTEROP_SEEDS=1000` runs more. Each role has seeds of its own, above those of single servers.
fn random_seeds(role: u64) -> Vec<u64> {
    let seeds = std::env::var("INTEROP_SEEDS").ok();
    let count = seeds.and_then(|count| count.parse().ok()).unwrap_or(10);
    let first = (role + 1) * 1_000_000;
    (first..first + count).collect()
}

fn layout(kind: Kind) -> Layout {
    Layout::voters(kind, 2).seats_of(kind, Role::Observer, 1)
}

/// The server sweeps nothing while a script runs.
fn options() -> Options {
    Options::default()
        .property(SUPER_DIGEST.0, SUPER_DIGEST.1)
        .property("zookeeper.forceSync", "no")
        .property("zookeeper.enforceQuota", "true")
        .property("zookeeper.extendedTypesEnabled", "true")
        .property("znode.container.checkIntervalMs", "3600000")
}

macro_rules! scripts {
    ($($name:literal),+ $(,)?) => {
        &[$(($name, include_str!(concat!("data/", $name, ".script")))),+]
    };
}

const SCRIPTS: &[(&str, &str)] = scripts![
    "sessions",
    "create",
    "writes",
    "reads",
    "malformed",
    "null_paths",
    "multi",
    "watches",
    "watch_modes",
    "set_watches",
    "ephemerals",
    "acls",
    "acl_events",
    "quotas",
    "ttl",
];
const SCRIPTS_FOR_MEMBERS: &[(&str, &str)] = scripts!["members"];
const SWEEPING_SCRIPTS: &[(&str, &str)] = scripts!["containers"];
/// Not answered by an ensemble of ZooKeeper 3.8.0, which then commits nothing any more: the leader
/// proposes an error under a zxid that it has given before.
const POISON: &str = "reconfig null null null -1 cut=1";
const RANDOM_STEPS: usize = 60;
