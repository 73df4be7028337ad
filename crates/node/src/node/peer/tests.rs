use crate::testing::Packet;
use crate::testing::ensemble::TestEnsemble;
use crate::{Input, LocalSessions, Output};
use zooid_proto::election::PeerState;
use zooid_proto::request::{CreateRequest, PathOnly, PathVersion};
use zooid_proto::{
    Acl, ErrorCode, Jute, OpCode, Reader, ServerId, SessionId, Txn, TxnRecord, Zxid, perms,
};
use zooid_zab::LinkId;

fn create(path: &str, flags: i32) -> CreateRequest {
    CreateRequest {
        path: path.into(),
        data: None,
        acl: vec![Acl::anyone(perms::ALL)].into(),
        flags,
    }
}

/// Every server that is not cut off holds the same.
fn assert_agreement(ensemble: &TestEnsemble) {
    let alive = || {
        ensemble
            .servers
            .iter()
            .filter(|(id, _)| !ensemble.cut_off.contains(id))
    };
    let (_, first) = alive().next().expect("one is alive");
    for (id, server) in alive() {
        assert_eq!(
            server.replica.last_zxid(),
            first.replica.last_zxid(),
            "server {id}"
        );
        assert_eq!(server.replica.digest(), first.replica.digest());
        assert_eq!(server.log, first.log);
    }
}

#[test]
fn three_servers_elect_the_highest_id_and_serve() {
    let ensemble = TestEnsemble::new(3, 0);
    assert_eq!(ensemble.leader(), ServerId(3));
    for id in [1, 2] {
        let status = ensemble.status(ServerId(id));
        assert_eq!(status.state, PeerState::Following);
        assert!(status.serving);
        assert_eq!(status.leader, Some(ServerId(3)));
    }
}

#[test]
fn a_lone_voter_leads_itself() {
    let mut ensemble = TestEnsemble::new(1, 0);
    let (conn, _) = ensemble.open(ServerId(1));
    let made = ensemble.call(ServerId(1), conn, 1, OpCode::Create, &create("/a", 0));
    assert_eq!(made, 0);
}

#[test]
fn a_write_through_any_server_is_everywhere() {
    let mut ensemble = TestEnsemble::new(3, 1);
    for id in 1..=4 {
        let (conn, _) = ensemble.open(ServerId(id));
        let path = format!("/by-{id}");
        let made = ensemble.call(ServerId(id), conn, 1, OpCode::Create, &create(&path, 0));
        assert_eq!(made, 0, "through {id}");
        let again = ensemble.call(ServerId(id), conn, 2, OpCode::Create, &create(&path, 0));
        assert_eq!(again, ErrorCode::NodeExists.code(), "through {id}");
    }
    assert_eq!(ensemble.status(ServerId(4)).state, PeerState::Observing);
    assert_agreement(&ensemble);
    assert!(ensemble.server(ServerId(2)).replica.node("/by-4").is_some());
}

#[test]
fn pipelined_writes_reads_and_syncs_of_a_learner_are_answered_in_order() {
    let mut ensemble = TestEnsemble::new(3, 0);
    let id = ensemble.follower();
    let (conn, _) = ensemble.open(id);
    let exists = |path: &str| Raw([path.to_owned().to_vec(), false.to_vec()].concat());
    ensemble.request(id, conn, 1, OpCode::Exists, &exists("/a"));
    ensemble.request(id, conn, 2, OpCode::Create, &create("/a", 0));
    ensemble.request(id, conn, 3, OpCode::Exists, &exists("/a"));
    ensemble.request(id, conn, 4, OpCode::Sync, &PathOnly { path: "/".into() });
    ensemble.request(id, conn, 5, OpCode::Create, &create("/a/b", 0));
    ensemble.request(id, conn, 6, OpCode::Exists, &exists("/a/b"));
    ensemble.deliver();
    let packets = ensemble.packets(id, conn);
    let replies: Vec<(i32, i32)> = packets
        .iter()
        .map(|packet| match packet {
            Packet::Reply { xid, err, .. } => (*xid, *err),
            other => panic!("{other:?}"),
        })
        .collect();
    let missing = ErrorCode::NoNode.code();
    assert_eq!(
        replies,
        [(1, missing), (2, 0), (3, 0), (4, 0), (5, 0), (6, 0)]
    );
}

