//! Frames: whatever clients send, the server's protocol stands, keeps their replies in order and its
//! memory bounded.

use bytes::Bytes;
use std::collections::BTreeMap;
use zooid_node::{
    Authenticator, ByteChain, ConnId, Connection, ContainerSettings, Context, Input, Node, Now,
    Output, Settings,
};
use zooid_proto::{
    ConnectRequest, Jute, Limit, OwnerRules, Reader, ReplyHeader, ServerId, SessionId, Zxid,
};
use zooid_tree::{Replica, TreeOptions, WatcherId};

/// More than the outbox's own bound and the one reply that may exceed it.
const OUTBOX_BYTES_MAX: usize = 130 << 20;
const CONNECTIONS: u8 = 3;

/// A sequence of steps: one byte says what happens, two how long its frame is.
pub fn run(data: &[u8]) {
    let mut server = Server::new();
    for conn in 0..CONNECTIONS {
        server.connect(conn);
    }
    let mut rest = data;
    while let Some(([what, high, low], tail)) = rest.split_first_chunk() {
        let len = usize::from(u16::from_be_bytes([*high, *low])).min(tail.len());
        let (frame, tail) = tail.split_at(len);
        server.act(*what, frame);
        rest = tail;
    }
    server.sync();
    for conn in 0..CONNECTIONS {
        server.read(conn);
        server.assert_answered(conn);
    }
}

struct Server {
    settings: Settings,
    node: Node,
    replica: Replica,
    now: Now,
    appended: Option<(u64, Zxid)>,
    conns: BTreeMap<ConnId, Connection>,
}

impl Server {
    fn new() -> Server {
        let settings = settings();
        let replica = Replica::new(TreeOptions {
            digest: settings.digest,
            owner_rules: settings.owner_rules,
            ..TreeOptions::default()
        });
        let now = Now {
            mono_ms: 0,
            wall_ms: 1_700_000_000_000,
        };
        Server {
            node: Node::standalone(settings.clone(), &replica, now),
            settings,
            replica,
            now,
            appended: None,
            conns: BTreeMap::new(),
        }
    }

    fn act(&mut self, what: u8, frame: &[u8]) {
        let conn = what % CONNECTIONS;
        match what / CONNECTIONS % 8 {
            0..=3 => self.frame(conn, frame),
            4 => self.sync(),
            5 => self.read(conn),
            6 => self.advance(i64::from(what) * 100),
            _ => {
                self.disconnect(conn);
                self.dial(conn);
                self.frame(conn, frame);
            }
        }
    }

    fn dial(&mut self, conn: u8) {
        let id = id(conn);
        let connection = Connection::new(id, "127.0.0.1".to_owned(), self.now);
        self.conns.insert(id, connection);
    }

    fn connect(&mut self, conn: u8) {
        self.dial(conn);
        let request = ConnectRequest {
            protocol_version: 0,
            last_zxid_seen: Zxid::ZERO,
            timeout_ms: 10_000,
            session_id: SessionId(0),
            password: None,
            read_only: Some(false),
        };
        self.frame(conn, &request.to_vec());
        self.sync();
        let mut answer = ByteChain::default();
        let connection = self.conns.get_mut(&id(conn)).expect("dialled above");
        connection.take_outbox(&mut answer);
        assert!(connection.is_established());
    }

    fn disconnect(&mut self, conn: u8) {
        let id = id(conn);
        self.with(id, |connection, _| connection.close());
        self.replica.drop_watcher(WatcherId(id.0));
        self.input(Input::Disconnected(id));
    }

    fn frame(&mut self, conn: u8, frame: &[u8]) {
        let mut inputs = Vec::new();
        self.with(id(conn), |connection, ctx| {
            if connection.wants_frames() {
                connection.on_frame(ctx, &Bytes::copy_from_slice(frame), &mut inputs);
            }
        });
        for input in inputs {
            self.input(input);
        }
    }

    fn input(&mut self, input: Input) {
        let mut outputs = Vec::new();
        self.node.step(self.now, input, &self.replica, &mut outputs);
        for output in outputs {
            self.perform(output);
        }
    }

    fn perform(&mut self, output: Output) {
        match output {
            Output::Append {
                generation, zxid, ..
            } => self.appended = Some((generation, zxid)),
            Output::Commit { record, owner } => {
                if let Some(owner) = owner {
                    self.with(owner, |connection, ctx| connection.before_commit(ctx));
                }
                let digest = record.digest.as_ref();
                let mut fired = Vec::new();
                let applied = self
                    .replica
                    .apply(&record.header, &record.txn, digest, &mut fired);
                assert_eq!(self.replica.digest_mismatches(), 0, "{record:?}");
                for event in &fired {
                    self.with(ConnId(event.watcher.0), |connection, ctx| {
                        connection.on_event(ctx, event);
                    });
                }
                if let Some(owner) = owner {
                    self.with(owner, |connection, ctx| {
                        connection.on_commit(ctx, &record, &applied);
                    });
                }
            }
            Output::Complete { conn, cxid } => self.with(conn, |connection, ctx| {
                connection.before_commit(ctx);
                connection.on_complete(ctx, cxid);
            }),
            Output::Attached {
                conn,
                session,
                timeout_ms,
                read_only,
            } => self.with(conn, |connection, ctx| {
                connection.on_attached(ctx, session, timeout_ms, read_only);
            }),
            Output::Refused { conn } => self.with(conn, |connection, _| connection.on_refused()),
            Output::Close { conn } => self.with(conn, |connection, _| connection.close()),
            Output::Halt { reason } => panic!("clients can stop the server: {reason}"),
            other => panic!("{other:?} on a standalone server"),
        }
    }

    fn with(&mut self, id: ConnId, act: impl FnOnce(&mut Connection, &Context<'_>)) {
        let ctx = Context {
            now_ms: self.now.mono_ms,
            settings: &self.settings,
            replica: &self.replica,
        };
        if let Some(connection) = self.conns.get_mut(&id) {
            act(connection, &ctx);
        }
    }

    fn sync(&mut self) {
        if let Some((generation, upto)) = self.appended.take() {
            self.input(Input::Persisted { generation, upto });
        }
    }

    fn advance(&mut self, ms: i64) {
        self.now.mono_ms += ms;
        self.now.wall_ms += ms;
        self.input(Input::Timer);
    }

    /// Takes what is to be sent: whole packets.
    fn read(&mut self, conn: u8) {
        let mut chain = ByteChain::default();
        self.with(id(conn), |connection, ctx| {
            connection.run_reads(ctx);
            connection.take_outbox(&mut chain);
        });
        let bytes = chain.copied_from(0);
        assert!(bytes.len() <= OUTBOX_BYTES_MAX);
        let mut r = Reader::new(&bytes, Limit(usize::MAX));
        while !r.is_empty() {
            let packet = r.buffer().expect("whole packets").expect("never null");
            ReplyHeader::decode(&mut Reader::new(packet, Limit::default())).expect("a header");
        }
    }

    /// With everything durable, only reads that wait for room may still be unanswered.
    fn assert_answered(&mut self, conn: u8) {
        self.with(id(conn), |connection, _| {
            let waits = connection.outstanding() > 0 && connection.is_established();
            assert!(!waits || connection.has_ready_reads(), "a request is lost");
        });
    }
}

fn id(conn: u8) -> ConnId {
    ConnId(u64::from(conn) + 1)
}

fn settings() -> Settings {
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
        local_sessions: zooid_node::LocalSessions::default(),
        containers: ContainerSettings::default(),
        authenticator: Authenticator::default(),
        required_schemes: Vec::new(),
    }
}
