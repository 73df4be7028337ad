//! The end of a server's life, what is found on the disk after it, and the next one.

use super::World;
use crate::fact::Fact;
use crate::options::Faults;
use crate::schedule::{Event, Life};
use crate::server::{End, Server, Site};
use zooid_proto::{TxnRecord, mutant};
use zooid_storage::disk::{Fault, SimulatedDisk, Survival};
use zooid_storage::{RecoverError, Recovered};

/// Faults that one recovery may meet before it must succeed.
const RECOVERY_FAULTS_MAX: u64 = 8;

impl World {
    /// Ends a life that has come to its end, unless a thread of it is still at work.
    pub(super) fn bury(&mut self) {
        let has_ended = self
            .server
            .as_ref()
            .is_some_and(|server| server.end.is_some());
        if !has_ended || self.depth > 0 || self.env.complaint.is_some() {
            return;
        }
        let Some(server) = self.server.take() else {
            return;
        };
        let why = server.end.as_ref().map(End::to_string).unwrap_or_default();
        self.env.tell(&Fact::Died { why: &why });
        for conn in server.conns() {
            let delay_us = self.dice.below(5000);
            self.env.after(delay_us, Event::FinToClient(conn));
        }
        if mutant!(ForgetsToRollBack) {
            self.unforgotten = server.unwritten().cloned().collect();
        }
        let loses_power = match server.end {
            Some(End::PowerLost) => true,
            _ => self.dice.per_mille(250),
        };
        if loses_power {
            self.check_survivors();
            self.lose_power();
        }
        if let Faults::DiskFullAt(_) = self.options.faults {
            self.site.simulated.set_capacity(None);
        }
        let down_us = *self.dice.pick(&[1000, 100_000, 1_500_000]);
        self.env.after(down_us, Event::Restart);
    }

    fn lose_power(&mut self) {
        let survival = match self.dice.below(8) {
            0 => Survival::Nothing,
            1 => Survival::Everything,
            _ => Survival::Chosen(self.dice.next()),
        };
        self.env.trace.milestone(
            self.env.now_us,
            &format!("found after the loss: {survival:?}"),
        );
        self.site = self.site_on(self.site.simulated.survivor(survival));
    }

    fn site_on(&self, simulated: SimulatedDisk) -> Site {
        Site::new(simulated, &self.profile)
    }

    /// Looks at several disks that might be found if power were lost now, and at what a server would
    /// make of each.
    pub(super) fn check_survivors(&mut self) {
        if self.env.complaint.is_some() || self.lives == 0 {
            return;
        }
        let mut survivals = vec![Survival::Nothing, Survival::Everything];
        for _ in 0..self.options.survivors.max(1) {
            survivals.push(Survival::Chosen(self.dice.next()));
        }
        for survival in survivals {
            let disk = self.site.simulated.survivor(survival);
            disk.set_capacity(None);
            let site = self.site_on(disk);
            self.checked_recoveries += 1;
            let checked = site
                .recover()
                .map_err(|err| err.to_string())
                .and_then(|recovered| {
                    let oracle = &self.env.checkers.oracle;
                    oracle.would_accept(&recovered.replica, recovered.last_zxid)
                });
            if let Err(what) = checked {
                let what = format!("{survival:?}: {what}");
                return self.env.complain("every survivor recovers", what);
            }
        }
    }

    /// Recovers, with faults on the way, and begins a new life.
    pub(super) fn restart(&mut self) {
        let Some(mut recovered) = self.recover() else {
            return;
        };
        for record in std::mem::take(&mut self.unforgotten) {
            if let Ok(record) = TxnRecord::decode(&record)
                && record.header.zxid == recovered.replica.last_zxid().next()
            {
                recovered
                    .replica
                    .replay(&record.header, &record.txn, record.digest.as_ref());
            }
        }
        self.conns_from = self.next_conn;
        let life = Life(self.lives);
        self.lives += 1;
        let site = self.site.clone();
        let seed = self.options.seed;
        let server = Server::start(&mut self.env, site, recovered, &self.profile, life, seed);
        self.server = Some(server);
    }

    fn recover(&mut self) -> Option<Recovered> {
        for attempt in 0.. {
            if self.options.faults == Faults::Random && attempt == 0 && self.dice.per_mille(300) {
                self.disturb_recovery();
            }
            match self.site.recover() {
                Ok(recovered) => return Some(recovered),
                Err(err) if attempt < RECOVERY_FAULTS_MAX => self.recovery_failed(&err),
                Err(err) => {
                    self.env.complain("recovery succeeds", err.to_string());
                    return None;
                }
            }
        }
        None
    }

    fn disturb_recovery(&mut self) {
        let disk = &self.site.simulated;
        let fault = *self.dice.pick(&[Fault::PowerLoss, Fault::Error]);
        disk.inject(disk.operations() + self.dice.below(10), fault);
    }

    /// A fault of the disk's is overcome by trying again, with room on it.
    fn recovery_failed(&mut self, err: &RecoverError) {
        self.env
            .trace
            .milestone(self.env.now_us, &format!("recovery fails: {err}"));
        if !self.site.has_power() {
            self.lose_power();
        }
        self.site.simulated.set_capacity(None);
    }
}