#[test]
fn without_a_quorum_nothing_is_answered_and_nothing_is_served() {
    let mut ensemble = TestEnsemble::new(3, 0);
    let leader = ensemble.leader();
    let (conn, _) = ensemble.open(leader);
    ensemble.cut_off = [1, 2].map(ServerId).into();
    ensemble.request(leader, conn, 1, OpCode::Create, &create("/lost", 0));
    ensemble.deliver();
    assert_eq!(ensemble.packets(leader, conn), []);
    for _ in 0..20 {
        ensemble.advance(1000);
    }
    assert_eq!(ensemble.status(leader).state, PeerState::Looking);
    assert!(ensemble.is_closing(leader, conn));
}

#[test]
fn a_new_leader_has_what_the_old_one_acknowledged() {
    let mut ensemble = TestEnsemble::new(3, 0);
    let old = ensemble.leader();
    let (conn, _) = ensemble.open(old);
    assert_eq!(
        ensemble.call(old, conn, 1, OpCode::Create, &create("/kept", 0)),
        0
    );
    ensemble.cut_off.insert(old);
    for _ in 0..12 {
        ensemble.advance(1000);
        ensemble.settle();
    }
    let new = ensemble.leader();
    assert_ne!(new, old);
    assert!(ensemble.server(new).replica.node("/kept").is_some());
    let (conn, _) = ensemble.open(new);
    assert_eq!(
        ensemble.call(new, conn, 1, OpCode::Create, &create("/more", 0)),
        0
    );
    assert_agreement(&ensemble);
    ensemble.cut_off.clear();
    ensemble.restart(old);
    for _ in 0..12 {
        ensemble.advance(1000);
        ensemble.settle();
    }
    assert_agreement(&ensemble);
    assert!(ensemble.status(old).serving);
}

#[test]
fn survivors_do_not_wait_for_a_leader_that_is_known_to_be_gone() {
    let mut ensemble = TestEnsemble::new(3, 1);
    let old = ensemble.leader();
    let before = ensemble.now;
    ensemble.kill(old);
    ensemble.deliver();
    assert_ne!(ensemble.leader(), old);
    assert_eq!(ensemble.now, before, "no time has passed");
    for id in ensemble.servers.keys() {
        assert!(ensemble.status(*id).serving, "{id}");
    }
}

#[test]
fn a_silent_leader_is_not_waited_for() {
    let mut ensemble = TestEnsemble::new(3, 0);
    let old = ensemble.leader();
    ensemble.cut_off.insert(old);
    // Both followers give it up in the same step, and in that step they have another.
    for _ in 0..100 {
        ensemble.advance(100);
        for id in ensemble.servers.keys().filter(|id| **id != old) {
            assert!(ensemble.status(*id).serving, "{id} waits");
        }
    }
    let new = ensemble.status(ServerId(1)).leader;
    assert!(new.is_some_and(|new| new != old), "{new:?} leads");
}

/// Only who orders sweeps and expires: for the others a time that has passed would be due for ever.
#[test]
fn nobody_is_woken_for_what_only_a_leader_does() {
    let mut ensemble = TestEnsemble::new(3, 1);
    ensemble.open(ServerId(1));
    let steps = 1_300;
    for _ in 0..steps {
        ensemble.advance(100);
        for (id, server) in &ensemble.servers {
            let due_ms = server.node.next_wakeup_ms();
            assert!(due_ms > ensemble.now.mono_ms, "{id} is woken again at once");
        }
    }
}

