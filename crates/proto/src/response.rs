//! Reply bodies (spec §2.5).

use crate::{Acl, ErrorCode, Stat};
use alloc::string::String;
use alloc::vec::Vec;
use bytes::Bytes;
use zooid_jute::record;

record! {
    /// create, sync.
    pub struct PathResponse {
        /// The node, with its sequence suffix.
        path: String,
    }

    /// create2, createContainer, createTTL.
    pub struct Create2Response {
        /// The node, with its sequence suffix.
        path: String,
        /// As created.
        stat: Stat,
    }

    /// getData, reconfig.
    pub struct GetDataResponse {
        /// Null and empty are different.
        data: Option<Bytes>,
        /// The node's.
        stat: Stat,
    }

    /// getACL.
    pub struct GetAclResponse {
        /// Digests are masked for those who may not administer.
        acl: Vec<Acl>,
        /// The node's.
        stat: Stat,
    }

    /// getChildren.
    pub struct GetChildrenResponse {
        /// Names, in no order.
        children: Vec<String>,
    }

    /// getChildren2.
    pub struct GetChildren2Response {
        /// Names, in no order.
        children: Vec<String>,
        /// The parent's.
        stat: Stat,
    }

    /// getEphemerals.
    pub struct GetEphemeralsResponse {
        /// Paths.
        ephemerals: Vec<String>,
    }

    /// getAllChildrenNumber.
    pub struct GetAllChildrenNumberResponse {
        /// Descendants.
        total_number: i32,
    }

    /// One identity of a connection.
    pub struct ClientInfo {
        /// Scheme.
        auth_scheme: String,
        /// User name; never a password hash.
        user: String,
    }

    /// whoAmI.
    pub struct WhoAmIResponse {
        /// In the order in which they were added.
        client_info: Vec<ClientInfo>,
    }

    /// sasl.
    pub struct SetSaslResponse {
        /// The next challenge.
        token: Option<Bytes>,
    }

    /// addWatch, and a failed operation of a multi.
    pub struct ErrorResponse {
        /// The code.
        err: ErrorCode,
    }
}
