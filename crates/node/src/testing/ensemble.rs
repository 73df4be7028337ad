//! An ensemble in one thread, for tests of roles: a network that delivers at once and in order unless a
//! server is cut off, disks that sync at once unless told not to.

use super::{Packet, connect_request, packets_of, settings};
use crate::{ConnId, Connection, Context, Input, Member, Node, Now, Output, PeerStatus, Settings};
use bytes::Bytes;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use zooid_proto::election::PeerState;
use zooid_proto::request::CreateRequest;
use zooid_proto::{
    Acl, ConnectRequest, Epoch, Jute, OpCode, PacketRun, PacketType, QuorumPacket, RequestHeader,
    ServerId, SessionId, TxnRecord, Zxid, perms, session_password,
};
use zooid_tree::{Replica, TreeOptions};
use zooid_zab::{EnsembleSettings, Epochs, LinkId, LogProbe, Membership, QuorumVerifier, View};

type Log = Vec<(Zxid, Bytes)>;

/// Asks for a node that everyone may change, without data.
pub(crate) fn create(path: &str) -> CreateRequest {
    CreateRequest {
        path: path.into(),
        data: None,
        acl: vec![Acl::anyone(perms::ALL)].into(),
        flags: 0,
    }
}

/// One server and its disk.
pub(crate) struct Server {
    settings: Settings,
    pub(crate) node: Node,
    pub(crate) replica: Replica,
    pub(crate) log: Log,
    /// How much of the log is durable, while it does not sync at once.
    synced: usize,
    pub(crate) sync_at_once: bool,
    /// Answers to commands other than appends that the disk holds back, if it does.
    stalled: Option<Vec<Input>>,
    epochs: Epochs,
    /// Snapshots received and not installed.
    received: BTreeMap<LinkId, Log>,
    /// Where each link leads: the other server and its name for the link.
    links: BTreeMap<LinkId, (ServerId, LinkId)>,
    conns: BTreeMap<ConnId, Connection>,
    pub(crate) reasons: Vec<String>,
    /// It has nothing to do with the others any more.
    pub(crate) has_left: bool,
}

pub(crate) struct TestEnsemble {
    pub(crate) servers: BTreeMap<ServerId, Server>,
    membership: Membership,
    pub(crate) read_only_mode: bool,
    /// Of servers that start from now on.
    pub(crate) counter_max: u32,
    pub(crate) now: Now,
    inputs: VecDeque<(ServerId, Input)>,
    pub(crate) cut_off: BTreeSet<ServerId>,
    /// Of servers that start from now on.
    pub(crate) full_disks: BTreeSet<ServerId>,
    names: u64,
}

fn ensemble_settings(me: ServerId) -> EnsembleSettings {
    EnsembleSettings {
        me,
        tick_ms: 1000,
        init_limit: 10,
        sync_limit: 5,
        notification_ms_min: 200,
        notification_ms_max: 60_000,
        force_snapshot_sync: false,
        log_sync: true,
        snap_syncs_max: 10,
        diff_syncs_max: 100,
        counter_max: EnsembleSettings::COUNTER_MAX,
    }
}

/// The replica at the end of a log.
fn replayed(log: &[(Zxid, Bytes)]) -> Replica {
    let mut replica = Replica::new(TreeOptions {
        digest: true,
        owner_rules: settings().owner_rules,
        ..TreeOptions::default()
    });
    for (_, bytes) in log {
        let record = TxnRecord::decode(bytes).expect("what was logged can be read");
        replica.replay(&record.header, &record.txn, record.digest.as_ref());
    }
    replica
}

impl TestEnsemble {
    /// Voters 1 to `voters`, observers behind them, all started and left to elect.
    pub(crate) fn new(voters: i64, observers: i64) -> TestEnsemble {
        TestEnsemble::with(voters, observers, |_| {})
    }

    pub(crate) fn with(
        voters: i64,
        observers: i64,
        change: impl Fn(&mut Settings),
    ) -> TestEnsemble {
        let ids = |range: std::ops::RangeInclusive<i64>| range.map(ServerId).collect();
        let voting: BTreeSet<ServerId> = ids(1..=voters);
        let membership = Membership::fixed(View {
            version: 0,
            verifier: QuorumVerifier::Majority(voting.clone()),
            voters: voting,
            observers: ids(voters + 1..=voters + observers),
            text: Bytes::from_static(b"version=0"),
        });
        let mut ensemble = TestEnsemble {
            servers: BTreeMap::new(),
            membership,
            read_only_mode: false,
            counter_max: EnsembleSettings::COUNTER_MAX,
            now: Now {
                mono_ms: 0,
                wall_ms: 1_700_000_000_000,
            },
            inputs: VecDeque::new(),
            cut_off: BTreeSet::new(),
            full_disks: BTreeSet::new(),
            names: 0,
        };
        for id in (1..=voters + observers).map(ServerId) {
            let mut settings = Settings {
                server_id: id,
                ..settings()
            };
            change(&mut settings);
            let zero = Epochs {
                accepted: Epoch(0),
                current: Epoch(0),
            };
            ensemble.boot(id, settings, Vec::new(), zero);
        }
        ensemble.settle();
        ensemble
    }

