//! A run from start to end.

use std::fs;
use std::num::NonZero;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow, bail};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::BenchArgs;
use crate::args::Task;
use crate::connection::Connection;
use crate::exchange::{Exchange, Expected, Gate, Pace, Stop};
use crate::generator::Generator;
use crate::nodes::Nodes;
use crate::plan::{Extent, Plan};
use crate::progress::Progress;
use crate::report::Report;
use crate::scenario::Findings;
use crate::session::Session;
use crate::tally::{Failure, Tally};
use crate::watched::Watched;
use crate::worker::{Outcome, Worker};

const PROGRESS_INTERVAL: Duration = Duration::from_secs(1);

/// Runs the command: loads the servers and prints the result on standard output.
///
/// # Errors
/// When the options do not fit each other, a server cannot be reached, the nodes cannot be
/// prepared or removed, a watched process is gone, or any reply was not as it should be; in that
/// last case the result has been printed.
pub fn run(args: BenchArgs) -> anyhow::Result<()> {
    raise_descriptor_limit()?;
    let output = Output::of(&args);
    let failures = match args.into_task()? {
        Task::Load(plan) => {
            let Measured { report, removal } = measure(&plan)?;
            output.write(&report)?;
            removal.context("cannot remove the nodes of this run")?;
            report.failures()
        }
        Task::Fill(plan) => output.write_findings(&plan.run()?),
        Task::Sessions(plan) => output.write_findings(&plan.run()?),
        Task::Watches(plan) => output.write_findings(&plan.run()?),
        Task::Floor(plan) => output.write_findings(&plan.run()?),
    };
    match failures {
        0 => Ok(()),
        count => bail!("{count} failures"),
    }
}

/// Each connection is a descriptor, and the usual soft limit of 1024 is too few.
fn raise_descriptor_limit() -> anyhow::Result<()> {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: limit.maximum,
        maximum: limit.maximum,
    };
    setrlimit(Resource::Nofile, raised).context("cannot raise the limit of open files")
}

/// Where the result goes, and in which form.
struct Output {
    json: bool,
    histogram: bool,
    svg: Option<PathBuf>,
    trace: Option<PathBuf>,
}

impl Output {
    fn of(args: &BenchArgs) -> Output {
        Output {
            json: args.json,
            histogram: args.histogram,
            svg: args.svg.clone(),
            trace: args.trace.clone(),
        }
    }

    /// Prints what a scenario has found out; returns how much was not as it should be.
    fn write_findings(&self, findings: &Findings) -> u64 {
        if self.json {
            println!("{:#}", findings.to_json());
        } else {
            print!("{findings}");
        }
        findings.failures()
    }

    fn write(&self, report: &Report) -> anyhow::Result<()> {
        if self.json {
            println!("{:#}", report.to_json());
        } else {
            print!("{report}");
        }
        if self.histogram
            && !self.json
            && let Some(distribution) = report.distribution()
        {
            print!("\n{distribution}");
        }
        let write = |path: &Option<PathBuf>, text: &dyn Fn() -> String| match path {
            Some(path) => {
                fs::write(path, text()).with_context(|| format!("cannot write {}", path.display()))
            }
            None => Ok(()),
        };
        write(&self.svg, &|| report.to_svg())?;
        write(&self.trace, &|| report.to_trace())
    }
}

/// What a run has found out, and whether its nodes are gone.
#[derive(Debug)]
pub(crate) struct Measured {
    pub(crate) report: Report,
    pub(crate) removal: anyhow::Result<()>,
}

/// Prepares, measures and cleans up.
pub(crate) fn measure(plan: &Plan) -> anyhow::Result<Measured> {
    let watched = Watched::new(&plan.watched)?;
    Progress::step("creating nodes");
    let mut session = Session::open(&plan.servers, plan.session_timeout)?;
    let nodes = Arc::new(Nodes::create(&mut session, plan)?);
    Session::close_many(vec![session]);

    let report = load(plan, &nodes, &watched)?;

    Progress::step("removing nodes");
    let removal = if plan.keep {
        Ok(())
    } else {
        remove(plan, &nodes)
    };
    Progress::clear();
    Ok(Measured { report, removal })
}

fn remove(plan: &Plan, nodes: &Nodes) -> anyhow::Result<()> {
    let mut session = Session::open(&plan.servers, plan.session_timeout)?;
    nodes.remove(&mut session)?;
    Session::close_many(vec![session]);
    Ok(())
}

