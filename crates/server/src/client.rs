//! One client's socket: bytes in, frames to its [`Connection`], bytes out.
//!
//! The task that owns the socket runs the connection's reads; the core thread completes its writes,
//! and sends the replies itself or wakes the task. Both reach the connection through [`Client`]. Lock
//! order: the replica, then the connection, then the rest of the client.

mod gate;
mod inbound;
mod outgoing;

use crate::core_thread::CoreMessage;
use crate::shared::Shared;
use crate::workers::Desk;
use crate::{clock, four_letter};
use bytes::Bytes;
use gate::{Arrived, Entry, Gate, Refusal};
use inbound::{Inbound, LengthOutOfRange};
use outgoing::{Flow, Outgoing};
use parking_lot::Mutex;
use std::cell::RefCell;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep, sleep_until};
use tracing::{debug, info};
use zooid_node::{ConnId, Connection, Context, Input, Now, Tally};

/// Bytes asked of a socket at once. With what was there before they fit what an allocator has in good
/// order, up to 64 KiB.
const READ_CHUNK_BYTES: usize = 32 << 10;
/// Frames handled before other connections get their turn at the lock.
const FRAMES_PER_TURN: usize = 128;
/// How long a closing connection may take to accept what is still to be sent.
const LINGER: Duration = Duration::from_secs(5);
/// Unread bytes of a connection whose next request waits for others to be answered. It is read from
/// all the same, since only reading tells whether its client is still there.
const STALLED_BYTES_MAX: usize = 1 << 20;

/// What the socket's task and the core thread share of one client.
#[derive(Debug)]
pub(crate) struct Client {
    pub(crate) id: ConnId,
    pub(crate) remote: SocketAddr,
    pub(crate) conn: Mutex<Connection>,
    outgoing: Mutex<Outgoing>,
    gate: Mutex<Gate>,
    /// Whether the task waits for nothing but frames, and so needs not know of replies.
    only_reads: AtomicBool,
    /// Something was put into the connection by another thread, and is left to the task.
    wake: Notify,
    /// Of the thread that serves it.
    desk: Arc<Desk>,
    /// Whether it is there, to be answered.
    on_desk: AtomicBool,
}

impl Client {
    pub(crate) fn new(id: ConnId, remote: SocketAddr, desk: Arc<Desk>) -> Client {
        let ip = four_letter::java_text::ip_address(remote.ip());
        let conn = Mutex::new(Connection::new(id, ip, clock::now()));
        Client {
            id,
            remote,
            conn,
            outgoing: Mutex::default(),
            gate: Mutex::default(),
            only_reads: AtomicBool::new(false),
            wake: Notify::new(),
            desk,
            on_desk: AtomicBool::new(false),
        }
    }

    /// Has its thread look after what was put into the connection.
    pub(crate) fn answer_at_desk(self: Arc<Client>) {
        if !self.on_desk.swap(true, Ordering::AcqRel) {
            let desk = Arc::clone(&self.desk);
            desk.answer(self);
        }
    }

    /// What is put into the connection from now on needs [`Client::answer_at_desk`] again.
    pub(crate) fn leave_desk(&self) {
        self.on_desk.store(false, Ordering::Release);
    }

    /// Sends what was put into the connection, on this thread. If more than that is to be done, the task
    /// has to.
    pub(crate) fn answer_or_wake(&self, shared: &Shared) {
        if !self.answer(shared) {
            self.wake.notify_one();
        }
    }

    /// Whether nothing is left for the task.
    fn answer(&self, shared: &Shared) -> bool {
        let Some(mut conn) = self.conn.try_lock() else {
            return false;
        };
        if shared.is_draining() || conn.is_closing() || conn.has_ready_reads() {
            return false;
        }
        // First, so that who has a reply and asks for figures finds it in them.
        shared.stats.add(&conn.take_recent(), &Tally::default());
        self.gate.lock().settle(shared, &conn);
        let flow = self.outgoing.lock().send(&mut conn);
        flow == Flow::Flushed && self.only_reads.load(Ordering::Relaxed)
    }
}

/// Why a connection's task ends.
#[derive(Debug)]
enum End {
    /// The client closed, or reset.
    Gone,
    /// The connection said so.
    Closed,
    /// The client broke the rules.
    Refused(String),
    /// The server stops.
    Stopping,
}

