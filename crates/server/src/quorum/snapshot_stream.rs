//! A snapshot on its way from a leader to a learner (spec §6.4): behind the SNAP packet, the data of a
//! snapshot file without header and seals, and a signature.

use super::progress::Progress;
use super::writer::Chunks;
use crate::shared::{Shared, SharedWalk};
use bytes::{Buf as _, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt as _};
use tracing::info;
use zooid_proto::{DecodeError, Jute, Limit, PacketType, QuorumPacket, Reader, Zxid};
use zooid_storage::{BodyParser, SnapshotItem};
use zooid_tree::{Replica, ReplicaBuilder, TreeOptions};

/// How much is taken from the replica under one lock, in bytes.
const CHUNK_BYTES: usize = 128 << 10;
/// Java's `LearnerHandler` ends the stream with it.
const SIGNATURE: &str = "BenWasHere";
/// What one item may have beside the data of a node, which `jute.maxbuffer` limits: its path, or the
/// entries of an access control list.
const ITEM_BYTES_BESIDES: usize = 16 << 20;

/// Puts out the packet, the data and the signature.
pub(super) fn send(shared: &Shared, mut walk: SharedWalk, out: &Chunks) -> Result<(), String> {
    let zxid = walk.zxid();
    info!(%zxid, "sending a snapshot");
    let sent = send_walk(shared, &mut walk, out);
    shared.end_walk(walk);
    sent
}

fn send_walk(shared: &Shared, walk: &mut SharedWalk, out: &Chunks) -> Result<(), String> {
    let mut chunk = QuorumPacket::new(PacketType::Snap, walk.zxid()).to_vec();
    loop {
        let replica = shared.replica.read();
        if !walk.started.is_current(shared) {
            return Err("the history has been replaced".to_owned());
        }
        let more = walk.walk.next_chunk(&replica, &mut chunk, CHUNK_BYTES);
        drop(replica);
        if !more {
            SIGNATURE.to_owned().encode(&mut chunk);
        }
        out.put(std::mem::take(&mut chunk))?;
        if !more {
            return Ok(());
        }
    }
}

/// Reads a snapshot to its end, the first part of which is in `buffer` already; what is behind it is
/// left there.
pub(super) async fn receive(
    socket: &mut (impl AsyncRead + Unpin),
    buffer: &mut BytesMut,
    zxid: Zxid,
    options: TreeOptions,
    limit: Limit,
    progress: &mut Progress,
) -> Result<Replica, String> {
    let mut intake = Intake {
        parser: BodyParser::default(),
        builder: ReplicaBuilder::new(options),
        limit,
    };
    while !intake.take(buffer)? {
        read_more(socket, buffer, limit.0.saturating_add(ITEM_BYTES_BESIDES)).await?;
        progress.made().await;
    }
    let signature = SIGNATURE.to_owned().to_vec();
    while buffer.len() < signature.len() {
        read_more(socket, buffer, usize::MAX).await?;
    }
    if !buffer.starts_with(&signature) {
        return Err("the snapshot does not end as one does".to_owned());
    }
    buffer.advance(signature.len());
    let builder = intake.builder;
    let finish = tokio::task::spawn_blocking(move || builder.finish(zxid));
    let built = finish.await.map_err(|error| error.to_string())?;
    built.map_err(|error| error.to_string())
}

async fn read_more(
    socket: &mut (impl AsyncRead + Unpin),
    buffer: &mut BytesMut,
    bytes_max: usize,
) -> Result<(), String> {
    if buffer.len() > bytes_max {
        return Err(format!(
            "one item of the snapshot has over {bytes_max} bytes"
        ));
    }
    buffer.reserve(CHUNK_BYTES);
    match socket.read_buf(buffer).await {
        Ok(0) => Err("the link ended within a snapshot".to_owned()),
        Ok(_) => Ok(()),
        Err(error) => Err(error.to_string()),
    }
}

struct Intake {
    parser: BodyParser,
    builder: ReplicaBuilder,
    limit: Limit,
}

impl Intake {
    /// Takes the items that are whole out of `buffer`; true when the last one was among them.
    fn take(&mut self, buffer: &mut BytesMut) -> Result<bool, String> {
        let mut used = 0;
        let is_complete = loop {
            let mut r = Reader::new(&buffer[used..], self.limit);
            let item = match self.parser.next_item(&mut r) {
                Err(DecodeError::Truncated { .. }) => break false,
                item => item.map_err(|error| error.to_string())?,
            };
            used = buffer.len() - r.rest().len();
            match item {
                Some(item) => add(&mut self.builder, item)?,
                None => break true,
            }
        };
        buffer.advance(used);
        Ok(is_complete)
    }
}

fn add(builder: &mut ReplicaBuilder, item: SnapshotItem<'_>) -> Result<(), String> {
    match item {
        SnapshotItem::Session { id, timeout_ms } => builder.session(id, timeout_ms),
        SnapshotItem::Acl { id, acl } => builder.acl(id, &acl),
        SnapshotItem::Node(node) => {
            let added = builder.node(&node.path, node.data, node.acl_id, node.stat);
            added.map_err(|error| error.to_string())?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
