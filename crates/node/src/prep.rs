//! Turning requests into transactions: every check that a write must pass, in the order in which
//! ZooKeeper makes them (spec §2.13; Java `PrepRequestProcessor`).
//!
//! Checks see the tree as it will be when everything proposed before has been applied: the
//! [`Pending`] view over the [`Replica`].

mod pending;
mod quota;

pub(crate) use pending::Pending;
use pending::{Key, Record};
pub(crate) use quota::ExceededQuotas;
pub use quota::{QuotaExceeded, Resource};

use crate::acl_list::fix_up;
use crate::step::Owner;
use crate::{Now, Sessions, Settings};
use std::collections::BTreeSet;
use zooid_proto::request::{
    CreateRequest, CreateTtlRequest, PathOnly, PathVersion, ReconfigRequest, SetAclRequest,
    SetDataRequest,
};
use zooid_proto::{
    AclList, CreateContainerTxn, CreateMode, CreateTtlTxn, CreateTxn, DecodeError, EphemeralOwner,
    ErrorCode, Id, Jute, Limit, MAX_TTL_MS, MultiOp, MultiRequest, OpCode, Reader, SessionId,
    SetAclTxn, SetDataTxn, StatPersisted, Txn, Zxid, mutant, path, perms,
};
use zooid_tree::Replica;
use zooid_tree::acl::{Access, permits};

/// Who asks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asker<'a> {
    pub(crate) session: SessionId,
    pub(crate) owner: Owner,
    pub(crate) ids: &'a [Id],
}

/// A request whose bytes have been understood.
#[derive(Clone, Debug)]
pub(crate) enum Write {
    Create(Creation),
    Delete(PathVersion),
    SetData(SetDataRequest),
    SetAcl(SetAclRequest),
    Check(PathVersion),
    Multi(MultiRequest),
    Reconfig,
    CloseSession,
    /// Internal: a container or TTL node is to be swept.
    Sweep(String),
}

/// The four requests that create, brought together.
#[derive(Clone, Debug)]
pub(crate) struct Creation {
    op: OpCode,
    request: CreateRequest,
    ttl: i64,
}

impl Creation {
    fn is_ephemeral(&self) -> bool {
        CreateMode::from_flags(self.request.flags).is_some_and(CreateMode::is_ephemeral)
    }

    fn plain(op: OpCode, request: CreateRequest) -> Creation {
        Creation {
            op,
            request,
            ttl: -1,
        }
    }

    fn with_ttl(r: CreateTtlRequest) -> Creation {
        let request = CreateRequest {
            path: r.path,
            data: r.data,
            acl: r.acl,
            flags: r.flags,
        };
        Creation {
            op: OpCode::CreateTtl,
            request,
            ttl: r.ttl,
        }
    }

    /// Inside a multi the flags decide, and create2 is create (Java `MultiOperationRecord`, `Op`, up
    /// to 3.9). Those releases cannot read a create2 in the log record of a multi, so there must not
    /// be one.
    fn in_multi(request: CreateRequest, ttl: Option<i64>) -> Creation {
        let mode = CreateMode::from_flags(request.flags);
        match (mode, ttl) {
            (Some(CreateMode::Container), _) => Creation::plain(OpCode::CreateContainer, request),
            (Some(mode), Some(ttl)) if mode.has_ttl() => Creation {
                op: OpCode::CreateTtl,
                request,
                ttl,
            },
            _ => Creation::plain(OpCode::Create, request),
        }
    }

    /// The kind of the node. Java's apply stage goes by the operation code alone, so that is what
    /// a digest must agree with, whatever else the flags say.
    fn owner(&self, mode: CreateMode, session: SessionId) -> EphemeralOwner {
        match self.op {
            OpCode::CreateContainer => EphemeralOwner::Container,
            OpCode::CreateTtl => EphemeralOwner::Ttl(self.ttl),
            _ if mode.is_ephemeral() => EphemeralOwner::Session(session),
            _ => EphemeralOwner::Persistent,
        }
    }

