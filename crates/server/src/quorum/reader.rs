//! What comes on a link: packets, and snapshots between them, for the core.

use super::link::Link;
use super::links::{Links, Origin};
use super::progress::Progress;
use super::received::{ReceivedSnapshot, aside};
use super::snapshot_stream::{self, Target};
use crate::core_thread::CoreMessage;
use crate::membership;
use bytes::BytesMut;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::AsyncReadExt as _;
use tokio::net::tcp::OwnedReadHalf;
use tokio::runtime::Handle;
use tokio::sync::oneshot;
use tokio::time::{Instant, timeout_at};
use tokio_util::sync::CancellationToken;
use tracing::info;
use zooid_node::Input;
use zooid_proto::{Limit, PacketDecoder, PacketRun, PacketType, Reader, Zxid};

/// Bytes of a block that packets are received in.
const BLOCK_BYTES: usize = 64 << 10;
/// The least that is asked of a socket at once.
const READ_BYTES_LEAST: usize = 16 << 10;
/// Inputs that there is always room for.
const INPUTS_LEAST: usize = 16;
/// What a packet may have beside its data: mostly the identities of a client.
const PACKET_BYTES_BESIDES: usize = 1 << 20;
const TYPE_BYTES: usize = 4;
const LENGTH_BYTES: usize = 4;
/// Type, zxid and the length of the data.
const HEAD_BYTES: usize = 16;
/// The least that follows the data.
const TAIL_BYTES: usize = 4;

/// The reading half of a link.
pub(super) struct LinkReader {
    links: Arc<Links>,
    link: Arc<Link>,
    socket: OwnedReadHalf,
    origin: Origin,
    limit: Limit,
    decoder: PacketDecoder,
    buffer: BytesMut,
    /// How many inputs there were the last time: about as many as there will be.
    inputs_last: usize,
    /// Whether the core knows the link. It hears of a learner with its first packet, and so never of
    /// those who say nothing sensible.
    is_announced: bool,
    /// Until when a learner must have introduced itself.
    deadline: Instant,
}

impl LinkReader {
    pub(super) fn new(
        links: Arc<Links>,
        link: Arc<Link>,
        socket: OwnedReadHalf,
        origin: Origin,
    ) -> LinkReader {
        let patience = membership::init_limit_ms(&links.shared.config);
        LinkReader {
            limit: links.shared.settings.limit,
            links,
            link,
            socket,
            origin,
            decoder: PacketDecoder::default(),
            buffer: BytesMut::new(),
            inputs_last: 0,
            is_announced: origin == Origin::Dialled,
            deadline: Instant::now() + Duration::from_millis(patience),
        }
    }

    /// Runs until nothing more can come; says why.
    pub(super) async fn run(self) -> String {
        match self.read().await {
            Ok(never) => match never {},
            Err(reason) => reason,
        }
    }

    async fn read(mut self) -> Result<std::convert::Infallible, String> {
        loop {
            let mut inputs = Vec::with_capacity(self.inputs_last.max(INPUTS_LEAST));
            let split = self.split(&mut inputs);
            self.inputs_last = inputs.len();
            self.tell(inputs).await?;
            match split? {
                Some(zxid) => self = self.receive_snapshot(zxid).await?,
                None => self.read_more().await?,
            }
        }
    }

    /// Takes the packets that are whole out of the buffer, up to a SNAP.
    fn split(&mut self, inputs: &mut Vec<Input>) -> Result<Option<Zxid>, String> {
        if self.buffer.len() < least_packet_len(&self.buffer, self.limit) {
            return Ok(None);
        }
        let bytes = self.buffer.split().freeze();
        let mut r = Reader::shared(&bytes, self.limit);
        let mut snapshot = None;
        while snapshot.is_none() {
            if let Some(run) = PacketRun::next(&mut r) {
                Input::add_run(self.link.id, run, inputs);
                continue;
            }
            let next = self.decoder.next(&mut r);
            let Some(packet) = next.map_err(|error| format!("no packet: {error}"))? else {
                break;
            };
            if packet.kind == PacketType::Snap {
                snapshot = Some(packet.zxid);
            } else {
                Input::add_packet(self.link.id, packet, inputs);
            }
        }
        // Behind what has been taken, in the same block if there is room.
        self.buffer.extend_from_slice(r.rest());
        if snapshot.is_some() && self.origin == Origin::Accepted {
            return Err("a learner sends a snapshot".to_owned());
        }
        Ok(snapshot)
    }

