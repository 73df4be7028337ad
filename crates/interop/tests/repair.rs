//! `zooid repair`: a member whose disk lost something refuses to start, gets its data from the others,
//! Zooid's or ZooKeeper's, and is one of them again. Without a leader among the others it keeps what it has.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::{Duration, Instant};
use zooid_interop::{Ensemble, Kind, Layout, Options, SUPER_DIGEST, Session, anyone, zooid_binary};
use zooid_proto::{CreateMode, ServerId};

const PATIENCE: Duration = Duration::from_secs(30);
/// Nodes written before the damage.
const NODES: usize = 40;

/// The others elect one of their own while it is down.
const DAMAGED: ServerId = ServerId(1);

fn start(kinds: &[Kind]) -> Ensemble {
    let options = Options::default()
        .property(SUPER_DIGEST.0, SUPER_DIGEST.1)
        .config("tickTime", "500")
        .property("zookeeper.preAllocSize", "64");
    let mut ensemble = Ensemble::start(&Layout::mixed(kinds), &options).expect("an ensemble");
    write(&ensemble, "before", NODES);
    // Not killed: its last record could be one whose sync had not returned, and whose loss is no damage.
    ensemble.stop(DAMAGED).expect("it runs");
    ensemble.wait_for_leader().expect("the others have one");
    ensemble
}

fn write(ensemble: &Ensemble, name: &str, count: usize) {
    let leader = ensemble.leader().expect("one leads");
    let mut session = Session::open_as_super(ensemble.server(leader)).expect("a session");
    for number in 0..count {
        let path = format!("/{name}-{number}");
        let created = session.create(&path, Some(b"x"), &anyone(), CreateMode::Persistent);
        created.expect("created");
    }
}

/// Wipes the end of the newest log, which was acknowledged.
fn damage(ensemble: &Ensemble) {
    let directory = version_2(ensemble);
    let logs = fs::read_dir(&directory).expect("a directory");
    let logs = logs.map(|entry| entry.expect("a file").path());
    let is_log = |path: &PathBuf| {
        let name = path.file_name().and_then(|name| name.to_str());
        name.is_some_and(|name| name.starts_with("log."))
    };
    let newest = logs.filter(is_log).max_by_key(|path| {
        let zxid = path.extension().and_then(|zxid| zxid.to_str());
        zxid.and_then(|zxid| u64::from_str_radix(zxid, 16).ok())
    });
    let newest = newest.expect("a log");
    let mut bytes = fs::read(&newest).expect("a log");
    let end = bytes.iter().rposition(|byte| *byte != 0).expect("a record") + 1;
    bytes[end - 40..end].fill(0);
    fs::write(&newest, bytes).expect("written");
}

fn data_dir(ensemble: &Ensemble) -> PathBuf {
    ensemble.server(DAMAGED).data_dir()
}

fn version_2(ensemble: &Ensemble) -> PathBuf {
    data_dir(ensemble).join("version-2")
}

fn names(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).expect("a directory");
    let names = entries.map(|entry| entry.expect("an entry").file_name());
    let mut names: Vec<String> = names
        .map(|name| name.to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

/// A command of the binary that is ended if it does not end by itself.
fn zooid(command: &str) -> Command {
    let mut bounded = Command::new("timeout");
    bounded.arg(PATIENCE.as_secs().to_string());
    bounded.arg(zooid_binary().expect("a binary")).arg(command);
    bounded
}

fn repair(ensemble: &Ensemble, options: &[&str]) -> (Output, String) {
    let config = data_dir(ensemble).with_file_name("zoo.cfg");
    let mut command = zooid("repair");
    command.args(options).arg(config);
    let output = command.output().expect("it runs");
    let mut said = String::from_utf8_lossy(&output.stdout).into_owned();
    said.push_str(&String::from_utf8_lossy(&output.stderr));
    println!("{said}");
    (output, said)
}

/// Starts the damaged member, which is to end by itself.
fn assert_refuses_to_start(ensemble: &mut Ensemble) {
    let config = data_dir(ensemble).with_file_name("zoo.cfg");
    let output = zooid("serve").arg(config).output().expect("it runs");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success(), "{said}");
    assert!(said.contains("zooid repair"), "{said}");
}

