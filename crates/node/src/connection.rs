//! One client's connection: order of replies, identities, reads.
//!
//! Replies leave in the order of requests. A read with nothing before it runs at once; one behind
//! a write waits for it, and runs before any later write of the same connection is applied, so a
//! session sees exactly the effects of what it asked for before.
//!
//! An event is put into the outbox while the replica's write lock is held and a read's reply while
//! the read lock is: so an event precedes any data newer than it, and the reply of the read that
//! set a watch precedes that watch's event.

mod byte_chain;
mod outbox;
mod pending;
mod read;
mod stats;
mod write_reply;

pub use byte_chain::ByteChain;
pub use stats::{ConnStats, Recent, Sent, Tally};

use crate::Settings;
use crate::auth::AuthOutcome;
use crate::step::{ClientRequest, ConnId, Input, Now, OpenSession};
use bytes::Bytes;
use outbox::Outbox;
use pending::{Pending, PendingQueue, Work};
use std::sync::Arc;
use write_reply::{is_write, write_result};
use zooid_proto::request::{AuthPacket, PathOnly};
use zooid_proto::response::{PathResponse, SetSaslResponse};
use zooid_proto::{
    ConnectRequest, ConnectResponse, ErrorCode, Id, Jute, OpCode, Reader, RequestHeader, SessionId,
    Txn, TxnRecord, Zxid, perms, session_password,
};
use zooid_tree::acl::{Access, permits};
use zooid_tree::{Applied, Fired, Replica, WatcherId};

/// Bytes of replies above which no further read is run until the client has taken some.
const OUTBOX_HIGH_BYTES: usize = 1 << 20;
/// Bytes of replies and events above which the connection is given up: its client does not read,
/// and neither events nor reads before a write can be held back.
const OUTBOX_MAX_BYTES: usize = 64 << 20;

/// What a connection needs to see of its server.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// The time, on the monotonic clock.
    pub now_ms: i64,
    /// The operator's choices.
    pub settings: &'a Settings,
    /// The state, under a lock that the caller holds.
    pub replica: &'a Replica,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// Nothing but a connect request will do.
    Fresh,
    /// The core decides about the session.
    Opening { timeout_ms: i32 },
    /// Requests are served.
    Established,
    /// Nothing more is taken in; what is in the outbox may still be sent.
    Closing,
}

/// Whether the client has sent something since the core was last told so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Heard {
    No,
    Unreported,
    Reported,
}

/// How long a frame has waited to be taken in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wait {
    Short,
    /// Longer than `zookeeper.throttled_op_wait_time`.
    TooLong,
}

/// One client.
#[derive(Debug)]
pub struct Connection {
    id: ConnId,
    remote_ip: String,
    phase: Phase,
    session: SessionId,
    timeout_ms: i32,
    /// Whether the client knows read-only servers, as its connect request showed, and whether this is
    /// one.
    read_only_field: Option<bool>,
    ids: Arc<[Id]>,
    pending: PendingQueue,
    outbox: Outbox,
    stats: ConnStats,
    recent: Recent,
    heard: Heard,
}

impl Connection {
    /// A new connection from an address, in the textual form that Java gives it.
    #[must_use]
    pub fn new(id: ConnId, remote_ip: String, now: Now) -> Connection {
        Connection {
            id,
            ids: Arc::from([Id::new("ip", &remote_ip)]),
            remote_ip,
            phase: Phase::Fresh,
            session: SessionId(0),
            timeout_ms: 0,
            read_only_field: None,
            pending: PendingQueue::default(),
            outbox: Outbox::default(),
            stats: ConnStats::new(now),
            recent: Recent::default(),
            heard: Heard::No,
        }
    }

    /// Its id.
    #[must_use]
    pub fn id(&self) -> ConnId {
        self.id
    }

    /// Its session; 0 while it has none.
    #[must_use]
    pub fn session(&self) -> SessionId {
        self.session
    }

    /// Negotiated session timeout, in milliseconds.
    #[must_use]
    pub fn timeout_ms(&self) -> i32 {
        self.timeout_ms
    }

    /// Who the client is.
    #[must_use]
    pub fn ids(&self) -> &[Id] {
        &self.ids
    }

    /// For operators.
    #[must_use]
    pub fn stats(&self) -> &ConnStats {
        &self.stats
    }

