//! What each member has: in the order in which its node wanted it logged, on its disk, in its tree.

use crate::cluster::fact::Fact;
use crate::cluster::schedule::MemberId;
use std::collections::VecDeque;
use zooid_proto::{Epoch, Zxid};
use zooid_tree::Replica;
use zooid_zab::Epochs;

#[derive(Debug)]
pub(crate) struct Ledger {
    books: Vec<Book>,
    pub(crate) truncations: u64,
    pub(crate) installations: u64,
}

/// Histories are of transactions only; an epoch's first zxid is none.
#[derive(Clone, Debug)]
pub(crate) struct Book {
    /// What the log will hold when it has done everything asked for.
    pub(crate) appended: Vec<Zxid>,
    /// On the disk, whatever happens.
    pub(crate) durable: Vec<Zxid>,
    /// In the tree.
    pub(crate) applied: Vec<Zxid>,
    /// As the files say.
    pub(crate) epochs: Epochs,
    /// As a part of the ensemble.
    pub(crate) serves: bool,
    /// For want of a leader, and whatever its log holds.
    pub(crate) reads_only: bool,
    pub(crate) lives: u64,
    /// What is behind this may be gone from the disk: a truncation is under way, or an installation.
    pub(crate) truncating: Option<Zxid>,
    /// Up to where the tree was when it was loaded: it may hold all of an epoch's initial history and
    /// nothing of that epoch.
    pub(crate) loaded: Zxid,
    /// Appended and not yet durable.
    queue: VecDeque<Zxid>,
}

impl Ledger {
    pub(crate) fn new(members: usize) -> Ledger {
        let book = Book {
            appended: Vec::new(),
            durable: Vec::new(),
            applied: Vec::new(),
            epochs: Epochs {
                accepted: Epoch(0),
                current: Epoch(0),
            },
            serves: false,
            reads_only: false,
            lives: 0,
            truncating: None,
            loaded: Zxid::ZERO,
            queue: VecDeque::new(),
        };
        Ledger {
            books: vec![book; members],
            truncations: 0,
            installations: 0,
        }
    }

    pub(crate) fn book(&self, member: MemberId) -> &Book {
        &self.books[member]
    }

    /// The history that a member's tree is of.
    pub(crate) fn applied(&self, member: MemberId) -> &[Zxid] {
        &self.books[member].applied
    }

    pub(crate) fn observe(&mut self, fact: &Fact<'_>) {
        match fact {
            Fact::Started {
                member,
                history,
                epochs,
                replica,
            } => {
                let book = &mut self.books[*member];
                book.hold(history, replica);
                book.queue.clear();
                book.epochs = *epochs;
                book.lives += 1;
            }
            Fact::Died { member, .. } => {
                let book = &mut self.books[*member];
                book.serves = false;
                book.reads_only = false;
            }
            Fact::Appended { member, zxid, .. } => {
                let book = &mut self.books[*member];
                book.appended.push(*zxid);
                book.queue.push_back(*zxid);
            }
            Fact::Durable { member, upto } => {
                let book = &mut self.books[*member];
                while let Some(zxid) = book.queue.pop_front_if(|zxid| *zxid <= *upto) {
                    book.durable.push(zxid);
                }
            }
            Fact::Truncating { member, target } => {
                let book = &mut self.books[*member];
                book.appended.retain(|zxid| zxid <= target);
                book.truncating = Some(*target);
            }
            Fact::Uncut { member } => {
                let book = &mut self.books[*member];
                book.appended.clone_from(&book.durable);
                book.truncating = None;
            }
            Fact::Truncated {
                member,
                history,
                replica,
            } => {
                self.truncations += 1;
                self.books[*member].hold(history, replica);
            }
            Fact::Installing { member } => self.books[*member].truncating = Some(Zxid::ZERO),
            Fact::Installed {
                member,
                history,
                replica,
            } => {
                self.installations += 1;
                self.books[*member].hold(history, replica);
            }
            Fact::Loaded {
                member,
                history,
                replica,
            } => {
                let book = &mut self.books[*member];
                let durable = std::mem::take(&mut book.durable);
                book.hold(history, replica);
                book.durable = durable;
            }
            Fact::Kept { member, history } => {
                let book = &mut self.books[*member];
                book.durable = history.to_vec();
                book.truncating = None;
            }
            Fact::EpochAccepted { member, epoch } => self.books[*member].epochs.accepted = *epoch,
            Fact::EpochEntered { member, epoch } => self.books[*member].epochs.current = *epoch,
            Fact::Applied { member, record, .. } => {
                self.books[*member].applied.push(record.header.zxid);
            }
            Fact::Serving {
                member,
                serves,
                reads_only,
            } => {
                let book = &mut self.books[*member];
                book.serves = *serves && !reads_only;
                book.reads_only = *reads_only;
            }
            _ => {}
        }
    }
}

impl Book {
    /// This is what the disk and the tree hold.
    fn hold(&mut self, history: &[Zxid], replica: &Replica) {
        self.loaded = replica.last_zxid();
        self.truncating = None;
        for place in [&mut self.appended, &mut self.durable, &mut self.applied] {
            place.clear();
            place.extend_from_slice(history);
        }
    }
}

/// The part of a history that is older than an epoch.
pub(crate) fn before(history: &[Zxid], epoch: Epoch) -> &[Zxid] {
    &history[..history.partition_point(|zxid| zxid.epoch() < epoch)]
}
