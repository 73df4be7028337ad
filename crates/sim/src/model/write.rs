//! Requests that change the tree: each check in ZooKeeper's order (spec §2.13), then the change.

use super::Ask;
use super::tree::{Node, Quota, Tree, is_at_or_below};
use super::watches::Change;
use bytes::Bytes;
use zooid_proto::request::{CreateRequest, PathVersion, SetAclRequest, SetDataRequest};
use zooid_proto::{
    Acl, CreateMode, EphemeralOwner, ErrorCode, MAX_TTL_MS, MultiOp, MultiResult, SessionId, Stat,
    StatPersisted, Zxid, path, perms,
};

/// Who asks, and with which prospects.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asker<'a> {
    pub(crate) session: SessionId,
    pub(crate) ask: &'a Ask,
}

/// The place of a change in order and time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment {
    pub(crate) zxid: Zxid,
    pub(crate) wall_ms: i64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Create,
    Create2,
    Container,
    Ttl(i64),
}

/// Whether a create is so malformed that not even its session is looked at.
pub(crate) fn has_bad_mode(op: &MultiOp) -> bool {
    match op {
        MultiOp::Create(r) => mode(r, Kind::Create).is_err(),
        MultiOp::Create2(r) => mode(r, Kind::Create2).is_err(),
        MultiOp::CreateContainer(r) => mode(r, Kind::Container).is_err(),
        MultiOp::CreateTtl(r) => {
            CreateMode::from_flags(r.flags).is_none_or(|mode| !mode.has_ttl())
                || !(1..=MAX_TTL_MS).contains(&r.ttl)
        }
        _ => false,
    }
}

fn mode(request: &CreateRequest, kind: Kind) -> Result<CreateMode, ErrorCode> {
    let mode = CreateMode::from_flags(request.flags).ok_or(ErrorCode::BadArguments)?;
    let fits = match kind {
        Kind::Ttl(ttl) => mode.has_ttl() && (1..=MAX_TTL_MS).contains(&ttl),
        _ => !mode.has_ttl(),
    };
    if fits {
        Ok(mode)
    } else {
        Err(ErrorCode::BadArguments)
    }
}

impl Tree {
    /// Carries all of it out, or nothing.
    pub(crate) fn multi(
        &mut self,
        ops: &[MultiOp],
        asker: &Asker<'_>,
        moment: Moment,
        changes: &mut Vec<Change>,
    ) -> Vec<MultiResult> {
        let mut scratch = self.clone();
        let mut done = Vec::new();
        let mut results = Vec::new();
        for op in ops {
            // Inside a multi, create2 is create (Java `MultiOperationRecord`).
            let op = match op {
                MultiOp::Create2(request) => &MultiOp::Create(request.clone()),
                other => other,
            };
            match scratch.write(op, asker, moment, &mut done) {
                Ok(result) => results.push(result),
                Err(err) => return failed_multi(ops.len(), results.len(), err),
            }
        }
        *self = scratch;
        changes.extend(done);
        results
    }

    pub(crate) fn write(
        &mut self,
        op: &MultiOp,
        asker: &Asker<'_>,
        moment: Moment,
        changes: &mut Vec<Change>,
    ) -> Result<MultiResult, ErrorCode> {
        match op {
            MultiOp::Create(r) => self.create(r, Kind::Create, asker, moment, changes),
            MultiOp::Create2(r) => self.create(r, Kind::Create2, asker, moment, changes),
            MultiOp::CreateContainer(r) => self.create(r, Kind::Container, asker, moment, changes),
            MultiOp::CreateTtl(r) => {
                let request = CreateRequest {
                    path: r.path.clone(),
                    data: r.data.clone(),
                    acl: r.acl.clone(),
                    flags: r.flags,
                };
                self.create(&request, Kind::Ttl(r.ttl), asker, moment, changes)
            }
            MultiOp::Delete(r) => self.delete(r, asker, moment, changes),
            MultiOp::SetData(r) => self.write_data(r, asker, moment, changes),
            MultiOp::Check(r) => self.check(r, asker),
        }
    }

    fn node(&self, path: &str) -> Result<&Node, ErrorCode> {
        let node = self.nodes.get(path).ok_or(ErrorCode::NoNode)?;
        Ok(node)
    }