#[test]
fn a_tail_that_nobody_else_has_is_cut() {
    let mut ensemble = TestEnsemble::new(3, 0);
    let old = ensemble.leader();
    let (conn, _) = ensemble.open(old);
    assert_eq!(
        ensemble.call(old, conn, 1, OpCode::Create, &create("/kept", 0)),
        0
    );
    ensemble.cut_off.insert(old);
    ensemble.request(old, conn, 2, OpCode::Create, &create("/alone", 0));
    ensemble.deliver();
    assert_eq!(ensemble.packets(old, conn), []);
    for _ in 0..12 {
        ensemble.advance(1000);
        ensemble.settle();
    }
    assert!(
        ensemble.server(old).replica.node("/alone").is_some(),
        "as it is in its log"
    );
    let new = ensemble.leader();
    let (conn, _) = ensemble.open(new);
    assert_eq!(
        ensemble.call(new, conn, 1, OpCode::Create, &create("/after", 0)),
        0
    );
    ensemble.cut_off.clear();
    for _ in 0..12 {
        ensemble.advance(1000);
        ensemble.settle();
    }
    assert_agreement(&ensemble);
    assert!(ensemble.server(old).replica.node("/alone").is_none());
    assert!(ensemble.server(old).replica.node("/after").is_some());
}

/// A member comes back to an ensemble that has gone on without it, must give up what
/// only it has, and its disk stalls just then, for longer than anybody waits.
#[test]
fn a_disk_that_stalls_while_a_history_is_replaced_holds_up_nobody_else() {
    let mut ensemble = TestEnsemble::new(3, 0);
    let late = ensemble.leader();
    let (conn, _) = ensemble.open(late);
    ensemble.cut_off.insert(late);
    ensemble.request(late, conn, 1, OpCode::Create, &create("/alone", 0));
    ensemble.deliver();
    let pass = |ensemble: &mut TestEnsemble, seconds: i64| {
        for _ in 0..seconds {
            ensemble.advance(1000);
            ensemble.settle();
        }
    };
    pass(&mut ensemble, 4);
    let leader = ensemble.leader();
    let write = |ensemble: &mut TestEnsemble, path: &str| {
        let (conn, _) = ensemble.open(leader);
        let created = ensemble.call(leader, conn, 1, OpCode::Create, &create(path, 0));
        assert_eq!(created, 0);
    };
    write(&mut ensemble, "/before");
    // The epoch is promised, and then nothing more is done.
    ensemble.stall_after_epochs(late);
    ensemble.cut_off.clear();
    pass(&mut ensemble, 6);
    write(&mut ensemble, "/meanwhile");
    assert_eq!(ensemble.leader(), leader, "the others do not wait");
    assert!(!ensemble.status(late).serving);
    let stalled = ensemble.go_on(late);
    assert!(
        matches!(
            stalled[..],
            [Input::Truncated { .. } | Input::Installed { .. }]
        ),
        "one command, and nothing behind it: {stalled:?}"
    );
    pass(&mut ensemble, 4);
    assert!(ensemble.status(late).serving);
    assert_agreement(&ensemble);
    assert!(ensemble.server(late).replica.node("/alone").is_none());
}

#[test]
fn a_leader_acknowledges_nothing_that_only_memory_has() {
    let mut ensemble = TestEnsemble::new(3, 0);
    let (leader, follower) = (ensemble.leader(), ensemble.follower());
    let (conn, _) = ensemble.open(leader);
    for server in ensemble.servers.values_mut() {
        server.sync_at_once = false;
    }
    ensemble.request(leader, conn, 1, OpCode::Create, &create("/a", 0));
    ensemble.deliver();
    assert_eq!(ensemble.packets(leader, conn), []);
    ensemble.sync(leader);
    ensemble.deliver();
    assert_eq!(
        ensemble.packets(leader, conn),
        [],
        "its own disk is no quorum"
    );
    ensemble.sync(follower);
    ensemble.deliver();
    assert_eq!(ensemble.packets(leader, conn).len(), 1);
}

