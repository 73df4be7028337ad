//! What the model is at each zxid.

use super::answer_of;
use crate::checkers::same_state;
use crate::model::{Answer, Ask, Change, Moment, Quotas, Tree};
use crate::request::Request;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use zooid_proto::{EphemeralOwner, ErrorCode, Id, SessionId, Txn, TxnHeader, TxnRecord, Zxid};
use zooid_tree::Replica;

/// A request in its session.
type Place = (SessionId, i32);

#[derive(Debug)]
pub(super) struct Chronicle {
    states: BTreeMap<Zxid, State>,
    /// Taken in by a connection.
    asked: BTreeMap<Place, Asked>,
    proposed: BTreeMap<Place, Zxid>,
    /// Refused without becoming a transaction.
    declined: BTreeSet<Place>,
    /// Sessions that the whole ensemble knows, or has known.
    global: BTreeSet<SessionId>,
}

#[derive(Debug)]
struct Asked {
    request: Request,
    ids: Arc<[Id]>,
}

/// Behind one transaction.
#[derive(Debug)]
pub(super) struct State {
    pub(super) tree: Tree,
    sessions: Arc<BTreeMap<SessionId, i32>>,
    ended: Arc<BTreeSet<SessionId>>,
    /// To whoever asked for the transaction.
    pub(super) answer: Answer,
    /// What it has done.
    pub(super) changes: Vec<Change>,
}

impl Default for Chronicle {
    fn default() -> Chronicle {
        let nothing = State {
            tree: Tree::new(),
            sessions: Arc::default(),
            ended: Arc::default(),
            answer: Answer::ok(Vec::new()),
            changes: Vec::new(),
        };
        Chronicle {
            states: BTreeMap::from([(Zxid::ZERO, nothing)]),
            asked: BTreeMap::new(),
            proposed: BTreeMap::new(),
            declined: BTreeSet::new(),
            global: BTreeSet::new(),
        }
    }
}

impl Chronicle {
    pub(super) fn at(&self, zxid: Zxid) -> Option<&State> {
        self.states.get(&zxid)
    }

    pub(super) fn is_global(&self, session: SessionId) -> bool {
        self.global.contains(&session)
    }

    /// What became of a request: where, and the state behind it.
    pub(super) fn outcome(&self, session: SessionId, xid: i32) -> Option<(Zxid, &State)> {
        let zxid = *self.proposed.get(&(session, xid))?;
        Some((zxid, self.states.get(&zxid)?))
    }

    /// Notes that a request was refused and must not become a transaction; `false` if it is one.
    pub(super) fn decline(&mut self, session: SessionId, xid: i32) -> bool {
        let place = (session, xid);
        let is_proposed = self.proposed.contains_key(&place);
        if !is_proposed {
            self.declined.insert(place);
        }
        !is_proposed
    }

    pub(super) fn asked(
        &mut self,
        session: SessionId,
        xid: i32,
        request: Request,
        ids: Arc<[Id]>,
    ) -> Result<(), String> {
        let place = (session, xid);
        match self.asked.insert(place, Asked { request, ids }) {
            None => Ok(()),
            Some(_) => Err(format!("{place:?} was taken in twice")),
        }
    }

    /// A record stands behind `before` in somebody's log, who may refuse what stores data.
    pub(super) fn proposed(
        &mut self,
        before: Zxid,
        record: &TxnRecord,
        may_refuse: bool,
    ) -> Result<(), String> {
        let zxid = record.header.zxid;
        if self.states.contains_key(&zxid) {
            return Ok(());
        }
        let Some(before) = self.states.get(&before) else {
            return Err(format!("{zxid} stands behind {before}, which is unknown"));
        };
        let mut state = State {
            tree: before.tree.clone(),
            sessions: Arc::clone(&before.sessions),
            ended: Arc::clone(&before.ended),
            answer: Answer::ok(Vec::new()),
            changes: Vec::new(),
        };
        let place = (record.header.client_id, record.header.cxid);
        let is_global = self.is_global(record.header.client_id);
        let asked = self.asked.get(&place);
        if record.txn == Txn::Error(ErrorCode::SystemError) {
            let stores_data = asked.is_some_and(|asked| asked.request.stores_data());
            if !may_refuse || !stores_data {
                return Err(format!("{zxid} refuses {asked:?}: there is room"));
            }
            state.answer = answer_of(Err(ErrorCode::SystemError));
        } else {
            state
                .carry_out(record, asked, is_global)
                .map_err(|what| format!("{zxid}: {what}"))?;
        }
        if asked.is_some() && self.declined.contains(&place) {
            return Err(format!("{place:?} was refused, and becomes {zxid}"));
        }
        if matches!(record.txn, Txn::CreateSession { .. }) {
            // Also for the sake of a request that needs one.
            self.global.insert(record.header.client_id);
        } else if self.asked.contains_key(&place)
            && let Some(other) = self.proposed.insert(place, zxid)
        {
            return Err(format!("{place:?} became {other}, and then {zxid}"));
        }
        self.states.insert(zxid, state);
        Ok(())
    }

