//! What goes into a [`crate::Node`] and what comes out.

use bytes::Bytes;
use std::sync::Arc;
use zooid_proto::{Id, OpCode, SessionId, TxnRecord, Zxid};

/// The time, handed in with every step.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Now {
    /// Never goes back; for timeouts. Milliseconds.
    pub mono_ms: i64,
    /// Milliseconds since 1970; for stats of nodes.
    pub wall_ms: i64,
}

/// A client's connection, unique for the life of the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnId(pub u64);

/// A client wants a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OpenSession {
    /// The session to come back to; 0 for a new one.
    pub session: SessionId,
    /// Whether the password was the session's. Checked after older connections of the session were
    /// closed, as in Java.
    pub password_matches: bool,
    /// Already negotiated.
    pub timeout_ms: i32,
}

/// A request that changes something, or must wait for what does.
#[derive(Clone, Debug)]
pub struct ClientRequest {
    /// Whom to answer.
    pub conn: ConnId,
    /// The asking session.
    pub session: SessionId,
    /// The client's request id.
    pub cxid: i32,
    /// What to do.
    pub op: OpCode,
    /// The encoded request record.
    pub body: Bytes,
    /// Who the client is.
    pub ids: Arc<[Id]>,
}

/// Something that has happened.
#[derive(Clone, Debug)]
pub enum Input {
    /// A connection asks for a session.
    Open(ConnId, OpenSession),
    /// A write, sync or close.
    Request(ClientRequest),
    /// These sessions have been heard of since the last time.
    Touched(Vec<SessionId>),
    /// A connection is gone.
    Disconnected(ConnId),
    /// Everything appended up to `upto` is durable.
    Persisted {
        /// Which history of the log this is about; see [`Output::Append`].
        generation: u64,
        /// The newest durable zxid.
        upto: Zxid,
    },
    /// The log could not be written or synced.
    StorageFailed {
        /// What the disk said.
        reason: String,
    },
    /// Time has passed.
    Timer,
}

/// Something that the driver must do, in order.
#[derive(Clone, Debug)]
pub enum Output {
    /// Append to the log and answer with [`Input::Persisted`] of the same generation.
    Append {
        /// Bumped whenever the log's history changes under its feet, so that a late completion is
        /// not taken for one of the new history.
        generation: u64,
        /// The record's place.
        zxid: Zxid,
        /// The whole record: header, transaction, digest.
        record: Bytes,
    },
    /// Apply to the replica, then tell the owner.
    Commit {
        /// What to apply.
        record: Box<TxnRecord>,
        /// The connection that asked, if it is one of this server.
        owner: Option<ConnId>,
    },
    /// A sync of this connection is due: everything proposed before it has been committed.
    Complete {
        /// Whom to answer.
        conn: ConnId,
        /// The client's request id.
        cxid: i32,
    },
    /// A session is open on this connection again.
    Attached {
        /// Whom to answer.
        conn: ConnId,
        /// The session.
        session: SessionId,
        /// Negotiated.
        timeout_ms: i32,
    },
    /// There is no such session.
    Refused {
        /// Whom to answer.
        conn: ConnId,
    },
    /// Close without a word, after what is already in the outbox.
    Close {
        /// Whom.
        conn: ConnId,
    },
    /// Stop the process: going on would risk what was promised.
    Halt {
        /// Why.
        reason: String,
    },
}
