//! The network between the quorum ports: connections that keep the order of what they carry, take
//! their time, stall, break, and reach nobody across a partition.
//!
//! What is on its way when a connection breaks is lost from some byte on, and packets come in pieces. What is sent across a
//! partition waits, as TCP would send it again, until the network has found together or somebody
//! hangs up. A dead process is noticed at once if its kernel lives, or when something is sent to it
//! after it is back; a lost machine says nothing.

use super::env::Env;
use super::schedule::{Direction, Event, MemberId, Turn, WireId};
use crate::random::Random;
use crate::schedule::Life;
use bytes::Bytes;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use zooid_node::Input;
use zooid_proto::Zxid;
use zooid_zab::LinkId;

/// Parcels under way in one direction, above which the sender's driver hangs up: the other side does
/// not read.
const UNDER_WAY_MAX: usize = 4_000;
/// Packets of a thousand that come in two pieces.
const PIECES_PER_MILLE: u64 = 20;
/// How long somebody tries to connect across a partition.
const CONNECT_TIMEOUT_US: u64 = 400_000;

/// What is carried.
#[derive(Clone, Debug)]
pub(crate) enum Parcel {
    /// Encoded packets, and snapshots between them, cut anywhere.
    Bytes(Bytes),
    /// The sender has hung up.
    Fin,
}

/// One side of a wire.
#[derive(Clone, Copy, Debug)]
struct End {
    member: MemberId,
    life: Life,
    link: LinkId,
    is_open: bool,
    /// Its machine is gone and answers nothing, until it is back.
    is_lost: bool,
}

#[derive(Clone, Debug, Default)]
struct Lane {
    parcels: VecDeque<Parcel>,
    /// When the last of them arrives.
    arrives_us: u64,
    stalled_until_us: u64,
    /// Parcels that arrived at a partition's border.
    held: usize,
    /// The connection is broken: nothing more is carried.
    is_cut: bool,
}

impl Lane {
    /// What is on its way is lost from some byte on.
    fn cut(&mut self, dice: &mut Random) {
        self.is_cut = true;
        let arrives = dice.index(self.parcels.len() + 1);
        let torn = self.parcels.drain(arrives..).next();
        if let Some(Parcel::Bytes(bytes)) = torn {
            let arrives = dice.index(bytes.len());
            self.parcels
                .push_back(Parcel::Bytes(bytes.slice(..arrives)));
        }
    }
}

#[derive(Clone, Debug)]
struct Wire {
    dialler: End,
    /// `None` until it is connected.
    acceptor: Option<End>,
    to: MemberId,
    out: Lane,
    back: Lane,
}

#[derive(Debug)]
pub(crate) struct Network {
    dice: Random,
    latency_us: u64,
    next_wire: u64,
    wires: BTreeMap<WireId, Wire>,
    by_link: BTreeMap<(MemberId, LinkId), (WireId, Direction)>,
    /// Nothing gets from the one to the other.
    blocked: BTreeSet<(MemberId, MemberId)>,
    /// What the snapshot on a wire is one of; for the checkers.
    histories: BTreeMap<WireId, Arc<[Zxid]>>,
}

impl Network {
    pub(crate) fn new(seed: u64, latency_us: u64) -> Network {
        Network {
            dice: Random::stream(seed, "network"),
            latency_us,
            next_wire: 0,
            wires: BTreeMap::new(),
            by_link: BTreeMap::new(),
            blocked: BTreeSet::new(),
            histories: BTreeMap::new(),
        }
    }

    pub(crate) fn is_blocked(&self, from: MemberId, to: MemberId) -> bool {
        self.blocked.contains(&(from, to))
    }

    pub(crate) fn block(&mut self, from: MemberId, to: MemberId) {
        self.blocked.insert((from, to));
    }

    /// A snapshot is sent on a wire.
    pub(crate) fn note_history(&mut self, wire: WireId, history: &[Zxid]) {
        self.histories.insert(wire, history.into());
    }

