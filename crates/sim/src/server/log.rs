//! The log thread: some of what waits is written and synced as one batch, which takes its time.

use super::{End, Server};
use crate::env::Env;
use crate::fact::Fact;
use crate::schedule::Turn;
use zooid_node::Input;
use zooid_proto::{Zxid, mutant};
use zooid_storage::LogError;

impl Server {
    /// Writes a batch.
    pub(crate) fn write_log(&mut self, env: &mut Env) {
        if self.log_has_failed || self.log_queue.is_empty() {
            self.log_is_busy = false;
            return;
        }
        let count = 1 + self.dice.index(self.log_queue.len());
        let mut last = None;
        for _ in 0..count {
            let Some(append) = self.log_queue.pop_front() else {
                break;
            };
            last = Some((append.generation, append.zxid));
            if let Err(err) = self.log.append(append.zxid, &append.record) {
                return self.log_failed(env, &err);
            }
        }
        let Some((generation, upto)) = last else {
            return;
        };
        if mutant!(TellsBeforeSync) {
            self.report(env, Input::Persisted { generation, upto });
            return self.soon(env, 2000, Turn::LateSync);
        }
        if let Err(err) = self.log.commit() {
            return self.log_failed(env, &err);
        }
        env.tell(&Fact::Durable { upto });
        self.unsnapshotted += u64::try_from(count).expect("counts fit 64 bits");
        let took_us = self.site.simulated.take_busy_us() + self.dice.below(500);
        self.after(env, took_us, Turn::LogDone { generation, upto });
    }

    /// The batch is with the disk, and the thread knows.
    pub(crate) fn log_done(&mut self, env: &mut Env, generation: u64, upto: Zxid) {
        self.report(env, Input::Persisted { generation, upto });
        if self.unsnapshotted > self.snap_count {
            self.unsnapshotted = 0;
            if let Err(err) = self.log.roll() {
                return self.log_failed(env, &err);
            }
            self.log.reset_size();
            self.snapshot_is_due = true;
            self.soon(env, 5000, Turn::Snapshot);
        }
        self.write_log_again(env);
    }

    pub(crate) fn sync_late(&mut self, env: &mut Env) {
        if let Err(err) = self.log.commit() {
            return self.log_failed(env, &err);
        }
        env.tell(&Fact::Durable {
            upto: self.log.last_appended(),
        });
        self.write_log_again(env);
    }

    fn write_log_again(&mut self, env: &mut Env) {
        self.log_is_busy = !self.log_queue.is_empty();
        if self.log_is_busy {
            self.soon(env, 100, Turn::Log);
        }
    }

    /// Nothing is reported durable any more.
    fn log_failed(&mut self, env: &mut Env, err: &LogError) {
        self.log_has_failed = true;
        if !self.site.has_power() {
            self.end = Some(End::PowerLost);
            return;
        }
        self.report(
            env,
            Input::StorageFailed {
                reason: err.to_string(),
            },
        );
    }
}
