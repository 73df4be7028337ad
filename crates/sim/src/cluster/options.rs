//! What a run is made of, all of it drawn from the seed or said by a test.

use super::chance::Script;
use crate::random::Random;
use std::collections::BTreeSet;
use std::fmt::Write as _;
use zooid_node::{LocalSessions, Settings};
use zooid_proto::{Limit, ServerId};
use zooid_zab::{EnsembleSettings, Group, Membership, QuorumVerifier, View};

/// One run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// From which everything follows.
    pub seed: u64,
    /// How long the first act lasts, in simulated milliseconds.
    pub faults_ms: u64,
    /// How many voters, if not as the seed says.
    pub members: Option<usize>,
    /// How many observers, if not as the seed says.
    pub observers: Option<usize>,
    /// How many clients, if not as the seed says.
    pub clients: Option<usize>,
    /// Whether there may be local sessions, and members that serve reads without a leader.
    pub with_local_sessions: bool,
    /// Which of the seed's faults happen.
    pub script: Script,
    /// Whether the disk of one voter is damaged when everything else is mended.
    pub damages_a_disk: bool,
}

impl Options {
    /// Random members, clients and faults.
    #[must_use]
    pub fn random(seed: u64) -> Options {
        Options {
            seed,
            faults_ms: 3_000,
            members: None,
            observers: None,
            clients: None,
            with_local_sessions: draw_local_sessions(seed),
            script: Script::Everything,
            damages_a_disk: false,
        }
    }

    /// Three voters, of which one finds its disk damaged; and another one may be gone for good.
    #[must_use]
    pub fn damaging(seed: u64) -> Options {
        Options {
            faults_ms: 1_000,
            members: Some(3),
            damages_a_disk: true,
            ..Options::random(seed)
        }
    }
}

/// What differs from seed to seed. Each kind of fault may be missing altogether, so that others are
/// not drowned by it.
#[derive(Clone, Debug)]
pub(crate) struct Profile {
    pub(crate) voters: usize,
    pub(crate) observers: usize,
    pub(crate) is_hierarchical: bool,
    pub(crate) clients: usize,
    /// Between what a client does, at most.
    pub(crate) think_us: u64,
    /// Requests of a thousand that are anything at all.
    pub(crate) any_per_mille: u64,
    /// Bytes of their values at most.
    pub(crate) data_max: u64,
    /// What a member reads at most, of a record among others (`jute.maxbuffer`).
    pub(crate) limit: Limit,
    /// Transactions between snapshots.
    pub(crate) snap_count: u64,
    /// How long it takes at most to load what a disk holds after it was cut, or a snapshot put on it.
    pub(crate) reload_us: u64,
    /// Transactions that a leader keeps for learners (`commitLogCount`).
    pub(crate) commit_log_count: usize,
    pub(crate) force_snapshot_sync: bool,
    pub(crate) log_sync: bool,
    /// Transactions of an epoch, before the next one must begin.
    pub(crate) counter_max: u32,
    pub(crate) preallocate: u64,
    /// One way, at most.
    pub(crate) latency_us: u64,
    /// Clocks go faster or slower by up to so many in a million.
    pub(crate) drift_ppm: u64,
    /// Mean time between faults.
    pub(crate) fault_interval_us: u64,
    /// Whether sessions begin as their member's own, and may become everybody's.
    pub(crate) local_sessions: LocalSessions,
    /// Whether members without a leader serve reads, and clients content themselves with that.
    pub(crate) read_only_mode: bool,
    /// Between purges of a member.
    pub(crate) purge_interval_us: u64,
    /// How often each kind of fault, in the order of [`crate::cluster::world`]'s table.
    pub(crate) weights: [u64; FAULT_KINDS],
}

/// Kinds of faults.
pub(crate) const FAULT_KINDS: usize = 13;

/// Those whose weights are drawn with the rest of a profile.
const OLDER_FAULT_KINDS: usize = 12;

