//! Request bodies (spec §2.5).
//!
//! Reads, which are hot, borrow the path from the packet; writes own it, since it goes on into a
//! transaction.

use crate::{AclList, DecodeError, Jute, Reader, Zxid};
use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;
use bytes::Bytes;
use zooid_jute::record;

record! {
    /// create, create2, createContainer.
    pub struct CreateRequest {
        /// Before a sequence suffix.
        path: String,
        /// Null and empty are different.
        data: Option<Bytes>,
        /// Must come out non-empty.
        acl: AclList,
        /// A [`crate::CreateMode`]'s number.
        flags: i32,
    }

    /// createTTL.
    pub struct CreateTtlRequest {
        /// Before a sequence suffix.
        path: String,
        /// Null and empty are different.
        data: Option<Bytes>,
        /// Must come out non-empty.
        acl: AclList,
        /// A [`crate::CreateMode`]'s number.
        flags: i32,
        /// Milliseconds.
        ttl: i64,
    }

    /// delete, and check in a multi.
    pub struct PathVersion {
        /// The node.
        path: String,
        /// -1 for any.
        version: i32,
    }

    /// setData.
    pub struct SetDataRequest {
        /// The node.
        path: String,
        /// Null and empty are different.
        data: Option<Bytes>,
        /// Expected version; -1 for any.
        version: i32,
    }

    /// setACL.
    pub struct SetAclRequest {
        /// The node.
        path: String,
        /// Must come out non-empty.
        acl: AclList,
        /// Expected ACL version; -1 for any.
        version: i32,
    }

    /// reconfig.
    pub struct ReconfigRequest {
        /// Comma-separated `server.N=…`.
        joining_servers: Option<String>,
        /// Comma-separated ids.
        leaving_servers: Option<String>,
        /// A whole new configuration.
        new_members: Option<String>,
        /// Expected configuration version; -1 for any.
        cur_config_id: i64,
    }

    /// auth.
    pub struct AuthPacket {
        /// Unused.
        auth_type: i32,
        /// The scheme.
        scheme: Option<String>,
        /// The scheme's own bytes.
        auth: Option<Bytes>,
    }

    /// setWatches.
    pub struct SetWatches {
        /// The last zxid that the client has seen.
        relative_zxid: Zxid,
        /// getData watches.
        data_watches: Vec<String>,
        /// Watches on nodes that did not exist.
        exist_watches: Vec<String>,
        /// getChildren watches.
        child_watches: Vec<String>,
    }

    /// setWatches2.
    pub struct SetWatches2 {
        /// The last zxid that the client has seen.
        relative_zxid: Zxid,
        /// getData watches.
        data_watches: Vec<String>,
        /// Watches on nodes that did not exist.
        exist_watches: Vec<String>,
        /// getChildren watches.
        child_watches: Vec<String>,
        /// Persistent watches.
        persistent_watches: Vec<String>,
        /// Persistent recursive watches.
        persistent_recursive_watches: Vec<String>,
    }

    /// sync, getACL, getAllChildrenNumber, deleteContainer.
    pub struct PathOnly {
        /// The node.
        path: String,
    }

    /// getEphemerals.
    pub struct GetEphemerals {
        /// Null, blank and "/" mean all.
        prefix_path: Option<String>,
    }

    /// checkWatches, removeWatches, addWatch: a path and a number naming a kind.
    pub struct PathKind {
        /// The node.
        path: String,
        /// A [`crate::WatcherType`]'s or [`crate::AddWatchMode`]'s number.
        kind: i32,
    }
}

/// exists, getData, getChildren, getChildren2.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PathWatch<'a> {
    /// The node.
    pub path: Cow<'a, str>,
    /// Whether to leave a watch.
    pub watch: bool,
}

impl<'a> PathWatch<'a> {
    /// Decodes, borrowing the path where it is well-formed.
    ///
    /// # Errors
    /// [`DecodeError`] when truncated or null.
    pub fn decode(r: &mut Reader<'a>) -> Result<PathWatch<'a>, DecodeError> {
        Ok(PathWatch {
            path: r.str()?,
            watch: r.bool()?,
        })
    }

    /// Appends the encoding.
    pub fn encode(&self, out: &mut Vec<u8>) {
        zooid_jute::put_str(out, &self.path);
        self.watch.encode(out);
    }
}
