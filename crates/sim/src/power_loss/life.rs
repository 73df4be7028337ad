//! What a server does with its disk.

use super::expectation::Expectation;
use super::history::History;
use super::place::Place;
use super::transactions;
use crate::random::Random;
use bytes::Bytes;
use std::cell::RefCell;
use std::error::Error;
use zooid_proto::{Epoch, Zxid};
use zooid_storage::{SnapshotError, TxnLog, purge};
use zooid_tree::Replica;

/// Things done in a life.
const DEEDS: usize = 26;
const BATCH_RECORDS_MAX: u64 = 6;
/// Transactions that a leader tells a server to cut off, at most.
const CUT_MAX: u64 = 14;
/// Transactions that a leader's snapshot is ahead, at most.
const AHEAD_MAX: u64 = 9;
/// As few as ZooKeeper allows.
const KEPT_SNAPSHOTS: usize = 3;
/// Of a received snapshot, at a time.
const RECEIVED_BYTES: usize = 300;

pub(super) struct Life<'a> {
    place: &'a Place,
    expectation: &'a mut Expectation,
    dice: Random,
    log: TxnLog,
    replica: RefCell<Replica>,
    history: History,
    epoch: Epoch,
}

type Lived = Result<(), Box<dyn Error>>;

#[derive(Clone, Copy, Debug)]
enum Deed {
    Write,
    Snapshot,
    SnapshotWhileWriting,
    Purge,
    /// A new leader, in whose epoch the server goes on.
    NewEpoch,
    /// A promise to a leader who then fails.
    Promise,
    Cut,
    Receive,
    Restart,
}

