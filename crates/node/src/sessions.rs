//! Session tracking: who is alive, until when, and on which connection
//! (spec §2.3; Java `SessionTrackerImpl`, `ExpiryQueue`).

mod ended;
mod table;

use crate::step::Owner;
use ended::Ended;
use std::collections::{BTreeMap, BTreeSet};
use table::SessionTable;
use zooid_proto::{ErrorCode, SessionId};

/// One tracked session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionInfo {
    /// Negotiated, in milliseconds.
    pub timeout_ms: i32,
    /// Who speaks for it.
    pub owner: Option<Owner>,
    /// When it expires unless touched, on the monotonic clock.
    pub expires_ms: i64,
    /// Whether its end is already proposed.
    pub closing: bool,
}

/// All live sessions, bucketed by expiry time so that expiring and touching are cheap.
#[derive(Clone, Debug)]
pub struct Sessions {
    interval_ms: i64,
    unknown: ErrorCode,
    by_id: SessionTable,
    buckets: BTreeMap<i64, BTreeSet<SessionId>>,
    ended: Ended,
}

impl Sessions {
    /// Sessions expire at multiples of `interval_ms`. `unknown` is the answer to a write of a session
    /// that is not there: a standalone server of ZooKeeper and a leader give different ones.
    #[must_use]
    pub fn new(interval_ms: i64, unknown: ErrorCode) -> Sessions {
        assert!(interval_ms > 0, "a tick takes time");
        Sessions {
            interval_ms,
            unknown,
            by_id: SessionTable::default(),
            buckets: BTreeMap::new(),
            ended: Ended::default(),
        }
    }

    /// Starts tracking, or touches if it is known already.
    pub fn track(&mut self, id: SessionId, timeout_ms: i32, now_ms: i64) {
        let expires_ms = bucket(self.interval_ms, now_ms + i64::from(timeout_ms));
        let fresh = SessionInfo {
            timeout_ms,
            owner: None,
            expires_ms,
            closing: false,
        };
        if self
            .by_id
            .insert(id, fresh)
            .is_none_or(|old| self.unlist(id, old.expires_ms))
        {
            self.buckets.entry(expires_ms).or_default().insert(id);
        }
    }

    fn unlist(&mut self, id: SessionId, expires_ms: i64) -> bool {
        if let Some(bucket) = self.buckets.get_mut(&expires_ms) {
            bucket.remove(&id);
            if bucket.is_empty() {
                self.buckets.remove(&expires_ms);
            }
        }
        true
    }

    /// Stops tracking.
    pub fn remove(&mut self, id: SessionId) -> Option<SessionInfo> {
        let info = self.by_id.remove(id)?;
        self.unlist(id, info.expires_ms);
        Some(info)
    }

    /// Stops tracking, for good.
    pub fn end(&mut self, id: SessionId) -> Option<SessionInfo> {
        self.ended.insert(id);
        self.remove(id)
    }

    /// Whether it is one of the last sessions that have ended.
    #[must_use]
    pub fn has_ended(&self, id: SessionId) -> bool {
        self.ended.contains(id)
    }

    /// Puts off a session's expiry. Whether it is alive.
    pub fn touch(&mut self, id: SessionId, now_ms: i64) -> bool {
        let interval_ms = self.interval_ms;
        let Some(info) = self.by_id.get_mut(id).filter(|info| !info.closing) else {
            return false;
        };
        let until_ms = now_ms + i64::from(info.timeout_ms);
        // Mostly, and seen without a division.
        let is_listed_there = (info.expires_ms - interval_ms..info.expires_ms).contains(&until_ms);
        if !is_listed_there {
            let fresh = bucket(interval_ms, until_ms);
            let before = std::mem::replace(&mut info.expires_ms, fresh);
            self.unlist(id, before);
            self.buckets.entry(fresh).or_default().insert(id);
        }
        true
    }

    /// Somebody takes the session over. Whether it is alive.
    pub fn attach(&mut self, id: SessionId, owner: Owner, timeout_ms: i32, now_ms: i64) -> bool {
        match self.by_id.get_mut(id) {
            Some(info) if !info.closing => {
                info.owner = Some(owner);
                info.timeout_ms = timeout_ms;
            }
            _ => return false,
        }
        self.touch(id, now_ms)
    }

    /// Who speaks for it is gone.
    pub fn detach(&mut self, id: SessionId, owner: Owner) {
        if let Some(info) = self
            .by_id
            .get_mut(id)
            .filter(|info| info.owner == Some(owner))
        {
            info.owner = None;
        }
    }

    /// Whether `asker` may write for the session; an ownerless one becomes its.
    ///
    /// # Errors
    /// What [`Sessions::new`] was given when there is no such session,
    /// [`ErrorCode::SessionExpired`] when closing, [`ErrorCode::SessionMoved`] when somebody else
    /// owns it.
    pub fn check(&mut self, id: SessionId, asker: Owner) -> Result<(), ErrorCode> {
        let info = self.by_id.get_mut(id).ok_or(self.unknown)?;
        if info.closing {
            return Err(ErrorCode::SessionExpired);
        }
        match info.owner {
            Some(owner) if owner != asker => Err(ErrorCode::SessionMoved),
            _ => {
                info.owner = Some(asker);
                Ok(())
            }
        }
    }

    /// Its end is proposed: it can do nothing more and will not expire again.
    pub fn set_closing(&mut self, id: SessionId) {
        if let Some(info) = self.by_id.get_mut(id) {
            info.closing = true;
            let expires_ms = info.expires_ms;
            self.unlist(id, expires_ms);
        }
    }

    /// Sessions whose time is up; each is returned once.
    pub fn expired(&mut self, now_ms: i64) -> Vec<SessionId> {
        let later = self.buckets.split_off(&(now_ms + 1));
        let due = std::mem::replace(&mut self.buckets, later);
        due.into_values().flatten().collect()
    }

    /// When the next session may expire, on the monotonic clock.
    #[must_use]
    pub fn next_expiry_ms(&self) -> Option<i64> {
        self.buckets.keys().next().copied()
    }

    /// One session.
    #[must_use]
    pub fn get(&self, id: SessionId) -> Option<&SessionInfo> {
        self.by_id.get(id)
    }

    /// All sessions by expiry time, as `dump` shows them.
    pub fn by_expiry(&self) -> impl Iterator<Item = (i64, &BTreeSet<SessionId>)> {
        self.buckets.iter().map(|(at, ids)| (*at, ids))
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.by_id.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.by_id.len() == 0
    }
}

/// When a session expires that lives until then: Java rounds up to the next multiple, and of a multiple to
/// the one behind it.
fn bucket(interval_ms: i64, until_ms: i64) -> i64 {
    (until_ms / interval_ms + 1) * interval_ms
}

#[cfg(test)]
mod tests;
