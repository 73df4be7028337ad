//! A server: its disk, its memory, and its part.

use crate::truth::Entry;
use std::collections::VecDeque;
use zooid_proto::{Epoch, ServerId, Zxid};
use zooid_zab::{Epochs, History, Leader, Learner, LearnerKind, LinkId, Round};

pub(crate) struct Server {
    pub(crate) id: ServerId,
    pub(crate) kind: LearnerKind,
    pub(crate) disk: Disk,
    /// Not done yet, oldest first.
    pub(crate) queue: VecDeque<Command>,
    /// The history as the process knows it.
    pub(crate) appended: Vec<Entry>,
    /// How much of it is in the database.
    pub(crate) applied: usize,
    pub(crate) part: Part,
    /// On a leader: rounds asked for, and how much was committed by then, by anyone.
    pub(crate) asked: VecDeque<(Round, usize)>,
}

/// What a crash leaves.
pub(crate) struct Disk {
    pub(crate) epochs: Epochs,
    /// Everything, be it in a snapshot or in the log.
    pub(crate) history: Vec<Entry>,
    /// Where the log begins.
    pub(crate) log_from: usize,
}

pub(crate) enum Command {
    Append(Entry),
    Truncate(Zxid),
    Install(Vec<Entry>),
    Accept(Epoch),
    Enter(Epoch),
}

pub(crate) enum Part {
    Down,
    /// The storage finishes what it was told before the next election.
    Draining,
    Looking,
    Leading {
        leader: Box<Leader>,
        history: History,
    },
    Following {
        learner: Box<Learner>,
        link: Option<LinkId>,
        /// Received and not installed.
        snapshot: Option<Vec<Entry>>,
    },
}

impl Server {
    pub(crate) fn new(id: i64, kind: LearnerKind) -> Server {
        let nothing = Epochs {
            accepted: Epoch(0),
            current: Epoch(0),
        };
        Server {
            id: ServerId(id),
            kind,
            disk: Disk {
                epochs: nothing,
                history: Vec::new(),
                log_from: 0,
            },
            queue: VecDeque::new(),
            appended: Vec::new(),
            applied: 0,
            part: Part::Looking,
            asked: VecDeque::new(),
        }
    }

    /// The end of what it has, as a vote or an introduction tells it.
    pub(crate) fn last(&self) -> Zxid {
        self.appended.last().map_or(Zxid::ZERO, |entry| entry.zxid)
    }

    pub(crate) fn is_leading(&self) -> bool {
        matches!(self.part, Part::Leading { .. })
    }

    pub(crate) fn is_looking(&self) -> bool {
        matches!(self.part, Part::Looking)
    }

    pub(crate) fn is_serving(&self) -> bool {
        match &self.part {
            Part::Leading { leader, .. } => leader.is_established(),
            Part::Following { learner, .. } => learner.is_serving(),
            Part::Down | Part::Draining | Part::Looking => false,
        }
    }

    /// The epoch in which it leads a quorum.
    pub(crate) fn reigning(&self) -> Option<Epoch> {
        match &self.part {
            Part::Leading { leader, .. } if leader.is_established() => leader.epoch(),
            _ => None,
        }
    }

    /// Whether nothing is under way here.
    pub(crate) fn is_idle(&self) -> bool {
        let outstanding = match &self.part {
            Part::Leading { leader, .. } => leader.outstanding(),
            _ => 0,
        };
        outstanding == 0 && self.queue.is_empty()
    }

    /// Does a command, and takes it off: the oldest, or the oldest to an epoch file. Those may overtake
    /// the log: that they do not, when they must not, is for those to see to who give the commands.
    pub(crate) fn write(&mut self, is_of_epoch: bool) -> Option<Command> {
        let to_epoch =
            |command: &Command| matches!(command, Command::Accept(_) | Command::Enter(_));
        let nth = self.queue.iter().position(|it| is_of_epoch && to_epoch(it));
        let command = self.queue.remove(nth.unwrap_or(0))?;
        let history = &mut self.disk.history;
        match &command {
            Command::Append(entry) => history.push(*entry),
            Command::Truncate(to) => {
                history.retain(|entry| entry.zxid <= *to);
                self.disk.log_from = self.disk.log_from.min(history.len());
                self.reload();
            }
            Command::Install(entries) => {
                history.clone_from(entries);
                self.disk.log_from = history.len();
                self.reload();
            }
            Command::Accept(epoch) => self.disk.epochs.accepted = *epoch,
            Command::Enter(epoch) => self.disk.epochs.current = *epoch,
        }
        Some(command)
    }

    /// Takes the database from the disk, with all that is there.
    pub(crate) fn reload(&mut self) {
        self.appended.clone_from(&self.disk.history);
        self.applied = self.appended.len();
    }

    /// What the log has, snapshots aside.
    pub(crate) fn log(&self) -> &[Entry] {
        &self.disk.history[self.disk.log_from..]
    }
}
