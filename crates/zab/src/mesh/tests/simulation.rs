//! Meshes among each other, over connections that are slow and break.

use super::*;

struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        // SplitMix64.
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % bound
    }
}

struct Connection {
    dialer: ServerId,
    acceptor: ServerId,
    /// When the last thing on its way to an end arrives.
    busy_until_ms: BTreeMap<ServerId, i64>,
    /// Ends that have closed it, or learned that it is.
    gone: BTreeSet<ServerId>,
}

struct World {
    meshes: BTreeMap<ServerId, Mesh>,
    connections: BTreeMap<MeshConnId, Connection>,
    events: BTreeMap<(i64, u64), (ServerId, MeshInput)>,
    heard: BTreeMap<(ServerId, ServerId), Bytes>,
    /// Whom each takes for unreachable.
    missed: BTreeSet<(ServerId, ServerId)>,
    random: Random,
    now_ms: i64,
    sequence: u64,
    is_stormy: bool,
    dials: usize,
}

impl World {
    fn new(servers: i64, seed: u64) -> World {
        let ids: Vec<i64> = (1..=servers).collect();
        let mesh = |id: &i64| {
            let others: Vec<i64> = ids.iter().copied().filter(|other| other != id).collect();
            (ServerId(*id), Mesh::new(ServerId(*id), peers(&others)))
        };
        World {
            meshes: ids.iter().map(mesh).collect(),
            connections: BTreeMap::new(),
            events: BTreeMap::new(),
            heard: BTreeMap::new(),
            missed: BTreeSet::new(),
            random: Random(seed),
            now_ms: 0,
            sequence: 0,
            is_stormy: true,
            dials: 0,
        }
    }

    fn schedule(&mut self, at_ms: i64, at: ServerId, input: MeshInput) {
        self.sequence += 1;
        self.events.insert((at_ms, self.sequence), (at, input));
    }

    fn delay(&mut self) -> i64 {
        i64::try_from(1 + self.random.below(20)).unwrap()
    }

    /// Puts something on its way over a connection.
    fn travel(&mut self, conn: MeshConnId, to: ServerId, input: MeshInput) {
        let delay = self.delay();
        let now_ms = self.now_ms;
        let connection = self.connections.get_mut(&conn).unwrap();
        let busy_until_ms = connection.busy_until_ms.entry(to).or_default();
        *busy_until_ms = (*busy_until_ms).max(now_ms + delay);
        let at_ms = *busy_until_ms;
        self.schedule(at_ms, to, input);
    }

    fn step(&mut self, at: ServerId, input: MeshInput) {
        if !self.still_concerns(at, &input) {
            return;
        }
        let mut out = Vec::new();
        let mesh = self.meshes.get_mut(&at).unwrap();
        mesh.step(self.now_ms, input, &mut out);
        for action in out {
            self.carry_out(at, action);
        }
    }

    /// What comes of a connection after it was closed at this end is never seen.
    fn still_concerns(&mut self, at: ServerId, input: &MeshInput) -> bool {
        let (MeshInput::Accepted(conn)
        | MeshInput::Introduced { conn, .. }
        | MeshInput::Dialed { conn, .. }
        | MeshInput::Received { conn, .. }
        | MeshInput::Written(conn)
        | MeshInput::Closed(conn)) = input
        else {
            return true;
        };
        let connection = self.connections.get_mut(conn).unwrap();
        let is_open = !connection.gone.contains(&at);
        if matches!(input, MeshInput::Closed(_)) {
            connection.gone.insert(at);
        }
        is_open
    }

    fn carry_out(&mut self, at: ServerId, action: MeshAction) {
        match action {
            MeshAction::Dial { to, addresses } => {
                assert!(!addresses.is_empty());
                self.dial(at, to);
            }
            MeshAction::Write { conn, message } => {
                let other = self.other_end(conn, at);
                self.travel(conn, other, MeshInput::Received { conn, message });
                let written_at_ms = self.now_ms + self.delay();
                self.schedule(written_at_ms, at, MeshInput::Written(conn));
            }
            MeshAction::Close { conn, .. } => self.close(conn, at),
            MeshAction::Deliver { from, message } => {
                self.heard.insert((from, at), message);
            }
            MeshAction::Unreachable(other) => {
                assert!(!self.meshes[&at].is_connected(other));
                assert!(self.missed.insert((at, other)), "said twice");
            }
            MeshAction::Reachable(other) => {
                assert!(self.missed.remove(&(at, other)), "said for nothing");
            }
        }
    }

    fn dial(&mut self, from: ServerId, to: ServerId) {
        self.dials += 1;
        let soon = self.now_ms + self.delay();
        if self.is_stormy && self.random.below(3) == 0 {
            self.schedule(soon, from, MeshInput::DialFailed(to));
            return;
        }
        self.sequence += 1;
        let conn = MeshConnId(self.sequence);
        let connection = Connection {
            dialer: from,
            acceptor: to,
            busy_until_ms: BTreeMap::new(),
            gone: BTreeSet::new(),
        };
        self.connections.insert(conn, connection);
        self.travel(conn, to, MeshInput::Accepted(conn));
        self.travel(conn, from, MeshInput::Dialed { conn, to });
        let message = InitialMessage {
            from,
            addresses: vec![address(&format!("host{from}"))],
        };
        self.travel(conn, to, MeshInput::Introduced { conn, message });
    }