    /// Forgets what [`Connection::stats`] has counted.
    pub fn reset_stats(&mut self) {
        self.stats.reset();
    }

    /// What has been counted since the last call.
    pub fn take_recent(&mut self) -> Recent {
        let recent = std::mem::take(&mut self.recent);
        Recent {
            sent: self.outbox.take_sent(),
            ..recent
        }
    }

    /// Requests whose reply is not made yet.
    #[must_use]
    pub fn outstanding(&self) -> usize {
        self.pending.len()
    }

    /// Whether to close as soon as the outbox is sent.
    #[must_use]
    pub fn is_closing(&self) -> bool {
        self.phase == Phase::Closing
    }

    /// Whether a session is open.
    #[must_use]
    pub fn is_established(&self) -> bool {
        self.phase == Phase::Established
    }

    /// Whether no connect request has come yet.
    #[must_use]
    pub fn is_fresh(&self) -> bool {
        self.phase == Phase::Fresh
    }

    /// Whether another frame may be handed in: bounds what a client can make the server hold.
    #[must_use]
    pub fn wants_frames(&self) -> bool {
        match self.phase {
            Phase::Fresh => true,
            Phase::Opening { .. } | Phase::Closing => false,
            Phase::Established => !self.pending.is_full() && self.outbox.len() < OUTBOX_HIGH_BYTES,
        }
    }

    /// Bytes of those requests whose reply is not made yet and that are larger than `size`.
    #[must_use]
    pub fn outstanding_bytes_over(&self, size: usize) -> usize {
        self.pending.bytes_over(size)
    }

    /// Whether [`Connection::run_reads`] would do something.
    #[must_use]
    pub fn has_ready_reads(&self) -> bool {
        self.outbox.len() < OUTBOX_HIGH_BYTES && self.pending.oldest_needs_no_core()
    }

    /// Moves everything that is to be sent to the end of `out`.
    pub fn take_outbox(&mut self, out: &mut ByteChain) {
        self.outbox.take(out);
    }

    /// Whether there is something to send.
    #[must_use]
    pub fn has_output(&self) -> bool {
        self.outbox.len() > 0
    }

    /// Whether the session has been heard of for the first time since the last
    /// [`Connection::take_heard`]; says so once.
    pub fn newly_heard(&mut self) -> bool {
        let newly = self.heard == Heard::Unreported;
        if newly {
            self.heard = Heard::Reported;
        }
        newly
    }

    /// The session, if it has been heard of since the last call.
    pub fn take_heard(&mut self) -> Option<SessionId> {
        let heard = std::mem::replace(&mut self.heard, Heard::No);
        (heard != Heard::No).then_some(self.session)
    }

    /// Takes in one frame, without its length. What the core must know goes to `to_node`.
    pub fn on_frame(&mut self, ctx: &Context<'_>, frame: &Bytes, to_node: &mut Vec<Input>) {
        self.on_any_frame(ctx, frame, Wait::Short, to_node);
    }

    /// Takes in one frame that has waited for its turn for so long that it is not carried out any
    /// more: if it is a request, ThrottledOp answers it in its place among the replies. Java
    /// `RequestThrottler.shouldThrottleOp`; pings and the end of a session pass.
    pub fn on_late_frame(&mut self, ctx: &Context<'_>, frame: &Bytes, to_node: &mut Vec<Input>) {
        self.on_any_frame(ctx, frame, Wait::TooLong, to_node);
    }

    fn on_any_frame(
        &mut self,
        ctx: &Context<'_>,
        frame: &Bytes,
        wait: Wait,
        to_node: &mut Vec<Input>,
    ) {
        self.stats.packets_received += 1;
        self.recent.packets_received += 1;
        match self.phase {
            Phase::Fresh => self.on_connect(ctx, frame, to_node),
            Phase::Established => self.on_request(ctx, frame, wait, to_node),
            Phase::Opening { .. } | Phase::Closing => {}
        }
    }

    fn on_connect(&mut self, ctx: &Context<'_>, frame: &Bytes, to_node: &mut Vec<Input>) {
        let mut r = Reader::shared(frame, ctx.settings.limit);
        let Ok(request) = ConnectRequest::decode(&mut r) else {
            return self.close();
        };
        if request.last_zxid_seen > ctx.replica.last_zxid() {
            // The client has seen a newer state than ours; it must try another server.
            return self.close();
        }
        self.read_only_field = request.read_only.map(|_| false);
        let timeout_ms = ctx.settings.negotiate_timeout(request.timeout_ms);
        self.phase = Phase::Opening { timeout_ms };
        let session = request.session_id;
        let expected = session_password(session);
        let open = OpenSession {
            session,
            password_matches: request.password.as_deref() == Some(&expected),
            timeout_ms,
            read_only: request.read_only == Some(true),
        };
        to_node.push(Input::Open(self.id, open));
    }

