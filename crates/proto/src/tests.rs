use crate::*;
use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;
use bytes::Bytes;

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| alloc::format!("{b:02x}")).collect()
}

#[test]
fn passwords_are_those_of_java() {
    let password = |id: u64| hex(&session_password(SessionId(id.cast_signed())));
    assert_eq!(password(1), "054cc74a37327db215e702e20c73f005");
    assert_eq!(
        password(0xff00_0000_0000_0001),
        "054cc74a37327db215e702e20c73f005"
    );
    assert_eq!(
        password(0x1000_00ab_cdef_0000),
        "6392a56db477dd0a797bc8b31d917902"
    );
}

#[test]
fn zxids_split_into_epoch_and_counter() {
    let zxid = Zxid(0x5_0000_0007);
    assert_eq!(zxid.epoch(), Epoch(5));
    assert_eq!(zxid.counter(), 7);
    assert_eq!(zxid.next(), Zxid(0x5_0000_0008));
    assert_eq!(Zxid::start_of(Epoch(5)), Zxid(0x5_0000_0000));
    assert_eq!(zxid.to_string(), "0x500000007");
    assert_eq!(Zxid::NONE.to_string(), "0xffffffffffffffff");
}

#[test]
fn paths() {
    for ok in [
        "/",
        "/a",
        "/a/b",
        "/a.b",
        "/...",
        "/a/..b",
        "/\u{e4}",
        "/ ",
        "/a\u{d7ff}",
    ] {
        assert!(path::is_valid(ok), "{ok:?}");
    }
    for bad in [
        "",
        "a",
        "//",
        "/a/",
        "/a//b",
        "/.",
        "/..",
        "/a/.",
        "/a/..",
        "/a/./b",
        "/a/../b",
        "/a\u{0}",
        "/\u{1f}",
        "/\u{7f}",
        "/\u{9f}",
        "/\u{e000}",
        "/\u{f8ff}",
        "/\u{fff0}",
        "/\u{1f600}",
    ] {
        assert!(!path::is_valid(bad), "{bad:?}");
    }
    assert_eq!(path::split("/a/b"), Some(("/a", "b")));
    assert_eq!(path::split("/a"), Some(("", "a")));
    assert_eq!(path::parent("/a"), Some("/"));
    assert_eq!(path::parent("a"), None);
}

#[test]
fn every_operation_code_round_trips() {
    for op in OpCode::ALL {
        assert_eq!(OpCode::from_code(op.code()), Some(*op));
    }
    assert_eq!(OpCode::from_code(10), None);
}

#[test]
fn owners() {
    let on = OwnerRules {
        extended_types: true,
        emulate_353_ttl: false,
    };
    let off = OwnerRules::default();
    let old = OwnerRules {
        extended_types: true,
        emulate_353_ttl: true,
    };
    let ttl = EphemeralOwner::Ttl(1234);
    assert_eq!(ttl.to_raw().cast_unsigned(), 0xff00_0000_0000_04d2);
    assert_eq!(EphemeralOwner::from_raw(ttl.to_raw(), on), ttl);
    let as_session = EphemeralOwner::Session(SessionId(ttl.to_raw()));
    assert_eq!(EphemeralOwner::from_raw(ttl.to_raw(), off), as_session);
    assert_eq!(
        EphemeralOwner::from_raw(i64::MIN, off),
        EphemeralOwner::Container
    );
    assert_eq!(
        EphemeralOwner::from_raw(i64::MIN | 7, old),
        EphemeralOwner::Ttl(7)
    );
    assert_eq!(EphemeralOwner::from_raw(0, on), EphemeralOwner::Persistent);
    assert_eq!(EphemeralOwner::from_raw(5, on).visible(), 5);
    assert_eq!(ttl.visible(), 0);
}

