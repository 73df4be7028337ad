//! Whole elections over a network that delays, reorders, repeats and loses.

use super::*;
use alloc::collections::BTreeMap;

/// Times of messages and timers are unique in their second part, so that a seed decides everything.
type At = (i64, u64);

#[derive(Clone, Copy)]
struct Faults {
    delay_ms_max: i64,
    lost_percent: u64,
    repeated_percent: u64,
    /// A message may overtake another on the same way.
    reorders: bool,
    /// Of a server, per 100 ms.
    restart_percent: u64,
    /// Of a server, per 100 ms: that it takes another for unreachable which is not.
    misled_percent: u64,
}

/// A network that is merely slow; slower than that, and a better vote may come too late.
const HEALTHY: Faults = Faults {
    delay_ms_max: 90,
    lost_percent: 0,
    repeated_percent: 0,
    reorders: false,
    restart_percent: 0,
    misled_percent: 0,
};
const QUIET: Faults = Faults {
    delay_ms_max: 20,
    ..HEALTHY
};
const STORM: Faults = Faults {
    delay_ms_max: 600,
    lost_percent: 30,
    repeated_percent: 20,
    reorders: true,
    restart_percent: 5,
    misled_percent: 10,
};
/// Everything arrives, but nobody can tell who is there.
const MISLED: Faults = Faults {
    misled_percent: 30,
    ..HEALTHY
};

/// SplitMix64.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, bound: i64) -> i64 {
        let bound = bound.unsigned_abs();
        (self.next() % bound).cast_signed()
    }

    fn percent(&mut self, chance: u64) -> bool {
        self.next() % 100 < chance
    }
}

struct Server {
    election: Election,
    observer: bool,
    last: Zxid,
    epoch: Epoch,
    decided: Option<Decision>,
}

#[derive(Clone, Copy, Debug)]
struct Decision {
    at_ms: i64,
    vote: Vote,
    established: bool,
}

struct World {
    membership: Membership,
    servers: BTreeMap<ServerId, Server>,
    messages: BTreeMap<At, (ServerId, ServerId, Notification)>,
    /// When the last message on a way arrives.
    busy_until_ms: BTreeMap<(ServerId, ServerId), i64>,
    random: Random,
    faults: Faults,
    now_ms: i64,
    sequence: u64,
    newest_epoch: i64,
    /// Every decision of a voter.
    decisions: Vec<Vote>,
}

/// How often a server looks whether its leader leads, or its followers follow.
const CHECK_MS: i64 = 100;
/// How long that may not be so.
const PATIENCE_MS: i64 = 1000;

impl World {
    fn new(membership: Membership, observers: &[i64], seed: u64, faults: Faults) -> World {
        let mut random = Random(seed);
        let voters = membership.voters().into_iter().map(|id| (id, false));
        let observers = observers.iter().map(|id| (ServerId(*id), true));
        let servers = voters.chain(observers).map(|(id, observer)| {
            let server = Server {
                election: Election::new(&settings(id.0), observer),
                observer,
                last: Zxid(random.below(3)),
                epoch: Epoch(random.below(3)),
                decided: None,
            };
            (id, server)
        });
        World {
            servers: servers.collect(),
            membership,
            messages: BTreeMap::new(),
            busy_until_ms: BTreeMap::new(),
            random,
            faults,
            now_ms: 0,
            sequence: 0,
            newest_epoch: 3,
            decisions: Vec::new(),
        }
    }

    fn ids(&self) -> Vec<ServerId> {
        self.servers.keys().copied().collect()
    }

    fn act(
        &mut self,
        id: ServerId,
        what: impl FnOnce(&mut Server, &Membership, i64, &mut Vec<ElectionAction>),
    ) {
        let mut out = Vec::new();
        let server = self.servers.get_mut(&id).unwrap();
        what(server, &self.membership, self.now_ms, &mut out);
        for action in out {
            match action {
                ElectionAction::Send { to, notification } => self.send(id, to, &notification),
                ElectionAction::Decided(vote) => self.decide(id, vote),
                ElectionAction::Outdone(_) if !self.leads(id) => self.start(id),
                ElectionAction::Outdone(_) => {}
            }
        }
    }

    /// A server is told, rightly or wrongly, that another cannot be reached.
    fn mislead(&mut self, id: ServerId, about: ServerId) {
        self.act(id, |server, membership, now_ms, out| {
            server.election.unreachable(now_ms, membership, about, out);
        });
    }

    /// Everyone is told that a server cannot be reached.
    fn miss(&mut self, away: ServerId) {
        for id in self.ids() {
            self.mislead(id, away);
        }
    }