/// Opens the connections, has the workers load the servers, and sums up.
fn load(plan: &Plan, nodes: &Arc<Nodes>, watched: &Watched) -> anyhow::Result<Report> {
    Progress::step("connecting");
    let sessions = Session::open_many(&plan.servers, plan.connections, plan.session_timeout)?;
    let progress = Arc::new(AtomicU64::new(0));
    let started = Instant::now();
    let measure_from = started + plan.warm_up;
    let workers = make_workers(plan, nodes, sessions, started, &progress)?;

    let mut before = None;
    let mut progress_line = Progress::new(started, plan.warm_up);
    let mut outcomes = Vec::new();
    let (sender, results) = mpsc::channel();
    thread::scope(|scope| -> anyhow::Result<()> {
        for worker in workers {
            let sender = sender.clone();
            scope.spawn(move || {
                // Nobody listens once another worker has failed.
                let _ = sender.send(worker.run());
            });
        }
        drop(sender);
        while outcomes.len() < plan.threads {
            let mut now = Instant::now();
            if before.is_none() && now >= measure_from {
                before = Some(watched.sample());
                now = Instant::now();
            }
            let mut wait = PROGRESS_INTERVAL;
            if before.is_none() {
                wait = wait.min(measure_from.saturating_duration_since(now));
            }
            match results.recv_timeout(wait) {
                Ok(outcome) => outcomes.push(outcome.context("a worker has failed")?),
                Err(RecvTimeoutError::Timeout) => {
                    progress_line.update(Instant::now(), progress.load(Ordering::Relaxed));
                }
                Err(RecvTimeoutError::Disconnected) => bail!("a worker has panicked"),
            }
        }
        Ok(())
    })?;
    let after = watched.sample();
    let before = before.unwrap_or_else(|| after.clone());

    let mut tally = Tally::new(measure_from, plan.is_traced, progress);
    let mut sessions = Vec::new();
    for Outcome {
        tally: part,
        sessions: open,
    } in outcomes
    {
        tally.merge(&part);
        sessions.extend(open);
    }
    Session::close_many(sessions);
    let elapsed = elapsed(plan.extent, measure_from, tally.last_completed());
    let (servers, generator) = watched.usage(&before, &after);
    tally.fail_many(Failure::ProcessGone, plan.watched.len() - servers.len());
    Ok(Report::new(plan, tally, elapsed, servers, generator))
}

/// From the start of measuring to its end, or to the last reply if that came later.
fn elapsed(extent: Extent, measure_from: Instant, last: Option<Instant>) -> Duration {
    let to_last = last.map_or(Duration::ZERO, |last| last.duration_since(measure_from));
    match extent {
        Extent::Time(duration) => duration.max(to_last),
        Extent::Operations(_) => to_last,
    }
}

pub(crate) fn make_workers(
    plan: &Plan,
    nodes: &Arc<Nodes>,
    sessions: Vec<Session>,
    started: Instant,
    progress: &Arc<AtomicU64>,
) -> anyhow::Result<Vec<Worker>> {
    let mut shares: Vec<Vec<Connection>> = (0..plan.threads).map(|_| Vec::new()).collect();
    for (i, session) in sessions.into_iter().enumerate() {
        let connection = make_connection(plan, nodes, session, i, started)?;
        shares[i % plan.threads].push(connection);
    }
    let threads = NonZero::new(u64::try_from(plan.threads)?)
        .ok_or_else(|| anyhow!("a plan has at least one thread"))?;
    let measure_from = started + plan.warm_up;
    (0..)
        .zip(shares)
        .map(|(i, connections)| {
            let stop = match plan.extent {
                Extent::Time(duration) => Stop::At(measure_from + duration),
                Extent::Operations(count) => {
                    Stop::After(count / threads + u64::from(i < count % threads))
                }
            };
            let gate = Gate { measure_from, stop };
            let tally = Tally::new(measure_from, plan.is_traced, Arc::clone(progress));
            Worker::new(connections, gate, tally).context("cannot set up a worker")
        })
        .collect()
}

fn make_connection(
    plan: &Plan,
    nodes: &Arc<Nodes>,
    session: Session,
    number: usize,
    started: Instant,
) -> anyhow::Result<Connection> {
    let expected = Expected {
        value_size: plan.value_size,
        children: plan.children,
        batch: plan.batch,
    };
    let exchange = Exchange::new(
        Generator::new(plan, Arc::clone(nodes), number),
        expected,
        pace(plan, number, started)?,
        plan.in_flight,
        session.next_xid,
        started,
    );
    Connection::new(session, exchange).context("cannot set up a connection")
}

/// In an open loop, connections take turns, so that the load as a whole is even.
fn pace(plan: &Plan, number: usize, started: Instant) -> anyhow::Result<Pace> {
    let Some(rate) = plan.rate else {
        return Ok(Pace::Closed);
    };
    let turn = Duration::try_from_secs_f64(1.0 / rate)
        .with_context(|| format!("--rate {rate} is too low"))?;
    let turns = |count: usize| turn * u32::try_from(count).unwrap_or(u32::MAX);
    Ok(Pace::Open {
        due: started + turns(number),
        interval: turns(plan.connections),
    })
}

#[cfg(test)]
mod tests;
