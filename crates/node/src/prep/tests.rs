use crate::Settings;
use crate::testing::{TestServer, settings};
use bytes::Bytes;
use zooid_proto::request::{
    CreateRequest, CreateTtlRequest, PathVersion, SetAclRequest, SetDataRequest,
};
use zooid_proto::{
    Acl, ConnectResponse, EphemeralOwner, ErrorCode, Jute, Limit, MultiOp, MultiRequest,
    MultiResult, OpCode, OwnerRules, Reader, Txn, TxnRecord, perms,
};

fn create(path: &str, flags: i32) -> CreateRequest {
    CreateRequest {
        path: path.into(),
        data: None,
        acl: vec![Acl::anyone(perms::ALL)].into(),
        flags,
    }
}

fn ttl(path: &str, flags: i32, ttl: i64) -> CreateTtlRequest {
    let CreateRequest {
        path,
        data,
        acl,
        flags,
    } = create(path, flags);
    CreateTtlRequest {
        path,
        data,
        acl,
        flags,
        ttl,
    }
}

fn delete(path: &str, version: i32) -> PathVersion {
    PathVersion {
        path: path.into(),
        version,
    }
}

fn set(path: &str, len: usize, version: i32) -> SetDataRequest {
    SetDataRequest {
        path: path.into(),
        data: Some(Bytes::from(vec![1; len])),
        version,
    }
}

struct Client {
    server: TestServer,
    conn: crate::ConnId,
}

impl Client {
    fn new(settings: Settings) -> Client {
        let mut server = TestServer::new(settings);
        let (conn, _) = server.connect(1);
        Client { server, conn }
    }

    fn err(&mut self, op: OpCode, body: &impl Jute) -> ErrorCode {
        self.server.call(self.conn, op, body).0.into()
    }

    fn ok(&mut self, op: OpCode, body: &impl Jute) -> Vec<u8> {
        let (err, reply) = self.server.call(self.conn, op, body);
        assert_eq!(err, 0);
        reply
    }

    fn multi(&mut self, ops: Vec<MultiOp>) -> Vec<MultiResult> {
        let reply = self.ok(OpCode::Multi, &MultiRequest(ops));
        MultiResult::decode_all(&mut Reader::new(&reply, Limit::default())).unwrap()
    }
}

#[test]
fn the_first_broken_rule_of_create_decides() {
    let mut c = Client::new(settings());
    c.ok(OpCode::Create, &create("/e", 1));
    c.ok(
        OpCode::Create,
        &CreateRequest {
            acl: vec![Acl::anyone(perms::READ)].into(),
            ..create("/ro", 0)
        },
    );
    let no_acl = |path: &str, flags| CreateRequest {
        acl: vec![].into(),
        ..create(path, flags)
    };
    for (request, expected) in [
        (no_acl("nope", 9), ErrorCode::BadArguments),
        (no_acl("nope", 0), ErrorCode::BadArguments),
        (no_acl("/missing/x", 0), ErrorCode::InvalidAcl),
        (create("/missing/x", 0), ErrorCode::NoNode),
        (create("/ro/.", 0), ErrorCode::NoAuth),
        (create("/e/.", 0), ErrorCode::BadArguments),
        (create("/e/x", 0), ErrorCode::NoChildrenForEphemerals),
        (create("/e", 0), ErrorCode::NodeExists),
        (create("/", 0), ErrorCode::NodeExists),
        (create("/x/", 0), ErrorCode::NoNode),
        (create("", 0), ErrorCode::BadArguments),
        (create("/ttl", 5), ErrorCode::BadArguments),
    ] {
        assert_eq!(c.err(OpCode::Create, &request), expected, "{request:?}");
    }
}

