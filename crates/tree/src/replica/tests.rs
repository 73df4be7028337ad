//! The replica against its twin, digests, recovery and reads.

use super::*;
use crate::acl::Access;
use crate::testing::{
    ANYONE, OPTIONS, Script, Twins, assert_same, create, delete, header, open_acl, set_data, step,
};
use crate::{LoadError, ReplicaBuilder};
use proptest::prelude::*;
use zooid_proto::{
    Acl, CreateContainerTxn, CreateTtlTxn, CreateTxn, ErrorCode, Id, OwnerRules, SetAclTxn,
    StatPersisted, Txn, perms,
};

/// Keeps lists of any length, but not many.
const KEEPING: TreeOptions = TreeOptions {
    child_lists: crate::ChildListLimits {
        count_max: 3,
        bytes_max: 200,
        bytes_min: 0,
    },
    ..OPTIONS
};

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_history_leaves_the_same_tree_as_in_the_twin(
        steps in prop::collection::vec(step(), 0..120),
    ) {
        let mut twins = Twins::new();
        for step in &steps {
            twins.step(step);
        }
        assert_same(&twins.replica, &twins.model);
        let size = usize::try_from(twins.replica.approximate_data_size()).unwrap();
        prop_assert_eq!(size, twins.model.data_size());
    }

    #[test]
    fn kept_lists_are_those_that_would_be_made(steps in prop::collection::vec(step(), 0..60)) {
        let mut twins = Twins::with(KEEPING);
        for step in &steps {
            twins.step(step);
            assert_lists_are_right(&twins.replica, "");
        }
    }

    #[test]
    fn replaying_a_history_onto_a_later_state_ends_in_that_state(
        steps in prop::collection::vec(step(), 0..60),
    ) {
        // What fuzzy snapshots need: transactions that they have seen already do no harm.
        let mut twins = Twins::new();
        let mut log = Vec::new();
        for step in &steps {
            let (session, txn) = step.to_txn(&twins.model);
            if twins.model.is_legal(&txn) {
                log.push((header(session, twins.model.zxid + 1, &txn), txn));
                twins.step(step);
            }
        }
        let paths = |replica: &Replica| {
            let model = crate::testing::as_model(replica);
            model.nodes.into_iter().map(|(path, node)| (path, node.data, node.acl))
                .collect::<Vec<_>>()
        };
        let before = paths(&twins.replica);
        for (header, txn) in &log {
            twins.replica.replay(header, txn, None);
        }
        prop_assert_eq!(paths(&twins.replica), before);
    }
}

/// Every node's list, as it is kept and as it is made.
fn assert_lists_are_right(replica: &Replica, path: &str) {
    let (children, _) = replica.get_children(path, &ANYONE, None).unwrap();
    let mut made = Vec::new();
    children.encode(&mut made);
    assert_eq!(made.len(), children.encoded_len());
    for _ in 0..2 {
        let kept = children.kept().expect("short lists are kept, too");
        assert_eq!(kept.encoded, made, "the list of {path:?}");
    }
    for name in children.names() {
        assert_lists_are_right(replica, &format!("{path}/{name}"));
    }
}

#[test]
fn a_kept_list_is_the_same_bytes_until_a_child_comes_or_goes() {
    let mut replica = Replica::new(KEEPING);
    let mut zxid = 0;
    let mut apply = |replica: &mut Replica, txn: &Txn| {
        zxid += 1;
        let applied = replica.apply(&header(1, zxid, txn), txn, None, &mut Vec::new());
        assert_eq!(applied.err, ErrorCode::Ok);
    };
    let found = |replica: &Replica| {
        let (children, _) = replica.get_children("/a", &ANYONE, None).unwrap();
        children.kept().expect("short lists are kept, too").was_kept
    };
    for path in ["/a", "/a/b", "/a/c", "/a/c/d"] {
        apply(&mut replica, &create(path, b""));
    }
    assert!(!found(&replica));
    assert!(found(&replica));
    apply(&mut replica, &set_data("/a", b"1", 1));
    apply(&mut replica, &delete("/a/c/d"));
    assert!(found(&replica), "nothing has happened to the list");
    apply(&mut replica, &create("/a/e", b""));
    assert!(!found(&replica));
    apply(&mut replica, &delete("/a/b"));
    assert!(!found(&replica));
    assert_lists_are_right(&replica, "");
}

