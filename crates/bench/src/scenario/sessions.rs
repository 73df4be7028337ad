//! What sessions cost that do nothing: opening them, keeping them, and bringing them back after the
//! failure of a server.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::Context;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;

use crate::herd::Herd;
use crate::plan::{PlanError, all_positive, check_timeout};
use crate::progress::Progress;
use crate::scenario::{Findings, Memory, Phase, Target, settled_memory};
use crate::session::resolve;
use crate::units::grouped;

#[derive(Clone, Debug)]
pub(crate) struct SessionsPlan {
    pub(crate) target: Target,
    pub(crate) sessions: usize,
    /// How many may wait at one server to be opened.
    pub(crate) openings_max: usize,
    /// How long they are kept before anything else happens to them.
    pub(crate) idle: Duration,
    /// The process to kill once they are open.
    pub(crate) kill: Option<u32>,
}

/// How long all of them may take.
const PATIENCE: Duration = Duration::from_secs(120);

impl SessionsPlan {
    pub(crate) fn checked(self) -> Result<SessionsPlan, PlanError> {
        all_positive(&[
            ("--connections", self.sessions),
            ("--in-flight", self.openings_max),
        ])?;
        check_timeout(self.target.session_timeout)?;
        Ok(self)
    }

    pub(crate) fn run(&self) -> anyhow::Result<Findings> {
        let target = &self.target;
        let before = settled_memory(&target.watched)?;
        let mut herd = Herd::new(
            &self.addresses()?,
            self.sessions,
            self.openings_max,
            target.session_timeout,
        )?;
        Progress::step("opening sessions");
        let started = Instant::now();
        let nanos = herd.gather(PATIENCE)?;
        let mut phases = vec![Phase {
            name: "open",
            elapsed: started.elapsed(),
            amount: None,
            nanos,
        }];
        Progress::step("keeping sessions");
        herd.rest(self.idle)?;
        let after = settled_memory(&target.watched)?;
        if let Some(pid) = self.kill {
            phases.push(bring_back(&mut herd, pid)?);
        }
        let failures = herd.failures().clone();
        herd.close();
        Progress::clear();
        let count = u64::try_from(self.sessions)?;
        Ok(Findings {
            scenario: "sessions",
            title: format!(
                "{} sessions on {}, {} openings at a time at each server",
                grouped(count),
                target.servers,
                self.openings_max
            ),
            settings: json!({
                "servers": target.servers.to_string(),
                "sessions": self.sessions,
                "openings_max": self.openings_max,
                "session_timeout_ms": target.session_timeout.as_secs_f64() * 1e3,
                "kill": self.kill,
            }),
            phases,
            memory: Some(Memory::grown(
                &target.watched,
                &before,
                &after,
                "session",
                count,
                0,
            )),
            failures,
        })
    }

    fn addresses(&self) -> anyhow::Result<Vec<SocketAddr>> {
        self.target.servers.servers.iter().map(resolve).collect()
    }
}

/// Kills a server and waits until every session is served again. Those of other servers count, too:
/// without a leader they have nothing either.
fn bring_back(herd: &mut Herd, pid: u32) -> anyhow::Result<Phase> {
    Progress::step("bringing sessions back");
    let started = Instant::now();
    let pid = i32::try_from(pid)
        .ok()
        .and_then(Pid::from_raw)
        .with_context(|| format!("{pid} is no process id"))?;
    kill_process(pid, Signal::KILL).context("cannot kill the server")?;
    herd.suspect_all(started);
    let nanos = herd.gather(PATIENCE)?;
    Ok(Phase {
        name: "back",
        elapsed: started.elapsed(),
        amount: None,
        nanos,
    })
}

#[cfg(test)]
mod tests;
