//! A leader that others depose behind its back, with clients on it that ask how things stand.
//!
//! What its followers say comes late, what it says does not come at all, and then nothing does. So they
//! elect another one while it still takes itself for the leader, for about as long as their words were
//! late. Meanwhile one client asks it again and again, and all others ask its successor. As other
//! faults it is an occasion with dice of its own, of which a run has one.

use super::World;
use crate::cluster::chance::Chance;
use crate::cluster::client::Errand;
use crate::cluster::schedule::{Deposing, Direction, Event, MemberId};
use crate::random::Random;

/// Runs of a thousand in which it happens.
const PER_MILLE: u64 = 300;
/// When it begins: everybody has had time to find together.
const BEGINS_US: (u64, u64) = (800_000, 1_800_000);
/// How late the followers' words come: within `syncLimit`, of 500 ms here.
const LATE_US: (u64, u64) = (300_000, 480_000);
/// From when they are late until nothing reaches the followers: longer than between two PINGs.
const DEAFEN_US: u64 = 80_000;
/// Between the late words and the cut.
const CUT_US: u64 = 5_000;
/// Between what the clients ask for.
const PROMPT_US: usize = 30_000;
/// From the beginning until clients ask, which is when others may lead, and until all is over.
const ASK_US: u64 = 600_000;
const OVER_US: u64 = 1_200_000;

impl World {
    /// In some runs, once.
    pub(super) fn schedule_deposition(&mut self) {
        if let Some(mut dice) = self.take_chance(Chance::Deposition)
            && dice.per_mille(PER_MILLE)
        {
            let (least_us, most_us) = BEGINS_US;
            let delay_us = dice.between(least_us, most_us);
            self.env.after(delay_us, Event::Depose(Deposing::Begin));
        }
    }

    pub(super) fn depose(&mut self, deposing: Deposing) {
        if !self.may_break() {
            return;
        }
        match deposing {
            Deposing::Begin => self.begin_deposition(),
            Deposing::Deafen(leader) => {
                for other in self.others(leader) {
                    self.env.network.block(leader, other);
                }
            }
            Deposing::Cut(leader) => {
                for other in self.others(leader) {
                    self.env.network.block(other, leader);
                }
            }
            Deposing::Prompt => {
                for client in &mut self.clients {
                    client.run_errand(&mut self.env);
                }
            }
            Deposing::End => {
                for client in &mut self.clients {
                    client.errand = None;
                }
                self.env.reunite();
            }
        }
    }

    fn begin_deposition(&mut self) {
        let Some((_, leader)) = self.env.checkers.leadership.newest() else {
            return;
        };
        self.faults.insert(Chance::Deposition);
        self.env
            .milestone(&format!("leader {leader} is to be deposed unawares"));
        let mut dice = Random::stream(self.options.seed, "deposing");
        let late_us = dice.between(LATE_US.0, LATE_US.1);
        self.delay_words_to(leader, self.env.now_us + late_us);
        self.send_on_errands(&mut dice, leader);
        let mut later = |delay_us, deposing| self.env.after(delay_us, Event::Depose(deposing));
        later(DEAFEN_US, Deposing::Deafen(leader));
        later(late_us + CUT_US, Deposing::Cut(leader));
        for delay_us in (ASK_US..OVER_US).step_by(PROMPT_US) {
            later(delay_us, Deposing::Prompt);
        }
        later(OVER_US, Deposing::End);
    }

    fn delay_words_to(&mut self, leader: MemberId, until_us: u64) {
        let network = &mut self.env.network;
        for wire in network.wires_of(leader) {
            for direction in [Direction::Out, Direction::Back] {
                if network.other_end(wire, direction) == Some(leader) {
                    network.stall(wire, direction, until_us);
                }
            }
        }
    }

    fn send_on_errands(&mut self, dice: &mut Random, leader: MemberId) {
        if self.clients.is_empty() {
            return;
        }
        let reader = dice.index(self.clients.len());
        for (at, client) in self.clients.iter_mut().enumerate() {
            let errand = if at == reader {
                Errand::Read(leader)
            } else {
                Errand::Change { not_on: leader }
            };
            client.send_on(&mut self.env, errand);
        }
    }

    fn others(&self, member: MemberId) -> impl Iterator<Item = MemberId> + use<> {
        (0..self.places.len()).filter(move |other| *other != member)
    }
}