#[test]
fn every_part_of_a_long_multi_is_applied_in_a_large_tree() {
    /// More than are read ahead at once, and in a tree that is large enough for that.
    const PARTS: usize = 100;
    const NODES: usize = 70_000;
    let mut replica = Replica::new(OPTIONS);
    for number in 0..NODES {
        let txn = create(&format!("/{number}"), b"");
        let header = header(1, i64::try_from(number).unwrap() + 1, &txn);
        replica.apply(&header, &txn, None, &mut Vec::new());
    }
    let parts = |part: usize| match part % 2 {
        0 => create(&format!("/new-{part}"), b""),
        _ => delete(&format!("/{part}")),
    };
    let txn = Txn::Multi((0..PARTS).map(parts).collect());
    let header = header(1, 100_000, &txn);
    let applied = replica.apply(&header, &txn, None, &mut Vec::new());
    assert_eq!(applied.err, ErrorCode::Ok);
    assert_eq!(applied.multi.len(), PARTS);
    for part in 0..PARTS {
        assert_eq!(
            replica.node(&format!("/new-{part}")).is_some(),
            part % 2 == 0
        );
        assert_eq!(replica.node(&format!("/{part}")).is_some(), part % 2 == 0);
    }
}

#[test]
fn lists_are_made_anew_where_none_may_be_kept() {
    let replica = Replica::new(TreeOptions {
        child_lists: crate::ChildListLimits {
            count_max: 0,
            ..KEEPING.child_lists
        },
        ..KEEPING
    });
    let (children, _) = replica.get_children("/", &ANYONE, None).unwrap();
    assert!(children.kept().is_none());
}

#[test]
fn a_replica_and_its_walks_may_be_shared_by_threads() {
    fn check<T: Send + Sync>() {}
    check::<Replica>();
    check::<Walk>();
}

#[test]
fn a_fresh_tree_has_zookeepers_digest_and_counts() {
    let replica = Replica::new(OPTIONS);
    assert_eq!(replica.digest(), 1_371_985_504);
    assert_eq!(replica.node_count(), 5);
    assert_eq!(replica.approximate_data_size(), 44);
    assert_eq!(replica.last_zxid(), Zxid::ZERO);
    let root = replica.exists("/", &ANYONE, None).unwrap();
    assert_eq!((root.cversion, root.num_children), (-1, 1));
}

#[test]
fn without_digests_the_digest_is_zero() {
    let replica = Replica::new(TreeOptions::default());
    assert_eq!(replica.digest(), 0);
}

#[test]
fn the_root_has_two_names_and_no_others() {
    let replica = Replica::new(OPTIONS);
    assert!(replica.node("").is_some());
    assert!(replica.node("/").is_some());
    for path in [
        "//",
        "a",
        "zookeeper",
        "/zookeeper/",
        "/zookeeper//quota",
        "/quota",
    ] {
        assert!(replica.node(path).is_none(), "{path}");
    }
}

#[test]
fn the_first_failing_part_of_a_multi_undoes_all() {
    let mut script = Script::new();
    let multi = Txn::Multi(vec![
        create("/a", b""),
        Txn::Error(ErrorCode::BadVersion),
        delete("/zookeeper"),
    ]);
    let applied = script.run(&multi);
    assert_eq!(applied.err, ErrorCode::BadVersion);
    let errs: Vec<ErrorCode> = applied.multi.iter().map(|part| part.err).collect();
    let expected = [
        ErrorCode::Ok,
        ErrorCode::BadVersion,
        ErrorCode::RuntimeInconsistency,
    ];
    assert_eq!(errs, expected);
    assert!(script.replica.node("/a").is_none());
    assert_eq!(script.replica.last_zxid(), Zxid(1));
}

