//! The core thread: one batch of inputs stepped, then all that follows from it carried out.

use super::{End, Member};
use crate::cluster::env::Env;
use crate::cluster::fact::Fact;
use crate::cluster::options::member_of;
use crate::cluster::schedule::Turn;
use zooid_node::{ConnId, Input, Output};
use zooid_proto::{ErrorCode, Txn, TxnRecord, mutant};

/// Inputs of one batch at most.
const BATCH_MAX: usize = 16;
/// How often an operator takes a snapshot when a role has ended, and how soon after: when a tree may
/// hold what the next leader does not know of.
const SNAPSHOT_PER_MILLE: u64 = 250;
const SNAPSHOT_US_MAX: u64 = 60_000;

impl Member {
    pub(super) fn core(&mut self, env: &mut Env) {
        self.core_is_due = false;
        let batch = 1 + self.dice.index(BATCH_MAX);
        for at in 0..batch {
            // What was refused for want of room is told before there is room.
            if at > 0 && matches!(self.inbox.front(), Some(Input::DiskSpace { .. })) {
                break;
            }
            let Some(input) = self.inbox.pop_front() else {
                break;
            };
            self.step(env, input);
        }
        self.perform(env);
        if env.complaint.is_some() || self.end.is_some() {
            return;
        }
        if !self.inbox.is_empty() {
            self.wake_core(env);
        }
        self.arm_timer(env);
        for id in std::mem::take(&mut self.touched) {
            self.soon(env, 200, Turn::Socket(id));
        }
    }

    fn step(&mut self, env: &mut Env, input: Input) {
        env.tell(&Fact::Stepped {
            member: self.id,
            input: &input,
        });
        let now = self.now(env);
        self.node.step(now, input, &self.replica, &mut self.outputs);
    }

    /// What is for the storage goes there first, so that the disk starts early.
    fn perform(&mut self, env: &mut Env) {
        let outputs = std::mem::take(&mut self.outputs);
        let mut rest = Vec::with_capacity(outputs.len());
        for output in outputs {
            rest.extend(self.queue_storage(env, output));
        }
        self.wake_storage(env);
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
            Output::Complete { conn, cxid } => self.with(env, conn, |connection, ctx| {
                connection.before_commit(ctx);
                connection.on_complete(ctx, cxid);
            }),
            Output::Decline { conn, cxid, error } => self.with(env, conn, |connection, ctx| {
                connection.before_commit(ctx);
                connection.on_declined(ctx, cxid, error);
            }),
            Output::Attached {
                conn,
                session,
                timeout_ms,
                read_only,
            } => self.with(env, conn, |connection, ctx| {
                connection.on_attached(ctx, session, timeout_ms, read_only);
            }),
            Output::Refused { conn } => {
                self.with(env, conn, |connection, _| connection.on_refused());
            }
            Output::Close { conn } => self.with(env, conn, |connection, _| connection.close()),
            Output::Halt { reason } => self.halt(env, reason),
            Output::Vote { to, message } => {
                env.tell(&Fact::Voted {
                    member: self.id,
                    message: &message,
                });
                if let Some(to) = member_of(to) {
                    env.cast(self.id, to, message);
                }
            }
            Output::Dial { link, server } => self.dial(env, link, server),
            Output::Send { link, packet } => self.send(env, link, packet),
            Output::Broadcast { links, packet } => {
                for link in links.iter() {
                    self.send(env, *link, packet.clone());
                }
            }
            Output::SendRun { link, run } => self.send_run(env, link, run),
            Output::SendLog { link, after, upto } => self.send_log(env, link, after, upto),
            Output::SendSnapshot { link } => self.send_snapshot(env, link),
            Output::ProbeLog { link, after } => self.probe_log(env, link, after),
            Output::Hangup { link, reason } => {
                env.milestone(&format!(
                    "member {} hangs up link {}: {reason}",
                    self.id, link.0
                ));
                self.received.remove(&link);
                self.forget_torn(link);
                self.forget_outgoing(link);
                env.hang_up(self.id, link);
            }
            Output::AdvanceTo(zxid) => self.replica.advance_to(zxid),
            Output::Serve(serves) => self.set_serving(env, serves),
            Output::RoleChanged => {}
            Output::Left => {
                self.end.get_or_insert(End::Killed);
            }
            Output::Resigned { reason } => {
                env.milestone(&format!("member {} resigns: {reason}", self.id));
                if self.dice.per_mille(SNAPSHOT_PER_MILLE) {
                    self.soon(env, SNAPSHOT_US_MAX, Turn::TakeSnapshot);
                }
            }
            Output::Append { .. }
            | Output::Truncate { .. }
            | Output::InstallSnapshot { .. }
            | Output::AcceptEpoch(_)
            | Output::EnterEpoch(_) => unreachable!("it went to the storage"),
        }
    }

    /// Only a disk may stop a member.
    fn halt(&mut self, env: &mut Env, reason: String) {
        if !self.disk_has_failed {
            env.complain(
                "nobody is confused",
                format!("member {} stops: {reason}", self.id),
            );
        }
        self.end.get_or_insert(End::Halted(reason));
    }

    fn commit(&mut self, env: &mut Env, record: &TxnRecord, owner: Option<ConnId>) {
        if let Some(owner) = owner {
            self.with(env, owner, |connection, ctx| connection.before_commit(ctx));
        }
        let mut fired = Vec::new();
        let before = self.replica.digest();
        let (header, digest) = (&record.header, record.digest.as_ref());
        let unread = Txn::Error(ErrorCode::SystemError);
        let is_close = matches!(record.txn, Txn::CloseSession { .. });
        let is_unread = mutant!(Zk2355) && is_close && !self.serves;
        let txn = if is_unread { &unread } else { &record.txn };
        let applied = self.replica.apply(header, txn, digest, &mut fired);
        env.tell(&Fact::Applied {
            member: self.id,
            record,
            applied: &applied,
            replica: &self.replica,
            before,
        });
        for event in &fired {
            let watcher = ConnId(event.watcher.0);
            self.with(env, watcher, |connection, ctx| {
                connection.on_event(ctx, event);
            });
        }
        env.tell(&Fact::Settled { member: self.id });
        if let Some(owner) = owner {
            self.with(env, owner, |connection, ctx| {
                connection.on_commit(ctx, record, &applied);
            });
        }
    }
}