#[test]
fn ttl_nodes_need_their_switch_and_a_legal_time() {
    let mut c = Client::new(settings());
    for (request, expected) in [
        (ttl("/a", 5, 0), ErrorCode::BadArguments),
        (ttl("/a", 5, -1), ErrorCode::BadArguments),
        (ttl("/a", 5, 1 << 40), ErrorCode::BadArguments),
        (ttl("/a", 0, 100), ErrorCode::BadArguments),
        (ttl("/a", 0, -1), ErrorCode::BadArguments),
        (ttl("/a", 5, (1 << 40) - 1), ErrorCode::Ok),
    ] {
        assert_eq!(c.err(OpCode::CreateTtl, &request), expected, "{request:?}");
    }
    let owner = c.server.replica.node("/a").unwrap().owner();
    assert_eq!(owner, EphemeralOwner::Ttl((1 << 40) - 1));
    let mut off = Client::new(Settings {
        owner_rules: OwnerRules::default(),
        ..settings()
    });
    assert_eq!(
        off.err(OpCode::CreateTtl, &ttl("/a", 5, 100)),
        ErrorCode::Unimplemented
    );
}

#[test]
fn the_operation_decides_the_kind_whatever_the_flags_say() {
    let mut c = Client::new(settings());
    c.ok(OpCode::Create, &create("/plain", 4));
    c.ok(OpCode::CreateContainer, &create("/container", 0));
    c.ok(OpCode::CreateContainer, &create("/container2", 1));
    let owner = |c: &Client, path| c.server.replica.node(path).unwrap().owner();
    assert_eq!(owner(&c, "/plain"), EphemeralOwner::Persistent);
    assert_eq!(owner(&c, "/container"), EphemeralOwner::Container);
    assert_eq!(owner(&c, "/container2"), EphemeralOwner::Container);
}

#[test]
fn sequence_numbers_count_creations() {
    let mut c = Client::new(settings());
    c.ok(OpCode::Create, &create("/q", 0));
    let name = |reply: Vec<u8>| String::decode(&mut Reader::new(&reply, Limit::default())).unwrap();
    assert_eq!(
        name(c.ok(OpCode::Create, &create("/q/", 2))),
        "/q/0000000000"
    );
    assert_eq!(
        name(c.ok(OpCode::Create, &create("/q/x", 3))),
        "/q/x0000000001"
    );
    c.ok(OpCode::Delete, &delete("/q/0000000000", 0));
    assert_eq!(
        name(c.ok(OpCode::Create, &create("/q/", 2))),
        "/q/0000000002"
    );
}

#[test]
fn the_first_broken_rule_of_delete_decides() {
    let mut c = Client::new(settings());
    c.ok(OpCode::Create, &create("/a", 0));
    c.ok(OpCode::Create, &create("/a/b", 0));
    c.ok(
        OpCode::Create,
        &CreateRequest {
            acl: vec![Acl::anyone(perms::ALL & !perms::DELETE)].into(),
            ..create("/keep", 0)
        },
    );
    c.ok(OpCode::Create, &create("/keep/x", 0));
    for (request, expected) in [
        (delete("/", -1), ErrorCode::BadArguments),
        (delete("/zookeeper/quota", -1), ErrorCode::BadArguments),
        (delete("a", -1), ErrorCode::BadArguments),
        (delete("/x/y", -1), ErrorCode::NoNode),
        (delete("/keep/missing", -1), ErrorCode::NoAuth),
        (delete("/keep/x", -1), ErrorCode::NoAuth),
        (delete("/x", -1), ErrorCode::NoNode),
        (delete("/a", 3), ErrorCode::BadVersion),
        (delete("/a", 0), ErrorCode::NotEmpty),
        (delete("/a/b", 0), ErrorCode::Ok),
        (delete("/a", 0), ErrorCode::Ok),
    ] {
        assert_eq!(c.err(OpCode::Delete, &request), expected, "{request:?}");
    }
}

