//! What clients ask for: by dice, or by a script in which everything occurs.

use crate::random::Random;
use crate::request::{Request, User};
use bytes::Bytes;
use std::collections::VecDeque;
use zooid_proto::path::ZOOKEEPER;
use zooid_proto::request::{
    CreateRequest, CreateTtlRequest, PathKind, PathVersion, SetAclRequest, SetDataRequest,
    SetWatches2,
};
use zooid_proto::{Acl, AddWatchMode, MultiOp, MultiRead, MultiReadOp, MultiRequest, Zxid, perms};

const TOPS: [&str; 5] = ["/a", "/b", "/c", "/q", "/e"];
const NAMES: [&str; 3] = ["x", "y", "z"];
const QUOTA_NODES: [&str; 3] = [
    "/zookeeper/quota/q",
    "/zookeeper/quota/q/zookeeper_limits",
    "/zookeeper/quota/q/zookeeper_stats",
];

#[derive(Debug)]
pub(crate) enum Workload {
    Random {
        data_max: u64,
    },
    /// Without quotas: those are judged by what the leader happens to have applied.
    Unlimited {
        data_max: u64,
    },
    Script(VecDeque<Request>),
}

impl Workload {
    pub(crate) fn random(data_max: u64) -> Workload {
        Workload::Random { data_max }
    }

    pub(crate) fn next(&mut self, dice: &mut Random, seen: Zxid) -> Option<Request> {
        match self {
            Workload::Random { data_max } => Some(random(dice, *data_max, seen)),
            Workload::Unlimited { data_max } => loop {
                let request = random(dice, *data_max, seen);
                if !speaks_of_quotas(&request) {
                    break Some(request);
                }
            },
            Workload::Script(requests) => requests.pop_front(),
        }
    }
}

fn speaks_of_quotas(request: &Request) -> bool {
    let frame = request.frame(0);
    let mut parts = frame.windows(ZOOKEEPER.len());
    parts.any(|part| part == ZOOKEEPER.as_bytes())
}

fn random(dice: &mut Random, data_max: u64, seen: Zxid) -> Request {
    match dice.below(1000) {
        0..170 => Request::Single(create(dice, data_max)),
        170..300 => Request::Single(set_data(dice, data_max)),
        300..370 => Request::Single(delete(dice)),
        370..400 => Request::SetAcl(set_acl(dice)),
        400..480 => multi(dice, data_max),
        480..500 => quota(dice),
        500..520 => Request::Sync(path(dice)),
        520..523 => Request::Close,
        523..526 => Request::Garbage,
        526..540 => Request::Auth(*dice.pick(&[User::Alice, User::Bob])),
        540..560 => Request::Ping,
        _ => read(dice, seen),
    }
}

fn read(dice: &mut Random, seen: Zxid) -> Request {
    let path = path(dice);
    let watch = dice.per_mille(400);
    match dice.below(100) {
        0..30 => Request::GetData { path, watch },
        30..45 => Request::Exists { path, watch },
        45..65 => Request::GetChildren {
            path,
            watch,
            with_stat: dice.per_mille(500),
        },
        65..70 => Request::GetAcl(path),
        70..73 => Request::GetEphemerals(Some(path)),
        73..75 => Request::GetEphemerals(None),
        75..78 => Request::GetAllChildrenNumber(path),
        78..83 => Request::MultiRead(multi_read(dice)),
        83..86 => Request::SetWatches(set_watches(dice, seen)),
        86..90 => {
            let modes = [AddWatchMode::Persistent, AddWatchMode::PersistentRecursive];
            Request::AddWatch(path, *dice.pick(&modes))
        }
        90..93 => Request::CheckWatches(path_kind(dice, path)),
        93..97 => Request::RemoveWatches(path_kind(dice, path)),
        _ => Request::WhoAmI,
    }
}

fn path_kind(dice: &mut Random, path: String) -> PathKind {
    let kind = i32::try_from(dice.between(1, 5)).expect("small");
    PathKind { path, kind }
}

fn path(dice: &mut Random) -> String {
    let top = *dice.pick(&TOPS);
    match dice.below(100) {
        0..3 => "/".to_owned(),
        3..5 => (*dice.pick(&QUOTA_NODES)).to_owned(),
        5..40 => top.to_owned(),
        40..90 => format!("{top}/{}", dice.pick(&NAMES)),
        90..95 => format!("{top}/{}/{}", dice.pick(&NAMES), dice.pick(&NAMES)),
        _ => format!("{top}/s-{:010}", dice.below(6)),
    }
}

fn version(dice: &mut Random) -> i32 {
    if dice.per_mille(650) {
        -1
    } else {
        i32::try_from(dice.below(4)).expect("small")
    }
}

fn data(dice: &mut Random, data_max: u64) -> Option<Bytes> {
    if dice.per_mille(30) {
        return None;
    }
    let len = usize::try_from(dice.below(data_max)).expect("small");
    // Unique values: a lost write cannot be mistaken for another.
    let mut value = dice.next().to_be_bytes().to_vec();
    value.resize(len, 7);
    Some(Bytes::from(value))
}

fn open_acl() -> Vec<Acl> {
    vec![Acl::anyone(perms::ALL)]
}

