//! What a server should be: the dumb twin against which every reply, event and recovery is held.
//!
//! It knows requests and their results (spec §2), not transactions, pending views or slabs: it
//! carries each request out when its turn in the order of proposals has come, on a map of paths.

mod read;
mod sessions;
mod tree;
mod watches;
mod write;

pub(crate) use read::Reading;
pub(crate) use sessions::Sessions;
pub(crate) use tree::{CHILD_LISTS, NEVER_USED_MS, OWNER_RULES, Quotas, Tree};
pub(crate) use watches::{Change, Watches};
pub(crate) use write::{Asker, Moment, has_bad_mode};

use crate::request::Request;
use std::collections::VecDeque;
use std::sync::Arc;
use zooid_node::ConnId;
use zooid_proto::{ErrorCode, Id, Jute, MultiResult, SessionId, Zxid};

/// Everything a server must remember, and what it has been asked to do.
#[derive(Clone, Debug)]
pub(crate) struct Model {
    /// The last request carried out.
    pub(crate) zxid: Zxid,
    pub(crate) tree: Tree,
    pub(crate) sessions: Sessions,
    pending: VecDeque<Proposal>,
}

/// A request in its place.
#[derive(Clone, Debug)]
pub(crate) struct Proposal {
    pub(crate) zxid: Zxid,
    pub(crate) wall_ms: i64,
    pub(crate) session: SessionId,
    /// Whom to answer.
    pub(crate) conn: Option<ConnId>,
    pub(crate) action: Action,
}

#[derive(Clone, Debug)]
pub(crate) enum Action {
    OpenSession {
        timeout_ms: i32,
    },
    CloseSession,
    /// A container or TTL node goes; `None` if the server found that it should not.
    Sweep(Option<String>),
    Write(Ask),
}

/// What a request's outcome depends on beside the tree.
#[derive(Clone, Debug)]
pub(crate) struct Ask {
    pub(crate) request: Request,
    pub(crate) ids: Arc<[Id]>,
    /// Whether the session could write through that connection when the request was ordered.
    pub(crate) verdict: Result<(), ErrorCode>,
    /// Likewise for nodes that end with it, which a session of one server only may not have.
    pub(crate) ephemeral_verdict: Result<(), ErrorCode>,
    /// Quotas are judged by what was applied when the request was ordered, as in Java.
    pub(crate) quotas: Quotas,
}

/// What a reply must say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) err: ErrorCode,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn ok(body: Vec<u8>) -> Answer {
        Answer {
            err: ErrorCode::Ok,
            body,
        }
    }

    fn of(result: Result<Vec<u8>, ErrorCode>) -> Answer {
        result.map_or_else(
            |err| Answer {
                err,
                body: Vec::new(),
            },
            Answer::ok,
        )
    }
}

/// What carrying a proposal out has done.
#[derive(Debug)]
pub(crate) struct Done {
    pub(crate) proposal: Proposal,
    pub(crate) answer: Answer,
    /// Whether the session turned out to be another connection's: it is closed without a reply.
    pub(crate) moved: bool,
    pub(crate) changes: Vec<Change>,
}

impl Model {
    pub(crate) fn new() -> Model {
        Model {
            zxid: Zxid::ZERO,
            tree: Tree::new(),
            sessions: Sessions::default(),
            pending: VecDeque::new(),
        }
    }

    pub(crate) fn last_proposed(&self) -> Zxid {
        self.pending
            .back()
            .map_or(self.zxid, |proposal| proposal.zxid)
    }

    pub(crate) fn propose(&mut self, proposal: Proposal) -> Result<(), String> {
        let expected = self.last_proposed().next();
        if proposal.zxid != expected {
            return Err(format!(
                "{} was proposed instead of {expected}",
                proposal.zxid
            ));
        }
        self.pending.push_back(proposal);
        Ok(())
    }

