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
    #[error("--root '{0}' is not a path below /")]
    BadRoot(String),
    #[error("--session-timeout-ms {0} does not fit into a request")]
    BadTimeout(u128),
}

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
        ];
        if let Some((name, _)) = counts.into_iter().find(|(_, count)| *count == 0) {
            return Err(PlanError::Zero(name));
        }
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
        if self.value_size > VALUE_BYTES_MAX {
            return Err(PlanError::LargeValue(self.value_size));
        }
        if let Some(rate) = self.rate.filter(|rate| !rate.is_normal() || *rate < 0.0) {
            return Err(PlanError::BadRate(rate));
        }
        if self.root == "/" || !path::is_valid(&self.root) {
            return Err(PlanError::BadRoot(self.root));
        }
        let timeout_ms = self.session_timeout.as_millis();
        if i32::try_from(timeout_ms).is_err() {
            return Err(PlanError::BadTimeout(timeout_ms));
        }
        Ok(self)
    }
}
