//! A loss of power at every operation of a server's life, and several disks found after each.

use crate::disk::{Fault, SimulatedDisk, Survival};
use crate::testing::{Site, apply, content, replica_at};
use crate::{EpochFiles, Epochs, SnapshotOptions, purge};
use std::error::Error;
use std::sync::Arc;
use zooid_proto::{Epoch, Zxid};

/// What a server was told is durable.
#[derive(Clone, Copy, Debug, Default)]
struct Promises {
    /// Recovery must give at least this.
    committed: i64,
    /// And at most this: what was appended, or what is left of it by a truncation.
    possible: i64,
    current: i64,
    accepted: i64,
}

/// A server's life: it logs, snapshots, purges, truncates, joins epochs and restarts. `promises` is
/// kept current at each step, so that it tells the truth wherever the disk stops.
fn live(site: &Site, promises: &mut Promises) -> Result<(), Box<dyn Error>> {
    let mut recovered = site.recover()?;
    let epochs = EpochFiles::new(Arc::clone(&site.disk), &site.dirs);
    epochs.load(recovered.last_zxid)?;
    let replica = &mut recovered.replica;
    let mut log = site.log(recovered.last_zxid);
    for batch in 1..=9 {
        for _ in 0..4 {
            let zxid = log.last_appended().next();
            promises.possible = zxid.0;
            log.append(zxid, &apply(replica, zxid))?;
        }
        log.commit()?;
        promises.committed = log.last_appended().0;
        if batch % 2 == 0 {
            log.roll()?;
            site.snapshot(replica, &SnapshotOptions::default())?;
        }
        if batch % 4 == 0 {
            purge(&*site.disk, &site.dirs, &site.snapshots, 3, &mut |_| {})?;
        }
        epochs.set_accepted(Epoch(batch + 1))?;
        promises.accepted = batch + 1;
        epochs.set_current(Epoch(batch))?;
        promises.current = batch;
    }
    // From here on less than was committed may be found: the leader said so.
    // Two log files go, and a part of a third.
    let target = Zxid(promises.committed - 19);
    promises.committed = target.0;
    log.truncate(target)?;
    promises.possible = target.0;
    let mut recovered = site.recover()?;
    assert_eq!(recovered.last_zxid, target);
    for _ in 0..3 {
        let zxid = log.last_appended().next();
        promises.possible = zxid.0;
        log.append(zxid, &apply(&mut recovered.replica, zxid))?;
        log.commit()?;
        promises.committed = zxid.0;
    }
    Ok(())
}

fn check(site: &Site, promises: Promises, when: &str) {
    let mut recovered = site.recover().unwrap_or_else(|err| panic!("{when}: {err}"));
    let last = recovered.last_zxid;
    assert!(
        last.0 >= promises.committed,
        "{when}: lost {last}, promised {promises:?}"
    );
    assert!(
        last.0 <= promises.possible,
        "{when}: {last} was never there, {promises:?}"
    );
    let expected = content(&mut replica_at(last));
    assert_eq!(content(&mut recovered.replica), expected, "{when}");
    assert_eq!(recovered.replica.digest_mismatches(), 0, "{when}");
    let epochs = EpochFiles::new(Arc::clone(&site.disk), &site.dirs);
    let Epochs { accepted, current } = epochs.load(last).unwrap();
    assert!(
        accepted.0 >= promises.accepted,
        "{when}: a promise was forgotten"
    );
    assert!(current.0 >= promises.current, "{when}: an epoch was left");
    // And life goes on.
    let next = last.next();
    let mut log = site.log(last);
    log.append(next, &apply(&mut recovered.replica, next))
        .unwrap();
    log.commit().unwrap();
}

fn run_until(at: u64, fault: Fault) -> (Site, Promises, bool) {
    let site = Site::new(SimulatedDisk::new(at));
    site.simulated.inject(at, fault);
    let mut promises = Promises::default();
    let finished = live(&site, &mut promises).is_ok();
    (site, promises, finished)
}

#[test]
fn nothing_promised_is_lost_by_a_loss_of_power_at_any_operation() {
    let (calm, promises, finished) = run_until(u64::MAX, Fault::PowerLoss);
    assert!(finished);
    let operations = calm.simulated.operations();
    check(&calm, promises, "without a fault");
    for at in 0..operations {
        let (site, promises, finished) = run_until(at, Fault::PowerLoss);
        assert!(!finished, "operation {at} did not fail");
        let survivals = [Survival::Nothing, Survival::Everything];
        for survival in survivals
            .into_iter()
            .chain((0..6).map(|seed| Survival::Chosen(at * 64 + seed)))
        {
            let survivor = Site::new(site.simulated.survivor(survival));
            check(
                &survivor,
                promises,
                &format!("operation {at}, {survival:?}"),
            );
        }
    }
}

/// Power fails again while what the first loss left is being repaired.
#[test]
fn recovery_may_be_interrupted_too() {
    for at in (0..200).step_by(7) {
        let (site, promises, _) = run_until(at, Fault::PowerLoss);
        for again in 0..12 {
            let found = Site::new(site.simulated.survivor(Survival::Chosen(at)));
            found.simulated.inject(again, Fault::PowerLoss);
            if found.recover().is_ok() {
                break;
            }
            let survivor = Site::new(found.simulated.survivor(Survival::Chosen(again)));
            check(
                &survivor,
                promises,
                &format!("operation {at}, then {again}"),
            );
        }
    }
}

/// A disk that fails once and works on: the log is fenced, and what it promised holds.
#[test]
fn nothing_promised_is_lost_by_a_failing_operation() {
    let (calm, _, _) = run_until(u64::MAX, Fault::Error);
    for at in 0..calm.simulated.operations() {
        let (site, promises, finished) = run_until(at, Fault::Error);
        assert!(!finished, "operation {at} did not fail");
        for survival in [
            Survival::Nothing,
            Survival::Everything,
            Survival::Chosen(at),
        ] {
            let survivor = Site::new(site.simulated.survivor(survival));
            check(
                &survivor,
                promises,
                &format!("operation {at}, {survival:?}"),
            );
        }
    }
}

#[test]
fn a_full_disk_fences_and_loses_nothing() {
    for capacity in (2..60).map(|kib| kib * 1024) {
        let site = Site::new(SimulatedDisk::new(capacity));
        site.simulated.set_capacity(Some(capacity));
        let mut promises = Promises::default();
        let finished = live(&site, &mut promises).is_ok();
        site.simulated.set_capacity(None);
        let survivor = Site::new(site.simulated.survivor(Survival::Chosen(capacity)));
        check(
            &survivor,
            promises,
            &format!("{capacity} bytes, finished {finished}"),
        );
    }
}

#[test]
fn the_simulated_disk_lists_what_the_server_wrote() {
    let (site, _, _) = run_until(u64::MAX, Fault::PowerLoss);
    let names = site.names();
    assert!(names.contains(&"currentEpoch".to_owned()), "{names:?}");
    assert!(site.disk.exists(&site.dirs.snapshots).unwrap());
}
