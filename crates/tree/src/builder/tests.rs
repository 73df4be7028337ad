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
    let mut rootless = ReplicaBuilder::new(OPTIONS);
    let orphan = rootless.node("/a", None, -1, stat());
    assert_eq!(orphan, Err(LoadError::Orphan("/a".into())));
    assert_eq!(rootless.finish(Zxid(1)).unwrap_err(), LoadError::NoRoot);
}

/// The nodes of a stream that are more than wait for one another, with an order that jumps between
/// parents, `again` somewhere behind them.
fn load_many(again: Option<&str>) -> Result<Replica, LoadError> {
    let mut builder = with_root();
    for directory in 0..100 {
        builder.node(&format!("/d{directory}"), None, -1, stat())?;
    }
    for child in 0..100 {
        for directory in 0..100 {
            let path = format!("/d{directory}/c{child}");
            builder.node(&path, Some(path.as_bytes()), -1, stat())?;
        }
    }
    if let Some(path) = again {
        builder.node(path, None, -1, stat())?;
    }
    builder.node("/d5/c5/below", None, -1, stat())?;
    builder.finish(Zxid(1))
}

#[test]
fn nodes_are_found_in_whichever_order_they_came() {
    let replica = load_many(None).unwrap();
    assert_eq!(replica.node_count(), 2 + 100 + 100 * 100 + 1);
    for path in ["/d0", "/d99", "/d5/c5/below", "/d0/c0", "/d99/c99"] {
        assert_eq!(replica.node(path).unwrap().path(), path);
    }
    let data = replica.node("/d42/c7").unwrap().data();
    assert_eq!(data, Some(&b"/d42/c7"[..]));
    assert!(replica.node("/d5/c100").is_none());
    for path in ["/d3", "/d5/c5", "/d99/c99"] {
        let twice = load_many(Some(path)).unwrap_err();
        assert_eq!(twice, LoadError::Duplicate(path.into()));
    }
}

/// Whichever node of the same path becomes the parent, the load fails.
#[test]
fn a_node_that_came_twice_is_refused_with_children_below_either() {
    for before_end in ["/a/b", "/c"] {
        let mut builder = with_root();
        let mut load = || {
            for path in ["/a", "/a/x", "/a", before_end] {
                builder.node(path, None, -1, stat())?;
            }
            Ok(())
        };
        let loaded = load().and_then(|()| builder.finish(Zxid(1)).map(drop));
        assert_eq!(loaded, Err(LoadError::Duplicate("/a".into())));
    }
}

#[test]
fn acls_keep_their_numbers_and_unused_ones_go() {
    let mut builder = ReplicaBuilder::new(OPTIONS);
    let readers = vec![Acl::new(perms::READ, "digest", "r:h")];
    builder.acl(7, &AclList::from(readers.clone()));
    builder.acl(
        9,
        &AclList::from(vec![Acl::new(perms::WRITE, "digest", "unused:h")]),
    );
    builder.acl(3, &AclList::from(vec![Acl::anyone(perms::ALL)]));
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
    builder.acl(500, &AclList::from(vec![Acl::anyone(perms::READ)]));
    builder.node("/a", None, 500, stat()).unwrap();
    let mut replica = builder.finish(Zxid(1)).unwrap();
    let txn = Txn::SetAcl(zooid_proto::SetAclTxn {
        path: "/".into(),
        acl: vec![Acl::anyone(perms::WRITE)].into(),
        version: 1,
    });
    replica.replay(&header(1, 2, &txn), &txn, None);
    let (nodes, acls) = replica.storage();
    assert_eq!(acls.id(nodes.acl(Slot::ROOT)), 501);
}