    fn on_request(
        &mut self,
        ctx: &Context<'_>,
        frame: &Bytes,
        wait: Wait,
        to_node: &mut Vec<Input>,
    ) {
        if self.heard == Heard::No {
            self.heard = Heard::Unreported;
        }
        let mut r = Reader::shared(frame, ctx.settings.limit);
        let Ok(header) = RequestHeader::decode(&mut r) else {
            return self.close();
        };
        let body = frame.slice_ref(r.rest());
        match OpCode::from_code(header.op) {
            Some(OpCode::Auth) => self.on_auth(ctx, header.xid, &body),
            Some(OpCode::Sasl) => self.on_sasl(ctx, header.xid, &body),
            _ if !self.is_sufficiently_authenticated(ctx) => {
                let required = ErrorCode::SessionClosedRequireSaslAuth;
                self.outbox.reply(header.xid, Zxid::ZERO, required);
                self.close();
            }
            Some(op) if wait == Wait::TooLong && is_throttlable(op) => {
                self.recent.throttled += 1;
                let throttled = Work::Refuse(ErrorCode::ThrottledOp);
                self.on_read(ctx, header.xid, op, throttled, Bytes::new());
            }
            Some(op) if is_write(op) && op != OpCode::CloseSession && self.is_read_only() => {
                let refused = Work::Refuse(ErrorCode::NotReadOnly);
                self.on_read(ctx, header.xid, op, refused, Bytes::new());
            }
            Some(op) if read::is_read(op) => self.on_read(ctx, header.xid, op, Work::Read, body),
            Some(op) if is_write(op) => self.on_write(ctx, header.xid, op, body, to_node),
            _ => {
                self.outbox
                    .reply(header.xid, Zxid::NONE, ErrorCode::Unimplemented);
                self.close();
            }
        }
    }

    fn is_sufficiently_authenticated(&self, ctx: &Context<'_>) -> bool {
        let required = &ctx.settings.required_schemes;
        required.is_empty()
            || self
                .ids
                .iter()
                .any(|id| required.iter().any(|scheme| scheme == id.scheme()))
    }

    /// Auth packets are answered at once, before anything that waits.
    fn on_auth(&mut self, ctx: &Context<'_>, xid: i32, body: &Bytes) {
        let mut r = Reader::shared(body, ctx.settings.limit);
        let Ok(packet) = AuthPacket::decode(&mut r) else {
            return self.close();
        };
        match ctx
            .settings
            .authenticator
            .authenticate(&packet, &self.remote_ip)
        {
            AuthOutcome::Granted(granted) => {
                self.add_ids(granted);
                self.outbox.reply(xid, Zxid::ZERO, ErrorCode::Ok);
            }
            AuthOutcome::Denied => {
                self.recent.auth_failures += 1;
                self.outbox.reply(xid, Zxid::ZERO, ErrorCode::AuthFailed);
                self.close();
            }
            AuthOutcome::WrongEnsemble => self.close(),
        }
    }

    fn add_ids(&mut self, granted: Vec<Id>) {
        let mut ids = self.ids.to_vec();
        for id in granted {
            if !ids.contains(&id) {
                ids.push(id);
            }
        }
        self.ids = Arc::from(ids);
    }

    /// A server without SASL answers success and a null token; a request without a token ends the
    /// connection (Java `ZooKeeperServer.processSasl`).
    fn on_sasl(&mut self, ctx: &Context<'_>, xid: i32, body: &Bytes) {
        let token = Reader::shared(body, ctx.settings.limit).bytes();
        let Ok(Some(_)) = token else {
            return self.close();
        };
        self.outbox.reply_with(xid, Zxid::ZERO, |out| {
            SetSaslResponse { token: None }.encode(out);
            Ok(())
        });
    }

