//! The core thread: one batch of inputs stepped, then all that follows from it carried out.

use super::{Append, End, Server};
use crate::env::Env;
use crate::fact::Fact;
use crate::schedule::Turn;
use std::borrow::Cow;
use zooid_node::{ConnId, Output};
use zooid_proto::{ErrorCode, Txn, TxnRecord, mutant};
use zooid_tree::{Applied, Fired};

/// Inputs of one batch at most.
const BATCH_MAX: usize = 16;

impl Server {
    pub(crate) fn core(&mut self, env: &mut Env) {
        self.core_is_due = false;
        if let Some(progress) = self.progress.take() {
            self.step(env, progress);
        }
        let batch = 1 + self.dice.index(BATCH_MAX);
        for _ in 0..batch {
            let Some(input) = self.inbox.pop_front() else {
                break;
            };
            self.step(env, input);
        }
        self.perform(env);
        self.tell_core(env, []);
        for id in std::mem::take(&mut self.touched) {
            self.soon(env, 300, Turn::Socket(id));
        }
    }

    fn step(&mut self, env: &mut Env, input: zooid_node::Input) {
        let now = env.now();
        env.tell(&Fact::Stepped { now, input: &input });
        let before = self.outputs.len();
        self.node.step(now, input, &self.replica, &mut self.outputs);
        for output in &self.outputs[before..] {
            if let Output::Append { zxid, record, .. } = output {
                env.tell(&Fact::Proposed {
                    zxid: *zxid,
                    record,
                });
            }
        }
    }

    /// Appends first of all, so that the disk starts early.
    fn perform(&mut self, env: &mut Env) {
        let outputs = std::mem::take(&mut self.outputs);
        let mut rest = Vec::new();
        for output in outputs {
            if let Output::Append {
                generation,
                zxid,
                record,
            } = output
            {
                self.log_queue.push_back(Append {
                    generation,
                    zxid,
                    record,
                });
            } else {
                rest.push(output);
            }
        }
        if !self.log_queue.is_empty() && !self.log_is_busy {
            self.log_is_busy = true;
            self.soon(env, 300, Turn::Log);
        }
        for output in rest {
            self.carry_out(env, output);
            if env.complaint.is_some() || self.end.is_some() {
                return;
            }
        }
    }

    fn carry_out(&mut self, env: &mut Env, output: Output) {
        match output {
            Output::Commit { record, owner } => self.commit(env, &record, owner),
            Output::Complete { conn, cxid } => {
                self.with(env, conn, |connection, ctx| connection.before_commit(ctx));
                env.tell(&Fact::Completed { conn });
                self.with(env, conn, |connection, ctx| {
                    connection.on_complete(ctx, cxid);
                });
            }
            Output::Attached {
                conn,
                session,
                timeout_ms,
                read_only,
            } => {
                self.with(env, conn, |connection, ctx| {
                    connection.on_attached(ctx, session, timeout_ms, read_only);
                });
            }
            Output::Refused { conn } => {
                self.with(env, conn, |connection, _| connection.on_refused());
            }
            Output::Close { conn } => self.with(env, conn, |connection, _| connection.close()),
            Output::Halt { reason } => self.end = Some(End::Halted(reason)),
            other => unreachable!("{other:?} on a standalone server"),
        }
    }

    fn commit(&mut self, env: &mut Env, record: &TxnRecord, owner: Option<ConnId>) {
        if let Some(owner) = owner {
            self.with(env, owner, |connection, ctx| connection.before_commit(ctx));
        }
        let before = self.replica.digest();
        let mut fired = Vec::new();
        let applied = self.apply(record, &mut fired);
        let replica = &self.replica;
        env.tell(&Fact::Applied {
            record,
            applied: &applied,
            replica,
            before,
        });
        if mutant!(TellsEventsLate) {
            std::mem::swap(&mut fired, &mut self.late_events);
        }
        for event in &fired {
            let watcher = ConnId(event.watcher.0);
            self.with(env, watcher, |connection, ctx| {
                connection.on_event(ctx, event);
            });
        }
        if let Some(owner) = owner {
            self.with(env, owner, |connection, ctx| {
                connection.on_commit(ctx, record, &applied);
            });
        }
        if !mutant!(TellsEventsLate) {
            env.tell(&Fact::Settled);
        }
    }

    fn apply(&mut self, record: &TxnRecord, fired: &mut Vec<Fired>) -> Applied {
        let (header, digest) = (&record.header, record.digest.as_ref());
        let txn = mutated(&record.txn);
        let Some((first, rest)) = halves(&txn).filter(|_| self.snapshot_is_due) else {
            return self.replica.apply(header, &txn, digest, fired);
        };
        let mut applied = self.replica.apply(header, &first, None, fired);
        self.snapshot_is_due = false;
        self.begun = Some(self.replica.begin_walk());
        let second = self.replica.apply(header, &rest, digest, fired);
        applied.err = second.err;
        applied.multi.extend(second.multi);
        applied
    }
}

/// What of a transaction has happened, and what not, when a server with a fault begins a snapshot.
fn halves(txn: &Txn) -> Option<(Txn, Txn)> {
    match txn {
        Txn::Multi(parts) if mutant!(Zk3127) => {
            let is_error = |part: &Txn| matches!(part, Txn::Error(_));
            let (first, rest) = parts.split_first()?;
            let halves = (Txn::Multi(vec![first.clone()]), Txn::Multi(rest.to_vec()));
            (!parts.iter().any(is_error)).then_some(halves)
        }
        Txn::CreateSession { .. } if mutant!(Zk3144) => {
            Some((Txn::Error(ErrorCode::Ok), txn.clone()))
        }
        _ => None,
    }
}

/// What a server with a fault would apply.
fn mutated(txn: &Txn) -> Cow<'_, Txn> {
    match txn {
        Txn::Multi(parts) if mutant!(AppliesHalfMultis) => {
            // What failed does nothing; what stands before it is not taken back.
            let part = |part: &Txn| match part {
                Txn::Error(_) => Txn::Check {
                    path: String::new(),
                    version: -1,
                },
                part => part.clone(),
            };
            Cow::Owned(Txn::Multi(parts.iter().map(part).collect()))
        }
        Txn::CloseSession { .. } if mutant!(LeavesEphemerals) => {
            Cow::Owned(Txn::Error(ErrorCode::SystemError))
        }
        _ => Cow::Borrowed(txn),
    }
}
