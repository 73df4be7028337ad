//! What watches cost: leaving them, keeping them, and telling everybody who has left one.

mod watcher;

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use hdrhistogram::Histogram;
use mio::{Events, Interest, Poll, Token};
use serde_json::json;
use zooid_proto::request::SetDataRequest;
use zooid_proto::{ErrorCode, Jute, OpCode};

use crate::distribution::empty_histogram;
use crate::nodes::Nodes;
use crate::plan::Plan;
use crate::progress::Progress;
use crate::scenario::{Findings, Memory, Phase, settled_memory};
use crate::session::Session;
use crate::units::grouped;
use watcher::{Round, Watcher};

/// Each of the plan's connections watches each of its keys.
#[derive(Clone, Debug)]
pub(crate) struct WatchesPlan {
    pub(crate) load: Plan,
}

/// How long a step may take.
const PATIENCE: Duration = Duration::from_secs(300);

/// How often idle clients are looked after.
const LOOK_INTERVAL: Duration = Duration::from_millis(500);

const EVENTS_PER_POLL: usize = 1024;

impl WatchesPlan {
    pub(crate) fn run(&self) -> anyhow::Result<Findings> {
        let plan = &self.load;
        Progress::step("creating nodes");
        let mut session = Session::open(&plan.servers, plan.session_timeout)?;
        let nodes = Arc::new(Nodes::create(&mut session, plan)?);
        Session::close_many(vec![session]);
        let mut crowd = Crowd::gather(plan, &nodes)?;

        // Reading alone first, or the buffers that it makes servers keep would count as watches.
        Progress::step("reading");
        crowd.read_all(Round::Plain)?;
        let before = settled_memory(&plan.watched)?;
        Progress::step("leaving watches");
        let started = Instant::now();
        let nanos = crowd.read_all(Round::Watching)?;
        let leave = Phase {
            name: "leave",
            elapsed: started.elapsed(),
            amount: None,
            nanos,
        };
        let after = settled_memory(&plan.watched)?;
        Progress::step("awaiting events");
        let fire = crowd.fire(plan)?;

        Progress::step("removing nodes");
        let failures = crowd.disperse();
        if !plan.keep {
            let mut session = Session::open(&plan.servers, plan.session_timeout)?;
            nodes.remove(&mut session)?;
            Session::close_many(vec![session]);
        }
        Progress::clear();
        let watches = u64::try_from(plan.connections * plan.keys)?;
        Ok(Findings {
            scenario: "watches",
            title: format!(
                "{} watches on {}: {} clients x {} nodes",
                grouped(watches),
                plan.servers,
                plan.connections,
                plan.keys
            ),
            settings: json!({
                "servers": plan.servers.to_string(),
                "clients": plan.connections,
                "nodes": plan.keys,
                "in_flight": plan.in_flight,
            }),
            phases: vec![leave, fire],
            memory: Some(Memory::grown(
                &plan.watched,
                &before,
                &after,
                "watch",
                watches,
                0,
            )),
            failures,
        })
    }
}

/// All the clients that watch.
struct Crowd {
    poll: Poll,
    watchers: Vec<Watcher>,
    failures: BTreeMap<String, u64>,
}

impl Crowd {
    fn gather(plan: &Plan, nodes: &Arc<Nodes>) -> anyhow::Result<Crowd> {
        Progress::step("connecting");
        let sessions = Session::open_many(&plan.servers, plan.connections, plan.session_timeout)?;
        let poll = Poll::new()?;
        let mut watchers = Vec::with_capacity(sessions.len());
        for (number, session) in sessions.into_iter().enumerate() {
            let mut watcher = Watcher::new(session, Arc::clone(nodes), plan)?;
            let interest = Interest::READABLE | Interest::WRITABLE;
            poll.registry()
                .register(&mut watcher.stream, Token(number), interest)?;
            watchers.push(watcher);
        }
        Ok(Crowd {
            poll,
            watchers,
            failures: BTreeMap::new(),
        })
    }

    /// Has every client read every node; how long the replies took, in nanoseconds.
    fn read_all(&mut self, round: Round) -> anyhow::Result<Histogram<u64>> {
        let mut nanos = empty_histogram();
        for watcher in &mut self.watchers {
            watcher.begin(round)?;
        }
        self.attend_until(
            |watcher| watcher.has_read_all(),
            |took| nanos.saturating_record(took),
        )?;
        Ok(nanos)
    }

