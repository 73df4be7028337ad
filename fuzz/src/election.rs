//! The election port: whatever comes, messages are read or refused, the election goes on by its rules,
//! and the mesh never does two things at a time that exclude each other.

use bytes::Bytes;
use std::collections::{BTreeMap, BTreeSet};
use zooid_proto::election::{ElectionAddress, InitialMessage, Notification};
use zooid_proto::{Epoch, ServerId, Zxid};
use zooid_zab::{
    Election, ElectionAction, EnsembleSettings, Membership, Mesh, MeshAction, MeshConnId,
    MeshInput, QuorumVerifier, View,
};

const ME: ServerId = ServerId(3);
const VOTERS: i64 = 5;
/// Voters, and the most others that are told the outcome.
const AUDIENCE_MAX: usize = 5 + 64;

/// The first byte says what the others are.
pub fn run(data: &[u8]) {
    match data.split_first() {
        Some((0, message)) => notification(&Bytes::copy_from_slice(message)),
        Some((1, message)) => introduction(message),
        Some((_, steps)) => Server::new().run(steps),
        None => {}
    }
}

fn notification(message: &Bytes) {
    if let Ok(read) = Notification::decode(message) {
        let again = Notification::decode(&read.encode()).expect("our own is well-formed");
        let normal = Notification {
            version: Notification::VERSION,
            config: Some(read.config.clone().unwrap_or_default()),
            ..read
        };
        assert_eq!(again, normal);
    }
}

fn introduction(message: &[u8]) {
    let Ok(Some((read, len))) = InitialMessage::split(message) else {
        return;
    };
    assert!(len <= InitialMessage::BYTES_MAX);
    for shorter in 0..len {
        let early = InitialMessage::split(&message[..shorter]);
        assert_eq!(early, Ok(None), "{shorter} of {len} bytes");
    }
    if !read.addresses.is_empty() {
        let encoded = read.encode_many_addresses();
        if encoded.len() <= InitialMessage::BYTES_MAX {
            let again = InitialMessage::split(&encoded);
            assert_eq!(again, Ok(Some((read, encoded.len()))));
        }
    }
}

/// A server that takes whatever comes.
struct Server {
    now_ms: i64,
    membership: Membership,
    election: Election,
    mesh: Mesh,
    conns: u64,
    open: BTreeSet<MeshConnId>,
    writing: BTreeSet<MeshConnId>,
    dialing: BTreeSet<ServerId>,
}

impl Server {
    fn new() -> Server {
        let voters: BTreeSet<ServerId> = (1..=VOTERS).map(ServerId).collect();
        let peers = voters.iter().filter(|id| **id != ME);
        let address = |id: &ServerId| ElectionAddress {
            host: format!("host{id}"),
            port: 3888,
        };
        let peers: BTreeMap<_, _> = peers.map(|id| (*id, vec![address(id)])).collect();
        let mut server = Server {
            now_ms: 0,
            membership: Membership::fixed(View {
                version: 0,
                verifier: QuorumVerifier::Majority(voters.clone()),
                voters,
                observers: BTreeSet::new(),
                text: Bytes::from_static(b"version=0"),
            }),
            election: Election::new(&settings(), false),
            mesh: Mesh::new(ME, peers),
            conns: 0,
            open: BTreeSet::new(),
            writing: BTreeSet::new(),
            dialing: BTreeSet::new(),
        };
        server.elect(|election, now_ms, membership, out| {
            election.start(now_ms, membership, Zxid(10), Epoch(1), out);
        });
        server
    }

    /// A sequence of steps: what happens, to whom, and how long its message is.
    fn run(mut self, steps: &[u8]) {
        let mut rest = steps;
        while let Some(([what, whom, len], tail)) = rest.split_first_chunk() {
            let len = usize::from(*len).min(tail.len());
            let (message, tail) = tail.split_at(len);
            self.act(*what, *whom, message);
            rest = tail;
        }
    }

    fn act(&mut self, what: u8, whom: u8, message: &[u8]) {
        let peer = ServerId(i64::from(whom));
        let conn = self.open.iter().nth(usize::from(whom)).copied();
        match (what % 10, conn) {
            (0, _) => self.mesh_input(MeshInput::Timer),
            (1, _) => self.advance(i64::from(what) * 10),
            (2, _) => self.connect(message),
            (3, Some(conn)) => {
                self.open.remove(&conn);
                self.writing.remove(&conn);
                self.mesh_input(MeshInput::Closed(conn));
            }
            (4, Some(conn)) => {
                let message = Bytes::copy_from_slice(message);
                self.mesh_input(MeshInput::Received { conn, message });
            }
            (5, Some(conn)) => {
                if self.writing.remove(&conn) {
                    self.mesh_input(MeshInput::Written(conn));
                }
            }
            (6, _) => self.dial_ends(whom),
            (7, _) => self.elect(|election, now_ms, membership, out| {
                election.start(now_ms, membership, Zxid(10), Epoch(1), out);
            }),
            _ => self.vote(peer, message),
        }
    }