    fn create(
        &mut self,
        request: &CreateRequest,
        kind: Kind,
        asker: &Asker<'_>,
        moment: Moment,
        changes: &mut Vec<Change>,
    ) -> Result<MultiResult, ErrorCode> {
        let mode = mode(request, kind)?;
        if mode.is_ephemeral() {
            asker.ask.ephemeral_verdict?;
        } else {
            asker.ask.verdict?;
        }
        let parent_path = path::parent(&request.path).ok_or(ErrorCode::BadArguments)?;
        let acl = fixed_acl(&request.acl, asker)?;
        let parent = self.node(parent_path)?;
        permit(&parent.acl, perms::CREATE, asker)?;
        let mut path = request.path.clone();
        if mode.is_sequential() {
            path.push_str(&format!("{:010}", parent.stat.cversion));
        }
        if !path::is_valid(&path) {
            return Err(ErrorCode::BadArguments);
        }
        if self.nodes.contains_key(&*path) {
            return Err(ErrorCode::NodeExists);
        }
        if matches!(parent.owner(), EphemeralOwner::Session(_)) {
            return Err(ErrorCode::NoChildrenForEphemerals);
        }
        let owner = match kind {
            Kind::Container => EphemeralOwner::Container,
            Kind::Ttl(ttl) => EphemeralOwner::Ttl(ttl),
            _ if mode.is_ephemeral() => EphemeralOwner::Session(asker.session),
            _ => EphemeralOwner::Persistent,
        };
        let stat = StatPersisted {
            czxid: moment.zxid,
            mzxid: moment.zxid,
            pzxid: moment.zxid,
            ctime: moment.wall_ms,
            mtime: moment.wall_ms,
            ephemeral_owner: owner.to_raw(),
            ..StatPersisted::default()
        };
        let node = Node {
            data: request.data.clone(),
            acl,
            stat,
        };
        let bytes = node.data_len();
        within_quota(&path, 1, bytes, asker)?;
        self.insert(&path, node, changes);
        let stat = self.stat_as_written(&path, bytes);
        Ok(match kind {
            Kind::Create => MultiResult::Create(path),
            _ => MultiResult::Create2(path, stat),
        })
    }

    fn delete(
        &mut self,
        request: &PathVersion,
        asker: &Asker<'_>,
        moment: Moment,
        changes: &mut Vec<Change>,
    ) -> Result<MultiResult, ErrorCode> {
        asker.ask.verdict?;
        let path = &request.path;
        let parent = path::parent(path).filter(|_| !path::is_special(path));
        let parent = self.node(parent.ok_or(ErrorCode::BadArguments)?)?;
        permit(&parent.acl, perms::DELETE, asker)?;
        expect_version(self.node(path)?.stat.version, request.version)?;
        if self.children(path).next().is_some() {
            return Err(ErrorCode::NotEmpty);
        }
        self.remove(path, moment.zxid, changes);
        Ok(MultiResult::Delete)
    }

    fn write_data(
        &mut self,
        request: &SetDataRequest,
        asker: &Asker<'_>,
        moment: Moment,
        changes: &mut Vec<Change>,
    ) -> Result<MultiResult, ErrorCode> {
        asker.ask.verdict?;
        let path = valid(&request.path)?;
        let node = self.node(path)?;
        permit(&node.acl, perms::WRITE, asker)?;
        let new_len =
            i64::try_from(request.data.as_ref().map_or(0, Bytes::len)).unwrap_or(i64::MAX);
        within_quota(path, 0, new_len - node.data_len(), asker)?;
        expect_version(node.stat.version, request.version)?;
        let acl = node.acl.clone();
        let node = self.node_mut(path);
        node.stat.version += 1;
        node.stat.mzxid = moment.zxid;
        node.stat.mtime = moment.wall_ms;
        self.set_data(path, request.data.clone());
        changes.push(Change::DataChanged {
            path: path.to_owned(),
            acl,
            zxid: moment.zxid,
        });
        Ok(MultiResult::SetData(self.stat_as_written(path, new_len)))
    }