#[test]
fn a_server_votes_only_when_its_log_is_durable() {
    let mut ensemble = TestEnsemble::new(3, 0);
    let leader = ensemble.leader();
    let (conn, _) = ensemble.open(leader);
    let server = ensemble.servers.get_mut(&leader).unwrap();
    server.sync_at_once = false;
    ensemble.cut_off = [1, 2].map(ServerId).into();
    ensemble.request(leader, conn, 1, OpCode::Create, &create("/a", 0));
    for _ in 0..20 {
        ensemble.advance(1000);
    }
    assert!(
        ensemble.server(leader).replica.node("/a").is_none(),
        "it still drains"
    );
    ensemble.sync(leader);
    ensemble.deliver();
    assert!(ensemble.server(leader).replica.node("/a").is_some());
}

#[test]
fn a_session_moves_between_servers() {
    let mut ensemble = TestEnsemble::new(3, 0);
    let (leader, follower) = (ensemble.leader(), ensemble.follower());
    let (first, session) = ensemble.open(follower);
    assert_eq!(
        ensemble.call(follower, first, 1, OpCode::Create, &create("/e", 1)),
        0
    );
    let (second, packets) = ensemble.connect(leader, session);
    let [Packet::Connected(response)] = &packets[..] else {
        panic!("{packets:?}")
    };
    assert_eq!(response.session_id, session);
    assert_eq!(
        ensemble.call(leader, second, 1, OpCode::Create, &create("/f", 1)),
        0
    );
    // The old connection's write comes from where the session is no more.
    ensemble.request(follower, first, 2, OpCode::Create, &create("/g", 0));
    ensemble.deliver();
    assert!(ensemble.is_closing(follower, first));
    assert!(ensemble.server(leader).replica.node("/g").is_none());
    // And back.
    let (third, _) = ensemble.connect(follower, session);
    assert_eq!(
        ensemble.call(follower, third, 1, OpCode::Create, &create("/h", 0)),
        0
    );
    assert!(ensemble.is_closing(leader, second));
}

#[test]
fn a_session_that_is_over_is_refused_everywhere() {
    let mut ensemble = TestEnsemble::new(3, 0);
    let (leader, follower) = (ensemble.leader(), ensemble.follower());
    let (conn, session) = ensemble.open(follower);
    ensemble.request(follower, conn, 1, OpCode::CloseSession, &Raw(vec![]));
    ensemble.deliver();
    assert!(matches!(
        ensemble.packets(follower, conn)[..],
        [Packet::Reply { xid: 1, err: 0, .. }]
    ));
    for id in [leader, follower] {
        let (conn, packets) = ensemble.connect(id, session);
        let [Packet::Connected(response)] = &packets[..] else {
            panic!("{packets:?}")
        };
        assert_eq!(response.session_id, SessionId(0));
        assert!(ensemble.is_closing(id, conn));
    }
}

#[test]
fn a_silent_session_of_a_follower_expires_and_one_that_is_heard_of_does_not() {
    let mut ensemble = TestEnsemble::new(3, 0);
    let follower = ensemble.follower();
    let (silent, gone) = ensemble.open(follower);
    let (heard, alive) = ensemble.open(follower);
    assert_eq!(
        ensemble.call(follower, silent, 1, OpCode::Create, &create("/gone", 1)),
        0
    );
    assert_eq!(
        ensemble.call(follower, heard, 1, OpCode::Create, &create("/alive", 1)),
        0
    );
    for _ in 0..40 {
        ensemble.touch(follower, alive);
        ensemble.advance(500);
    }
    assert!(ensemble.is_closing(follower, silent));
    assert!(!ensemble.is_closing(follower, heard));
    let replica = &ensemble.server(follower).replica;
    assert!(replica.node("/gone").is_none());
    assert!(replica.node("/alive").is_some());
    assert!(replica.session_timeout(gone).is_none());
    assert_agreement(&ensemble);
}