#[test]
fn a_failed_multi_as_zookeeper_logs_it_reports_the_logged_codes() {
    let mut script = Script::new();
    let logged = [
        ErrorCode::Ok,
        ErrorCode::NoNode,
        ErrorCode::RuntimeInconsistency,
    ];
    let applied = script.run(&Txn::Multi(logged.map(Txn::Error).to_vec()));
    let errs: Vec<ErrorCode> = applied.multi.iter().map(|part| part.err).collect();
    assert_eq!(errs, logged);
    assert_eq!(applied.err, ErrorCode::NoNode);
}

#[test]
fn a_parents_count_is_raised_but_never_lowered() {
    let mut script = Script::new();
    let create = |path: &str, parent_cversion| {
        Txn::Create2(CreateTxn {
            path: path.into(),
            data: None,
            acl: open_acl().into(),
            ephemeral: false,
            parent_cversion,
        })
    };
    script.run(&create("/a", 5));
    script.run(&create("/b", 3));
    let stat = script.replica.node("/").unwrap().stat_persisted();
    assert_eq!((stat.cversion, stat.pzxid), (5, Zxid(1)));
    script.run(&create("/c", -1));
    let stat = script.replica.node("/").unwrap().stat_persisted();
    assert_eq!((stat.cversion, stat.pzxid), (6, Zxid(3)));
}

#[test]
fn replaying_a_create_onto_its_node_replaces_the_acl_and_for_type_1_dates_the_parent() {
    for (is_v1, expected_cversion) in [(true, 9), (false, 1)] {
        let mut script = Script::new();
        script.run(&create("/a", b"kept"));
        let again = CreateTxn {
            path: "/a".into(),
            data: None,
            acl: vec![Acl::anyone(perms::READ)].into(),
            ephemeral: false,
            parent_cversion: 9,
        };
        let txn = if is_v1 {
            Txn::Create(again)
        } else {
            Txn::Create2(again)
        };
        let applied = script.replica.replay(&header(7, 2, &txn), &txn, None);
        assert_eq!(applied.err, ErrorCode::NodeExists);
        let node = script.replica.node("/a").unwrap();
        assert_eq!(node.data(), Some(b"kept".as_slice()));
        assert_eq!(node.acl()[..], [Acl::anyone(perms::READ)]);
        let root = script.replica.node("/").unwrap().stat_persisted();
        assert_eq!(root.cversion, expected_cversion);
    }
}

#[test]
fn deleting_a_missing_node_still_dates_its_parent() {
    let mut script = Script::new();
    assert_eq!(script.run(&delete("/none")).err, ErrorCode::NoNode);
    let root = script.replica.node("/").unwrap().stat_persisted();
    assert_eq!(root.pzxid, Zxid(1));
    assert_eq!(script.run(&delete("/none/none")).err, ErrorCode::NoNode);
    assert_eq!(script.run(&delete("/")).err, ErrorCode::BadArguments);
}

#[test]
fn replaying_a_deletion_takes_what_is_left_below_along() {
    let mut script = Script::new();
    script.run(&create("/a", b""));
    script.run(&create("/a/b", b""));
    script.run(&create("/a/b/c", b""));
    // Only a fuzzy snapshot has children of a node whose deletion is still to come.
    let applied = (script.replica).replay(&header(7, 4, &delete("/a")), &delete("/a"), None);
    assert_eq!(applied.err, ErrorCode::Ok);
    for path in ["/a", "/a/b", "/a/b/c"] {
        assert!(script.replica.node(path).is_none(), "{path}");
    }
    assert_eq!(script.replica.node_count(), 5);
}

