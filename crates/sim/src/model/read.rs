//! Reads (spec §2.10).

use super::tree::Tree;
use super::watches::Watches;
use super::{Answer, Model};
use crate::packet::Notice;
use crate::request::Request;
use zooid_proto::request::PathKind;
use zooid_proto::request::SetWatches2;
use zooid_proto::response::{
    ClientInfo, ErrorResponse, GetAclResponse, GetAllChildrenNumberResponse, GetChildren2Response,
    GetChildrenResponse, GetDataResponse, GetEphemeralsResponse, WhoAmIResponse,
};
use zooid_proto::{
    Acl, EphemeralOwner, ErrorCode, EventType, Id, Jute, Limit, MultiReadOp, MultiResult, Reader,
    SessionId, WatcherType, Zxid, perms,
};

/// One read, and what it may leave behind.
#[derive(Debug)]
pub(crate) struct Reading<'a> {
    pub(crate) session: SessionId,
    pub(crate) ids: &'a [Id],
    pub(crate) watches: &'a mut Watches,
    /// Events that precede the reply.
    pub(crate) told: Vec<Notice>,
}

/// World-readable, or one of the identities is named.
pub(crate) fn permits(acl: &[Acl], perm: i32, ids: &[Id]) -> bool {
    let mut granting = acl.iter().filter(|acl| acl.perms & perm != 0);
    granting.any(|acl| acl.id.is_anyone() || ids.contains(&acl.id))
}

impl Model {
    pub(crate) fn read(&self, request: &Request, reading: &mut Reading<'_>) -> Answer {
        Answer::of(self.tree.read(request, reading))
    }
}

impl Tree {
    pub(crate) fn read(
        &self,
        request: &Request,
        reading: &mut Reading<'_>,
    ) -> Result<Vec<u8>, ErrorCode> {
        match request {
            Request::GetData { path, watch } => {
                let body = self.get_data(path, reading.ids)?.to_vec();
                if *watch {
                    reading.watches.watch_data(path);
                }
                Ok(body)
            }
            Request::Exists { path, watch } => {
                let allowed = self.require(path, perms::READ, reading.ids);
                if *watch && allowed != Err(ErrorCode::NoAuth) {
                    reading.watches.watch_data(path);
                }
                allowed?;
                Ok(self.stat(path).unwrap_or_default().to_vec())
            }
            Request::GetChildren {
                path,
                watch,
                with_stat,
            } => {
                let children = self.get_children(path, reading.ids)?;
                if *watch {
                    reading.watches.watch_children(path);
                }
                let stat = self.stat(path).unwrap_or_default();
                Ok(if *with_stat {
                    GetChildren2Response { children, stat }.to_vec()
                } else {
                    GetChildrenResponse { children }.to_vec()
                })
            }
            Request::GetAcl(path) => {
                self.require(path, perms::READ | perms::ADMIN, reading.ids)?;
                Ok(self.get_acl(path, reading.ids).to_vec())
            }
            Request::GetAllChildrenNumber(path) => {
                self.require(path, perms::READ, reading.ids)?;
                let below = self.subtree(path).count() - 1;
                let total_number = i32::try_from(below).expect("a small tree");
                Ok(GetAllChildrenNumberResponse { total_number }.to_vec())
            }
            Request::GetEphemerals(prefix) => {
                let prefix = prefix.as_deref().unwrap_or_default();
                let mine = EphemeralOwner::Session(reading.session);
                let owned = self.nodes.iter().filter(|(_, node)| node.owner() == mine);
                let owned = owned.map(|(path, _)| path.to_string());
                let ephemerals = owned.filter(|path| path.starts_with(prefix)).collect();
                Ok(GetEphemeralsResponse { ephemerals }.to_vec())
            }
            Request::MultiRead(reads) => {
                let reads = reads.0.iter();
                let results = reads.map(|(op, path)| self.sub_read(*op, path, reading.ids));
                let mut body = Vec::new();
                MultiResult::encode_all(&results.collect::<Vec<_>>(), &mut body);
                Ok(body)
            }
            Request::SetWatches(request) => {
                self.set_watches(request, reading);
                Ok(Vec::new())
            }
            Request::AddWatch(path, mode) => {
                reading.watches.add(path, *mode);
                Ok(ErrorResponse { err: ErrorCode::Ok }.to_vec())
            }
            Request::CheckWatches(request) => find_watch(request, reading.watches, false),
            Request::RemoveWatches(request) => find_watch(request, reading.watches, true),
            Request::WhoAmI => Ok(who_am_i(reading.ids)),
            _ => Ok(Vec::new()),
        }
    }