#[test]
fn a_version_never_becomes_the_one_that_means_any() {
    assert_eq!(super::next_version(-2, -1), Ok(0));
    assert_eq!(super::next_version(i32::MAX, i32::MAX), Ok(i32::MIN));
    assert_eq!(super::next_version(3, 4), Err(ErrorCode::BadVersion));
}

#[test]
fn a_multi_sees_its_own_effects_and_shares_one_zxid() {
    let mut c = Client::new(settings());
    let results = c.multi(vec![
        MultiOp::Create(create("/m", 0)),
        MultiOp::Create2(create("/m/x", 0)),
        MultiOp::SetData(set("/m/x", 3, 0)),
        MultiOp::Check(delete("/m/x", 1)),
        MultiOp::Delete(delete("/m/x", 1)),
    ]);
    assert!(matches!(results[0], MultiResult::Create(_)));
    assert_eq!(
        results[1],
        MultiResult::Create("/m/x".into()),
        "create2 is create in a multi"
    );
    assert!(matches!(results[2], MultiResult::SetData(stat) if stat.version == 1));
    assert_eq!(results[3..], [MultiResult::Check, MultiResult::Delete]);
    assert!(c.server.replica.node("/m/x").is_none());
}

#[test]
fn a_write_behind_a_set_acl_obeys_the_new_one() {
    let mut c = Client::new(settings());
    c.ok(OpCode::Create, &create("/a", 0));
    let read_only = SetAclRequest {
        path: "/a".into(),
        acl: vec![Acl::anyone(perms::READ)].into(),
        version: -1,
    };
    c.server.sync_at_once = false;
    c.server.request(c.conn, 1, OpCode::SetAcl, &read_only);
    c.server
        .request(c.conn, 2, OpCode::SetData, &set("/a", 1, -1));
    c.server.sync();
    let packets = c.server.packets(c.conn);
    for (packet, expected) in packets.iter().zip([ErrorCode::Ok, ErrorCode::NoAuth]) {
        assert!(
            matches!(packet, crate::testing::Packet::Reply { err, .. } if *err == expected.code()),
            "{packet:?}"
        );
    }
    assert_eq!(packets.len(), 2);
}

#[test]
fn a_failed_multi_leaves_no_trace_in_what_is_pending() {
    let mut c = Client::new(settings());
    c.ok(OpCode::Create, &create("/a", 0));
    let failing = MultiRequest(vec![
        MultiOp::SetData(set("/a", 3, 0)),
        MultiOp::Create(create("/a/b", 0)),
        MultiOp::Delete(delete("/nope", -1)),
        MultiOp::Create(create("/z", 0)),
    ]);
    c.server.sync_at_once = false;
    c.server.request(c.conn, 1, OpCode::Multi, &failing);
    // Proposed behind it, before it is applied: must not see a thing of it.
    c.server
        .request(c.conn, 2, OpCode::SetData, &set("/a", 1, 0));
    c.server
        .request(c.conn, 3, OpCode::Delete, &delete("/a", 1));
    c.server.sync();
    let packets = c.server.packets(c.conn);
    let crate::testing::Packet::Reply { err: 0, body, .. } = &packets[0] else {
        panic!("{packets:?}")
    };
    let results = MultiResult::decode_all(&mut Reader::new(body, Limit::default())).unwrap();
    let error = MultiResult::Error;
    assert_eq!(
        results,
        [
            error(ErrorCode::Ok),
            error(ErrorCode::Ok),
            error(ErrorCode::NoNode),
            error(ErrorCode::RuntimeInconsistency)
        ]
    );
    for packet in &packets[1..] {
        assert!(
            matches!(packet, crate::testing::Packet::Reply { err: 0, .. }),
            "{packet:?}"
        );
    }
    assert!(c.server.replica.node("/a").is_none());
}

