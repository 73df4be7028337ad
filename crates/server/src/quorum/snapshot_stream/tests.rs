use super::{Progress, Target, receive};
use bytes::BytesMut;
use std::io::Cursor;
use std::path::Path;
use std::sync::Arc;
use zooid_proto::{Acl, CreateTxn, Limit, SessionId, Txn, TxnHeader, Zxid};
use zooid_storage::disk::{Disk, SimulatedDisk};
use zooid_storage::{Dirs, SnapshotOptions, Snapshots};
use zooid_tree::{Replica, TreeOptions};

fn options() -> TreeOptions {
    TreeOptions::default()
}

fn progress() -> Progress {
    let (core, _) = tokio::sync::mpsc::channel(1);
    Progress::new(core, zooid_zab::LinkId(1))
}

fn snapshots() -> Arc<Snapshots> {
    let disk: Arc<dyn Disk> = Arc::new(SimulatedDisk::new(1));
    let dirs = Dirs::new(Path::new("/data"), None);
    dirs.prepare(&*disk, true).unwrap();
    Arc::new(Snapshots::new(disk, &dirs))
}

fn target(snapshots: &Arc<Snapshots>) -> Target {
    Target {
        snapshots: Arc::clone(snapshots),
        file: SnapshotOptions::default(),
        tree: options(),
    }
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
        let snapshots = snapshots();
        let received = receive(
            &mut socket,
            &mut buffer,
            zxid,
            target(&snapshots),
            limit,
            &mut progress(),
        )
        .await;
        let received = received.unwrap();
        let mut arrived = *received.replica;
        assert_eq!(arrived.last_zxid(), zxid);
        assert_eq!(arrived.digest(), sent.digest());
        assert_eq!(stream(&mut arrived), stream(&mut sent));
        assert_eq!(&buffer[..], b"and more");

        assert_eq!(snapshots.all().unwrap(), [], "not before it is completed");
        let draft = received.file.wait().unwrap().unwrap();
        let ticket = snapshots.ticket();
        let file = snapshots.complete(draft, ticket, arrived.digest()).unwrap();
        let mut loaded = snapshots.load(&file, options()).unwrap();
        assert_eq!(stream(&mut loaded.replica), stream(&mut sent));
        let digest = loaded.trailer.digest.unwrap();
        assert_eq!(digest.digest.tree_digest, sent.digest());
    }
}

#[tokio::test]
async fn a_snapshot_that_is_not_whole_is_none() {
    let mut sent = replica();
    let bytes = stream(&mut sent);
    let snapshots = snapshots();
    let take = async |bytes: &[u8], limit: Limit| {
        let mut socket = Cursor::new(bytes);
        let mut buffer = BytesMut::new();
        let mut progress = progress();
        let (buffer, zxid) = (&mut buffer, Zxid(1));
        let target = target(&snapshots);
        let received = receive(&mut socket, buffer, zxid, target, limit, &mut progress);
        received.await.map(|received| received.replica.digest())
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
    assert_eq!(snapshots.all().unwrap(), [], "and no file is believed");
}

#[tokio::test]
async fn what_makes_no_tree_is_refused_with_the_reason() {
    let mut bytes = stream(&mut replica());
    // The parent of /a/b is not there.
    let at = bytes.windows(6).position(|w| w == b"\0\0\0\x02/a").unwrap();
    bytes[at + 5] = b'x';
    let mut buffer = BytesMut::new();
    let (mut socket, mut progress) = (Cursor::new(bytes), progress());
    let (target, limit) = (target(&snapshots()), Limit::default());
    let zxid = Zxid(1);
    let received = receive(&mut socket, &mut buffer, zxid, target, limit, &mut progress);
    let error = received.await.unwrap_err();
    assert!(error.contains("/a/b"), "{error}");
}
