//! One of everything, in an order that makes it matter.

use super::{QUOTA_NODES, Workload, node, open_acl};
use crate::request::{Request, User};
use bytes::Bytes;
use zooid_proto::request::{
    CreateRequest, CreateTtlRequest, PathVersion, SetAclRequest, SetDataRequest,
};
use zooid_proto::{Acl, AddWatchMode, MultiOp, MultiRequest, perms};

/// Rounds of each client: enough for several snapshots and a purge.
const ROUNDS: usize = 5;

impl Workload {
    /// What a client does in the script; each has a part of its own.
    pub(crate) fn script(client: usize) -> Workload {
        let rounds = (0..ROUNDS).flat_map(|round| match client % 3 {
            0 => builder(round),
            1 => owner(round),
            _ => reader(round),
        });
        Workload::Script(rounds.collect())
    }
}

fn create(path: &str, flags: i32) -> Request {
    Request::Single(MultiOp::Create2(CreateRequest {
        path: path.to_owned(),
        data: Some(Bytes::from(vec![b'v'; 700])),
        acl: open_acl().into(),
        flags,
    }))
}

fn set(path: &str, text: &str, version: i32) -> MultiOp {
    MultiOp::SetData(SetDataRequest {
        path: path.to_owned(),
        data: Some(Bytes::copy_from_slice(text.as_bytes())),
        version,
    })
}

fn delete(path: &str) -> MultiOp {
    MultiOp::Delete(PathVersion {
        path: path.to_owned(),
        version: -1,
    })
}

fn check(path: &str, version: i32) -> MultiOp {
    MultiOp::Check(PathVersion {
        path: path.to_owned(),
        version,
    })
}

/// Persistent nodes, compare-and-set, multis that succeed and fail, quotas.
fn builder(round: usize) -> Vec<Request> {
    let top = format!("/r{round}");
    let child = format!("{top}/c");
    let limits = "count=-1,bytes=-1=;byteHardLimit=3000;countHardLimit=4";
    vec![
        Request::Single(node(&top, "top")),
        Request::Single(node(&child, "child")),
        Request::Single(set(&child, "first", 0)),
        Request::Single(set(&child, "refused", 0)),
        create(&format!("{top}/s-"), 2),
        create(&format!("{top}/s-"), 2),
        Request::Multi(MultiRequest(vec![
            check(&child, 1),
            set(&child, "together", 1),
            node(&format!("{top}/m"), "multi"),
        ])),
        Request::Multi(MultiRequest(vec![
            set(&child, "never", -1),
            node(&format!("{top}/never"), ""),
            delete(&format!("{top}/missing")),
            delete(&child),
        ])),
        Request::Multi(MultiRequest(vec![
            node(QUOTA_NODES[0], ""),
            node(QUOTA_NODES[1], limits),
            node(QUOTA_NODES[2], "count=0,bytes=0"),
        ])),
        create("/q", 0),
        create(&format!("/q/n{round}"), 0),
        Request::Single(delete(&format!("{top}/m"))),
        Request::Sync(top.clone()),
        Request::GetChildren {
            path: top,
            watch: true,
            with_stat: true,
        },
    ]
}

/// Ephemerals, containers, TTLs, ACLs, and sessions that end.
fn owner(round: usize) -> Vec<Request> {
    let container = format!("/box{round}");
    let secret = format!("/secret{round}");
    let mut requests = vec![
        Request::Auth(User::Alice),
        create(&format!("/mine{round}"), 1),
        create("/lock-", 3),
        Request::Single(MultiOp::CreateContainer(CreateRequest {
            path: container.clone(),
            data: None,
            acl: open_acl().into(),
            flags: 4,
        })),
        Request::Single(node(&format!("{container}/item"), "")),
        Request::Single(MultiOp::CreateTtl(CreateTtlRequest {
            path: format!("/brief{round}"),
            data: None,
            acl: open_acl().into(),
            flags: 5,
            ttl: 200,
        })),
        Request::Single(node(&secret, "known")),
        Request::SetAcl(SetAclRequest {
            path: secret.clone(),
            acl: vec![Acl::new(perms::ALL, "auth", "")].into(),
            version: 0,
        }),
        Request::GetAcl(secret),
        Request::Single(delete(&format!("{container}/item"))),
        Request::GetEphemerals(None),
    ];
    if round % 2 == 1 {
        requests.push(Request::Close);
    }
    requests
}

/// Reads and watches over what the others do.
fn reader(round: usize) -> Vec<Request> {
    let top = format!("/r{round}");
    let child = format!("{top}/c");
    vec![
        Request::AddWatch("/".to_owned(), AddWatchMode::PersistentRecursive),
        Request::Exists {
            path: top,
            watch: true,
        },
        Request::GetData {
            path: child.clone(),
            watch: true,
        },
        Request::Single(set(&child, "reader", -1)),
        Request::GetData {
            path: child,
            watch: true,
        },
        Request::GetChildren {
            path: "/".to_owned(),
            watch: true,
            with_stat: false,
        },
        Request::GetData {
            path: format!("/secret{round}"),
            watch: false,
        },
        Request::GetAllChildrenNumber("/".to_owned()),
        Request::Ping,
        Request::Single(set("/q", "quota", -1)),
    ]
}
