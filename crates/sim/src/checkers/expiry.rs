//! A session is closed for silence only after it was silent for as long as was agreed.

use crate::fact::Fact;
use std::collections::BTreeMap;
use zooid_node::{Input, Now};
use zooid_proto::{SessionId, Txn, TxnRecord};

#[derive(Debug, Default)]
pub(crate) struct Expiry {
    /// When each was last heard of, and its timeout; both in milliseconds.
    heard: BTreeMap<SessionId, (i64, i32)>,
    now: Now,
    /// The input being stepped.
    opening: Option<i32>,
    is_timer: bool,
}

impl Expiry {
    pub(crate) fn observe(&mut self, fact: &Fact<'_>) -> Result<(), String> {
        match fact {
            Fact::Stepped { now, input } => {
                self.now = *now;
                self.opening = None;
                self.is_timer = matches!(input, Input::Timer);
                match input {
                    Input::Open(_, open) if open.session.0 == 0 => {
                        self.opening = Some(open.timeout_ms);
                    }
                    Input::Open(_, open) if open.password_matches => {
                        if let Some(heard) = self.heard.get_mut(&open.session) {
                            *heard = (now.mono_ms, open.timeout_ms);
                        }
                    }
                    Input::Request(request) => self.touch(request.session),
                    Input::Touched(sessions) => {
                        for session in sessions {
                            self.touch(*session);
                        }
                    }
                    _ => {}
                }
                Ok(())
            }
            Fact::Proposed { record, .. } => {
                let record = TxnRecord::decode(record).map_err(|err| err.to_string())?;
                self.proposed(&record)
            }
            Fact::Recovered { now, replica, .. } => {
                let sessions = replica.sessions();
                self.heard = sessions
                    .map(|(id, timeout)| (id, (now.mono_ms, timeout)))
                    .collect();
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn touch(&mut self, session: SessionId) {
        if let Some((at_ms, _)) = self.heard.get_mut(&session) {
            *at_ms = self.now.mono_ms;
        }
    }

    fn proposed(&mut self, record: &TxnRecord) -> Result<(), String> {
        let session = record.header.client_id;
        if let Some(timeout_ms) = self.opening.take() {
            self.heard.insert(session, (self.now.mono_ms, timeout_ms));
        }
        if !self.is_timer || !matches!(record.txn, Txn::CloseSession { .. }) {
            return Ok(());
        }
        let Some((at_ms, timeout_ms)) = self.heard.remove(&session) else {
            return Err(format!("{session} expired, which was never opened"));
        };
        let silent_ms = self.now.mono_ms - at_ms;
        if silent_ms < i64::from(timeout_ms) {
            return Err(format!(
                "{session} expired after {silent_ms} of {timeout_ms} ms"
            ));
        }
        Ok(())
    }
}