    /// A request that needs no commit: it runs at once, or behind what stands before it.
    fn on_read(&mut self, ctx: &Context<'_>, xid: i32, op: OpCode, work: Work, body: Bytes) {
        let ids = Arc::clone(&self.ids);
        let read = Pending {
            xid,
            op,
            work,
            body_len: body.len(),
            body,
            ids,
            received_ms: ctx.now_ms,
        };
        if self.pending.is_empty() && self.outbox.len() < OUTBOX_HIGH_BYTES {
            self.run_read(ctx, &read);
        } else {
            self.pending.push(read);
        }
    }

    fn on_write(
        &mut self,
        ctx: &Context<'_>,
        xid: i32,
        op: OpCode,
        body: Bytes,
        to_node: &mut Vec<Input>,
    ) {
        let ids = Arc::clone(&self.ids);
        let body_len = body.len();
        // The reply to a sync is its path.
        let kept = match op {
            OpCode::Sync => body.clone(),
            _ => Bytes::new(),
        };
        to_node.push(Input::Request(ClientRequest {
            conn: self.id,
            session: self.session,
            cxid: xid,
            op,
            body,
            ids: Arc::clone(&ids),
        }));
        self.pending.push(Pending {
            xid,
            op,
            work: Work::Write,
            body: kept,
            body_len,
            ids,
            received_ms: ctx.now_ms,
        });
    }

    /// Runs the reads that no write stands before, as far as the outbox has room.
    pub fn run_reads(&mut self, ctx: &Context<'_>) {
        while self.has_ready_reads() {
            self.run_next(ctx);
        }
    }

    /// Runs the reads that stand before the next write, which is about to be applied and must not
    /// be seen by them. They cannot wait for room in the outbox, so there is a bound to them, too.
    pub fn before_commit(&mut self, ctx: &Context<'_>) {
        while self.pending.oldest_needs_no_core() {
            if self.outbox.len() > OUTBOX_MAX_BYTES {
                return self.give_up();
            }
            self.run_next(ctx);
        }
    }

    fn run_next(&mut self, ctx: &Context<'_>) {
        if let Some(read) = self.pending.pop() {
            self.run_read(ctx, &read);
        }
    }

    fn run_read(&mut self, ctx: &Context<'_>, read: &Pending) {
        if let Work::Refuse(err) = read.work {
            let last_zxid = ctx.replica.last_zxid();
            self.outbox.reply(read.xid, last_zxid, err);
            return self.finish(ctx, read);
        }
        let reader = read::Read {
            replica: ctx.replica,
            watcher: WatcherId(self.id.0),
            session: self.session,
            access: Access {
                ids: &read.ids,
                skip_acl: ctx.settings.skip_acl,
            },
            limit: ctx.settings.limit,
        };
        reader.run(read.op, read.xid, &read.body, &mut self.outbox);
        self.finish(ctx, read);
    }

    /// Counts a reply that is now in the outbox.
    fn finish(&mut self, ctx: &Context<'_>, request: &Pending) {
        let latency_ms = ctx.now_ms - request.received_ms;
        let last_zxid = ctx.replica.last_zxid();
        self.stats
            .replied(request.op, request.xid, last_zxid, ctx.now_ms, latency_ms);
        self.recent.replied(read::is_read(request.op), latency_ms);
    }

    /// A watch of this connection has fired. Whether the client may see what it says is decided
    /// by the node's ACL, as it was when it changed.
    pub fn on_event(&mut self, ctx: &Context<'_>, fired: &Fired) {
        let access = Access {
            ids: &self.ids,
            skip_acl: ctx.settings.skip_acl,
        };
        if self.phase != Phase::Established || !permits(&fired.acl, perms::READ, &access) {
            return;
        }
        self.outbox.event(fired.zxid, fired.event, &fired.path);
        self.stats.packets_sent += 1;
        if self.outbox.len() > OUTBOX_MAX_BYTES {
            self.give_up();
        }
    }

    /// The client takes too little of what it is sent.
    fn give_up(&mut self) {
        self.outbox.clear();
        self.close();
    }

