use crate::testing::{Packet, TestServer, connect_request, settings};
use crate::{ConnId, Settings};
use bytes::Bytes;
use zooid_proto::request::{
    AuthPacket, CreateRequest, PathKind, PathOnly, SetAclRequest, SetDataRequest, SetWatches2,
};
use zooid_proto::response::WhoAmIResponse;
use zooid_proto::{
    Acl, ErrorCode, EventType, Jute, Limit, MultiRequest, OpCode, Reader, SessionId, Stat, Txn,
    TxnHeader, TxnRecord, Zxid, perms,
};

fn create(path: &str) -> CreateRequest {
    CreateRequest {
        path: path.into(),
        data: Some(Bytes::from_static(b"v")),
        acl: vec![Acl::anyone(perms::ALL)].into(),
        flags: 0,
    }
}

/// getData, exists, getChildren.
fn watch(path: &str, watch: bool) -> PathKindBool {
    PathKindBool {
        path: path.into(),
        watch,
    }
}

zooid_jute::record! {
    pub struct PathKindBool {
        path: String,
        watch: bool,
    }
}

fn set(path: &str, data: &'static [u8]) -> SetDataRequest {
    SetDataRequest {
        path: path.into(),
        data: Some(Bytes::from_static(data)),
        version: -1,
    }
}

fn summary(packets: &[Packet]) -> Vec<String> {
    packets
        .iter()
        .map(|packet| match packet {
            Packet::Connected(_) => "connected".to_owned(),
            Packet::Reply { xid, err, .. } => format!("reply {xid} {err}"),
            Packet::Event { event, path, .. } => format!("event {event} {path}"),
        })
        .collect()
}

fn data_of(packet: &Packet) -> Option<Bytes> {
    let Packet::Reply { body, .. } = packet else {
        panic!("{packet:?}")
    };
    Reader::new(body, Limit::default()).bytes().unwrap()
}

#[test]
fn a_read_behind_a_write_sees_it_and_nothing_later() {
    let mut server = TestServer::new(settings());
    let (conn, _) = server.connect(1);
    server.call(conn, OpCode::Create, &create("/a"));
    server.sync_at_once = false;
    server.request(conn, 1, OpCode::SetData, &set("/a", b"1"));
    server.request(conn, 2, OpCode::GetData, &watch("/a", false));
    server.request(conn, 3, OpCode::SetData, &set("/a", b"2"));
    server.request(conn, 4, OpCode::GetData, &watch("/a", false));
    assert_eq!(server.packets(conn), []);
    // Both writes commit in one batch, before the socket's task gets to run the read between them.
    server.sync();
    let packets = server.packets(conn);
    assert_eq!(
        summary(&packets),
        ["reply 1 0", "reply 2 0", "reply 3 0", "reply 4 0"]
    );
    assert_eq!(data_of(&packets[1]).as_deref(), Some(&b"1"[..]));
    assert_eq!(data_of(&packets[3]).as_deref(), Some(&b"2"[..]));
}

#[test]
fn reads_of_others_do_not_wait() {
    let mut server = TestServer::new(settings());
    let (writer, _) = server.connect(1);
    let (reader, _) = server.connect(2);
    server.sync_at_once = false;
    server.request(writer, 1, OpCode::Create, &create("/a"));
    server.request(reader, 1, OpCode::Exists, &watch("/a", false));
    let no_node = format!("reply 1 {}", ErrorCode::NoNode.code());
    assert_eq!(summary(&server.packets(reader)), [no_node]);
}

#[test]
fn an_event_precedes_the_reply_of_the_write_that_caused_it_and_newer_data() {
    let mut server = TestServer::new(settings());
    let (conn, _) = server.connect(1);
    let (other, _) = server.connect(2);
    server.call(conn, OpCode::Create, &create("/a"));
    server.call(conn, OpCode::GetData, &watch("/a", true));
    server.call(other, OpCode::GetData, &watch("/a", true));
    server.request(conn, 9, OpCode::SetData, &set("/a", b"new"));
    assert_eq!(summary(&server.packets(conn)), ["event 3 /a", "reply 9 0"]);
    server.request(other, 1, OpCode::GetData, &watch("/a", false));
    assert_eq!(summary(&server.packets(other)), ["event 3 /a", "reply 1 0"]);
    // The watch is spent.
    server.request(conn, 10, OpCode::SetData, &set("/a", b"newer"));
    assert_eq!(server.packets(other), []);
}