    fn boot(&mut self, id: ServerId, settings: Settings, log: Log, epochs: Epochs) {
        let replica = replayed(&log);
        let member = Member {
            settings: EnsembleSettings {
                counter_max: self.counter_max,
                ..ensemble_settings(id)
            },
            membership: self.membership.clone(),
            epochs,
            last: replica.last_zxid(),
            recent: log.clone(),
            recent_max: 500,
            persists: true,
            leader_serves: true,
            read_only_mode: self.read_only_mode,
            is_disk_low: self.full_disks.contains(&id),
        };
        let mut outputs = Vec::new();
        let node = Node::member(settings.clone(), member, &replica, self.now, &mut outputs);
        let server = Server {
            settings,
            node,
            replica,
            synced: log.len(),
            log,
            sync_at_once: true,
            stalled: None,
            epochs,
            received: BTreeMap::new(),
            links: BTreeMap::new(),
            conns: BTreeMap::new(),
            reasons: Vec::new(),
            has_left: false,
        };
        self.servers.insert(id, server);
        self.perform(id, outputs);
    }

    /// Kills a server and starts it on what is durable.
    pub(crate) fn restart(&mut self, id: ServerId) {
        let mut dead = self.servers.remove(&id).expect("it runs");
        self.inputs.retain(|(to, _)| *to != id);
        for (peer, theirs) in std::mem::take(&mut dead.links).into_values() {
            self.inputs.push_back((peer, Input::LinkDown(theirs)));
        }
        dead.log.truncate(dead.synced);
        self.boot(id, dead.settings, dead.log, dead.epochs);
    }

    /// Begins to stop a server.
    pub(crate) fn leave(&mut self, id: ServerId) {
        self.input(id, Input::Leave);
    }

    /// Lets something happen on a server.
    pub(crate) fn input(&mut self, id: ServerId, input: Input) {
        self.inputs.push_back((id, input));
    }

    /// Ends a server for good, which its links and the election mesh notice.
    pub(crate) fn kill(&mut self, id: ServerId) {
        let dead = self.servers.remove(&id).expect("it runs");
        for (peer, theirs) in dead.links.into_values() {
            self.inputs.push_back((peer, Input::LinkDown(theirs)));
        }
        for other in self.servers.keys() {
            self.inputs.push_back((*other, Input::Unreachable(id)));
        }
    }

    pub(crate) fn server(&self, id: ServerId) -> &Server {
        &self.servers[&id]
    }

    pub(crate) fn status(&self, id: ServerId) -> PeerStatus {
        self.servers[&id].node.peer().expect("it is a member")
    }

    /// The one leader that serves.
    pub(crate) fn leader(&self) -> ServerId {
        let leads = |id: &ServerId| {
            let status = self.status(*id);
            status.state == PeerState::Leading && status.serving
        };
        let leaders: Vec<ServerId> = self.servers.keys().copied().filter(leads).collect();
        assert_eq!(leaders.len(), 1, "{leaders:?} lead");
        leaders[0]
    }

    /// A server that serves and does not lead.
    pub(crate) fn follower(&self) -> ServerId {
        let leader = self.leader();
        let serves = |id: &ServerId| *id != leader && self.status(*id).serving;
        self.servers
            .keys()
            .copied()
            .find(serves)
            .expect("one follows")
    }

    /// Delivers everything, and lets time pass, until all who are not cut off have been quiet for a
    /// while.
    pub(crate) fn settle(&mut self) {
        for _ in 0..200 {
            self.deliver();
            self.advance(20);
        }
    }

    pub(crate) fn advance(&mut self, ms: i64) {
        self.now.mono_ms += ms;
        self.now.wall_ms += ms;
        for id in self.servers.keys().copied().collect::<Vec<_>>() {
            self.inputs.push_back((id, Input::Timer));
        }
        self.deliver();
    }

