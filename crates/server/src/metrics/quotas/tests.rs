use super::*;
use bytes::Bytes;
use zooid_proto::{CreateTxn, OpCode, SessionId, Txn, TxnHeader};
use zooid_tree::TreeOptions;

fn create(replica: &mut Replica, path: &str, data: &str) {
    let zxid = replica.last_zxid().next();
    let txn = Txn::Create(CreateTxn {
        path: path.to_owned(),
        data: Some(Bytes::copy_from_slice(data.as_bytes())),
        acl: vec![].into(),
        ephemeral: false,
        parent_cversion: 1,
    });
    let header = TxnHeader {
        client_id: SessionId(1),
        cxid: 0,
        zxid,
        time: 0,
        op: OpCode::Create.code(),
    };
    replica.replay(&header, &txn, None);
}

/// What is used, is counted by the tree itself.
fn quota(replica: &mut Replica, path: &str, limits: &str) {
    create(replica, &format!("{QUOTA}{path}/zookeeper_limits"), limits);
    create(
        replica,
        &format!("{QUOTA}{path}/zookeeper_stats"),
        "count=0,bytes=0",
    );
}

#[test]
fn quotas_below_one_top_level_node_are_added_up() {
    let mut replica = Replica::new(TreeOptions {
        digest: false,
        ..TreeOptions::default()
    });
    assert_eq!(quotas(&replica), BTreeMap::new());
    for path in ["/app", "/app/a", "/app/b", "/other"] {
        create(&mut replica, path, "12345");
        create(&mut replica, &format!("{QUOTA}{path}"), "");
    }
    create(&mut replica, "/app/a/x", "678");
    quota(&mut replica, "/app/a", "count=5,bytes=100");
    let with_hard_limits = "count=7,bytes=-1=;byteHardLimit=50;countHardLimit=9";
    quota(&mut replica, "/app/b", with_hard_limits);
    let app = NamespaceQuota {
        count_limit: 5 + 9,
        bytes_limit: 100 + 50,
        count_used: 2 + 1,
        bytes_used: 8 + 5,
    };
    assert_eq!(quotas(&replica), BTreeMap::from([("app".to_owned(), app)]));
}
