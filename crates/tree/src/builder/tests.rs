//! Streams that are no tree, and ACL numbers.

use super::*;
use crate::acl::Access;
use crate::testing::{ANYONE, OPTIONS, create, header};
use zooid_proto::{ErrorCode, Txn, perms};

fn stat() -> StatPersisted {
    StatPersisted::default()
}

fn with_root() -> ReplicaBuilder {
    let mut builder = ReplicaBuilder::new(OPTIONS);
    builder.node("", None, -1, stat()).unwrap();
    builder
}

#[test]
fn what_is_no_tree_is_refused() {
    let node = |path: &str| with_root().node(path, None, -1, stat());
    assert_eq!(node("/a"), Ok(()));
    assert_eq!(node(""), Err(LoadError::Duplicate(String::new())));
    assert_eq!(node("/a/b"), Err(LoadError::Orphan("/a/b".into())));
    for path in ["a", "/", "/a/"] {
        assert_eq!(node(path), Err(LoadError::BadPath(path.into())), "{path}");
    }
    let mut builder = with_root();
    builder.node("/a", None, -1, stat()).unwrap();
    let again = builder.node("/a", None, -1, stat());
    assert_eq!(again, Err(LoadError::Duplicate("/a".into())));
    let mut rootless = ReplicaBuilder::new(OPTIONS);
    let orphan = rootless.node("/a", None, -1, stat());
    assert_eq!(orphan, Err(LoadError::Orphan("/a".into())));
    assert_eq!(rootless.finish(Zxid(1)).unwrap_err(), LoadError::NoRoot);
}

#[test]
fn acls_keep_their_numbers_and_unused_ones_go() {
    let mut builder = ReplicaBuilder::new(OPTIONS);
    let readers = vec![Acl::new(perms::READ, "digest", "r:h")];
    builder.acl(7, readers.clone());
    builder.acl(9, vec![Acl::new(perms::WRITE, "digest", "unused:h")]);
    builder.acl(3, vec![Acl::anyone(perms::ALL)]);
    builder.node("", None, 3, stat()).unwrap();
    builder.node("/a", None, 7, stat()).unwrap();
    let replica = builder.finish(Zxid(1)).unwrap();
    assert_eq!(replica.node("/a").unwrap().acl()[..], readers[..]);
    assert!(replica.exists("/", &ANYONE, None).is_ok());
    let (_, acls) = replica.storage();
    let mut encoded = Vec::new();
    acls.encode(&mut encoded);
    assert_eq!(encoded[..12], [0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 7]);
}

#[test]
fn an_unexplained_acl_denies_until_the_create_is_replayed() {
    let mut builder = with_root();
    builder.node("/a", Some(b"x"), 42, stat()).unwrap();
    let mut replica = builder.finish(Zxid(1)).unwrap();
    assert_eq!(
        replica.get_data("/a", &ANYONE, None),
        Err(ErrorCode::NoAuth)
    );
    assert!(replica.get_data("/a", &Access::UNCHECKED, None).is_ok());
    let txn = create("/a", b"x");
    replica.replay(&header(1, 2, &txn), &txn, None);
    assert!(replica.get_data("/a", &ANYONE, None).is_ok());
}

#[test]
fn a_new_acl_gets_a_number_above_all_loaded_ones() {
    let mut builder = with_root();
    builder.acl(500, vec![Acl::anyone(perms::READ)]);
    builder.node("/a", None, 500, stat()).unwrap();
    let mut replica = builder.finish(Zxid(1)).unwrap();
    let txn = Txn::SetAcl(zooid_proto::SetAclTxn {
        path: "/".into(),
        acl: vec![Acl::anyone(perms::WRITE)],
        version: 1,
    });
    replica.replay(&header(1, 2, &txn), &txn, None);
    let (nodes, acls) = replica.storage();
    assert_eq!(acls.id(nodes.acl(Slot::ROOT)), 501);
}