    pub(crate) fn deliver(&mut self) {
        while let Some((id, input)) = self.inputs.pop_front() {
            let Some(server) = self.servers.get_mut(&id) else {
                continue;
            };
            let mut outputs = Vec::new();
            server
                .node
                .step(self.now, input, &server.replica, &mut outputs);
            self.perform(id, outputs);
        }
    }

    fn perform(&mut self, id: ServerId, outputs: Vec<Output>) {
        for output in outputs {
            match output {
                Output::Vote { to, message } => self.send_vote(id, to, message),
                Output::Dial { link, server } => self.dial(id, link, server),
                Output::Send { link, packet } => self.send(id, link, packet),
                Output::Broadcast { links, packet } => {
                    for link in links.iter() {
                        self.send(id, *link, packet.clone());
                    }
                }
                Output::SendRun { link, run } => self.send_run(id, link, run),
                Output::SendLog { link, after, upto } => self.send_log(id, link, after, upto),
                Output::SendSnapshot { link } => self.send_snapshot(id, link),
                Output::Hangup { link, .. } => self.hang_up(id, link),
                own => self.perform_alone(id, own),
            }
        }
    }

    fn send_vote(&mut self, from: ServerId, to: ServerId, message: Bytes) {
        if !self.cut_off.contains(&from) && !self.cut_off.contains(&to) {
            self.inputs.push_back((to, Input::Vote { from, message }));
        }
    }

    fn dial(&mut self, id: ServerId, link: LinkId, to: ServerId) {
        if self.cut_off.contains(&id) || self.cut_off.contains(&to) {
            self.inputs.push_back((id, Input::LinkDown(link)));
            return;
        }
        self.names += 2;
        let theirs = LinkId(self.names);
        self.link(id, link, to, theirs);
        self.link(to, theirs, id, link);
        self.inputs.push_back((to, Input::LinkAccepted(theirs)));
        self.inputs.push_back((id, Input::LinkUp(link)));
    }

    fn link(&mut self, id: ServerId, link: LinkId, to: ServerId, theirs: LinkId) {
        let server = self.servers.get_mut(&id).expect("it runs");
        server.links.insert(link, (to, theirs));
    }

    fn other_end(&self, id: ServerId, link: LinkId) -> Option<(ServerId, LinkId)> {
        let end = *self.servers[&id].links.get(&link)?;
        let is_cut = self.cut_off.contains(&id) || self.cut_off.contains(&end.0);
        (!is_cut).then_some(end)
    }

    fn send(&mut self, id: ServerId, link: LinkId, packet: QuorumPacket) {
        if let Some((to, theirs)) = self.other_end(id, link) {
            self.inputs.push_back((to, Input::Packet(theirs, packet)));
        }
    }

    fn send_run(&mut self, id: ServerId, link: LinkId, run: PacketRun) {
        if let Some((to, theirs)) = self.other_end(id, link) {
            self.inputs.push_back((to, Input::PacketRun(theirs, run)));
        }
    }

    fn send_log(&mut self, id: ServerId, link: LinkId, after: Zxid, upto: Zxid) {
        let log = self.servers[&id].log.clone();
        for (zxid, bytes) in log {
            if zxid > after && zxid <= upto {
                let proposal = QuorumPacket::with_data(PacketType::Proposal, zxid, bytes);
                self.send(id, link, proposal);
                self.send(id, link, QuorumPacket::new(PacketType::Commit, zxid));
            }
        }
    }

    fn send_snapshot(&mut self, id: ServerId, link: LinkId) {
        let server = &self.servers[&id];
        let zxid = server.replica.last_zxid();
        let snapshot: Log = server
            .log
            .iter()
            .filter(|(logged, _)| *logged <= zxid)
            .cloned()
            .collect();
        if let Some((to, theirs)) = self.other_end(id, link) {
            let learner = self.servers.get_mut(&to).expect("it runs");
            learner.received.insert(theirs, snapshot);
            let input = Input::SnapshotReceived { link: theirs, zxid };
            self.inputs.push_back((to, input));
        }
    }

    fn hang_up(&mut self, id: ServerId, link: LinkId) {
        let server = self.servers.get_mut(&id).expect("it runs");
        if let Some((to, theirs)) = server.links.remove(&link) {
            self.inputs.push_back((to, Input::LinkDown(theirs)));
        }
    }

