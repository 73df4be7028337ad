//! Between the mending and the end: everyone is well, and then the leader's disk alone is not.
//!
//! A disk that stalls says nothing, and one that is full says so; either way another must lead, soon, and
//! clients must get on with it. In the first act other faults would be an excuse.

use super::World;
use super::acts::Act;
use crate::cluster::chance::Chance;
use crate::cluster::schedule::{Event, MemberId};
use crate::random::Random;

/// Runs of a thousand in which it happens, of each kind.
const PER_MILLE: u64 = 150;
/// How long the disk is bad.
const LASTS_US: u64 = 4_000_000;
/// Until another leads, and a client has written since: `syncLimit` is 500 ms, an election takes 200 ms
/// where somebody says nothing, and clients lose patience after 700 ms. (One that is out of luck tries the
/// member that does not serve again and again.)
const OTHERS_LEAD_US: u64 = 3_500_000;
/// More than any disk holds.
const VAST: u64 = 1 << 40;
/// Bytes of room on a disk that is full.
const ROOM: u64 = 0;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Stalls,
    Fills,
}

/// What is tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Trial {
    kind: Kind,
    leader: MemberId,
    /// Whether another has led since, or the disk is well again.
    is_passed_on: bool,
}

impl World {
    /// Whether it is tried, once in a run, what the others do when the leader's disk is bad.
    pub(super) fn begin_trial(&mut self) -> bool {
        let is_open = self.options.script.allows(Chance::Trial) && !self.options.damages_a_disk;
        let mut dice = Random::stream(self.options.seed, "trial");
        let kind = match dice.below(1000) {
            drawn if drawn < PER_MILLE => Kind::Stalls,
            drawn if drawn < 2 * PER_MILLE => Kind::Fills,
            _ => return false,
        };
        let Some((_, leader)) = self.env.checkers.leadership.newest() else {
            return false;
        };
        if !is_open || !self.serves(leader) || !self.faults.insert(Chance::Trial) {
            return false;
        }
        self.env
            .milestone(&format!("the disk of leader {leader} {kind:?}"));
        match kind {
            Kind::Stalls => self.places[leader].stalled_until_us = self.env.now_us + LASTS_US,
            Kind::Fills => self.leave_little_room(leader),
        }
        self.env.after(LASTS_US, Event::EndTrial(leader));
        self.act = Act::Trial {
            since_us: self.env.now_us,
            trial: Trial {
                kind,
                leader,
                is_passed_on: false,
            },
        };
        true
    }

    fn leave_little_room(&mut self, at: MemberId) {
        let place = &mut self.places[at];
        place.is_short_of_room = true;
        let disk = &place.site.simulated;
        disk.set_capacity(Some(VAST));
        let used = VAST - place.site.available();
        disk.set_capacity(Some(used + ROOM));
        self.room_changes(at);
    }

    pub(super) fn judge_trial(&mut self, since_us: u64, mut trial: Trial) {
        if trial.kind == Kind::Fills && self.places[trial.leader].is_short_of_room {
            // What the member removes, others take.
            self.leave_little_room(trial.leader);
        }
        let newest = self.env.checkers.leadership.newest();
        let leads = newest
            .map(|(_, leader)| leader)
            .filter(|at| self.serves(*at));
        // It stopped, and whoever started it again has seen to its disk.
        let place = &self.places[trial.leader];
        let is_well = !place.is_short_of_room && place.stalled_until_us < self.env.now_us;
        let is_another = leads.is_some_and(|leader| leader != trial.leader);
        if !trial.is_passed_on && (is_well || is_another) {
            trial.is_passed_on = true;
            for client in &mut self.clients {
                client.calm_writes = 0;
            }
            self.act = Act::Trial { since_us, trial };
        }
        let mut clients = self.clients.iter();
        let get_on = self.clients.is_empty() || clients.any(|client| client.calm_writes > 0);
        if self.env.now_us > since_us + OTHERS_LEAD_US && !(trial.is_passed_on && get_on) {
            let what = format!("leader {}: {}", trial.leader, self.describe());
            self.env
                .complain("a leader with a bad disk is replaced", what);
        }
    }

    pub(super) fn end_trial(&mut self, at: MemberId) {
        self.env
            .milestone(&format!("the disk of member {at} is well again"));
        self.places[at].stalled_until_us = 0;
        self.make_room(at);
        self.converge_again();
    }
}
