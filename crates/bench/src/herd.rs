//! Many sessions that do nothing: opened as fast as the servers let them be, kept alive, and brought
//! back when their server is gone.
//!
//! A server that refuses or drops a connection is tried by one session alone until that succeeds, and
//! then by twice as many each time: a herd that runs on would keep the servers from electing a leader.

mod door;
mod link;

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use hdrhistogram::Histogram;
use mio::{Events, Poll, Token};

use crate::distribution::empty_histogram;
use door::Door;
use link::{Credentials, Link, Progress};

/// How long a session may take to be opened or taken over before another server is tried.
const ATTEMPT_MAX: Duration = Duration::from_secs(2);

/// How often attempts that take too long are looked for.
const CHECK: Duration = Duration::from_millis(100);

/// How long at most to wait for the network, in which doors open again.
const TICK: Duration = Duration::from_millis(5);

const EVENTS_PER_POLL: usize = 1024;

pub(crate) struct Herd {
    poll: Poll,
    events: Events,
    doors: Vec<Door>,
    /// Where the next session tries first.
    next_door: usize,
    timeout: Duration,
    members: Vec<Member>,
    /// Those that have to try.
    waiting: VecDeque<usize>,
    /// Those that have not been seen to work since [`Herd::suspect_all`].
    missing: usize,
    /// Since when a session's way is timed; for a new one, since it was first tried.
    since: Option<Instant>,
    nanos: Histogram<u64>,
    failures: BTreeMap<String, u64>,
    next_ping: Instant,
    next_check: Instant,
}

#[derive(Default)]
struct Member {
    credentials: Option<Credentials>,
    link: Option<Link>,
    /// The door that it has gone to.
    door: usize,
    first_tried: Option<Instant>,
    is_missing: bool,
}

impl Herd {
    /// So many sessions that are not open yet, on servers at which so many may wait at the same time.
    pub(crate) fn new(
        servers: &[SocketAddr],
        count: usize,
        openings_max: usize,
        timeout: Duration,
    ) -> io::Result<Herd> {
        let members = std::iter::repeat_with(|| Member {
            is_missing: true,
            ..Member::default()
        });
        Ok(Herd {
            poll: Poll::new()?,
            events: Events::with_capacity(EVENTS_PER_POLL),
            doors: servers
                .iter()
                .map(|address| Door::new(*address, openings_max))
                .collect(),
            next_door: 0,
            timeout,
            members: members.take(count).collect(),
            waiting: (0..count).collect(),
            missing: count,
            since: None,
            nanos: empty_histogram(),
            failures: BTreeMap::new(),
            next_ping: Instant::now() + timeout / 3,
            next_check: Instant::now() + CHECK,
        })
    }

    /// Goes on until every session works. How long each has taken, in nanoseconds.
    pub(crate) fn gather(&mut self, patience: Duration) -> anyhow::Result<Histogram<u64>> {
        let give_up = Instant::now() + patience;
        while self.missing > 0 {
            let now = Instant::now();
            if now >= give_up {
                let (missing, count) = (self.missing, self.members.len());
                let seconds = patience.as_secs();
                bail!("{missing} of {count} sessions are not there after {seconds} s");
            }
            self.send_out(now)?;
            self.wait()?;
            self.look_around(Instant::now());
        }
        Ok(std::mem::replace(&mut self.nanos, empty_histogram()))
    }

    /// Keeps the sessions alive for a time.
    pub(crate) fn rest(&mut self, time: Duration) -> anyhow::Result<()> {
        let until = Instant::now() + time;
        while Instant::now() < until {
            self.wait()?;
            self.look_around(Instant::now());
        }
        Ok(())
    }

    /// From now on each session counts as missing until it has shown that it works: by an answer to a
    /// sync, which needs a leader, or by being taken over by another server, which does, too.
    pub(crate) fn suspect_all(&mut self, now: Instant) {
        self.since = Some(now);
        self.missing = self.members.len();
        for at in 0..self.members.len() {
            let member = &mut self.members[at];
            member.is_missing = true;
            let asked = match &mut member.link {
                Some(link) => link.ask(),
                None => continue,
            };
            if asked.is_err() {
                self.lose(at, now);
            }
        }
    }

    /// What must not happen, by kind.
    pub(crate) fn failures(&self) -> &BTreeMap<String, u64> {
        &self.failures
    }

    /// Ends all sessions, as far as their servers still listen.
    pub(crate) fn close(self) {
        for link in self.members.into_iter().filter_map(|member| member.link) {
            link.close();
        }
    }