    /// What the snapshot that came on a wire is one of.
    pub(crate) fn take_history(&mut self, wire: WireId) -> Option<Arc<[Zxid]>> {
        self.histories.remove(&wire)
    }

    fn latency(&mut self) -> u64 {
        // Now and then a packet is lost and sent again.
        if self.dice.per_mille(3) {
            return self.dice.between(self.latency_us, 40 * self.latency_us);
        }
        self.dice.between(self.latency_us / 4, self.latency_us)
    }

    /// A wire that is connected, drawn by dice.
    pub(crate) fn any_wire(&mut self) -> Option<WireId> {
        let open = |(id, wire): (&WireId, &Wire)| wire.acceptor.map(|_| *id);
        let wires: Vec<WireId> = self.wires.iter().filter_map(open).collect();
        (!wires.is_empty()).then(|| wires[self.dice.index(wires.len())])
    }

    /// The wires that a member has an end of.
    pub(crate) fn wires_of(&self, member: MemberId) -> Vec<WireId> {
        let has = |wire: &Wire| wire.dialler.member == member || wire.to == member;
        let wires = self.wires.iter().filter(|(_, wire)| has(wire));
        wires.map(|(id, _)| *id).collect()
    }

    pub(crate) fn stall(&mut self, wire: WireId, direction: Direction, until_us: u64) {
        if let Some(wire) = self.wires.get_mut(&wire) {
            wire.lane(direction).stalled_until_us = until_us;
        }
    }

    /// The wire behind a link, and in which direction its end sends.
    pub(crate) fn find(&self, member: MemberId, link: LinkId) -> Option<(WireId, Direction)> {
        self.by_link.get(&(member, link)).copied()
    }

    /// Who is at the other end.
    pub(crate) fn other_end(&self, wire: WireId, sends: Direction) -> Option<MemberId> {
        let wire = self.wires.get(&wire)?;
        Some(match sends {
            Direction::Out => wire.to,
            Direction::Back => wire.dialler.member,
        })
    }

    fn forget_if_closed(&mut self, id: WireId) {
        let is_over = |wire: &Wire| {
            let is_open = |end: &End| end.is_open;
            !wire.dialler.is_open && !wire.acceptor.as_ref().is_some_and(is_open)
        };
        if self.wires.get(&id).is_some_and(is_over) {
            self.wires.remove(&id);
        }
    }
}

impl Wire {
    fn lane(&mut self, direction: Direction) -> &mut Lane {
        match direction {
            Direction::Out => &mut self.out,
            Direction::Back => &mut self.back,
        }
    }

    /// Who sends in a direction.
    fn sender(&mut self, direction: Direction) -> Option<&mut End> {
        match direction {
            Direction::Out => Some(&mut self.dialler),
            Direction::Back => self.acceptor.as_mut(),
        }
    }

    /// Members from which and to which a direction leads.
    fn way(&self, direction: Direction) -> (MemberId, MemberId) {
        match direction {
            Direction::Out => (self.dialler.member, self.to),
            Direction::Back => (self.to, self.dialler.member),
        }
    }
}

impl Env {
    /// Somebody wants to connect.
    pub(crate) fn dial(&mut self, member: MemberId, life: Life, link: LinkId, to: MemberId) {
        self.network.next_wire += 1;
        let id = WireId(self.network.next_wire);
        let dialler = End {
            member,
            life,
            link,
            is_open: true,
            is_lost: false,
        };
        let wire = Wire {
            dialler,
            acceptor: None,
            to,
            out: Lane::default(),
            back: Lane::default(),
        };
        self.network.wires.insert(id, wire);
        self.network
            .by_link
            .insert((member, link), (id, Direction::Out));
        let delay_us = self.network.latency();
        self.after(delay_us, Event::Connect(id));
    }