/// Of nodes that were there, that are pending, that come and go, and that a failed multi had changed: applying
/// finds the digest that was proposed.
#[test]
fn what_is_proposed_has_the_digest_of_the_tree_after_it() {
    let mut c = Client::new(settings());
    let with_data = |path: &str| CreateRequest {
        data: Some(Bytes::from_static(b"data")),
        ..create(path, 0)
    };
    c.ok(OpCode::Create, &with_data("/leaf"));
    c.ok(OpCode::Create, &with_data("/guarded"));
    c.server.sync_at_once = false;
    let guard = SetAclRequest {
        path: "/guarded".into(),
        acl: vec![Acl::anyone(perms::READ)].into(),
        version: -1,
    };
    let children = (0..40).map(|n| MultiOp::Create(with_data(&format!("/new/{n:02}"))));
    let growing = [MultiOp::Create(with_data("/new"))].into_iter();
    let growing = growing.chain(children).chain([
        MultiOp::SetData(set("/new", 300, -1)),
        MultiOp::Delete(delete("/new/07", -1)),
        MultiOp::Create(create("/new/07", 0)),
        MultiOp::Create(create("/new/07/below", 0)),
    ]);
    let failing = vec![
        MultiOp::SetData(set("/new", 7, -1)),
        MultiOp::Create(create("/new/again", 0)),
        MultiOp::Create(create("/leaf", 0)),
    ];
    let shrinking = vec![
        MultiOp::Create(create("/leaf/first/second", 0)),
        MultiOp::Delete(delete("/leaf/first/second", -1)),
        MultiOp::Delete(delete("/leaf/first", -1)),
        MultiOp::SetData(set("/leaf", 0, -1)),
    ];
    let conn = c.conn;
    let server = &mut c.server;
    server.request(conn, 1, OpCode::Create, &create("/leaf/first", 0));
    server.request(conn, 2, OpCode::SetAcl, &guard);
    server.request(conn, 3, OpCode::Multi, &MultiRequest(growing.collect()));
    server.request(conn, 4, OpCode::Multi, &MultiRequest(failing));
    server.request(conn, 5, OpCode::Multi, &MultiRequest(shrinking));
    server.request(conn, 6, OpCode::SetData, &set("/new", 3, 1));
    let before = server.appended.len();
    server.sync();
    assert_eq!(server.replica.digest_mismatches(), 0);
    assert_eq!(server.replica.node("/new").unwrap().stat().version, 2);
    assert_eq!(server.replica.node("/leaf").unwrap().child_count(), 0);
    let (_, last) = &server.appended[before - 1];
    let digest = TxnRecord::decode(last).unwrap().digest.unwrap();
    assert_eq!(digest.tree_digest, server.replica.digest());
}

#[test]
fn an_empty_multi_is_legal() {
    let mut c = Client::new(settings());
    assert_eq!(c.multi(vec![]), []);
}

#[test]
fn hard_quotas_refuse_and_soft_ones_do_not() {
    let mut c = Client::new(settings());
    c.ok(OpCode::Create, &create("/q", 0));
    for path in ["/zookeeper/quota/q", "/zookeeper/quota/q/zookeeper_stats"] {
        c.ok(OpCode::Create, &create(path, 0));
    }
    let limits = CreateRequest {
        data: Some(Bytes::from_static(
            b"count=1,bytes=1=;byteHardLimit=10;countHardLimit=3",
        )),
        ..create("/zookeeper/quota/q/zookeeper_limits", 0)
    };
    c.ok(OpCode::Create, &limits);
    c.ok(OpCode::Create, &create("/q/a", 0));
    c.ok(OpCode::Create, &create("/q/b", 0));
    assert_eq!(
        c.err(OpCode::Create, &create("/q/c", 0)),
        ErrorCode::QuotaExceeded
    );
    c.ok(OpCode::SetData, &set("/q/a", 10, -1));
    assert_eq!(
        c.err(OpCode::SetData, &set("/q/b", 1, -1)),
        ErrorCode::QuotaExceeded
    );
    // The version is looked at after the quota.
    assert_eq!(
        c.err(OpCode::SetData, &set("/q/b", 1, 9)),
        ErrorCode::QuotaExceeded
    );
    c.ok(OpCode::SetData, &set("/q/a", 5, -1));
    c.ok(OpCode::SetData, &set("/q/b", 5, -1));
}

