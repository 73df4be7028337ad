//! Sessions, in the order of proposals and as applied.

use std::collections::{BTreeMap, BTreeSet};
use zooid_node::ConnId;
use zooid_proto::{ErrorCode, SessionId};

#[derive(Clone, Debug, Default)]
pub(crate) struct Sessions {
    /// As applied, with their timeouts.
    live: BTreeMap<SessionId, i32>,
    /// Tracked in the order of proposals, with the connection that speaks for each.
    owners: BTreeMap<SessionId, Option<ConnId>>,
    /// Whose end is proposed.
    closing: BTreeSet<SessionId>,
}

impl Sessions {
    pub(crate) fn live(&self) -> &BTreeMap<SessionId, i32> {
        &self.live
    }

    pub(crate) fn is_known(&self, session: SessionId) -> bool {
        self.owners.contains_key(&session)
    }

    /// Whether a client may come back to it.
    pub(crate) fn is_open(&self, session: SessionId) -> bool {
        self.is_known(session) && !self.closing.contains(&session)
    }

    pub(crate) fn track(&mut self, session: SessionId, conn: ConnId) {
        self.owners.insert(session, Some(conn));
    }

    /// A connection wants the session: the one it had is given up first, whatever comes of it.
    pub(crate) fn attach(
        &mut self,
        session: SessionId,
        conn: ConnId,
        password_matches: bool,
    ) -> bool {
        let granted = password_matches && self.is_open(session);
        if let Some(owner) = self.owners.get_mut(&session) {
            *owner = granted.then_some(conn);
        }
        granted
    }

    pub(crate) fn disconnected(&mut self, conn: ConnId) {
        for owner in self
            .owners
            .values_mut()
            .filter(|owner| **owner == Some(conn))
        {
            *owner = None;
        }
    }

    /// Whether `conn` may write for the session. One that nobody speaks for becomes its.
    pub(crate) fn check(&mut self, session: SessionId, conn: ConnId) -> Result<(), ErrorCode> {
        if self.closing.contains(&session) {
            return Err(ErrorCode::SessionExpired);
        }
        match self.owners.get_mut(&session) {
            None => Err(ErrorCode::UnknownSession),
            Some(Some(owner)) if *owner != conn => Err(ErrorCode::SessionMoved),
            Some(owner) => {
                *owner = Some(conn);
                Ok(())
            }
        }
    }

    pub(crate) fn set_closing(&mut self, session: SessionId) {
        if self.is_known(session) {
            self.closing.insert(session);
        }
    }

    pub(crate) fn opened(&mut self, session: SessionId, timeout_ms: i32) {
        self.live.insert(session, timeout_ms);
    }

    pub(crate) fn closed(&mut self, session: SessionId) {
        self.live.remove(&session);
        self.owners.remove(&session);
        self.closing.remove(&session);
    }

    /// All connections are gone, and so is what was not durable.
    pub(crate) fn restart(&mut self) {
        self.closing.clear();
        self.owners = self.live.keys().map(|session| (*session, None)).collect();
    }
}
