//! The command line of `zooid bench`.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};

use crate::address::ConnectString;
use crate::plan::{Extent, Plan, PlanError, WatchedProcess, Workload};
use crate::scenario::Target;
use crate::scenario::fill::FillPlan;
use crate::scenario::floor::FloorPlan;
use crate::scenario::sessions::SessionsPlan;
use crate::scenario::watches::WatchesPlan;
use crate::workload::{Mix, Operation};

/// Load a ZooKeeper server and measure how it does
///
/// Works against any server that speaks ZooKeeper's client protocol. Creates its nodes below
/// --root, warms up, measures, checks every reply, and removes its nodes again. Fails if any reply
/// was not as it should be.
#[derive(Args, Clone, Debug)]
pub struct BenchArgs {
    /// What to do; mix is 45 % get, 45 % getChildren, 8 % set, 1 % create, 1 % delete
    #[arg(value_enum, default_value = "mix")]
    workload: WorkloadName,

    /// Servers to connect to in turn: host:port,host:port,.../chroot
    #[arg(short, long, value_name = "SERVERS", default_value = "127.0.0.1:2181")]
    server: ConnectString,

    /// Connections, each a session of its own
    #[arg(short, long, value_name = "COUNT", default_value_t = 48)]
    connections: usize,

    /// Unanswered requests that each connection keeps
    #[arg(short, long, value_name = "COUNT", default_value_t = 16)]
    in_flight: usize,

    /// Bytes of each value that is set, created or read
    #[arg(long, value_name = "BYTES", default_value_t = 100)]
    value_size: usize,

    /// Seconds to measure
    #[arg(short, long, value_name = "SECONDS", default_value = "10", value_parser = seconds)]
    duration: Duration,

    /// Measure this many operations instead of a time
    #[arg(long, value_name = "COUNT", conflicts_with = "duration")]
    operations: Option<u64>,

    /// Seconds of load before measuring
    #[arg(long, value_name = "SECONDS", default_value = "2", value_parser = seconds)]
    warm_up: Duration,

    /// Send this many requests per second, whether or not replies come
    ///
    /// Latency then counts from when a request was due, so a server that stalls is charged for the
    /// requests that had to wait. Without it each reply makes room for the next request.
    #[arg(long, value_name = "PER_SECOND")]
    rate: Option<f64>,

    /// Other weights for mix, such as get=90,set=10 (get, set, create, getChildren, delete, multi)
    ///
    /// A delete with nothing left to delete is sent as a create.
    #[arg(long, value_name = "WEIGHTS")]
    mix: Option<Mix>,

    /// Nodes to read and set
    #[arg(long, value_name = "COUNT", default_value_t = 1000)]
    keys: usize,

    /// Let each connection use only its own share of the keys
    #[arg(long)]
    own_keys: bool,

    /// Read and set the keys that `fill` has left at this path; --keys says how many there are
    ///
    /// For `fill` it is where to create them, and /zooid-filled if not given.
    #[arg(long, value_name = "PATH")]
    filled: Option<String>,

    /// fill: keys that are there already
    #[arg(long, value_name = "COUNT", default_value_t = 0)]
    existing: usize,

    /// sessions: seconds to keep them open
    #[arg(long, value_name = "SECONDS", default_value = "1", value_parser = seconds)]
    idle: Duration,

    /// sessions: kill this process once they are open, and see how long it takes to serve all again
    #[arg(long, value_name = "PID")]
    kill: Option<u32>,

    /// floor: where to write
    #[arg(long, value_name = "PATH", default_value = ".")]
    directory: PathBuf,

    /// Creates in one multi
    #[arg(long, value_name = "COUNT", default_value_t = 1000)]
    batch: usize,

    /// Children of the node that getChildren lists
    #[arg(long, value_name = "COUNT", default_value_t = 100)]
    children: usize,

    /// Threads of the generator
    #[arg(long, value_name = "COUNT", default_value_t = 1)]
    threads: usize,

    /// Seed of the choice of operations and keys
    #[arg(long, default_value_t = 1)]
    seed: u64,

    /// Path below which to create nodes
    #[arg(long, value_name = "PATH", default_value = "/zooid-bench")]
    root: String,

    /// Leave the nodes there afterwards
    #[arg(long)]
    keep: bool,

    /// Session timeout to ask for, in milliseconds
    #[arg(long, value_name = "MS", default_value_t = 30_000)]
    session_timeout_ms: u32,

    /// Report CPU and memory of a process of this machine; may be repeated
    #[arg(long, value_name = "NAME=PID", value_parser = watched_process)]
    watch_process: Vec<WatchedProcess>,

    /// Print the result as one JSON object
    #[arg(long)]
    pub(crate) json: bool,

    /// Print how latencies are distributed, too
    #[arg(long)]
    pub(crate) histogram: bool,

    /// Draw latency by percentile, and throughput over time
    #[arg(long, value_name = "FILE")]
    pub(crate) svg: Option<PathBuf>,

    /// Write each measured operation as a line: when it was due, its latency, and what it was
    #[arg(long, value_name = "FILE")]
    pub(crate) trace: Option<PathBuf>,
}

