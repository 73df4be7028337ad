//! The threads that serve clients.
//!
//! Each has a runtime of its own, and a client stays with the thread that it was given: work that wakes
//! one thread never wakes a second one to look for more, as it does where threads share their work. What
//! others have for a thread they put on its [`Desk`], where one waking is enough for all that lies there.
//!
//! Where there are few processors, the core's thread serves clients, too: see [`count`].

use crate::busy_poll;
use crate::client::{self, Client};
use crate::shared::Shared;
use parking_lot::Mutex;
use std::io;
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::{self, available_parallelism};
use tokio::runtime::Handle;
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
    /// As many as `shared` is configured for; each client is one of `tasks`. `core` is the core thread's runtime.
    ///
    /// # Errors
    /// When the system refuses a thread.
    pub(crate) fn start(
        shared: &Arc<Shared>,
        tasks: &TaskTracker,
        core: &Handle,
    ) -> io::Result<Workers> {
        let stop = CancellationToken::new();
        let asked = shared.config.client.worker_threads.map(crate::shared::size);
        let processors = available_parallelism().map_or(1, usize::from);
        let worker = || Worker {
            desk: Arc::default(),
            shared: Arc::clone(shared),
            tasks: tasks.clone(),
            stop: stop.child_token(),
        };
        let desks = match count(asked, processors) {
            0 => Ok(vec![worker().start_on(core)]),
            count => (0..count).map(|number| worker().start(number)).collect(),
        };
        Ok(Workers {
            desks: desks?,
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

/// Up to so many processors are better shared by fewer threads.
const FEW_PROCESSORS: usize = 2;

/// How many threads serve clients; 0 is none but the core's.
///
/// One for each processor but one, which the core needs. Where that leaves one, having it is a loss: the core and the
/// log keep two processors busy, and each request would cost two wake-ups of threads that wait for one
/// another anyway. A wake-up costs as much as some ten requests.
fn count(asked: Option<usize>, processors: usize) -> usize {
    match asked {
        Some(count) => count.min(processors),
        None if processors <= FEW_PROCESSORS => 0,
        None => processors - 1,
    }
}

struct Worker {
    desk: Arc<Desk>,
    shared: Arc<Shared>,
    tasks: TaskTracker,
    stop: CancellationToken,
}

impl Worker {
    /// On a thread of its own.
    fn start(self, number: usize) -> io::Result<Arc<Desk>> {
        let desk = Arc::clone(&self.desk);
        let runtime = busy_poll::runtime()?;
        thread::Builder::new()
            .name(format!("zooid-io-{number}"))
            .spawn(move || {
                runtime.block_on(self.work());
                runtime.shutdown_background();
            })?;
        Ok(desk)
    }

    /// On somebody else's.
    fn start_on(self, runtime: &Handle) -> Arc<Desk> {
        let desk = Arc::clone(&self.desk);
        runtime.spawn(self.work());
        desk
    }

    async fn work(self) {
        let stop = self.stop.clone();
        // Nothing is lost that anybody would still wait for.
        stop.run_until_cancelled(self.serve()).await;
    }

    async fn serve(self) {
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