fn rebuild(kinds: &[Kind]) -> Ensemble {
    let mut ensemble = start(kinds);
    write(&ensemble, "while-down", 3);
    damage(&ensemble);
    assert_refuses_to_start(&mut ensemble);
    let before = names(&version_2(&ensemble));

    let (output, said) = repair(&ensemble, &["--dry-run"]);
    assert!(output.status.success(), "{said}");
    assert!(said.contains("was durable up to"), "{said}");
    assert_eq!(names(&version_2(&ensemble)), before);

    let (output, said) = repair(&ensemble, &["--yes", "--json"]);
    assert!(output.status.success(), "{said}");
    let told: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(told["outcome"]["result"], "repaired", "{said}");
    let kept = told["outcome"]["kept"][0].as_str().expect("a path");
    assert_eq!(names(Path::new(kept)), before, "nothing is thrown away");

    ensemble.launch(DAMAGED).expect("it starts");
    ensemble.wait_until_serving().expect("all serve");
    write(&ensemble, "after", 3);
    wait_for(&ensemble, "/after-2");
    let tree = ensemble.agreed_tree().expect("all have the same");
    for name in ["/before-0", "/before-39", "/while-down-2", "/after-2"] {
        assert!(format!("{tree:?}").contains(name), "{name} is missing");
    }
    let (output, said) = repair_again(&mut ensemble);
    assert!(output.status.success(), "{said}");
    assert!(said.contains("Nothing to repair"), "{said}");
    ensemble
}

fn repair_again(ensemble: &mut Ensemble) -> (Output, String) {
    ensemble.kill(DAMAGED).expect("it runs");
    repair(ensemble, &["--yes"])
}

fn wait_for(ensemble: &Ensemble, path: &str) {
    let started = Instant::now();
    let mut session = Session::open_as_super(ensemble.server(DAMAGED)).expect("a session");
    session.sync("/").expect("an answer");
    while session.exists(path, false).expect("an answer").is_none() {
        assert!(started.elapsed() < PATIENCE, "{path} does not come");
    }
}

#[test]
fn a_damaged_member_is_rebuilt_from_zooid() {
    let mut ensemble = rebuild(&[Kind::Zooid, Kind::Zooid, Kind::Zooid]);
    // As if a repair had stopped in the middle.
    fs::write(data_dir(&ensemble).join("zooid.repairing"), "").expect("written");
    fs::remove_dir_all(version_2(&ensemble)).expect("removed");
    assert_refuses_to_start(&mut ensemble);
    let (output, said) = repair(&ensemble, &["--yes"]);
    assert!(output.status.success(), "{said}");
    ensemble.launch(DAMAGED).expect("it starts");
    ensemble.wait_until_serving().expect("all serve");
    ensemble.agreed_tree().expect("all have the same");
}

#[test]
fn a_damaged_member_is_rebuilt_from_zookeeper() {
    rebuild(&[Kind::Zooid, Kind::Java, Kind::Java]);
}

#[test]
fn without_a_quorum_of_the_others_nothing_is_changed() {
    let mut ensemble = start(&[Kind::Zooid, Kind::Zooid, Kind::Zooid]);
    damage(&ensemble);
    ensemble.kill(ServerId(2)).expect("it runs");
    let before = names(&data_dir(&ensemble));
    let (output, said) = repair(&ensemble, &["--yes"]);
    assert!(!output.status.success(), "{said}");
    assert!(said.contains("no quorum without this one"), "{said}");
    assert_eq!(names(&data_dir(&ensemble)), before);
    assert_refuses_to_start(&mut ensemble);
}

/// Both are there, but one is another member that is damaged: only a vote of this one could make a leader.
#[test]
fn a_member_without_data_does_not_make_a_leader() {
    let mut ensemble = start(&[Kind::Zooid, Kind::Zooid, Kind::Zooid]);
    damage(&ensemble);
    // Reachable and no help: what is stopped still takes connections.
    ensemble.pause(ServerId(2)).expect("it runs");
    ensemble
        .wait_until_not_serving()
        .expect("no leader has a quorum");
    let before = names(&version_2(&ensemble));
    let (output, said) = repair(&ensemble, &["--yes", "--timeout", "5"]);
    assert!(!output.status.success(), "{said}");
    assert!(said.contains("no leader has brought"), "{said}");
    assert_eq!(names(&version_2(&ensemble)), before);
    ensemble.resume(ServerId(2)).expect("it is there");
}