#[test]
fn connect_packets_of_old_clients_lack_the_last_byte() {
    let request = ConnectRequest {
        protocol_version: 0,
        last_zxid_seen: Zxid(9),
        timeout_ms: 30_000,
        session_id: SessionId(0),
        password: Some(Bytes::from_static(&[0; 16])),
        read_only: None,
    };
    let bytes = request.to_vec();
    assert_eq!(bytes.len(), 44);
    assert_eq!(
        ConnectRequest::decode(&mut Reader::new(&bytes, Limit::default())),
        Ok(request)
    );
    assert_eq!(ConnectResponse::refused(None).to_vec().len(), 36);
    assert_eq!(ConnectResponse::refused(Some(false)).to_vec().len(), 37);
}

fn round_trip(txn: Txn, digest: Option<TxnDigest>) {
    let header = TxnHeader {
        client_id: SessionId(7),
        cxid: 3,
        zxid: Zxid(0x1_0000_0002),
        time: 1_700_000_000_000,
        op: txn.op_code().code(),
    };
    let record = TxnRecord {
        header,
        txn,
        digest,
    };
    let bytes = Bytes::from(record.encode());
    assert_eq!(TxnRecord::decode(&bytes), Ok(record));
    for cut in 0..bytes.len() {
        // A shorter record is either refused or, where its tail is optional, lacks that tail.
        if let Ok(short) = TxnRecord::decode(&bytes.slice(..cut)) {
            assert_ne!(short.encode(), bytes, "cut at {cut}");
        }
    }
}

fn sample_txns() -> Vec<Txn> {
    let acl = vec![Acl::anyone(perms::ALL)];
    let create = CreateTxn {
        path: "/a".into(),
        data: Some(Bytes::from_static(b"x")),
        acl: acl.clone().into(),
        ephemeral: true,
        parent_cversion: 4,
    };
    let set = SetDataTxn {
        path: "/a".into(),
        data: None,
        version: 2,
    };
    let simple = vec![
        Txn::Error(ErrorCode::NoNode),
        Txn::Create(create.clone()),
        Txn::Create2(create),
        Txn::CreateTtl(CreateTtlTxn {
            path: "/t".into(),
            data: None,
            acl: acl.clone().into(),
            parent_cversion: 1,
            ttl: 5000,
        }),
        Txn::CreateContainer(CreateContainerTxn {
            path: "/c".into(),
            data: None,
            acl: acl.clone().into(),
            parent_cversion: 1,
        }),
        Txn::Delete { path: "/a".into() },
        Txn::DeleteContainer { path: "/c".into() },
        Txn::SetData(set.clone()),
    ];
    let mut all = simple.clone();
    all.push(Txn::Multi(
        simple
            .into_iter()
            .chain([Txn::Check {
                path: "/a".into(),
                version: 3,
            }])
            .collect(),
    ));
    all.push(Txn::Multi(vec![]));
    all.push(Txn::Reconfig(set));
    all.push(Txn::SetAcl(SetAclTxn {
        path: "/a".into(),
        acl: acl.into(),
        version: 1,
    }));
    all.push(Txn::CreateSession { timeout_ms: 4000 });
    all.push(Txn::CloseSession {
        paths_to_delete: None,
    });
    all.push(Txn::CloseSession {
        paths_to_delete: Some(vec![]),
    });
    all.push(Txn::CloseSession {
        paths_to_delete: Some(vec!["/a".into(), "/b".into()]),
    });
    all
}

#[test]
fn transactions_round_trip_with_and_without_digest() {
    for txn in sample_txns() {
        round_trip(
            txn.clone(),
            Some(TxnDigest {
                version: 2,
                tree_digest: -5,
            }),
        );
        if txn
            != (Txn::CloseSession {
                paths_to_delete: None,
            })
        {
            round_trip(txn, None);
        }
    }
}

