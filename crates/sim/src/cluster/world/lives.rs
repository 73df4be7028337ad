//! How lives begin and end.

use super::World;
use super::damage::Lot;
use crate::cluster::chance::Chance;
use crate::cluster::fact::Fact;
use crate::cluster::member::{End, Member, Seat};
use crate::cluster::schedule::{Event, MemberId};
use crate::cluster::site::{Found, Site};
use crate::schedule::Life;
use zooid_storage::disk::{Fault, Survival};
use zooid_zab::Epochs;

/// Between tries to start on a disk without room.
const RETRY_US: u64 = 100_000;
/// Faults that one recovery may meet before it must succeed.
const RECOVERY_FAULTS_MAX: u64 = 8;

impl World {
    pub(super) fn start(&mut self, at: MemberId) {
        if self.places[at].member.is_some() || !self.is_wanted(at) {
            return;
        }
        let Some((found, epochs)) = self.recover(at) else {
            return;
        };
        self.lives += 1;
        let place = &mut self.places[at];
        place.lives += 1;
        place.conns_from = self.next_conn;
        let seat = Seat {
            id: at,
            life: Life(self.options.seed.wrapping_mul(10_000) + self.lives),
            clock: place.clock,
        };
        self.env.revive(at);
        self.env.greet(at);
        let site = place.site.clone();
        let member = Member::start(&mut self.env, site, found, epochs, &self.profile, seat);
        self.places[at].member = Some(member);
    }

    fn recover(&mut self, at: MemberId) -> Option<(Found, Epochs)> {
        for attempt in 0.. {
            if attempt == 0 {
                self.break_start(at);
            }
            match self.load(at) {
                Ok(loaded) => return Some(loaded),
                Err(err) if self.places[at].lot == Lot::Damaged => {
                    self.halt(at, &err);
                    return None;
                }
                Err(err) if self.places[at].is_short_of_room => {
                    // Somebody has to look after it first.
                    self.env
                        .milestone(&format!("member {at} has no room to start: {err}"));
                    self.env.after(RETRY_US, Event::Start(at));
                    return None;
                }
                Err(err) if attempt < RECOVERY_FAULTS_MAX => {
                    self.env
                        .milestone(&format!("member {at} cannot start: {err}"));
                    if !self.places[at].site.has_power() {
                        self.lose_power(at);
                    }
                }
                Err(err) => {
                    let what = format!("member {at}: {err}");
                    self.env.complain("recovery succeeds", what);
                    return None;
                }
            }
        }
        None
    }

    fn break_start(&mut self, at: MemberId) {
        let life = self.places[at].lives;
        let chance = Chance::AtStart { member: at, life };
        if let Some(mut dice) = self.take_chance(chance)
            && dice.per_mille(100)
        {
            self.faults.insert(chance);
            let disk = &self.places[at].site.simulated;
            let fault = *dice.pick(&[Fault::PowerLoss, Fault::Error]);
            disk.inject(disk.operations() + dice.below(10), fault);
        }
    }

    /// Whether a machine loses power when one of its processes has ended.
    fn breaks_at_end(&mut self, at: MemberId) -> bool {
        let life = self.places[at].lives;
        let chance = Chance::AtEnd { member: at, life };
        let Some(mut dice) = self.take_chance(chance) else {
            return false;
        };
        let breaks = dice.per_mille(200);
        if breaks {
            self.faults.insert(chance);
        }
        breaks
    }

    pub(super) fn load(&self, at: MemberId) -> Result<(Found, Epochs), String> {
        let site = &self.places[at].site;
        let found = site.recover().map_err(|err| err.to_string())?;
        let mut records = found.recovered.recent.iter();
        if let Some((zxid, _)) = records.find(|(_, record)| record.len() > self.profile.limit.0) {
            // As a server of ZooKeeper's does, which would take this one's place.
            return Err(format!(
                "the record of {zxid} is larger than jute.maxbuffer"
            ));
        }
        let last = found.recovered.last_zxid;
        let epochs = site.epochs.load(last).map_err(|err| err.to_string())?;
        let epochs = Epochs {
            accepted: epochs.accepted,
            current: epochs.current,
        };
        Ok((found, epochs))
    }

    /// Ends a life that has come to its end.
    pub(super) fn bury(&mut self, at: MemberId) {
        let has_ended = |member: &&Member| member.end.is_some() && member.upkeep == 0;
        if (self.places[at].member.as_ref().filter(has_ended)).is_none() {
            return;
        }
        let Some(member) = self.places[at].member.take() else {
            return;
        };
        let why = member.end.as_ref().map(End::to_string).unwrap_or_default();
        self.env.tell(&Fact::Died {
            member: at,
            why: &why,
        });
        for conn in member.conns() {
            let delay_us = self.dice.below(5000);
            self.env.after(delay_us, Event::FinToClient(conn));
        }
        let lost_power = matches!(member.end, Some(End::PowerLost));
        self.env.abandon(at, !lost_power);
        let place = &mut self.places[at];
        place.frozen_until_us = 0;
        place.stalled_until_us = 0;
        // What the disk's snapshots are of is the checkers' knowledge.
        place.site = member.site;
        if lost_power || self.breaks_at_end(at) {
            self.lose_power(at);
        }
        if self.dice.per_mille(500) {
            self.make_room(at);
        }
        let down_us = *self.dice.pick(&[1_000, 50_000, 50_000, 400_000]);
        self.env.after(down_us, Event::Start(at));
    }

    pub(super) fn lose_power(&mut self, at: MemberId) {
        let survival = match self.dice.below(8) {
            0..2 => Survival::Nothing,
            2 => Survival::Everything,
            _ => Survival::Chosen(self.dice.next()),
        };
        self.env
            .milestone(&format!("member {at} finds after the loss: {survival:?}"));
        let site = &self.places[at].site;
        let survivor = site.simulated.survivor(survival);
        self.places[at].site = Site::new(survivor, site.histories.clone());
    }
}
