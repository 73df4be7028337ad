//! Nothing acknowledged is lost: clients write while the server is killed with SIGKILL and started
//! again, 20 times or `INTEROP_KILLS` times. Afterwards every acknowledged write is there, no session
//! has seen its zxid go back, and every ephemeral has a session that lives.

use anyhow::{Context, Result, ensure};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::{Duration, Instant};
use std::{env, thread};
use tempfile::TempDir;
use zooid_interop::{Kind, Options, SUPER_DIGEST, Server, Session, TreeDump, anyone};
use zooid_proto::request::{CreateRequest, PathVersion, SetDataRequest};
use zooid_proto::{CreateMode, ErrorCode, Jute, OpCode, SessionId, Zxid};

#[test]
fn acknowledged_writes_survive_sigkill() {
    let kills = env::var("INTEROP_KILLS")
        .ok()
        .and_then(|kills| kills.parse().ok());
    let kills: u32 = kills.unwrap_or(20);
    let directory = TempDir::new().expect("a directory");
    let server = Server::start_on(Kind::under_test(), options(), directory.path());
    let mut server = server.expect("a server");
    let stage = Arc::new(Stage::new(server.address()));
    let writers: Vec<_> = (0..WRITERS)
        .map(|number| {
            let writer = Writer::new(number, &server).expect("a session");
            let stage = Arc::clone(&stage);
            thread::spawn(move || writer.run(&stage))
        })
        .collect();

    for kill in 0..kills {
        // At another moment of the writers' work each time.
        stage.wait_for_more_acks(20 + u64::from(kill * 37 % 150));
        server.kill().expect("it runs");
        server.start_again().expect("it starts");
        stage.set_address(server.address());
    }
    stage.wait_for_more_acks(50);
    stage.finish();
    let journals: Vec<Journal> = writers
        .into_iter()
        .map(|writer| {
            writer
                .join()
                .expect("no panic")
                .expect("the writer's session lasts")
        })
        .collect();
    server.kill().expect("it runs");
    server.start_again().expect("it starts");
    let acked: usize = journals.iter().map(|journal| journal.nodes.len()).sum();
    println!("{kills} kills, {acked} nodes written or deleted");
    check(&server, &journals);

    server.kill().expect("it runs");
    let other = Server::start_on(Kind::Java, options(), directory.path());
    check(
        &other.expect("ZooKeeper starts on the directory"),
        &journals,
    );
}

fn options() -> Options {
    Options::default()
        .property(SUPER_DIGEST.0, SUPER_DIGEST.1)
        .property("zookeeper.snapCount", "100")
        .property("zookeeper.preAllocSize", "64")
}

/// Where the server is, and how far the writers have come.
struct Stage {
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    address: SocketAddr,
    acks: u64,
    is_finished: bool,
}

