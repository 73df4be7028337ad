//! Placeholder bodies; the signatures are final.
#![forbid(unsafe_code)]
#![allow(missing_docs, unused_variables, clippy::todo, clippy::needless_pass_by_value)]

use std::marker::PhantomData;
use std::sync::Arc;
use zooid_proto::request::SetWatches2;
use zooid_proto::{
    Acl, AddWatchMode, EphemeralOwner, ErrorCode, EventType, OwnerRules, SessionId, Stat,
    StatPersisted, Txn, TxnDigest, TxnHeader, WatcherType, Zxid,
};

pub use acl::Access;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TreeOptions {
    pub digest: bool,
    pub owner_rules: OwnerRules,
}

#[derive(Debug)]
pub struct Replica;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WatcherId(pub u64);

#[derive(Clone, Debug)]
pub struct Fired {
    pub watcher: WatcherId,
    pub event: EventType,
    pub path: Arc<str>,
    pub zxid: Zxid,
    pub acl: Arc<[Acl]>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Applied {
    pub err: ErrorCode,
    pub stat: Option<Stat>,
    pub multi: Vec<Applied>,
}

/// Limits: -1 when unset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QuotaLimits {
    pub count: i64,
    pub bytes: i64,
    pub count_hard: i64,
    pub bytes_hard: i64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quota {
    pub path: String,
    pub limits: QuotaLimits,
    pub used_count: i64,
    pub used_bytes: i64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WatchSummary {
    pub connections: usize,
    pub paths: usize,
    pub total: usize,
}

#[derive(Clone, Copy, Debug)]
pub struct NodeRef<'a>(PhantomData<&'a Replica>);

impl<'a> NodeRef<'a> {
    pub fn stat_persisted(&self) -> StatPersisted {
        todo!()
    }
    pub fn stat(&self) -> Stat {
        todo!()
    }
    pub fn child_count(&self) -> usize {
        todo!()
    }
    pub fn data(&self) -> Option<&'a [u8]> {
        todo!()
    }
    pub fn acl(&self) -> &'a Arc<[Acl]> {
        todo!()
    }
    pub fn owner(&self) -> EphemeralOwner {
        todo!()
    }
    pub fn digest_prefix(&self) -> u32 {
        todo!()
    }
    pub fn path(&self) -> String {
        todo!()
    }
    pub fn children(&self) -> Children<'a> {
        todo!()
    }
}

#[derive(Clone, Debug)]
pub struct Children<'a>(PhantomData<&'a Replica>);

impl<'a> Children<'a> {
    /// The names as bytes, sparing the UTF-8 check.
    pub fn bytes(self) -> impl ExactSizeIterator<Item = &'a [u8]> {
        std::iter::empty()
    }
}

impl<'a> Iterator for Children<'a> {
    type Item = &'a str;
    fn next(&mut self) -> Option<&'a str> {
        todo!()
    }
}
impl ExactSizeIterator for Children<'_> {}