impl From<LengthOutOfRange> for End {
    fn from(error: LengthOutOfRange) -> End {
        End::Refused(error.to_string())
    }
}

impl From<Refusal> for End {
    fn from(refusal: Refusal) -> End {
        End::Refused(refusal.to_string())
    }
}

/// Serves one accepted socket until it ends.
pub(crate) async fn serve(shared: Arc<Shared>, client: Arc<Client>, stream: std::net::TcpStream) {
    let stream = match TcpStream::from_std(stream) {
        Ok(stream) => Arc::new(stream),
        Err(error) => {
            info!(remote = %client.remote, %error, "cannot be served");
            shared.clients.remove(&client);
            return;
        }
    };
    client.outgoing.lock().open(Arc::clone(&stream));
    let accepted = Instant::now();
    let mut socket = Socket {
        stream,
        received: Inbound::default(),
        gone: false,
        deadline: accepted + shared.limits.sessionless_timeout,
    };
    let end = socket.run(&shared, &client).await;
    socket.leave(&shared, &client, &end).await;
}

thread_local! {
    static READ_BUFFER: RefCell<Vec<u8>> = RefCell::new(vec![0; READ_CHUNK_BYTES]);
}

/// Reads what has arrived; 0 bytes: the client has closed. It goes through a buffer of the thread, so
/// that a connection holds no more memory than it has unread bytes: silent ones cost next to nothing.
/// Cancellation-safe, since nothing is awaited after the read.
async fn receive(stream: &TcpStream, received: &mut Inbound) -> std::io::Result<usize> {
    loop {
        stream.readable().await?;
        let read: std::io::Result<usize> = READ_BUFFER.with_borrow_mut(|buffer| {
            let n = stream.try_read(buffer)?;
            received.push(&buffer[..n], clock::now().mono_ms);
            Ok(n)
        });
        match read {
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            read => return read,
        }
    }
}

struct Socket {
    stream: Arc<TcpStream>,
    received: Inbound,
    /// Whether the client has closed its side. What it has sent before may still be carried out.
    gone: bool,
    /// Until when a session must be open.
    deadline: Instant,
}

/// What a turn at the connection has found out.
struct Turn {
    to_node: Vec<Input>,
    established: bool,
    closing: bool,
    /// Whether the connection would take more frames.
    hungry: bool,
    /// Whether its next frame waits for requests in progress to be answered.
    stalled: bool,
    /// Whether there is more to do at once, after other connections had their turn.
    again: bool,
    /// Whether the kernel has everything that is to be sent.
    flushed: bool,
    /// Requests that are not answered yet.
    outstanding: usize,
}

/// What there is for the connection.
enum Next {
    /// No whole frame.
    Nothing,
    /// A frame whose turn has not come.
    Stalled,
    Frame(Frame),
}

struct Frame {
    body: Bytes,
    waited_ms: i64,
    /// Whether it has waited for too long to be carried out.
    is_late: bool,
}

impl Socket {
    async fn run(&mut self, shared: &Arc<Shared>, client: &Arc<Client>) -> End {
        loop {
            if let Some(word) = self.four_letter_word(client) {
                return match self.answer_word(shared, client, word).await {
                    Ok(()) => End::Closed,
                    Err(end) => end,
                };
            }
            let mut turn = match self.turn(shared, client) {
                Ok(turn) => turn,
                Err(end) => return end,
            };
            if !turn.to_node.is_empty() {
                shared.stats.queued(&turn.to_node);
                let message = CoreMessage::Inputs(std::mem::take(&mut turn.to_node));
                if shared.core.send(message).await.is_err() {
                    return End::Stopping;
                }
            }
            if turn.closing {
                return End::Closed;
            }
            if self.is_done(shared) {
                return End::Gone;
            }
            if shared.is_draining() && turn.outstanding == 0 && turn.flushed {
                return End::Stopping;
            }
            if let Err(end) = self.wait(shared, client, &turn).await {
                return end;
            }
        }
    }

    /// A four-letter word is recognised only as the first bytes of a connection.
    fn four_letter_word(&self, client: &Client) -> Option<four_letter::Word> {
        let first = self.received.bytes().first_chunk()?;
        let word = four_letter::Word::from_bytes(*first)?;
        client.conn.lock().is_fresh().then_some(word)
    }