    fn require(&self, path: &str, perm: i32, ids: &[Id]) -> Result<(), ErrorCode> {
        let node = self.nodes.get(path).ok_or(ErrorCode::NoNode)?;
        if permits(&node.acl, perm, ids) {
            Ok(())
        } else {
            Err(ErrorCode::NoAuth)
        }
    }

    fn get_data(&self, path: &str, ids: &[Id]) -> Result<GetDataResponse, ErrorCode> {
        self.require(path, perms::READ, ids)?;
        let data = self.nodes[path].data.clone();
        Ok(GetDataResponse {
            data,
            stat: self.stat(path).unwrap_or_default(),
        })
    }

    fn get_children(&self, path: &str, ids: &[Id]) -> Result<Vec<String>, ErrorCode> {
        self.require(path, perms::READ, ids)?;
        Ok(self.children(path).map(str::to_owned).collect())
    }

    fn get_acl(&self, path: &str, ids: &[Id]) -> GetAclResponse {
        let acl = &self.nodes[path].acl;
        let shown = if permits(acl, perms::ADMIN, ids) {
            acl.clone()
        } else {
            acl.iter().map(without_hash).collect()
        };
        GetAclResponse {
            acl: shown,
            stat: self.stat(path).unwrap_or_default(),
        }
    }

    fn sub_read(&self, op: MultiReadOp, path: &str, ids: &[Id]) -> MultiResult {
        let result = match op {
            MultiReadOp::GetData => {
                let read = self.get_data(path, ids);
                read.map(|read| MultiResult::GetData(read.data, read.stat))
            }
            MultiReadOp::GetChildren => self.get_children(path, ids).map(MultiResult::GetChildren),
        };
        result.unwrap_or_else(MultiResult::Error)
    }

    fn set_watches(&self, request: &SetWatches2, reading: &mut Reading<'_>) {
        let since = request.relative_zxid;
        let stat = |path: &String| self.nodes.get(path.as_str()).map(|node| node.stat);
        for path in &request.data_watches {
            match stat(path) {
                None => reading.tell(EventType::NodeDeleted, path),
                Some(stat) if stat.mzxid > since => {
                    reading.tell(EventType::NodeDataChanged, path);
                }
                Some(_) => reading.watches.watch_data(path),
            }
        }
        for path in &request.exist_watches {
            match stat(path) {
                Some(_) => reading.tell(EventType::NodeCreated, path),
                None => reading.watches.watch_data(path),
            }
        }
        for path in &request.child_watches {
            match stat(path) {
                None => reading.tell(EventType::NodeDeleted, path),
                Some(stat) if stat.pzxid > since => {
                    reading.tell(EventType::NodeChildrenChanged, path);
                }
                Some(_) => reading.watches.watch_children(path),
            }
        }
        for path in &request.persistent_watches {
            reading
                .watches
                .add(path, zooid_proto::AddWatchMode::Persistent);
        }
        for path in &request.persistent_recursive_watches {
            reading
                .watches
                .add(path, zooid_proto::AddWatchMode::PersistentRecursive);
        }
    }
}

impl Reading<'_> {
    fn tell(&mut self, event: EventType, path: &str) {
        let path = path.to_owned();
        self.told.push(Notice {
            zxid: Zxid::NONE,
            event: event.code(),
            path,
        });
    }
}

fn find_watch(
    request: &PathKind,
    watches: &mut Watches,
    remove: bool,
) -> Result<Vec<u8>, ErrorCode> {
    let kind = request.kind.to_be_bytes();
    let kind = WatcherType::decode(&mut Reader::new(&kind, Limit(usize::MAX)))
        .map_err(|_| ErrorCode::MarshallingError)?;
    if watches.find(&request.path, kind, remove) {
        Ok(Vec::new())
    } else {
        Err(ErrorCode::NoWatcher)
    }
}

fn without_hash(acl: &Acl) -> Acl {
    match acl.id.id().split_once(':') {
        Some((user, _)) if acl.id.scheme() == "digest" => Acl {
            perms: acl.perms,
            id: Id::new("digest", &format!("{user}:x")),
        },
        _ => acl.clone(),
    }
}

fn who_am_i(ids: &[Id]) -> Vec<u8> {
    let user = |id: &Id| id.id().split(':').next().unwrap_or_default().to_owned();
    let info = |id: &Id| ClientInfo {
        auth_scheme: id.scheme().to_owned(),
        user: user(id),
    };
    WhoAmIResponse {
        client_info: ids.iter().map(info).collect(),
    }
    .to_vec()
}