#[test]
fn sessions_outlive_a_change_of_leaders() {
    let mut ensemble = TestEnsemble::new(3, 0);
    let (leader, follower) = (ensemble.leader(), ensemble.follower());
    let (conn, session) = ensemble.open(follower);
    assert_eq!(
        ensemble.call(follower, conn, 1, OpCode::Create, &create("/e", 1)),
        0
    );
    ensemble.restart(leader);
    ensemble.settle();
    assert!(ensemble.is_closing(follower, conn));
    let (conn, packets) = ensemble.connect(follower, session);
    assert!(
        matches!(&packets[..], [Packet::Connected(response)] if response.session_id == session)
    );
    assert_eq!(
        ensemble.call(follower, conn, 1, OpCode::Delete, &delete("/e")),
        0
    );
    assert_agreement(&ensemble);
}

fn delete(path: &str) -> PathVersion {
    PathVersion {
        path: path.into(),
        version: -1,
    }
}

/// An encoded request.
struct Raw(Vec<u8>);

impl Jute for Raw {
    fn decode(r: &mut Reader<'_>) -> Result<Raw, zooid_proto::DecodeError> {
        Ok(Raw(r.rest().to_vec()))
    }
    fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.0);
    }
}

fn with_local_sessions(upgrading: bool) -> TestEnsemble {
    TestEnsemble::with(3, 0, |settings| {
        settings.local_sessions = LocalSessions {
            enabled: true,
            upgrading,
        };
    })
}

#[test]
fn a_local_session_costs_no_transaction_and_writes_all_the_same() {
    for role in [TestEnsemble::leader, TestEnsemble::follower] {
        let mut ensemble = with_local_sessions(false);
        let id = role(&ensemble);
        let (conn, session) = ensemble.open(id);
        assert!(ensemble.server(id).log.is_empty());
        assert_eq!(
            ensemble.call(id, conn, 1, OpCode::Create, &create("/a", 0)),
            0
        );
        assert_eq!(ensemble.server(id).log.len(), 1);
        let refused = ensemble.call(id, conn, 2, OpCode::Create, &create("/e", 1));
        assert_eq!(refused, ErrorCode::EphemeralOnLocalSession.code());
        // Only this server knows it.
        let (again, packets) = ensemble.connect(id, session);
        assert!(matches!(&packets[..], [Packet::Connected(c)] if c.session_id == session));
        ensemble.request(id, again, 3, OpCode::CloseSession, &Raw(vec![]));
        ensemble.deliver();
        assert!(ensemble.is_closing(id, again));
        let (_, packets) = ensemble.connect(id, session);
        assert!(matches!(&packets[..], [Packet::Connected(c)] if c.session_id.0 == 0));
    }
}

#[test]
fn a_local_session_becomes_global_with_its_first_ephemeral() {
    for role in [TestEnsemble::leader, TestEnsemble::follower] {
        let mut ensemble = with_local_sessions(true);
        let id = role(&ensemble);
        let (conn, session) = ensemble.open(id);
        assert_eq!(
            ensemble.call(id, conn, 1, OpCode::Create, &create("/e", 1)),
            0
        );
        for server in ensemble.servers.values() {
            assert!(server.replica.session_timeout(session).is_some());
            assert!(server.replica.node("/e").is_some());
        }
        let other = ensemble
            .servers
            .keys()
            .copied()
            .find(|other| *other != id)
            .unwrap();
        let (_, packets) = ensemble.connect(other, session);
        assert!(matches!(&packets[..], [Packet::Connected(c)] if c.session_id == session));
    }
}

#[test]
fn a_local_session_asks_for_nothing_behind_its_end() {
    for role in [TestEnsemble::leader, TestEnsemble::follower] {
        let mut ensemble = with_local_sessions(true);
        let id = role(&ensemble);
        let (conn, session) = ensemble.open(id);
        // Something that the end has to wait for.
        ensemble.request(id, conn, 1, OpCode::Create, &create("/a", 0));
        ensemble.request(id, conn, 2, OpCode::CloseSession, &Raw(vec![]));
        ensemble.request(id, conn, 3, OpCode::Create, &create("/b", 0));
        ensemble.request(id, conn, 4, OpCode::Create, &create("/e", 1));
        let (_, packets) = ensemble.connect(id, session);
        assert!(matches!(&packets[..], [Packet::Connected(c)] if c.session_id.0 == 0));
        ensemble.deliver();
        assert!(ensemble.is_closing(id, conn));
        for server in ensemble.servers.values() {
            assert_eq!(server.log.len(), 1);
            assert!(server.replica.session_timeout(session).is_none());
            assert!(server.replica.node("/a").is_some());
        }
    }
}

