//! What simulated clients ask for.

use bytes::Bytes;
use zooid_proto::request::{
    AuthPacket, GetEphemerals, PathKind, PathOnly, PathWatch, SetAclRequest, SetWatches2,
};
use zooid_proto::{
    AddWatchMode, CreateMode, Id, Jute, MultiOp, MultiRead, MultiRequest, OpCode, RequestHeader,
    xid,
};

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Request {
    /// What may also be part of a multi.
    Single(MultiOp),
    SetAcl(SetAclRequest),
    Multi(MultiRequest),
    Sync(String),
    Close,
    /// A write that ends too early.
    Garbage,
    GetData {
        path: String,
        watch: bool,
    },
    Exists {
        path: String,
        watch: bool,
    },
    GetChildren {
        path: String,
        watch: bool,
        with_stat: bool,
    },
    GetAcl(String),
    GetEphemerals(Option<String>),
    GetAllChildrenNumber(String),
    MultiRead(MultiRead),
    SetWatches(SetWatches2),
    AddWatch(String, AddWatchMode),
    CheckWatches(PathKind),
    RemoveWatches(PathKind),
    WhoAmI,
    Ping,
    Auth(User),
}

/// Someone with a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum User {
    Alice,
    Bob,
}

impl User {
    fn credentials(self) -> &'static str {
        match self {
            User::Alice => "alice:a",
            User::Bob => "bob:b",
        }
    }

    /// What the credentials' digest makes of them.
    pub(crate) fn id(self) -> Id {
        match self {
            User::Alice => Id::new("digest", "alice:AIueg8ag5ALfqeEyKdLnva1Wvi0="),
            User::Bob => Id::new("digest", "bob:LcrmCNs/wfVD+i5a5yaz89GyjIM="),
        }
    }
}

impl Request {
    pub(crate) fn op(&self) -> OpCode {
        match self {
            Request::Single(op) => op.op_code(),
            Request::SetAcl(_) => OpCode::SetAcl,
            Request::Multi(_) => OpCode::Multi,
            Request::Sync(_) => OpCode::Sync,
            Request::Close => OpCode::CloseSession,
            Request::Garbage => OpCode::SetData,
            Request::GetData { .. } => OpCode::GetData,
            Request::Exists { .. } => OpCode::Exists,
            Request::GetChildren {
                with_stat: true, ..
            } => OpCode::GetChildren2,
            Request::GetChildren { .. } => OpCode::GetChildren,
            Request::GetAcl(_) => OpCode::GetAcl,
            Request::GetEphemerals(_) => OpCode::GetEphemerals,
            Request::GetAllChildrenNumber(_) => OpCode::GetAllChildrenNumber,
            Request::MultiRead(_) => OpCode::MultiRead,
            Request::SetWatches(_) => OpCode::SetWatches2,
            Request::AddWatch(..) => OpCode::AddWatch,
            Request::CheckWatches(_) => OpCode::CheckWatches,
            Request::RemoveWatches(_) => OpCode::RemoveWatches,
            Request::WhoAmI => OpCode::WhoAmI,
            Request::Ping => OpCode::Ping,
            Request::Auth(_) => OpCode::Auth,
        }
    }

    /// Whether it goes through the node.
    pub(crate) fn is_ordered(&self) -> bool {
        matches!(
            self,
            Request::Single(_)
                | Request::SetAcl(_)
                | Request::Multi(_)
                | Request::Sync(_)
                | Request::Close
                | Request::Garbage
        )
    }

    /// Whether there must be room on the disk for what it brings.
    pub(crate) fn stores_data(&self) -> bool {
        let stores = |op: &MultiOp| !matches!(op, MultiOp::Delete(_) | MultiOp::Check(_));
        match self {
            Request::Single(op) => stores(op),
            Request::Multi(request) => request.0.iter().any(stores),
            _ => false,
        }
    }

    /// Whether it asks for nodes that end with its session.
    pub(crate) fn creates_ephemerals(&self) -> bool {
        let is_ephemeral = |op: &MultiOp| match op {
            MultiOp::Create(request) | MultiOp::Create2(request) => {
                CreateMode::from_flags(request.flags).is_some_and(|mode| mode.is_ephemeral())
            }
            _ => false,
        };
        match self {
            Request::Single(op) => is_ephemeral(op),
            Request::Multi(request) => request.0.iter().any(is_ephemeral),
            _ => false,
        }
    }

    /// The id that its reply carries.
    pub(crate) fn xid(&self, counter: i32) -> i32 {
        match self {
            Request::Ping => xid::PING,
            Request::Auth(_) => xid::AUTH,
            Request::SetWatches(_) => xid::SET_WATCHES,
            _ => counter,
        }
    }

    /// The whole frame, without its length.
    pub(crate) fn frame(&self, xid: i32) -> Bytes {
        let op = self.op().code();
        let mut out = RequestHeader { xid, op }.to_vec();
        self.encode(&mut out);
        Bytes::from(out)
    }

    fn encode(&self, out: &mut Vec<u8>) {
        match self {
            Request::Single(op) => encode_single(op, out),
            Request::SetAcl(request) => request.encode(out),
            Request::Multi(request) => request.encode(out),
            Request::Sync(path) | Request::GetAcl(path) | Request::GetAllChildrenNumber(path) => {
                PathOnly { path: path.clone() }.encode(out);
            }
            Request::Close | Request::WhoAmI | Request::Ping => {}
            Request::Garbage => out.extend_from_slice(&[0, 0, 0, 9, b'/']),
            Request::GetData { path, watch }
            | Request::Exists { path, watch }
            | Request::GetChildren { path, watch, .. } => {
                let request = PathWatch {
                    path: path.into(),
                    watch: *watch,
                };
                request.encode(out);
            }
            Request::GetEphemerals(prefix) => {
                let prefix_path = prefix.clone();
                GetEphemerals { prefix_path }.encode(out);
            }
            Request::MultiRead(request) => request.encode(out),
            Request::SetWatches(request) => request.encode(out),
            Request::AddWatch(path, mode) => {
                path.encode(out);
                mode.encode(out);
            }
            Request::CheckWatches(request) | Request::RemoveWatches(request) => request.encode(out),
            Request::Auth(user) => {
                let auth = Bytes::from_static(user.credentials().as_bytes());
                let scheme = Some("digest".to_owned());
                AuthPacket {
                    auth_type: 0,
                    scheme,
                    auth: Some(auth),
                }
                .encode(out);
            }
        }
    }
}

fn encode_single(op: &MultiOp, out: &mut Vec<u8>) {
    match op {
        MultiOp::Create(r) | MultiOp::Create2(r) | MultiOp::CreateContainer(r) => r.encode(out),
        MultiOp::CreateTtl(r) => r.encode(out),
        MultiOp::Delete(r) | MultiOp::Check(r) => r.encode(out),
        MultiOp::SetData(r) => r.encode(out),
    }
}