impl Replica {
    pub fn new(options: TreeOptions) -> Replica {
        todo!()
    }
    pub fn options(&self) -> TreeOptions {
        todo!()
    }
    pub fn last_zxid(&self) -> Zxid {
        todo!()
    }
    pub fn advance_to(&mut self, zxid: Zxid) {
        todo!()
    }
    pub fn digest(&self) -> i64 {
        todo!()
    }
    pub fn apply(
        &mut self,
        header: &TxnHeader,
        txn: &Txn,
        digest: Option<&TxnDigest>,
        fired: &mut Vec<Fired>,
    ) -> Applied {
        todo!()
    }
    pub fn replay(&mut self, header: &TxnHeader, txn: &Txn, digest: Option<&TxnDigest>) -> Applied {
        todo!()
    }
    /// After the log has been replayed: deletes ephemerals of sessions that are not in the session
    /// table, recomputes quota stats. Returns the sessions whose ephemerals were deleted.
    pub fn finish_recovery(&mut self) -> Vec<SessionId> {
        todo!()
    }
    pub fn digest_mismatches(&self) -> u64 {
        todo!()
    }
    pub fn digest_log(&self) -> impl Iterator<Item = (Zxid, i32, i64)> + '_ {
        std::iter::empty()
    }
    pub fn node(&self, path: &str) -> Option<NodeRef<'_>> {
        todo!()
    }
    pub fn session_timeout(&self, session: SessionId) -> Option<i32> {
        todo!()
    }
    pub fn sessions(&self) -> impl Iterator<Item = (SessionId, i32)> + '_ {
        std::iter::empty()
    }
    pub fn ephemerals_of(&self, session: SessionId) -> Vec<String> {
        todo!()
    }
    pub fn sessions_with_ephemerals(&self) -> impl Iterator<Item = (SessionId, Vec<String>)> + '_ {
        std::iter::empty()
    }
    pub fn quota_of(&self, path: &str) -> Option<Quota> {
        todo!()
    }
    pub fn expired_nodes(&self, wall_ms: i64, never_used_ms: i64) -> Vec<String> {
        todo!()
    }
    pub fn set_config(&mut self, text: &[u8], version: Zxid, wall_ms: i64) {
        todo!()
    }
    pub fn exists(
        &self,
        path: &str,
        access: &Access<'_>,
        watcher: Option<WatcherId>,
    ) -> Result<Stat, ErrorCode> {
        todo!()
    }
    pub fn get_data(
        &self,
        path: &str,
        access: &Access<'_>,
        watcher: Option<WatcherId>,
    ) -> Result<(Option<&[u8]>, Stat), ErrorCode> {
        todo!()
    }
    pub fn get_children(
        &self,
        path: &str,
        access: &Access<'_>,
        watcher: Option<WatcherId>,
    ) -> Result<(Children<'_>, Stat), ErrorCode> {
        todo!()
    }
    pub fn get_acl(&self, path: &str, access: &Access<'_>) -> Result<(Vec<Acl>, Stat), ErrorCode> {
        todo!()
    }
    pub fn all_children_number(&self, path: &str, access: &Access<'_>) -> Result<i32, ErrorCode> {
        todo!()
    }
    pub fn ephemerals_with_prefix(&self, session: SessionId, prefix: Option<&str>) -> Vec<String> {
        todo!()
    }
    pub fn set_watches(
        &self,
        watcher: WatcherId,
        request: &SetWatches2,
        emit: &mut dyn FnMut(EventType, &str),
    ) {
        todo!()
    }
    pub fn add_watch(&self, watcher: WatcherId, path: &str, mode: AddWatchMode) {
        todo!()
    }
    pub fn check_watch(&self, watcher: WatcherId, path: &str, kind: WatcherType) -> bool {
        todo!()
    }
    pub fn remove_watch(&self, watcher: WatcherId, path: &str, kind: WatcherType) -> bool {
        todo!()
    }
    pub fn drop_watcher(&self, watcher: WatcherId) {
        todo!()
    }
    pub fn node_count(&self) -> usize {
        todo!()
    }
    pub fn watch_count(&self) -> usize {
        todo!()
    }
    pub fn watch_summary(&self) -> WatchSummary {
        todo!()
    }
    pub fn watches_by_watcher(&self) -> Vec<(WatcherId, Vec<Arc<str>>)> {
        todo!()
    }
    pub fn watches_by_path(&self) -> Vec<(Arc<str>, Vec<WatcherId>)> {
        todo!()
    }
    pub fn ephemerals_count(&self) -> usize {
        todo!()
    }
    pub fn approximate_data_size(&self) -> i64 {
        todo!()
    }
    pub fn begin_walk(&mut self) -> Walk {
        todo!()
    }
    pub fn end_walk(&mut self, walk: Walk) {
        todo!()
    }
}

#[derive(Debug)]
pub struct Walk;

impl Walk {
    pub fn zxid(&self) -> Zxid {
        todo!()
    }
    pub fn digest(&self) -> i64 {
        todo!()
    }
    pub fn next_chunk(&mut self, replica: &Replica, out: &mut Vec<u8>, max_bytes: usize) -> bool {
        todo!()
    }
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LoadError {
    #[error("node {0:?} comes before its parent")]
    Orphan(String),
    #[error("node {0:?} occurs twice")]
    Duplicate(String),
    #[error("the root is missing")]
    NoRoot,
    #[error("path {0:?} is not one that a node can have")]
    BadPath(String),
}

#[derive(Debug)]
pub struct ReplicaBuilder;

impl ReplicaBuilder {
    pub fn new(options: TreeOptions) -> ReplicaBuilder {
        todo!()
    }
    pub fn session(&mut self, id: SessionId, timeout_ms: i32) {
        todo!()
    }
    pub fn acl(&mut self, acl_id: i64, acl: Vec<Acl>) {
        todo!()
    }
    pub fn node(
        &mut self,
        path: &str,
        data: Option<&[u8]>,
        acl_id: i64,
        stat: StatPersisted,
    ) -> Result<(), LoadError> {
        todo!()
    }
    /// The digest section of the snapshot, if it has one: no digests are compared until the
    /// transaction of that zxid has been replayed (fuzzy snapshots).
    pub fn snapshot_digest(&mut self, zxid: Zxid, digest: TxnDigest) {
        todo!()
    }
    pub fn finish(self, zxid: Zxid) -> Result<Replica, LoadError> {
        todo!()
    }
}

pub mod digest {
    use zooid_proto::StatPersisted;
    /// CRC-32 after path and data.
    pub fn prefix(path: &str, data: Option<&[u8]>) -> u32 {
        todo!()
    }
    /// A node's digest.
    pub fn node(prefix: u32, stat: &StatPersisted) -> u32 {
        todo!()
    }
    /// Whether a node contributes to the tree's digest.
    pub fn counts(path: &str) -> bool {
        todo!()
    }
}

pub mod acl {
    use zooid_proto::{Acl, Id};
    /// Who asks.
    #[derive(Clone, Copy, Debug)]
    pub struct Access<'a> {
        pub ids: &'a [Id],
        pub skip_acl: bool,
    }
    pub fn permits(acl: &[Acl], perm: i32, access: &Access<'_>) -> bool {
        todo!()
    }
}