    fn start(&mut self, id: ServerId) {
        self.act(id, |server, membership, now_ms, out| {
            server.decided = None;
            let (last, epoch) = (server.last, server.epoch);
            server.election.start(now_ms, membership, last, epoch, out);
        });
    }

    fn send(&mut self, from: ServerId, to: ServerId, n: &Notification) {
        assert_ne!(from, to);
        let copies = if self.random.percent(self.faults.repeated_percent) {
            2
        } else {
            1
        };
        for _ in 0..copies {
            if self.random.percent(self.faults.lost_percent) || !self.servers.contains_key(&to) {
                continue;
            }
            self.sequence += 1;
            let mut at_ms = self.now_ms + 1 + self.random.below(self.faults.delay_ms_max);
            if !self.faults.reorders {
                let busy_until_ms = self.busy_until_ms.entry((from, to)).or_default();
                at_ms = at_ms.max(*busy_until_ms);
                *busy_until_ms = at_ms;
            }
            self.messages
                .insert((at_ms, self.sequence), (from, to, n.clone()));
        }
    }

    fn decide(&mut self, id: ServerId, vote: Vote) {
        assert!(self.membership.is_voter(vote.leader));
        assert_ne!(self.membership.committed.verifier.weight(vote.leader), 0);
        let server = self.servers.get_mut(&id).unwrap();
        server.decided = Some(Decision {
            at_ms: self.now_ms,
            vote,
            established: false,
        });
        if !server.observer {
            self.decisions.push(vote);
        }
    }

    /// Everything until a time, in order.
    fn run_until(&mut self, end_ms: i64) {
        let mut check_at_ms = self.now_ms + CHECK_MS;
        while self.now_ms < end_ms {
            let timer = self.servers.iter().filter_map(|(id, server)| {
                let at_ms = server.election.next_wakeup_ms()?;
                Some((at_ms, *id))
            });
            let timer = timer.min();
            let message = self.messages.first_key_value().map(|(at, _)| *at);
            let message_ms = message.map_or(i64::MAX, |(at_ms, _)| at_ms);
            let timer_ms = timer.map_or(i64::MAX, |(at_ms, _)| at_ms);
            let next_ms = message_ms.min(timer_ms).min(check_at_ms);
            self.now_ms = self.now_ms.max(next_ms);
            if next_ms == check_at_ms {
                check_at_ms += CHECK_MS;
                self.check();
            } else if let (Some((_, id)), true) = (timer, timer_ms <= message_ms) {
                self.act(id, |server, membership, now_ms, out| {
                    server.election.timer(now_ms, membership, out);
                });
            } else {
                let (_, (from, to, n)) = self.messages.pop_first().unwrap();
                // As it would arrive.
                let n = Notification::decode(&n.encode()).unwrap();
                self.act(to, |server, membership, now_ms, out| {
                    server.election.receive(now_ms, membership, from, &n, out);
                });
            }
        }
    }

    /// What the quorum port would find out, and restarts.
    fn check(&mut self) {
        for id in self.ids() {
            if self.random.percent(self.faults.restart_percent) {
                let observer = self.servers[&id].observer;
                self.servers.get_mut(&id).unwrap().election =
                    Election::new(&settings(id.0), observer);
                self.start(id);
                continue;
            }
            if self.random.percent(self.faults.misled_percent) {
                let ids = self.ids();
                let about = self.random.below(i64::try_from(ids.len()).unwrap());
                self.mislead(id, ids[usize::try_from(about).unwrap()]);
            }
            let Some(decision) = self.servers[&id].decided else {
                continue;
            };
            let leader = decision.vote.leader;
            if self.leads(leader) {
                self.establish(leader);
            }
            let is_established = self.servers[&id].decided.is_some_and(|d| d.established);
            let is_supported = is_established && self.leads(leader);
            if !is_supported && self.now_ms >= decision.at_ms + PATIENCE_MS {
                self.start(id);
            }
        }
    }

    fn follows(&self, id: ServerId, leader: ServerId) -> bool {
        let Some(server) = self.servers.get(&id) else {
            return false;
        };
        server.election.state() != PeerState::Looking && server.election.vote().leader == leader
    }

    fn leads(&self, id: ServerId) -> bool {
        let is_leading = self
            .servers
            .get(&id)
            .is_some_and(|server| server.election.state() == PeerState::Leading);
        is_leading && self.membership.is_quorum(|voter| self.follows(voter, id))
    }

