//! Sending what a link's queue holds: packets as they are, log and snapshot as they are read.

use super::link::{Link, Part};
use super::progress::Progress;
use super::{log_history, snapshot_stream};
use crate::shared::Shared;
use std::sync::Arc;
use tokio::io::AsyncWriteExt as _;
use tokio::net::tcp::OwnedWriteHalf;
use tokio::sync::mpsc;

/// Chunks read ahead of the socket.
const CHUNKS_MAX: usize = 4;

/// Where a thread puts what is to be sent; an error when nobody sends it any more.
pub(super) struct Chunks(mpsc::Sender<Vec<u8>>);

impl Chunks {
    /// Waits for room.
    pub(super) fn put(&self, chunk: Vec<u8>) -> Result<(), String> {
        let sent = self.0.blocking_send(chunk);
        sent.map_err(|_| "the link has ended".to_owned())
    }
}

/// Runs until the link cannot be written to, or is hung up and everything queued is sent; says why.
pub(super) async fn run(
    shared: Arc<Shared>,
    link: Arc<Link>,
    mut socket: OwnedWriteHalf,
) -> String {
    let mut progress = Progress::new(shared.core.clone(), link.id);
    loop {
        // What is queued goes first, so that nothing is lost that was to be sent before the end.
        let part = tokio::select! {
            biased;
            part = link.next_part() => part,
            reason = link.hung_up() => return reason,
        };
        let sent = match part {
            Part::Packets(block) => {
                let sent = socket.write_all(&block).await;
                link.take_back(block);
                sent.map_err(|error| error.to_string())
            }
            Part::Log { after, upto } => {
                let shared = Arc::clone(&shared);
                let read = move |chunks: &Chunks| log_history::send(&shared, after, upto, chunks);
                stream(&mut socket, &mut progress, read).await
            }
            Part::Snapshot(walk) => {
                let shared = Arc::clone(&shared);
                let read = move |chunks: &Chunks| snapshot_stream::send(&shared, *walk, chunks);
                stream(&mut socket, &mut progress, read).await
            }
        };
        if let Err(reason) = sent {
            return reason;
        }
    }
}

/// Sends what `read` puts out on a thread where it may block.
async fn stream(
    socket: &mut OwnedWriteHalf,
    progress: &mut Progress,
    read: impl FnOnce(&Chunks) -> Result<(), String> + Send + 'static,
) -> Result<(), String> {
    let (sender, mut chunks) = mpsc::channel(CHUNKS_MAX);
    let reading = tokio::task::spawn_blocking(move || read(&Chunks(sender)));
    while let Some(chunk) = chunks.recv().await {
        socket
            .write_all(&chunk)
            .await
            .map_err(|error| error.to_string())?;
        progress.made().await;
    }
    reading.await.map_err(|error| error.to_string())?
}
