//! A loss of power at every operation of a server's disk, and many disks found after each.
//!
//! A `Life` does with the disk whatever a server does with it: it logs in batches, begins new log
//! files, writes snapshots, purges, is told by a leader to cut its history or to take another one,
//! promises and enters epochs, and starts again. Everything follows from a seed. While it lives, it
//! keeps an `Expectation`: what must be found should the power go now, and what may be.
//!
//! A *crash point* is one operation at which the power goes together with one of the disks that may
//! be found then ([`Survival`]). At each, recovery must succeed (a crash alone is no reason to refuse)
//! and give what was expected. Of every few the checks go further: recovery is itself interrupted, what it
//! found must be durable, and the server must be able to go on.

mod expectation;
mod history;
mod life;
mod place;
mod transactions;

use crate::run::of_panic;
use expectation::Expectation;
use life::Life;
use place::{Found, Place};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use zooid_storage::disk::{Fault, SimulatedDisk, Survival};

/// Of so many crash points, one is looked at more closely.
const CLOSELY_INTERVAL: u64 = 8;
/// Operations of a recovery within which the power goes once more.
const RECOVERY_OPERATIONS_MAX: u64 = 16;

/// A life, and how many disks are found after each of its crashes.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// From which everything follows.
    pub seed: u64,
    /// Disks found by chance, beside the one that kept nothing and the one that kept everything.
    pub survivors: u64,
}

/// What was looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Of the disk, in a life without a crash.
    pub operations: u64,
    /// Disks that were found and recovered.
    pub crash_points: u64,
    /// Recoveries that were interrupted and begun again, beside those.
    pub interrupted: u64,
    /// Disks whose newest log had a torn end.
    pub torn: u64,
}

/// A disk found after a crash, file by file.
#[derive(Clone, Debug)]
pub struct Image {
    /// Which crash point it is.
    pub name: String,
    /// As it is found: below the directory that is `dataDir` and `dataLogDir` in one; with the content.
    pub files: Vec<(PathBuf, Vec<u8>)>,
    /// The same after Zooid's recovery.
    pub recovered: Vec<(PathBuf, Vec<u8>)>,
    /// Where its history ends then.
    pub last_zxid: i64,
    /// Of the tree there.
    pub digest: i64,
}

/// Lets a life end at each of its operations.
///
/// # Errors
/// At which crash point something else was found than expected, and what.
pub fn sweep(options: Options) -> Result<Report, String> {
    let mut report = Report::default();
    visit(options, &mut |crash| {
        report.crash_points += 1;
        let found = crash.recover()?;
        crash.expectation.check(&found)?;
        report.torn += u64::from(found.has_torn_tail);
        if report.crash_points.is_multiple_of(CLOSELY_INTERVAL) {
            crash.interrupt_recovery()?;
            crash.go_on(found)?;
            report.interrupted += 1;
        }
        Ok(())
    })?;
    report.operations = operations(options.seed)?;
    Ok(report)
}

/// Some of the disks that Zooid accepts, spread over a life.
///
/// # Errors
/// As [`sweep`].
pub fn images(options: Options, interval: u64) -> Result<Vec<Image>, String> {
    let mut images = Vec::new();
    let mut count = 0;
    visit(options, &mut |crash| {
        count += 1;
        if count % interval == 0 {
            images.push(crash.image()?);
        }
        Ok(())
    })?;
    Ok(images)
}

/// One crash point: the disk that is found, and what is expected of it.
struct Crash<'a> {
    name: String,
    place: Place,
    expectation: &'a Expectation,
    /// Of what is chosen later.
    dice: u64,
}

fn visit(
    options: Options,
    look: &mut dyn FnMut(&Crash<'_>) -> Result<(), String>,
) -> Result<(), String> {
    let count = operations(options.seed)?;
    for at in 0..count {
        let (place, expectation) = live_until(options.seed, at);
        let by_chance = (0..options.survivors).map(|i| Survival::Chosen(at << 16 | i));
        let extremes = [Survival::Nothing, Survival::Everything];
        for (survival, dice) in extremes.into_iter().chain(by_chance).zip(at..) {
            let crash = Crash {
                name: format!("seed {}, operation {at}, {survival:?}", options.seed),
                place: place.survivor(survival),
                expectation: &expectation,
                dice,
            };
            look(&crash).map_err(|what| format!("{}: {what}", crash.name))?;
        }
    }
    Ok(())
}

/// How many operations the whole life has, which must end well.
fn operations(seed: u64) -> Result<u64, String> {
    let (place, expectation) = live_until(seed, u64::MAX);
    let count = place.disk.operations();
    let found = place.recover()?;
    expectation.check(&found)?;
    Ok(count)
}

fn live_until(seed: u64, at: u64) -> (Place, Expectation) {
    let place = Place::new(seed, SimulatedDisk::new(seed));
    place.disk.inject(at, Fault::PowerLoss);
    let mut expectation = Expectation::default();
    // It ends when the power does.
    let lived = Life::new(seed, &place, &mut expectation).and_then(|mut life| life.live());
    assert!(
        lived.is_ok() == (at == u64::MAX),
        "seed {seed} until {at}: {lived:?}"
    );
    (place, expectation)
}

impl Crash<'_> {
    fn recover(&self) -> Result<Found, String> {
        let recovered = catch_unwind(AssertUnwindSafe(|| self.place.recover()));
        recovered.unwrap_or_else(|panic| Err(of_panic(self.dice, &*panic).what))
    }

    /// Power fails again while what the first loss left is being repaired.
    fn interrupt_recovery(&self) -> Result<(), String> {
        let place = self.place.survivor(Survival::Everything);
        let at = self.dice % RECOVERY_OPERATIONS_MAX;
        place.disk.inject(at, Fault::PowerLoss);
        if place.recover().is_ok() {
            return Ok(());
        }
        let survivor = place.survivor(Survival::Chosen(self.dice));
        let found = survivor.recover();
        found
            .and_then(|found| self.expectation.check(&found))
            .map_err(|what| format!("after a second loss at operation {at}: {what}"))
    }

    /// What was found is durable, and the server goes on from it.
    fn go_on(&self, found: Found) -> Result<(), String> {
        let kept = self.place.survivor(Survival::Nothing).recover()?;
        if kept.end() != found.end() {
            let what = format!("{:?} was recovered and then {:?}", found.end(), kept.end());
            return Err(what);
        }
        let next = self.place.append_one(found)?;
        let kept = self.place.survivor(Survival::Nothing).recover()?;
        if kept.end() != next {
            return Err(format!(
                "{next:?} was logged and then {:?} found",
                kept.end()
            ));
        }
        Ok(())
    }

    fn image(&self) -> Result<Image, String> {
        let copy = self.place.survivor(Survival::Everything);
        let found = copy.recover()?;
        let (last_zxid, digest) = found.end();
        Ok(Image {
            name: self.name.clone(),
            files: self.place.files(),
            recovered: copy.files(),
            last_zxid: last_zxid.0,
            digest,
        })
    }
}
