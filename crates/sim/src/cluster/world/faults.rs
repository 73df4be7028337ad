//! What breaks in the first act.

use super::World;
use crate::cluster::chance::Chance;
use crate::cluster::member::End;
use crate::cluster::options::FAULT_KINDS;
use crate::cluster::schedule::{Direction, Event, MemberId};
use crate::random::Random;
use zooid_node::Input;
use zooid_storage::disk::Fault;

/// Every kind of fault. A profile has a weight for each.
const KINDS: [Kind; FAULT_KINDS] = [
    Kind::Kill,
    Kind::LosePower,
    Kind::LosePowerEverywhere,
    Kind::FailDisk,
    Kind::SlowDisk,
    Kind::Freeze,
    Kind::Part,
    Kind::Isolate,
    Kind::Stall,
    Kind::Reset,
    Kind::FillDisk,
    Kind::JumpClock,
    Kind::StallDisk,
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// A process is killed, or asked to stop.
    Kill,
    /// A machine loses power at one of its disk's next operations.
    LosePower,
    /// All do, at once.
    LosePowerEverywhere,
    /// One of a disk's next operations fails.
    FailDisk,
    /// One of a disk's next syncs takes long.
    SlowDisk,
    /// A process does nothing for a while.
    Freeze,
    /// The network falls into two parts, perhaps in one direction only.
    Part,
    /// One member is cut off from some others, perhaps in one direction only.
    Isolate,
    /// A connection carries nothing in one direction.
    Stall,
    /// A connection breaks, or all of a member's do, at any byte.
    Reset,
    /// A disk has little room left, for a while or until somebody looks after a member that stopped.
    FillDisk,
    /// A member's clock is set, or its machine was suspended.
    JumpClock,
    /// A disk does nothing for longer than anybody waits, in whatever it is asked for.
    StallDisk,
}

/// How long a disk may stall: longer than `initLimit`, which is a second here.
const STALL_US_MAX: u64 = 2_500_000;

impl World {
    pub(super) fn schedule_fault(&mut self) {
        let mut dice = Random::stream(self.options.seed, &format!("delay {}", self.planned));
        let delay_us = dice.below(2 * self.profile.fault_interval_us);
        self.env.after(delay_us, Event::Fault);
    }

    /// The dice of an occasion, if it may be used.
    pub(super) fn take_chance(&mut self, chance: Chance) -> Option<Random> {
        let is_open = self.may_break() && self.options.script.allows(chance);
        is_open.then(|| Random::stream(self.options.seed, &chance.to_string()))
    }

    fn draw_kind(&mut self, dice: &mut Random) -> Option<Kind> {
        let weights = self.profile.weights;
        let mut left = dice.below(weights.iter().sum());
        for (kind, weight) in KINDS.into_iter().zip(weights) {
            if left < weight {
                return Some(kind);
            }
            left -= weight;
        }
        None
    }

    /// The leader is the most rewarding.
    fn draw_member(&mut self, dice: &mut Random) -> MemberId {
        match self.env.checkers.leadership.newest() {
            Some((_, leader)) if dice.per_mille(350) => leader,
            _ => dice.index(self.places.len()),
        }
    }

    pub(super) fn break_something(&mut self) {
        if !self.may_break() {
            return;
        }
        let chance = Chance::Planned(self.planned);
        self.planned += 1;
        self.schedule_fault();
        let Some(mut own_dice) = self.take_chance(chance) else {
            return;
        };
        let dice = &mut own_dice;
        let Some(kind) = self.draw_kind(dice) else {
            return;
        };
        self.faults.insert(chance);
        let at = self.draw_member(dice);
        self.env.milestone(&format!("{kind:?} at {at}"));
        match kind {
            // One of three is asked, and ends when it has left.
            Kind::Kill if dice.below(3) == 0 => self.tell(at, Input::Leave),
            Kind::Kill => self.end(at, End::Killed),
            Kind::LosePower => {
                let operations = dice.below(30);
                self.inject(at, operations, Fault::PowerLoss);
            }
            Kind::LosePowerEverywhere => {
                // Often enough that it happens, seldom enough that something happens between.
                if dice.per_mille(300) {
                    for at in 0..self.places.len() {
                        self.end(at, End::PowerLost);
                    }
                }
            }
            Kind::FailDisk => {
                let operations = dice.below(20);
                self.inject(at, operations, Fault::Error);
            }
            Kind::SlowDisk => {
                let operations = dice.below(10);
                self.inject(at, operations, Fault::SlowSync);
            }
            Kind::Freeze => {
                let most_us = *dice.pick(&[20_000, 300_000, 1_500_000]);
                let until_us = self.env.now_us + dice.below(most_us);
                self.places[at].frozen_until_us = until_us;
            }
            Kind::Part => self.part(dice),
            Kind::Isolate => self.isolate(dice, at),
            Kind::Stall => {
                let until_us = self.env.now_us + dice.below(1_500_000);
                let direction = *dice.pick(&[Direction::Out, Direction::Back]);
                if let Some(wire) = self.env.network.any_wire() {
                    self.env.network.stall(wire, direction, until_us);
                }
            }
            Kind::Reset => self.reset(dice, at),
            Kind::FillDisk => self.fill_disk(dice, at),
            Kind::JumpClock => self.jump_clock(dice, at),
            Kind::StallDisk => {
                let until_us = self.env.now_us + dice.below(STALL_US_MAX);
                self.places[at].stalled_until_us = until_us;
            }
        }
    }