#[test]
fn events_need_the_permission_to_read() {
    let mut server = TestServer::new(settings());
    let (owner, _) = server.connect(1);
    let (spy, _) = server.connect(2);
    let auth = AuthPacket {
        auth_type: 0,
        scheme: Some("digest".into()),
        auth: Some(Bytes::from_static(b"me:secret")),
    };
    server.request(owner, -4, OpCode::Auth, &auth);
    server.packets(owner);
    let (err, _) = server.call(
        spy,
        OpCode::AddWatch,
        &PathKind {
            path: "/".into(),
            kind: 1,
        },
    );
    assert_eq!(err, 0);
    let secret = CreateRequest {
        acl: vec![Acl::new(perms::ALL, "auth", "")].into(),
        ..create("/secret")
    };
    assert_eq!(server.call(owner, OpCode::Create, &secret).0, 0);
    server.call(owner, OpCode::Create, &create("/open"));
    assert_eq!(summary(&server.packets(spy)), ["event 1 /open"]);
}

#[test]
fn acls_guard_reads_and_mask_digests() {
    let mut server = TestServer::new(settings());
    let (conn, _) = server.connect(1);
    server.call(conn, OpCode::Create, &create("/a"));
    let acl = vec![
        Acl::new(perms::ADMIN, "digest", "u:hash"),
        Acl::anyone(perms::READ),
    ];
    let set_acl = SetAclRequest {
        path: "/a".into(),
        acl: acl.into(),
        version: -1,
    };
    assert_eq!(server.call(conn, OpCode::SetAcl, &set_acl).0, 0);
    let (err, body) = server.call(conn, OpCode::GetAcl, &PathOnly { path: "/a".into() });
    assert_eq!(err, 0);
    assert!(body.windows(3).any(|w| w == b"u:x"));
    assert_eq!(
        server.call(conn, OpCode::SetData, &set("/a", b"x")).0,
        ErrorCode::NoAuth.code()
    );
    let nobody = SetAclRequest {
        path: "/a".into(),
        acl: vec![Acl::anyone(31)].into(),
        version: -1,
    };
    assert_eq!(
        server.call(conn, OpCode::SetAcl, &nobody).0,
        ErrorCode::NoAuth.code()
    );
}

#[test]
fn unknown_and_internal_operations_are_answered_and_close() {
    for op in [0, -1, 10, 13, 20, -10, 999] {
        let mut server = TestServer::new(settings());
        let (conn, _) = server.connect(1);
        server.request_bytes(conn, 5, op, &[0; 40]);
        let packets = server.packets(conn);
        let [
            Packet::Reply {
                xid: 5,
                zxid: -1,
                err: -6,
                body,
            },
        ] = &packets[..]
        else {
            panic!("{op}: {packets:?}")
        };
        assert!(body.is_empty());
        assert!(server.is_closing(conn), "{op}");
    }
}

#[test]
fn truncated_reads_are_marshalling_errors_and_harm_nobody() {
    let mut server = TestServer::new(settings());
    let (conn, _) = server.connect(1);
    for op in [3, 4, 6, 8, 12, 17, 18, 22, 101, 103, 104, 105, 106] {
        server.request_bytes(conn, 5, op, &[0, 0, 0]);
        assert_eq!(summary(&server.packets(conn)), ["reply 5 -5"], "{op}");
    }
    server.request_bytes(conn, 6, OpCode::Ping.code(), &[]);
    assert_eq!(summary(&server.packets(conn)), ["reply -2 0"]);
}

#[test]
fn a_client_from_the_future_is_sent_away_without_a_byte() {
    let mut server = TestServer::new(settings());
    let conn = server.dial(1);
    let ahead = connect_request(SessionId(0), &[0; 16], Zxid(1));
    server.frame(conn, ahead.to_vec());
    assert!(server.is_closing(conn));
    assert_eq!(server.packets(conn), []);
}

