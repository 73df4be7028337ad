//! What simulated clients of an ensemble ask for, and what an answer promises them.

use crate::request::Request;
use bytes::Bytes;
use zooid_proto::request::{CreateRequest, PathVersion, SetDataRequest};
use zooid_proto::{Acl, MultiOp, MultiRequest, perms};

/// Registers that all clients compare and set.
pub(crate) const REGISTERS: [&str; 2] = ["/cas/a", "/cas/b"];

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Ask {
    /// One of the nodes that all others stand under; another client may have made it.
    Parent(&'static str),
    /// A node of a name that is never used again.
    Unique(String),
    /// Likewise, owned by the session.
    Ephemeral(String),
    /// Two such nodes at once.
    Pair(String, String),
    /// An ephemeral goes again.
    Delete(String),
    /// The first half of a compare-and-set.
    Look(&'static str),
    /// The second.
    Swap {
        register: &'static str,
        version: i32,
        value: String,
    },
    /// A read of something that may be there.
    Read(String),
    Sync,
    Ping,
    Close,
    /// Anything at all, on nodes that are nobody's.
    Any(Request),
}

impl Ask {
    pub(crate) fn request(&self) -> Request {
        match self {
            Ask::Parent(path) => Request::Single(create(path, 0)),
            Ask::Unique(path) => Request::Single(create(path, 0)),
            Ask::Ephemeral(path) => Request::Single(create(path, 1)),
            Ask::Pair(one, other) => {
                Request::Multi(MultiRequest(vec![create(one, 0), create(other, 0)]))
            }
            Ask::Delete(path) => Request::Single(MultiOp::Delete(PathVersion {
                path: path.clone(),
                version: -1,
            })),
            Ask::Swap {
                register,
                version,
                value,
            } => Request::Single(MultiOp::SetData(SetDataRequest {
                path: (*register).to_owned(),
                data: Some(Bytes::copy_from_slice(value.as_bytes())),
                version: *version,
            })),
            Ask::Look(register) => read(register),
            Ask::Read(path) => read(path),
            Ask::Sync => Request::Sync("/".to_owned()),
            Ask::Ping => Request::Ping,
            Ask::Close => Request::Close,
            Ask::Any(request) => request.clone(),
        }
    }

    pub(crate) fn is_write(&self) -> bool {
        matches!(
            self,
            Ask::Unique(_) | Ask::Ephemeral(_) | Ask::Pair(..) | Ask::Delete(_) | Ask::Swap { .. }
        )
    }
}

fn read(path: &str) -> Request {
    Request::GetData {
        path: path.to_owned(),
        watch: false,
    }
}

/// A node whose data is its own name.
fn create(path: &str, flags: i32) -> MultiOp {
    MultiOp::Create2(CreateRequest {
        path: path.to_owned(),
        data: Some(Bytes::copy_from_slice(path.as_bytes())),
        acl: vec![Acl::anyone(perms::ALL)].into(),
        flags,
    })
}
