//! One connection, as the oracle follows it.

use crate::model::{Answer, Model, Reading, Watches, has_bad_mode};
use crate::packet::{Notice, Reply};
use crate::request::Request;
use std::collections::VecDeque;
use std::sync::Arc;
use zooid_proto::response::PathResponse;
use zooid_proto::{ConnectRequest, ErrorCode, Id, Jute, SessionId, Zxid};

/// Where all simulated clients are.
pub(crate) const CLIENT_IP: &str = "127.0.0.1";

#[derive(Debug)]
pub(super) struct Conn {
    /// The connect request, until it is taken in.
    pub(super) dial: Option<ConnectRequest>,
    pub(super) dialled: bool,
    /// Session and timeout that the connect response must give.
    pub(super) greeting: Option<(SessionId, i32)>,
    pub(super) session: SessionId,
    pub(super) ids: Arc<[Id]>,
    pub(super) watches: Watches,
    pub(super) is_closing: bool,
    /// On their way to the server.
    pub(super) asked: VecDeque<(i32, Request)>,
    /// Taken in and not yet answered.
    pub(super) waiting: VecDeque<Ordered>,
    /// On their way to the node.
    pub(super) to_order: VecDeque<Ordered>,
    /// Answers to what the node has ordered and is now carried out.
    pub(super) due: VecDeque<Due>,
    /// Syncs on their way through the node.
    pub(super) barriers: VecDeque<Barrier>,
    /// Auth packets not yet answered.
    auths: usize,
    /// Events that must come before the next reply.
    pub(super) events: Vec<Notice>,
    /// Events that came, which a reply must account for.
    pub(super) told: Vec<Notice>,
}

/// A request taken in by the connection.
#[derive(Clone, Debug)]
pub(super) struct Ordered {
    pub(super) xid: i32,
    pub(super) request: Request,
    pub(super) ids: Arc<[Id]>,
    pub(super) verdict: Result<(), ErrorCode>,
}

/// What the next reply to a request that went through the node says.
#[derive(Clone, Debug)]
pub(super) struct Due {
    pub(super) zxid: Zxid,
    pub(super) answer: Answer,
}

/// A sync: due when everything proposed before it has been applied.
#[derive(Clone, Debug)]
pub(super) struct Barrier {
    pub(super) after: Zxid,
    pub(super) path: String,
}

impl Request {
    /// Whether its outcome depends on whose the session is.
    pub(crate) fn is_judged_by_session(&self) -> bool {
        match self {
            Request::Single(op) => !has_bad_mode(op),
            Request::Multi(ops) => ops.0.first().is_some_and(|op| !has_bad_mode(op)),
            Request::SetAcl(_) => true,
            _ => false,
        }
    }
}

impl Conn {
    pub(super) fn new(dial: ConnectRequest) -> Conn {
        Conn {
            dial: Some(dial),
            dialled: false,
            greeting: None,
            session: SessionId(0),
            ids: Arc::from([Id::new("ip", CLIENT_IP)]),
            watches: Watches::default(),
            is_closing: false,
            asked: VecDeque::new(),
            waiting: VecDeque::new(),
            to_order: VecDeque::new(),
            due: VecDeque::new(),
            barriers: VecDeque::new(),
            auths: 0,
            events: Vec::new(),
            told: Vec::new(),
        }
    }

    pub(super) fn close(&mut self) {
        self.is_closing = true;
        self.events.clear();
    }

    pub(super) fn take(&mut self, xid: i32, request: Request) {
        if let Request::Auth(user) = request {
            self.auths += 1;
            let id = user.id();
            if !self.ids.contains(&id) {
                self.ids = self.ids.iter().cloned().chain([id]).collect();
            }
            return;
        }
        let ids = Arc::clone(&self.ids);
        let ordered = Ordered {
            xid,
            request,
            ids,
            verdict: Ok(()),
        };
        if ordered.request.is_ordered() {
            self.to_order.push_back(ordered.clone());
        }
        self.waiting.push_back(ordered);
    }

    pub(super) fn authenticated(&mut self, reply: &Reply) -> Result<(), String> {
        let is_plain = (reply.zxid, reply.err) == (Zxid::ZERO, ErrorCode::Ok);
        if self.auths == 0 || !is_plain {
            return Err(format!("unexpected {reply:?}"));
        }
        self.auths -= 1;
        Ok(())
    }

    /// A barrier of this connection is said to be reached.
    pub(super) fn complete(&mut self, at: Zxid) -> Result<(), String> {
        let Some(Barrier { after, path }) = self.barriers.pop_front() else {
            return Err("a sync was completed that nobody asked for".to_owned());
        };
        if at < after {
            return Err(format!("a sync behind {after} was completed at {at}"));
        }
        let answer = Answer::ok(PathResponse { path }.to_vec());
        self.due.push_back(Due { zxid: at, answer });
        Ok(())
    }

    pub(super) fn take_due(&mut self, request: &Request) -> Result<Due, String> {
        let due = self.due.pop_front();
        due.ok_or_else(|| format!("{request:?} was answered before it was carried out"))
    }

    pub(super) fn read(&mut self, ordered: &Ordered, model: &Model) -> Result<Answer, String> {
        let mut reading = Reading {
            session: self.session,
            ids: &ordered.ids,
            watches: &mut self.watches,
            told: Vec::new(),
        };
        let answer = model.read(&ordered.request, &mut reading);
        let told = std::mem::take(&mut self.told);
        if told != reading.told {
            let expected = reading.told;
            return Err(format!(
                "{:?} told {told:?} instead of {expected:?}",
                ordered.request
            ));
        }
        Ok(answer)
    }
}