#[test]
fn timeouts_are_negotiated() {
    let mut server = TestServer::new(settings());
    for (id, wished, granted) in [(1, 1, 2000), (2, 7000, 7000), (3, i32::MAX, 20_000)] {
        let conn = server.dial(id);
        let mut request = connect_request(SessionId(0), &[0; 16], Zxid(0));
        request.timeout_ms = wished;
        server.frame(conn, request.to_vec());
        let [Packet::Connected(response)] = &server.packets(conn)[..] else {
            panic!("refused")
        };
        assert_eq!(response.timeout_ms, granted);
    }
}

#[test]
fn set_watches_tells_what_was_missed_before_it_answers() {
    let mut server = TestServer::new(settings());
    let (conn, _) = server.connect(1);
    server.call(conn, OpCode::Create, &create("/old"));
    let seen = server.replica.last_zxid();
    server.call(conn, OpCode::SetData, &set("/old", b"x"));
    let watches = SetWatches2 {
        relative_zxid: seen,
        data_watches: vec!["/old".into(), "/gone".into()],
        exist_watches: vec!["/later".into()],
        child_watches: vec!["/".into()],
        persistent_watches: vec![],
        persistent_recursive_watches: vec![],
    };
    server.request(conn, -8, OpCode::SetWatches2, &watches);
    let packets = server.packets(conn);
    assert_eq!(
        summary(&packets),
        ["event 3 /old", "event 2 /gone", "reply -8 0"]
    );
    assert!(matches!(packets[0], Packet::Event { zxid: -1, .. }));
    server.request(conn, 3, OpCode::Create, &create("/later"));
    assert_eq!(
        summary(&server.packets(conn)),
        ["event 1 /later", "event 4 /", "reply 3 0"]
    );
}

fn auth(scheme: &str, auth: &'static [u8]) -> AuthPacket {
    AuthPacket {
        auth_type: 0,
        scheme: Some(scheme.into()),
        auth: Some(Bytes::from_static(auth)),
    }
}

#[test]
fn who_am_i_never_shows_what_proves_it() {
    let mut server = TestServer::new(settings());
    let (conn, _) = server.connect(1);
    server.request(conn, -4, OpCode::Auth, &auth("digest", b"bob:secret"));
    assert_eq!(summary(&server.packets(conn)), ["reply -4 0"]);
    server.request_bytes(conn, 1, OpCode::WhoAmI.code(), &[]);
    let [Packet::Reply { body, .. }] = &server.packets(conn)[..] else {
        panic!("no reply")
    };
    let who = WhoAmIResponse::decode(&mut Reader::new(body, Limit::default())).unwrap();
    let users: Vec<_> = who
        .client_info
        .iter()
        .map(|c| (&*c.auth_scheme, &*c.user))
        .collect();
    assert_eq!(users, [("ip", "127.0.0.1"), ("digest", "bob")]);
}

#[test]
fn failed_authentication_answers_and_closes() {
    let mut server = TestServer::new(settings());
    let (conn, _) = server.connect(1);
    server.request(conn, -4, OpCode::Auth, &auth("nope", b""));
    assert_eq!(summary(&server.packets(conn)), ["reply -4 -115"]);
    assert!(server.is_closing(conn));
}

#[test]
fn enforced_authentication_lets_nothing_else_pass() {
    let mut server = TestServer::new(Settings {
        required_schemes: vec!["digest".into()],
        ..settings()
    });
    let (conn, _) = server.connect(1);
    let (other, _) = server.connect(2);
    server.request_bytes(conn, 1, OpCode::Ping.code(), &[]);
    assert_eq!(summary(&server.packets(conn)), ["reply 1 -124"]);
    assert!(server.is_closing(conn));
    server.request(other, -4, OpCode::Auth, &auth("digest", b"a:b"));
    server.request_bytes(other, 1, OpCode::Ping.code(), &[]);
    assert_eq!(
        summary(&server.packets(other)),
        ["reply -4 0", "reply -2 0"]
    );
}

