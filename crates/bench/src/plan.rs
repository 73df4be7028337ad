//! What a run is to do, once the command line has been checked.

use std::time::Duration;

use zooid_proto::path;

use crate::address::ConnectString;
use crate::workload::Mix;

/// One run. Made by [`Plan::checked`] only, so that the values fit each other.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) servers: ConnectString,
    pub(crate) workload: Workload,
    pub(crate) connections: usize,
    /// Requests that each connection keeps unanswered.
    pub(crate) in_flight: usize,
    pub(crate) threads: usize,
    pub(crate) value_size: usize,
    /// Nodes that are read and set.
    pub(crate) keys: usize,
    /// Whether each connection keeps to its own share of the keys.
    pub(crate) own_keys: bool,
    /// Children of the node that getChildren lists.
    pub(crate) children: usize,
    /// Creates in one multi.
    pub(crate) batch: usize,
    /// Where the keys are that an earlier run has left; `None` to create some.
    pub(crate) filled: Option<String>,
    pub(crate) warm_up: Duration,
    pub(crate) extent: Extent,
    /// Requests per second over all connections; `None` to send when a reply has come.
    pub(crate) rate: Option<f64>,
    pub(crate) seed: u64,
    /// The path below which each run makes its own node.
    pub(crate) root: String,
    /// Whether the run's nodes stay.
    pub(crate) keep: bool,
    pub(crate) session_timeout: Duration,
    pub(crate) watched: Vec<WatchedProcess>,
    /// Whether every latency is kept, and not their distribution alone.
    pub(crate) is_traced: bool,
}

/// Operations and their name.
#[derive(Clone, Debug)]
pub(crate) struct Workload {
    pub(crate) name: &'static str,
    pub(crate) mix: Mix,
}

/// How long a run measures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Extent {
    Time(Duration),
    Operations(u64),
}

/// A process whose CPU and memory are reported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct WatchedProcess {
    pub(crate) name: String,
    pub(crate) pid: u32,
}

/// Options that contradict each other or make no sense.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub(crate) enum PlanError {
    #[error("{0} must be at least 1")]
    Zero(&'static str),
    #[error("{threads} threads need at least as many connections, not {connections}")]
    IdleThreads { threads: usize, connections: usize },
    #[error("{connections} connections cannot have keys of their own among {keys}; raise --keys")]
    TooFewKeys { keys: usize, connections: usize },
    #[error("a value of {0} bytes does not fit into a request; at most {VALUE_BYTES_MAX}")]
    LargeValue(usize),
    #[error("--rate {0} is not a positive number")]
    BadRate(f64),
    #[error("{0} '{1}' is not a path below /")]
    BadPath(&'static str, String),
    #[error("{0} keys are more than {KEYS_MAX}")]
    ManyKeys(usize),
    #[error("--session-timeout-ms {0} does not fit into a request")]
    BadTimeout(u128),
}

/// Most keys; what their names have digits for.
pub(crate) const KEYS_MAX: usize = 100_000_000;

/// Largest value; a server takes at most `jute.maxbuffer`, 1 MiB unless raised.
const VALUE_BYTES_MAX: usize = 16 << 20;

impl Plan {
    /// The plan itself if its values fit each other.
    pub(crate) fn checked(self) -> Result<Plan, PlanError> {
        let counts = [
            ("--connections", self.connections),
            ("--in-flight", self.in_flight),
            ("--threads", self.threads),
            ("--keys", self.keys),
            ("--batch", self.batch),
        ];
        all_positive(&counts)?;
        match self.extent {
            Extent::Operations(0) => return Err(PlanError::Zero("--operations")),
            Extent::Time(Duration::ZERO) => return Err(PlanError::Zero("--duration")),
            Extent::Operations(_) | Extent::Time(_) => {}
        }
        if self.threads > self.connections {
            return Err(PlanError::IdleThreads {
                threads: self.threads,
                connections: self.connections,
            });
        }
        if self.own_keys && self.keys < self.connections {
            return Err(PlanError::TooFewKeys {
                keys: self.keys,
                connections: self.connections,
            });
        }
        check_keys(self.keys, self.value_size)?;
        if let Some(rate) = self.rate.filter(|rate| !rate.is_normal() || *rate < 0.0) {
            return Err(PlanError::BadRate(rate));
        }
        check_path("--root", &self.root)?;
        if let Some(filled) = &self.filled {
            check_path("--filled", filled)?;
        }
        check_timeout(self.session_timeout)?;
        Ok(self)
    }
}

/// Counts with the options that set them, none of which may be zero.
pub(crate) fn all_positive(counts: &[(&'static str, usize)]) -> Result<(), PlanError> {
    match counts.iter().find(|(_, count)| *count == 0) {
        Some((name, _)) => Err(PlanError::Zero(name)),
        None => Ok(()),
    }
}

/// How many keys there are, and how large.
pub(crate) fn check_keys(count: usize, value_size: usize) -> Result<(), PlanError> {
    if count > KEYS_MAX {
        return Err(PlanError::ManyKeys(count));
    }
    if value_size > VALUE_BYTES_MAX {
        return Err(PlanError::LargeValue(value_size));
    }
    Ok(())
}

pub(crate) fn check_path(option: &'static str, text: &str) -> Result<(), PlanError> {
    if text == "/" || !path::is_valid(text) {
        return Err(PlanError::BadPath(option, text.into()));
    }
    Ok(())
}

pub(crate) fn check_timeout(timeout: Duration) -> Result<(), PlanError> {
    let millis = timeout.as_millis();
    match i32::try_from(millis) {
        Ok(_) => Ok(()),
        Err(_) => Err(PlanError::BadTimeout(millis)),
    }
}