    fn other_end(&self, conn: MeshConnId, end: ServerId) -> ServerId {
        let connection = &self.connections[&conn];
        if connection.dialer == end {
            connection.acceptor
        } else {
            connection.dialer
        }
    }

    fn close(&mut self, conn: MeshConnId, at: ServerId) {
        let other = self.other_end(conn, at);
        self.connections.get_mut(&conn).unwrap().gone.insert(at);
        self.travel(conn, other, MeshInput::Closed(conn));
    }

    fn run_until(&mut self, end_ms: i64) {
        while self.now_ms < end_ms {
            let timer = self.meshes.iter().filter_map(|(id, mesh)| {
                let at_ms = mesh.next_wakeup_ms()?;
                Some((at_ms, *id))
            });
            let timer = timer.min();
            let event_ms = self.events.first_key_value().map(|((at_ms, _), _)| *at_ms);
            let timer_ms = timer.map(|(at_ms, _)| at_ms);
            let next_ms = event_ms.into_iter().chain(timer_ms).min();
            self.now_ms = next_ms.unwrap_or(end_ms).max(self.now_ms);
            match timer {
                Some((at_ms, id)) if Some(at_ms) == next_ms => self.step(id, MeshInput::Timer),
                _ => {
                    if let Some((_, (at, input))) = self.events.pop_first() {
                        self.step(at, input);
                    }
                }
            }
        }
    }

    /// Something happens to somebody.
    fn disturb(&mut self) {
        let ids: Vec<ServerId> = self.meshes.keys().copied().collect();
        let count = u64::try_from(ids.len()).unwrap();
        let pick = |random: &mut Random| ids[usize::try_from(random.below(count)).unwrap()];
        let (one, other) = (pick(&mut self.random), pick(&mut self.random));
        if self.random.below(4) > 0 {
            if one != other {
                let message = Bytes::from(format!("{one} to {other} at {}", self.now_ms));
                self.step(one, MeshInput::Send { to: other, message });
            }
            return;
        }
        // A connection breaks: both ends learn of it, each in its time.
        let open: Vec<MeshConnId> = self.open_connections().collect();
        if let Some(index) = self.random.below(1 + count * count).checked_sub(1) {
            let index = usize::try_from(index).unwrap();
            if let Some(conn) = open.get(index) {
                for end in [
                    self.connections[conn].dialer,
                    self.connections[conn].acceptor,
                ] {
                    self.travel(*conn, end, MeshInput::Closed(*conn));
                }
            }
        }
    }

    fn open_connections(&self) -> impl Iterator<Item = MeshConnId> {
        let open = self.connections.iter().filter(|(_, c)| c.gone.is_empty());
        open.map(|(conn, _)| *conn)
    }
}

#[test]
fn every_pair_ends_with_one_connection_dialed_by_the_higher_and_hears_the_last_message() {
    for seed in 0..300 {
        let servers = [2, 3, 5][usize::try_from(seed % 3).unwrap()];
        let mut world = World::new(servers, seed);
        for _ in 0..200 {
            world.disturb();
            let pause = world.delay();
            world.run_until(world.now_ms + pause);
        }
        world.is_stormy = false;
        world.run_until(world.now_ms + 3000);
        let ids: Vec<ServerId> = world.meshes.keys().copied().collect();
        for one in &ids {
            for other in ids.iter().filter(|other| *other != one) {
                let message = Bytes::from(format!("{one} to {other} at last"));
                world.step(
                    *one,
                    MeshInput::Send {
                        to: *other,
                        message,
                    },
                );
            }
        }
        world.run_until(world.now_ms + 5000);
        let dials = world.dials;
        world.run_until(world.now_ms + 60_000);
        assert_eq!(world.dials, dials, "seed {seed}: no peace");
        assert_eq!(world.missed, BTreeSet::new(), "seed {seed}");
        let open: Vec<MeshConnId> = world.open_connections().collect();
        let pairs = open.iter().map(|conn| {
            let connection = &world.connections[conn];
            assert!(connection.dialer > connection.acceptor, "seed {seed}");
            (connection.dialer, connection.acceptor)
        });
        let pairs: BTreeSet<_> = pairs.collect();
        let expected = ids.len() * (ids.len() - 1) / 2;
        assert_eq!(
            (open.len(), pairs.len()),
            (expected, expected),
            "seed {seed}"
        );
        for one in &ids {
            for other in ids.iter().filter(|other| *other != one) {
                let heard = world.heard.get(&(*one, *other));
                let expected = Bytes::from(format!("{one} to {other} at last"));
                assert_eq!(heard, Some(&expected), "seed {seed}");
            }
        }
    }
}
