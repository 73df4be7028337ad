//! A snapshot on its way from a leader to a learner (spec §6.4): behind the SNAP packet, the data of a
//! snapshot file without header and seals, and a signature.

use super::progress::Progress;
use super::received::{ComingFile, ReceivedSnapshot, aside};
use super::writer::Chunks;
use crate::pace::Pace;
use crate::shared::{Shared, SharedWalk};
use bytes::{Buf as _, BytesMut};
use std::sync::Arc;
use std::thread;
use std::time::Instant;
use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::sync::{mpsc, oneshot};
use tracing::info;
use zooid_proto::{DecodeError, Jute, Limit, PacketType, QuorumPacket, Reader, Zxid};
use zooid_storage::{BodyParser, SnapshotOptions, SnapshotPart, SnapshotParts, Snapshots};
use zooid_tree::{LoadError, Replica, ReplicaBuilder, TreeOptions};

/// How much is taken from the replica under one lock, in bytes: some tens of microseconds, which is what a
/// write may have to wait.
const LOCKED_BYTES: usize = 32 << 10;
/// How much is sent, or read, at once.
const CHUNK_BYTES: usize = 128 << 10;
/// Parts of a snapshot that wait to be put into the tree.
const PARTS_MAX: usize = 8;
/// Java's `LearnerHandler` ends the stream with it.
const SIGNATURE: &str = "BenWasHere";
/// What one item may have beside the data of a node, which `jute.maxbuffer` limits: its path, or the
/// entries of an access control list.
const ITEM_BYTES_BESIDES: usize = 16 << 20;

/// What a snapshot that is received becomes.
pub(super) struct Target {
    pub(super) snapshots: Arc<Snapshots>,
    pub(super) file: SnapshotOptions,
    pub(super) tree: TreeOptions,
}

/// Puts out the packet, the data and the signature.
pub(super) fn send(shared: &Shared, mut walk: SharedWalk, out: &mut Chunks) -> Result<(), String> {
    let zxid = walk.zxid();
    info!(%zxid, "sending a snapshot");
    let mut chunk = QuorumPacket::new(PacketType::Snap, zxid).to_vec();
    loop {
        // Whoever is preempted with the lock makes all writes wait until its turn comes again, where processors are few.
        // So the turn ends here, and there is a whole one for what is done under the lock.
        thread::yield_now();
        let replica = shared.replica.read();
        if !walk.started.is_current(shared) {
            return Err("the history has been replaced".to_owned());
        }
        let more = walk.walk.next_chunk(&replica, &mut chunk, LOCKED_BYTES);
        drop(replica);
        if !more {
            SIGNATURE.to_owned().encode(&mut chunk);
        }
        if !more || chunk.len() >= CHUNK_BYTES {
            out.put(&chunk)?;
            chunk.clear();
        }
        if !more {
            return Ok(());
        }
    }
}

/// Reads a snapshot to its end, the first part of which is in `buffer` already; what is behind it is
/// left there.
///
/// Taking the stream apart is done here, building the tree and writing the file on two other threads, and to be called
/// where nobody's request waits. What is given up in the middle ends both, and leaves nothing.
pub(super) async fn receive(
    socket: &mut (impl AsyncRead + Unpin),
    buffer: &mut BytesMut,
    zxid: Zxid,
    target: Target,
    limit: Limit,
    progress: &mut Progress,
) -> Result<ReceivedSnapshot, String> {
    let Target {
        snapshots,
        file,
        tree,
    } = target;
    let file = ComingFile::new(snapshots, zxid, file).map_err(|error| error.to_string())?;
    let (parts, built) = build(zxid, tree).map_err(|error| error.to_string())?;
    let mut intake = Intake {
        parser: BodyParser::default(),
        parts: SnapshotParts::new(tree),
        limit,
        file,
    };
    let mut pace = Pace::of_learner();
    loop {
        let began = Instant::now();
        let (taken, is_complete) = intake.take(buffer)?;
        pace.keep(began.elapsed());
        for part in taken {
            if parts.send(part).await.is_err() {
                // Whoever builds the tree knows why.
                return Err(match built.await.map_err(|error| error.to_string())? {
                    Ok(_) => "it makes no tree".to_owned(),
                    Err(error) => error.to_string(),
                });
            }
        }
        if is_complete {
            break;
        }
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
    drop(parts);
    let built = built.await.map_err(|error| error.to_string())?;
    Ok(ReceivedSnapshot {
        replica: Box::new(built.map_err(|error| error.to_string())?),
        file: intake.file.end(),
    })
}

/// The tree, once it is whole.
type Built = oneshot::Receiver<Result<Replica, LoadError>>;

/// Builds the tree of the parts that are sent, on another thread. What comes out is whole only if everything
/// was sent.
fn build(zxid: Zxid, options: TreeOptions) -> std::io::Result<(mpsc::Sender<SnapshotPart>, Built)> {
    let (sender, mut parts) = mpsc::channel::<SnapshotPart>(PARTS_MAX);
    let (done, built) = oneshot::channel();
    aside("zooid-build", move || {
        let mut builder = ReplicaBuilder::new(options);
        let mut added = Ok(());
        let mut pace = Pace::of_learner();
        while let (Ok(()), Some(part)) = (&added, parts.blocking_recv()) {
            let began = Instant::now();
            added = part.add_to(&mut builder);
            pace.keep(began.elapsed());
        }
        // Who waits for it sees that no more parts are taken, and asks why.
        drop(parts);
        // It may be given up, and what there is of it goes.
        let _ = done.send(added.and_then(|()| builder.finish(zxid)));
    })?;
    Ok((sender, built))
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
    parts: SnapshotParts,
    limit: Limit,
    file: ComingFile,
}

impl Intake {
    /// Takes the items that are whole out of `buffer`, for the file and, in parts, for the tree; true when
    /// the last one was among them.
    fn take(&mut self, buffer: &mut BytesMut) -> Result<(Vec<SnapshotPart>, bool), String> {
        let mut taken = Vec::new();
        let mut used = 0;
        let is_complete = loop {
            let mut r = Reader::new(&buffer[used..], self.limit);
            let item = match self.parser.next_item(&mut r) {
                Err(DecodeError::Truncated { .. }) => break false,
                item => item.map_err(|error| error.to_string())?,
            };
            used = buffer.len() - r.rest().len();
            match item {
                Some(item) => taken.extend(self.parts.take(item)),
                None => break true,
            }
        };
        if is_complete {
            taken.push(self.parts.rest());
        }
        self.file.put(buffer.split_to(used).freeze());
        Ok((taken, is_complete))
    }
}

#[cfg(test)]
mod tests;
