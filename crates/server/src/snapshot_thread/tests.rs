use super::*;
use zooid_config::{StorageOptions, parse_zoo_cfg};

fn config(snap_count: u32, snap_size: Option<u64>) -> Config {
    let default = Config::default();
    Config {
        storage: StorageOptions {
            snap_count,
            snap_size_bytes_max: snap_size,
            ..default.storage
        },
        ..default
    }
}

fn cadence(snap_count: u32, snap_size: Option<u64>, seed: i64) -> SnapshotCadence {
    SnapshotCadence::new(&config(snap_count, snap_size), 0, seed)
}

fn few() -> usize {
    5
}

#[test]
fn a_snapshot_is_due_between_half_and_all_of_the_count() {
    for seed in 0..200 {
        let mut cadence = cadence(100, None, seed);
        assert!(!cadence.is_due(50, 0, few));
        assert!(cadence.is_due(50, 0, few), "seed {seed}");
        assert!(!cadence.is_due(1, 0, few), "the count starts anew");
    }
}

#[test]
fn a_large_log_makes_one_due_as_well() {
    let mut cadence = cadence(1_000_000, Some(1000), 7);
    assert!(!cadence.is_due(1, 500, few));
    assert!(cadence.is_due(1, 1001, || 1_000_000_000));
}

#[test]
fn replayed_transactions_count() {
    assert!(SnapshotCadence::new(&config(10, None), 100, 0).is_due(0, 0, few));
}

#[test]
fn a_large_tree_takes_as_many_transactions_as_it_has_nodes() {
    let mut cadence = cadence(100, None, 3);
    assert!(!cadence.is_due(5000, 0, || 5000));
    assert!(cadence.is_due(1, 0, || 5000));
    assert!(!cadence.is_due(5000, 0, || 5000), "each time");
    // It has grown since it was looked at.
    assert!(!cadence.is_due(1000, 0, || 10_000));
    // And shrunk.
    assert!(!cadence.is_due(4000, 0, || 2000));
    assert!(cadence.is_due(1, 0, || 2000));
}

#[test]
fn an_operators_count_is_kept_however_large_the_tree() {
    let text = b"dataDir=/tmp\nclientPort=1\nsnapCount=100\n";
    let config = parse_zoo_cfg(text).unwrap().config;
    let mut cadence = SnapshotCadence::new(&config, 0, 3);
    assert!(cadence.is_due(101, 0, || panic!("of no interest")));
}
