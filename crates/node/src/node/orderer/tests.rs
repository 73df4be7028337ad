use crate::testing::{Packet, TestServer, settings};
use crate::{Input, Settings};
use zooid_proto::request::{CreateRequest, PathOnly, PathVersion, SetAclRequest, SetDataRequest};
use zooid_proto::{Acl, ErrorCode, Limit, MultiOp, MultiRequest, OpCode, Txn, TxnRecord, perms};

/// What every server reads, in these tests.
const LIMIT: usize = 4000;
/// As many ephemerals as fill a list of twice that.
const EPHEMERALS: usize = 200;

fn server(close_session_txn: bool) -> TestServer {
    TestServer::new(Settings {
        limit: Limit(LIMIT),
        close_session_txn,
        ..settings()
    })
}

fn ephemeral(n: usize) -> CreateRequest {
    create(&format!("/an-ephemeral-with-a-long-name-{n:06}"), 1)
}

/// The last record closes the session with all its ephemerals, and is short. What it lists.
fn check_end(server: &TestServer, proposed_before: usize) -> Vec<String> {
    let [(_, bytes)] = &server.appended[proposed_before..] else {
        panic!("the end of a session is one transaction");
    };
    assert!(bytes.len() <= LIMIT, "{} bytes", bytes.len());
    assert_eq!(server.replica.ephemerals_count(), 0);
    assert_eq!(server.replica.sessions().count(), 0);
    let record = TxnRecord::decode(bytes).expect("what was logged can be read");
    let digest = record.digest.expect("it has one");
    assert_eq!(digest.tree_digest, server.replica.digest());
    match record.txn {
        Txn::CloseSession { paths_to_delete } => paths_to_delete.unwrap_or_default(),
        other => panic!("{other:?}"),
    }
}

/// ZOOKEEPER-4306: an ensemble whose servers cannot read the end of a session is bricked.
#[test]
fn a_session_with_many_ephemerals_closes_in_one_record_that_all_can_read() {
    let mut server = server(true);
    let (conn, _) = server.connect(1);
    for n in 0..EPHEMERALS {
        assert_eq!(server.call(conn, OpCode::Create, &ephemeral(n)).0, 0);
    }
    let before = server.appended.len();
    server.request_bytes(conn, 900, OpCode::CloseSession.code(), &[]);
    assert_eq!(server.packets(conn).len(), 1, "the one reply to the close");
    assert!(server.is_closing(conn));
    let listed = check_end(&server, before);
    assert!(!listed.is_empty() && listed.len() < EPHEMERALS);
    assert!(listed.is_sorted());
}

#[test]
fn so_does_one_that_expires_and_one_whose_ephemerals_are_pending() {
    let mut server = server(true);
    let (conn, _) = server.connect(1);
    server.sync_at_once = false;
    for chunk in 0..EPHEMERALS / 20 {
        let creations = (0..20).map(|n| MultiOp::Create(ephemeral(20 * chunk + n)));
        let multi = MultiRequest(creations.collect());
        server.request(conn, 1, OpCode::Multi, &multi);
    }
    let before = server.appended.len();
    server.advance(60_000);
    server.sync();
    check_end(&server, before);
}

/// ZOOKEEPER-3145: replay onto a fuzzy snapshot dates the parents of what is listed.
#[test]
fn a_list_that_is_too_short_names_a_child_of_every_parent_first() {
    let mut server = server(true);
    let (conn, _) = server.connect(1);
    let (keeper, _) = server.connect(2);
    let parents: Vec<String> = (0..8).map(|n| format!("/parent-{n}")).collect();
    for parent in &parents {
        server.call(keeper, OpCode::Create, &create(parent, 0));
        for n in 0..EPHEMERALS / parents.len() {
            let child = create(&format!("{parent}/child-with-a-long-name-{n:06}"), 1);
            assert_eq!(server.call(conn, OpCode::Create, &child).0, 0);
        }
    }
    let close = PathOnly {
        path: String::new(),
    };
    server.request(keeper, 900, OpCode::CloseSession, &close);
    let before = server.appended.len();
    server.request(conn, 900, OpCode::CloseSession, &close);
    let listed = check_end(&server, before);
    assert!(listed.len() > parents.len() && listed.len() < EPHEMERALS);
    for parent in &parents {
        let is_below = |path: &String| path.starts_with(parent.as_str());
        assert!(listed.iter().any(is_below), "{parent}");
    }
}