    fn perform_alone(&mut self, id: ServerId, output: Output) {
        let server = self.servers.get_mut(&id).expect("it runs");
        match output {
            Output::Append { zxid, record, .. } => {
                server.log.push((zxid, record));
                if server.sync_at_once {
                    self.sync(id);
                }
            }
            Output::Truncate { generation, target } => {
                server.log.retain(|(zxid, _)| *zxid <= target);
                server.synced = server.log.len();
                server.replica = replayed(&server.log);
                let last = server.replica.last_zxid();
                self.stored(id, Input::Truncated { generation, last });
            }
            Output::InstallSnapshot {
                generation,
                link,
                zxid,
            } => {
                server.log = server.received.remove(&link).expect("it was received");
                server.synced = server.log.len();
                server.replica = replayed(&server.log);
                server.replica.advance_to(zxid);
                self.stored(id, Input::Installed { generation });
            }
            Output::AcceptEpoch(epoch) => {
                server.epochs.accepted = epoch;
                self.stored(id, Input::EpochAccepted(epoch));
            }
            Output::EnterEpoch(epoch) => {
                server.epochs.current = epoch;
                self.stored(id, Input::EpochEntered(epoch));
            }
            Output::ProbeLog { link, after } => {
                let probe = server.probe(after);
                self.inputs.push_back((id, Input::LogProbed(link, probe)));
            }
            clients => server.perform(clients, self.now),
        }
    }

    /// What the disk has done is told, if it has.
    fn stored(&mut self, id: ServerId, answer: Input) {
        let server = self.servers.get_mut(&id).expect("it runs");
        match &mut server.stalled {
            Some(stalled) if !matches!(answer, Input::EpochAccepted(_)) => stalled.push(answer),
            _ => self.inputs.push_back((id, answer)),
        }
    }

    /// A server's disk does nothing from now on but promise epochs.
    pub(crate) fn stall_after_epochs(&mut self, id: ServerId) {
        let server = self.servers.get_mut(&id).expect("it runs");
        server.sync_at_once = false;
        server.stalled = Some(Vec::new());
    }

    /// It has done, now, what it was asked for; which commands it had not answered.
    pub(crate) fn go_on(&mut self, id: ServerId) -> Vec<Input> {
        let server = self.servers.get_mut(&id).expect("it runs");
        server.sync_at_once = true;
        let stalled = server.stalled.take().expect("it was stalled");
        let answers = stalled.iter().cloned().map(|answer| (id, answer));
        self.inputs.extend(answers);
        self.sync(id);
        stalled
    }

    /// Everything in a server's log becomes durable.
    pub(crate) fn sync(&mut self, id: ServerId) {
        let server = self.servers.get_mut(&id).expect("it runs");
        server.synced = server.log.len();
        let Some((upto, _)) = server.log.last() else {
            return;
        };
        let persisted = Input::Persisted {
            generation: server.node.generation(),
            upto: *upto,
        };
        self.inputs.push_back((id, persisted));
    }
}

/// Clients.
impl TestEnsemble {
    fn frame(&mut self, id: ServerId, conn: ConnId, frame: Vec<u8>) {
        let server = self.servers.get_mut(&id).expect("it runs");
        let ctx = Context {
            now_ms: self.now.mono_ms,
            settings: &server.settings,
            replica: &server.replica,
        };
        let mut inputs = Vec::new();
        let connection = server.conns.get_mut(&conn).expect("it is connected");
        connection.on_frame(&ctx, &Bytes::from(frame), &mut inputs);
        self.inputs
            .extend(inputs.into_iter().map(|input| (id, input)));
    }

    /// Connects, with a session that exists or 0.
    pub(crate) fn connect(&mut self, id: ServerId, session: SessionId) -> (ConnId, Vec<Packet>) {
        self.connect_as(id, session, false)
    }

    /// Connects, perhaps as a client that is content with reads.
    pub(crate) fn connect_as(
        &mut self,
        id: ServerId,
        session: SessionId,
        read_only: bool,
    ) -> (ConnId, Vec<Packet>) {
        self.names += 2;
        let conn = ConnId(self.names);
        let connection = Connection::new(conn, "127.0.0.1".to_owned(), self.now);
        let server = self.servers.get_mut(&id).expect("it runs");
        server.conns.insert(conn, connection);
        let request = ConnectRequest {
            read_only: Some(read_only),
            ..connect_request(session, &session_password(session), Zxid(0))
        };
        self.frame(id, conn, request.to_vec());
        self.deliver();
        (conn, self.packets(id, conn))
    }

    /// Connects with a new session.
    pub(crate) fn open(&mut self, id: ServerId) -> (ConnId, SessionId) {
        let (conn, packets) = self.connect(id, SessionId(0));
        let [Packet::Connected(response)] = &packets[..] else {
            panic!("no session was opened but {packets:?}")
        };
        (conn, response.session_id)
    }

