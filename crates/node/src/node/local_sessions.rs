//! Sessions that only their server knows, until they need an ephemeral node
//! (spec §2.3; Java `UpgradeableSessionTracker`, `LocalSessionTracker`,
//! `QuorumZooKeeperServer.checkUpgradeSession`).
//!
//! They end with their server's role: a client that comes back after an election gets a new one.

use super::{Node, Role};
use crate::prep::Write;
use crate::step::{ClientRequest, ConnId, Now, OpenSession, Output, Owner};
use zooid_proto::{ErrorCode, OpCode, Reader, SessionId};
use zooid_tree::Replica;

/// What a request of a local session needs before it can go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Upgrade {
    /// Nothing: the session may stay as it is.
    NotNeeded,
    /// A global session with this timeout in milliseconds.
    To(i32),
    /// What it may not have.
    Forbidden,
}

impl Node {
    pub(super) fn open_local(
        &mut self,
        now: Now,
        conn: ConnId,
        timeout_ms: i32,
        replica: &Replica,
        out: &mut Vec<Output>,
    ) {
        let session = self.new_session_id(replica);
        self.local.track(session, timeout_ms, now.mono_ms);
        self.attach_local(now, conn, session, timeout_ms, out);
    }

    /// Takes up a local session, if it is one of this server's.
    pub(super) fn reopen_local(
        &mut self,
        now: Now,
        conn: ConnId,
        open: OpenSession,
        out: &mut Vec<Output>,
    ) -> bool {
        let OpenSession {
            session,
            password_matches,
            timeout_ms,
            ..
        } = open;
        let Some(info) = self.local.get(session) else {
            return false;
        };
        if info.closing {
            out.push(Output::Refused { conn });
            return true;
        }
        if let Some(older) = info.owner.and_then(Owner::conn) {
            self.bound.remove(&older);
            out.push(Output::Close { conn: older });
        }
        if password_matches {
            self.attach_local(now, conn, session, timeout_ms, out);
        } else {
            out.push(Output::Refused { conn });
        }
        true
    }

    fn attach_local(
        &mut self,
        now: Now,
        conn: ConnId,
        session: SessionId,
        timeout_ms: i32,
        out: &mut Vec<Output>,
    ) {
        let owner = Owner::Client(conn);
        self.local.attach(session, owner, timeout_ms, now.mono_ms);
        self.bound.insert(conn, session);
        if let Role::Learning(_, desk) = &mut self.role {
            desk.speaks(session, conn);
        }
        out.push(Output::Attached {
            conn,
            session,
            timeout_ms,
            read_only: matches!(self.role, Role::Looking),
        });
    }

    /// Whether a request makes its session global first. A session that becomes global is not local any
    /// more from here on.
    pub(super) fn upgrade_for(&mut self, request: &ClientRequest) -> Upgrade {
        let Some(info) = self.local.get(request.session) else {
            return Upgrade::NotNeeded;
        };
        let timeout_ms = info.timeout_ms;
        if !self.creates_ephemerals(request) {
            return Upgrade::NotNeeded;
        }
        if !self.settings.local_sessions.upgrading {
            return Upgrade::Forbidden;
        }
        self.local.remove(request.session);
        Upgrade::To(timeout_ms)
    }

    fn creates_ephemerals(&self, request: &ClientRequest) -> bool {
        if !matches!(request.op, OpCode::Create | OpCode::Create2 | OpCode::Multi) {
            return false;
        }
        let mut r = Reader::shared(&request.body, self.settings.limit);
        Write::decode(request.op, &mut r).is_ok_and(|write| write.creates_ephemerals())
    }

    /// Whether a session is one of this server's own, which nobody else knows.
    pub(super) fn is_local(&self, session: SessionId) -> bool {
        self.local.get(session).is_some()
    }

    /// Whether a session has asked for its end already. Nothing that it asks for afterwards may happen: an
    /// ephemeral node would make it global, and so outlive it.
    pub(super) fn is_closing_local(&self, session: SessionId) -> bool {
        self.local.get(session).is_some_and(|info| info.closing)
    }

    /// A session whose client is gone before it could be told of the end that it asked for has ended, too.
    pub(super) fn left_local(&mut self, session: SessionId, conn: ConnId) {
        if self.is_closing_local(session) {
            self.forget_local(session);
        } else {
            self.local.detach(session, Owner::Client(conn));
        }
    }

    /// The session has ended by its own wish, behind everything that it asked for.
    pub(super) fn local_closed(&mut self, conn: ConnId, cxid: i32, out: &mut Vec<Output>) {
        if let Some(session) = self.bound.get(&conn).copied() {
            self.forget_local(session);
        }
        out.push(Output::Complete { conn, cxid });
    }

    fn forget_local(&mut self, session: SessionId) -> Option<ConnId> {
        let info = self.local.remove(session)?;
        if let Role::Learning(_, desk) = &mut self.role {
            desk.session_closed(session);
        }
        let conn = info.owner.and_then(Owner::conn)?;
        self.bound.remove(&conn);
        Some(conn)
    }

    /// Ends the local sessions that have been silent for too long.
    pub(super) fn expire_local(&mut self, now: Now, out: &mut Vec<Output>) {
        for session in self.local.expired(now.mono_ms) {
            self.stats.sessions_expired += 1;
            if let Some(conn) = self.forget_local(session) {
                out.push(Output::Close { conn });
            }
        }
    }
}

/// What the client is told when its session must not be upgraded (Java
/// `EphemeralOnLocalSessionException`).
pub(super) const FORBIDDEN: ErrorCode = ErrorCode::EphemeralOnLocalSession;
