//! The reads (spec §2.10; Java `FinalRequestProcessor`).

use super::outbox::Outbox;
use bytes::Bytes;
use zooid_jute::put_buffer;
use zooid_proto::request::{GetEphemerals, PathKind, PathOnly, PathWatch, SetWatches, SetWatches2};
use zooid_proto::response::{
    ClientInfo, ErrorResponse, GetAclResponse, GetAllChildrenNumberResponse, GetEphemeralsResponse,
    WhoAmIResponse,
};
use zooid_proto::{
    AddWatchMode, DecodeError, ErrorCode, Id, Jute, Limit, MultiRead, MultiReadOp, MultiResult,
    OpCode, Reader, SessionId, Stat, WatcherType, Zxid, xid,
};
use zooid_tree::acl::Access;
use zooid_tree::{Children, Replica, WatcherId};

/// Bytes that the results of one multiRead may have together. A request of jute.maxbuffer can name a
/// large node fifty thousand times, which makes Java run out of memory.
const MULTI_READ_BYTES_MAX: usize = 64 << 20;
const LENGTH_BYTES: usize = 4;

/// Whether an operation needs nothing but the replica.
pub(super) fn is_read(op: OpCode) -> bool {
    matches!(
        op,
        OpCode::Exists
            | OpCode::GetData
            | OpCode::GetAcl
            | OpCode::GetChildren
            | OpCode::GetChildren2
            | OpCode::Ping
            | OpCode::CheckWatches
            | OpCode::RemoveWatches
            | OpCode::MultiRead
            | OpCode::SetWatches
            | OpCode::SetWatches2
            | OpCode::GetEphemerals
            | OpCode::GetAllChildrenNumber
            | OpCode::AddWatch
            | OpCode::WhoAmI
    )
}

/// Who reads what.
pub(super) struct Read<'a> {
    pub(super) replica: &'a Replica,
    pub(super) watcher: WatcherId,
    pub(super) session: SessionId,
    pub(super) access: Access<'a>,
    pub(super) limit: Limit,
}

type Outcome = Result<(), ErrorCode>;

fn malformed(_: DecodeError) -> ErrorCode {
    ErrorCode::MarshallingError
}

