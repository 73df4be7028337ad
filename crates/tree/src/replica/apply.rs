//! Transactions take effect (spec §2.9, §4.5; Java `DataTree.processTxn`).
//!
//! Whether a transaction is legal was decided when it was made. What can still fail is replaying
//! onto a fuzzy snapshot of ZooKeeper's, which may contain some of the log's effects already; the
//! rules that make this come out right are the same as live, so there is one code path.

use super::Replica;
use crate::tree::Creation;
use crate::watches::{Fired, Subject};
use zooid_proto::path::split;
use zooid_proto::{
    CreateTxn, EphemeralOwner, ErrorCode, SessionId, SetAclTxn, SetDataTxn, Stat, Txn, TxnDigest,
    TxnHeader, Zxid,
};

const DIGEST_LOG_INTERVAL: i64 = 128;
const DIGEST_LOG_LEN_MAX: usize = 1024;

/// What came of a transaction, or of one part of a multi.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Applied {
    /// How it ended: an error transaction's own code, or why there was nothing to do.
    pub err: ErrorCode,
    /// The node afterwards, for creates, setData and setACL.
    pub stat: Option<Stat>,
    /// The parts of a multi.
    pub multi: Vec<Applied>,
}

impl Applied {
    fn of(result: Result<Option<Stat>, ErrorCode>) -> Applied {
        let (err, stat) = match result {
            Ok(stat) => (ErrorCode::Ok, stat),
            Err(err) => (err, None),
        };
        Applied {
            err,
            stat,
            multi: Vec::new(),
        }
    }
}

/// Where events go: nowhere, while the log is replayed.
type Events<'a> = Option<&'a mut Vec<Fired>>;

impl Replica {
    /// Applies a committed transaction and appends the events that it causes.
    pub fn apply(
        &mut self,
        header: &TxnHeader,
        txn: &Txn,
        digest: Option<&TxnDigest>,
        fired: &mut Vec<Fired>,
    ) -> Applied {
        self.process(header, txn, digest, Some(fired))
    }

    /// Applies a transaction found in the log. Causes no events.
    pub fn replay(&mut self, header: &TxnHeader, txn: &Txn, digest: Option<&TxnDigest>) -> Applied {
        self.process(header, txn, digest, None)
    }

    /// Ends a recovery: ephemerals whose session is not in the session table are deleted, and
    /// quotas counted anew. Returns the sessions that were closed this way.
    pub fn finish_recovery(&mut self) -> Vec<SessionId> {
        let is_dead = |session: &SessionId| !self.sessions.contains_key(session);
        let dead: Vec<SessionId> = self.tree.owners.sessions().filter(is_dead).collect();
        for session in &dead {
            self.close_session(*session, &[], self.last_zxid, &mut None);
        }
        self.tree.recount_quotas();
        self.tree.settle_digest();
        dead
    }

    /// A multi is atomic as seen from `last_zxid`, which moves after all of it.
    fn process(
        &mut self,
        header: &TxnHeader,
        txn: &Txn,
        digest: Option<&TxnDigest>,
        mut events: Events<'_>,
    ) -> Applied {
        let applied = match txn {
            Txn::Multi(parts) => self.process_multi(header, parts, &mut events),
            single => self.process_single(header, single, &mut events),
        };
        self.last_zxid = self.last_zxid.max(header.zxid);
        self.tree.settle_digest();
        self.record_digest(header.zxid);
        self.compare_digest(digest);
        applied
    }

    /// If one part is an error none takes effect: those before it report success, those after it
    /// that they were not tried.
    fn process_multi(
        &mut self,
        header: &TxnHeader,
        parts: &[Txn],
        events: &mut Events<'_>,
    ) -> Applied {
        let failed = parts.iter().any(|part| matches!(part, Txn::Error(_)));
        let mut after_error = false;
        let mut multi = Vec::with_capacity(parts.len());
        for (number, part) in parts.iter().enumerate() {
            if number % Replica::LOOK_AHEAD_MAX == 0 {
                let paths = parts[number..].iter().filter_map(Txn::path);
                self.look_ahead(paths.map(str::as_bytes));
            }
            multi.push(match part {
                Txn::Error(err) => {
                    after_error = true;
                    Applied::of(Err(*err))
                }
                _ if failed && after_error => Applied::of(Err(ErrorCode::RuntimeInconsistency)),
                _ if failed => Applied::of(Ok(None)),
                part => self.process_single(header, part, events),
            });
        }
        let mut errs = multi.iter().map(|part| part.err);
        let err = errs.find(|err| *err != ErrorCode::Ok);
        Applied {
            err: err.unwrap_or(ErrorCode::Ok),
            stat: None,
            multi,
        }
    }