    /// Everyone who follows a leader gets its epoch.
    fn establish(&mut self, leader: ServerId) {
        let is_new = self.servers[&leader]
            .decided
            .is_some_and(|d| !d.established);
        self.newest_epoch += i64::from(is_new);
        let epoch = if is_new {
            Epoch(self.newest_epoch)
        } else {
            self.servers[&leader].epoch
        };
        for id in self.ids() {
            if self.follows(id, leader) {
                let server = self.servers.get_mut(&id).unwrap();
                server.epoch = epoch;
                server.election.set_vote_epoch(epoch);
                if let Some(decision) = &mut server.decided {
                    decision.established = true;
                }
            }
        }
    }

    fn best(&self) -> ServerId {
        let candidates = self
            .servers
            .iter()
            .filter(|(id, _)| self.membership.committed.verifier.weight(**id) > 0);
        let best = candidates.max_by_key(|(id, server)| (server.epoch, server.last, **id));
        *best.unwrap().0
    }

    fn assert_one_ensemble(&self, seed: u64) {
        let leaders: Vec<ServerId> = self
            .ids()
            .into_iter()
            .filter(|id| self.leads(*id))
            .collect();
        let [leader] = leaders[..] else {
            panic!("seed {seed}: leaders {leaders:?}");
        };
        for (id, server) in &self.servers {
            let expected = match *id == leader {
                true => PeerState::Leading,
                false if server.observer => PeerState::Observing,
                false => PeerState::Following,
            };
            assert_eq!(
                server.election.state(),
                expected,
                "seed {seed}: server {id}"
            );
            assert!(self.follows(*id, leader), "seed {seed}: server {id}");
        }
    }
}

