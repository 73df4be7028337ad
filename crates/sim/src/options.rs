//! What a run is made of, all of it drawn from the seed or said by a test.

use crate::random::Random;
use zooid_node::{ContainerSettings, Settings};
use zooid_proto::{Limit, ServerId};

/// How a run goes wrong, as far as the disk and the process are concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Faults {
    /// Not at all.
    None,
    /// Power is lost once, at this disk operation.
    PowerLossAt(u64),
    /// This disk operation fails, once.
    DiskErrorAt(u64),
    /// The disk has room for so many bytes, until the server has stopped for want of more.
    DiskFullAt(u64),
    /// Everything, at random.
    Random,
}

/// One run.
#[derive(Clone, Debug)]
pub struct Options {
    /// From which everything follows.
    pub seed: u64,
    /// Whether clients follow the script of one of everything, instead of their dice.
    pub scripted: bool,
    /// What breaks.
    pub faults: Faults,
    /// How long clients go on, in simulated milliseconds.
    pub duration_ms: u64,
    /// Disks that may be found after a loss of power, beyond "nothing" and "everything" of what was
    /// not synced.
    pub survivors: u64,
}

impl Options {
    /// Random clients and random faults.
    #[must_use]
    pub fn random(seed: u64) -> Options {
        Options {
            seed,
            scripted: false,
            faults: Faults::Random,
            duration_ms: 20_000,
            survivors: 0,
        }
    }

    /// The script, and a loss of power at one operation of the disk.
    #[must_use]
    pub fn scripted(faults: Faults) -> Options {
        Options {
            seed: 0,
            scripted: true,
            faults,
            duration_ms: 20_000,
            survivors: 2,
        }
    }
}

/// What differs from seed to seed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Profile {
    pub(crate) clients: usize,
    /// Bytes of a value at most.
    pub(crate) data_max: u64,
    /// Transactions between snapshots.
    pub(crate) snap_count: u64,
    pub(crate) purge_interval_us: u64,
    /// Between what a client does, at most.
    pub(crate) think_us: u64,
    pub(crate) preallocate: u64,
    /// Mean time between faults.
    pub(crate) fault_interval_us: u64,
    pub(crate) separate_log_dir: bool,
}

impl Profile {
    pub(crate) fn draw(options: &Options) -> Profile {
        let mut dice = Random::stream(options.seed, "profile");
        if options.scripted {
            return Profile {
                clients: 3,
                data_max: 2000,
                snap_count: 25,
                purge_interval_us: 400_000,
                think_us: 40_000,
                preallocate: 16 << 10,
                fault_interval_us: 0,
                separate_log_dir: true,
            };
        }
        // Values that make a snapshot take several chunks are rare: they cost time.
        let data_max = *dice.pick(&[20, 60, 60, 600, 600, 9000]);
        Profile {
            clients: dice.index(5) + 2,
            data_max,
            snap_count: dice.between(8, 120),
            purge_interval_us: dice.between(500_000, 4_000_000),
            think_us: *dice.pick(&[2_000, 20_000, 20_000, 100_000]),
            preallocate: *dice.pick(&[0, 4 << 10, 64 << 10, 64 << 10]),
            fault_interval_us: *dice.pick(&[300_000, 1_500_000, 4_000_000]),
            separate_log_dir: dice.per_mille(500),
        }
    }
}

/// A server with the ordinary settings, made a little hastier.
pub(crate) fn settings() -> Settings {
    Settings {
        server_id: ServerId(1),
        tick_ms: 500,
        min_session_timeout_ms: 1000,
        max_session_timeout_ms: 10_000,
        limit: Limit::default(),
        owner_rules: crate::model::OWNER_RULES,
        digest: true,
        close_session_txn: true,
        enforce_quota: true,
        skip_acl: false,
        reconfig_enabled: false,
        local_sessions: zooid_node::LocalSessions::default(),
        containers: ContainerSettings {
            check_interval_ms: 1500,
            max_per_minute: 3000,
            max_never_used_ms: crate::model::NEVER_USED_MS,
        },
        authenticator: zooid_node::Authenticator::default(),
        required_schemes: Vec::new(),
    }
}
