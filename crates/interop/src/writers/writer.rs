//! One client that writes all the time.

use super::Stage;
use super::journal::{Journal, Write};
use crate::session::SessionGone;
use crate::{Session, anyone};
use anyhow::{Context, Result, bail};
use std::net::SocketAddr;
use zooid_proto::request::{CreateRequest, PathVersion, PathWatch, SetDataRequest};
use zooid_proto::response::GetDataResponse;
use zooid_proto::{CreateMode, ErrorCode, Jute, OpCode, Zxid};

/// A writer, before or at its work.
pub(super) struct Writer {
    session: Session,
    address: SocketAddr,
    number: usize,
    root: String,
    journal: Journal,
    count: u64,
}

impl Writer {
    /// Connects, and creates the nodes that the writer works on.
    pub(super) fn new(number: usize, stage: &Stage) -> Result<Writer> {
        let (address, mut session) = stage.at_any_server(number, |address| {
            let session = Session::open(address, LONG_TIMEOUT_MS).ok();
            Ok(session.map(|session| (address, session)))
        })?;
        // By the first, before anyone has written: who has written once finds them on its server.
        if number == 0 {
            for counter in (0..COUNTERS).map(counter_path) {
                session.create(&counter, Some(b"0"), &anyone(), CreateMode::Persistent)?;
            }
        }
        let root = format!("/writer-{number}");
        session.create(&root, Some(b""), &anyone(), CreateMode::Persistent)?;
        Ok(Writer {
            journal: Journal::new(&session, &root),
            session,
            address,
            number,
            root,
            count: 0,
        })
    }

    /// Writes until the stage says that it is over.
    pub(super) fn run(mut self, stage: &Stage) -> Result<Journal> {
        while !stage.state().is_finished {
            match self.write() {
                Ok(()) => stage.ack(),
                Err(_) => self.come_back(stage)?,
            }
        }
        Ok(self.journal)
    }

    /// One write of the kind that is due, with a value that no other has.
    ///
    /// # Errors
    /// When the connection is lost. A server that answers wrongly is a panic.
    fn write(&mut self) -> Result<()> {
        self.count += 1;
        let count = self.count;
        let value = format!("{}-{count}", self.root).into_bytes();
        match count % 10 {
            0 | 4 => self.set_hot(value),
            1 => self.create(&format!("ephemeral-{count}"), value, CreateMode::Ephemeral),
            // What the step before has made.
            3 => self.delete(&format!("node-{}", count - 1)),
            5 => self.lose_session(),
            7 => self.close_session(),
            8 | 9 => self.increment(),
            _ => self.create(&format!("node-{count}"), value, CreateMode::Persistent),
        }
    }

    fn create(&mut self, name: &str, value: Vec<u8>, mode: CreateMode) -> Result<()> {
        let request = CreateRequest {
            path: format!("{}/{name}", self.root),
            data: Some(value.clone().into()),
            acl: anyone().into(),
            flags: mode.flags(),
        };
        let body = request.to_vec();
        let legal = [ErrorCode::Ok];
        self.journaled(&request.path, Some(value), OpCode::Create, &body, &legal)
    }

    /// Overwrites the node that is overwritten again and again.
    fn set_hot(&mut self, value: Vec<u8>) -> Result<()> {
        let request = SetDataRequest {
            path: self.root.clone(),
            data: Some(value.clone().into()),
            version: -1,
        };
        let body = request.to_vec();
        let legal = [ErrorCode::Ok];
        self.journaled(&request.path, Some(value), OpCode::SetData, &body, &legal)
    }

    fn delete(&mut self, name: &str) -> Result<()> {
        let path = format!("{}/{name}", self.root);
        let version = -1;
        let body = PathVersion {
            path: path.clone(),
            version,
        };
        // Its creation may have been lost, unacknowledged.
        let legal = [ErrorCode::Ok, ErrorCode::NoNode];
        self.journaled(&path, None, OpCode::Delete, &body.to_vec(), &legal)
    }

    /// Sends a write that leaves `data` at `path`, noting it before, and its acknowledgement after.
    fn journaled(
        &mut self,
        path: &str,
        data: Option<Vec<u8>>,
        op: OpCode,
        body: &[u8],
        legal: &[ErrorCode],
    ) -> Result<()> {
        let write = Write::sent(data);
        let writes = self.journal.nodes.entry(path.into()).or_default();
        writes.push(write);
        self.call(op, body, legal)?;
        let writes = self.journal.nodes.get_mut(path);
        let write = writes.and_then(|writes| writes.last_mut());
        write.context("just written")?.is_acked = true;
        Ok(())
    }