fn memberships() -> [(Membership, &'static [i64]); 5] {
    [
        (majority(3), &[]),
        (majority(5), &[]),
        (majority(5), &[6, 7]),
        (majority(7), &[]),
        (hierarchical(), &[9]),
    ]
}

#[test]
fn healthy_voters_elect_the_best_of_them_at_once() {
    for (membership, observers) in memberships() {
        for seed in 0..100 {
            let mut world = World::new(membership.clone(), observers, seed, QUIET);
            let best = world.best();
            for id in world.ids() {
                world.start(id);
            }
            world.run_until(180);
            world.assert_one_ensemble(seed);
            assert!(world.leads(best), "seed {seed}");
            assert!(world.decisions.iter().all(|vote| vote.round == 1));
        }
    }
}

#[test]
fn on_a_slow_network_a_round_elects_one_leader_and_the_best() {
    for (membership, observers) in memberships() {
        for seed in 0..100 {
            let mut world = World::new(membership.clone(), observers, seed, HEALTHY);
            let best = world.best();
            for id in world.ids() {
                let pause_ms = world.random.below(15);
                world.run_until(world.now_ms + pause_ms);
                world.start(id);
            }
            world.run_until(5000);
            let expected = world.decisions.iter().all(|vote| vote.leader == best);
            assert!(expected, "seed {seed}: {best} and {:?}", world.decisions);
            world.assert_one_ensemble(seed);
        }
    }
}

#[test]
fn the_best_of_a_quorum_is_elected_when_others_are_away() {
    for seed in 0..100 {
        let mut world = World::new(majority(5), &[6], seed, QUIET);
        for _ in 0..2 {
            let ids = world.ids();
            let away = ids[usize::try_from(world.random.below(4)).unwrap() % (ids.len() - 1)];
            world.servers.remove(&away);
        }
        let best = world.best();
        for id in world.ids() {
            world.start(id);
        }
        world.run_until(2000);
        world.assert_one_ensemble(seed);
        assert!(world.leads(best), "seed {seed}");
    }
}

#[test]
fn nobody_is_waited_for_who_is_known_to_be_away() {
    for seed in 0..100 {
        let mut world = World::new(majority(5), &[6], seed, QUIET);
        let mut away = Vec::new();
        for _ in 0..2 {
            let voters: Vec<ServerId> = world.ids().into_iter().filter(|id| id.0 < 6).collect();
            let index = world.random.below(i64::try_from(voters.len()).unwrap());
            let id = voters[usize::try_from(index).unwrap()];
            world.servers.remove(&id);
            away.push(id);
        }
        let best = world.best();
        for id in world.ids() {
            world.start(id);
        }
        for id in away {
            world.miss(id);
        }
        world.run_until(180);
        world.assert_one_ensemble(seed);
        assert!(world.leads(best), "seed {seed}");
    }
}

#[test]
fn who_is_wrong_about_the_others_still_finds_into_one_ensemble() {
    for (membership, observers) in memberships() {
        for seed in 0..100 {
            let mut world = World::new(membership.clone(), observers, seed, MISLED);
            for id in world.ids() {
                for about in world.ids() {
                    if world.random.percent(50) {
                        world.mislead(id, about);
                    }
                }
                world.start(id);
            }
            world.run_until(15_000);
            world.assert_one_ensemble(seed);
            let settled = world.decisions.len();
            world.run_until(25_000);
            assert_eq!(world.decisions.len(), settled, "seed {seed}: no peace");
        }
    }
}

/// One who let others go first when there was no need would not harm either.
#[test]
fn who_is_reluctant_does_not_lead_if_others_can() {
    for (membership, observers) in memberships() {
        for seed in 0..100 {
            let mut world = World::new(membership.clone(), observers, seed, QUIET);
            for server in world.servers.values_mut() {
                server.last = Zxid(7);
                server.epoch = Epoch(2);
            }
            let unwilling = world.best();
            let server = world.servers.get_mut(&unwilling).unwrap();
            server.election.set_reluctant(true);
            for id in world.ids() {
                world.start(id);
            }
            world.run_until(180);
            world.assert_one_ensemble(seed);
            assert!(!world.leads(unwilling), "seed {seed}");
        }
    }
}

#[test]
fn servers_of_which_any_may_be_reluctant_find_into_one_ensemble() {
    for faults in [QUIET, HEALTHY, MISLED] {
        for (membership, observers) in memberships() {
            for seed in 0..50 {
                let mut world = World::new(membership.clone(), observers, seed, faults);
                for id in world.ids() {
                    let is_reluctant = world.random.percent(60);
                    let server = world.servers.get_mut(&id).unwrap();
                    server.election.set_reluctant(is_reluctant);
                    world.start(id);
                }
                world.run_until(15_000);
                world.assert_one_ensemble(seed);
                let settled = world.decisions.len();
                world.run_until(25_000);
                assert_eq!(world.decisions.len(), settled, "seed {seed}: no peace");
            }
        }
    }
}

#[test]
fn less_than_a_quorum_elects_nobody() {
    for seed in 0..50 {
        let mut world = World::new(majority(5), &[6], seed, QUIET);
        for id in [1, 3, 5] {
            world.servers.remove(&ServerId(id));
        }
        for id in world.ids() {
            world.start(id);
        }
        world.run_until(20_000);
        assert_eq!(world.decisions, [], "seed {seed}");
    }
}

#[test]
fn after_a_storm_everyone_finds_into_one_ensemble() {
    for (membership, observers) in memberships() {
        for seed in 0..100 {
            let mut world = World::new(membership.clone(), observers, seed, STORM);
            for id in world.ids() {
                world.start(id);
            }
            world.run_until(10_000);
            world.faults = QUIET;
            world.run_until(25_000);
            world.assert_one_ensemble(seed);
            let settled = world.decisions.len();
            world.run_until(35_000);
            assert_eq!(world.decisions.len(), settled, "seed {seed}: no peace");
        }
    }
}

#[test]
fn a_late_server_joins_those_who_have_decided_long_ago() {
    for seed in 0..100 {
        let mut world = World::new(majority(3), &[4], seed, QUIET);
        let late = ServerId(1 + world.random.below(4));
        let absent = world.servers.remove(&late).unwrap();
        for id in world.ids() {
            world.start(id);
        }
        world.run_until(3000);
        let leader = world.ids().into_iter().find(|id| world.leads(*id)).unwrap();
        world.servers.insert(late, absent);
        world.start(late);
        world.run_until(world.now_ms + 300);
        world.assert_one_ensemble(seed);
        assert!(
            world.leads(leader),
            "seed {seed}: a late server changed the leader"
        );
    }
}

#[test]
fn the_survivors_of_a_leader_settle_soon() {
    for seed in 0..100 {
        let mut world = World::new(majority(3), &[], seed, QUIET);
        for id in world.ids() {
            world.start(id);
        }
        world.run_until(1000);
        let leader = world.ids().into_iter().find(|id| world.leads(*id)).unwrap();
        world.servers.remove(&leader);
        // The others notice one after the other.
        for id in world.ids() {
            world.start(id);
            world.run_until(world.now_ms + 150);
        }
        world.run_until(world.now_ms + 350);
        world.assert_one_ensemble(seed);
    }
}

#[test]
fn the_survivors_of_a_leader_that_is_known_to_be_gone_settle_at_once() {
    for seed in 0..100 {
        let mut world = World::new(majority(3), &[4], seed, QUIET);
        for id in world.ids() {
            world.start(id);
        }
        world.run_until(1000);
        let leader = world.ids().into_iter().find(|id| world.leads(*id)).unwrap();
        world.servers.remove(&leader);
        for id in world.ids() {
            world.start(id);
            world.run_until(world.now_ms + 10);
        }
        world.miss(leader);
        world.run_until(world.now_ms + 100);
        world.assert_one_ensemble(seed);
    }
}
