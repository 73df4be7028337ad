//! The threads that serve clients.
//!
//! Each has a runtime of its own, and a client stays with the thread that it was given: work that wakes
//! one thread never wakes a second one to look for more, as it does where threads share their work. What
//! others have for a thread they put on its [`Desk`], where one waking is enough for all that lies there.

use crate::client::{self, Client};
use crate::shared::Shared;
use parking_lot::Mutex;
use std::io;
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::{self, available_parallelism};
use tokio::runtime::Builder;
use tokio::sync::Notify;
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;

/// See the module. The threads end when this is dropped, with whatever they were doing.
#[derive(Debug)]
pub(crate) struct Workers {
    desks: Vec<Arc<Desk>>,
    next: AtomicUsize,
    /// Held for its drop.
    _running: DropGuard,
}

/// What waits for a thread. Each client is in it once at most, as one or the other.
#[derive(Debug, Default)]
pub(crate) struct Desk {
    items: Mutex<Items>,
    filled: Notify,
}

#[derive(Debug, Default)]
struct Items {
    /// Those that have just come.
    arrived: Vec<(Arc<Client>, TcpStream)>,
    /// Those that somebody else has put something into.
    to_answer: Vec<Arc<Client>>,
}

impl Workers {
    /// One for each processor; each client is one of `tasks`.
    ///
    /// # Errors
    /// When the system refuses a thread.
    pub(crate) fn start(shared: &Arc<Shared>, tasks: &TaskTracker) -> io::Result<Workers> {
        let stop = CancellationToken::new();
        let count = available_parallelism().map_or(1, usize::from);
        let desks = (0..count)
            .map(|number| {
                let desk = Arc::new(Desk::default());
                let worker = Worker {
                    desk: Arc::clone(&desk),
                    shared: Arc::clone(shared),
                    tasks: tasks.clone(),
                };
                worker.start(number, stop.child_token())?;
                Ok(desk)
            })
            .collect::<io::Result<Vec<Arc<Desk>>>>()?;
        Ok(Workers {
            desks,
            next: AtomicUsize::new(0),
            _running: stop.drop_guard(),
        })
    }

    /// Where the next client goes: to one after the other.
    pub(crate) fn next(&self) -> &Arc<Desk> {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        &self.desks[number % self.desks.len()]
    }
}

impl Desk {
    /// Has the thread serve somebody new, whose desk this is.
    pub(crate) fn welcome(&self, client: Arc<Client>, stream: TcpStream) {
        self.put(|items| items.arrived.push((client, stream)));
    }

    /// Has the thread answer a client of its own, who is not here yet.
    pub(crate) fn answer(&self, client: Arc<Client>) {
        self.put(|items| items.to_answer.push(client));
    }

    fn put(&self, put: impl FnOnce(&mut Items)) {
        let mut items = self.items.lock();
        let was_empty = items.arrived.is_empty() && items.to_answer.is_empty();
        put(&mut items);
        drop(items);
        // Else it is awake, or about to be.
        if was_empty {
            self.filled.notify_one();
        }
    }
}

struct Worker {
    desk: Arc<Desk>,
    shared: Arc<Shared>,
    tasks: TaskTracker,
}

impl Worker {
    fn start(self, number: usize, stop: CancellationToken) -> io::Result<()> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        thread::Builder::new()
            .name(format!("zooid-io-{number}"))
            .spawn(move || {
                runtime.block_on(async {
                    // Nothing is lost that anybody would still wait for.
                    tokio::select! {
                        () = stop.cancelled() => {}
                        () = self.work() => {}
                    }
                });
                runtime.shutdown_background();
            })?;
        Ok(())
    }

    async fn work(self) {
        loop {
            self.desk.filled.notified().await;
            let Items { arrived, to_answer } = std::mem::take(&mut *self.desk.items.lock());
            for (client, stream) in arrived {
                let served = client::serve(Arc::clone(&self.shared), client, stream);
                self.tasks.spawn(served);
            }
            for client in to_answer {
                client.leave_desk();
                client.answer_or_wake(&self.shared);
            }
        }
    }
}

#[cfg(test)]
mod tests;
