//! CPU time and memory of processes, from `/proc` (proc_pid_stat(5), proc_pid_status(5)).

use std::fs;
use std::io;
use std::time::Duration;

use anyhow::Context;

/// A process at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Sample {
    pub(crate) user: Duration,
    pub(crate) system: Duration,
    /// Resident memory, now and at its largest.
    pub(crate) memory_bytes: u64,
    pub(crate) memory_peak_bytes: u64,
}

/// What a process has used between two samples.
#[derive(Clone, Debug)]
pub(crate) struct Usage {
    pub(crate) name: String,
    pub(crate) pid: u32,
    pub(crate) user: Duration,
    pub(crate) system: Duration,
    pub(crate) memory_bytes: u64,
    pub(crate) memory_peak_bytes: u64,
}

impl Sample {
    pub(crate) fn take(pid: u32) -> anyhow::Result<Sample> {
        let read = |file: &str| {
            fs::read_to_string(format!("/proc/{pid}/{file}")).map_err(|e| match e.kind() {
                io::ErrorKind::NotFound => anyhow::anyhow!("there is no process {pid}"),
                _ => e.into(),
            })
        };
        let ticks_per_second = rustix::param::clock_ticks_per_second();
        parse(&read("stat")?, &read("status")?, ticks_per_second)
            .with_context(|| format!("cannot read the usage of process {pid}"))
    }
}

impl Usage {
    pub(crate) fn between(name: &str, pid: u32, before: &Sample, after: &Sample) -> Usage {
        Usage {
            name: name.into(),
            pid,
            user: after.user.saturating_sub(before.user),
            system: after.system.saturating_sub(before.system),
            memory_bytes: after.memory_bytes,
            memory_peak_bytes: after.memory_peak_bytes,
        }
    }

    pub(crate) fn cpu(&self) -> Duration {
        self.user + self.system
    }
}

fn parse(stat: &str, status: &str, ticks_per_second: u64) -> Option<Sample> {
    // The second field is the command in parentheses, in which anything may occur.
    let (_, after_command) = stat.rsplit_once(')')?;
    let mut fields = after_command.split_ascii_whitespace().skip(11);
    let mut time = || {
        let ticks = fields.next()?.parse::<u64>().ok()?;
        let micros = ticks
            .checked_mul(1_000_000)?
            .checked_div(ticks_per_second)?;
        Some(Duration::from_micros(micros))
    };
    let (user, system) = (time()?, time()?);
    let memory = |key: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(key))?;
        let kib = line.trim().strip_suffix("kB")?.trim_end();
        kib.parse::<u64>().ok()?.checked_mul(1024)
    };
    Some(Sample {
        user,
        system,
        memory_bytes: memory("VmRSS:")?,
        memory_peak_bytes: memory("VmHWM:")?,
    })
}

#[cfg(test)]
mod tests;