/// So many children, with names of so many bytes.
fn grow(server: &mut TestServer, conn: ConnId, parent: &str, count: usize, name_bytes: usize) {
    server.call(conn, OpCode::Create, &create(parent));
    for child in 0..count {
        let path = format!("{parent}/{child:0name_bytes$}");
        server.call(conn, OpCode::Create, &create(&path));
    }
}

fn children_of(packet: &Packet) -> (Vec<String>, usize) {
    let Packet::Reply { body, .. } = packet else {
        panic!("{packet:?}")
    };
    let mut r = Reader::new(body, Limit::default());
    let names = Vec::<String>::decode(&mut r).unwrap();
    (names, r.rest().len())
}

#[test]
fn a_list_that_is_shared_is_read_like_one_that_is_not() {
    const STAT_BYTES: usize = 68;
    let mut server = TestServer::new(settings());
    let (conn, _) = server.connect(1);
    // Made for each, copied for each, and shared by all.
    for (parent, count) in [("/few", 5), ("/some", 50), ("/many", 500)] {
        grow(&mut server, conn, parent, count, 40);
        let mut expected: Vec<String> = (0..count).map(|child| format!("{child:040}")).collect();
        for turn in 0..2 {
            server.request(conn, 1, OpCode::GetData, &watch(parent, false));
            server.request(conn, 2, OpCode::GetChildren, &watch(parent, false));
            server.request(conn, 3, OpCode::GetChildren2, &watch(parent, false));
            server.request(conn, 4, OpCode::GetData, &watch(parent, false));
            let packets = server.packets(conn);
            assert_eq!(
                summary(&packets),
                ["reply 1 0", "reply 2 0", "reply 3 0", "reply 4 0"]
            );
            assert_eq!(children_of(&packets[1]), (expected.clone(), 0));
            assert_eq!(children_of(&packets[2]), (expected.clone(), STAT_BYTES));
            server.call(conn, OpCode::Create, &create(&format!("{parent}/{turn}")));
            expected.push(turn.to_string());
        }
    }
    let sent = server.connection(conn).take_recent().sent;
    // Two parents have lists worth keeping; of four requests for each, two come after a change.
    assert_eq!((sent.lists_made, sent.lists_found), (4, 4));
}

#[test]
fn lists_that_are_shared_count_against_who_does_not_read_them() {
    let mut server = TestServer::new(settings());
    let (slow, _) = server.connect(1);
    grow(&mut server, slow, "/many", 600, 999);
    server.packets(slow);
    for xid in 0..3 {
        server.request(slow, xid, OpCode::GetChildren, &watch("/many", false));
    }
    // As with large data: two fill the outbox, the third waits.
    assert_eq!(server.connection(slow).outstanding(), 1);
    assert!(!server.connection(slow).wants_frames());
    assert_eq!(server.packets(slow).len(), 2);
    assert_eq!(server.packets(slow).len(), 1);
    assert!(server.connection(slow).wants_frames());
}

#[test]
fn a_client_that_does_not_read_is_held_back_and_then_given_up() {
    let mut server = TestServer::new(settings());
    let (slow, _) = server.connect(1);
    let (other, _) = server.connect(2);
    let big = CreateRequest {
        data: Some(Bytes::from(vec![7; 600_000])),
        ..create("/big")
    };
    server.call(other, OpCode::Create, &big);
    for xid in 0..3 {
        server.request(slow, xid, OpCode::GetData, &watch("/big", false));
    }
    // Two replies fill the outbox; the third read waits, and no more frames are taken.
    assert_eq!(server.connection(slow).outstanding(), 1);
    assert!(!server.connection(slow).wants_frames());
    assert_eq!(server.packets(slow).len(), 2);
    assert_eq!(server.packets(slow).len(), 1);
    assert!(server.connection(slow).wants_frames());

    // Events cannot be held back: past the limit the connection is closed.
    let path = format!("/{}", "x".repeat(900_000));
    server.call(other, OpCode::Create, &create(&path));
    let persistent = PathKind {
        path: path.clone(),
        kind: 0,
    };
    server.call(slow, OpCode::AddWatch, &persistent);
    let mut fired = 0;
    while !server.is_closing(slow) {
        let set = SetDataRequest {
            path: path.clone(),
            data: None,
            version: -1,
        };
        server.call(other, OpCode::SetData, &set);
        fired += 1;
        assert!(fired < 100, "the outbox has no bound");
    }
    assert!(fired > 50);
}

