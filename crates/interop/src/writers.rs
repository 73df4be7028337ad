//! Clients that write while servers are killed, and know afterwards what must be there.
//!
//! Owns the crew of writing threads and what they share: where the servers are, how many writes have
//! been acknowledged, when to end. One writer's work is in [`writer`], what it claims and how a tree
//! is held against that in [`journal`].

mod journal;
mod writer;

pub use journal::{Journal, check_journals, wait_for_lost_ephemerals};

use anyhow::{Context, Result, anyhow};
use std::net::SocketAddr;
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};
use writer::Writer;

/// Writers at work, each in a thread of its own, with one session all the time.
#[derive(Debug)]
pub struct Writers {
    stage: Arc<Stage>,
    threads: Vec<JoinHandle<Result<Journal>>>,
}

impl Writers {
    /// Starts so many, which connect to any of these servers.
    ///
    /// # Errors
    /// When one cannot begin its work.
    pub fn start(count: usize, addresses: &[SocketAddr]) -> Result<Writers> {
        let stage = Arc::new(Stage::new(addresses));
        // All before any writes: what one writes may close the others' connections, by using an epoch up.
        let writers: Result<Vec<Writer>> = (0..count)
            .map(|number| Writer::new(number, &stage))
            .collect();
        let start = |writer: Writer| {
            let stage = Arc::clone(&stage);
            thread::spawn(move || writer.run(&stage))
        };
        let threads = writers?.into_iter().map(start).collect();
        Ok(Writers { stage, threads })
    }

    /// Waits until so many more writes have been acknowledged than now.
    ///
    /// # Errors
    /// When the writers do not get on.
    pub fn wait_for_more_acks(&self, more: u64) -> Result<()> {
        self.stage.wait_for_more_acks(more)
    }

    /// Tells the writers that the servers are elsewhere.
    pub fn set_addresses(&self, addresses: &[SocketAddr]) {
        self.stage.state().addresses = addresses.to_vec();
        self.stage.changed.notify_all();
    }

    /// Has the writers end, once each is connected; what each of them claims.
    ///
    /// # Errors
    /// When one has lost its session, or cannot come back to it.
    pub fn finish(self) -> Result<Vec<Journal>> {
        self.stage.state().is_finished = true;
        let joined = self.threads.into_iter().map(JoinHandle::join);
        joined
            .map(|ended| ended.map_err(|_| anyhow!("a writer panicked"))?)
            .collect()
    }
}

/// What the writers and those who kill their servers share.
#[derive(Debug)]
struct Stage {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug)]
struct State {
    addresses: Vec<SocketAddr>,
    acks: u64,
    is_finished: bool,
}

impl Stage {
    fn new(addresses: &[SocketAddr]) -> Stage {
        Stage {
            state: Mutex::new(State {
                addresses: addresses.to_vec(),
                acks: 0,
                is_finished: false,
            }),
            changed: Condvar::new(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no panic with the lock")
    }

    fn ack(&self) {
        self.state().acks += 1;
        self.changed.notify_all();
    }

    fn wait_for_more_acks(&self, more: u64) -> Result<()> {
        let state = self.state();
        let goal = state.acks + more;
        let is_behind = |state: &mut State| state.acks < goal;
        let waited = self.changed.wait_timeout_while(state, PATIENCE, is_behind);
        let (state, timeout) = waited.expect("no panic with the lock");
        if timeout.timed_out() {
            let behind = goal - state.acks;
            return Err(anyhow!(
                "the writers do not get on: {behind} of {more} acks are missing"
            ));
        }
        Ok(())
    }

    /// Tries one server after the other, from that of this number on, until the attempt succeeds at
    /// one. An attempt that returns an error within is given up for good.
    fn at_any_server<T>(
        &self,
        mut number: usize,
        mut attempt: impl FnMut(SocketAddr) -> Result<Option<T>>,
    ) -> Result<T> {
        let started = Instant::now();
        while started.elapsed() < PATIENCE {
            let addresses = self.state().addresses.clone();
            let address = addresses.get(number % addresses.len().max(1));
            if let Some(done) = attempt(*address.context("no servers")?)? {
                return Ok(done);
            }
            number += 1;
            // New addresses end the pause.
            let paused = self.changed.wait_timeout(self.state(), RETRY_PAUSE);
            drop(paused.expect("no panic with the lock"));
        }
        Err(anyhow!("no server takes a client back"))
    }
}

const PATIENCE: Duration = Duration::from_secs(60);
const RETRY_PAUSE: Duration = Duration::from_millis(20);