    /// Whether a replica whose last transaction is this is what the model says, in everything.
    pub(super) fn same(&self, at: Zxid, replica: &Replica) -> Result<(), String> {
        match self.states.get(&at) {
            Some(state) => same_state(&state.tree, &state.sessions, replica),
            None => Err(format!("a replica is at {at}, which was never proposed")),
        }
    }
}

impl State {
    fn carry_out(
        &mut self,
        record: &TxnRecord,
        asked: Option<&Asked>,
        is_global: bool,
    ) -> Result<(), String> {
        let TxnHeader {
            zxid,
            time: wall_ms,
            client_id: session,
            ..
        } = record.header;
        match &record.txn {
            Txn::CreateSession { timeout_ms } => {
                Arc::make_mut(&mut self.sessions).insert(session, *timeout_ms);
            }
            Txn::CloseSession { paths_to_delete } => {
                Arc::make_mut(&mut self.sessions).remove(&session);
                Arc::make_mut(&mut self.ended).insert(session);
                // Those that are listed go first; there need not be all.
                for path in paths_to_delete.iter().flatten() {
                    self.must_own(session, path)?;
                    self.tree.remove(path, zxid, &mut self.changes);
                }
                self.tree.close_session(session, zxid, &mut self.changes);
            }
            Txn::DeleteContainer { path } => {
                self.tree.may_be_swept(path, wall_ms)?;
                self.tree.remove(path, zxid, &mut self.changes);
            }
            txn => match asked {
                Some(asked) => {
                    let asker = (session, is_global);
                    self.answer(asked, asker, Moment { zxid, wall_ms }, txn)?;
                }
                // A sweep that was not due any more.
                None if matches!(txn, Txn::Error(_)) && record.header.cxid == 0 => {}
                None => return Err(format!("nobody asked for {record:?}")),
            },
        }
        Ok(())
    }

    fn must_own(&self, session: SessionId, path: &str) -> Result<(), String> {
        match self.tree.nodes.get(path).map(|node| node.owner()) {
            Some(EphemeralOwner::Session(owner)) if owner == session => Ok(()),
            owner => Err(format!("{path} of {owner:?} ends with {session}")),
        }
    }

    fn answer(
        &mut self,
        asked: &Asked,
        (session, is_global): (SessionId, bool),
        moment: Moment,
        txn: &Txn,
    ) -> Result<(), String> {
        if asked.request == Request::Close {
            return Err(format!("a close became {txn:?}"));
        }
        if asked.request == Request::Garbage {
            self.answer = answer_of(Err(ErrorCode::MarshallingError));
            return Ok(());
        }
        let lives = self.sessions.contains_key(&session);
        if *txn == Txn::Error(ErrorCode::EphemeralOnLocalSession) {
            if lives || !asked.request.creates_ephemerals() {
                return Err(format!(
                    "{session} may create ephemerals, and is told otherwise"
                ));
            }
            self.answer = answer_of(Err(ErrorCode::EphemeralOnLocalSession));
            return Ok(());
        }
        let verdict = verdict(txn);
        if lives && verdict == Err(ErrorCode::SessionExpired) {
            return Err(format!("{session} lives and is told otherwise"));
        }
        if self.ended.contains(&session) && verdict.is_ok() && asked.request.is_judged_by_session()
        {
            return Err(format!("{session} has ended and writes: {txn:?}"));
        }
        let ask = Ask {
            request: asked.request.clone(),
            ids: Arc::clone(&asked.ids),
            verdict: if is_global || !asked.request.creates_ephemerals() {
                verdict
            } else {
                Ok(())
            },
            // The leader knows no session of a follower's own.
            ephemeral_verdict: if is_global {
                verdict
            } else {
                Err(ErrorCode::SessionExpired)
            },
            quotas: Quotas::default(),
        };
        let changes = &mut self.changes;
        let done = self.tree.carry_out(&ask, session, moment, changes);
        self.answer = answer_of(done.map(|(body, _)| body));
        Ok(())
    }
}

/// Whether the leader thought that the session may ask. (Whether it was right, other checkers see.)
fn verdict(txn: &Txn) -> Result<(), ErrorCode> {
    let of_session = |code: &ErrorCode| {
        let codes = [ErrorCode::SessionExpired, ErrorCode::SessionMoved];
        codes.contains(code)
    };
    let first = match txn {
        Txn::Error(code) => Some(*code),
        Txn::Multi(parts) => parts.iter().find_map(|part| match part {
            Txn::Error(code) if of_session(code) => Some(*code),
            _ => None,
        }),
        _ => None,
    };
    first.filter(of_session).map_or(Ok(()), Err)
}