#[test]
fn sasl_without_a_configuration_succeeds_with_a_null_token() {
    let mut server = TestServer::new(settings());
    let (conn, _) = server.connect(1);
    server.request_bytes(conn, 3, OpCode::Sasl.code(), &[0, 0, 0, 0]);
    let packets = server.packets(conn);
    let [
        Packet::Reply {
            xid: 3,
            zxid: 0,
            err: 0,
            body,
        },
    ] = &packets[..]
    else {
        panic!("{packets:?}")
    };
    assert_eq!(body[..], [255; 4]);
    server.request_bytes(conn, 4, OpCode::Sasl.code(), &[255; 4]);
    assert_eq!(server.packets(conn), []);
    assert!(server.is_closing(conn));
}

#[test]
fn exists_watches_what_is_missing() {
    let mut server = TestServer::new(settings());
    let (conn, _) = server.connect(1);
    let (err, _) = server.call(conn, OpCode::Exists, &watch("/x", true));
    assert_eq!(err, ErrorCode::NoNode.code());
    server.request(conn, 1, OpCode::Create, &create("/x"));
    let packets = server.packets(conn);
    assert_eq!(summary(&packets), ["event 1 /x", "reply 1 0"]);
    let zxid = server.replica.last_zxid().0;
    let created = EventType::NodeCreated.code();
    assert_eq!(
        packets[0],
        Packet::Event {
            zxid,
            event: created,
            path: "/x".into()
        }
    );
    let (_, body) = server.call(conn, OpCode::Exists, &watch("/x", false));
    let stat = Stat::decode(&mut Reader::new(&body, Limit::default())).unwrap();
    assert_eq!(stat.czxid.0, zxid);
    assert_eq!(stat.data_length, 1);
}

#[test]
fn an_unknown_connection_id_is_nobody() {
    let mut server = TestServer::new(settings());
    server.input(crate::Input::Disconnected(ConnId(42)));
    assert_eq!(server.halted, None);
}

#[test]
fn what_is_sent_is_counted_once() {
    const HEADER_BYTES: i64 = 4 + 8 + 4;
    let mut server = TestServer::new(settings());
    let (conn, _) = server.connect(1);
    assert_eq!(server.connection(conn).take_recent().sent.packets, 1);
    server.request(conn, 1, OpCode::Exists, &watch("/a", true));
    server.request(conn, 2, OpCode::Create, &create("/a"));
    server.packets(conn);
    let sent = server.connection(conn).take_recent().sent;
    assert_eq!(sent.packets, 3);
    // NoNode has no body; a path is a length and its bytes.
    let created_bytes = HEADER_BYTES + 4 + 2;
    assert_eq!(sent.replies.count, 2);
    assert_eq!(sent.replies.min, HEADER_BYTES);
    assert_eq!(sent.replies.max, created_bytes);
    assert_eq!(sent.events.count, 1);
    assert_eq!(sent.events.sum, HEADER_BYTES + 4 + 4 + 4 + 2);
    assert_eq!(sent.last_bytes, created_bytes);
    assert_eq!(
        server.connection(conn).take_recent(),
        crate::Recent::default()
    );
}

#[test]
fn a_write_of_a_session_that_is_gone_is_an_error() {
    let mut server = TestServer::new(settings());
    let (conn, _) = server.connect(1);
    server.sync_at_once = false;
    server.request_bytes(conn, 1, OpCode::CloseSession.code(), &[]);
    server.request(conn, 2, OpCode::Create, &create("/late"));
    server.sync();
    assert_eq!(
        summary(&server.packets(conn)),
        ["reply 1 0"],
        "closing ends the replies"
    );
    assert!(server.replica.node("/late").is_none());
}