    /// The kind of a new node follows from the transaction's type alone.
    fn process_single(
        &mut self,
        header: &TxnHeader,
        txn: &Txn,
        events: &mut Events<'_>,
    ) -> Applied {
        let zxid = header.zxid;
        Applied::of(match txn {
            Txn::Create(txn) => self.create_v1(header, txn, events),
            Txn::Create2(txn) => self.create(&creation(header, txn), events),
            Txn::CreateTtl(txn) => {
                let owner = EphemeralOwner::Ttl(txn.ttl);
                let new = Creation {
                    path: &txn.path,
                    data: txn.data.as_deref(),
                    acl: &txn.acl,
                    owner_raw: owner.to_raw(),
                    parent_cversion: txn.parent_cversion,
                    zxid,
                    time: header.time,
                };
                self.create(&new, events)
            }
            Txn::CreateContainer(txn) => {
                let new = Creation {
                    path: &txn.path,
                    data: txn.data.as_deref(),
                    acl: &txn.acl,
                    owner_raw: EphemeralOwner::Container.to_raw(),
                    parent_cversion: txn.parent_cversion,
                    zxid,
                    time: header.time,
                };
                self.create(&new, events)
            }
            Txn::Delete { path } | Txn::DeleteContainer { path } => {
                self.delete(path, zxid, events).map(|()| None)
            }
            Txn::SetData(txn) | Txn::Reconfig(txn) => self.set_data(header, txn, events),
            Txn::SetAcl(txn) => self.set_acl(txn),
            Txn::CreateSession { timeout_ms } => {
                self.sessions.insert(header.client_id, *timeout_ms);
                Ok(None)
            }
            Txn::CloseSession { paths_to_delete } => {
                let listed = paths_to_delete.as_deref().unwrap_or_default();
                self.close_session(header.client_id, listed, zxid, events);
                Ok(None)
            }
            Txn::Error(err) => Err(*err),
            Txn::Check { .. } => Ok(None),
            // No decoder yields a multi within a multi.
            Txn::Multi(_) => Err(ErrorCode::MarshallingError),
        })
    }

    /// A type-1 create that meets its own node still dates the parent: the node may have come with
    /// a fuzzy snapshot that saw the parent earlier. Java does so for this type only.
    fn create_v1(
        &mut self,
        header: &TxnHeader,
        txn: &CreateTxn,
        events: &mut Events<'_>,
    ) -> Result<Option<Stat>, ErrorCode> {
        let result = self.create(&creation(header, txn), events);
        if result == Err(ErrorCode::NodeExists)
            && let Some(parent) = self.tree.parent_of(&txn.path)
        {
            self.tree
                .count_creation(parent, txn.parent_cversion, header.zxid);
        }
        result
    }

    fn create(
        &mut self,
        new: &Creation<'_>,
        events: &mut Events<'_>,
    ) -> Result<Option<Stat>, ErrorCode> {
        let created = self.tree.create(new)?;
        if let Some(fired) = events
            && self.watches.are_any()
        {
            let node = Subject {
                path: new.path,
                acl: self.tree.acls.get(created.acl),
            };
            let parent_acl = self.tree.acl_of(created.parent);
            self.watches.created(node, parent_acl, new.zxid, fired);
        }
        Ok(Some(created.stat))
    }

    fn delete(&mut self, path: &str, zxid: Zxid, events: &mut Events<'_>) -> Result<(), ErrorCode> {
        let (_, name) = split(path).ok_or(ErrorCode::BadArguments)?;
        if name.is_empty() {
            return Err(ErrorCode::BadArguments);
        }
        let Some(slot) = self.tree.find(path) else {
            if let Some(parent) = self.tree.parent_of(path) {
                self.tree.touch_parent(parent, zxid);
            }
            return Err(ErrorCode::NoNode);
        };
        if let Some(fired) = events
            && self.watches.are_any()
        {
            let node = Subject {
                path,
                acl: self.tree.acl_of(slot),
            };
            let parent_acl = self.tree.acl_of(self.tree.nodes.parent(slot));
            self.watches.deleted(node, parent_acl, zxid, fired);
        }
        self.tree.delete(slot, path, zxid);
        Ok(())
    }