    pub(super) fn end(&mut self, at: MemberId, end: End) {
        if let Some(member) = &mut self.places[at].member {
            member.end.get_or_insert(end);
        }
        self.bury(at);
    }

    fn inject(&mut self, at: MemberId, operations: u64, fault: Fault) {
        let disk = &self.places[at].site.simulated;
        disk.inject(disk.operations() + operations, fault);
    }

    fn part(&mut self, dice: &mut Random) {
        let one: Vec<bool> = self.places.iter().map(|_| dice.per_mille(500)).collect();
        let (there, back) = draw_directions(dice);
        for (from, from_one) in one.iter().enumerate() {
            for (to, to_one) in one.iter().enumerate() {
                if (*from_one && !to_one && there) || (!from_one && *to_one && back) {
                    self.env.network.block(from, to);
                }
            }
        }
        self.reunite_later(dice);
    }

    fn isolate(&mut self, dice: &mut Random, at: MemberId) {
        let (there, back) = draw_directions(dice);
        let spares = *dice.pick(&[0, 0, 400]);
        for other in (0..self.places.len()).filter(|other| *other != at) {
            if dice.per_mille(spares) {
                continue;
            }
            if there {
                self.env.network.block(at, other);
            }
            if back {
                self.env.network.block(other, at);
            }
        }
        self.reunite_later(dice);
    }

    fn fill_disk(&mut self, dice: &mut Random, at: MemberId) {
        let kib = dice.between(1, 48);
        let place = &mut self.places[at];
        place.is_short_of_room = true;
        place.site.simulated.set_capacity(Some(kib << 10));
        self.room_changes(at);
        let full_us = dice.below(1_000_000);
        self.env.after(full_us, Event::FreeDisk(at));
    }

    pub(super) fn free_disk(&mut self, at: MemberId) {
        if !self.may_break() {
            // It was mended when the faults ended. If it is full again, that is a trial's.
            return;
        }
        self.env.milestone(&format!("member {at} has room again"));
        self.make_room(at);
    }

    pub(super) fn make_room(&mut self, at: MemberId) {
        let place = &mut self.places[at];
        place.is_short_of_room = false;
        place.site.simulated.set_capacity(None);
        self.room_changes(at);
    }

    pub(super) fn room_changes(&mut self, at: MemberId) {
        if let Some(member) = self.places[at].living() {
            member.room_changes(&mut self.env);
        }
    }

    /// Years back or ahead for the wall clock; seconds ahead for the monotonic one.
    fn jump_clock(&mut self, dice: &mut Random, at: MemberId) {
        let most_ms = *dice.pick(&[1_000, 100_000, 100_000_000_000]);
        let ahead_ms = i64::try_from(dice.below(most_ms)).expect("small");
        let is_back = dice.per_mille(500);
        let wall_ms = if is_back { -ahead_ms } else { ahead_ms };
        let is_suspended = dice.per_mille(300);
        let mono_ms = if is_suspended { dice.below(4_000) } else { 0 };
        let place = &mut self.places[at];
        place.clock.jump(wall_ms, mono_ms);
        if let Some(member) = &mut place.member {
            member.clock = place.clock;
        }
    }

    fn reunite_later(&mut self, dice: &mut Random) {
        // Long enough for a member to make do without a leader, where it may.
        let long_us = if self.profile.read_only_mode {
            4_000_000
        } else {
            1_000_000
        };
        let most_us = *dice.pick(&[100_000, long_us]);
        let delay_us = dice.below(most_us);
        self.env.after(delay_us, Event::Reunite);
    }

    fn reset(&mut self, dice: &mut Random, at: MemberId) {
        if dice.per_mille(500) {
            for wire in self.env.network.wires_of(at) {
                self.env.reset(wire);
            }
        } else if let Some(wire) = self.env.network.any_wire() {
            self.env.reset(wire);
        }
    }
}

/// There, and back.
fn draw_directions(dice: &mut Random) -> (bool, bool) {
    *dice.pick(&[(true, true), (true, true), (true, false), (false, true)])
}