    fn advance(&mut self, ms: i64) {
        self.now_ms += ms;
        self.elect(|election, now_ms, membership, out| election.timer(now_ms, membership, out));
        self.mesh_input(MeshInput::Timer);
    }

    fn connect(&mut self, introduction: &[u8]) {
        let conn = self.next_conn();
        self.mesh_input(MeshInput::Accepted(conn));
        if let Ok(Some((message, _))) = InitialMessage::split(introduction) {
            self.mesh_input(MeshInput::Introduced { conn, message });
        }
    }

    fn next_conn(&mut self) -> MeshConnId {
        self.conns += 1;
        let conn = MeshConnId(self.conns);
        self.open.insert(conn);
        conn
    }

    fn dial_ends(&mut self, whom: u8) {
        let Some(to) = self.dialing.iter().nth(usize::from(whom) / 2).copied() else {
            return;
        };
        self.dialing.remove(&to);
        if whom.is_multiple_of(2) {
            self.mesh_input(MeshInput::DialFailed(to));
        } else {
            let conn = self.next_conn();
            self.mesh_input(MeshInput::Dialed { conn, to });
        }
    }

    fn vote(&mut self, from: ServerId, message: &[u8]) {
        if let Ok(n) = Notification::decode(&Bytes::copy_from_slice(message)) {
            self.elect(|election, now_ms, membership, out| {
                election.receive(now_ms, membership, from, &n, out);
            });
        }
    }

    fn elect(
        &mut self,
        act: impl FnOnce(&mut Election, i64, &Membership, &mut Vec<ElectionAction>),
    ) {
        let mut out = Vec::new();
        act(&mut self.election, self.now_ms, &self.membership, &mut out);
        assert!(out.len() <= 2 * AUDIENCE_MAX, "{} actions", out.len());
        for action in out {
            match action {
                ElectionAction::Send { to, notification } => {
                    assert_ne!(to, ME);
                    let message = notification.encode();
                    self.mesh_input(MeshInput::Send { to, message });
                }
                ElectionAction::Decided(vote) => {
                    assert!(self.membership.is_voter(vote.leader), "{vote:?}");
                    assert_eq!(self.election.vote(), vote);
                }
                ElectionAction::Outdone(voter) => {
                    assert_eq!(self.election.vote().leader, ME);
                    assert!(self.membership.is_voter(voter));
                }
            }
        }
        // It waits for something, or has decided.
        let at_ms = self.election.next_wakeup_ms();
        assert!(at_ms.is_none_or(|at_ms| at_ms > self.now_ms));
    }

    fn mesh_input(&mut self, input: MeshInput) {
        let mut out = Vec::new();
        self.mesh.step(self.now_ms, input, &mut out);
        for action in out {
            self.check(action);
        }
        let at_ms = self.mesh.next_wakeup_ms();
        assert!(at_ms.is_none_or(|at_ms| at_ms >= self.now_ms - 10_000));
    }

    fn check(&mut self, action: MeshAction) {
        match action {
            MeshAction::Dial { to, addresses } => {
                assert!(!addresses.is_empty());
                assert_ne!(to, ME);
                assert!(self.dialing.insert(to), "two dials to {to} at a time");
            }
            MeshAction::Write { conn, .. } => {
                assert!(self.open.contains(&conn), "a write after the end");
                assert!(self.writing.insert(conn), "two writes at a time");
            }
            MeshAction::Close { conn, .. } => {
                assert!(self.open.remove(&conn), "closed twice");
                self.writing.remove(&conn);
            }
            MeshAction::Deliver { from, .. } => assert_ne!(from, ME),
            MeshAction::Unreachable(server) | MeshAction::Reachable(server) => {
                assert_ne!(server, ME);
            }
        }
    }
}

fn settings() -> EnsembleSettings {
    EnsembleSettings {
        me: ME,
        tick_ms: 2000,
        init_limit: 10,
        sync_limit: 5,
        notification_ms_min: 200,
        notification_ms_max: 60_000,
        force_snapshot_sync: false,
        log_sync: true,
        snap_syncs_max: 10,
        diff_syncs_max: 10,
        counter_max: EnsembleSettings::COUNTER_MAX,
    }
}