    fn set_data(
        &mut self,
        header: &TxnHeader,
        txn: &SetDataTxn,
        events: &mut Events<'_>,
    ) -> Result<Option<Stat>, ErrorCode> {
        let slot = self.tree.find(&txn.path).ok_or(ErrorCode::NoNode)?;
        let stat = self.tree.set_data(
            slot,
            &txn.path,
            txn.data.as_deref(),
            txn.version,
            header.zxid,
            header.time,
        );
        if let Some(fired) = events
            && self.watches.are_any()
        {
            let node = Subject {
                path: &txn.path,
                acl: self.tree.acl_of(slot),
            };
            self.watches.data_changed(node, header.zxid, fired);
        }
        Ok(Some(stat))
    }

    fn set_acl(&mut self, txn: &SetAclTxn) -> Result<Option<Stat>, ErrorCode> {
        let slot = self.tree.find(&txn.path).ok_or(ErrorCode::NoNode)?;
        self.tree.set_acl(slot, &txn.acl, txn.version);
        Ok(Some(self.tree.stat(slot)))
    }

    /// Deletes what the leader listed, then whatever else the session owns here (Java
    /// `DataTree.killSession`).
    fn close_session(
        &mut self,
        session: SessionId,
        listed: &[String],
        zxid: Zxid,
        events: &mut Events<'_>,
    ) {
        self.sessions.remove(&session);
        for path in listed {
            // One that is gone already is what replaying onto a fuzzy snapshot meets.
            let _ = self.delete(path, zxid, events);
        }
        for path in self.tree.ephemerals_of(session) {
            // One below another has gone with it.
            let _ = self.delete(&path, zxid, events);
        }
        self.tree.owners.forget(session);
    }
}

fn creation<'a>(header: &TxnHeader, txn: &'a CreateTxn) -> Creation<'a> {
    Creation {
        path: &txn.path,
        data: txn.data.as_deref(),
        acl: &txn.acl,
        owner_raw: if txn.ephemeral { header.client_id.0 } else { 0 },
        parent_cversion: txn.parent_cversion,
        zxid: header.zxid,
        time: header.time,
    }
}

/// Digests.
impl Replica {
    /// Makes the replica wait for the transaction of a fuzzy snapshot's digest before it compares
    /// any.
    pub(crate) fn await_digest(&mut self, zxid: Zxid, digest: TxnDigest) {
        if zxid > self.last_zxid {
            self.awaited_digest = Some((zxid, digest));
        } else if zxid == self.last_zxid {
            self.compare_digest(Some(&digest));
        }
        // A digest from before the snapshot began tells nothing.
    }

    fn record_digest(&mut self, zxid: Zxid) {
        if self.awaited_digest.is_some() {
            self.end_fuzzy_replay(zxid);
        } else if zxid.0 % DIGEST_LOG_INTERVAL == 0 && self.options().digest {
            if self.digest_log.len() == DIGEST_LOG_LEN_MAX {
                self.digest_log.pop_front();
            }
            let entry = (zxid, TxnDigest::VERSION, self.digest());
            self.digest_log.push_back(entry);
        }
    }

    fn end_fuzzy_replay(&mut self, zxid: Zxid) {
        let Some((awaited, digest)) = self.awaited_digest else {
            return;
        };
        if zxid < awaited {
            return;
        }
        self.awaited_digest = None;
        // Past it without having met it: there is nothing to compare with.
        if zxid == awaited {
            self.compare_digest(Some(&digest));
        }
    }

    fn compare_digest(&mut self, theirs: Option<&TxnDigest>) {
        let Some(theirs) = theirs else {
            return;
        };
        let is_comparable = self.options().digest
            && self.awaited_digest.is_none()
            && theirs.version == TxnDigest::VERSION;
        if is_comparable && theirs.tree_digest != self.digest() {
            self.digest_mismatches += 1;
        }
    }
}