impl Profile {
    pub(crate) fn draw(options: &Options) -> Profile {
        let mut dice = Random::stream(options.seed, "profile");
        let voters = *dice.pick(&[3, 3, 3, 3, 3, 5, 5]);
        let voters = options.members.unwrap_or(voters);
        let mut weights = [0; FAULT_KINDS];
        for weight in weights.iter_mut().take(OLDER_FAULT_KINDS) {
            *weight = *dice.pick(&[0, 1, 1, 4]);
        }
        for weight in weights.iter_mut().skip(OLDER_FAULT_KINDS) {
            *weight = draw_weight(options.seed);
        }
        let observers = *dice.pick(&[0, 0, 0, 1, 1, 2]);
        let is_hierarchical = dice.per_mille(250);
        let clients = dice.index(3) + 2;
        let local_sessions = *dice.pick(&[
            LocalSessions::default(),
            LocalSessions::default(),
            LocalSessions {
                enabled: true,
                upgrading: true,
            },
            LocalSessions {
                enabled: true,
                upgrading: false,
            },
        ]);
        let read_only_mode = dice.per_mille(300) && options.with_local_sessions;
        Profile {
            voters,
            observers: options.observers.unwrap_or(observers),
            is_hierarchical: is_hierarchical && voters == 5,
            clients: options.clients.unwrap_or(clients),
            // Slow enough that faults are a good part of what happens.
            think_us: *dice.pick(&[40_000, 100_000, 250_000, 400_000]),
            snap_count: dice.between(8, 60),
            reload_us: draw_reload_us(options.seed),
            commit_log_count: *dice.pick(&[1, 5, 20, 500]),
            force_snapshot_sync: dice.per_mille(60),
            log_sync: dice.per_mille(700),
            counter_max: draw_counter_max(options.seed),
            preallocate: *dice.pick(&[0, 4 << 10]),
            latency_us: *dice.pick(&[300, 1_000, 1_000, 8_000]),
            drift_ppm: *dice.pick(&[0, 1_000, 50_000]),
            fault_interval_us: *dice.pick(&[100_000, 250_000, 250_000, 600_000]),
            any_per_mille: *dice.pick(&[0, 300, 600, 900]),
            data_max: *dice.pick(&[20, 60, 600]),
            limit: draw_limit(options.seed),
            local_sessions: if options.with_local_sessions {
                local_sessions
            } else {
                LocalSessions::default()
            },
            read_only_mode,
            purge_interval_us: dice.between(100_000, 3_000_000),
            weights,
        }
    }

    pub(crate) fn members(&self) -> usize {
        self.voters + self.observers
    }

    pub(crate) fn is_observer(&self, member: usize) -> bool {
        member >= self.voters
    }

    /// Voters that are counted together, and what each counts.
    pub(crate) fn groups(&self) -> Vec<Vec<(usize, u64)>> {
        if self.is_hierarchical {
            // Two groups of two and one of one, the heavy one in which counts twice.
            vec![vec![(0, 1), (1, 2)], vec![(2, 1), (3, 1)], vec![(4, 1)]]
        } else {
            vec![(0..self.voters).map(|at| (at, 1)).collect()]
        }
    }

    /// Who takes part, as everyone should know it.
    pub(crate) fn membership(&self) -> Membership {
        let ids = |range: std::ops::Range<usize>| range.map(server_id).collect::<BTreeSet<_>>();
        let voters = ids(0..self.voters);
        let verifier = if self.is_hierarchical {
            let group = |members: Vec<(usize, u64)>| Group {
                members: members
                    .into_iter()
                    .map(|(at, weight)| (server_id(at), weight))
                    .collect(),
            };
            QuorumVerifier::Hierarchical(self.groups().into_iter().map(group).collect())
        } else {
            QuorumVerifier::Majority(voters.clone())
        };
        Membership::fixed(View {
            version: 0,
            verifier,
            text: self.text().into(),
            voters,
            observers: ids(self.voters..self.members()),
        })
    }

