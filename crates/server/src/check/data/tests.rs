use super::check;
use crate::check::{Group, Level, Report};
use std::fs;
use std::path::Path;
use tempfile::TempDir;
use zooid_config::{Config, parse_zoo_cfg};

fn config(place: &Path) -> Config {
    let text = format!("dataDir={}\nclientPort=2181\n", place.display());
    parse_zoo_cfg(text.as_bytes())
        .expect("a configuration")
        .config
}

fn level(group: &Group) -> u8 {
    let groups = vec![group.clone()];
    Report { groups }.exit_code()
}

fn text(group: &Group, level: Level) -> String {
    let findings = group.findings.iter().filter(|found| found.level == level);
    findings.map(|found| found.text.clone()).collect()
}

#[test]
fn an_empty_directory_is_said_to_be_empty_and_stays_empty() {
    let place = TempDir::new().expect("a place");
    let group = check(&config(place.path()));
    assert_eq!(level(&group), 0);
    assert!(
        text(&group, Level::Note).contains("empty database"),
        "{group:?}"
    );
    let left = fs::read_dir(place.path()).expect("it is there").count();
    assert_eq!(left, 0);
}

#[test]
fn logs_without_a_snapshot_are_a_fault_with_its_repair() {
    let place = TempDir::new().expect("a place");
    let version_2 = place.path().join("version-2");
    fs::create_dir(&version_2).expect("a directory");
    fs::write(version_2.join("log.1"), b"not a log at all").expect("a file");
    let group = check(&config(place.path()));
    assert_eq!(level(&group), 2, "{group:?}");
    assert!(text(&group, Level::Fault).contains("log.1"), "{group:?}");
}

/// A directory that ZooKeeper left, with its newest snapshot changed.
fn spoiled(change: fn(&mut Vec<u8>)) -> (TempDir, Group) {
    let place = TempDir::new().expect("a place");
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("../storage/tests/golden/plain");
    let version_2 = place.path().join("version-2");
    fs::create_dir(&version_2).expect("a directory");
    for name in ["log.1", "log.31", "snapshot.0", "snapshot.30"] {
        let from = golden.join("version-2").join(name);
        fs::copy(from, version_2.join(name)).expect("a file");
    }
    let newest = version_2.join("snapshot.30");
    let mut bytes = fs::read(&newest).expect("a snapshot");
    change(&mut bytes);
    fs::write(&newest, bytes).expect("written");
    let group = check(&config(place.path()));
    (place, group)
}

#[test]
fn a_snapshot_that_zookeeper_was_stopped_in_is_no_reason_to_wait() {
    let (_place, group) = spoiled(|bytes| bytes.truncate(bytes.len() / 2));
    assert_eq!(level(&group), 0, "{group:?}");
    let note = text(&group, Level::Note);
    assert!(note.contains("snapshot.30 is incomplete"), "{note}");
}

#[test]
fn a_damaged_snapshot_is_worth_a_warning() {
    let (_place, group) = spoiled(|bytes| {
        let middle = bytes.len() / 2;
        bytes[middle] ^= 0x40;
    });
    assert_eq!(level(&group), 1, "{group:?}");
    let warning = text(&group, Level::Warning);
    assert!(warning.contains("snapshot.30"), "{warning}");
}
