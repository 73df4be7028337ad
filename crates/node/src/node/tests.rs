use crate::testing::{Packet, TestServer, connect_request, settings};
use crate::{ConnId, Input};
use zooid_proto::request::{
    CreateRequest, CreateTtlRequest, PathOnly, PathVersion, SetDataRequest,
};
use zooid_proto::{
    Acl, ErrorCode, OpCode, SessionId, Txn, TxnRecord, Zxid, perms, session_password,
};

fn create(path: &str, flags: i32) -> CreateRequest {
    CreateRequest {
        path: path.into(),
        data: None,
        acl: vec![Acl::anyone(perms::ALL)].into(),
        flags,
    }
}

#[test]
fn nothing_is_answered_before_it_is_durable() {
    let mut server = TestServer::new(settings());
    let (conn, _) = server.connect(1);
    server.sync_at_once = false;
    server.request(conn, 1, OpCode::Create, &create("/a", 0));
    assert_eq!(server.packets(conn), []);
    assert!(server.replica.node("/a").is_none());
    server.sync();
    assert!(matches!(
        server.packets(conn)[..],
        [Packet::Reply { xid: 1, err: 0, .. }]
    ));
    assert!(server.replica.node("/a").is_some());
}

#[test]
fn a_completion_of_another_generation_is_ignored() {
    let mut server = TestServer::new(settings());
    let (conn, _) = server.connect(1);
    server.sync_at_once = false;
    server.request(conn, 1, OpCode::Create, &create("/a", 0));
    let (upto, _) = *server.appended.last().unwrap();
    server.input(Input::Persisted {
        generation: 9,
        upto,
    });
    assert_eq!(server.packets(conn), []);
}

#[test]
fn a_failed_disk_halts_the_server_and_answers_nothing_more() {
    let mut server = TestServer::new(settings());
    let (conn, _) = server.connect(1);
    server.sync_at_once = false;
    server.request(conn, 1, OpCode::Create, &create("/a", 0));
    server.input(Input::StorageFailed {
        reason: "no space left on device".into(),
    });
    assert_eq!(server.halted.as_deref(), Some("no space left on device"));
    server.sync();
    assert_eq!(server.packets(conn), []);
}

#[test]
fn failed_writes_consume_zxids_and_are_logged_as_errors() {
    let mut server = TestServer::new(settings());
    let (conn, _) = server.connect(1);
    let before = server.replica.last_zxid();
    let (err, _) = server.call(
        conn,
        OpCode::Delete,
        &PathVersion {
            path: "/missing".into(),
            version: -1,
        },
    );
    assert_eq!(err, ErrorCode::NoNode.code());
    assert_eq!(server.replica.last_zxid(), before.next());
    let (zxid, bytes) = server.appended.last().unwrap();
    assert_eq!(*zxid, before.next());
    let record = TxnRecord::decode(bytes).unwrap();
    assert_eq!(record.txn, Txn::Error(ErrorCode::NoNode));
    assert_eq!(record.header.op, OpCode::Error.code());
}