    /// A write of this connection has been applied.
    pub fn on_commit(&mut self, ctx: &Context<'_>, record: &TxnRecord, applied: &Applied) {
        if let Txn::CreateSession { timeout_ms } = record.txn {
            return self.on_attached(ctx, record.header.client_id, timeout_ms, false);
        }
        let Some(request) = self.next_write(record.header.cxid) else {
            return;
        };
        let zxid = ctx.replica.last_zxid();
        let sub_results = || applied.multi.iter().map(|sub| sub.err);
        if std::iter::once(applied.err)
            .chain(sub_results())
            .any(|e| e == ErrorCode::SessionMoved)
        {
            return self.close();
        }
        // A failed multi is a success that tells of failures.
        let is_multi = matches!(record.txn, Txn::Multi(_));
        let err = if is_multi { ErrorCode::Ok } else { applied.err };
        match err {
            ErrorCode::Ok => self.outbox.reply_with(request.xid, zxid, |out| {
                write_result(request.op, &record.txn, applied, out);
                Ok(())
            }),
            err => self.outbox.reply(request.xid, zxid, err),
        }
        self.finish(ctx, &request);
        if request.op == OpCode::CloseSession {
            self.end(ctx);
        }
    }

    /// A sync of this connection is due, or the end of its local session.
    pub fn on_complete(&mut self, ctx: &Context<'_>, cxid: i32) {
        let Some(request) = self.next_write(cxid) else {
            return;
        };
        let zxid = ctx.replica.last_zxid();
        if request.op == OpCode::CloseSession {
            self.outbox.reply(request.xid, zxid, ErrorCode::Ok);
            self.finish(ctx, &request);
            return self.end(ctx);
        }
        self.outbox.reply_with(request.xid, zxid, |out| {
            let mut r = Reader::shared(&request.body, ctx.settings.limit);
            let sync = PathOnly::decode(&mut r).map_err(|_| ErrorCode::MarshallingError)?;
            PathResponse { path: sync.path }.encode(out);
            Ok(())
        });
        self.finish(ctx, &request);
    }

    /// A write was refused in its place, without a transaction.
    pub fn on_declined(&mut self, ctx: &Context<'_>, cxid: i32, error: ErrorCode) {
        let Some(request) = self.next_write(cxid) else {
            return;
        };
        let zxid = ctx.replica.last_zxid();
        self.outbox.reply(request.xid, zxid, error);
        self.finish(ctx, &request);
    }

    /// The write that heads the queue. Commits come in the order of requests, so it is the one
    /// that was committed, unless the connection has given up meanwhile.
    fn next_write(&mut self, cxid: i32) -> Option<Pending> {
        if self.phase != Phase::Established {
            return None;
        }
        let matches = self
            .pending
            .oldest()
            .is_some_and(|first| first.xid == cxid && first.work == Work::Write);
        assert!(
            matches,
            "a commit must answer the oldest write of its connection"
        );
        self.pending.pop()
    }

    /// The session is open, perhaps on a server that has lost its ensemble and serves reads only.
    pub fn on_attached(
        &mut self,
        ctx: &Context<'_>,
        session: SessionId,
        timeout_ms: i32,
        read_only: bool,
    ) {
        let Phase::Opening { .. } = self.phase else {
            return;
        };
        self.phase = Phase::Established;
        self.session = session;
        self.timeout_ms = timeout_ms;
        self.read_only_field = self.read_only_field.map(|_| read_only);
        self.stats
            .session_opened(ctx.now_ms, ctx.replica.last_zxid());
        self.outbox.connect_response(&ConnectResponse {
            protocol_version: 0,
            timeout_ms,
            session_id: session,
            password: Some(Bytes::copy_from_slice(&session_password(session))),
            read_only: self.read_only_field,
        });
    }

    fn is_read_only(&self) -> bool {
        self.read_only_field == Some(true)
    }

    /// There is no such session.
    pub fn on_refused(&mut self) {
        self.outbox
            .connect_response(&ConnectResponse::refused(self.read_only_field));
        self.close();
    }

    /// The session is over: whoever hears of that finds no watch of it any more.
    fn end(&mut self, ctx: &Context<'_>) {
        ctx.replica.drop_watcher(WatcherId(self.id.0));
        self.close();
    }

    /// Ends the connection; what is in the outbox may still be sent.
    pub fn close(&mut self) {
        self.phase = Phase::Closing;
        self.pending.clear();
    }
}

/// Whether a request may be answered with ThrottledOp (Java `Request.isThrottlable`).
fn is_throttlable(op: OpCode) -> bool {
    let is_exempt = matches!(op, OpCode::Ping | OpCode::CloseSession);
    (read::is_read(op) || is_write(op)) && !is_exempt
}

#[cfg(test)]
mod tests;