#[test]
fn closing_a_session_deletes_what_is_listed_and_what_is_not() {
    let mut script = Script::new();
    let ephemeral = |path: &str| {
        Txn::Create(CreateTxn {
            path: path.into(),
            data: None,
            acl: open_acl().into(),
            ephemeral: true,
            parent_cversion: -1,
        })
    };
    script.run_as(5, &Txn::CreateSession { timeout_ms: 1000 });
    script.run_as(5, &ephemeral("/a"));
    script.run_as(5, &ephemeral("/b"));
    script.run_as(6, &ephemeral("/c"));
    assert_eq!(script.replica.session_timeout(SessionId(5)), Some(1000));
    assert_eq!(script.replica.ephemerals_count(), 3);
    let close = Txn::CloseSession {
        paths_to_delete: Some(vec!["/a".into(), "/gone".into()]),
    };
    script.run_as(5, &close);
    assert_eq!(script.replica.session_timeout(SessionId(5)), None);
    let left: Vec<_> = script.replica.sessions_with_ephemerals().collect();
    assert_eq!(left, [(SessionId(6), vec!["/c".to_owned()])]);
    assert_eq!(script.replica.finish_recovery(), [SessionId(6)]);
    assert_eq!(script.replica.ephemerals_count(), 0);
    assert!(script.replica.node("/c").is_none());
}

/// ZOOKEEPER-3145: a fuzzy snapshot may have parents from before the end of a session, and its ephemerals no
/// more.
#[test]
fn replaying_the_end_of_a_session_dates_the_parents_of_what_is_listed() {
    let mut script = Script::new();
    script.run(&create("/a", b""));
    script.run(&create("/b", b""));
    let close = Txn::CloseSession {
        paths_to_delete: Some(vec!["/a/gone".into()]),
    };
    script.replica.replay(&header(5, 9, &close), &close, None);
    let pzxid = |path| {
        script
            .replica
            .node(path)
            .map(|node| node.stat_persisted().pzxid)
    };
    assert_eq!(pzxid("/a"), Some(Zxid(9)));
    assert_eq!(pzxid("/b"), Some(Zxid(2)));
}

#[test]
fn containers_and_ttl_nodes_expire_by_their_rules() {
    let mut script = Script::new();
    let container = |path: &str| {
        Txn::CreateContainer(CreateContainerTxn {
            path: path.into(),
            data: None,
            acl: open_acl().into(),
            parent_cversion: -1,
        })
    };
    let ttl = |path: &str, ttl| {
        Txn::CreateTtl(CreateTtlTxn {
            path: path.into(),
            data: None,
            acl: open_acl().into(),
            parent_cversion: -1,
            ttl,
        })
    };
    script.run(&container("/never")); // mtime 10
    script.run(&container("/used"));
    script.run(&create("/used/child", b""));
    script.run(&ttl("/ttl", 100)); // mtime 40
    let expired = |script: &Script, wall_ms, never_used_ms| {
        let mut paths = script.replica.expired_nodes(wall_ms, never_used_ms);
        paths.sort_unstable();
        paths
    };
    assert_eq!(expired(&script, 140, 130), Vec::<String>::new());
    assert_eq!(expired(&script, 141, 130), ["/never", "/ttl"]);
    assert_eq!(expired(&script, 141, 0), ["/ttl"]);
    script.run(&delete("/used/child"));
    assert_eq!(expired(&script, 0, 0), ["/used"]);
    script.run(&set_data("/ttl", b"renewed", 1)); // mtime 60
    assert_eq!(expired(&script, 160, 0), ["/used"]);
    let stat = script.replica.exists("/ttl", &ANYONE, None).unwrap();
    assert_eq!(stat.ephemeral_owner, 0);
}

#[test]
fn with_extended_types_off_a_ttl_owner_is_a_session() {
    let options = TreeOptions {
        digest: true,
        owner_rules: OwnerRules::default(),
        ..OPTIONS
    };
    let mut builder = ReplicaBuilder::new(options);
    let raw = EphemeralOwner::Ttl(5).to_raw();
    let stat = StatPersisted {
        ephemeral_owner: raw,
        ..StatPersisted::default()
    };
    builder
        .node("", None, -1, StatPersisted::default())
        .unwrap();
    builder.node("/t", None, -1, stat).unwrap();
    let replica = builder.finish(Zxid(1)).unwrap();
    assert_eq!(replica.ephemerals_of(SessionId(raw)), ["/t"]);
}

