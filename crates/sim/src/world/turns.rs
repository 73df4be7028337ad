//! Turns of the server's threads, of which snapshot and purge reach back into the world while they
//! are at work.

use super::World;
use crate::schedule::{Event, Turn};
use zooid_proto::mutant;
use zooid_storage::{SnapshotOptions, log_files, purge};

/// Recoveries tried of a disk in use, which cost more time than all the rest of a run.
const RECOVERIES_MAX: u64 = 100;
/// Snapshots that a purge keeps.
const SNAPSHOTS_KEPT: usize = 3;

impl World {
    pub(super) fn turn(&mut self, turn: Turn) {
        let Some(server) = &mut self.server else {
            return;
        };
        let env = &mut self.env;
        match turn {
            Turn::Core => server.core(env),
            Turn::Timer => server.timer(env),
            Turn::Socket(conn) => server.serve(env, conn),
            Turn::Leave(conn) => server.leave(env, conn),
            Turn::Log => server.write_log(env),
            Turn::LogDone { generation, upto } => server.log_done(env, generation, upto),
            Turn::LateSync => server.sync_late(env),
            Turn::Snapshot => self.snapshot(),
            Turn::Purge => self.purge(),
        }
        let touches_disk = matches!(turn, Turn::Log | Turn::Snapshot | Turn::Purge);
        if touches_disk && self.dice.per_mille(8) && self.checked_recoveries < RECOVERIES_MAX {
            self.check_survivors();
        }
    }

    /// The ticket and the walk are taken in one step; between chunks anything may happen.
    fn snapshot(&mut self) {
        let Some(server) = &mut self.server else {
            return;
        };
        let snapshots = std::sync::Arc::clone(&server.site.snapshots);
        let ticket = snapshots.ticket();
        let mut walk = server.begin_walk();
        let zxid = walk.zxid();
        let options = SnapshotOptions::default();
        let written = snapshots.write(ticket, &mut walk, &options, &mut |visit| {
            self.interleave();
            if let Some(server) = &self.server {
                visit(&server.replica);
            }
        });
        let line = format!("snapshot of {zxid}: {}", written.is_ok());
        self.env.trace.milestone(self.env.now_us, &line);
        self.check_power();
    }

    fn purge(&mut self) {
        let Some(server) = &self.server else {
            return;
        };
        let interval_us = self.profile.purge_interval_us;
        self.env
            .after(interval_us, Event::Server(server.life, Turn::Purge));
        let site = server.site.clone();
        if mutant!(PurgesTooMuch) {
            let mut logs = log_files(&*site.disk, &site.dirs.logs).unwrap_or_default();
            logs.pop();
            for log in logs {
                // Whether it works matters no more than in the real thing.
                let _ = site.disk.remove(&log.path);
            }
        }
        let (disk, dirs, snapshots) = (&*site.disk, &site.dirs, &*site.snapshots);
        let purged = purge(disk, dirs, snapshots, SNAPSHOTS_KEPT, &mut |_| {
            self.interleave();
        });
        self.env
            .trace
            .milestone(self.env.now_us, &format!("purged {:?}", purged.ok()));
        self.check_power();
    }

    /// The disk may have gone while a thread was at it that does not care.
    fn check_power(&mut self) {
        if let Some(server) = self
            .server
            .as_mut()
            .filter(|server| !server.site.has_power())
        {
            server.end = Some(crate::server::End::PowerLost);
        }
    }
}
