//! The log thread and the snapshot thread. Whatever changes the history goes through one queue, in
//! order (obligation 5), and takes its time.

use super::{End, Member};
use crate::cluster::env::Env;
use crate::cluster::fact::Fact;
use crate::cluster::schedule::Turn;
use crate::cluster::site::{Found, REMEDY, TREE};
use crate::cluster::snapshot::Received;
use bytes::Bytes;
use std::io;
use std::sync::Arc;
use zooid_node::{Input, Output};
use zooid_proto::{Epoch, Zxid, mutant};
use zooid_storage::{
    DiskSpace, LogError, LogReadError, RecoverError, SnapshotError, SnapshotOptions, TruncateError,
};
use zooid_tree::Replica;
use zooid_zab::LinkId;

/// Between looks for space of a thread that has nothing to do.
const SPACE_LOOK_US: u64 = 50_000;
/// However slow a disk is: longer than a learner may be silent.
const SLOW_SYNC_US_MAX: u64 = 1_500_000;
/// Of received snapshots: how many find no room at first.
const NO_ROOM_PER_MILLE: u64 = 50;

#[derive(Clone, Debug)]
pub(super) enum Command {
    Append {
        generation: u64,
        zxid: Zxid,
        record: Bytes,
    },
    Truncate {
        generation: u64,
        target: Zxid,
    },
    Install {
        generation: u64,
        link: LinkId,
    },
    AcceptEpoch(Epoch),
    EnterEpoch(Epoch),
}