#[test]
fn a_lone_check_is_not_a_transaction() {
    let bytes = Txn::Check {
        path: "/a".into(),
        version: 1,
    };
    let mut out = Vec::new();
    bytes.encode(&mut out);
    let mut r = Reader::new(&out, Limit::default());
    let unknown = DecodeError::Unknown {
        what: "transaction type",
        value: 13,
    };
    assert_eq!(Txn::decode(&mut r, 13), Err(unknown));
}

#[test]
fn a_huge_count_of_parts_allocates_nothing() {
    let bytes = i32::MAX.to_vec();
    let decoded = Txn::decode(
        &mut Reader::new(&bytes, Limit::default()),
        OpCode::Multi.code(),
    );
    assert!(decoded.is_err());
}

#[test]
fn multi_round_trips() {
    let create = request::CreateRequest {
        path: "/a".into(),
        data: None,
        acl: vec![].into(),
        flags: 0,
    };
    let ops = MultiRequest(vec![
        MultiOp::Create(create.clone()),
        MultiOp::Create2(create.clone()),
        MultiOp::CreateContainer(create),
        MultiOp::Delete(request::PathVersion {
            path: "/a".into(),
            version: -1,
        }),
        MultiOp::Check(request::PathVersion {
            path: "/a".into(),
            version: -1,
        }),
    ]);
    let bytes = ops.to_vec();
    assert_eq!(
        MultiRequest::decode(&mut Reader::new(&bytes, Limit::default())),
        Ok(ops)
    );

    let results = vec![
        MultiResult::Create("/a".into()),
        MultiResult::Create2("/a".into(), Stat::default()),
        MultiResult::Delete,
        MultiResult::SetData(Stat::default()),
        MultiResult::Check,
        MultiResult::GetData(None, Stat::default()),
        MultiResult::GetChildren(vec!["b".into()]),
        MultiResult::Error(ErrorCode::RuntimeInconsistency),
    ];
    let mut bytes = Vec::new();
    MultiResult::encode_all(&results, &mut bytes);
    let mut r = Reader::new(&bytes, Limit::default());
    assert_eq!(MultiResult::decode_all(&mut r), Ok(results));
}

#[test]
fn stats_have_their_published_sizes() {
    assert_eq!(Stat::default().to_vec().len(), 68);
    assert_eq!(StatPersisted::default().to_vec().len(), 60);
}

#[test]
fn error_codes_are_java_s() {
    // `KeeperException.Code` of ZooKeeper 3.9; -3, -4, -7, -100, -113 and -122 are the clients' own.
    for (code, name) in [
        (0, "Ok"),
        (-1, "SystemError"),
        (-2, "RuntimeInconsistency"),
        (-3, "DataInconsistency"),
        (-4, "ConnectionLoss"),
        (-5, "MarshallingError"),
        (-6, "Unimplemented"),
        (-7, "OperationTimeout"),
        (-8, "BadArguments"),
        (-12, "Unknown session"),
        (-13, "NewConfigNoQuorum"),
        (-14, "ReconfigInProgress"),
        (-100, "APIError"),
        (-101, "NoNode"),
        (-102, "NoAuth"),
        (-103, "BadVersion"),
        (-108, "NoChildrenForEphemerals"),
        (-110, "NodeExists"),
        (-111, "Directory not empty"),
        (-112, "Session expired"),
        (-113, "Invalid callback"),
        (-114, "InvalidACL"),
        (-115, "AuthFailed"),
        (-118, "Session moved"),
        (-119, "Not a read-only call"),
        (-120, "Ephemeral node on local session"),
        (-121, "No such watcher"),
        (-122, "Request timeout"),
        (-123, "Reconfig is disabled"),
        (-124, "Session closed because client failed to authenticate"),
        (-125, "Quota has exceeded"),
        (-127, "Op throttled due to high load"),
    ] {
        let known = ErrorCode::from(code);
        assert_eq!((known.code(), known.name()), (code, name));
    }
    assert_eq!(ErrorCode::from(-99), ErrorCode::Other(-99));
    assert_eq!(ErrorCode::Other(-99).code(), -99);
}
