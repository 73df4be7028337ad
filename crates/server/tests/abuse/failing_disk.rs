//! Writes and syncs that fail: the server says why, stops, and has lost nothing.

use crate::bystander::{Acknowledged, Bystander};
use crate::preload;
use crate::zooid::{Ended, Setup, Zooid};
use std::path::Path;

/// Room that is used up soon, but not at once.
const SMALL_BYTES: u64 = 3 << 20;
const VALUE_BYTES: usize = 20_000;
/// More than fits.
const WRITES_MAX: usize = 1000;

/// Writes until the server is gone.
fn write_until_the_end(zooid: Zooid) -> (Acknowledged, Ended) {
    let mut bystander = Bystander::arrive(&zooid);
    let mut writes = 0;
    while bystander.write_value(vec![b'v'; VALUE_BYTES]).is_ok() {
        writes += 1;
        assert!(
            writes < WRITES_MAX,
            "the disk never fails:\n{}",
            zooid.log()
        );
    }
    (bystander.leave(), zooid.wait())
}

#[test]
fn limit_on_file_sizes_stops_the_server_and_loses_nothing() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let setup = Setup::on(directory.path()).property("zookeeper.preAllocSize", &64);
    // Without the trap the limit would be a deadly signal instead of an error.
    let blocks = SMALL_BYTES / 512;
    let limited = format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$@\"");
    let (acknowledged, ended) = write_until_the_end(setup.clone().wrapper(&limited).start());
    ended.assert_exit_code(1);
    ended.assert_says("the transaction log cannot be written");
    ended.assert_says("File too large");
    assert!(acknowledged.len() > 10);

    let zooid = setup.start();
    acknowledged.assert_on(&zooid);
    Bystander::arrive_again(&zooid).assert_unharmed();
}

fn failing_sync_stops_the_server(directory: &Path, fail_at: usize) {
    let library = preload::build(directory, "failing_sync");
    let setup = Setup::on(&directory.join(format!("fails-at-{fail_at}")));
    // Recovery and the first snapshot sync, too; only the log's syncs are counted.
    let failing = (setup.clone())
        .environment("LD_PRELOAD", &library.display())
        .environment("FAILING_SYNC_OF", &"/log.")
        .environment("FAILING_SYNC_AT", &fail_at);
    let (acknowledged, ended) = write_until_the_end(failing.start());
    ended.assert_exit_code(1);
    ended.assert_says("the transaction log cannot be written");
    ended.assert_says("Input/output error");
    // Every sync but that one succeeds: a server that tried again would have gone on.
    assert!(acknowledged.len() < fail_at, "{fail_at}");

    let zooid = setup.start();
    acknowledged.assert_on(&zooid);
    Bystander::arrive_again(&zooid).assert_unharmed();
}

#[test]
fn one_failed_sync_stops_the_server_and_loses_nothing() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    // The session and the first node take a sync each.
    for fail_at in [3, 4, 17] {
        failing_sync_stops_the_server(directory.path(), fail_at);
    }
}

#[test]
fn snapshot_that_cannot_be_written_leaves_the_server_serving() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let logs = directory.path().join("logs");
    let setup = Setup::on(directory.path())
        .config("dataLogDir", &logs.display())
        .property("zookeeper.snapCount", &20);
    let library = preload::build(directory.path(), "failing_sync");
    let first = setup.start();
    first.stop();
    let failing = (setup.clone())
        .environment("LD_PRELOAD", &library.display())
        .environment("FAILING_SYNC_OF", &".snapshot.")
        .environment("FAILING_SYNC_AT", &1);
    let zooid = failing.start();
    let mut bystander = Bystander::arrive(&zooid);
    while !zooid.log().contains("no snapshot could be written") {
        bystander.write();
    }
    for _ in 0..50 {
        bystander.write();
    }
    bystander.assert_unharmed();
    zooid.kill();
    bystander.leave().assert_on(&setup.start());
}
