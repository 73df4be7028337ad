//! One connection, as the oracle follows it.

use crate::checkers::CLIENT_IP;
use crate::cluster::schedule::MemberId;
use crate::model::Watches;
use crate::packet::{Notice, Reply};
use crate::request::Request;
use std::collections::VecDeque;
use std::sync::Arc;
use zooid_proto::{ErrorCode, Id, SessionId, Zxid};

#[derive(Debug)]
pub(super) struct Conn {
    pub(super) member: MemberId,
    pub(super) session: SessionId,
    pub(super) ids: Arc<[Id]>,
    pub(super) watches: Watches,
    pub(super) is_closing: bool,
    /// Whether its member has no leader.
    pub(super) reads_only: bool,
    /// Whether the connect request has been taken in.
    is_dialled: bool,
    /// On their way to the member.
    pub(super) asked: VecDeque<(i32, Request)>,
    /// Taken in and not yet answered.
    waiting: VecDeque<Taken>,
    /// Auth packets not yet answered.
    auths: usize,
    /// Events that must come before the next reply.
    pub(super) events: Vec<Notice>,
    /// Events that came, which a reply must account for.
    pub(super) told: Vec<Notice>,
}

/// A request that a connection has taken in.
#[derive(Clone, Debug)]
pub(super) struct Taken {
    pub(super) xid: i32,
    pub(super) request: Request,
    /// Whose it is, by what the client has proven until then.
    pub(super) ids: Arc<[Id]>,
}

impl Conn {
    pub(super) fn to(member: MemberId) -> Conn {
        Conn {
            member,
            session: SessionId(0),
            ids: Arc::from([Id::new("ip", CLIENT_IP)]),
            watches: Watches::default(),
            is_closing: false,
            reads_only: false,
            is_dialled: false,
            asked: VecDeque::new(),
            waiting: VecDeque::new(),
            auths: 0,
            events: Vec::new(),
            told: Vec::new(),
        }
    }

    pub(super) fn close(&mut self) {
        self.is_closing = true;
        self.events.clear();
    }

    /// The next frame is taken in.
    pub(super) fn take(&mut self) -> Option<Taken> {
        if !std::mem::replace(&mut self.is_dialled, true) {
            return None;
        }
        let (xid, request) = self.asked.pop_front()?;
        if let Request::Auth(user) = request {
            self.auths += 1;
            let id = user.id();
            if !self.ids.contains(&id) {
                self.ids = self.ids.iter().cloned().chain([id]).collect();
            }
            return None;
        }
        let ids = Arc::clone(&self.ids);
        let taken = Taken { xid, request, ids };
        self.waiting.push_back(taken.clone());
        Some(taken)
    }

    pub(super) fn authenticated(&mut self, reply: &Reply) -> Result<(), String> {
        let is_plain = (reply.zxid, reply.err) == (Zxid::ZERO, ErrorCode::Ok);
        if self.auths == 0 || !is_plain {
            return Err(format!("unexpected {reply:?}"));
        }
        self.auths -= 1;
        Ok(())
    }

    pub(super) fn notified(&mut self, event: &Notice) -> Result<(), String> {
        if event.zxid == Zxid::NONE {
            self.told.push(event.clone());
            return Ok(());
        }
        if self.events.first() != Some(event) {
            let expected = self.events.first();
            return Err(format!("was told of {event:?} instead of {expected:?}"));
        }
        self.events.remove(0);
        Ok(())
    }

    /// Which request a reply answers; everything that happened before it has been told.
    pub(super) fn next_answered(&mut self, reply: &Reply) -> Result<Taken, String> {
        if let Some(event) = self.events.first() {
            return Err(format!("reply {} overtook {event:?}", reply.xid));
        }
        let next = self.waiting.pop_front();
        next.filter(|next| next.xid == reply.xid)
            .ok_or_else(|| format!("reply {} was not next", reply.xid))
    }
}