#[test]
fn every_quota_that_is_exceeded_is_told_once() {
    let mut c = Client::new(settings());
    let limits = |text: &'static str| SetDataRequest {
        path: "/zookeeper/quota/q/zookeeper_limits".into(),
        data: Some(Bytes::from_static(text.as_bytes())),
        version: -1,
    };
    for path in [
        "/q",
        "/zookeeper/quota/q",
        "/zookeeper/quota/q/zookeeper_stats",
        "/zookeeper/quota/q/zookeeper_limits",
    ] {
        c.ok(OpCode::Create, &create(path, 0));
    }
    let told = |c: &mut Client| -> Vec<String> {
        let exceeded = c.server.node.take_exceeded_quotas();
        assert!(exceeded.iter().all(|quota| quota.namespace() == "q"));
        exceeded.iter().map(ToString::to_string).collect()
    };
    c.ok(OpCode::SetData, &limits("count=1,bytes=3"));
    c.ok(OpCode::Create, &create("/q/a", 0));
    c.ok(OpCode::SetData, &set("/q/a", 4, -1));
    c.ok(OpCode::SetData, &set("/q/a", 3, -1));
    assert_eq!(
        told(&mut c),
        [
            "Quota exceeded: /q [current count=2, softCountLimit=1]",
            "Quota exceeded: /q [current bytes=4, softByteLimit=3]",
        ]
    );
    c.ok(
        OpCode::SetData,
        &limits("count=1,bytes=3=;countHardLimit=2"),
    );
    c.err(OpCode::Create, &create("/q/b", 0));
    assert_eq!(
        told(&mut c),
        ["Quota exceeded: /q [current count=3, hardCountLimit=2]"]
    );
    assert!(told(&mut c).is_empty());
}

#[test]
fn reconfiguration_is_disabled() {
    let mut c = Client::new(settings());
    let body = ConnectResponse::refused(None).to_vec();
    c.server
        .request_bytes(c.conn, 1, OpCode::Reconfig.code(), &body);
    assert_eq!(c.server.packets(c.conn).len(), 1);
    let request = zooid_proto::request::ReconfigRequest {
        joining_servers: None,
        leaving_servers: None,
        new_members: None,
        cur_config_id: -1,
    };
    assert_eq!(
        c.err(OpCode::Reconfig, &request),
        ErrorCode::ReconfigDisabled
    );
}

#[test]
fn inside_a_multi_the_flags_decide_the_kind() {
    let mut c = Client::new(settings());
    c.multi(vec![
        MultiOp::Create(create("/container", 4)),
        MultiOp::CreateContainer(create("/plain", 0)),
        MultiOp::CreateTtl(ttl("/ttl", 5, 1000)),
        MultiOp::CreateTtl(ttl("/plain2", 0, 1000)),
        MultiOp::Create2(create("/plain3", 0)),
    ]);
    let owner = |path| c.server.replica.node(path).unwrap().owner();
    assert_eq!(owner("/container"), EphemeralOwner::Container);
    assert_eq!(owner("/ttl"), EphemeralOwner::Ttl(1000));
    for path in ["/plain", "/plain2", "/plain3"] {
        assert_eq!(owner(path), EphemeralOwner::Persistent, "{path}");
    }
    let record = TxnRecord::decode(&c.server.appended.last().unwrap().1).unwrap();
    let Txn::Multi(txns) = record.txn else {
        panic!("{record:?}")
    };
    let ops: Vec<OpCode> = txns.iter().map(Txn::op_code).collect();
    assert!(
        !ops.contains(&OpCode::Create2),
        "3.8 cannot read it: {ops:?}"
    );
}