#[test]
fn a_session_that_became_global_asks_for_nothing_behind_its_end() {
    let mut ensemble = with_local_sessions(true);
    let id = ensemble.follower();
    let (conn, _) = ensemble.open(id);
    assert_eq!(
        ensemble.call(id, conn, 1, OpCode::Create, &create("/e", 1)),
        0
    );
    ensemble.request(id, conn, 2, OpCode::CloseSession, &Raw(vec![]));
    ensemble.request(id, conn, 3, OpCode::Create, &create("/b", 0));
    ensemble.deliver();
    assert!(ensemble.is_closing(id, conn));
    // It became global, made the node, and ended.
    assert_eq!(ensemble.server(id).log.len(), 3);
    assert!(ensemble.server(id).replica.node("/e").is_none());
}

/// Its connection to another server may have gone on without hearing of the end.
#[test]
fn a_session_that_has_ended_is_not_taken_for_another_server_s_own() {
    let mut ensemble = with_local_sessions(true);
    let (leader, here) = (ensemble.leader(), ensemble.follower());
    let mut others = ensemble.servers.keys().copied();
    let there = others
        .find(|id| ![leader, here].contains(id))
        .expect("the third");
    let (old, session) = ensemble.open(here);
    let made = ensemble.call(here, old, 1, OpCode::Create, &create("/e", 1));
    assert_eq!(made, 0);
    let (new, _) = ensemble.connect(there, session);
    let sleeper = ensemble.servers.remove(&here).expect("it runs");
    ensemble.request(there, new, 2, OpCode::CloseSession, &Raw(vec![]));
    ensemble.deliver();
    assert!(ensemble.is_closing(there, new));
    ensemble.servers.insert(here, sleeper);
    ensemble.request(here, old, 3, OpCode::Create, &create("/late", 0));
    ensemble.deliver();
    let (_, last) = ensemble.server(leader).log.last().expect("it has a log");
    let last = TxnRecord::decode(last).expect("what was logged can be read");
    assert_eq!(last.header.client_id, session);
    assert_eq!(last.txn, Txn::Error(ErrorCode::SessionExpired));
}

#[test]
fn a_silent_local_session_ends() {
    let mut ensemble = with_local_sessions(false);
    let id = ensemble.follower();
    let (conn, _) = ensemble.open(id);
    for _ in 0..20 {
        ensemble.advance(1000);
    }
    assert!(ensemble.is_closing(id, conn));
    assert!(ensemble.server(id).log.is_empty());
}

#[test]
fn an_epoch_begins_with_counter_one() {
    let mut ensemble = TestEnsemble::new(3, 0);
    let leader = ensemble.leader();
    assert_eq!(
        ensemble.server(leader).replica.last_zxid(),
        Zxid(0x1_0000_0000)
    );
    ensemble.open(leader);
    assert_eq!(
        ensemble.server(leader).replica.last_zxid(),
        Zxid(0x1_0000_0001)
    );
    ensemble.restart(leader);
    ensemble.settle();
    assert_eq!(ensemble.server(leader).replica.last_zxid().epoch().0, 2);
}

