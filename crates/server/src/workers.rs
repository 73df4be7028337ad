//! The threads that serve clients.
//!
//! Each has a runtime of its own, and a client stays with the thread that it was given: work that wakes
//! one thread never wakes a second one to look for more, as it does where threads share their work.

use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::{self, available_parallelism};
use tokio::runtime::{Builder, Handle};
use tokio_util::sync::{CancellationToken, DropGuard};

/// See the module. The threads end when this is dropped, with whatever they were doing.
#[derive(Debug)]
pub(crate) struct Workers {
    handles: Vec<Handle>,
    next: AtomicUsize,
    /// Held for its drop.
    _running: DropGuard,
}

impl Workers {
    /// One for each processor.
    ///
    /// # Errors
    /// When the system refuses a thread.
    pub(crate) fn start() -> io::Result<Workers> {
        let stop = CancellationToken::new();
        let count = available_parallelism().map_or(1, usize::from);
        let handles = (0..count)
            .map(|number| start_one(number, stop.child_token()))
            .collect::<io::Result<Vec<Handle>>>()?;
        Ok(Workers {
            handles,
            next: AtomicUsize::new(0),
            _running: stop.drop_guard(),
        })
    }

    /// Where the next client goes: to one after the other.
    pub(crate) fn next(&self) -> &Handle {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        &self.handles[number % self.handles.len()]
    }
}

fn start_one(number: usize, stop: CancellationToken) -> io::Result<Handle> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let handle = runtime.handle().clone();
    thread::Builder::new()
        .name(format!("zooid-io-{number}"))
        .spawn(move || {
            runtime.block_on(stop.cancelled());
            runtime.shutdown_background();
        })?;
    Ok(handle)
}