impl<'a> Life<'a> {
    pub(super) fn new(
        seed: u64,
        place: &'a Place,
        expectation: &'a mut Expectation,
    ) -> Result<Life<'a>, Box<dyn Error>> {
        let found = place.recover()?;
        let history = History::default();
        expectation.is(&history, Zxid::ZERO);
        Ok(Life {
            log: place.log(Zxid::ZERO),
            replica: RefCell::new(found.replica),
            place,
            expectation,
            dice: Random::stream(seed, "life"),
            history,
            epoch: Epoch(0),
        })
    }

    pub(super) fn live(&mut self) -> Lived {
        use Deed::*;
        let once = [
            Write, Snapshot, NewEpoch, Write, Cut, Write, Receive, Write, Restart, Write,
        ];
        let often = [
            Write,
            Write,
            Write,
            Write,
            Write,
            Snapshot,
            Snapshot,
            SnapshotWhileWriting,
            Purge,
            NewEpoch,
            Promise,
            Cut,
            Receive,
            Restart,
        ];
        for deed in once {
            self.carry_out(deed)?;
        }
        for _ in once.len()..DEEDS {
            let deed = *self.dice.pick(&often);
            self.carry_out(deed)?;
        }
        Ok(())
    }

    fn carry_out(&mut self, deed: Deed) -> Lived {
        match deed {
            Deed::Write => self.write(),
            Deed::Snapshot => self.snapshot(false),
            Deed::SnapshotWhileWriting => self.snapshot(true),
            Deed::Purge => self.purge(),
            Deed::NewEpoch => self.enter_epoch(),
            Deed::Promise => self.promise(Epoch(self.epoch.0 + 1)),
            Deed::Cut => self.cut(),
            Deed::Receive => self.receive(),
            Deed::Restart => self.restart(),
        }
    }

    fn write(&mut self) -> Lived {
        for _ in 0..self.dice.between(1, 3) {
            self.write_batch()?;
        }
        Ok(())
    }

    fn write_batch(&mut self) -> Lived {
        let durable = self.history.last();
        for _ in 0..self.dice.between(1, BATCH_RECORDS_MAX) {
            let (zxid, record) = self.next_transaction();
            self.expectation.is(&self.history, durable);
            self.log.append(zxid, &record)?;
        }
        self.log.commit()?;
        self.expectation.is(&self.history, self.history.last());
        Ok(())
    }

    /// The next of this epoch, applied and in the history.
    fn next_transaction(&mut self) -> (Zxid, Bytes) {
        let last = self.history.last();
        let zxid = if last.epoch() < self.epoch {
            Zxid(self.epoch.0 << 32 | 1)
        } else {
            last.next()
        };
        let mut replica = self.replica.borrow_mut();
        let record = transactions::apply_next(&mut replica, zxid, &mut self.dice);
        self.history.push(zxid, replica.digest(), record.clone());
        (zxid, record)
    }

    fn snapshot(&mut self, while_writing: bool) -> Lived {
        self.log.roll()?;
        let place = self.place;
        let ticket = place.snapshots.ticket();
        let mut walk = self.replica.borrow_mut().begin_walk();
        let mut failed = None;
        let mut read = |visit: &mut dyn FnMut(&Replica)| {
            visit(&self.replica.borrow());
            if while_writing && failed.is_none() {
                failed = self.write_batch().err();
            }
        };
        let written = (place.snapshots).write(ticket, &mut walk, &place.setup.snapshot, &mut read);
        match (failed, written) {
            (Some(err), _) => Err(err),
            (None, Err(err)) => Err(err.into()),
            (None, Ok(_)) => Ok(()),
        }
    }

    fn purge(&mut self) -> Lived {
        let Place {
            disk, snapshots, ..
        } = self.place;
        purge(
            disk,
            self.place.dirs(),
            snapshots,
            KEPT_SNAPSHOTS,
            &mut |_| {},
        )?;
        Ok(())
    }

    fn promise(&mut self, epoch: Epoch) -> Lived {
        self.expectation.promising(epoch);
        self.place.epochs.set_accepted(epoch)?;
        self.expectation.promised(epoch);
        Ok(())
    }

    fn enter_epoch(&mut self) -> Lived {
        let epoch = Epoch(self.epoch.0 + i64::try_from(self.dice.between(1, 2))?);
        self.promise(epoch)?;
        self.expectation.entering(epoch);
        self.place.epochs.set_current(epoch)?;
        self.expectation.entered(epoch);
        self.epoch = epoch;
        Ok(())
    }

    /// A new leader does not have the end of the history.
    fn cut(&mut self) -> Lived {
        let count = usize::try_from(self.dice.between(1, CUT_MAX))?;
        let target = self.history.zxid_before_last(count);
        let has_a_base = self.has_snapshot_within(target)?;
        if !has_a_base || self.history.len() <= count {
            return Ok(());
        }
        self.expectation.is(&self.history, target);
        let cut_at = self.log.truncate(target)?;
        assert_eq!(cut_at, target, "the target is in the log");
        self.history.cut(target);
        self.expectation.is(&self.history, target);
        let found = self.place.recover()?;
        self.expectation.check(&found)?;
        self.replica.replace(found.replica);
        self.enter_epoch()
    }

    /// Whether a cut can be carried out: otherwise the leader's snapshot would be needed.
    fn has_snapshot_within(&self, target: Zxid) -> Result<bool, SnapshotError> {
        let logs = zooid_storage::log_files(&self.place.disk, &self.place.dirs().logs)?;
        let oldest_log = logs.first().map(|log| log.zxid);
        let snapshots = self.place.snapshots.all()?;
        let leads_on = |zxid: Zxid| oldest_log.is_some_and(|log| log <= zxid.next());
        Ok(snapshots
            .iter()
            .any(|file| file.zxid <= target && leads_on(file.zxid)))
    }

    /// A new leader sends a snapshot: of this history, or one that went another way some time ago.
    fn receive(&mut self) -> Lived {
        let (old, old_last) = (self.history.clone(), self.history.last());
        let apart = usize::try_from(self.dice.below(CUT_MAX))?.min(old.len());
        let mut theirs = old.clone();
        theirs.cut(old.zxid_before_last(apart));
        let mut replica = theirs.replay();
        let epoch = self.epoch.0 + 1;
        for counter in 1..=i64::try_from(self.dice.below(AHEAD_MAX))? {
            let zxid = Zxid(epoch << 32 | counter);
            let record = transactions::apply_next(&mut replica, zxid, &mut self.dice);
            theirs.push(zxid, replica.digest(), record);
        }
        self.promise(Epoch(epoch + 1))?;
        let zxid = theirs.last();
        self.expectation.is(&old, zxid.min(old_last));
        self.expectation.or(&theirs, zxid);
        self.install(&mut replica)?;
        self.history = theirs;
        self.replica.replace(replica);
        self.expectation.is(&self.history, zxid);
        self.epoch = Epoch(epoch);
        self.enter_epoch()
    }

    fn install(&mut self, replica: &mut Replica) -> Lived {
        let place = self.place;
        let zxid = replica.last_zxid();
        // Its file is written while it comes.
        let mut draft = place.snapshots.draft(zxid, &place.setup.snapshot)?;
        let mut walk = replica.begin_walk();
        let mut chunk = Vec::new();
        while walk.next_chunk(replica, &mut chunk, RECEIVED_BYTES) {
            draft.body(&std::mem::take(&mut chunk))?;
        }
        draft.body(&chunk)?;
        place.snapshots.overtake();
        let ticket = place.snapshots.ticket();
        (place.snapshots).complete(draft, ticket, replica.digest())?;
        self.log.replace_after(zxid)?;
        Ok(())
    }

    /// The process ends, and the cache outlives it.
    fn restart(&mut self) -> Lived {
        let found = self.place.recover()?;
        self.expectation.check(&found)?;
        self.log = self.place.log(found.end().0);
        self.replica.replace(found.replica);
        Ok(())
    }
}
