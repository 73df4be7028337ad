//! Sending what a link's queue holds: packets as they are, log and snapshot as they are read.

use super::link::{Link, Part};
use super::progress::Progress;
use super::{log_history, snapshot_stream};
use crate::shared::Shared;
use std::sync::Arc;
use tokio::io::AsyncWriteExt as _;
use tokio::net::tcp::OwnedWriteHalf;
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;

/// The socket in the hands of a thread that may block, for as long as something long is sent. The thread
/// that drives the links has no part in that.
pub(super) struct Chunks {
    runtime: Handle,
    socket: OwnedWriteHalf,
    progress: Progress,
    /// The link's end, which nobody else could tell to whoever waits for the socket.
    ended: CancellationToken,
}

impl Chunks {
    /// Sends some, as soon as there is room.
    pub(super) fn put(&mut self, chunk: &[u8]) -> Result<(), String> {
        let Chunks {
            runtime,
            socket,
            progress,
            ended,
        } = self;
        let send = async {
            let sent = socket.write_all(chunk).await;
            sent.map_err(|error| error.to_string())?;
            progress.made().await;
            Ok(())
        };
        let sent = runtime.block_on(ended.run_until_cancelled(send));
        sent.unwrap_or_else(|| Err("the link has ended".to_owned()))
    }
}

/// Runs until the link cannot be written to, or is hung up and everything queued is sent; says why.
pub(super) async fn run(shared: Arc<Shared>, link: Arc<Link>, socket: OwnedWriteHalf) -> String {
    match send_parts(&shared, &link, socket).await {
        Ok(reason) | Err(reason) => reason,
    }
}

async fn send_parts(
    shared: &Arc<Shared>,
    link: &Link,
    mut socket: OwnedWriteHalf,
) -> Result<String, String> {
    loop {
        // What is queued goes first, so that nothing is lost that was to be sent before the end.
        let part = tokio::select! {
            biased;
            part = link.next_part() => part,
            reason = link.hung_up() => return Ok(reason),
        };
        let progress = || Progress::new(shared.core.clone(), link.id);
        match part {
            Part::Packets(block) => {
                let sent = socket.write_all(&block).await;
                link.take_back(block);
                sent.map_err(|error| error.to_string())?;
            }
            Part::Log { after, upto } => {
                let shared = Arc::clone(shared);
                let send = move |out: &mut Chunks| log_history::send(&shared, after, upto, out);
                socket = stream(socket, progress(), send).await?;
            }
            Part::Snapshot(walk) => {
                let shared = Arc::clone(shared);
                let send = move |out: &mut Chunks| snapshot_stream::send(&shared, *walk, out);
                socket = stream(socket, progress(), send).await?;
            }
        }
    }
}

/// Has another thread send what is long; the socket comes back at its end. If this is dropped before, the
/// thread ends at the next chunk.
async fn stream(
    socket: OwnedWriteHalf,
    progress: Progress,
    send: impl FnOnce(&mut Chunks) -> Result<(), String> + Send + 'static,
) -> Result<OwnedWriteHalf, String> {
    let ended = CancellationToken::new();
    let mut chunks = Chunks {
        runtime: Handle::current(),
        socket,
        progress,
        ended: ended.clone(),
    };
    let _ends = ended.drop_guard();
    let sending = tokio::task::spawn_blocking(move || {
        send(&mut chunks)?;
        Ok(chunks.socket)
    });
    sending.await.map_err(|error| error.to_string())?
}
