use super::*;
use zooid_config::Config;

fn cadence(snap_count: u32, snap_size: Option<u64>, seed: i64) -> SnapshotCadence {
    let storage = StorageOptions {
        snap_count,
        snap_size_bytes_max: snap_size,
        ..Config::default().storage
    };
    SnapshotCadence::new(&storage, 0, seed)
}

#[test]
fn a_snapshot_is_due_between_half_and_all_of_the_count() {
    for seed in 0..200 {
        let mut cadence = cadence(100, None, seed);
        assert!(!cadence.is_due(50, 0));
        assert!(cadence.is_due(50, 0), "seed {seed}");
        assert!(!cadence.is_due(1, 0), "the count starts anew");
    }
}

#[test]
fn a_large_log_makes_one_due_as_well() {
    let mut cadence = cadence(1_000_000, Some(1000), 7);
    assert!(!cadence.is_due(1, 500));
    assert!(cadence.is_due(1, 1001));
}

#[test]
fn replayed_transactions_count() {
    let storage = StorageOptions {
        snap_count: 10,
        ..Config::default().storage
    };
    assert!(SnapshotCadence::new(&storage, 100, 0).is_due(0, 0));
}