    /// The stat that the writer gets: of the data written, even where a quota's count has replaced it at once
    /// (Java copies it before it looks at quotas).
    fn stat_as_written(&self, path: &str, bytes: i64) -> Stat {
        Stat {
            data_length: i32::try_from(bytes).expect("data is short"),
            ..self.stat(path).unwrap_or_default()
        }
    }

    fn check(&self, request: &PathVersion, asker: &Asker<'_>) -> Result<MultiResult, ErrorCode> {
        asker.ask.verdict?;
        let node = self.node(valid(&request.path)?)?;
        permit(&node.acl, perms::READ, asker)?;
        expect_version(node.stat.version, request.version)?;
        Ok(MultiResult::Check)
    }

    pub(crate) fn set_acl(
        &mut self,
        request: &SetAclRequest,
        asker: &Asker<'_>,
    ) -> Result<Stat, ErrorCode> {
        asker.ask.verdict?;
        let path = valid(&request.path)?;
        let acl = fixed_acl(&request.acl, asker)?;
        let node = self.node(path)?;
        permit(&node.acl, perms::ADMIN, asker)?;
        expect_version(node.stat.aversion, request.version)?;
        let node = self.node_mut(path);
        node.acl = acl;
        node.stat.aversion += 1;
        Ok(self.stat(path).unwrap_or_default())
    }
}

fn failed_multi(len: usize, done: usize, err: ErrorCode) -> Vec<MultiResult> {
    let code = |index: usize| match index.cmp(&done) {
        std::cmp::Ordering::Less => ErrorCode::Ok,
        std::cmp::Ordering::Equal => err,
        std::cmp::Ordering::Greater => ErrorCode::RuntimeInconsistency,
    };
    (0..len)
        .map(|index| MultiResult::Error(code(index)))
        .collect()
}

fn valid(path: &str) -> Result<&str, ErrorCode> {
    if path::is_valid(path) {
        Ok(path)
    } else {
        Err(ErrorCode::BadArguments)
    }
}

fn expect_version(current: i32, expected: i32) -> Result<(), ErrorCode> {
    if expected == -1 || expected == current {
        Ok(())
    } else {
        Err(ErrorCode::BadVersion)
    }
}

fn permit(acl: &[Acl], perm: i32, asker: &Asker<'_>) -> Result<(), ErrorCode> {
    if super::read::permits(acl, perm, &asker.ask.ids) {
        Ok(())
    } else {
        Err(ErrorCode::NoAuth)
    }
}

fn fixed_acl(asked: &[Acl], asker: &Asker<'_>) -> Result<Vec<Acl>, ErrorCode> {
    let mut seen: Vec<&Acl> = Vec::new();
    let mut fixed = Vec::new();
    for acl in asked {
        if seen.contains(&acl) {
            continue;
        }
        seen.push(acl);
        match acl.id.scheme() {
            "auth" => {
                let proven = asker.ask.ids.iter().filter(|id| id.scheme() == "digest");
                let before = fixed.len();
                fixed.extend(proven.map(|id| Acl {
                    perms: acl.perms,
                    id: id.clone(),
                }));
                if fixed.len() == before {
                    return Err(ErrorCode::InvalidAcl);
                }
            }
            "world" if acl.id.is_anyone() => fixed.push(acl.clone()),
            "digest" if acl.id.id().contains(':') => fixed.push(acl.clone()),
            _ => return Err(ErrorCode::InvalidAcl),
        }
    }
    if fixed.is_empty() {
        Err(ErrorCode::InvalidAcl)
    } else {
        Ok(fixed)
    }
}

fn within_quota(path: &str, nodes: i64, bytes: i64, asker: &Asker<'_>) -> Result<(), ErrorCode> {
    let above = asker
        .ask
        .quotas
        .iter()
        .filter(|(target, _)| is_at_or_below(path, target));
    let Some((_, Some(quota))) = above.max_by_key(|(target, _)| target.len()) else {
        return Ok(());
    };
    let Quota {
        count_hard,
        bytes_hard,
        used_count,
        used_bytes,
    } = *quota;
    let exceeds = |delta: i64, used: i64, hard: i64| delta != 0 && hard >= 0 && used + delta > hard;
    if exceeds(nodes, used_count, count_hard) || exceeds(bytes, used_bytes, bytes_hard) {
        return Err(ErrorCode::QuotaExceeded);
    }
    Ok(())
}