    fn text(&self) -> String {
        let mut text = String::new();
        for member in 0..self.members() {
            let role = if self.is_observer(member) {
                "observer"
            } else {
                "participant"
            };
            let id = server_id(member).0;
            // Writing to a string does not fail.
            let _ = writeln!(text, "server.{id}=10.0.0.{id}:2888:3888:{role};2181");
        }
        text + "version=0"
    }

    /// A member's, made a good deal hastier than the defaults.
    pub(crate) fn ensemble(&self, member: usize) -> EnsembleSettings {
        EnsembleSettings {
            me: server_id(member),
            tick_ms: TICK_MS,
            init_limit: 10,
            sync_limit: 5,
            notification_ms_min: 20,
            notification_ms_max: 400,
            force_snapshot_sync: self.force_snapshot_sync,
            log_sync: self.log_sync,
            snap_syncs_max: 10,
            diff_syncs_max: 100,
            counter_max: self.counter_max,
        }
    }

    pub(crate) fn settings(&self, member: usize) -> Settings {
        Settings {
            server_id: server_id(member),
            tick_ms: TICK_MS,
            min_session_timeout_ms: 2 * 100,
            max_session_timeout_ms: 20 * 100,
            local_sessions: self.local_sessions,
            limit: self.limit,
            ..crate::options::settings()
        }
    }
}

/// Of a stream of its own, so that other runs are what they would be without.
fn draw_local_sessions(seed: u64) -> bool {
    Random::stream(seed, "local sessions").per_mille(LOCAL_SESSIONS_PER_MILLE)
}

/// Of a stream of its own, so that the rest of a profile is what it was.
fn draw_weight(seed: u64) -> u64 {
    let mut dice = Random::stream(seed, "stalling disks");
    *dice.pick(&[0, 0, 1, 1, 4])
}

/// Some epochs are short. Of a stream of its own, so that the rest of a profile is what it was.
fn draw_counter_max(seed: u64) -> u32 {
    let mut dice = Random::stream(seed, "counters");
    *dice.pick(&[
        EnsembleSettings::COUNTER_MAX,
        EnsembleSettings::COUNTER_MAX,
        150,
        40,
    ])
}

/// Some databases are large: roles end while they are loaded. Of a stream of its own, too.
fn draw_reload_us(seed: u64) -> u64 {
    if draw_counter_max(seed) < EnsembleSettings::COUNTER_MAX {
        // Who takes longer than a short epoch lasts never comes along.
        return RELOAD_US_MIN;
    }
    let mut dice = Random::stream(seed, "reloads");
    *dice.pick(&[RELOAD_US_MIN, RELOAD_US_MIN, 30_000, 400_000])
}

/// Some members read little: as little as the largest request of a client takes. Of a stream of its own,
/// too.
fn draw_limit(seed: u64) -> Limit {
    if draw_counter_max(seed) < EnsembleSettings::COUNTER_MAX {
        // Clients then own much: a snapshot of it takes longer than a short epoch lasts.
        return Limit::default();
    }
    let mut dice = Random::stream(seed, "limit");
    *dice.pick(&[Limit::default(), Limit::default(), Limit(SMALL_LIMIT)])
}

/// As long as anything else takes the disk.
const RELOAD_US_MIN: u64 = 300;

/// Runs that may have local sessions: half of them do.
const LOCAL_SESSIONS_PER_MILLE: u64 = 500;

/// Four nodes with the most data there is, and what stands around that.
const SMALL_LIMIT: usize = 4_000;

/// `tickTime`.
const TICK_MS: i64 = 100;

/// A member's `myid`.
pub(crate) fn server_id(member: usize) -> ServerId {
    ServerId(i64::try_from(member).expect("few") + 1)
}

/// The member with a `myid`.
pub(crate) fn member_of(id: ServerId) -> Option<usize> {
    usize::try_from(id.0.checked_sub(1)?).ok()
}
