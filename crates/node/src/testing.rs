//! A driver for tests: one server, any number of clients, a log that syncs when told to.

pub(crate) mod ensemble;

use crate::{Authenticator, ByteChain, ContainerSettings, LocalSessions};
use crate::{ConnId, Connection, Context, Input, Node, Now, Output, Settings};
use bytes::Bytes;
use std::collections::BTreeMap;
use zooid_proto::{
    ConnectRequest, ConnectResponse, Jute, Limit, OpCode, OwnerRules, Reader, ReplyHeader,
    RequestHeader, ServerId, SessionId, WatcherEvent, Zxid, session_password,
};
use zooid_tree::{ChildListLimits, Replica, TreeOptions};

pub(crate) fn settings() -> Settings {
    Settings {
        server_id: ServerId(1),
        tick_ms: 1000,
        min_session_timeout_ms: 2000,
        max_session_timeout_ms: 20_000,
        limit: Limit::default(),
        owner_rules: OwnerRules {
            extended_types: true,
            emulate_353_ttl: false,
        },
        digest: true,
        close_session_txn: true,
        enforce_quota: true,
        skip_acl: false,
        reconfig_enabled: false,
        local_sessions: LocalSessions::default(),
        containers: ContainerSettings::default(),
        authenticator: Authenticator::default(),
        required_schemes: Vec::new(),
    }
}

/// One packet from the server, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Packet {
    Connected(ConnectResponse),
    Reply {
        xid: i32,
        zxid: i64,
        err: i32,
        body: Vec<u8>,
    },
    Event {
        zxid: i64,
        event: i32,
        path: String,
    },
}