    fn into_txn(self, mode: CreateMode, acl: AclList, parent_cversion: i32) -> Txn {
        let Creation {
            op,
            request: CreateRequest { path, data, .. },
            ttl,
        } = self;
        match op {
            OpCode::CreateContainer => Txn::CreateContainer(CreateContainerTxn {
                path,
                data,
                acl,
                parent_cversion,
            }),
            OpCode::CreateTtl => Txn::CreateTtl(CreateTtlTxn {
                path,
                data,
                acl,
                parent_cversion,
                ttl,
            }),
            _ => {
                let ephemeral = mode.is_ephemeral();
                let txn = CreateTxn {
                    path,
                    data,
                    acl,
                    ephemeral,
                    parent_cversion,
                };
                if op == OpCode::Create2 {
                    Txn::Create2(txn)
                } else {
                    Txn::Create(txn)
                }
            }
        }
    }
}

impl Write {
    /// Decodes a request body.
    ///
    /// # Errors
    /// [`DecodeError`] when malformed; [`DecodeError::Unknown`] for what is no write.
    pub(crate) fn decode(op: OpCode, r: &mut Reader<'_>) -> Result<Write, DecodeError> {
        Ok(match op {
            OpCode::Create | OpCode::Create2 | OpCode::CreateContainer => {
                Write::Create(Creation::plain(op, Jute::decode(r)?))
            }
            OpCode::CreateTtl => Write::Create(Creation::with_ttl(Jute::decode(r)?)),
            OpCode::Delete => Write::Delete(Jute::decode(r)?),
            OpCode::SetData => Write::SetData(Jute::decode(r)?),
            OpCode::SetAcl => Write::SetAcl(Jute::decode(r)?),
            OpCode::Check => Write::Check(Jute::decode(r)?),
            OpCode::Multi => Write::Multi(Jute::decode(r)?),
            OpCode::Reconfig => {
                ReconfigRequest::decode(r)?;
                Write::Reconfig
            }
            OpCode::CloseSession => Write::CloseSession,
            OpCode::DeleteContainer => Write::Sweep(PathOnly::decode(r)?.path),
            other => {
                return Err(DecodeError::Unknown {
                    what: "write",
                    value: other.code(),
                });
            }
        })
    }
}

impl Write {
    /// Whether it brings data that the log, and perhaps the database, must grow for. What removes, checks
    /// or says who may do what is small.
    pub(crate) fn stores_data(&self) -> bool {
        match self {
            Write::Create(_) | Write::SetData(_) => true,
            Write::Multi(multi) => multi.0.iter().any(|op| match op {
                MultiOp::Create(_)
                | MultiOp::Create2(_)
                | MultiOp::CreateContainer(_)
                | MultiOp::CreateTtl(_)
                | MultiOp::SetData(_) => true,
                MultiOp::Delete(_) | MultiOp::Check(_) => false,
            }),
            Write::Delete(_)
            | Write::SetAcl(_)
            | Write::Check(_)
            | Write::Reconfig
            | Write::CloseSession
            | Write::Sweep(_) => false,
        }
    }

    /// Whether it may create a node that goes with its session. One that cannot be said to does not.
    pub(crate) fn creates_ephemerals(&self) -> bool {
        match self {
            Write::Create(creation) => creation.is_ephemeral(),
            Write::Multi(multi) => multi.0.iter().any(|op| match op {
                MultiOp::Create(request) | MultiOp::Create2(request) => {
                    CreateMode::from_flags(request.flags).is_some_and(CreateMode::is_ephemeral)
                }
                _ => false,
            }),
            _ => false,
        }
    }
}

impl From<MultiOp> for Write {
    fn from(op: MultiOp) -> Write {
        match op {
            MultiOp::Create(r) | MultiOp::Create2(r) | MultiOp::CreateContainer(r) => {
                Write::Create(Creation::in_multi(r, None))
            }
            MultiOp::CreateTtl(r) => {
                let Creation { request, ttl, .. } = Creation::with_ttl(r);
                Write::Create(Creation::in_multi(request, Some(ttl)))
            }
            MultiOp::Delete(r) => Write::Delete(r),
            MultiOp::SetData(r) => Write::SetData(r),
            MultiOp::Check(r) => Write::Check(r),
        }
    }
}

