//! One connection on the quorum port, as the core sees it: a bounded queue of what is to be sent, and
//! a way to end it.

use crate::shared::SharedWalk;
use parking_lot::Mutex;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use zooid_proto::{Jute, PacketRun, QuorumPacket, Zxid};
use zooid_zab::LinkId;

/// Bytes that may wait for the other side to read. Somebody so far behind is not coming back; there
/// is a snapshot for those.
const QUEUE_BYTES_MAX: usize = 256 << 20;
/// Packets are put together up to so many bytes, to be written at once.
const BLOCK_BYTES: usize = 64 << 10;
/// Blocks kept when they are sent.
const SPARE_MAX: usize = 4;

/// Something to be sent.
#[derive(Debug)]
pub(super) enum Part {
    /// Encoded packets.
    Packets(Vec<u8>),
    /// A PROPOSAL and a COMMIT for each transaction of the log in between.
    Log {
        /// Behind which.
        after: Zxid,
        /// The last one.
        upto: Zxid,
    },
    /// A SNAP and the replica.
    Snapshot(Box<SharedWalk>),
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Link {
    pub(super) id: LinkId,
    queue: Mutex<Queue>,
    /// Something is in the queue.
    filled: Notify,
    ended: CancellationToken,
    /// Whether a whole packet has come.
    is_introduced: AtomicBool,
}

#[derive(Debug, Default)]
struct Queue {
    parts: VecDeque<Part>,
    bytes: usize,
    /// Blocks that have been sent, for their room.
    spare: Vec<Vec<u8>>,
    /// Why the link ends, if this side ends it.
    reason: Option<String>,
}

impl Link {
    pub(super) fn new(id: LinkId) -> Link {
        Link {
            id,
            queue: Mutex::default(),
            filled: Notify::new(),
            ended: CancellationToken::new(),
            is_introduced: AtomicBool::new(false),
        }
    }

    /// Whether the other side has said something sensible.
    pub(super) fn is_introduced(&self) -> bool {
        self.is_introduced.load(Ordering::Relaxed)
    }

    pub(super) fn introduced(&self) {
        self.is_introduced.store(true, Ordering::Relaxed);
    }

    /// Queues a packet, without waking the writer yet.
    pub(crate) fn push_packet(&self, packet: &QuorumPacket) {
        self.push_packets(|block| packet.encode(block));
    }

    /// Queues several packets, without waking the writer yet.
    pub(crate) fn push_run(&self, run: PacketRun) {
        self.push_packets(|block| run.encode(block));
    }

    fn push_packets(&self, encode: impl FnOnce(&mut Vec<u8>)) {
        let mut queue = self.queue.lock();
        let before = match queue.parts.back_mut() {
            Some(Part::Packets(block)) if block.len() < BLOCK_BYTES => block.len(),
            _ => {
                let block = queue.spare.pop().unwrap_or_default();
                queue.parts.push_back(Part::Packets(block));
                0
            }
        };
        let Some(Part::Packets(block)) = queue.parts.back_mut() else {
            return;
        };
        encode(block);
        let added = block.len() - before;
        queue.bytes += added;
        let waiting = queue.bytes;
        drop(queue);
        if waiting > QUEUE_BYTES_MAX {
            self.hang_up(format!("it does not read: {waiting} bytes wait for it"));
        }
    }

    /// Queues something that is not a packet.
    pub(super) fn push(&self, part: Part) {
        self.queue.lock().parts.push_back(part);
    }

    /// Has the writer look at the queue.
    pub(crate) fn wake(&self) {
        self.filled.notify_one();
    }

    /// The next part, as soon as there is one. Cancellation-safe: a part is taken last.
    pub(super) async fn next_part(&self) -> Part {
        loop {
            {
                let mut queue = self.queue.lock();
                if let Some(part) = queue.parts.pop_front() {
                    if let Part::Packets(block) = &part {
                        queue.bytes -= block.len();
                    }
                    return part;
                }
            }
            self.filled.notified().await;
        }
    }

    /// Takes a block back that has been sent, to be filled again.
    pub(super) fn take_back(&self, mut block: Vec<u8>) {
        block.clear();
        block.shrink_to(2 * BLOCK_BYTES);
        let mut queue = self.queue.lock();
        if queue.spare.len() < SPARE_MAX {
            queue.spare.push(block);
        }
    }

    /// Ends the link; the first reason counts.
    pub(super) fn hang_up(&self, reason: String) {
        self.queue.lock().reason.get_or_insert(reason);
        self.ended.cancel();
    }

    pub(super) fn is_hung_up(&self) -> bool {
        self.ended.is_cancelled()
    }

    /// Waits for [`Link::hang_up`] and says why.
    pub(super) async fn hung_up(&self) -> String {
        self.ended.cancelled().await;
        self.queue.lock().reason.clone().unwrap_or_default()
    }

    /// Drops what nobody will send any more, and so ends the walks among it.
    pub(super) fn clear(&self) {
        // Not under the lock: it may be much.
        let parts = std::mem::take(&mut self.queue.lock().parts);
        drop(parts);
    }
}

#[cfg(test)]
mod tests;
