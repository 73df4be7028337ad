//! Histories put together by hand.

use super::{Rule, check};
use crate::history::{Action, Operation, Outcome, Seen, Write};
use std::ops::Range;
use zooid_proto::ErrorCode;

/// A history under construction.
pub(super) struct Book {
    pub(super) operations: Vec<Operation>,
}

impl Book {
    /// One register, `/r`.
    pub(super) fn with_register() -> Book {
        let mut book = Book {
            operations: Vec::new(),
        };
        let register = Write::Create {
            path: "/r".into(),
            value: "initial".into(),
        };
        book.multi(0, 1..2, &[register], 1, &[Some(0)]);
        book
    }

    pub(super) fn set(
        &mut self,
        session: i64,
        at: Range<u64>,
        value: &str,
        zxid: i64,
        version: i32,
    ) {
        self.multi(session, at, &[set("/r", value)], zxid, &[Some(version)]);
    }

    pub(super) fn cas(
        &mut self,
        session: i64,
        at: Range<u64>,
        value: &str,
        expected: i32,
        zxid: i64,
        version: i32,
    ) {
        let write = compare_and_set(value, expected);
        self.multi(session, at, &[write], zxid, &[Some(version)]);
    }

    pub(super) fn refused(
        &mut self,
        session: i64,
        at: Range<u64>,
        value: &str,
        expected: i32,
        zxid: i64,
    ) {
        let outcome = Outcome::Refused {
            zxid: Some(zxid),
            part: 0,
            code: ErrorCode::BadVersion.code(),
        };
        let action = Action::Write(vec![compare_and_set(value, expected)]);
        self.add(session, at, action, outcome);
    }

    pub(super) fn create(&mut self, session: i64, at: Range<u64>, path: &str, zxid: i64) {
        self.multi(session, at, &[create(path)], zxid, &[Some(0)]);
    }

    pub(super) fn delete(&mut self, session: i64, at: Range<u64>, path: &str, zxid: i64) {
        let write = Write::Delete { path: path.into() };
        self.multi(session, at, &[write], zxid, &[None]);
    }

    pub(super) fn multi(
        &mut self,
        session: i64,
        at: Range<u64>,
        writes: &[Write],
        zxid: i64,
        versions: &[Option<i32>],
    ) {
        let seen = |version: &Option<i32>| {
            version.map(|version| Seen {
                czxid: if version == 0 { zxid } else { 1 },
                mzxid: zxid,
                version,
            })
        };
        let outcome = Outcome::Written {
            zxid: Some(zxid),
            stats: versions.iter().map(seen).collect(),
        };
        self.add(session, at, Action::Write(writes.to_vec()), outcome);
    }

    pub(super) fn unanswered(&mut self, session: i64, at: u64, value: &str) {
        self.unanswered_multi(session, at, &[set("/r", value)]);
    }

    pub(super) fn unanswered_multi(&mut self, session: i64, at: u64, writes: &[Write]) {
        let action = Action::Write(writes.to_vec());
        self.add(session, at..at, action, Outcome::Unknown);
        self.operations.last_mut().expect("added").completed_ns = None;
    }

    pub(super) fn read(
        &mut self,
        session: i64,
        at: Range<u64>,
        value: &str,
        mzxid: i64,
        version: i32,
    ) {
        self.read_as(session, at, value, mzxid, version, false);
    }

    pub(super) fn synced_read(
        &mut self,
        session: i64,
        at: Range<u64>,
        value: &str,
        mzxid: i64,
        version: i32,
    ) {
        self.read_as(session, at, value, mzxid, version, true);
    }

    fn read_as(
        &mut self,
        session: i64,
        at: Range<u64>,
        value: &str,
        mzxid: i64,
        version: i32,
        synced: bool,
    ) {
        let path = "/r".into();
        let stat = Seen {
            czxid: 1,
            mzxid,
            version,
        };
        // As new as what the session knows, so that only what is shown is at fault.
        let told = self
            .operations
            .iter()
            .filter(|other| other.session == session);
        let told = told.filter_map(Operation::newest_zxid).max();
        let outcome = Outcome::Found {
            zxid: told.max(Some(mzxid)),
            value: value.into(),
            stat,
        };
        self.add(session, at, Action::Read { path, synced }, outcome);
    }

    pub(super) fn absent(&mut self, session: i64, at: Range<u64>, path: &str, zxid: i64) {
        let path = path.into();
        let synced = false;
        let zxid = Some(zxid);
        let outcome = Outcome::Absent { zxid };
        self.add(session, at, Action::Read { path, synced }, outcome);
    }

    pub(super) fn list(&mut self, session: i64, at: Range<u64>, children: &[&str], zxid: i64) {
        let path = "/n".into();
        let synced = false;
        let outcome = Outcome::Listed {
            zxid: Some(zxid),
            children: children.iter().map(ToString::to_string).collect(),
        };
        self.add(session, at, Action::List { path, synced }, outcome);
    }

    fn add(&mut self, session: i64, at: Range<u64>, action: Action, outcome: Outcome) {
        let number = self.operations.len().try_into().expect("small");
        self.operations.push(Operation {
            client: format!("client-{session}"),
            session,
            number,
            member: 1,
            invoked_ns: at.start,
            completed_ns: Some(at.end),
            action,
            outcome,
        });
    }

    /// As of a client that does not see them.
    pub(super) fn forget_headers(&mut self) {
        for operation in &mut self.operations {
            if let Outcome::Written { zxid, .. } | Outcome::Found { zxid, .. } =
                &mut operation.outcome
            {
                *zxid = None;
            }
        }
    }

    pub(super) fn broken(&self) -> Vec<Rule> {
        let mut rules: Vec<Rule> = check(&self.operations)
            .iter()
            .map(|violation| violation.rule)
            .collect();
        rules.dedup();
        rules
    }

    #[track_caller]
    pub(super) fn assert_broken(&self, rules: &[Rule]) {
        assert_eq!(self.broken(), rules, "{:#?}", check(&self.operations));
    }
}

pub(super) fn set(path: &str, value: &str) -> Write {
    let (path, value) = (path.into(), value.into());
    let version = None;
    Write::Set {
        path,
        value,
        version,
    }
}

fn compare_and_set(value: &str, expected: i32) -> Write {
    Write::Set {
        path: "/r".into(),
        value: value.into(),
        version: Some(expected),
    }
}

pub(super) fn create(path: &str) -> Write {
    Write::Create {
        path: path.into(),
        value: format!("value of {path}"),
    }
}