#[test]
fn frames_behind_a_connect_request_wait_for_the_session() {
    let mut server = TestServer::new(settings());
    server.sync_at_once = false;
    let conn = server.dial(1);
    assert!(server.connection(conn).wants_frames());
    server.frame(
        conn,
        connect_request(SessionId(0), &[0; 16], Zxid(0)).to_vec(),
    );
    assert!(!server.connection(conn).wants_frames());
    server.sync();
    assert!(server.connection(conn).wants_frames());
}

#[test]
fn a_connection_is_reported_as_heard_once() {
    let mut server = TestServer::new(settings());
    let (conn, session) = server.connect(1);
    for _ in 0..3 {
        server.request_bytes(conn, -2, OpCode::Ping.code(), &[]);
    }
    let connection = server.connection(conn);
    assert!(connection.newly_heard());
    assert!(!connection.newly_heard());
    assert_eq!(connection.take_heard(), Some(session));
    assert_eq!(connection.take_heard(), None);
}

#[test]
fn a_late_request_is_refused_in_its_place_and_changes_nothing() {
    let mut server = TestServer::new(settings());
    let (conn, session) = server.connect(1);
    server.sync_at_once = false;
    server.request(conn, 1, OpCode::Create, &create("/a"));
    server.late_request(conn, 2, OpCode::SetData, &set("/a", b"late").to_vec());
    server.late_request(conn, 3, OpCode::GetData, &watch("/a", true).to_vec());
    server.late_request(conn, -2, OpCode::Ping, &[]);
    server.request(conn, 4, OpCode::SetData, &set("/a", b"2"));
    assert_eq!(server.packets(conn), []);
    server.sync();
    let throttled = ErrorCode::ThrottledOp.code();
    assert_eq!(
        summary(&server.packets(conn)),
        [
            "reply 1 0".to_owned(),
            format!("reply 2 {throttled}"),
            format!("reply 3 {throttled}"),
            "reply -2 0".to_owned(),
            "reply 4 0".to_owned(),
        ]
    );
    // A session's opening, a node's creation and one change: nothing for what came late.
    assert_eq!(server.appended.len(), 3);
    assert_eq!(server.replica.watch_count(), 0);
    server.late_request(conn, 5, OpCode::CloseSession, &[]);
    server.sync();
    assert_eq!(summary(&server.packets(conn)), ["reply 5 0"]);
    assert!(server.replica.sessions().all(|(id, _)| id != session));
}

#[test]
fn bytes_of_large_requests_count_until_they_are_answered() {
    let mut server = TestServer::new(settings());
    let (conn, _) = server.connect(1);
    server.call(conn, OpCode::Create, &create("/a"));
    server.sync_at_once = false;
    let large = set("/a", &[0; 100]);
    let frame_bytes = 8 + large.to_vec().len();
    server.request(conn, 1, OpCode::SetData, &large);
    server.request(conn, 2, OpCode::SetData, &set("/a", b"small"));
    server.request(conn, 3, OpCode::SetData, &large);
    let over = |server: &mut TestServer, size| server.connection(conn).outstanding_bytes_over(size);
    assert_eq!(over(&mut server, 100), 2 * frame_bytes);
    assert_eq!(over(&mut server, frame_bytes), 0);
    server.sync();
    assert_eq!(over(&mut server, 0), 0);
}

#[test]
fn a_part_of_a_multi_whose_session_has_moved_closes_the_connection_without_reply() {
    let mut server = TestServer::new(settings());
    let (conn, session) = server.connect(1);
    server.sync_at_once = false;
    server.request(conn, 1, OpCode::Multi, &MultiRequest(Vec::new()));
    let header = TxnHeader {
        client_id: session,
        cxid: 1,
        zxid: server.replica.last_zxid().next(),
        time: 0,
        op: OpCode::Multi.code(),
    };
    let moved = Txn::Multi(vec![Txn::Error(ErrorCode::SessionMoved)]);
    let applied = (server.replica).apply(&header, &moved, None, &mut Vec::new());
    let record = TxnRecord {
        header,
        txn: moved,
        digest: None,
    };
    server.with(Some(conn), |connection, ctx| {
        connection.on_commit(ctx, &record, &applied);
    });
    assert_eq!(server.packets(conn), []);
    assert!(server.is_closing(conn));
}