#[test]
fn a_server_without_a_leader_serves_reads_to_those_who_allow_it() {
    let mut ensemble = TestEnsemble::new(3, 0);
    let (leader, id) = (ensemble.leader(), ensemble.follower());
    let (conn, global) = ensemble.open(leader);
    assert_eq!(
        ensemble.call(leader, conn, 1, OpCode::Create, &create("/a", 0)),
        0
    );
    ensemble.read_only_mode = true;
    ensemble.cut_off = [1, 2, 3].map(ServerId).into();
    ensemble.restart(id);
    ensemble.advance(1999);
    assert!(!ensemble.status(id).serving);
    ensemble.advance(1);
    assert!(ensemble.status(id).serving);
    assert_eq!(ensemble.status(id).state, PeerState::Looking);

    let (demanding, _) = ensemble.connect(id, SessionId(0));
    assert!(ensemble.is_closing(id, demanding));
    let (moved, _) = ensemble.connect_as(id, global, true);
    assert!(ensemble.is_closing(id, moved));

    let (content, packets) = ensemble.connect_as(id, SessionId(0), true);
    let [Packet::Connected(response)] = &packets[..] else {
        panic!("{packets:?}")
    };
    assert_eq!(response.read_only, Some(true));
    let exists = Raw(["/a".to_owned().to_vec(), false.to_vec()].concat());
    assert_eq!(ensemble.call(id, content, 1, OpCode::Exists, &exists), 0);
    let refused = ensemble.call(id, content, 2, OpCode::Create, &create("/b", 0));
    assert_eq!(refused, ErrorCode::NotReadOnly.code());

    ensemble.cut_off.clear();
    for _ in 0..12 {
        ensemble.advance(1000);
        ensemble.settle();
    }
    assert!(ensemble.is_closing(id, content));
    let (conn, _) = ensemble.open(id);
    assert_eq!(
        ensemble.call(id, conn, 1, OpCode::Create, &create("/b", 0)),
        0
    );
}

#[test]
fn a_server_without_a_leader_refuses_no_session_that_it_may_have_missed() {
    let mut ensemble = TestEnsemble::new(3, 0);
    let (leader, id) = (ensemble.leader(), ensemble.follower());
    ensemble.read_only_mode = true;
    ensemble.cut_off = [id].into();
    let (_, missed) = ensemble.open(leader);
    ensemble.cut_off = [1, 2, 3].map(ServerId).into();
    ensemble.restart(id);
    ensemble.advance(2000);
    assert!(ensemble.status(id).serving);
    assert!(
        ensemble
            .server(id)
            .replica
            .session_timeout(missed)
            .is_none()
    );
    let (conn, packets) = ensemble.connect_as(id, missed, true);
    assert!(packets.is_empty(), "{packets:?}");
    assert!(ensemble.is_closing(id, conn));
}

/// It led for less time than it took them to come, and looks again: they would wait for `initLimit`.
#[test]
fn those_who_follow_a_server_that_goes_on_looking_are_sent_to_look_again() {
    let mut ensemble = TestEnsemble::new(3, 0);
    let id = ensemble.follower();
    ensemble.cut_off = [1, 2, 3].map(ServerId).into();
    ensemble.restart(id);
    ensemble.advance(1000);
    assert_eq!(ensemble.status(id).state, PeerState::Looking);
    let mut now = ensemble.now;
    let server = ensemble.servers.get_mut(&id).expect("it runs");
    let link = LinkId(1002);
    let mut step = |now, input| {
        let mut outputs: Vec<Output> = Vec::new();
        server.node.step(now, input, &server.replica, &mut outputs);
        (outputs, server.node.next_wakeup_ms())
    };
    step(now, Input::LinkAccepted(link));
    let hangs_up = |outputs: &[Output]| {
        let is_it =
            |output: &Output| matches!(output, Output::Hangup { link: it, .. } if *it == link);
        outputs.iter().any(is_it)
    };
    let due_ms = now.mono_ms + 500;
    while now.mono_ms < due_ms {
        let (outputs, wakeup_ms) = step(now, Input::Timer);
        assert!(!hangs_up(&outputs), "at {} ms", now.mono_ms);
        now.mono_ms = wakeup_ms;
    }
    assert_eq!(now.mono_ms, due_ms, "it wakes up for it");
    let (outputs, _) = step(now, Input::Timer);
    assert!(hangs_up(&outputs), "{outputs:?}");
}