#[test]
fn without_lists_nothing_is_listed() {
    let mut server = server(false);
    let (conn, _) = server.connect(1);
    for n in 0..EPHEMERALS {
        assert_eq!(server.call(conn, OpCode::Create, &ephemeral(n)).0, 0);
    }
    let before = server.appended.len();
    server.request_bytes(conn, 900, OpCode::CloseSession.code(), &[]);
    assert_eq!(check_end(&server, before), Vec::<String>::new());
}

fn create(path: &str, flags: i32) -> CreateRequest {
    CreateRequest {
        path: path.into(),
        data: None,
        acl: vec![Acl::anyone(perms::ALL)].into(),
        flags,
    }
}

fn delete(path: &str) -> PathVersion {
    PathVersion {
        path: path.into(),
        version: -1,
    }
}

fn set(path: &str) -> SetDataRequest {
    SetDataRequest {
        path: path.into(),
        data: Some(Vec::from(*b"data").into()),
        version: -1,
    }
}

/// `SystemError`.
const FULL: i32 = -1;

#[test]
fn on_a_full_disk_only_what_stores_data_is_refused() {
    let mut server = TestServer::new(settings());
    let (conn, _) = server.connect(1);
    for path in ["/a", "/b", "/c"] {
        assert_eq!(server.call(conn, OpCode::Create, &create(path, 0)).0, 0);
    }
    server.input(Input::DiskSpace { is_low: true });
    let logged = server.appended.len();
    let multi = |op| MultiRequest(vec![MultiOp::Delete(delete("/a")), op]);
    let creating = multi(MultiOp::Create(create("/d", 0)));
    let setting = multi(MultiOp::SetData(set("/b")));
    assert_eq!(server.call(conn, OpCode::Create, &create("/d", 1)).0, FULL);
    assert_eq!(server.call(conn, OpCode::Create2, &create("/d", 0)).0, FULL);
    assert_eq!(server.call(conn, OpCode::SetData, &set("/a")).0, FULL);
    assert_eq!(server.call(conn, OpCode::Multi, &creating).0, FULL);
    assert_eq!(server.call(conn, OpCode::Multi, &setting).0, FULL);
    assert_eq!(server.appended.len(), logged, "a refusal takes no room");

    let checking = multi(MultiOp::Check(delete("/b")));
    let acl = SetAclRequest {
        path: "/b".into(),
        acl: vec![Acl::anyone(perms::ALL)].into(),
        version: -1,
    };
    let root = PathOnly { path: "/".into() };
    assert_eq!(server.call(conn, OpCode::Multi, &checking).0, 0);
    assert_eq!(server.call(conn, OpCode::SetAcl, &acl).0, 0);
    assert_eq!(server.call(conn, OpCode::Delete, &delete("/b")).0, 0);
    assert_eq!(server.call(conn, OpCode::Sync, &root).0, 0);
    let (other, _) = server.connect(2);
    server.request(
        other,
        1,
        OpCode::CloseSession,
        &PathOnly {
            path: String::new(),
        },
    );
    assert!(server.is_closing(other));

    server.input(Input::DiskSpace { is_low: false });
    assert_eq!(server.call(conn, OpCode::Create, &create("/d", 0)).0, 0);
    assert_eq!(server.call(conn, OpCode::SetData, &set("/c")).0, 0);
}

#[test]
fn a_refusal_for_want_of_space_comes_in_its_turn() {
    let mut server = TestServer::new(settings());
    let (conn, _) = server.connect(1);
    server.call(conn, OpCode::Create, &create("/a", 0));
    server.input(Input::DiskSpace { is_low: true });
    server.sync_at_once = false;
    server.request(conn, 7, OpCode::Delete, &delete("/a"));
    server.request(conn, 8, OpCode::Create, &create("/b", 0));
    server.request(conn, 9, OpCode::Delete, &delete("/a"));
    assert_eq!(server.packets(conn), []);
    server.sync();
    let replies = server.packets(conn);
    let outcome = |packet: &Packet| match packet {
        Packet::Reply { xid, err, .. } => (*xid, *err),
        other => panic!("{other:?}"),
    };
    let outcomes: Vec<(i32, i32)> = replies.iter().map(outcome).collect();
    assert_eq!(outcomes, [(7, 0), (8, FULL), (9, ErrorCode::NoNode.code())]);
}