    /// The dialled end is reached. `accept` is that member's life and its name for the link, if it is
    /// there. Whether it is connected.
    pub(crate) fn connect(&mut self, id: WireId, accept: Option<(Life, LinkId)>) -> bool {
        let Some(wire) = self.network.wires.get_mut(&id) else {
            return false;
        };
        let (from, to) = wire.way(Direction::Out);
        let dialler = wire.dialler;
        let is_cut = self.network.is_blocked(from, to) || self.network.is_blocked(to, from);
        match accept {
            Some((life, link)) if !is_cut => {
                let end = End {
                    member: to,
                    life,
                    link,
                    is_open: true,
                    is_lost: false,
                };
                if let Some(wire) = self.network.wires.get_mut(&id) {
                    wire.acceptor = Some(end);
                }
                self.network
                    .by_link
                    .insert((to, link), (id, Direction::Back));
                self.tell_end(dialler, Input::LinkUp(dialler.link));
                true
            }
            _ => {
                let delay_us = if is_cut { CONNECT_TIMEOUT_US } else { 0 };
                self.drop_end(id, Direction::Out, delay_us);
                false
            }
        }
    }

    fn tell_end(&mut self, end: End, input: Input) {
        let delay_us = self.network.latency();
        self.after(
            delay_us,
            Event::Member(end.member, end.life, Turn::Told(input)),
        );
    }

    /// An end learns that its connection is gone.
    fn drop_end(&mut self, id: WireId, sends: Direction, delay_us: u64) {
        let Some(wire) = self.network.wires.get_mut(&id) else {
            return;
        };
        let Some(end) = wire.sender(sends).filter(|end| end.is_open) else {
            return;
        };
        end.is_open = false;
        let end = *end;
        let down = Turn::Told(Input::LinkDown(end.link));
        self.after(delay_us, Event::Member(end.member, end.life, down));
        self.network.by_link.remove(&(end.member, end.link));
        self.network.forget_if_closed(id);
    }

    /// Puts a packet on a wire, now and then in two pieces.
    pub(crate) fn transmit_packet(&mut self, id: WireId, direction: Direction, packet: Bytes) {
        if self.network.dice.per_mille(PIECES_PER_MILLE) {
            self.transmit_in_pieces(id, direction, packet);
        } else {
            self.transmit(id, direction, Parcel::Bytes(packet));
        }
    }

    /// Puts bytes on a wire, in two pieces.
    pub(crate) fn transmit_in_pieces(
        &mut self,
        id: WireId,
        direction: Direction,
        mut bytes: Bytes,
    ) {
        let first = bytes.split_to(self.network.dice.index(bytes.len()));
        self.transmit(id, direction, Parcel::Bytes(first));
        self.transmit(id, direction, Parcel::Bytes(bytes));
    }

    /// Puts something on a wire.
    fn transmit(&mut self, id: WireId, direction: Direction, parcel: Parcel) {
        let delay_us = self.network.latency();
        let Some(wire) = self.network.wires.get_mut(&id) else {
            return;
        };
        let lane = wire.lane(direction);
        if lane.is_cut {
            return;
        }
        lane.arrives_us = lane.arrives_us.max(self.now_us + delay_us);
        lane.parcels.push_back(parcel);
        let (arrives_us, is_full) = (lane.arrives_us, lane.parcels.len() > UNDER_WAY_MAX);
        self.schedule.at(arrives_us, Event::Arrive(id, direction));
        if is_full {
            self.reset(id);
        }
    }

    /// The parcel that arrives now, and for whom, unless something keeps it.
    pub(crate) fn arrive(
        &mut self,
        id: WireId,
        direction: Direction,
    ) -> Option<(MemberId, Life, LinkId, Parcel)> {
        let now_us = self.now_us;
        let wire = self.network.wires.get_mut(&id)?;
        let (from, to) = wire.way(direction);
        let lane = wire.lane(direction);
        if lane.stalled_until_us > now_us {
            let until_us = lane.stalled_until_us;
            self.schedule.at(until_us, Event::Arrive(id, direction));
            return None;
        }
        if self.network.blocked.contains(&(from, to)) {
            lane.held += 1;
            return None;
        }
        let parcel = lane.parcels.pop_front()?;
        match wire.sender(direction.reverse()).copied() {
            Some(end) if end.is_open => match parcel {
                Parcel::Fin => {
                    self.drop_end(id, direction.reverse(), 0);
                    None
                }
                parcel => Some((end.member, end.life, end.link, parcel)),
            },
            Some(end) if end.is_lost => None,
            // Nobody is there any more, and says so.
            _ => {
                let delay_us = self.network.latency();
                self.drop_end(id, direction, delay_us);
                None
            }
        }
    }