/// Everything one preparation looks at, and the view it leaves its changes in.
pub(crate) struct Prep<'a> {
    pub(crate) settings: &'a Settings,
    pub(crate) replica: &'a Replica,
    pub(crate) sessions: &'a mut Sessions,
    /// Sessions that only this server knows.
    pub(crate) local: &'a Sessions,
    pub(crate) pending: &'a mut Pending,
    pub(crate) exceeded_quotas: &'a mut ExceededQuotas,
    pub(crate) now: Now,
    pub(crate) zxid: Zxid,
}

impl Prep<'_> {
    /// The transaction for a request; a failed check becomes an error transaction, which consumes
    /// the zxid all the same.
    pub(crate) fn prepare(&mut self, asker: Asker<'_>, write: Write) -> Txn {
        match write {
            Write::Multi(multi) => self.multi(asker, multi),
            single => self.single(asker, single).unwrap_or_else(Txn::Error),
        }
    }

    fn single(&mut self, asker: Asker<'_>, write: Write) -> Result<Txn, ErrorCode> {
        match write {
            Write::Create(creation) => self.create(asker, creation),
            Write::Delete(request) => self.delete(asker, request),
            Write::SetData(request) => self.set_data(asker, request),
            Write::SetAcl(request) => self.set_acl(asker, request),
            Write::Check(request) => self.check(asker, request),
            Write::CloseSession => Ok(self.close_session(asker.session)),
            Write::Sweep(path) => self.sweep(path),
            Write::Reconfig if !self.settings.reconfig_enabled => Err(ErrorCode::ReconfigDisabled),
            Write::Reconfig => {
                self.sessions.check(asker.session, asker.owner)?;
                // Only the leader of an ensemble can.
                Err(ErrorCode::Unimplemented)
            }
            Write::Multi(_) => Err(ErrorCode::MarshallingError),
        }
    }

    /// All or nothing: after the first failure, everything before it is taken back and everything
    /// behind it is not tried.
    fn multi(&mut self, asker: Asker<'_>, multi: MultiRequest) -> Txn {
        let mark = self.pending.mark();
        let mut failed = false;
        let mut txns = Vec::with_capacity(multi.0.len());
        let mut ops = multi.0.into_iter();
        while let Some(op) = ops.next() {
            if txns.len() % Replica::LOOK_AHEAD_MAX == 0 {
                let paths = ops.as_slice().iter().map(MultiOp::path);
                self.replica.look_ahead(paths.map(str::as_bytes));
            }
            if failed {
                txns.push(Txn::Error(ErrorCode::RuntimeInconsistency));
                continue;
            }
            txns.push(self.single(asker, op.into()).unwrap_or_else(|err| {
                failed = true;
                Txn::Error(err)
            }));
        }
        // As in Java's log, what stands before the failure stays in the record; whoever applies it
        // sees the error among them and changes nothing.
        if failed {
            self.pending.roll_back(mark);
        }
        Txn::Multi(txns)
    }

    fn record(&self, key: Key<'_>) -> Result<Record, ErrorCode> {
        self.pending
            .record(self.replica, key)
            .ok_or(ErrorCode::NoNode)
    }

    fn permit(&self, record: &Record, perm: i32, asker: Asker<'_>) -> Result<(), ErrorCode> {
        let access = Access {
            ids: asker.ids,
            skip_acl: self.settings.skip_acl,
        };
        if permits(&record.acl, perm, &access) {
            Ok(())
        } else {
            Err(ErrorCode::NoAuth)
        }
    }

    fn create(&mut self, asker: Asker<'_>, mut creation: Creation) -> Result<Txn, ErrorCode> {
        let mode = self.create_mode(&creation)?;
        if mode.is_ephemeral() {
            self.sessions.check(asker.session, asker.owner)?;
        } else {
            self.check_session(asker)?;
        }
        let parent_path = parent_of_legal(&creation.request.path)?;
        let parent_len = parent_path.len();
        let acl = fix_up(
            &creation.request.acl,
            asker.ids,
            &self.settings.authenticator,
        )?;
        let parent_key = Key::of(parent_path);
        let parent_hash = parent_key.hash;
        let mut parent = self.record(parent_key)?;
        self.permit(&parent, perms::CREATE, asker)?;
        if mode.is_sequential() {
            creation
                .request
                .path
                .push_str(&format!("{:010}", parent.stat.cversion));
        }
        let path = &creation.request.path;
        if !path::is_valid(path) {
            return Err(ErrorCode::BadArguments);
        }
        let key = Key::of(path);
        if self.pending.exists(self.replica, key) {
            return Err(ErrorCode::NodeExists);
        }
        let parent_owner =
            EphemeralOwner::from_raw(parent.stat.ephemeral_owner, self.settings.owner_rules);
        if matches!(parent_owner, EphemeralOwner::Session(_)) {
            return Err(ErrorCode::NoChildrenForEphemerals);
        }
        let len = data_len(creation.request.data.as_deref());
        self.check_quota(path, 1, len)?;

        let parent_cversion = parent.stat.cversion.wrapping_add(1);
        parent.stat.cversion = parent_cversion;
        parent.stat.pzxid = self.zxid;
        parent.child_count += 1;
        let owner = creation.owner(mode, asker.session).to_raw();
        let data = creation.request.data.as_ref();
        let node = Record::new(data, self.stat(owner), acl.clone());
        let parent_key = Key::hashed(&path[..parent_len], parent_hash);
        self.pending.put(self.zxid, parent_key, parent);
        self.pending.put(self.zxid, key, node);
        Ok(creation.into_txn(mode, acl, parent_cversion))
    }

    /// Whether the asker may write; a local session of any server may
    /// (Java `LeaderSessionTracker.checkSession`). What was asked for in the name of a session of everybody's
    /// may come behind its end, from a server that has not heard of that yet.
    fn check_session(&mut self, asker: Asker<'_>) -> Result<(), ErrorCode> {
        let Asker { session, owner, .. } = asker;
        let is_local = self.settings.local_sessions.enabled
            && self.sessions.get(session).is_none()
            && !self.sessions.has_ended(session)
            && (self.local.get(session).is_some() || session.0 >> 56 != self.settings.server_id.0);
        if is_local {
            return Ok(());
        }
        self.sessions.check(session, owner)
    }

    fn create_mode(&self, creation: &Creation) -> Result<CreateMode, ErrorCode> {
        let mode = CreateMode::from_flags(creation.request.flags).ok_or(ErrorCode::BadArguments)?;
        if mode.has_ttl() && !self.settings.owner_rules.extended_types {
            return Err(ErrorCode::Unimplemented);
        }
        let ttl_fits = if mode.has_ttl() {
            (1..=MAX_TTL_MS).contains(&creation.ttl)
        } else {
            // Java lets a createTTL without a TTL mode pass here, and breaks when applying it.
            creation.ttl < 0 && creation.op != OpCode::CreateTtl
        };
        if ttl_fits {
            Ok(mode)
        } else {
            Err(ErrorCode::BadArguments)
        }
    }

    fn stat(&self, ephemeral_owner: i64) -> StatPersisted {
        StatPersisted {
            czxid: self.zxid,
            mzxid: self.zxid,
            pzxid: self.zxid,
            ctime: self.now.wall_ms,
            mtime: self.now.wall_ms,
            ephemeral_owner,
            ..StatPersisted::default()
        }
    }

    fn delete(&mut self, asker: Asker<'_>, request: PathVersion) -> Result<Txn, ErrorCode> {
        self.check_session(asker)?;
        let parent_key = Key::of(parent_of_deletable(&request.path)?);
        let parent = self.record(parent_key)?;
        self.permit(&parent, perms::DELETE, asker)?;
        let key = Key::of(&request.path);
        let node = self.record(key)?;
        next_version(node.stat.version, request.version)?;
        if node.child_count > 0 {
            return Err(ErrorCode::NotEmpty);
        }
        self.remove((parent_key, parent), (key, &node));
        Ok(Txn::Delete { path: request.path })
    }

    fn remove(&mut self, parent: (Key<'_>, Record), node: (Key<'_>, &Record)) {
        let (parent_key, mut parent) = parent;
        parent.child_count -= 1;
        parent.stat.pzxid = self.zxid;
        self.pending.put(self.zxid, parent_key, parent);
        self.pending.remove(self.zxid, node.0, node.1);
    }

    fn sweep(&mut self, path: String) -> Result<Txn, ErrorCode> {
        let parent_key = Key::of(parent_of_deletable(&path)?);
        let key = Key::of(&path);
        let node = self.record(key)?;
        if node.child_count > 0 {
            return Err(ErrorCode::NotEmpty);
        }
        // It was due when it was found; since then it may have been written to or made anew.
        if !self.is_due(&node.stat) {
            return Err(ErrorCode::BadVersion);
        }
        let parent = self.record(parent_key)?;
        self.remove((parent_key, parent), (key, &node));
        Ok(Txn::DeleteContainer { path })
    }

    /// As [`Replica::expired_nodes`] decides it, for a node without children.
    fn is_due(&self, stat: &StatPersisted) -> bool {
        let age_ms = self.now.wall_ms.saturating_sub(stat.mtime);
        let never_used_ms = self.settings.containers.max_never_used_ms;
        match EphemeralOwner::from_raw(stat.ephemeral_owner, self.settings.owner_rules) {
            EphemeralOwner::Container => {
                stat.cversion > 0 || (never_used_ms != 0 && age_ms > never_used_ms)
            }
            EphemeralOwner::Ttl(ttl_ms) => ttl_ms != 0 && age_ms > ttl_ms,
            EphemeralOwner::Persistent | EphemeralOwner::Session(_) => false,
        }
    }

    fn set_data(&mut self, asker: Asker<'_>, request: SetDataRequest) -> Result<Txn, ErrorCode> {
        self.check_session(asker)?;
        let SetDataRequest {
            path,
            data,
            version,
        } = request;
        require_valid(&path)?;
        let key = Key::of(&path);
        let mut node = self.record(key)?;
        self.permit(&node, perms::WRITE, asker)?;
        self.check_quota(&path, 0, data_len(data.as_deref()) - node.data_len)?;
        let version = next_version(node.stat.version, version)?;
        node.stat.version = version;
        node.stat.mtime = self.now.wall_ms;
        node.stat.mzxid = self.zxid;
        node.set_data(data.as_ref());
        self.pending.put(self.zxid, key, node);
        Ok(Txn::SetData(SetDataTxn {
            path,
            data,
            version,
        }))
    }

    fn set_acl(&mut self, asker: Asker<'_>, request: SetAclRequest) -> Result<Txn, ErrorCode> {
        self.check_session(asker)?;
        let SetAclRequest { path, acl, version } = request;
        require_valid(&path)?;
        let acl = fix_up(&acl, asker.ids, &self.settings.authenticator)?;
        let key = Key::of(&path);
        let mut node = self.record(key)?;
        self.permit(&node, perms::ADMIN, asker)?;
        let version = next_version(node.stat.aversion, version)?;
        node.stat.aversion = version;
        node.acl = acl.clone();
        self.pending.put(self.zxid, key, node);
        Ok(Txn::SetAcl(SetAclTxn { path, acl, version }))
    }

    fn check(&mut self, asker: Asker<'_>, request: PathVersion) -> Result<Txn, ErrorCode> {
        self.check_session(asker)?;
        require_valid(&request.path)?;
        let node = self.record(Key::of(&request.path))?;
        self.permit(&node, perms::READ, asker)?;
        let version = next_version(node.stat.version, request.version)?;
        Ok(Txn::Check {
            path: request.path,
            version,
        })
    }

    /// Deletes all of a session's ephemerals, whether or not they are listed: so does everybody who applies
    /// this.
    fn close_session(&mut self, session: SessionId) -> Txn {
        let paths = self.ephemerals_of(session);
        self.remove_all(&paths);
        self.sessions.set_closing(session);
        let is_listed = self.settings.close_session_txn;
        let bytes_max = self.settings.limit.0.min(Limit::default().0) / CLOSING_SHARE;
        Txn::CloseSession {
            paths_to_delete: is_listed.then(|| closing_list(paths, bytes_max)),
        }
    }

    /// Ephemerals of the session, sorted: in the tree, less those whose deletion is pending, though the path
    /// may be somebody else's by now, and those whose creation is.
    fn ephemerals_of(&self, session: SessionId) -> Vec<String> {
        let is_its_own = |path: &String| {
            self.record(Key::of(path))
                .is_ok_and(|record| record.stat.ephemeral_owner == session.0)
        };
        let applied = self.replica.ephemerals_of(session).into_iter();
        let pending = self.pending.owned_by(session).map(str::to_owned);
        let paths: BTreeSet<String> = applied.filter(is_its_own).chain(pending).collect();
        paths.into_iter().collect()
    }

    fn remove_all(&mut self, paths: &[String]) {
        for path in paths {
            let Some((parent_path, _)) = path::split(path) else {
                continue;
            };
            let (parent_key, key) = (Key::of(parent_path), Key::of(path));
            if let (Ok(parent), Ok(node)) = (self.record(parent_key), self.record(key)) {
                self.remove((parent_key, parent), (key, &node));
            }
        }
    }

    fn check_quota(&mut self, path: &str, nodes: i64, bytes: i64) -> Result<(), ErrorCode> {
        if !self.settings.enforce_quota {
            return Ok(());
        }
        match self.replica.quota_of(path) {
            Some(quota) => self.exceeded_quotas.check(&quota, nodes, bytes),
            None => Ok(()),
        }
    }
}