    /// Sets every node once, and awaits what each client is to be told.
    fn fire(&mut self, plan: &Plan) -> anyhow::Result<Phase> {
        let session = Session::open(&plan.servers, plan.session_timeout)?;
        let started = Instant::now();
        let sent: Arc<[AtomicU64]> = (0..plan.keys).map(|_| AtomicU64::new(0)).collect();
        for watcher in &mut self.watchers {
            watcher.expect_events(started, Arc::clone(&sent));
        }
        let mut nanos = empty_histogram();
        let nodes = Arc::clone(self.watchers[0].nodes());
        let window = plan.in_flight;
        let has_failed = AtomicBool::new(false);
        thread::scope(|scope| -> anyhow::Result<()> {
            let setter = scope.spawn(|| {
                let result = set_all(session, &nodes, window, started, &sent);
                has_failed.store(result.is_err(), Ordering::Relaxed);
                result
            });
            let heard = self.attend_until(
                |watcher| watcher.has_heard_all() || has_failed.load(Ordering::Relaxed),
                |took| nanos.saturating_record(took),
            );
            match setter.join() {
                Ok(result) => result.context("cannot set the nodes").and(heard),
                Err(_) => bail!("the thread that sets has panicked"),
            }
        })?;
        Ok(Phase {
            name: "fire",
            elapsed: started.elapsed(),
            amount: None,
            nanos,
        })
    }

    fn attend_until(
        &mut self,
        is_done: impl Fn(&Watcher) -> bool,
        mut record: impl FnMut(u64),
    ) -> anyhow::Result<()> {
        let mut events = Events::with_capacity(EVENTS_PER_POLL);
        let give_up = Instant::now() + PATIENCE;
        let mut missing = self.watchers.len();
        let mut next_look = Instant::now();
        loop {
            let now = Instant::now();
            if now >= next_look {
                next_look = now + LOOK_INTERVAL;
                missing = self.look_after_all(now, &is_done)?;
            }
            if missing == 0 {
                return Ok(());
            }
            if now >= give_up {
                let seconds = PATIENCE.as_secs();
                bail!("{missing} clients have not got everything after {seconds} s");
            }
            match self.poll.poll(&mut events, Some(LOOK_INTERVAL)) {
                Err(e) if e.kind() != io::ErrorKind::Interrupted => {
                    return Err(e).context("cannot wait");
                }
                _ => {}
            }
            for event in &events {
                let watcher = &mut self.watchers[event.token().0];
                let was_done = is_done(watcher);
                watcher.attend(&mut record).context("a client has failed")?;
                missing -= usize::from(!was_done && is_done(watcher));
            }
        }
    }

    /// Keeps the sessions alive; how many clients are not done.
    fn look_after_all(
        &mut self,
        now: Instant,
        is_done: impl Fn(&Watcher) -> bool,
    ) -> anyhow::Result<usize> {
        let mut missing = 0;
        for watcher in &mut self.watchers {
            watcher.ping_if_idle(now).context("a client has failed")?;
            missing += usize::from(!is_done(watcher));
        }
        Ok(missing)
    }

    /// Ends the sessions; what was wrong with what they were told.
    fn disperse(mut self) -> BTreeMap<String, u64> {
        let mut sessions = Vec::new();
        for watcher in self.watchers {
            if watcher.repeated_events() > 0 {
                let repeated = self.failures.entry("event twice".into()).or_default();
                *repeated += watcher.repeated_events();
            }
            // One that cannot be closed expires by itself.
            sessions.extend(watcher.into_session().ok());
        }
        Session::close_many(sessions);
        self.failures
    }
}

/// Sets every node once, so many at a time, and notes when each request was sent.
fn set_all(
    mut session: Session,
    nodes: &Nodes,
    window: usize,
    started: Instant,
    sent: &[AtomicU64],
) -> anyhow::Result<()> {
    let mut request = SetDataRequest {
        path: String::new(),
        data: Some(nodes.value.clone()),
        version: -1,
    };
    let mut xids = VecDeque::with_capacity(window);
    let receive = |session: &mut Session, xid| match session.receive(OpCode::SetData, xid)?.err {
        ErrorCode::Ok => anyhow::Ok(()),
        err => bail!("setData: {err}"),
    };
    for (key, sent) in sent.iter().enumerate() {
        if xids.len() == window
            && let Some(xid) = xids.pop_front()
        {
            receive(&mut session, xid)?;
        }
        nodes.keys.put_path(key, &mut request.path);
        let nanos = u64::try_from(started.elapsed().as_nanos()).unwrap_or(u64::MAX);
        sent.store(nanos, Ordering::Relaxed);
        xids.push_back(session.send(OpCode::SetData, &request.to_vec())?);
    }
    for xid in xids {
        receive(&mut session, xid)?;
    }
    Session::close_many(vec![session]);
    Ok(())
}

#[cfg(test)]
mod tests;