#[test]
fn digests_are_compared_and_logged() {
    let mut script = Script::new();
    let txn = create("/a", b"x");
    for zxid in 1..=300_i64 {
        let digest = TxnDigest {
            version: TxnDigest::VERSION,
            tree_digest: if zxid == 7 {
                1
            } else {
                script.replica.digest()
            },
        };
        let header = header(1, zxid, &txn);
        let txn = Txn::Error(ErrorCode::NoNode);
        script
            .replica
            .apply(&header, &txn, Some(&digest), &mut Vec::new());
    }
    assert_eq!(script.replica.digest_mismatches(), 1);
    let logged: Vec<_> = script.replica.digest_log().collect();
    let digest = script.replica.digest();
    assert_eq!(logged, [(Zxid(128), 2, digest), (Zxid(256), 2, digest)]);
    let other_version = TxnDigest {
        version: 1,
        tree_digest: 1,
    };
    let error = Txn::Error(ErrorCode::NoNode);
    script
        .replica
        .replay(&header(1, 301, &error), &error, Some(&other_version));
    assert_eq!(script.replica.digest_mismatches(), 1);
}

#[test]
fn no_digest_is_compared_before_a_fuzzy_snapshots_own_transaction() {
    let build = |digest_zxid, tree_digest| {
        let mut builder = ReplicaBuilder::new(OPTIONS);
        builder
            .node("", None, -1, StatPersisted::default())
            .unwrap();
        let digest = TxnDigest {
            version: 2,
            tree_digest,
        };
        builder.snapshot_digest(Zxid(digest_zxid), digest);
        builder.finish(Zxid(10)).unwrap()
    };
    let wrong = TxnDigest {
        version: 2,
        tree_digest: 1,
    };
    let error = Txn::Error(ErrorCode::NoNode);
    let replay = |replica: &mut Replica, zxid| {
        replica.replay(&header(1, zxid, &error), &error, Some(&wrong));
        replica.digest_mismatches()
    };
    let right = build(99, 0).digest();

    let mut fuzzy = build(12, right);
    assert_eq!(replay(&mut fuzzy, 11), 0);
    assert_eq!(replay(&mut fuzzy, 12), 1); // the transaction's own digest; the snapshot's was right
    let mut fuzzy_and_wrong = build(12, 5);
    assert_eq!(replay(&mut fuzzy_and_wrong, 12), 2);
    assert_eq!(build(10, right).digest_mismatches(), 0);
    assert_eq!(build(10, 5).digest_mismatches(), 1);
    let mut outdated = build(9, 5);
    assert_eq!(outdated.digest_mismatches(), 0);
    assert_eq!(replay(&mut outdated, 11), 1);
}