    /// One end hangs up; the other learns it behind what is on its way, some of which may be lost.
    pub(crate) fn hang_up(&mut self, member: MemberId, link: LinkId) {
        let Some((id, sends)) = self.network.by_link.remove(&(member, link)) else {
            return;
        };
        self.close_end(id, sends);
    }

    fn close_end(&mut self, id: WireId, sends: Direction) {
        let keeps = self.network.dice.below(4);
        let Some(wire) = self.network.wires.get_mut(&id) else {
            return;
        };
        if let Some(end) = wire.sender(sends) {
            end.is_open = false;
        }
        let is_connected = wire.acceptor.is_some();
        let lane = wire.lane(sends);
        if keeps == 0 && lane.held == 0 {
            lane.parcels.clear();
        }
        if is_connected {
            self.transmit(id, sends, Parcel::Fin);
        }
        self.network.forget_if_closed(id);
    }

    /// The connection breaks. Both ends learn of it, each in its time.
    pub(crate) fn reset(&mut self, id: WireId) {
        for sends in [Direction::Out, Direction::Back] {
            let delay_us = self.network.dice.below(4 * self.network.latency_us);
            let Network { wires, dice, .. } = &mut self.network;
            if let Some(wire) = wires.get_mut(&id) {
                wire.lane(sends).cut(dice);
            }
            self.drop_end(id, sends, delay_us);
        }
    }

    /// A member's process ends. Its kernel closes its connections, unless that is gone, too.
    pub(crate) fn abandon(&mut self, member: MemberId, says_so: bool) {
        let mine = |((owner, _), _): &(&(MemberId, LinkId), &(WireId, Direction))| *owner == member;
        let links = self.network.by_link.iter().filter(mine);
        let ends: Vec<_> = links.map(|((_, link), end)| (*link, *end)).collect();
        for (link, (id, sends)) in ends {
            self.network.by_link.remove(&(member, link));
            if says_so {
                self.close_end(id, sends);
                continue;
            }
            if let Some(end) = (self.network.wires.get_mut(&id)).and_then(|wire| wire.sender(sends))
            {
                end.is_open = false;
                end.is_lost = true;
            }
            self.network.forget_if_closed(id);
        }
    }

    /// A machine is back, and answers what is meant for its earlier life.
    pub(crate) fn revive(&mut self, member: MemberId) {
        for wire in self.network.wires.values_mut() {
            for direction in [Direction::Out, Direction::Back] {
                if let Some(end) = wire.sender(direction).filter(|end| end.member == member) {
                    end.is_lost = false;
                }
            }
        }
    }

    /// The network is whole again; what waited at the borders goes on.
    pub(crate) fn reunite(&mut self) {
        self.network.blocked.clear();
        let now_us = self.now_us;
        let mut waiting = Vec::new();
        for (id, wire) in &mut self.network.wires {
            for direction in [Direction::Out, Direction::Back] {
                let held = std::mem::take(&mut wire.lane(direction).held);
                waiting.extend(std::iter::repeat_n((*id, direction), held));
            }
        }
        for (id, direction) in waiting {
            self.schedule
                .at(now_us + 1000, Event::Arrive(id, direction));
        }
    }

    /// Nothing stalls any more.
    pub(crate) fn unstall(&mut self) {
        for wire in self.network.wires.values_mut() {
            wire.out.stalled_until_us = 0;
            wire.back.stalled_until_us = 0;
        }
    }
}
