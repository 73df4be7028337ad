//! Well-formed inputs to start from.

use bytes::Bytes;
use zooid_proto::election::{ElectionAddress, InitialMessage, Notification, PeerState};
use zooid_proto::request::{
    AuthPacket, CreateRequest, CreateTtlRequest, PathKind, PathOnly, PathVersion, PathWatch,
    SetAclRequest, SetDataRequest, SetWatches2,
};
use zooid_proto::{
    Acl, ConnectRequest, CreateTxn, Epoch, Jute, MultiOp, MultiRead, MultiReadOp, MultiRequest,
    OpCode, RequestHeader, ServerId, SessionId, SetDataTxn, Txn, TxnDigest, TxnHeader, TxnRecord,
    Zxid, perms,
};
use zooid_tree::{Replica, TreeOptions};

/// A fuzz target.
pub struct Target {
    /// As cargo-fuzz knows it.
    pub name: &'static str,
    /// Its body.
    pub run: fn(&[u8]),
    /// Inputs that it takes.
    pub seeds: Vec<Vec<u8>>,
}

/// All of them.
pub fn targets() -> [Target; 6] {
    let target = |name, run, seeds| Target { name, run, seeds };
    [
        target("codec", super::codec::run, codec()),
        target("election", super::election::run, election()),
        target("frames", super::frames::run, frames()),
        target("log", super::log::run, log()),
        target("snapshot", super::snapshot::run, snapshot()),
        target("zoo_cfg", super::zoo_cfg::run, zoo_cfg()),
    ]
}

fn anyone() -> Vec<Acl> {
    vec![Acl::anyone(perms::ALL)]
}

fn create(path: &str, flags: i32) -> CreateRequest {
    CreateRequest {
        path: path.to_owned(),
        data: Some(Bytes::from_static(b"data")),
        acl: anyone().into(),
        flags,
    }
}

fn set_data(path: &str) -> SetDataRequest {
    SetDataRequest {
        path: path.to_owned(),
        data: Some(Bytes::from_static(b"other")),
        version: -1,
    }
}

fn path_version(path: &str) -> PathVersion {
    PathVersion {
        path: path.to_owned(),
        version: 0,
    }
}

fn path_watch(path: &str) -> Vec<u8> {
    let mut body = Vec::new();
    let path = path.into();
    PathWatch { path, watch: true }.encode(&mut body);
    body
}

/// An operation and the body of its request.
fn requests() -> Vec<(OpCode, Vec<u8>)> {
    let path = "/a".to_owned();
    let limits = CreateRequest {
        data: Some(Bytes::from_static(b"count=2,bytes=-1=;byteHardLimit=9")),
        ..create("/zookeeper/quota/a/zookeeper_limits", 0)
    };
    let multi = MultiRequest(vec![
        MultiOp::Create(create("/a/m", 0)),
        MultiOp::Check(path_version("/a")),
        MultiOp::SetData(set_data("/a/m")),
        MultiOp::Delete(path_version("/a/m")),
    ]);
    let multi_read = MultiRead(vec![
        (MultiReadOp::GetData, path.clone()),
        (MultiReadOp::GetChildren, "/".to_owned()),
    ]);
    let paths = vec![path.clone(), "/b".to_owned()];
    let set_watches = SetWatches2 {
        relative_zxid: Zxid::ZERO,
        data_watches: paths.clone(),
        exist_watches: paths.clone(),
        child_watches: paths.clone(),
        persistent_watches: paths.clone(),
        persistent_recursive_watches: paths,
    };
    let ttl = CreateTtlRequest {
        path: "/t".to_owned(),
        data: None,
        acl: anyone().into(),
        flags: 5,
        ttl: 1000,
    };
    let acl = SetAclRequest {
        path: path.clone(),
        acl: anyone().into(),
        version: -1,
    };
    let auth = AuthPacket {
        auth_type: 0,
        scheme: Some("digest".to_owned()),
        auth: Some(Bytes::from_static(b"user:password")),
    };
    let kind = PathKind {
        path: path.clone(),
        kind: 1,
    };
    let node = PathOnly { path };
    vec![
        (OpCode::Create, create("/a", 0).to_vec()),
        (OpCode::Create2, create("/a/e-", 3).to_vec()),
        (OpCode::CreateContainer, create("/c", 4).to_vec()),
        (OpCode::CreateTtl, ttl.to_vec()),
        (OpCode::Create, create("/zookeeper/quota/a", 0).to_vec()),
        (OpCode::Create, limits.to_vec()),
        (OpCode::AddWatch, kind.to_vec()),
        (OpCode::GetData, path_watch("/a")),
        (OpCode::Exists, path_watch("/b")),
        (OpCode::GetChildren2, path_watch("/")),
        (OpCode::SetData, set_data("/a").to_vec()),
        (OpCode::SetAcl, acl.to_vec()),
        (OpCode::GetAcl, node.to_vec()),
        (OpCode::Sync, node.to_vec()),
        (OpCode::GetAllChildrenNumber, node.to_vec()),
        (OpCode::GetEphemerals, node.to_vec()),
        (OpCode::Multi, multi.to_vec()),
        (OpCode::MultiRead, multi_read.to_vec()),
        (OpCode::SetWatches2, set_watches.to_vec()),
        (OpCode::CheckWatches, kind.to_vec()),
        (OpCode::RemoveWatches, kind.to_vec()),
        (OpCode::Auth, auth.to_vec()),
        (OpCode::WhoAmI, vec![]),
        (OpCode::Ping, vec![]),
        (OpCode::Delete, path_version("/a").to_vec()),
        (OpCode::CloseSession, vec![]),
    ]
}

