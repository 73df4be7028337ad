use super::{Progress, receive};
use bytes::BytesMut;
use std::io::Cursor;
use zooid_proto::{Acl, CreateTxn, Limit, SessionId, Txn, TxnHeader, Zxid};
use zooid_tree::{Replica, TreeOptions};

fn options() -> TreeOptions {
    TreeOptions::default()
}

fn progress() -> Progress {
    let (core, _) = tokio::sync::mpsc::channel(1);
    Progress::new(core, zooid_zab::LinkId(1))
}

/// A few nodes and a session.
fn replica() -> Replica {
    let mut replica = Replica::new(options());
    let mut zxid = Zxid::ZERO;
    let mut apply = |txn: Txn| {
        zxid = zxid.next();
        let header = TxnHeader {
            client_id: SessionId(7),
            cxid: 1,
            zxid,
            time: 1,
            op: txn.op_code().code(),
        };
        replica.replay(&header, &txn, None);
    };
    apply(Txn::CreateSession { timeout_ms: 4000 });
    for path in ["/a", "/a/b", "/c"] {
        apply(Txn::Create(CreateTxn {
            path: path.into(),
            data: Some(vec![b'x'; 3000].into()),
            acl: vec![Acl::anyone(31)].into(),
            ephemeral: false,
            parent_cversion: 1,
        }));
    }
    replica
}

fn stream(replica: &mut Replica) -> Vec<u8> {
    let mut walk = replica.begin_walk();
    let mut bytes = Vec::new();
    while walk.next_chunk(replica, &mut bytes, 100) {}
    replica.end_walk(walk);
    bytes.extend(b"\0\0\0\x0aBenWasHere");
    bytes
}

#[tokio::test]
async fn what_is_sent_is_what_arrives_and_what_follows_stays() {
    let mut sent = replica();
    let mut bytes = stream(&mut sent);
    bytes.extend(b"and more");
    for already_there in [0, 1, 500, bytes.len()] {
        let mut buffer = BytesMut::from(&bytes[..already_there]);
        let mut socket = Cursor::new(&bytes[already_there..]);
        let zxid = sent.last_zxid();
        let limit = Limit::default();
        let arrived = receive(
            &mut socket,
            &mut buffer,
            zxid,
            options(),
            limit,
            &mut progress(),
        )
        .await;
        let mut arrived = arrived.unwrap();
        assert_eq!(arrived.last_zxid(), zxid);
        assert_eq!(arrived.digest(), sent.digest());
        assert_eq!(stream(&mut arrived), stream(&mut sent));
        assert_eq!(&buffer[..], b"and more");
    }
}

#[tokio::test]
async fn a_snapshot_that_is_not_whole_is_none() {
    let mut sent = replica();
    let bytes = stream(&mut sent);
    let take = async |bytes: &[u8], limit: Limit| {
        let mut socket = Cursor::new(bytes);
        let mut buffer = BytesMut::new();
        let mut progress = progress();
        let (buffer, zxid) = (&mut buffer, Zxid(1));
        let received = receive(&mut socket, buffer, zxid, options(), limit, &mut progress);
        received.await.map(|replica| replica.digest())
    };
    for len in 0..bytes.len() {
        assert!(
            take(&bytes[..len], Limit::default()).await.is_err(),
            "{len}"
        );
    }
    let mut signed_otherwise = bytes.clone();
    *signed_otherwise.last_mut().unwrap() ^= 1;
    assert!(take(&signed_otherwise, Limit::default()).await.is_err());
    assert!(take(&bytes, Limit(2999)).await.is_err(), "too much data");
}