type OnFrame = fn(&mut Connection, &Context<'_>, &Bytes, &mut Vec<Input>);

pub(crate) struct TestServer {
    pub(crate) settings: Settings,
    pub(crate) node: Node,
    pub(crate) replica: Replica,
    pub(crate) now: Now,
    /// Whether appends become durable at once.
    pub(crate) sync_at_once: bool,
    pub(crate) appended: Vec<(Zxid, Bytes)>,
    pub(crate) halted: Option<String>,
    conns: BTreeMap<ConnId, Connection>,
}

impl TestServer {
    pub(crate) fn new(settings: Settings) -> TestServer {
        let options = TreeOptions {
            digest: settings.digest,
            owner_rules: settings.owner_rules,
            child_lists: ChildListLimits::USUAL,
        };
        let replica = Replica::new(options);
        let now = Now {
            mono_ms: 0,
            wall_ms: 1_700_000_000_000,
        };
        TestServer {
            node: Node::standalone(settings.clone(), &replica, now),
            settings,
            replica,
            now,
            sync_at_once: true,
            appended: Vec::new(),
            halted: None,
            conns: BTreeMap::new(),
        }
    }

    /// Connects without a session.
    pub(crate) fn dial(&mut self, id: u64) -> ConnId {
        let id = ConnId(id);
        self.conns
            .insert(id, Connection::new(id, "127.0.0.1".to_owned(), self.now));
        id
    }

    /// Connects with a new session.
    pub(crate) fn connect(&mut self, id: u64) -> (ConnId, SessionId) {
        let conn = self.dial(id);
        self.frame(
            conn,
            connect_request(SessionId(0), &[0; 16], Zxid(0)).to_vec(),
        );
        let [Packet::Connected(response)] = &self.packets(conn)[..] else {
            panic!("no session was opened")
        };
        (conn, response.session_id)
    }

    /// Connects with a session that exists.
    pub(crate) fn reconnect(&mut self, id: u64, session: SessionId) -> (ConnId, Vec<Packet>) {
        let conn = self.dial(id);
        let request = connect_request(session, &session_password(session), Zxid(0));
        self.frame(conn, request.to_vec());
        let packets = self.packets(conn);
        (conn, packets)
    }

    /// Sends one frame, without its length.
    pub(crate) fn frame(&mut self, conn: ConnId, frame: Vec<u8>) {
        self.take_in(conn, frame, Connection::on_frame);
    }

    fn take_in(&mut self, conn: ConnId, frame: Vec<u8>, on_frame: OnFrame) {
        let mut inputs = Vec::new();
        let ctx = Context {
            now_ms: self.now.mono_ms,
            settings: &self.settings,
            replica: &self.replica,
        };
        let connection = self.conns.get_mut(&conn).expect("the connection exists");
        on_frame(connection, &ctx, &Bytes::from(frame), &mut inputs);
        for input in inputs {
            self.input(input);
        }
    }

    pub(crate) fn request(&mut self, conn: ConnId, xid: i32, op: OpCode, body: &impl Jute) {
        self.request_bytes(conn, xid, op.code(), &body.to_vec());
    }

    /// Sends a request that has waited too long by the time it is taken in.
    pub(crate) fn late_request(&mut self, conn: ConnId, xid: i32, op: OpCode, body: &[u8]) {
        let mut frame = RequestHeader { xid, op: op.code() }.to_vec();
        frame.extend_from_slice(body);
        self.take_in(conn, frame, Connection::on_late_frame);
    }

    pub(crate) fn request_bytes(&mut self, conn: ConnId, xid: i32, op: i32, body: &[u8]) {
        let mut frame = RequestHeader { xid, op }.to_vec();
        frame.extend_from_slice(body);
        self.frame(conn, frame);
    }

    /// Sends a request and returns the error code and body of its reply.
    pub(crate) fn call(&mut self, conn: ConnId, op: OpCode, body: &impl Jute) -> (i32, Vec<u8>) {
        self.request(conn, 77, op, body);
        let mut packets = self.packets(conn);
        match packets.pop() {
            Some(Packet::Reply {
                xid: 77, err, body, ..
            }) => (err, body),
            other => panic!("no reply to {op:?} but {other:?}"),
        }
    }

    pub(crate) fn input(&mut self, input: Input) {
        let mut outputs = Vec::new();
        self.node.step(self.now, input, &self.replica, &mut outputs);
        for output in outputs {
            self.perform(output);
        }
    }

    fn perform(&mut self, output: Output) {
        match output {
            Output::Append {
                generation,
                zxid,
                record,
            } => {
                self.appended.push((zxid, record));
                if self.sync_at_once {
                    self.input(Input::Persisted {
                        generation,
                        upto: zxid,
                    });
                }
            }
            Output::Commit { record, owner } => {
                self.with(owner, |conn, ctx| conn.before_commit(ctx));
                let mut fired = Vec::new();
                let digest = record.digest.as_ref();
                let applied = self
                    .replica
                    .apply(&record.header, &record.txn, digest, &mut fired);
                assert_eq!(self.replica.digest_mismatches(), 0, "{record:?}");
                for event in &fired {
                    self.with(Some(ConnId(event.watcher.0)), |conn, ctx| {
                        conn.on_event(ctx, event);
                    });
                }
                self.with(owner, |conn, ctx| conn.on_commit(ctx, &record, &applied));
            }
            Output::Complete { conn, cxid } => {
                self.with(Some(conn), |conn, ctx| {
                    conn.before_commit(ctx);
                    conn.on_complete(ctx, cxid);
                });
            }
            Output::Decline { conn, cxid, error } => {
                self.with(Some(conn), |conn, ctx| {
                    conn.before_commit(ctx);
                    conn.on_declined(ctx, cxid, error);
                });
            }
            Output::Attached {
                conn,
                session,
                timeout_ms,
                read_only,
            } => {
                self.with(Some(conn), |conn, ctx| {
                    conn.on_attached(ctx, session, timeout_ms, read_only);
                });
            }
            Output::Refused { conn } => self.with(Some(conn), |conn, _| conn.on_refused()),
            Output::Close { conn } => self.with(Some(conn), |conn, _| conn.close()),
            Output::Halt { reason } => self.halted = Some(reason),
            other => panic!("{other:?} on a standalone server"),
        }
    }

    pub(crate) fn with(
        &mut self,
        id: Option<ConnId>,
        act: impl FnOnce(&mut Connection, &Context<'_>),
    ) {
        let ctx = Context {
            now_ms: self.now.mono_ms,
            settings: &self.settings,
            replica: &self.replica,
        };
        if let Some(conn) = id.and_then(|id| self.conns.get_mut(&id)) {
            act(conn, &ctx);
        }
    }

    /// Everything appended so far becomes durable.
    pub(crate) fn sync(&mut self) {
        if let Some((upto, _)) = self.appended.last() {
            self.input(Input::Persisted {
                generation: 0,
                upto: *upto,
            });
        }
    }

    /// Lets the socket's task look at the connection, as after a wake-up.
    pub(crate) fn wake(&mut self, conn: ConnId) {
        self.with(Some(conn), |conn, ctx| conn.run_reads(ctx));
    }

    pub(crate) fn advance(&mut self, ms: i64) {
        self.now.mono_ms += ms;
        self.now.wall_ms += ms;
        self.input(Input::Timer);
    }

    pub(crate) fn is_closing(&self, conn: ConnId) -> bool {
        self.conns[&conn].is_closing()
    }

    pub(crate) fn connection(&mut self, conn: ConnId) -> &mut Connection {
        self.conns.get_mut(&conn).expect("the connection exists")
    }

    /// What has been sent since the last call.
    pub(crate) fn packets(&mut self, conn: ConnId) -> Vec<Packet> {
        self.wake(conn);
        packets_of(self.connection(conn))
    }
}

/// What a connection has sent since the last call.
fn packets_of(connection: &mut Connection) -> Vec<Packet> {
    let mut chain = ByteChain::default();
    connection.take_outbox(&mut chain);
    let bytes = chain.copied_from(0);
    let mut r = Reader::new(&bytes, Limit(usize::MAX));
    let mut packets = Vec::new();
    while !r.is_empty() {
        let frame = r
            .buffer()
            .expect("whole frames")
            .expect("frames are not null");
        packets.push(packet(frame));
    }
    packets
}

pub(crate) fn connect_request(
    session: SessionId,
    password: &[u8],
    last_zxid_seen: Zxid,
) -> ConnectRequest {
    ConnectRequest {
        protocol_version: 0,
        last_zxid_seen,
        timeout_ms: 10_000,
        session_id: session,
        password: Some(Bytes::copy_from_slice(password)),
        read_only: Some(false),
    }
}

/// Connect responses are told from replies by their length; tests keep replies from having it.
fn packet(frame: &[u8]) -> Packet {
    let mut r = Reader::new(frame, Limit::default());
    if frame.len() == 37 && frame[..4] == [0; 4] {
        return Packet::Connected(ConnectResponse::decode(&mut r).expect("well-formed"));
    }
    let header = ReplyHeader::decode(&mut r).expect("well-formed");
    if header.xid == zooid_proto::xid::NOTIFICATION {
        let event = WatcherEvent::decode(&mut r).expect("well-formed");
        return Packet::Event {
            zxid: header.zxid.0,
            event: event.event_type,
            path: event.path,
        };
    }
    let (xid, zxid, err) = (header.xid, header.zxid.0, header.err.code());
    Packet::Reply {
        xid,
        zxid,
        err,
        body: r.rest().to_vec(),
    }
}