fn codec() -> Vec<Vec<u8>> {
    let records = u8::MAX / 4;
    let mut seeds = Vec::new();
    for (_, body) in requests() {
        // Which record a body is of, the first byte has to find out.
        seeds.extend((0..records).map(|choice| [&[choice][..], &body].concat()));
    }
    seeds.extend(txns().iter().map(|txn| [&[38][..], txn].concat()));
    seeds
}

fn election() -> Vec<Vec<u8>> {
    let notification = |state, leader, zxid, round| {
        let notification = Notification {
            state,
            leader: ServerId(leader),
            zxid: Zxid(zxid),
            round,
            peer_epoch: Epoch(1),
            version: Notification::VERSION,
            config: Some(Bytes::from_static(b"version=0")),
        };
        notification.encode()
    };
    let introduction = |from| {
        let address = |host: &str| ElectionAddress {
            host: host.to_owned(),
            port: 3888,
        };
        let message = InitialMessage {
            from: ServerId(from),
            addresses: vec![address("host"), address("::1")],
        };
        message.encode_many_addresses()
    };
    let act = |what: u8, whom: u8, message: &[u8]| {
        let len = u8::try_from(message.len()).expect("seeds are short");
        [&[what, whom, len][..], message].concat()
    };
    let mut steps: Vec<Vec<u8>> = (0..10).map(|what| act(what, 0, b"")).collect();
    for from in [0, 1, 3, 4, 5, 9, i64::MAX] {
        steps.push(act(2, 0, &introduction(from)));
        steps.push(act(6, 1, b""));
    }
    for state in [PeerState::Looking, PeerState::Following, PeerState::Leading] {
        for from in [1, 2, 4, 5, 9] {
            steps.push(act(8, from, &notification(state, 5, 10, 1)));
            steps.push(act(9, from, &notification(state, 3, 10, 7)));
        }
    }
    vec![
        [&[0][..], &notification(PeerState::Looking, 1, 2, 3)].concat(),
        [&[0][..], &notification(PeerState::Looking, 1, 2, 3)[..40]].concat(),
        [&[0][..], &notification(PeerState::Leading, 1, 2, 3)[..28]].concat(),
        [&[1][..], &introduction(7)].concat(),
        [&[1][..], &7_i64.to_be_bytes()].concat(),
        [&[2][..], &steps.concat()].concat(),
        [&[2][..], &steps.concat().repeat(2)].concat(),
    ]
}

fn step(what: u8, frame: &[u8]) -> Vec<u8> {
    let len = u16::try_from(frame.len()).expect("seeds are short");
    [&[what][..], &len.to_be_bytes(), frame].concat()
}