    async fn tell(&mut self, mut inputs: Vec<Input>) -> Result<(), String> {
        if inputs.is_empty() {
            return Ok(());
        }
        if !self.is_announced {
            self.is_announced = true;
            self.link.introduced();
            info!(link = self.link.id.0, "a learner has come");
            inputs.insert(0, Input::LinkAccepted(self.link.id));
        }
        let told = self.links.shared.core.send(CoreMessage::Inputs(inputs));
        told.await.map_err(|_| "this server stops".to_owned())
    }

    async fn receive_snapshot(self, zxid: Zxid) -> Result<LinkReader, String> {
        let (mut reader, received) = self.read_snapshot_aside(zxid).await?;
        let snapshot = received.map_err(|reason| format!("no snapshot: {reason}"))?;
        let link = reader.link.id;
        reader.links.hold_snapshot(link, snapshot);
        let input = Input::SnapshotReceived { link, zxid };
        reader.tell(vec![input]).await?;
        Ok(reader)
    }

    /// Has another thread read a snapshot; the reader comes back at its end. The thread that drives the links may
    /// share its processors with those whom clients wait for. If this is dropped before, the other thread ends at
    /// the next chunk, and what it has goes with it.
    async fn read_snapshot_aside(
        mut self,
        zxid: Zxid,
    ) -> Result<(LinkReader, Result<ReceivedSnapshot, String>), String> {
        let runtime = Handle::current();
        let ended = CancellationToken::new();
        let _ends = ended.clone().drop_guard();
        let (done, outcome) = oneshot::channel();
        let read = move || {
            let reading = ended.run_until_cancelled(self.read_snapshot(zxid));
            if let Some(received) = runtime.block_on(reading) {
                // Nobody hears of it if the link has ended meanwhile.
                let _ = done.send((self, received));
            }
        };
        aside("zooid-receive", read).map_err(|error| error.to_string())?;
        outcome.await.map_err(|_| "the link has ended".to_owned())
    }

    async fn read_snapshot(&mut self, zxid: Zxid) -> Result<ReceivedSnapshot, String> {
        let files = &self.links.shared.files;
        let target = Target {
            snapshots: Arc::clone(&files.snapshots),
            file: files.recover_options.snapshot,
            tree: files.recover_options.tree,
        };
        let (socket, buffer) = (&mut self.socket, &mut self.buffer);
        let limit = self.limit;
        let mut progress = Progress::new(self.links.shared.core.clone(), self.link.id);
        snapshot_stream::receive(socket, buffer, zxid, target, limit, &mut progress).await
    }

    /// Begins a new block when the old one is nearly used up. Records keep the blocks that they came in.
    fn make_room(&mut self) {
        if self.buffer.capacity() - self.buffer.len() < READ_BYTES_LEAST {
            self.buffer.reserve(BLOCK_BYTES);
        }
    }

    async fn read_more(&mut self) -> Result<(), String> {
        if self.buffer.len() > self.limit.0.saturating_add(PACKET_BYTES_BESIDES) {
            return Err(format!("a packet has over {} bytes", self.buffer.len()));
        }
        self.make_room();
        let read = self.socket.read_buf(&mut self.buffer);
        let read = if self.is_announced {
            read.await
        } else {
            let read = timeout_at(self.deadline, read).await;
            read.map_err(|_| "it has not introduced itself in time".to_owned())?
        };
        match read {
            Ok(0) => Err("the other side has closed it".to_owned()),
            Ok(_) => Ok(()),
            Err(error) => Err(error.to_string()),
        }
    }
}

/// How long the packet at the front of `buffer` is at least, so that a long one is not looked at
/// again for each part that arrives. One that cannot be is left to the decoder to refuse, at once.
fn least_packet_len(buffer: &[u8], limit: Limit) -> usize {
    let number = |bytes: &[u8]| bytes.first_chunk().map(|bytes| i32::from_be_bytes(*bytes));
    if number(buffer).is_some_and(|code| PacketType::from_code(code).is_none()) {
        return TYPE_BYTES;
    }
    let length = buffer.get(HEAD_BYTES - LENGTH_BYTES..).and_then(number);
    match length {
        None | Some(-1) => HEAD_BYTES + TAIL_BYTES,
        Some(length) => match usize::try_from(length) {
            Ok(length) if length <= limit.0 => HEAD_BYTES + length + TAIL_BYTES,
            _ => HEAD_BYTES,
        },
    }
}

#[cfg(test)]
mod tests;