fn acl(dice: &mut Random) -> Vec<Acl> {
    let owner = Acl::new(perms::ALL, "auth", "");
    match dice.below(100) {
        0..60 => open_acl(),
        60..70 => vec![owner],
        70..80 => vec![
            Acl::anyone(perms::READ | perms::DELETE | perms::CREATE),
            owner,
        ],
        80..86 => vec![
            Acl {
                perms: perms::ALL,
                id: User::Bob.id(),
            },
            Acl::anyone(perms::READ),
        ],
        86..92 => vec![Acl::anyone(perms::ALL), Acl::anyone(perms::ALL)],
        92..96 => vec![Acl::new(perms::ALL, "nobody", "x")],
        _ => Vec::new(),
    }
}

fn create(dice: &mut Random, data_max: u64) -> MultiOp {
    let data = data(dice, data_max);
    let acl = if dice.per_mille(850) {
        open_acl()
    } else {
        acl(dice)
    };
    let is_sequential = dice.per_mille(150);
    let mut path = path(dice);
    if is_sequential {
        path = format!("{}/s-", dice.pick(&TOPS));
    } else if dice.per_mille(10) {
        path.push('/');
    }
    let sequential = if is_sequential { 2 } else { 0 };
    let plain = |path: String, flags: i32| CreateRequest {
        path,
        data: data.clone(),
        acl: acl.into(),
        flags,
    };
    match dice.below(100) {
        0..35 => MultiOp::Create(plain(path, sequential)),
        35..50 => MultiOp::Create2(plain(path, sequential)),
        50..65 => MultiOp::Create(plain(path, sequential | 1)),
        65..76 => MultiOp::Create2(plain(path, sequential | 1)),
        76..87 => MultiOp::CreateContainer(plain(path, 4)),
        87..97 => {
            let CreateRequest {
                path, data, acl, ..
            } = plain(path, 0);
            let flags = if is_sequential { 6 } else { 5 };
            let ttl = *dice.pick(&[0_i64, 300, 1000, 5000]);
            MultiOp::CreateTtl(CreateTtlRequest {
                path,
                data,
                acl,
                flags,
                ttl,
            })
        }
        _ => MultiOp::Create(plain(path, 9)),
    }
}

fn set_data(dice: &mut Random, data_max: u64) -> MultiOp {
    let path = loop {
        // The server itself writes what is used; nobody else should.
        let path = path(dice);
        if !path.starts_with("/zookeeper") {
            break path;
        }
    };
    MultiOp::SetData(SetDataRequest {
        path,
        data: data(dice, data_max),
        version: version(dice),
    })
}

fn delete(dice: &mut Random) -> MultiOp {
    MultiOp::Delete(PathVersion {
        path: path(dice),
        version: version(dice),
    })
}

fn set_acl(dice: &mut Random) -> SetAclRequest {
    // Never one that keeps everybody out for good: tops stay open.
    let path = format!("{}/{}", dice.pick(&TOPS), dice.pick(&NAMES));
    SetAclRequest {
        path,
        acl: acl(dice).into(),
        version: version(dice),
    }
}

fn multi(dice: &mut Random, data_max: u64) -> Request {
    let ops = (0..dice.below(5)).map(|_| match dice.below(10) {
        0..4 => create(dice, data_max),
        4..6 => set_data(dice, data_max),
        6..8 => delete(dice),
        _ => MultiOp::Check(PathVersion {
            path: path(dice),
            version: version(dice),
        }),
    });
    Request::Multi(MultiRequest(ops.collect()))
}

fn multi_read(dice: &mut Random) -> MultiRead {
    let reads = (0..dice.below(4)).map(|_| {
        let op = *dice.pick(&[MultiReadOp::GetData, MultiReadOp::GetChildren]);
        (op, path(dice))
    });
    MultiRead(reads.collect())
}

fn set_watches(dice: &mut Random, seen: Zxid) -> SetWatches2 {
    let behind = i64::try_from(dice.below(30)).expect("small");
    let mut some = || {
        (0..dice.below(3))
            .map(|_| path(dice))
            .collect::<Vec<String>>()
    };
    SetWatches2 {
        relative_zxid: Zxid((seen.0 - behind).max(0)),
        data_watches: some(),
        exist_watches: some(),
        child_watches: some(),
        persistent_watches: some(),
        persistent_recursive_watches: some(),
    }
}

fn node(path: &str, text: &str) -> MultiOp {
    MultiOp::Create(CreateRequest {
        path: path.to_owned(),
        data: Some(Bytes::copy_from_slice(text.as_bytes())),
        acl: open_acl().into(),
        flags: 0,
    })
}

/// Sets, changes or removes the quota on /q.
fn quota(dice: &mut Random) -> Request {
    let limits = format!(
        "count=-1,bytes=-1=;byteHardLimit={};countHardLimit={}",
        dice.pick(&[-1, 40, 5000]),
        dice.pick(&[-1, 3, 8])
    );
    let [top, limits_path, stats_path] = QUOTA_NODES;
    match dice.below(10) {
        0..3 => Request::Multi(MultiRequest(vec![
            node(top, ""),
            node(limits_path, &limits),
            node(stats_path, "count=0,bytes=0"),
        ])),
        3..5 => {
            let path: &str = dice.pick::<&str>(&QUOTA_NODES);
            Request::Single(node(path, &limits))
        }
        5..8 => Request::Single(MultiOp::SetData(SetDataRequest {
            path: limits_path.to_owned(),
            data: Some(Bytes::from(limits)),
            version: -1,
        })),
        _ => {
            let path = (*dice.pick(&QUOTA_NODES)).to_owned();
            Request::Single(MultiOp::Delete(PathVersion { path, version: -1 }))
        }
    }
}

mod script;