fn frames() -> Vec<Vec<u8>> {
    const SYNC: u8 = 12;
    const READ: u8 = 15;
    const RECONNECT: u8 = 21;
    let mut steps = Vec::new();
    for (xid, (op, body)) in (1..).zip(requests()) {
        let op = op.code();
        let frame = [RequestHeader { xid, op }.to_vec(), body].concat();
        steps.push(step(0, &frame));
    }
    let connect = ConnectRequest {
        protocol_version: 0,
        last_zxid_seen: Zxid::ZERO,
        timeout_ms: 5000,
        session_id: SessionId(0),
        password: Some(Bytes::from_static(&[0; 16])),
        read_only: None,
    };
    let mut seeds = vec![steps.concat(), steps.join(&step(SYNC, b"")[..])];
    seeds.push(
        [
            step(RECONNECT, &connect.to_vec()),
            steps.concat(),
            step(READ, b""),
        ]
        .concat(),
    );
    seeds.extend(steps);
    seeds
}

fn txns() -> Vec<Vec<u8>> {
    let bodies = [
        Txn::CreateSession { timeout_ms: 10_000 },
        Txn::Create2(CreateTxn {
            path: "/a".to_owned(),
            data: Some(Bytes::from_static(b"data")),
            acl: anyone().into(),
            ephemeral: true,
            parent_cversion: 1,
        }),
        Txn::Multi(vec![Txn::SetData(SetDataTxn {
            path: "/a".to_owned(),
            data: None,
            version: 1,
        })]),
        Txn::CloseSession {
            paths_to_delete: Some(vec!["/a".to_owned()]),
        },
    ];
    let record = |(zxid, txn): (i64, Txn)| {
        let header = TxnHeader {
            client_id: SessionId(7),
            cxid: 1,
            zxid: Zxid(zxid),
            time: 1_700_000_000_000,
            op: txn.op_code().code(),
        };
        let digest = (zxid % 2 == 0).then_some(TxnDigest {
            version: TxnDigest::VERSION,
            tree_digest: 5,
        });
        TxnRecord {
            header,
            txn,
            digest,
        }
        .encode()
    };
    (1..).zip(bodies).map(record).collect()
}

fn log() -> Vec<Vec<u8>> {
    let txns = txns();
    let bodies: Vec<&[u8]> = txns.iter().map(Vec::as_slice).collect();
    let file = super::log::framed(&bodies);
    let pieces = txns.iter().map(|txn| step(0, txn)[1..].to_vec());
    let padded = [&file[..], &[0; 600]].concat();
    vec![
        [&[1][..], &file].concat(),
        [&[1][..], &padded].concat(),
        [&[0][..], &pieces.collect::<Vec<_>>().concat()].concat(),
    ]
}

fn snapshot() -> Vec<Vec<u8>> {
    let mut replica = Replica::new(TreeOptions::default());
    for txn in txns().iter().take(3) {
        let txn = TxnRecord::decode(&Bytes::copy_from_slice(txn)).expect("just encoded");
        replica.replay(&txn.header, &txn.txn, None);
    }
    let mut walk = replica.begin_walk();
    let mut data = Vec::new();
    while walk.next_chunk(&replica, &mut data, 1 << 20) {}
    let file = super::snapshot::sealed(&data);
    vec![[&[0][..], &file].concat(), [&[3][..], &data].concat()]
}

fn zoo_cfg() -> Vec<Vec<u8>> {
    let texts = [
        "tickTime=2000\ndataDir=/var/lib/zookeeper\nclientPort=2181\nmaxClientCnxns=60\n",
        "# an ensemble\ninitLimit=10\nsyncLimit=5\ndataDir : /d\nserver.1=h1:2888:3888;2181\n\
         server.2=[::1]:2888:3888:observer|h2:1:2\ngroup.1=1:2\nweight.1=3\n",
        "dataDir=C\\:\\\\zoo \\\n  continued\nautopurge.purgeInterval=24\n\
         4lw.commands.whitelist=*\nauthProvider.1=\\u0041\nssl.quorum.keyStore.location=x\n",
        "dynamicConfigFile=/conf/zoo.cfg.dynamic\nreconfigEnabled=true\nsnapCount=tausend\n",
    ];
    texts.iter().map(|text| text.as_bytes().to_vec()).collect()
}