/// Why a command could not be carried out.
#[derive(Debug, thiserror::Error)]
enum StorageError {
    #[error(transparent)]
    Log(#[from] LogError),
    #[error(transparent)]
    Snapshot(#[from] SnapshotError),
    #[error("epoch file: {0}")]
    Epoch(#[from] io::Error),
    #[error("cannot load: {0}")]
    Recover(#[from] RecoverError),
    #[error("cannot install: {0}")]
    Install(String),
}

impl StorageError {
    /// Whether it is the disk's fault, not the node's.
    fn is_the_disks(&self) -> bool {
        match self {
            StorageError::Log(LogError::OutOfOrder { .. }) | StorageError::Install(_) => false,
            StorageError::Recover(err) => matches!(
                err,
                RecoverError::Io(_)
                    | RecoverError::Log(LogReadError::Io(_))
                    | RecoverError::Snapshot(SnapshotError::Io(_))
            ),
            StorageError::Log(LogError::Truncate(err)) => matches!(
                err,
                TruncateError::Io(_)
                    | TruncateError::Snapshot(SnapshotError::Io(_))
                    | TruncateError::Log(LogReadError::Io(_))
            ),
            StorageError::Log(_) | StorageError::Snapshot(_) | StorageError::Epoch(_) => true,
        }
    }
}

impl Member {
    /// Takes what is for the storage; gives the rest back.
    pub(super) fn queue_storage(&mut self, env: &mut Env, output: Output) -> Option<Output> {
        let member = self.id;
        let command = match output {
            Output::Append {
                generation,
                zxid,
                record,
            } => {
                env.tell(&Fact::Appended {
                    member,
                    zxid,
                    record: &record,
                });
                Command::Append {
                    generation,
                    zxid,
                    record,
                }
            }
            Output::Truncate { generation, target } => {
                if !mutant!(LosesTruncation) {
                    env.tell(&Fact::Truncating { member, target });
                }
                Command::Truncate { generation, target }
            }
            Output::InstallSnapshot {
                generation, link, ..
            } => Command::Install { generation, link },
            Output::AcceptEpoch(epoch) => Command::AcceptEpoch(epoch),
            // Past the log's queue.
            Output::EnterEpoch(epoch) if [mutant!(Zk4643), mutant!(Zk4646)].contains(&true) => {
                self.commands.push_front(Command::EnterEpoch(epoch));
                return None;
            }
            Output::EnterEpoch(epoch) => Command::EnterEpoch(epoch),
            other => return Some(other),
        };
        self.commands.push_back(command);
        None
    }

    pub(super) fn wake_storage(&mut self, env: &mut Env) {
        if !self.storage_is_busy && !self.commands.is_empty() {
            self.storage_is_busy = true;
            self.soon(env, 200, Turn::Storage);
        }
    }

    /// Works off a batch of appends, or one of the others.
    pub(super) fn work_storage(&mut self, env: &mut Env) {
        if self.disk_has_failed {
            return;
        }
        // Power may go at an operation of which nobody hears that it failed.
        self.work_or_fail(env);
        self.notice_power();
    }

    fn work_or_fail(&mut self, env: &mut Env) {
        match self.work(env) {
            Ok(answer) => {
                let busy_us = self.site.simulated.take_busy_us().min(SLOW_SYNC_US_MAX);
                let has_loaded = matches!(
                    answer,
                    Some(Input::Truncated { .. } | Input::Installed { .. })
                );
                let most_us = if has_loaded { self.reload_us } else { 300 };
                let took_us = busy_us + self.dice.below(most_us);
                self.after(env, took_us, Turn::StorageDone(answer));
            }
            Err(err) => self.storage_failed(env, &err),
        }
    }

    fn work(&mut self, env: &mut Env) -> Result<Option<Input>, StorageError> {
        if let Some(received) = self.provisional.take() {
            self.keep(env, &received)?;
            env.tell(&Fact::Kept {
                member: self.id,
                history: &received.history,
            });
        }
        match self.commands.front() {
            None => Ok(None),
            Some(Command::Append { .. }) => self.append(env),
            Some(_) => match self.commands.pop_front() {
                Some(Command::Truncate { generation, target }) => {
                    self.truncate(env, generation, target)
                }
                Some(Command::Install { generation, link }) => self.install(env, generation, link),
                Some(Command::AcceptEpoch(epoch)) => {
                    self.log.spare_room()?;
                    self.site.epochs.set_accepted(epoch)?;
                    env.tell(&Fact::EpochAccepted {
                        member: self.id,
                        epoch,
                    });
                    Ok(Some(Input::EpochAccepted(epoch)))
                }
                Some(Command::EnterEpoch(epoch)) => {
                    self.log.spare_room()?;
                    self.site.epochs.set_current(epoch)?;
                    env.tell(&Fact::EpochEntered {
                        member: self.id,
                        epoch,
                    });
                    Ok(Some(Input::EpochEntered(epoch)))
                }
                Some(Command::Append { .. }) | None => Ok(None),
            },
        }
    }

    fn append(&mut self, env: &mut Env) -> Result<Option<Input>, StorageError> {
        let mut left = 1 + self.dice.index(self.commands.len());
        let mut last = None;
        while left > 0
            && let Some(Command::Append {
                generation,
                zxid,
                record,
            }) = self.commands.front().cloned()
        {
            self.commands.pop_front();
            left -= 1;
            self.log.append(zxid, &record)?;
            self.unsnapshotted += 1;
            last = Some((generation, zxid));
        }
        let Some((generation, upto)) = last else {
            return Ok(None);
        };
        let answer = Input::Persisted { generation, upto };
        if mutant!(AcknowledgesBeforeSync) {
            self.soon(env, 2000, Turn::LateSync);
            return Ok(Some(answer));
        }
        match self.log.commit() {
            Err(_) if mutant!(Zk4882) && self.site.has_power() => return Ok(None),
            committed => committed?,
        }
        env.tell(&Fact::Durable {
            member: self.id,
            upto,
        });
        Ok(Some(answer))
    }

    pub(super) fn sync_late(&mut self, env: &mut Env) {
        if let Err(err) = self.log.commit() {
            return self.storage_failed(env, &err.into());
        }
        env.tell(&Fact::Durable {
            member: self.id,
            upto: self.log.last_appended(),
        });
    }

    fn truncate(
        &mut self,
        env: &mut Env,
        generation: u64,
        target: Zxid,
    ) -> Result<Option<Input>, StorageError> {
        if mutant!(LosesTruncation) {
            return Ok(Some(Input::Truncated {
                generation,
                last: target,
            }));
        }
        let last = match self.log.truncate(target) {
            Err(err) if !err.is_final() => {
                env.tell(&Fact::Uncut { member: self.id });
                let reason = err.to_string();
                return Ok(Some(Input::CannotTruncate { generation, reason }));
            }
            last => last?,
        };
        let Found { recovered, history } = self.site.recover()?;
        env.tell(&Fact::Truncated {
            member: self.id,
            history: &history,
            replica: &recovered.replica,
        });
        self.replace(recovered.replica);
        Ok(Some(Input::Truncated { generation, last }))
    }

    /// The snapshot first, then what it replaces goes: at no moment is there less than before.
    fn install(
        &mut self,
        env: &mut Env,
        generation: u64,
        link: LinkId,
    ) -> Result<Option<Input>, StorageError> {
        let Some(received) = self.received.remove(&link) else {
            return Err(StorageError::Install("no snapshot was received".to_owned()));
        };
        if self.dice.per_mille(NO_ROOM_PER_MILLE) {
            let reason = "no room".to_owned();
            return Ok(Some(Input::CannotInstall { generation, reason }));
        }
        let replica = received.load(TREE).map_err(StorageError::Install)?;
        let (member, history) = (self.id, &*received.history);
        if mutant!(Zk3642) {
            env.tell(&Fact::Loaded {
                member,
                history,
                replica: &replica,
            });
            self.provisional = Some(received);
        } else {
            self.keep(env, &received)?;
            env.tell(&Fact::Installed {
                member,
                history,
                replica: &replica,
            });
        }
        self.replace(replica);
        Ok(Some(Input::Installed { generation }))
    }

    /// Puts a received snapshot on the disk.
    fn keep(&mut self, env: &mut Env, received: &Received) -> Result<(), StorageError> {
        let replica = received.load(TREE).map_err(StorageError::Install)?;
        self.site
            .histories
            .insert(received.zxid, Arc::clone(&received.history));
        env.tell(&Fact::Installing { member: self.id });
        let snapshots = &self.site.snapshots;
        let mut draft = snapshots.draft(received.zxid, &SnapshotOptions::default())?;
        draft.body(received.body())?;
        snapshots.overtake();
        let ticket = snapshots.ticket();
        snapshots.complete(draft, ticket, replica.digest())?;
        self.log.replace_after(received.zxid)?;
        Ok(())
    }

    fn replace(&mut self, replica: Replica) {
        self.walk = None;
        self.incarnation += 1;
        self.outgoing.clear();
        self.unsnapshotted = 0;
        self.replica = replica;
    }

    /// The disk is done, and the thread knows.
    pub(super) fn storage_done(&mut self, env: &mut Env, answer: Option<Input>) {
        self.tell_core(env, answer);
        let is_due = self.unsnapshotted > self.snap_count && self.space == DiskSpace::Enough;
        if is_due && self.walk.is_none() {
            self.begin_snapshot(env);
        }
        self.storage_is_busy = false;
        self.look_for_space(env);
        self.wake_storage(env);
    }

    /// After each batch, and now and then.
    fn look_for_space(&mut self, env: &mut Env) {
        if self.disk_has_failed {
            return;
        }
        let space = self.log.look_for_space().unwrap_or(self.space);
        self.notice_power();
        if self.end.is_none() && space != self.space {
            self.space = space;
            let is_low = space == DiskSpace::Low;
            env.milestone(&format!("member {}: the disk is {space:?}", self.id));
            self.tell_core(env, [Input::DiskSpace { is_low }]);
        }
    }

    pub(super) fn look_for_space_if_idle(&mut self, env: &mut Env) {
        if !self.storage_is_busy {
            self.look_for_space(env);
        }
    }

    /// Somebody takes room on the disk, or makes some: the log's thread sees it when it looks next.
    pub(crate) fn room_changes(&mut self, env: &mut Env) {
        self.soon(env, SPACE_LOOK_US, Turn::LookForSpace);
    }

    /// As an operator may at any time.
    pub(super) fn take_snapshot(&mut self, env: &mut Env) {
        if self.walk.is_none() && self.upkeep == 0 && !self.disk_has_failed {
            self.begin_snapshot(env);
        }
    }

    /// A snapshot of the tree as it is now, written a little later.
    fn begin_snapshot(&mut self, env: &mut Env) {
        self.unsnapshotted = 0;
        if let Err(err) = self.log.roll() {
            return self.storage_failed(env, &err.into());
        }
        self.notice_power();
        let ticket = self.site.snapshots.ticket();
        let walk = self.replica.begin_walk();
        let history = env.checkers.ledger.applied(self.id).into();
        self.site.histories.insert(walk.zxid(), history);
        self.walk = Some((ticket, walk));
        self.soon(env, 5000, Turn::Snapshot);
    }

    fn storage_failed(&mut self, env: &mut Env, err: &StorageError) {
        if !self.site.has_power() {
            self.end = Some(End::PowerLost);
            return;
        }
        let is_explained = self.site.is_damaged && err.to_string().contains(REMEDY);
        if !err.is_the_disks() && !is_explained {
            let what = format!("member {}: {err}", self.id);
            env.complain("nobody is confused", what);
        }
        self.disk_has_failed = true;
        let reason = err.to_string();
        self.tell_core(env, [Input::StorageFailed { reason }]);
    }
}