/// Where `fill` puts its nodes.
const FILLED: &str = "/zooid-filled";

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum WorkloadName {
    Get,
    Set,
    Create,
    #[value(name = "getChildren", alias = "get-children", alias = "ls")]
    GetChildren,
    /// Creates of --batch nodes in one transaction
    Multi,
    Mix,
    /// Create --keys nodes that stay
    Fill,
    /// Open --connections sessions, --in-flight at a time at each server, and leave them idle
    Sessions,
    /// Have each of --connections clients watch each of --keys nodes, and set every node once
    Watches,
    /// Measure the machine alone: a sync of --value-size bytes and two round trips
    Floor,
}

/// What a command line asks for.
#[derive(Clone, Debug)]
pub(crate) enum Task {
    Load(Plan),
    Fill(FillPlan),
    Sessions(SessionsPlan),
    Watches(WatchesPlan),
    Floor(FloorPlan),
}

impl BenchArgs {
    pub(crate) fn into_task(self) -> Result<Task, PlanError> {
        Ok(match self.workload {
            WorkloadName::Fill => Task::Fill(self.into_fill()?),
            WorkloadName::Sessions => Task::Sessions(self.into_sessions()?),
            WorkloadName::Watches => Task::Watches(WatchesPlan {
                load: self.into_plan()?,
            }),
            WorkloadName::Floor => Task::Floor(self.into_floor()?),
            WorkloadName::Get
            | WorkloadName::Set
            | WorkloadName::Create
            | WorkloadName::GetChildren
            | WorkloadName::Multi
            | WorkloadName::Mix => Task::Load(self.into_plan()?),
        })
    }

    fn into_fill(self) -> Result<FillPlan, PlanError> {
        FillPlan {
            at: self.filled.clone().unwrap_or_else(|| FILLED.into()),
            keys: self.keys,
            existing: self.existing,
            value_size: self.value_size,
            target: self.into_target(),
        }
        .checked()
    }

    fn into_sessions(self) -> Result<SessionsPlan, PlanError> {
        SessionsPlan {
            sessions: self.connections,
            openings_max: self.in_flight,
            idle: self.idle,
            kill: self.kill,
            target: self.into_target(),
        }
        .checked()
    }

    fn into_floor(self) -> Result<FloorPlan, PlanError> {
        FloorPlan {
            directory: self.directory,
            bytes: self.value_size,
            duration: self.duration,
        }
        .checked()
    }

    fn into_target(self) -> Target {
        Target {
            session_timeout: self.session_timeout(),
            servers: self.server,
            watched: self.watch_process,
        }
    }

    fn session_timeout(&self) -> Duration {
        Duration::from_millis(u64::from(self.session_timeout_ms))
    }

    /// Requests and replies; for the watches, what reads the nodes.
    pub(crate) fn into_plan(self) -> Result<Plan, PlanError> {
        let session_timeout = self.session_timeout();
        let extent = match self.operations {
            Some(count) => Extent::Operations(count),
            None => Extent::Time(self.duration),
        };
        Plan {
            workload: self.workload.with_weights(self.mix),
            servers: self.server,
            connections: self.connections,
            in_flight: self.in_flight,
            threads: self.threads,
            value_size: self.value_size,
            keys: self.keys,
            own_keys: self.own_keys,
            children: self.children,
            batch: self.batch,
            filled: self.filled,
            warm_up: self.warm_up,
            extent,
            rate: self.rate,
            seed: self.seed,
            root: self.root,
            keep: self.keep,
            session_timeout,
            watched: self.watch_process,
            is_traced: self.trace.is_some(),
        }
        .checked()
    }
}

impl WorkloadName {
    fn with_weights(self, custom: Option<Mix>) -> Workload {
        let (name, mix) = match self {
            // The others load nothing; a plan for watches says what reads the nodes.
            WorkloadName::Get
            | WorkloadName::Fill
            | WorkloadName::Sessions
            | WorkloadName::Watches
            | WorkloadName::Floor => ("get", Mix::only(Operation::Get)),
            WorkloadName::Set => ("set", Mix::only(Operation::Set)),
            WorkloadName::Create => ("create", Mix::only(Operation::Create)),
            WorkloadName::GetChildren => ("getChildren", Mix::only(Operation::GetChildren)),
            WorkloadName::Multi => ("multi", Mix::only(Operation::Multi)),
            WorkloadName::Mix => ("mix", custom.unwrap_or_else(Mix::mostly_reads)),
        };
        Workload { name, mix }
    }
}

fn seconds(text: &str) -> Result<Duration, String> {
    text.parse::<f64>()
        .ok()
        .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
        .ok_or_else(|| "expected a number of seconds, such as 10 or 0.5".into())
}

fn watched_process(text: &str) -> Result<WatchedProcess, String> {
    text.split_once('=')
        .filter(|(name, _)| !name.is_empty())
        .and_then(|(name, pid)| {
            Some(WatchedProcess {
                name: name.into(),
                pid: pid.parse().ok()?,
            })
        })
        .ok_or_else(|| "expected a name and a process id, such as server=1234".into())
}

#[cfg(test)]
mod tests;