/// What a list of ephemerals may take of the least that servers read: the rest is for what stands around
/// it, and for servers with a smaller `jute.maxbuffer` than this one's.
const CLOSING_SHARE: usize = 4;

/// Of a session's ephemerals, those that the transaction which closes it says to delete. All of them, unless
/// nobody could read it back then (ZOOKEEPER-4306).
///
/// Whoever applies the transaction, of any release, deletes what is listed and then whatever else the session
/// owns there. The list is for replaying onto a fuzzy snapshot of ZooKeeper's, taken while the session was
/// closed: an ephemeral that is in it no more does not date its parent again, unless it is listed
/// (ZOOKEEPER-3145). One child is enough for that, so one of each parent comes first. What is left out is
/// missed only by who replays so where the parents alone are too many; a `pzxid` is then too old.
fn closing_list(paths: Vec<String>, bytes_max: usize) -> Vec<String> {
    let len = |path: &String| size_of::<i32>() + path.len();
    let fits = paths.iter().map(len).sum::<usize>() <= bytes_max;
    if fits || mutant!(Zk4306) {
        return paths;
    }
    let mut parents = BTreeSet::new();
    let (firsts, others): (Vec<&String>, Vec<&String>) = paths
        .iter()
        .partition(|path| parents.insert(path::split(path).map(|(parent, _)| parent)));
    let mut bytes = 0;
    let fitting = firsts.into_iter().chain(others).take_while(|path| {
        bytes += len(path);
        bytes <= bytes_max
    });
    let mut listed: Vec<String> = fitting.cloned().collect();
    listed.sort_unstable();
    listed
}

fn data_len(data: Option<&[u8]>) -> i64 {
    data.map_or(0, |data| {
        i64::try_from(data.len()).expect("a slice is shorter than 2^63")
    })
}

fn require_valid(path: &str) -> Result<(), ErrorCode> {
    if path::is_valid(path) {
        Ok(())
    } else {
        Err(ErrorCode::BadArguments)
    }
}

/// The parent, of a path that may still lack its sequence suffix.
fn parent_of_legal(path: &str) -> Result<&str, ErrorCode> {
    match path::split(path) {
        Some((parent, _)) if !path.contains('\0') => Ok(parent),
        _ => Err(ErrorCode::BadArguments),
    }
}

fn parent_of_deletable(path: &str) -> Result<&str, ErrorCode> {
    if path::is_special(path) {
        Err(ErrorCode::BadArguments)
    } else {
        parent_of_legal(path)
    }
}

/// The version after one more change. -1 means "any" to clients, so it is never one.
fn next_version(current: i32, expected: i32) -> Result<i32, ErrorCode> {
    if expected != -1 && expected != current {
        return Err(ErrorCode::BadVersion);
    }
    match current.wrapping_add(1) {
        -1 => Ok(0),
        next => Ok(next),
    }
}

#[cfg(test)]
mod tests;
