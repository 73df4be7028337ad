//! One connection of the election port: bytes in and out.

use super::exchange::{Event, Hold, Shared};
use bytes::{Buf as _, Bytes, BytesMut};
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tracing::debug;
use zooid_proto::ServerId;
use zooid_proto::election::{ELECTION_MESSAGE_BYTES_MAX, InitialMessage, InitialMessageError};
use zooid_zab::{MeshConnId, MeshInput};

/// The beginning of every line about somebody who cannot stay.
pub(super) const REFUSED: &str = "closing an election connection";
/// Pause after the kernel has refused to accept, before trying again.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
const LENGTH_BYTES: usize = 4;

/// Why a connection ends.
#[derive(Debug, thiserror::Error)]
enum End {
    #[error("{0}")]
    Io(#[from] io::Error),
    #[error("{0}")]
    Introduction(#[from] InitialMessageError),
    #[error("it does not say in time who it is")]
    Silence,
    #[error("message length {0} is out of range")]
    Length(i32),
    #[error("it ends inside a message")]
    Cut,
    #[error("it is closed")]
    Closed,
}

/// Accepts until the server stops. The exchange hears of a connection before the next is accepted, so
/// that a crowd waits with the kernel and not here.
pub(super) async fn accept(shared: Arc<Shared>, listener: TcpListener) {
    loop {
        match listener.accept().await {
            Ok((stream, remote)) => admit(&shared, stream, remote).await,
            Err(error) => {
                shared.complain("cannot accept an election connection", &"nobody", &error);
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

async fn admit(shared: &Arc<Shared>, stream: TcpStream, remote: SocketAddr) {
    if let Err(error) = configure(&stream, shared.options.keep_alive) {
        return debug!(%remote, %error, "an election connection was gone at once");
    }
    let conn = shared.next_conn();
    let socket = Socket::open(shared, conn, stream, MeshInput::Accepted(conn)).await;
    shared.spawn(serve_accepted(Arc::clone(shared), socket, remote));
}

/// As Java sets them on sockets of the election port.
pub(super) fn configure(stream: &TcpStream, keep_alive: bool) -> io::Result<()> {
    stream.set_nodelay(true)?;
    if keep_alive {
        socket2::SockRef::from(stream).set_keepalive(true)?;
    }
    Ok(())
}

/// Somebody has connected and is to say who it is.
async fn serve_accepted(shared: Arc<Shared>, mut socket: Socket, remote: SocketAddr) {
    let conn = socket.conn;
    let end = socket.end.clone();
    let life = async {
        let limit = shared.options.handshake_timeout;
        let message = match timeout(limit, socket.introduction()).await {
            Ok(introduction) => introduction?,
            Err(_) => return Err(End::Silence),
        };
        debug!(%remote, server = %message.from, "introduced");
        shared
            .tell(Event::Mesh(MeshInput::Introduced { conn, message }))
            .await;
        socket.carry(&shared).await
    };
    // What is dropped belongs to a connection that ends.
    let outcome = tokio::select! {
        outcome = life => outcome,
        () = end.cancelled() => return,
    };
    leave(&shared, conn, &remote, outcome).await;
}

/// A dial has succeeded, and this server has said who it is.
pub(super) async fn serve_dialed(shared: Arc<Shared>, stream: TcpStream, to: ServerId) {
    let remote = format!("server {to}");
    let conn = shared.next_conn();
    let mut socket = Socket::open(&shared, conn, stream, MeshInput::Dialed { conn, to }).await;
    let end = socket.end.clone();
    // What is dropped belongs to a connection that ends.
    let outcome = tokio::select! {
        outcome = socket.carry(&shared) => outcome,
        () = end.cancelled() => return,
    };
    leave(&shared, conn, &remote, outcome).await;
}

async fn leave(
    shared: &Shared,
    conn: MeshConnId,
    who: &(dyn std::fmt::Display + Sync),
    outcome: Result<(), End>,
) {
    match outcome {
        Ok(()) | Err(End::Closed | End::Io(_)) => {
            debug!(peer = %who, ?outcome, "an election connection ends");
        }
        Err(end) => shared.complain(REFUSED, who, &end),
    }
    shared.tell(Event::Mesh(MeshInput::Closed(conn))).await;
}

struct Socket {
    conn: MeshConnId,
    reader: OwnedReadHalf,
    writer: OwnedWriteHalf,
    received: BytesMut,
    messages: mpsc::Receiver<Bytes>,
    end: CancellationToken,
}

impl Socket {
    /// Lets the exchange know of a connection.
    async fn open(
        shared: &Shared,
        conn: MeshConnId,
        stream: TcpStream,
        input: MeshInput,
    ) -> Socket {
        let (sender, messages) = mpsc::channel(1);
        let end = CancellationToken::new();
        let hold = Hold {
            messages: sender,
            end: end.clone(),
        };
        shared.tell(Event::Opened { conn, hold, input }).await;
        let (reader, writer) = stream.into_split();
        Socket {
            conn,
            reader,
            writer,
            received: BytesMut::new(),
            messages,
            end,
        }
    }

    async fn introduction(&mut self) -> Result<InitialMessage, End> {
        loop {
            if let Some((message, len)) = InitialMessage::split(&self.received)? {
                self.received.advance(len);
                return Ok(message);
            }
            if self.reader.read_buf(&mut self.received).await? == 0 {
                return Err(if self.received.is_empty() {
                    End::Closed
                } else {
                    End::Cut
                });
            }
        }
    }

    /// Moves messages in both directions until one of them ends.
    async fn carry(&mut self, shared: &Shared) -> Result<(), End> {
        let Socket {
            conn,
            reader,
            writer,
            received,
            messages,
            end: _,
        } = self;
        // The one that does not end belongs to a connection that does.
        tokio::select! {
            outcome = receive(shared, *conn, reader, received) => outcome,
            outcome = send(shared, *conn, writer, messages) => outcome,
        }
    }
}

async fn receive(
    shared: &Shared,
    conn: MeshConnId,
    reader: &mut OwnedReadHalf,
    received: &mut BytesMut,
) -> Result<(), End> {
    loop {
        while let Some(message) = split_message(received)? {
            shared
                .tell(Event::Mesh(MeshInput::Received { conn, message }))
                .await;
        }
        if reader.read_buf(received).await? == 0 {
            return Err(if received.is_empty() {
                End::Closed
            } else {
                End::Cut
            });
        }
    }
}

async fn send(
    shared: &Shared,
    conn: MeshConnId,
    writer: &mut OwnedWriteHalf,
    messages: &mut mpsc::Receiver<Bytes>,
) -> Result<(), End> {
    while let Some(message) = messages.recv().await {
        let Ok(len) = i32::try_from(message.len()) else {
            return Err(End::Length(i32::MAX));
        };
        let mut frame = Vec::with_capacity(LENGTH_BYTES + message.len());
        frame.extend_from_slice(&len.to_be_bytes());
        frame.extend_from_slice(&message);
        writer.write_all(&frame).await?;
        shared.tell(Event::Mesh(MeshInput::Written(conn))).await;
    }
    Ok(())
}

/// The next message, without its length, if it is whole.
fn split_message(received: &mut BytesMut) -> Result<Option<Bytes>, End> {
    let Some(prefix) = received.first_chunk::<LENGTH_BYTES>() else {
        return Ok(None);
    };
    let claimed = i32::from_be_bytes(*prefix);
    let len = usize::try_from(claimed).ok();
    let Some(len) = len.filter(|len| (1..=ELECTION_MESSAGE_BYTES_MAX).contains(len)) else {
        return Err(End::Length(claimed));
    };
    if received.len() < LENGTH_BYTES + len {
        return Ok(None);
    }
    received.advance(LENGTH_BYTES);
    Ok(Some(received.split_to(len).freeze()))
}