    /// Lets those that wait try, as far as the doors are open.
    fn send_out(&mut self, now: Instant) -> anyhow::Result<()> {
        while let Some(&at) = self.waiting.front() {
            let Some(door) = self.open_door(now) else {
                return Ok(());
            };
            self.waiting.pop_front();
            self.doors[door].enter();
            let member = &mut self.members[at];
            member.door = door;
            member.first_tried.get_or_insert(now);
            let address = self.doors[door].address;
            let link = Link::dial(address, self.poll.registry(), Token(at), now)
                .with_context(|| format!("cannot connect to {address}"))?;
            member.link = Some(link);
        }
        Ok(())
    }

    /// The next door in turn at which a session may try.
    fn open_door(&mut self, now: Instant) -> Option<usize> {
        let count = self.doors.len();
        let mut turns = (self.next_door..self.next_door + count).map(|door| door % count);
        let door = turns.find(|door| self.doors[*door].is_open(now))?;
        self.next_door = (door + 1) % count;
        Some(door)
    }

    fn wait(&mut self) -> anyhow::Result<()> {
        match self.poll.poll(&mut self.events, Some(TICK)) {
            Err(e) if e.kind() != io::ErrorKind::Interrupted => Err(e).context("cannot wait"),
            _ => Ok(()),
        }
    }

    /// Attends to what has happened, to attempts that take too long, and to pings.
    fn look_around(&mut self, now: Instant) {
        let happened: Vec<usize> = self.events.iter().map(|event| event.token().0).collect();
        self.events.clear();
        for at in happened {
            self.attend(at, now);
        }
        if now >= self.next_check {
            self.next_check = now + CHECK;
            self.give_up_attempts(now);
        }
        if now >= self.next_ping {
            self.next_ping = now + self.timeout / 3;
            self.ping_all(now);
        }
    }

    fn give_up_attempts(&mut self, now: Instant) {
        for at in 0..self.members.len() {
            let link = self.members[at].link.as_ref();
            if link.is_some_and(|link| link.is_attempt_since(now - ATTEMPT_MAX)) {
                self.lose(at, now);
            }
        }
    }

    fn attend(&mut self, at: usize, now: Instant) {
        let member = &mut self.members[at];
        let Some(link) = &mut member.link else {
            return;
        };
        match link.advance(member.credentials.as_ref(), self.timeout) {
            Ok(Progress::None) => {}
            Ok(Progress::Works) => self.find(at, now),
            Ok(Progress::Taken(credentials)) => {
                let door = &mut self.doors[member.door];
                door.succeed();
                let asked_for = member.credentials.replace(credentials.clone());
                if asked_for.is_some_and(|mine| mine.id != credentials.id) {
                    self.fail("another session");
                }
                self.find(at, now);
            }
            Ok(Progress::Expired) => {
                // It will never come back, so nobody must wait for it.
                self.fail("session expired");
                self.doors[self.members[at].door].succeed();
                self.members[at].link = None;
                self.missing -= 1;
            }
            Err(_) => self.lose(at, now),
        }
    }

    /// A session works.
    fn find(&mut self, at: usize, now: Instant) {
        let member = &mut self.members[at];
        if !std::mem::take(&mut member.is_missing) {
            return;
        }
        self.missing -= 1;
        let since = self.since.or(member.first_tried).unwrap_or(now);
        let took = u64::try_from(now.duration_since(since).as_nanos()).unwrap_or(u64::MAX);
        self.nanos.saturating_record(took);
    }

    /// A connection is gone, or has never been.
    fn lose(&mut self, at: usize, now: Instant) {
        let member = &mut self.members[at];
        let Some(link) = member.link.take() else {
            return;
        };
        if link.is_attempt() {
            self.doors[member.door].fail(now);
        } else if self.since.is_none() {
            // Nobody has made a server fail.
            self.fail("connection lost");
        }
        let member = &mut self.members[at];
        if !std::mem::replace(&mut member.is_missing, true) {
            self.missing += 1;
        }
        self.waiting.push_back(at);
    }

    fn ping_all(&mut self, now: Instant) {
        for at in 0..self.members.len() {
            let lost = match &mut self.members[at].link {
                Some(link) => link.ping().is_err(),
                None => false,
            };
            if lost {
                self.lose(at, now);
            }
        }
    }

    fn fail(&mut self, what: &str) {
        *self.failures.entry(what.to_owned()).or_default() += 1;
    }
}