impl Stage {
    fn new(address: SocketAddr) -> Stage {
        Stage {
            state: Mutex::new(State {
                address,
                acks: 0,
                is_finished: false,
            }),
            changed: Condvar::new(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no panic with the lock")
    }

    fn ack(&self) {
        self.state().acks += 1;
        self.changed.notify_all();
    }

    fn wait_for_more_acks(&self, more: u64) {
        let state = self.state();
        let goal = state.acks + more;
        let is_behind = |state: &mut State| state.acks < goal;
        let waited = self.changed.wait_timeout_while(state, PATIENCE, is_behind);
        let timeout = waited.expect("no panic with the lock").1;
        assert!(!timeout.timed_out(), "the writers do not get on");
    }

    fn set_address(&self, address: SocketAddr) {
        self.state().address = address;
        self.changed.notify_all();
    }

    /// Fails if the server still has the old one: it lives, and yet it failed its client.
    fn wait_for_another_address(&self, old: SocketAddr) -> Result<SocketAddr> {
        let is_old = |state: &mut State| state.address == old;
        let waited = self
            .changed
            .wait_timeout_while(self.state(), PATIENCE, is_old);
        let (state, timeout) = waited.expect("no panic with the lock");
        ensure!(
            !timeout.timed_out(),
            "a server that was not killed failed its client"
        );
        Ok(state.address)
    }

    fn finish(&self) {
        self.state().is_finished = true;
    }
}

/// What a writer knows to be so.
struct Journal {
    session: SessionId,
    last_zxid: Zxid,
    /// The data that each node has been given, last one last; `None` for its deletion. The server may
    /// hold any from the last acknowledged one on.
    nodes: BTreeMap<String, Vec<Write>>,
}

struct Write {
    data: Option<Vec<u8>>,
    is_acked: bool,
}

struct Writer {
    session: Session,
    address: SocketAddr,
    root: String,
    journal: Journal,
    count: u64,
}

impl Writer {
    fn new(number: usize, server: &Server) -> Result<Writer> {
        let mut session = Session::open(server.address(), LONG_TIMEOUT_MS)?;
        let root = format!("/writer-{number}");
        session.create(&root, Some(b""), &anyone(), CreateMode::Persistent)?;
        let (data, is_acked) = (Some(Vec::new()), true);
        let journal = Journal {
            session: session.id(),
            last_zxid: session.last_zxid(),
            nodes: BTreeMap::from([(root.clone(), vec![Write { data, is_acked }])]),
        };
        Ok(Writer {
            session,
            address: server.address(),
            root,
            journal,
            count: 0,
        })
    }

    fn run(mut self, stage: &Stage) -> Result<Journal> {
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
        match count % 8 {
            0 | 4 => self.set_hot(value),
            1 => self.create(&format!("ephemeral-{count}"), value, CreateMode::Ephemeral),
            // What the step before has made.
            3 => self.delete(&format!("node-{}", count - 1)),
            5 => self.lose_session(),
            7 => self.close_session(),
            _ => self.create(&format!("node-{count}"), value, CreateMode::Persistent),
        }
    }

    fn create(&mut self, name: &str, value: Vec<u8>, mode: CreateMode) -> Result<()> {
        let request = CreateRequest {
            path: format!("{}/{name}", self.root),
            data: Some(value.clone().into()),
            acl: anyone(),
            flags: mode.flags(),
        };
        let body = request.to_vec();
        self.journaled(
            request.path,
            Some(value),
            OpCode::Create,
            &body,
            &[ErrorCode::Ok],
        )
    }

    /// Overwrites the node that is overwritten again and again.
    fn set_hot(&mut self, value: Vec<u8>) -> Result<()> {
        let request = SetDataRequest {
            path: self.root.clone(),
            data: Some(value.clone().into()),
            version: -1,
        };
        let body = request.to_vec();
        self.journaled(
            request.path,
            Some(value),
            OpCode::SetData,
            &body,
            &[ErrorCode::Ok],
        )
    }

    fn delete(&mut self, name: &str) -> Result<()> {
        let path = format!("{}/{name}", self.root);
        let version = -1;
        let body = PathVersion {
            path: path.clone(),
            version,
        }
        .to_vec();
        // Its creation may have been lost, unacknowledged.
        let legal = [ErrorCode::Ok, ErrorCode::NoNode];
        self.journaled(path, None, OpCode::Delete, &body, &legal)
    }

    /// Sends a write that leaves `data` at `path`, noting it before, and its acknowledgement after.
    fn journaled(
        &mut self,
        path: String,
        data: Option<Vec<u8>>,
        op: OpCode,
        body: &[u8],
        legal: &[ErrorCode],
    ) -> Result<()> {
        let writes = self.journal.nodes.entry(path).or_default();
        let is_acked = false;
        writes.push(Write { data, is_acked });
        let write = writes.last_mut().context("just written")?;
        let reply = self.session.call(op, body)?;
        assert!(
            legal.contains(&reply.err),
            "{op:?} in {}: {}",
            self.root,
            reply.err
        );
        assert_not_behind(reply.zxid, self.journal.last_zxid);
        write.is_acked = true;
        self.journal.last_zxid = reply.zxid;
        Ok(())
    }

    /// Another session's ephemeral, gone when the session has been closed.
    fn close_session(&mut self) -> Result<()> {
        let path = format!("{}/closed-{}", self.root, self.count);
        let mut other = Session::open(self.address, SHORT_TIMEOUT_MS)?;
        other.create(&path, None, &anyone(), CreateMode::Ephemeral)?;
        other.close()?;
        let (data, is_acked) = (None, true);
        self.journal
            .nodes
            .insert(path, vec![Write { data, is_acked }]);
        Ok(())
    }

    /// An ephemeral of a session that nobody comes back to.
    fn lose_session(&mut self) -> Result<()> {
        let path = format!("{}/lost-{}", self.root, self.count);
        let mut other = Session::open(self.address, SHORT_TIMEOUT_MS)?;
        other.create(&path, None, &anyone(), CreateMode::Ephemeral)?;
        Ok(())
    }

    /// Goes on with the same session, which the server must still know and must not be behind.
    fn come_back(&mut self, stage: &Stage) -> Result<()> {
        loop {
            self.address = stage.wait_for_another_address(self.address)?;
            // It may have been killed again by now.
            let Ok(mut session) = self.session.reattach(self.address) else {
                continue;
            };
            let Ok(reply) = session.call(OpCode::Ping, &[]) else {
                continue;
            };
            assert_not_behind(reply.zxid, self.journal.last_zxid);
            self.session = session;
            return Ok(());
        }
    }
}

fn assert_not_behind(zxid: Zxid, seen: Zxid) {
    assert!(
        zxid >= seen,
        "the server is at {zxid}, a client has seen {seen}"
    );
}

fn check(server: &Server, journals: &[Journal]) {
    let mut session = Session::open_as_super(server).expect("a session");
    wait_for_lost_ephemerals(&mut session);
    let tree = TreeDump::read(&mut session).expect("the tree");
    for (path, writes) in journals.iter().flat_map(|journal| &journal.nodes) {
        check_node(path, writes, &tree);
    }
    for (path, node) in &tree.nodes {
        let owner = node.stat.ephemeral_owner;
        let lives = journals.iter().any(|journal| journal.session.0 == owner);
        assert!(
            owner == 0 || lives,
            "{path} belongs to 0x{owner:x}, which has gone"
        );
    }
    for journal in journals {
        let newest = session.last_zxid();
        assert!(
            newest >= journal.last_zxid,
            "{newest} is behind {}",
            journal.last_zxid
        );
    }
}

/// The node is as the last acknowledged write left it, or one that was sent after it.
fn check_node(path: &str, writes: &[Write], tree: &TreeDump) {
    let last_acked = writes.iter().rposition(|write| write.is_acked);
    let possible = &writes[last_acked.unwrap_or(0)..];
    let found = tree
        .nodes
        .get(path)
        .map(|node| node.data.as_deref().unwrap_or_default());
    let is_possible = possible.iter().any(|write| write.data.as_deref() == found);
    // Never acknowledged: it may as well not be there.
    let is_absent = last_acked.is_none() && found.is_none();
    assert!(
        is_possible || is_absent,
        "{path}: {found:?}, after {} writes",
        writes.len()
    );
}

/// The sessions of lost-* expire soon after the server has started.
fn wait_for_lost_ephemerals(session: &mut Session) {
    let started = Instant::now();
    let tree = TreeDump::read(session).expect("the tree");
    let is_lost = |path: &&String| path.contains("/lost-") || path.contains("/closed-");
    for path in tree.nodes.keys().filter(is_lost) {
        session.wait_until_gone(path).expect("it expires");
    }
    assert!(started.elapsed() < PATIENCE, "sessions expired too late");
}

const WRITERS: usize = 4;
const LONG_TIMEOUT_MS: i32 = 600_000;
const SHORT_TIMEOUT_MS: i32 = 4_000;
const PATIENCE: Duration = Duration::from_secs(60);
