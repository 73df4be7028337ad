//! What an ensemble does for its clients, asked of every one of its members.
//!
//! Owns the asking; each step fails at the first wrong answer. It leaves its nodes below one root, and no
//! session.

use crate::{Ensemble, Server, Session, Workload, anyone};
use anyhow::{Context, Result, ensure};
use std::time::{Duration, Instant};
use zooid_proto::{CreateMode, EventType, ServerId};

/// Has every running member do everything, below this root, which is created.
///
/// # Errors
/// When one does not, or two of them disagree.
pub fn use_every_member(ensemble: &Ensemble, root: &str) -> Result<()> {
    let services = Services { ensemble, root };
    services.create(root)?;
    for id in ensemble.up() {
        let done = services.write_everything(id);
        done.with_context(|| format!("writes through server {id}"))?;
    }
    for (from, to) in services.pairs() {
        let done = services.see_a_write_elsewhere(from, to);
        done.with_context(|| format!("a watch on server {to}, a write through server {from}"))?;
        let done = services.move_a_session(from, to);
        done.with_context(|| format!("a session from server {from} to server {to}"))?;
    }
    services.expire_sessions()?;
    services.write_digests()
}

struct Services<'a> {
    ensemble: &'a Ensemble,
    root: &'a str,
}

impl Services<'_> {
    /// Every kind of write, refused ones included; then another member has it all.
    fn write_everything(&self, id: ServerId) -> Result<()> {
        let mut session = self.ensemble.open_synced(id)?;
        // Of its own at the top: the workload sets a quota on it.
        let root = format!("{}-by-{id}", self.root);
        Workload::new(&mut session, &root)?.write_everything(self.server(id))?;
        session.sync("/")?;
        session.close()
    }

    /// A client of one member sees what a client of the other does, by the watch that it left.
    fn see_a_write_elsewhere(&self, from: ServerId, to: ServerId) -> Result<()> {
        let path = format!("{}/seen-{from}-{to}", self.root);
        let mut watcher = self.open(to)?;
        ensure!(watcher.exists(&path, true)?.is_none(), "{path} is there");
        let mut writer = self.open(from)?;
        writer.create(&path, Some(b"1"), &anyone(), CreateMode::Persistent)?;
        expect_event(&mut watcher, EventType::NodeCreated, &path)?;
        ensure!(
            watcher.exists(&path, true)?.is_some(),
            "{path} is not there"
        );
        writer.set_data(&path, Some(b"2"), 0)?;
        expect_event(&mut watcher, EventType::NodeDataChanged, &path)?;
        writer.close()?;
        watcher.close()
    }

    /// A client comes to the second member with the session that it had on the first.
    fn move_a_session(&self, from: ServerId, to: ServerId) -> Result<()> {
        let path = format!("{}/moved-{from}-{to}", self.root);
        let mut session = self.open(from)?;
        session.create(&path, Some(b"1"), &anyone(), CreateMode::Ephemeral)?;
        // A server that is behind what a client has seen would refuse it.
        self.ensemble.open_synced(to)?.close()?;
        let mut moved = session.reattach(self.address(to))?;
        let stat = moved.exists(&path, false)?.context("its node is gone")?;
        ensure!(stat.ephemeral_owner == session.id().0, "not its own node");
        moved.set_data(&path, Some(b"2"), 0)?;
        let stolen = session.set_data(&path, Some(b"3"), 1);
        ensure!(stolen.is_err(), "the session is still where it was");
        let mut witness = self.ensemble.open_synced(from)?;
        ensure!(witness.exists(&path, true)?.is_some(), "its node is gone");
        moved.close()?;
        witness.wait_until_gone(&path)?;
        witness.close()
    }

    /// Sessions of clients that went away end, on all members; one that says nothing but pings lives.
    fn expire_sessions(&self) -> Result<()> {
        let mut lost = Vec::new();
        let mut kept = Vec::new();
        for id in self.ensemble.up() {
            let mut session = Session::open(self.address(id), SHORT_TIMEOUT_MS)?;
            let path = format!("{}/kept-{id}", self.root);
            session.create(&path, None, &anyone(), CreateMode::Ephemeral)?;
            kept.push((session, path));
            let mut session = Session::open(self.address(id), SHORT_TIMEOUT_MS)?;
            let path = format!("{}/lost-{id}", self.root);
            session.create(&path, None, &anyone(), CreateMode::Ephemeral)?;
            lost.push(path);
        }
        for id in self.ensemble.up() {
            let mut witness = self.ensemble.open_synced(id)?;
            ping_all(&mut kept)?;
            for path in &lost {
                self.wait_until_gone(&mut witness, path, &mut kept)?;
            }
            witness.close()?;
        }
        ping_all(&mut kept)?;
        let pinged = Instant::now();
        for (mut session, path) in kept {
            let exists = session.exists(&path, false);
            let exists =
                exists.with_context(|| format!("{path}, {:?} after a ping", pinged.elapsed()))?;
            ensure!(exists.is_some(), "{path} is gone");
            session.close()?;
        }
        Ok(())
    }

    fn wait_until_gone(
        &self,
        witness: &mut Session,
        path: &str,
        kept: &mut [(Session, String)],
    ) -> Result<()> {
        let started = Instant::now();
        while witness.exists(path, false)?.is_some() {
            ensure!(started.elapsed() < PATIENCE, "{path} is still there");
            ping_all(kept)?;
            std::thread::sleep(POLL_INTERVAL);
        }
        Ok(())
    }

    /// The word `hash` tells the digest at every 128th zxid: now there are more of these.
    fn write_digests(&self) -> Result<()> {
        let mut session = self.open(self.ensemble.leader()?)?;
        for _ in 0..2 * DIGEST_INTERVAL {
            session.set_data(self.root, Some(b"on"), -1)?;
        }
        session.close()
    }

    fn create(&self, path: &str) -> Result<()> {
        let mut session = self.open(self.ensemble.leader()?)?;
        session.create(path, None, &anyone(), CreateMode::Persistent)?;
        session.close()
    }

    /// Each member with each other one.
    fn pairs(&self) -> Vec<(ServerId, ServerId)> {
        let up = self.ensemble.up();
        let others = |from: ServerId| up.clone().into_iter().map(move |to| (from, to));
        let pairs = up.iter().flat_map(|from| others(*from));
        pairs.filter(|(from, to)| from != to).collect()
    }

    fn open(&self, id: ServerId) -> Result<Session> {
        Session::open(self.address(id), LONG_TIMEOUT_MS)
    }

    fn address(&self, id: ServerId) -> std::net::SocketAddr {
        self.server(id).address()
    }

    fn server(&self, id: ServerId) -> &Server {
        self.ensemble.server(id)
    }
}

/// Keeps the sessions of these nodes alive.
fn ping_all(kept: &mut [(Session, String)]) -> Result<()> {
    for (session, path) in kept {
        let pinged = session.ping();
        pinged.with_context(|| format!("the session of {path}"))?;
    }
    Ok(())
}

fn expect_event(watcher: &mut Session, kind: EventType, path: &str) -> Result<()> {
    let event = watcher.wait_for_event()?.event;
    let is_expected = event.event_type == kind.code() && event.path == path;
    ensure!(is_expected, "{event:?} instead of {kind:?} of {path}");
    Ok(())
}

const SHORT_TIMEOUT_MS: i32 = 2_000;
const LONG_TIMEOUT_MS: i32 = 600_000;
const PATIENCE: Duration = Duration::from_secs(60);
const POLL_INTERVAL: Duration = Duration::from_millis(100);
const DIGEST_INTERVAL: usize = 128;