#[test]
fn malformed_writes_are_errors_in_the_log_and_answered_in_order() {
    let mut server = TestServer::new(settings());
    let (conn, _) = server.connect(1);
    server.sync_at_once = false;
    server.request(conn, 1, OpCode::Create, &create("/a", 0));
    server.request_bytes(conn, 2, OpCode::Create.code(), &[0, 0]);
    server.request(conn, 3, OpCode::Sync, &PathOnly { path: "/x".into() });
    assert_eq!(server.packets(conn), []);
    server.sync();
    let packets = server.packets(conn);
    let codes: Vec<(i32, i32)> = packets
        .iter()
        .map(|packet| match packet {
            Packet::Reply { xid, err, .. } => (*xid, *err),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(
        codes,
        [(1, 0), (2, ErrorCode::MarshallingError.code()), (3, 0)]
    );
    assert_eq!(
        server.appended.len(),
        3,
        "createSession, create, and an error"
    );
}

#[test]
fn a_silent_session_expires_and_takes_its_ephemerals_along() {
    let mut server = TestServer::new(settings());
    let (conn, session) = server.connect(1);
    server.call(conn, OpCode::Create, &create("/e", 1));
    server.advance(10_000);
    assert!(server.replica.node("/e").is_some());
    server.advance(1_000);
    assert!(server.replica.node("/e").is_none());
    assert_eq!(server.replica.session_timeout(session), None);
    assert!(server.is_closing(conn));
}

#[test]
fn hearing_of_a_session_keeps_it_alive() {
    let mut server = TestServer::new(settings());
    let (conn, session) = server.connect(1);
    for _ in 0..5 {
        server.advance(9_000);
        server.input(Input::Touched(vec![session]));
    }
    assert!(!server.is_closing(conn));
    assert_eq!(server.replica.session_timeout(session), Some(10_000));
}

#[test]
fn a_session_comes_back_with_its_password_only() {
    let mut server = TestServer::new(settings());
    let (old, session) = server.connect(1);
    let thief = server.dial(2);
    server.frame(
        thief,
        zooid_proto::Jute::to_vec(&connect_request(session, &[7; 16], Zxid(0))),
    );
    let [Packet::Connected(response)] = &server.packets(thief)[..] else {
        panic!("no answer")
    };
    assert_eq!(
        (response.session_id, response.timeout_ms),
        (SessionId(0), 0)
    );
    assert!(server.is_closing(thief));
    // As in Java, the older connection is closed before the password is looked at.
    assert!(server.is_closing(old));
    let (new, packets) = server.reconnect(3, session);
    let [Packet::Connected(response)] = &packets[..] else {
        panic!("no answer")
    };
    assert_eq!(response.session_id, session);
    assert_eq!(
        response.password.as_deref(),
        Some(&session_password(session)[..])
    );
    assert!(!server.is_closing(new));
}

#[test]
fn the_late_end_of_an_old_connection_does_not_hurt_the_new_one() {
    let mut server = TestServer::new(settings());
    let (old, session) = server.connect(1);
    let (new, _) = server.reconnect(2, session);
    server.input(Input::Disconnected(old));
    let (err, _) = server.call(new, OpCode::Create, &create("/a", 0));
    assert_eq!(err, 0);
}

#[test]
fn a_write_of_a_connection_that_lost_its_session_closes_it_without_reply() {
    let mut server = TestServer::new(settings());
    let (old, session) = server.connect(1);
    server.sync_at_once = false;
    server.request(old, 1, OpCode::Create, &create("/a", 0));
    let (_new, _) = server.reconnect(2, session);
    server.sync();
    assert_eq!(server.packets(old), []);
    assert!(
        server.replica.node("/a").is_some(),
        "it was proposed before the session moved"
    );
}

#[test]
fn closing_a_session_answers_and_then_closes() {
    let mut server = TestServer::new(settings());
    let (conn, session) = server.connect(1);
    server.call(conn, OpCode::Create, &create("/e", 1));
    let watch_root = [&1i32.to_be_bytes()[..], b"/", &[1]].concat();
    server.request_bytes(conn, 4, OpCode::GetChildren.code(), &watch_root);
    assert_eq!(server.packets(conn).len(), 1);
    assert_eq!(server.replica.watch_count(), 1);
    server.request_bytes(conn, 5, OpCode::CloseSession.code(), &[]);
    assert!(
        server
            .packets(conn)
            .iter()
            .any(|packet| matches!(packet, Packet::Reply { xid: 5, err: 0, .. }))
    );
    assert!(server.is_closing(conn));
    assert_eq!(server.replica.watch_count(), 0);
    assert!(server.replica.node("/e").is_none());
    assert_eq!(server.replica.session_timeout(session), None);
    let record = TxnRecord::decode(&server.appended.last().unwrap().1).unwrap();
    assert_eq!(
        record.txn,
        Txn::CloseSession {
            paths_to_delete: Some(vec!["/e".into()])
        }
    );
}

#[test]
fn a_pending_ephemeral_goes_with_its_session() {
    let mut server = TestServer::new(settings());
    let (conn, _) = server.connect(1);
    server.sync_at_once = false;
    server.request(conn, 1, OpCode::Create, &create("/e", 1));
    server.request(conn, 2, OpCode::Create, &create("/gone", 1));
    let delete = PathVersion {
        path: "/gone".into(),
        version: -1,
    };
    server.request(conn, 3, OpCode::Delete, &delete);
    server.request_bytes(conn, 4, OpCode::CloseSession.code(), &[]);
    server.request(conn, 5, OpCode::Create, &create("/late", 1));
    server.sync();
    for path in ["/e", "/gone", "/late"] {
        assert!(server.replica.node(path).is_none(), "{path}");
    }
}

/// A session's close must not take a node that another session made at the path of its own.
#[test]
fn a_node_made_anew_by_another_outlives_the_session_that_had_its_path() {
    let mut server = TestServer::new(settings());
    let (closing, _) = server.connect(1);
    let (other, _) = server.connect(2);
    server.call(closing, OpCode::Create, &create("/e", 1));
    server.sync_at_once = false;
    let delete = PathVersion {
        path: "/e".into(),
        version: -1,
    };
    server.request(other, 1, OpCode::Delete, &delete);
    server.request(other, 2, OpCode::Create, &create("/e", 0));
    server.request_bytes(closing, 3, OpCode::CloseSession.code(), &[]);
    server.sync();
    assert!(server.replica.node("/e").is_some());
}

#[test]
fn a_ttl_node_written_to_after_it_was_found_to_be_due_stays() {
    let mut server = TestServer::new(settings());
    let (conn, session) = server.connect(1);
    for path in ["/first", "/second"] {
        let CreateRequest {
            path, data, acl, ..
        } = create(path, 5);
        let request = CreateTtlRequest {
            path,
            data,
            acl,
            flags: 5,
            ttl: 1000,
        };
        server.call(conn, OpCode::CreateTtl, &request);
    }
    for _ in 0..8 {
        server.input(Input::Touched(vec![session]));
        server.advance(8_000);
    }
    assert!(server.replica.node("/first").is_none(), "one per turn");
    let set = SetDataRequest {
        path: "/second".into(),
        data: None,
        version: -1,
    };
    server.call(conn, OpCode::SetData, &set);
    server.advance(500);
    assert!(server.replica.node("/second").is_some());
}

#[test]
fn a_container_whose_children_are_gone_is_swept() {
    let mut server = TestServer::new(settings());
    let (conn, session) = server.connect(1);
    server.call(conn, OpCode::CreateContainer, &create("/c", 4));
    server.call(conn, OpCode::Create, &create("/c/x", 0));
    let delete = PathVersion {
        path: "/c/x".into(),
        version: -1,
    };
    let keep_alive = |server: &mut TestServer| {
        for _ in 0..8 {
            server.input(Input::Touched(vec![session]));
            server.advance(8_000);
        }
    };
    keep_alive(&mut server);
    assert!(server.replica.node("/c").is_some());
    server.call(conn, OpCode::Delete, &delete);
    keep_alive(&mut server);
    assert!(server.replica.node("/c").is_none());
}

#[test]
fn versions_are_checked_against_what_is_proposed() {
    let mut server = TestServer::new(settings());
    let (conn, _) = server.connect(1);
    server.call(conn, OpCode::Create, &create("/a", 0));
    server.sync_at_once = false;
    let set = |version| SetDataRequest {
        path: "/a".into(),
        data: None,
        version,
    };
    server.request(conn, 1, OpCode::SetData, &set(0));
    server.request(conn, 2, OpCode::SetData, &set(0));
    server.request(conn, 3, OpCode::SetData, &set(1));
    server.sync();
    let errs: Vec<i32> = server
        .packets(conn)
        .iter()
        .map(|packet| match packet {
            Packet::Reply { err, .. } => *err,
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(errs, [0, ErrorCode::BadVersion.code(), 0]);
}

#[test]
fn requests_of_an_unknown_session_close_the_connection() {
    let mut server = TestServer::new(settings());
    let (conn, _) = server.connect(1);
    server.request_bytes(conn, 1, OpCode::CloseSession.code(), &[]);
    server.input(Input::Disconnected(ConnId(99)));
    assert!(server.is_closing(conn));
}

#[test]
fn a_null_path_consumes_a_zxid() {
    let mut server = TestServer::new(settings());
    let (conn, _) = server.connect(1);
    let before = server.replica.last_zxid();
    server.request_bytes(
        conn,
        1,
        OpCode::Delete.code(),
        &[255, 255, 255, 255, 0, 0, 0, 0],
    );
    let err = ErrorCode::MarshallingError.code();
    let zxid = before.next().0;
    let reply = Packet::Reply {
        xid: 1,
        zxid,
        err,
        body: vec![],
    };
    assert_eq!(server.packets(conn), [reply]);
}

#[test]
fn session_ids_carry_the_server_the_time_and_a_counter() {
    let mut server = TestServer::new(settings());
    let (_, first) = server.connect(1);
    let (_, second) = server.connect(2);
    let id = first.0.cast_unsigned();
    assert_eq!(id >> 56, 1, "a standalone server is number 1");
    let wall_ms = server.now.wall_ms.cast_unsigned();
    assert_eq!((id >> 16) & 0xff_ffff_ffff, wall_ms & 0xff_ffff_ffff);
    assert_eq!(second.0, first.0 + 1);
}

#[test]
fn sweeping_is_paced() {
    let containers = crate::ContainerSettings {
        check_interval_ms: 1000,
        max_per_minute: 60,
        max_never_used_ms: 1,
    };
    let mut server = TestServer::new(crate::Settings {
        containers,
        ..settings()
    });
    let (conn, session) = server.connect(1);
    for path in ["/a", "/b", "/c"] {
        server.call(conn, OpCode::CreateContainer, &create(path, 4));
    }
    let left = |server: &TestServer| {
        ["/a", "/b", "/c"]
            .iter()
            .filter(|path| server.replica.node(path).is_some())
            .count()
    };
    let mut seen = vec![left(&server)];
    for _ in 0..4 {
        server.input(Input::Touched(vec![session]));
        server.advance(1000);
        seen.push(left(&server));
    }
    assert_eq!(seen, [3, 2, 1, 0, 0], "one a second");
}
