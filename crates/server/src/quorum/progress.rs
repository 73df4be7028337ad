//! A sign of life from a link on which something long is under way, so that nobody takes it for dead.

use crate::core_thread::CoreMessage;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::Instant;
use zooid_node::Input;
use zooid_zab::LinkId;

/// Much less than any limit on silence, and much more than a chunk takes.
const INTERVAL: Duration = Duration::from_millis(100);

/// Tells the core, now and then, that bytes have moved.
#[derive(Debug)]
pub(super) struct Progress {
    core: mpsc::Sender<CoreMessage>,
    link: LinkId,
    told: Instant,
}

impl Progress {
    pub(super) fn new(core: mpsc::Sender<CoreMessage>, link: LinkId) -> Progress {
        let told = Instant::now();
        Progress { core, link, told }
    }

    /// Some bytes have moved.
    pub(super) async fn made(&mut self) {
        if self.told.elapsed() < INTERVAL {
            return;
        }
        self.told = Instant::now();
        let input = Input::LinkProgress(self.link);
        // The core being gone, nobody needs to know.
        let _ = self.core.send(CoreMessage::Inputs(vec![input])).await;
    }
}

#[cfg(test)]
mod tests;