    pub(crate) fn request(
        &mut self,
        id: ServerId,
        conn: ConnId,
        xid: i32,
        op: OpCode,
        body: &impl Jute,
    ) {
        let header = RequestHeader { xid, op: op.code() };
        self.frame(id, conn, [header.to_vec(), body.to_vec()].concat());
    }

    /// Sends a request and returns the error code of its reply.
    pub(crate) fn call(
        &mut self,
        id: ServerId,
        conn: ConnId,
        xid: i32,
        op: OpCode,
        body: &impl Jute,
    ) -> i32 {
        self.request(id, conn, xid, op, body);
        self.deliver();
        match &self.packets(id, conn)[..] {
            [Packet::Reply { xid: got, err, .. }] if *got == xid => *err,
            other => panic!("no reply to {op:?} but {other:?}"),
        }
    }

    pub(crate) fn packets(&mut self, id: ServerId, conn: ConnId) -> Vec<Packet> {
        let server = self.servers.get_mut(&id).expect("it runs");
        let ctx = Context {
            now_ms: self.now.mono_ms,
            settings: &server.settings,
            replica: &server.replica,
        };
        let connection = server.conns.get_mut(&conn).expect("it is connected");
        connection.run_reads(&ctx);
        packets_of(connection)
    }

    pub(crate) fn is_closing(&self, id: ServerId, conn: ConnId) -> bool {
        self.servers[&id].conns[&conn].is_closing()
    }

    /// Tells a server's core whom its connections have heard.
    pub(crate) fn touch(&mut self, id: ServerId, session: SessionId) {
        self.inputs.push_back((id, Input::Touched(vec![session])));
        self.deliver();
    }
}

impl Server {
    fn probe(&self, after: Zxid) -> LogProbe {
        let prev = self.log.iter().rev().find(|(zxid, _)| *zxid <= after);
        let next = self.log.iter().find(|(zxid, _)| *zxid > after);
        match (prev, next) {
            (Some((prev, _)), Some((next, _))) => LogProbe::Found {
                prev: *prev,
                next: *next,
            },
            _ => LogProbe::Unknown,
        }
    }

    fn with(
        &mut self,
        id: Option<ConnId>,
        now: Now,
        act: impl FnOnce(&mut Connection, &Context<'_>),
    ) {
        let ctx = Context {
            now_ms: now.mono_ms,
            settings: &self.settings,
            replica: &self.replica,
        };
        if let Some(conn) = id.and_then(|id| self.conns.get_mut(&id)) {
            act(conn, &ctx);
        }
    }

    fn perform(&mut self, output: Output, now: Now) {
        match output {
            Output::Commit { record, owner } => {
                self.with(owner, now, |conn, ctx| conn.before_commit(ctx));
                let mut fired = Vec::new();
                let digest = record.digest.as_ref();
                let applied = self
                    .replica
                    .apply(&record.header, &record.txn, digest, &mut fired);
                assert_eq!(self.replica.digest_mismatches(), 0, "{record:?}");
                for event in &fired {
                    let watcher = Some(ConnId(event.watcher.0));
                    self.with(watcher, now, |conn, ctx| conn.on_event(ctx, event));
                }
                self.with(owner, now, |conn, ctx| {
                    conn.on_commit(ctx, &record, &applied);
                });
            }
            Output::Complete { conn, cxid } => self.with(Some(conn), now, |conn, ctx| {
                conn.before_commit(ctx);
                conn.on_complete(ctx, cxid);
            }),
            Output::Decline { conn, cxid, error } => self.with(Some(conn), now, |conn, ctx| {
                conn.before_commit(ctx);
                conn.on_declined(ctx, cxid, error);
            }),
            Output::Attached {
                conn,
                session,
                timeout_ms,
                read_only,
            } => self.with(Some(conn), now, |conn, ctx| {
                conn.on_attached(ctx, session, timeout_ms, read_only);
            }),
            Output::Refused { conn } => self.with(Some(conn), now, |conn, _| conn.on_refused()),
            Output::Close { conn } => self.with(Some(conn), now, |conn, _| conn.close()),
            Output::AdvanceTo(zxid) => self.replica.advance_to(zxid),
            Output::Serve(false) => self.conns.values_mut().for_each(Connection::close),
            Output::Serve(true) | Output::RoleChanged => {}
            Output::Left => self.has_left = true,
            Output::Resigned { reason } => self.reasons.push(reason),
            Output::Halt { reason } => panic!("halted: {reason}"),
            other => panic!("{other:?} is the ensemble's"),
        }
    }
}