    /// Adds one to a counter that all writers share, if nobody else does so at the same time.
    fn increment(&mut self) -> Result<()> {
        let path = counter_path(usize::try_from(self.count)? % COUNTERS);
        let mut body = Vec::new();
        let watch = false;
        PathWatch {
            path: path.as_str().into(),
            watch,
        }
        .encode(&mut body);
        let found = self.call(OpCode::GetData, &body, &[ErrorCode::Ok])?;
        let found: GetDataResponse = found.ok()?;
        let next = number_of(found.data.as_deref()) + 1;
        let request = SetDataRequest {
            path: path.clone(),
            data: Some(next.to_string().into()),
            version: found.stat.version,
        };
        let increments = self.journal.increments.entry(path).or_default();
        // Until the answer says otherwise, it may have been done.
        let is_first_attempt = increments.unknown.insert(next);
        let legal = [ErrorCode::Ok, ErrorCode::BadVersion];
        let reply = self.call(OpCode::SetData, &request.to_vec(), &legal)?;
        let increments = self.journal.increments.entry(request.path).or_default();
        if is_first_attempt {
            increments.unknown.remove(&next);
        }
        if reply.err == ErrorCode::Ok {
            increments.acked.insert(next);
        }
        Ok(())
    }

    fn call(&mut self, op: OpCode, body: &[u8], legal: &[ErrorCode]) -> Result<crate::Reply> {
        let reply = self.session.call(op, body)?;
        // A server that is losing its leader may say so before it closes the connection.
        if reply.err == ErrorCode::ConnectionLoss || reply.err == ErrorCode::SessionMoved {
            bail!("{op:?}: {}", reply.err);
        }
        let is_legal = legal.contains(&reply.err);
        assert!(is_legal, "{op:?} by {}: {}", self.root, reply.err);
        assert_not_behind(reply.zxid, self.journal.last_zxid);
        self.journal.last_zxid = reply.zxid;
        Ok(reply)
    }

    /// Another session's ephemeral, gone when the session has been closed.
    fn close_session(&mut self) -> Result<()> {
        let path = format!("{}/closed-{}", self.root, self.count);
        let mut other = Session::open(self.address, SHORT_TIMEOUT_MS)?;
        other.create(&path, None, &anyone(), CreateMode::Ephemeral)?;
        other.close()?;
        self.journal.nodes.insert(path, vec![Write::acked(None)]);
        Ok(())
    }

    /// An ephemeral of a session that nobody comes back to.
    fn lose_session(&mut self) -> Result<()> {
        let path = format!("{}/lost-{}", self.root, self.count);
        let mut other = Session::open(self.address, SHORT_TIMEOUT_MS)?;
        other.create(&path, None, &anyone(), CreateMode::Ephemeral)?;
        Ok(())
    }

    /// Goes on with the same session, which the servers must still know, on one that is not behind it.
    fn come_back(&mut self, stage: &Stage) -> Result<()> {
        self.journal.connections_lost += 1;
        // Not the one that failed, if there is another.
        let next = self.number + self.journal.connections_lost;
        let (address, session) = stage.at_any_server(next, |address| {
            let mut session = match self.session.reattach(address) {
                Ok(session) => session,
                Err(error) if error.is::<SessionGone>() => {
                    return Err(error.context(format!("{} of {}", self.session.id(), self.root)));
                }
                Err(_) => return Ok(None),
            };
            let Ok(reply) = session.call(OpCode::Ping, &[]) else {
                return Ok(None);
            };
            assert_not_behind(reply.zxid, self.journal.last_zxid);
            Ok(Some((address, session)))
        })?;
        (self.address, self.session) = (address, session);
        Ok(())
    }
}

fn assert_not_behind(zxid: Zxid, seen: Zxid) {
    assert!(
        zxid >= seen,
        "the server is at {zxid}, its client has seen {seen}"
    );
}

fn counter_path(number: usize) -> String {
    format!("/counter-{number}")
}

pub(super) fn number_of(data: Option<&[u8]>) -> u64 {
    let text = data.and_then(|data| std::str::from_utf8(data).ok());
    let number = text.and_then(|text| text.parse().ok());
    number.expect("a counter holds a number")
}

const COUNTERS: usize = 2;
const LONG_TIMEOUT_MS: i32 = 600_000;
const SHORT_TIMEOUT_MS: i32 = 4_000;