impl Read<'_> {
    /// Answers one request into the outbox.
    pub(super) fn run(&self, op: OpCode, xid: i32, body: &Bytes, outbox: &mut Outbox) {
        let zxid = self.replica.last_zxid();
        let r = &mut Reader::shared(body, self.limit);
        match op {
            OpCode::Ping => outbox.reply(xid::PING, zxid, ErrorCode::Ok),
            // Their events precede their reply.
            OpCode::SetWatches | OpCode::SetWatches2 => {
                let done = self.set_watches(op, r, outbox);
                outbox.reply_with(xid, zxid, |_| done);
            }
            OpCode::GetChildren => self.get_children(xid, false, r, outbox),
            OpCode::GetChildren2 => self.get_children(xid, true, r, outbox),
            _ => outbox.reply_with(xid, zxid, |out| self.body(op, r, out)),
        }
    }

    fn body(&self, op: OpCode, r: &mut Reader<'_>, out: &mut Vec<u8>) -> Outcome {
        match op {
            OpCode::Exists => self.exists(r, out),
            OpCode::GetData => self.get_data(r, out),
            OpCode::GetAcl => self.get_acl(r, out),
            OpCode::GetAllChildrenNumber => self.get_all_children_number(r, out),
            OpCode::GetEphemerals => self.get_ephemerals(r, out),
            OpCode::MultiRead => self.multi_read(r, out),
            OpCode::AddWatch => self.add_watch(r, out),
            OpCode::CheckWatches | OpCode::RemoveWatches => self.find_watch(op, r),
            OpCode::WhoAmI => {
                let client_info = self.access.ids.iter().map(client_info).collect();
                WhoAmIResponse { client_info }.encode(out);
                Ok(())
            }
            _ => Err(ErrorCode::Unimplemented),
        }
    }

    fn watcher(&self, wanted: bool) -> Option<WatcherId> {
        wanted.then_some(self.watcher)
    }

    fn exists(&self, r: &mut Reader<'_>, out: &mut Vec<u8>) -> Outcome {
        let request = PathWatch::decode(r).map_err(malformed)?;
        if request.path.contains('\0') {
            return Err(ErrorCode::BadArguments);
        }
        let watcher = self.watcher(request.watch);
        self.replica
            .exists(&request.path, &self.access, watcher)?
            .encode(out);
        Ok(())
    }

    fn get_data(&self, r: &mut Reader<'_>, out: &mut Vec<u8>) -> Outcome {
        let request = PathWatch::decode(r).map_err(malformed)?;
        let watcher = self.watcher(request.watch);
        let (data, stat) = self
            .replica
            .get_data(&request.path, &self.access, watcher)?;
        put_buffer(out, data);
        stat.encode(out);
        Ok(())
    }

    fn get_children(&self, xid: i32, with_stat: bool, r: &mut Reader<'_>, outbox: &mut Outbox) {
        let zxid = self.replica.last_zxid();
        let (children, stat) = match self.children(r) {
            Ok(found) => found,
            Err(err) => return outbox.reply(xid, zxid, err),
        };
        let put_stat = |out: &mut Vec<u8>| {
            if with_stat {
                stat.encode(out);
            }
        };
        match children.kept() {
            Some(list) => outbox.reply_sharing(xid, zxid, list, put_stat),
            None => outbox.reply_with(xid, zxid, |out| {
                children.encode(out);
                put_stat(out);
                Ok(())
            }),
        }
    }

    fn children(&self, r: &mut Reader<'_>) -> Result<(Children<'_>, Stat), ErrorCode> {
        let request = PathWatch::decode(r).map_err(malformed)?;
        let watcher = self.watcher(request.watch);
        self.replica
            .get_children(&request.path, &self.access, watcher)
    }

    fn get_acl(&self, r: &mut Reader<'_>, out: &mut Vec<u8>) -> Outcome {
        let request = PathOnly::decode(r).map_err(malformed)?;
        let (acl, stat) = self.replica.get_acl(&request.path, &self.access)?;
        GetAclResponse { acl, stat }.encode(out);
        Ok(())
    }

    fn get_all_children_number(&self, r: &mut Reader<'_>, out: &mut Vec<u8>) -> Outcome {
        let request = PathOnly::decode(r).map_err(malformed)?;
        let total_number = self
            .replica
            .all_children_number(&request.path, &self.access)?;
        GetAllChildrenNumberResponse { total_number }.encode(out);
        Ok(())
    }

    fn get_ephemerals(&self, r: &mut Reader<'_>, out: &mut Vec<u8>) -> Outcome {
        let request = GetEphemerals::decode(r).map_err(malformed)?;
        let prefix = request.prefix_path.as_deref();
        let ephemerals = self.replica.ephemerals_with_prefix(self.session, prefix);
        GetEphemeralsResponse { ephemerals }.encode(out);
        Ok(())
    }

    fn multi_read(&self, r: &mut Reader<'_>, out: &mut Vec<u8>) -> Outcome {
        let request = MultiRead::decode(r).map_err(malformed)?;
        let mut results = Vec::new();
        let mut bytes = 0;
        for (op, path) in &request.0 {
            let result = self.sub_read(*op, path);
            bytes += result_bytes(&result);
            if bytes > MULTI_READ_BYTES_MAX {
                return Err(ErrorCode::MarshallingError);
            }
            results.push(result);
        }
        MultiResult::encode_all(&results, out);
        Ok(())
    }

    fn sub_read(&self, op: MultiReadOp, path: &str) -> MultiResult {
        let result = match op {
            MultiReadOp::GetData => self
                .replica
                .get_data(path, &self.access, None)
                .map(|(data, stat)| MultiResult::GetData(data.map(Bytes::copy_from_slice), stat)),
            MultiReadOp::GetChildren => {
                self.replica
                    .get_children(path, &self.access, None)
                    .map(|(children, _)| {
                        MultiResult::GetChildren(children.names().map(str::to_owned).collect())
                    })
            }
        };
        result.unwrap_or_else(MultiResult::Error)
    }

    fn set_watches(&self, op: OpCode, r: &mut Reader<'_>, outbox: &mut Outbox) -> Outcome {
        let watches = if op == OpCode::SetWatches2 {
            SetWatches2::decode(r).map_err(malformed)?
        } else {
            let old = SetWatches::decode(r).map_err(malformed)?;
            SetWatches2 {
                relative_zxid: old.relative_zxid,
                data_watches: old.data_watches,
                exist_watches: old.exist_watches,
                child_watches: old.child_watches,
                persistent_watches: Vec::new(),
                persistent_recursive_watches: Vec::new(),
            }
        };
        self.replica
            .set_watches(self.watcher, &watches, &mut |event, path| {
                outbox.event(Zxid::NONE, event, path);
            });
        Ok(())
    }

    fn add_watch(&self, r: &mut Reader<'_>, out: &mut Vec<u8>) -> Outcome {
        let path = String::decode(r).map_err(malformed)?;
        let mode = AddWatchMode::decode(r).map_err(malformed)?;
        self.replica.add_watch(self.watcher, &path, mode);
        ErrorResponse { err: ErrorCode::Ok }.encode(out);
        Ok(())
    }

    fn find_watch(&self, op: OpCode, r: &mut Reader<'_>) -> Outcome {
        let PathKind { path, kind } = PathKind::decode(r).map_err(malformed)?;
        let kind = kind.to_be_bytes();
        let kind = WatcherType::decode(&mut Reader::new(&kind, self.limit)).map_err(malformed)?;
        let found = if op == OpCode::CheckWatches {
            self.replica.check_watch(self.watcher, &path, kind)
        } else {
            self.replica.remove_watch(self.watcher, &path, kind)
        };
        if found {
            Ok(())
        } else {
            Err(ErrorCode::NoWatcher)
        }
    }
}

/// About what a result of a multiRead takes in the reply.
fn result_bytes(result: &MultiResult) -> usize {
    match result {
        MultiResult::GetData(data, _) => data.as_ref().map_or(0, Bytes::len),
        MultiResult::GetChildren(children) => {
            children.iter().map(|name| name.len() + LENGTH_BYTES).sum()
        }
        _ => 0,
    }
}

/// The user's name without what proves it (Java `AuthUtil.getClientInfos`).
fn client_info(id: &Id) -> ClientInfo {
    let user = match id.scheme() {
        "digest" => id.id().split(':').next().unwrap_or_default(),
        _ => id.id(),
    };
    ClientInfo {
        auth_scheme: id.scheme().to_owned(),
        user: user.to_owned(),
    }
}
