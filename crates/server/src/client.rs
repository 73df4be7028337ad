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
use crate::{busy_poll, clock, four_letter};
use bytes::Bytes;
use gate::{Arrived, Entry, Gate, Refusal};
use inbound::{Inbound, LengthOutOfRange};
use outgoing::{Flow, Outgoing};
use parking_lot::Mutex;
use std::cell::RefCell;
use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context as TaskContext, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead as _, AsyncWriteExt as _, ReadBuf};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::Notify;
use tokio::sync::futures::Notified;
use tokio::time::{Instant, sleep, sleep_until};
use tracing::{debug, info};
use zooid_node::{ConnId, Connection, Context, Input, Tally};

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

    /// Has the task look around.
    pub(crate) fn wake(&self) {
        self.wake.notify_one();
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
            self.wake();
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
    let (read_half, write_half) = match TcpStream::from_std(stream) {
        Ok(stream) => stream.into_split(),
        Err(error) => {
            info!(remote = %client.remote, %error, "cannot be served");
            shared.clients.remove(&client);
            return;
        }
    };
    let write_half = Arc::new(write_half);
    client.outgoing.lock().open(Arc::clone(&write_half));
    let accepted = Instant::now();
    let mut socket = Socket {
        read_half,
        write_half,
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

/// Reads what arrives; 0 bytes: the client has closed. Cancellation-safe, since a read that is dropped has
/// moved no bytes.
async fn receive(read_half: &mut OwnedReadHalf, received: &mut Inbound) -> io::Result<usize> {
    poll_fn(|cx| poll_receive(read_half, received, cx)).await
}

/// What is read goes through a buffer of the thread, so that a connection holds no more memory than it has
/// unread bytes: silent ones cost next to nothing.
fn poll_receive(
    read_half: &mut OwnedReadHalf,
    received: &mut Inbound,
    cx: &mut TaskContext<'_>,
) -> Poll<io::Result<usize>> {
    READ_BUFFER.with_borrow_mut(|buffer| {
        let mut buffer = ReadBuf::new(buffer);
        ready!(Pin::new(read_half).poll_read(cx, &mut buffer))?;
        let read = buffer.filled();
        received.push(read, clock::mono_ms());
        busy_poll::note_input();
        Poll::Ready(Ok(read.len()))
    })
}

struct Socket {
    read_half: OwnedReadHalf,
    write_half: Arc<OwnedWriteHalf>,
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

/// What ended a wait.
enum Heard {
    Read(io::Result<usize>),
    /// Of the client, whose next is to be waited for.
    WakeUp,
    Other,
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
        let mut woken = pin!(client.wake.notified());
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
            if let Err(end) = self.wait(shared, client, &turn, woken.as_mut()).await {
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
                read = receive(&mut self.read_half, &mut self.received) => match read {
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
        let local_port = self.read_half.local_addr().map_or(0, |local| local.port());
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
            now_ms: clock::mono_ms(),
            settings: &shared.settings,
            replica: &replica,
        };
        conn.run_reads(&ctx);
        gate.settle_if_limited(shared, &conn);
        zooid_node::look_ahead(&replica, self.received.bytes());
        let mut frames = 0;
        let mut next = Next::Nothing;
        while frames < FRAMES_PER_TURN && conn.wants_frames() && !shared.is_draining() {
            next = self.next_frame(shared, &mut gate, &conn, ctx.now_ms)?;
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
        now_ms: i64,
    ) -> Result<Next, End> {
        let Some(len) = self.received.next_len(shared.limits.max_buffer)? else {
            return Ok(Next::Nothing);
        };
        gate.check_len(shared, len)?;
        let Some(frame) = self.received.peek(len) else {
            return Ok(Next::Nothing);
        };
        let waited_ms = now_ms - self.received.arrived_ms(len);
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

    /// Waits until there is something to do: bytes, room to send, a wake-up, the deadline. `woken` is that
    /// of the client, and waited for again and again.
    async fn wait<'c>(
        &mut self,
        shared: &Shared,
        client: &'c Client,
        turn: &Turn,
        mut woken: Pin<&mut Notified<'c>>,
    ) -> Result<(), End> {
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
        let only_reads = reads && turn.flushed && turn.established;
        client.only_reads.store(only_reads, Ordering::Relaxed);
        let heard = if only_reads && !turn.stalled {
            self.await_frames(woken.as_mut()).await
        } else {
            self.await_anything(shared, turn, reads, woken.as_mut())
                .await?
        };
        match heard {
            Heard::Read(Ok(0)) => self.gone = true,
            Heard::Read(Ok(n)) => shared.stats.bytes_received(n),
            Heard::Read(Err(_)) => return Err(End::Gone),
            Heard::WakeUp => woken.set(client.wake.notified()),
            Heard::Other => {}
        }
        Ok(())
    }

    /// Where nothing else is to be waited for, as is mostly the case.
    async fn await_frames(&mut self, woken: Pin<&mut Notified<'_>>) -> Heard {
        // Both arms are cancellation-safe: a read that is dropped has moved no bytes. Frames come first, since
        // a turn that they give rise to does what a wake-up asks for, too.
        tokio::select! {
            biased;
            read = receive(&mut self.read_half, &mut self.received) => Heard::Read(read),
            () = woken => Heard::WakeUp,
        }
    }

    async fn await_anything(
        &mut self,
        shared: &Shared,
        turn: &Turn,
        reads: bool,
        woken: Pin<&mut Notified<'_>>,
    ) -> Result<Heard, End> {
        // Every arm is cancellation-safe: a read that is dropped has moved no bytes, and what wakes is kept
        // by `woken` and by `Notify`.
        tokio::select! {
            biased;
            ready = self.write_half.writable(), if !turn.flushed => {
                ready.map(|()| Heard::Other).map_err(|_| End::Gone)
            }
            () = woken => Ok(Heard::WakeUp),
            () = std::future::ready(()), if turn.again => Ok(Heard::Other),
            read = receive(&mut self.read_half, &mut self.received), if reads => Ok(Heard::Read(read)),
            () = shared.room.notified(), if turn.stalled => Ok(Heard::Other),
            () = sleep(shared.request_throttle.stall_time()), if turn.stalled => Ok(Heard::Other),
            () = sleep_until(self.deadline), if !turn.established => {
                shared.stats.sessionless_expired();
                Err(End::Refused("no session was opened in time".to_owned()))
            }
        }
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
            && let Some(mut write_half) = Arc::into_inner(self.write_half)
        {
            let send = async {
                write_half.write_all(&rest).await?;
                write_half.shutdown().await
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