    /// Waits for what belongs to the word, and answers it.
    async fn answer_word(
        &mut self,
        shared: &Arc<Shared>,
        client: &Client,
        word: four_letter::Word,
    ) -> Result<(), End> {
        while self.received.bytes().len() < word.request_bytes() {
            // A read that is dropped has moved no bytes.
            tokio::select! {
                read = receive(&self.stream, &mut self.received) => match read {
                    Ok(n) if n > 0 => shared.stats.bytes_received(n),
                    _ => return Err(End::Gone),
                },
                () = sleep_until(self.deadline) => {
                    shared.stats.sessionless_expired();
                    return Err(End::Refused("no whole four-letter word came in time".to_owned()));
                }
                () = shared.drain_started() => return Err(End::Stopping),
            }
        }
        let local_port = self.stream.local_addr().map_or(0, |local| local.port());
        let asker = four_letter::Asker { client, local_port };
        let answer = four_letter::answer(shared, asker, word, self.received.bytes()).await;
        client.outgoing.lock().put(answer.into_bytes());
        Ok(())
    }

    /// Hands the frames that have arrived to the connection and runs its reads, under one read lock of the
    /// replica, and sends what there is.
    fn turn(&mut self, shared: &Shared, client: &Client) -> Result<Turn, End> {
        let mut to_node = Vec::new();
        let mut waits = Tally::default();
        let replica = shared.replica.read();
        let mut conn = client.conn.lock();
        client.only_reads.store(false, Ordering::Relaxed);
        let mut gate = client.gate.lock();
        let ctx = Context {
            now: clock::now(),
            settings: &shared.settings,
            replica: &replica,
        };
        conn.run_reads(&ctx);
        gate.settle_if_limited(shared, &conn);
        zooid_node::look_ahead(&replica, self.received.bytes());
        let mut frames = 0;
        let mut next = Next::Nothing;
        while frames < FRAMES_PER_TURN && conn.wants_frames() && !shared.is_draining() {
            next = self.next_frame(shared, &mut gate, &conn, ctx.now)?;
            let Next::Frame(frame) = &next else {
                break;
            };
            // Looked at under the replica's lock, so that none slips in behind the closing of all.
            if !shared.is_serving() {
                return Err(End::Refused("this server serves nobody now".to_owned()));
            }
            waits.add(frame.waited_ms);
            if frame.is_late {
                conn.on_late_frame(&ctx, &frame.body, &mut to_node);
            } else {
                conn.on_frame(&ctx, &frame.body, &mut to_node);
            }
            gate.settle_if_limited(shared, &conn);
            frames += 1;
        }
        drop(replica);
        if conn.newly_heard() {
            shared.note_heard(client.id);
        }
        // First, so that who has a reply and asks for figures finds it in them.
        shared.stats.add(&conn.take_recent(), &waits);
        gate.settle(shared, &conn);
        let was_full = !conn.wants_frames();
        let flow = self.send(client, &mut conn);
        if flow == Flow::Gone {
            return Err(End::Gone);
        }
        // What was sent has made room for the replies to more.
        let has_room =
            flow == Flow::Flushed && (conn.has_ready_reads() || (was_full && conn.wants_frames()));
        Ok(Turn {
            to_node,
            established: conn.is_established(),
            closing: conn.is_closing(),
            hungry: conn.wants_frames() && !shared.is_draining(),
            stalled: matches!(next, Next::Stalled),
            again: frames == FRAMES_PER_TURN || has_room,
            flushed: flow == Flow::Flushed,
            outstanding: gate.outstanding(),
        })
    }

    /// A client that has closed its side takes no replies.
    fn send(&self, client: &Client, conn: &mut Connection) -> Flow {
        let mut outgoing = client.outgoing.lock();
        if self.gone {
            outgoing.discard(conn);
            return Flow::Flushed;
        }
        outgoing.send(conn)
    }

