//! Bytes on their way to one client, and the socket that takes them: whoever has put something into the
//! connection can send it, without waking the task that owns the connection.

use std::io::{self, ErrorKind, IoSlice};
use std::sync::Arc;
use tokio::net::tcp::OwnedWriteHalf;
use zooid_node::{ByteChain, Connection};

/// Pieces that are given to the kernel at once.
const PIECES_MAX: usize = 64;

/// See the module. Lock order: the connection, then this.
#[derive(Debug, Default)]
pub(super) struct Outgoing {
    /// `None` before the task runs, and when it is about to end.
    socket: Option<Arc<OwnedWriteHalf>>,
    chain: ByteChain,
    /// How much of it is with the kernel.
    sent: usize,
}

/// How far sending has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flow {
    /// The kernel has everything.
    Flushed,
    /// It takes no more for now.
    Blocked,
    /// The client is gone.
    Gone,
}

impl Outgoing {
    pub(super) fn open(&mut self, socket: Arc<OwnedWriteHalf>) {
        self.socket = Some(socket);
    }

    /// To be sent first of all.
    pub(super) fn put(&mut self, bytes: Vec<u8>) {
        self.chain = bytes.into();
    }

    /// Gives the kernel what there is, as far as it takes it now.
    pub(super) fn send(&mut self, conn: &mut Connection) -> Flow {
        let Some(socket) = &self.socket else {
            return Flow::Gone;
        };
        loop {
            if self.sent == self.chain.len() {
                // A connection with nothing to send holds no buffer.
                self.chain = ByteChain::default();
                self.sent = 0;
                conn.take_outbox(&mut self.chain);
                if self.chain.is_empty() {
                    return Flow::Flushed;
                }
            }
            match write(socket, &self.chain, self.sent) {
                Ok(n) if n > 0 => self.sent += n,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Flow::Blocked,
                _ => return Flow::Gone,
            }
        }
    }

    /// Drops what the client will not take any more.
    pub(super) fn discard(&mut self, conn: &mut Connection) {
        conn.take_outbox(&mut self.chain);
        self.chain = ByteChain::default();
        self.sent = 0;
    }

    /// Lets go of the socket; what has not been sent.
    pub(super) fn close(&mut self, conn: &mut Connection) -> Vec<u8> {
        self.socket = None;
        conn.take_outbox(&mut self.chain);
        std::mem::take(&mut self.chain).copied_from(std::mem::take(&mut self.sent))
    }
}

/// How many bytes of a chain, from a place on, the kernel has taken.
fn write(socket: &OwnedWriteHalf, chain: &ByteChain, place: usize) -> io::Result<usize> {
    let mut pieces = chain.pieces_from(place);
    let first = pieces.next().unwrap_or_default();
    let Some(second) = pieces.next() else {
        return socket.try_write(first);
    };
    let pieces = [first, second].into_iter().chain(pieces).take(PIECES_MAX);
    let slices: Vec<IoSlice<'_>> = pieces.map(IoSlice::new).collect();
    socket.try_write_vectored(&slices)
}