#[test]
fn reads_ask_for_existence_then_permission() {
    let mut script = Script::new();
    script.run(&create("/a", b"data"));
    script.run(&Txn::SetAcl(SetAclTxn {
        path: "/a".into(),
        acl: vec![
            Acl::new(perms::READ, "digest", "reader:hash"),
            Acl::new(perms::ADMIN, "digest", "admin:hash:more"),
        ]
        .into(),
        version: 1,
    }));
    let replica = &script.replica;
    let reader = [Id::new("digest", "reader:hash")];
    let admin = [Id::new("digest", "admin:hash:more")];
    let reader = Access {
        ids: &reader,
        skip_acl: false,
    };
    let admin = Access {
        ids: &admin,
        skip_acl: false,
    };

    assert_eq!(replica.exists("/a", &ANYONE, None), Err(ErrorCode::NoAuth));
    assert_eq!(
        replica.exists("/none", &ANYONE, None),
        Err(ErrorCode::NoNode)
    );
    assert_eq!(
        replica.exists("/\0", &ANYONE, None),
        Err(ErrorCode::BadArguments)
    );
    assert_eq!(replica.get_data("/a", &admin, None), Err(ErrorCode::NoAuth));
    let (data, stat) = replica.get_data("/a", &reader, None).unwrap();
    assert_eq!(data, Some(b"data".as_slice()));
    assert_eq!((stat.data_length, stat.aversion), (4, 1));
    assert_eq!(
        replica.get_children("/a", &ANYONE, None).unwrap_err(),
        ErrorCode::NoAuth
    );
    assert_eq!(
        replica.get_acl("/a", &ANYONE).unwrap_err(),
        ErrorCode::NoAuth
    );
    let ids = |access: &Access<'_>| -> Vec<String> {
        let (acl, _) = replica.get_acl("/a", access).unwrap();
        acl.iter().map(|entry| entry.id.to_string()).collect()
    };
    assert_eq!(ids(&reader), ["digest:reader:x", "digest:admin:x"]);
    assert_eq!(
        ids(&admin),
        ["digest:reader:hash", "digest:admin:hash:more"]
    );
}

#[test]
fn all_children_number_counts_as_java_does() {
    let mut script = Script::new();
    for path in ["/a", "/a/b", "/a/b/c", "/ab"] {
        script.run(&create(path, b""));
    }
    let count = |path| script.replica.all_children_number(path, &ANYONE);
    assert_eq!(count("/"), Ok(7));
    assert_eq!(count(""), Ok(8));
    assert_eq!(count("/a"), Ok(2));
    assert_eq!(count("/ab"), Ok(0));
    assert_eq!(count("/none"), Err(ErrorCode::NoNode));
}

#[test]
fn blank_prefixes_mean_every_ephemeral() {
    let mut script = Script::new();
    for path in ["/a", "/b", "/bc"] {
        let txn = CreateTxn {
            path: path.into(),
            data: None,
            acl: open_acl().into(),
            ephemeral: true,
            parent_cversion: -1,
        };
        script.run_as(5, &Txn::Create(txn));
    }
    let with_prefix = |prefix| script.replica.ephemerals_with_prefix(SessionId(5), prefix);
    for all in [None, Some(""), Some(" "), Some("/"), Some(" / ")] {
        assert_eq!(with_prefix(all), ["/a", "/b", "/bc"]);
    }
    assert_eq!(with_prefix(Some("/b")), ["/b", "/bc"]);
    assert!(
        script
            .replica
            .ephemerals_with_prefix(SessionId(6), None)
            .is_empty()
    );
}

#[test]
fn the_config_node_is_set_outside_of_transactions() {
    let mut replica = Replica::new(OPTIONS);
    let digest = replica.digest();
    replica.set_config(b"server.1=...", Zxid(0x100), 5);
    let (data, stat) = replica
        .get_data("/zookeeper/config", &ANYONE, None)
        .unwrap();
    assert_eq!(data, Some(b"server.1=...".as_slice()));
    assert_eq!((stat.version, stat.aversion), (-1, -1));
    assert_eq!(
        (stat.mzxid, stat.mtime, stat.czxid),
        (Zxid(0x100), 5, Zxid::ZERO)
    );
    assert_eq!(replica.digest(), digest);
}

#[test]
fn a_tree_older_than_the_config_node_gets_one() -> Result<(), LoadError> {
    let mut builder = ReplicaBuilder::new(OPTIONS);
    builder.node("", None, -1, StatPersisted::default())?;
    builder.node("/zookeeper", None, -1, StatPersisted::default())?;
    let mut replica = builder.finish(Zxid(1))?;
    replica.set_config(b"x", Zxid(2), 3);
    let node = replica.node("/zookeeper/config").unwrap();
    assert_eq!(node.acl()[..], [Acl::anyone(perms::READ)]);
    Ok(())
}