    fn next_frame(
        &mut self,
        shared: &Shared,
        gate: &mut Gate,
        conn: &Connection,
        now: Now,
    ) -> Result<Next, End> {
        let Some(len) = self.received.next_len(shared.limits.max_buffer)? else {
            return Ok(Next::Nothing);
        };
        gate.check_len(shared, len)?;
        let Some(frame) = self.received.peek(len) else {
            return Ok(Next::Nothing);
        };
        let waited_ms = now.mono_ms - self.received.arrived_ms(len);
        let arrived = Arrived {
            frame,
            waited_ms,
            is_gone: self.gone,
        };
        Ok(match gate.enter(shared, conn, &arrived)? {
            Entry::Stalled => Next::Stalled,
            entry @ (Entry::Now | Entry::Late) => Next::Frame(Frame {
                body: self.received.take(len),
                waited_ms,
                is_late: entry == Entry::Late,
            }),
        })
    }

    /// Whether the client has closed its side, and nothing of what it sent before is left to do.
    fn is_done(&self, shared: &Shared) -> bool {
        let next = || self.received.next_len(shared.limits.max_buffer);
        self.gone && !matches!(next(), Ok(Some(len)) if self.received.peek(len).is_some())
    }

    /// Waits until there is something to do: bytes, room to send, a wake-up, the deadline.
    async fn wait(&mut self, shared: &Shared, client: &Client, turn: &Turn) -> Result<(), End> {
        if turn.again {
            tokio::task::yield_now().await;
        }
        // As in Java: a busy server stops reading from those who have something under way.
        let throttled = turn.outstanding > 0
            && shared.in_process.load(Ordering::Relaxed) > shared.limits.global_outstanding;
        if (throttled && turn.hungry) || turn.stalled {
            shared.stats.held_back();
        }
        let is_full = turn.stalled && self.received.bytes().len() >= STALLED_BYTES_MAX;
        let reads = turn.hungry && !throttled && !turn.again && !is_full && !self.gone;
        client
            .only_reads
            .store(reads && turn.flushed && turn.established, Ordering::Relaxed);
        // Every arm is cancellation-safe: a read that is dropped has moved no bytes, and a
        // notification that is dropped is kept by `Notify`.
        tokio::select! {
            biased;
            ready = self.stream.writable(), if !turn.flushed => {
                if ready.is_err() {
                    return Err(End::Gone);
                }
            }
            () = client.wake.notified() => {}
            () = std::future::ready(()), if turn.again => {}
            read = receive(&self.stream, &mut self.received), if reads => match read {
                Ok(0) => self.gone = true,
                Ok(n) => shared.stats.bytes_received(n),
                Err(_) => return Err(End::Gone),
            },
            () = shared.room.notified(), if turn.stalled => {}
            () = sleep(shared.request_throttle.stall_time()), if turn.stalled => {}
            () = sleep_until(self.deadline), if !turn.established => {
                shared.stats.sessionless_expired();
                return Err(End::Refused("no session was opened in time".to_owned()));
            }
            () = shared.drain_started(), if !shared.is_draining() => {}
        }
        Ok(())
    }

    /// Sends what is left, tells the core, and takes the client off every list.
    async fn leave(self, shared: &Arc<Shared>, client: &Arc<Client>, end: &End) {
        debug!(remote = %client.remote, ?end, "connection ends");
        if self.gone || matches!(end, End::Gone) {
            shared.stats.dropped();
        }
        if let End::Refused(reason) = end {
            info!(remote = %client.remote, %reason, "closing connection");
        }
        let rest = {
            let mut conn = client.conn.lock();
            client.outgoing.lock().close(&mut conn)
        };
        if !matches!(end, End::Gone)
            // Nobody else has it any more.
            && let Some(mut stream) = Arc::into_inner(self.stream)
        {
            let send = async {
                stream.write_all(&rest).await?;
                stream.shutdown().await
            };
            // A client that does not take its last bytes loses them.
            let _ = tokio::time::timeout(LINGER, send).await;
        }
        client.gate.lock().leave(shared);
        client.conn.lock().close();
        shared
            .replica
            .read()
            .drop_watcher(zooid_tree::WatcherId(client.id.0));
        shared.clients.remove(client);
        let gone = CoreMessage::Inputs(vec![Input::Disconnected(client.id)]);
        // The core being gone is what "disconnected" would have told it.
        let _ = shared.core.send(gone).await;
    }
}
