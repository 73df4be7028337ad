use crate::Settings;
use crate::testing::{TestServer, settings};
use zooid_proto::request::CreateRequest;
use zooid_proto::{Acl, Limit, MultiOp, MultiRequest, OpCode, Txn, TxnRecord, perms};

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
    CreateRequest {
        path: format!("/an-ephemeral-with-a-long-name-{n:06}"),
        data: None,
        acl: vec![Acl::anyone(perms::ALL)],
        flags: 1,
    }
}

fn log(server: &TestServer) -> Vec<TxnRecord> {
    let records = server.appended.iter();
    records
        .map(|(_, bytes)| TxnRecord::decode(bytes).expect("what was logged can be read"))
        .collect()
}

/// Every record from `first` on is short, and the last one closes the session.
fn check_end(server: &TestServer, first: usize) {
    for (zxid, bytes) in &server.appended[first..] {
        assert!(bytes.len() <= LIMIT, "{zxid} has {} bytes", bytes.len());
    }
    let records = log(server);
    let deleted = |record: &TxnRecord| match &record.txn {
        Txn::Multi(parts) => parts.len(),
        Txn::CloseSession { paths_to_delete } => paths_to_delete.as_ref().map_or(0, Vec::len),
        other => panic!("{other:?}"),
    };
    let all: usize = records[first..].iter().map(deleted).sum();
    assert_eq!(all, EPHEMERALS);
    let last = records.last().expect("there is one");
    assert!(matches!(last.txn, Txn::CloseSession { .. }));
    assert_eq!(server.replica.ephemerals_count(), 0);
    assert_eq!(server.replica.sessions().count(), 0);
}

/// ZOOKEEPER-4306: an ensemble whose servers cannot read the end of a session is bricked.
#[test]
fn a_session_with_many_ephemerals_closes_in_records_that_all_can_read() {
    let mut server = server(true);
    let (conn, _) = server.connect(1);
    for n in 0..EPHEMERALS {
        assert_eq!(server.call(conn, OpCode::Create, &ephemeral(n)).0, 0);
    }
    let first = server.appended.len();
    server.request_bytes(conn, 900, OpCode::CloseSession.code(), &[]);
    assert_eq!(server.packets(conn).len(), 1, "the one reply to the close");
    assert!(server.is_closing(conn));
    check_end(&server, first);
    assert!(server.appended.len() > first + 2);
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
    let first = server.appended.len();
    server.advance(60_000);
    server.sync();
    check_end(&server, first);
}

#[test]
fn without_lists_nothing_needs_to_be_shed() {
    let mut server = server(false);
    let (conn, _) = server.connect(1);
    for n in 0..EPHEMERALS {
        assert_eq!(server.call(conn, OpCode::Create, &ephemeral(n)).0, 0);
    }
    let first = server.appended.len();
    server.request_bytes(conn, 900, OpCode::CloseSession.code(), &[]);
    assert_eq!(server.appended.len(), first + 1);
    assert_eq!(server.replica.ephemerals_count(), 0);
}
