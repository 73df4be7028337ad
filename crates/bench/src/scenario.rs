//! Loads that are not requests and replies of one kind: each is a file below, and all report in the
//! same form.

pub(crate) mod fill;
pub(crate) mod floor;
pub(crate) mod sessions;
pub(crate) mod watches;

use std::collections::BTreeMap;
use std::fmt;
use std::thread;
use std::time::Duration;

use hdrhistogram::Histogram;
use serde_json::{Map, Value, json};

use crate::address::ConnectString;
use crate::latency::{self, Latency};
use crate::plan::WatchedProcess;
use crate::process::Sample;
use crate::units::{grouped, mebibytes, ratio, rounded, to_f64};

/// The servers, and what is watched of them.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    pub(crate) servers: ConnectString,
    pub(crate) session_timeout: Duration,
    pub(crate) watched: Vec<WatchedProcess>,
}

/// What a scenario has found out.
#[derive(Debug)]
pub(crate) struct Findings {
    pub(crate) scenario: &'static str,
    /// For people.
    pub(crate) title: String,
    /// What was asked for, for programs.
    pub(crate) settings: Value,
    pub(crate) phases: Vec<Phase>,
    pub(crate) memory: Option<Memory>,
    pub(crate) failures: BTreeMap<String, u64>,
}

/// A step of a scenario: so many of something, and how long each has taken.
#[derive(Debug)]
pub(crate) struct Phase {
    pub(crate) name: &'static str,
    /// From the first to the last.
    pub(crate) elapsed: Duration,
    /// How much came to pass, if that is not one for each latency.
    pub(crate) amount: Option<u64>,
    pub(crate) nanos: Histogram<u64>,
}

/// What so many of something have made processes grow by.
#[derive(Debug)]
pub(crate) struct Memory {
    /// One of them.
    pub(crate) unit: &'static str,
    pub(crate) count: u64,
    /// Bytes of them that nobody could do without, and that are not counted.
    pub(crate) payload_bytes: u64,
    pub(crate) processes: Vec<Growth>,
}

/// A process's resident memory.
#[derive(Debug)]
pub(crate) struct Growth {
    pub(crate) name: String,
    pub(crate) before_bytes: u64,
    pub(crate) after_bytes: u64,
}

/// How long processes are left alone before their memory is read: they have given back by then what
/// they give back.
const SETTLE: Duration = Duration::from_millis(500);

/// Resident memory of the watched processes, once they have come to rest.
pub(crate) fn settled_memory(watched: &[WatchedProcess]) -> anyhow::Result<Vec<u64>> {
    if !watched.is_empty() {
        thread::sleep(SETTLE);
    }
    watched
        .iter()
        .map(|process| Ok(Sample::take(process.pid)?.memory_bytes))
        .collect()
}

impl Memory {
    pub(crate) fn grown(
        watched: &[WatchedProcess],
        before: &[u64],
        after: &[u64],
        unit: &'static str,
        count: u64,
        payload_bytes: u64,
    ) -> Memory {
        let processes = watched
            .iter()
            .zip(before.iter().zip(after))
            .map(|(process, (before, after))| Growth {
                name: process.name.clone(),
                before_bytes: *before,
                after_bytes: *after,
            })
            .collect();
        Memory {
            unit,
            count,
            payload_bytes,
            processes,
        }
    }

    /// By which all processes together have grown, less what nobody could do without.
    fn bytes_per_unit(&self) -> f64 {
        let sum = |bytes: fn(&Growth) -> u64| to_f64(self.processes.iter().map(bytes).sum());
        let growth = sum(|growth| growth.after_bytes) - sum(|growth| growth.before_bytes);
        (growth - to_f64(self.payload_bytes)) / to_f64(self.count.max(1))
    }

    fn to_json(&self) -> Value {
        let processes: Vec<Value> = self
            .processes
            .iter()
            .map(|growth| {
                json!({
                    "name": growth.name,
                    "before_bytes": growth.before_bytes,
                    "after_bytes": growth.after_bytes,
                })
            })
            .collect();
        json!({
            "unit": self.unit,
            "count": self.count,
            "payload_bytes": self.payload_bytes,
            "bytes_per_unit": rounded(self.bytes_per_unit()),
            "processes": processes,
        })
    }
}

impl Phase {
    fn amount(&self) -> u64 {
        self.amount.unwrap_or(self.nanos.len())
    }

    fn per_second(&self) -> f64 {
        ratio(self.amount(), self.elapsed.as_secs_f64())
    }

    fn to_json(&self) -> Value {
        json!({
            "count": self.amount(),
            "elapsed_seconds": self.elapsed.as_secs_f64(),
            "per_second": rounded(self.per_second()),
            "latency_us": Latency::of(&self.nanos).map(Latency::to_json),
        })
    }
}

impl Findings {
    pub(crate) fn failures(&self) -> u64 {
        self.failures.values().sum()
    }

    /// One object; times have their unit in their name.
    pub(crate) fn to_json(&self) -> Value {
        let phases: Map<String, Value> = self
            .phases
            .iter()
            .map(|phase| (phase.name.to_owned(), phase.to_json()))
            .collect();
        json!({
            "workload": self.scenario,
            "settings": self.settings,
            "phases": phases,
            "memory": self.memory.as_ref().map(Memory::to_json),
            "failures": { "total": self.failures(), "by_kind": self.failures },
        })
    }

    fn write_memory(&self, f: &mut fmt::Formatter<'_>, memory: &Memory) -> fmt::Result {
        writeln!(f, "\n{:12} {:>11} {:>11}", "memory", "before", "after")?;
        for growth in &memory.processes {
            writeln!(
                f,
                "{:12} {:>11} {:>11}",
                growth.name,
                mebibytes(growth.before_bytes),
                mebibytes(growth.after_bytes)
            )?;
        }
        let per_unit = memory.bytes_per_unit();
        write!(f, "{per_unit:.0} bytes per {}", memory.unit)?;
        if memory.payload_bytes > 0 {
            let payload = to_f64(memory.payload_bytes) / to_f64(memory.count.max(1));
            write!(f, ", beyond {payload:.0} of name and data")?;
        }
        writeln!(f)
    }
}

impl fmt::Display for Findings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}\n", self.title)?;
        latency::write_header(f, "count")?;
        for phase in &self.phases {
            latency::write_row(f, phase.name, phase.elapsed, &phase.nanos)?;
            if let Some(amount) = phase.amount {
                let per_second = Duration::from_secs_f64(phase.per_second()).as_secs();
                let (amount, per_second) = (grouped(amount), grouped(per_second));
                writeln!(f, "{:12} {amount} altogether, {per_second} per second", "")?;
            }
        }
        if let Some(memory) = self.memory.as_ref().filter(|m| !m.processes.is_empty()) {
            self.write_memory(f, memory)?;
        }
        writeln!(f, "\nfailures: {}", grouped(self.failures()))?;
        for (kind, count) in &self.failures {
            writeln!(f, "  {:>11} {kind}", grouped(*count))?;
        }
        Ok(())
    }
}

#[cfg(test)]
pub(crate) mod tests;
