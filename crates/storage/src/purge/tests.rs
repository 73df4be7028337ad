use super::{PurgeError, purge};
use crate::SnapshotOptions;
use crate::disk::{Fault, Survival};
use crate::testing::{Site, apply, content, replica_at, site};
use zooid_proto::Zxid;

/// Transactions 1 to 20, a log file every four, a snapshot every five.
fn history() -> Site {
    let site = site();
    let mut replica = site.recover().unwrap().replica;
    let mut log = site.log(Zxid::ZERO);
    for zxid in (1..=20).map(Zxid) {
        log.append(zxid, &apply(&mut replica, zxid)).unwrap();
        log.commit().unwrap();
        if zxid.0 % 4 == 0 {
            log.roll().unwrap();
        }
        if zxid.0 % 5 == 0 {
            site.snapshot(&mut replica, &SnapshotOptions::default())
                .unwrap();
        }
    }
    site
}

fn run(site: &Site, keep: usize) -> Result<Vec<String>, PurgeError> {
    let mut removed = Vec::new();
    purge(
        &*site.disk,
        &site.dirs,
        &site.snapshots,
        keep,
        &mut |file| {
            removed.push(file.path.file_name().unwrap().to_str().unwrap().to_owned());
        },
    )?;
    Ok(removed)
}

#[test]
fn what_the_oldest_kept_snapshot_needs_stays() {
    let site = history();
    // Kept: 20, 15, 10. Transactions after 10 begin in log.9.
    assert_eq!(
        run(&site, 3).unwrap(),
        ["log.1", "log.5", "snapshot.5", "snapshot.0"]
    );
    assert_eq!(run(&site, 3).unwrap(), Vec::<String>::new());
    for name in ["snapshot.14", "snapshot.f"] {
        site.disk.remove(&site.dirs.snapshots.join(name)).unwrap();
    }
    let mut recovered = site.recover().unwrap();
    assert_eq!(
        content(&mut recovered.replica),
        content(&mut replica_at(Zxid(20)))
    );
}

#[test]
fn invalid_snapshots_do_not_count() {
    let site = history();
    for name in ["snapshot.14", "snapshot.f"] {
        site.put(&site.dirs.snapshots.join(name), b"half a snapshot");
    }
    assert_eq!(run(&site, 3).unwrap(), Vec::<String>::new());
}

#[test]
fn fewer_than_three_are_refused_in_javas_words() {
    let refused = run(&site(), 2).unwrap_err().to_string();
    assert_eq!(refused, "count should be greater than or equal to 3");
}

#[test]
fn every_crash_while_purging_leaves_everything_recoverable() {
    let calm = history();
    let start = calm.simulated.operations();
    run(&calm, 3).unwrap();
    for at in start..calm.simulated.operations() {
        let site = history();
        site.simulated.inject(at, Fault::PowerLoss);
        run(&site, 3).unwrap_err();
        for seed in 0..8 {
            let survivor = Site::new(site.simulated.survivor(Survival::Chosen(seed)));
            let mut recovered = survivor.recover().unwrap();
            let expected = content(&mut replica_at(Zxid(20)));
            assert_eq!(content(&mut recovered.replica), expected, "{at} {seed}");
        }
    }
}