    /// Carries the next proposal out.
    pub(crate) fn commit(&mut self, zxid: Zxid) -> Result<Done, String> {
        let next = self
            .pending
            .pop_front()
            .filter(|proposal| proposal.zxid == zxid);
        let Some(proposal) = next else {
            return Err(format!(
                "{zxid} was applied, which was not next in the proposals' order"
            ));
        };
        if let Action::Sweep(Some(path)) = &proposal.action {
            self.tree.may_be_swept(path, proposal.wall_ms)?;
        }
        self.zxid = zxid;
        let mut changes = Vec::new();
        let moment = Moment {
            zxid,
            wall_ms: proposal.wall_ms,
        };
        let result = self.perform(&proposal, moment, &mut changes);
        let moved = match &result {
            Ok((_, moved)) => *moved,
            Err(err) => *err == ErrorCode::SessionMoved,
        };
        let answer = Answer::of(result.map(|(body, _)| body));
        Ok(Done {
            proposal,
            answer,
            moved,
            changes,
        })
    }

    fn perform(
        &mut self,
        proposal: &Proposal,
        moment: Moment,
        changes: &mut Vec<Change>,
    ) -> Result<(Vec<u8>, bool), ErrorCode> {
        let session = proposal.session;
        match &proposal.action {
            Action::OpenSession { timeout_ms } => {
                self.sessions.opened(session, *timeout_ms);
                Ok((Vec::new(), false))
            }
            Action::CloseSession => {
                self.sessions.closed(session);
                self.tree.close_session(session, moment.zxid, changes);
                Ok((Vec::new(), false))
            }
            Action::Sweep(path) => {
                if let Some(path) = path {
                    self.tree.remove(path, moment.zxid, changes);
                }
                Ok((Vec::new(), false))
            }
            Action::Write(ask) => self.tree.carry_out(ask, session, moment, changes),
        }
    }

    /// What a server that found `last` in its log must be: everything up to there, nothing beyond.
    pub(crate) fn recover(&mut self, last: Zxid) -> Result<(), String> {
        if last < self.zxid {
            return Err(format!(
                "{last} was recovered, but {} had been applied",
                self.zxid
            ));
        }
        if last > self.last_proposed() {
            let proposed = self.last_proposed();
            return Err(format!(
                "{last} was recovered, but no more than {proposed} was proposed"
            ));
        }
        while self.zxid < last {
            self.commit(self.zxid.next())?;
        }
        self.pending.clear();
        self.sessions.restart();
        self.tree.recount_quotas();
        Ok(())
    }
}

impl Tree {
    /// Carries a write out; what to answer, and whether it turned out that the session has moved.
    pub(crate) fn carry_out(
        &mut self,
        ask: &Ask,
        session: SessionId,
        moment: Moment,
        changes: &mut Vec<Change>,
    ) -> Result<(Vec<u8>, bool), ErrorCode> {
        let asker = Asker { session, ask };
        match &ask.request {
            Request::Single(op) => {
                let result = self.write(op, &asker, moment, changes)?;
                Ok((single_body(result), false))
            }
            Request::SetAcl(request) => {
                let stat = self.set_acl(request, &asker)?;
                Ok((stat.to_vec(), false))
            }
            Request::Multi(request) => {
                let results = self.multi(&request.0, &asker, moment, changes);
                let moved = MultiResult::Error(ErrorCode::SessionMoved);
                let is_moved = results.contains(&moved);
                let mut body = Vec::new();
                MultiResult::encode_all(&results, &mut body);
                Ok((body, is_moved))
            }
            Request::Garbage => Err(ErrorCode::MarshallingError),
            other => unreachable!("{other:?} is no write"),
        }
    }
}

fn single_body(result: MultiResult) -> Vec<u8> {
    match result {
        MultiResult::Create(path) => path.to_vec(),
        MultiResult::Create2(path, stat) => {
            let mut body = path.to_vec();
            stat.encode(&mut body);
            body
        }
        MultiResult::SetData(stat) => stat.to_vec(),
        _ => Vec::new(),
    }
}
