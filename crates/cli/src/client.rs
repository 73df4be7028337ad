//! A blocking ZooKeeper client: what the commands need, over [`zooid_proto`]'s records.
//!
//! Written here rather than taken from a crate because zkCli shows more of the protocol than
//! client libraries do: null data apart from empty data, removing watches by path, events of the
//! connection as they come, and requests that a well-behaved client would not send.
//!
//! Paths are checked here, before anything is sent, and translated by the chroot.

mod connect_string;
mod event;
mod frame;
mod session;
mod watch_table;

use std::time::Duration;

use bytes::Bytes;
use zooid_proto::request::{
    AuthPacket, CreateRequest, CreateTtlRequest, GetEphemerals, PathKind, PathOnly, PathVersion,
    PathWatch, ReconfigRequest, SetAclRequest, SetDataRequest,
};
use zooid_proto::response::{
    ClientInfo, GetAclResponse, GetAllChildrenNumberResponse, GetChildren2Response,
    GetDataResponse, GetEphemeralsResponse, PathResponse, WhoAmIResponse,
};
use zooid_proto::{
    Acl, AddWatchMode, CreateMode, ErrorCode, EventType, Jute, KeeperState, Limit, MultiOp,
    MultiRequest, MultiResult, OpCode, Reader, Stat, WatcherType,
};

pub(crate) use connect_string::{Chroot, ConnectString};
pub(crate) use event::{Event, State};

use crate::path::{PathError, check_path, check_sequential_path};
use session::{Dial, Session};
use watch_table::{Registration, WatchKind};

/// Why an operation did not happen.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ClientError {
    /// The path is not legal; nothing was sent.
    #[error(transparent)]
    Path(#[from] PathError),
    /// The server, or the loss of it, refused. Prints as Java's `KeeperException` does.
    #[error("KeeperErrorCode = {code}{}", .path.as_ref().map(|p| format!(" for {p}")).unwrap_or_default())]
    Keeper {
        /// Which refusal.
        code: ErrorCode,
        /// Whom it is about, as the user named it.
        path: Option<String>,
    },
    /// The reply made no sense.
    #[error("malformed reply: {0}")]
    Malformed(#[from] zooid_proto::DecodeError),
}

impl ClientError {
    fn keeper(code: ErrorCode, path: Option<&str>) -> ClientError {
        ClientError::Keeper {
            code,
            path: path.map(str::to_owned),
        }
    }

    /// The server's code, if it is one's.
    #[must_use]
    pub(crate) fn code(&self) -> Option<ErrorCode> {
        match self {
            ClientError::Keeper { code, .. } => Some(*code),
            ClientError::Path(_) | ClientError::Malformed(_) => None,
        }
    }
}

type Result<T> = std::result::Result<T, ClientError>;

/// How to reach an ensemble.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ClientOptions {
    /// Servers and chroot.
    pub target: ConnectString,
    /// Wished session timeout.
    pub session_timeout: Duration,
    /// Whether a read-only server will do.
    pub read_only: bool,
}

/// What to create.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NewNode {
    /// Null and empty are different.
    pub data: Option<Bytes>,
    /// Who may do what.
    pub acl: Vec<Acl>,
    /// Kind of node.
    pub mode: CreateMode,
    /// Time to live in milliseconds; only for the modes that have one.
    pub ttl_ms: i64,
}

/// A session and a chroot. Dropping it closes the session without a word.
pub(crate) struct Client {
    session: Session,
    chroot: Chroot,
}

impl Client {
    /// A client that dials when first used, or at [`Client::dial`]. The listener runs on the
    /// session's thread and must not call the client.
    pub(crate) fn new(
        options: ClientOptions,
        listener: impl Fn(&Event) + Send + Sync + 'static,
    ) -> Client {
        let ConnectString { servers, chroot } = options.target;
        let dial = Dial {
            servers,
            timeout: options.session_timeout,
            read_only: options.read_only,
        };
        let outside = chroot.clone();
        let listener = move |mut event: Event| {
            event.path = event.path.map(|path| outside.strip(&path));
            listener(&event);
        };
        Client {
            session: Session::new(dial, Box::new(listener)),
            chroot,
        }
    }

    /// The session's state.
    #[must_use]
    pub(crate) fn state(&self) -> State {
        self.session.state()
    }

    /// Starts connecting.
    pub(crate) fn dial(&self) {
        self.session.dial();
    }

    /// Waits until connected or closed, or every server was tried once.
    pub(crate) fn wait_for_outcome(&self, limit: Duration) -> State {
        self.session.wait_for_outcome(limit)
    }

    /// Waits until connected or closed.
    pub(crate) fn wait_connected(&self, limit: Duration) -> State {
        self.session.wait_connected(limit)
    }

    /// Ends the session, and tells the listener.
    pub(crate) fn close(&self) {
        self.session.close(true);
    }

    /// Creates a node; answers its path, with the sequence number if it has one.
    pub(crate) fn create(&self, path: &str, node: NewNode) -> Result<String> {
        if node.mode.is_sequential() {
            check_sequential_path(path)?;
        } else {
            check_path(path)?;
        }
        check_acl(&node.acl)?;
        let (ttl, flags) = (node.ttl_ms, node.mode.flags());
        let (data, acl) = (node.data, node.acl);
        let server_path = self.chroot.prepend(path);
        let (op, body) = if node.mode.has_ttl() {
            let body = CreateTtlRequest {
                path: server_path,
                data,
                acl: acl.into(),
                flags,
                ttl,
            };
            (OpCode::CreateTtl, body.to_vec())
        } else {
            let op = match node.mode {
                CreateMode::Container => OpCode::CreateContainer,
                _ => OpCode::Create,
            };
            let body = CreateRequest {
                path: server_path,
                data,
                acl: acl.into(),
                flags,
            };
            (op, body.to_vec())
        };
        // Replies that also carry a stat start with the path.
        let response: PathResponse = self.call(op, path, &body, None)?;
        Ok(self.chroot.strip(&response.path))
    }

    /// Deletes a node; version -1 means any.
    pub(crate) fn delete(&self, path: &str, version: i32) -> Result<()> {
        check_path(path)?;
        // Under a chroot, too, "/" is the one node that cannot go (Java `ZooKeeper.delete`).
        let server_path = match path {
            "/" => path.to_owned(),
            _ => self.chroot.prepend(path),
        };
        let body = PathVersion {
            path: server_path,
            version,
        };
        self.call_empty(OpCode::Delete, path, &body.to_vec())
    }

    /// The stat of a node; `None` when it does not exist.
    pub(crate) fn exists(&self, path: &str, watch: bool) -> Result<Option<Stat>> {
        let reply = self.read(OpCode::Exists, path, watch.then_some(WatchKind::Data));
        match reply {
            Ok(stat) => Ok(Some(stat)),
            Err(e) if e.code() == Some(ErrorCode::NoNode) => Ok(None),
            Err(e) => Err(e),
        }
    }

    /// Data and stat.
    pub(crate) fn get_data(&self, path: &str, watch: bool) -> Result<GetDataResponse> {
        self.read(OpCode::GetData, path, watch.then_some(WatchKind::Data))
    }

    /// The names of the children, in the server's order, and the parent's stat.
    pub(crate) fn get_children(&self, path: &str, watch: bool) -> Result<GetChildren2Response> {
        let watch = watch.then_some(WatchKind::Child);
        self.read(OpCode::GetChildren2, path, watch)
    }

    /// The ensemble's configuration, which no chroot moves.
    pub(crate) fn get_config(&self, watch: bool) -> Result<GetDataResponse> {
        let path = zooid_proto::path::CONFIG;
        let watch = watch.then_some(WatchKind::Data);
        self.read_at(OpCode::GetData, path, path.to_owned(), watch)
    }

    /// Replaces data; version -1 means any.
    pub(crate) fn set_data(&self, path: &str, data: Bytes, version: i32) -> Result<Stat> {
        check_path(path)?;
        let body = SetDataRequest {
            path: self.chroot.prepend(path),
            data: Some(data),
            version,
        };
        self.call(OpCode::SetData, path, &body.to_vec(), None)
    }

    /// ACL and stat.
    pub(crate) fn get_acl(&self, path: &str) -> Result<GetAclResponse> {
        self.call_path(OpCode::GetAcl, path)
    }

    /// Replaces the ACL; version -1 means any.
    pub(crate) fn set_acl(&self, path: &str, acl: &[Acl], version: i32) -> Result<Stat> {
        check_path(path)?;
        check_acl(acl)?;
        let body = SetAclRequest {
            path: self.chroot.prepend(path),
            acl: acl.into(),
            version,
        };
        self.call(OpCode::SetAcl, path, &body.to_vec(), None)
    }

    /// Waits until the server has caught up with the leader.
    pub(crate) fn sync(&self, path: &str) -> Result<()> {
        let _: PathResponse = self.call_path(OpCode::Sync, path)?;
        Ok(())
    }

    /// Deletes nodes in the order given, all or none. The error has no path: it is the first of
    /// the operations' own.
    pub(crate) fn delete_all_of(&self, paths: &[String]) -> Result<()> {
        let delete = |path: &String| {
            MultiOp::Delete(PathVersion {
                path: self.chroot.prepend(path),
                version: -1,
            })
        };
        let request = MultiRequest(paths.iter().map(delete).collect());
        let (code, body) = self.session.call(OpCode::Multi, &request.to_vec(), None);
        check_code(code, None)?;
        let results = MultiResult::decode_all(&mut reader(&body))?;
        let first_error = results.iter().find_map(|result| match result {
            MultiResult::Error(code) if *code != ErrorCode::Ok => Some(*code),
            _ => None,
        });
        check_code(first_error.unwrap_or(ErrorCode::Ok), None)
    }

    /// The session's ephemerals below a prefix. Java sends the prefix, and shows the answer,
    /// without the chroot (`ZooKeeper.getEphemerals`); so does this.
    pub(crate) fn get_ephemerals(&self, prefix: &str) -> Result<Vec<String>> {
        check_path(prefix)?;
        let body = GetEphemerals {
            prefix_path: Some(prefix.to_owned()),
        };
        let op = OpCode::GetEphemerals;
        let response: GetEphemeralsResponse = self.call_at(op, None, &body.to_vec(), None)?;
        Ok(response.ephemerals)
    }

    /// How many nodes are below one.
    pub(crate) fn get_all_children_number(&self, path: &str) -> Result<i32> {
        let response: GetAllChildrenNumberResponse =
            self.call_path(OpCode::GetAllChildrenNumber, path)?;
        Ok(response.total_number)
    }

    /// The identities that this connection has.
    pub(crate) fn whoami(&self) -> Result<Vec<ClientInfo>> {
        let response: WhoAmIResponse = self.call_at(OpCode::WhoAmI, None, &[], None)?;
        Ok(response.client_info)
    }

    /// Adds an identity to this session.
    pub(crate) fn add_auth(&self, scheme: &str, auth: Option<Bytes>) -> Result<()> {
        let code = self.session.add_auth(AuthPacket {
            auth_type: 0,
            scheme: Some(scheme.to_owned()),
            auth,
        });
        check_code(code, None)
    }

    /// Sets a watch that stays.
    pub(crate) fn add_watch(&self, path: &str, mode: AddWatchMode) -> Result<()> {
        check_path(path)?;
        let server_path = self.chroot.prepend(path);
        let watch = Registration {
            kind: match mode {
                AddWatchMode::Persistent => WatchKind::Persistent,
                AddWatchMode::PersistentRecursive => WatchKind::PersistentRecursive,
            },
            path: server_path.clone(),
        };
        let body = PathKind {
            path: server_path,
            kind: mode.code(),
        };
        let (code, _) = self
            .session
            .call(OpCode::AddWatch, &body.to_vec(), Some(watch));
        check_code(code, Some(path))
    }

    /// Removes this session's watches on a node; with `local` even if the server does not answer.
    pub(crate) fn remove_watches(&self, path: &str, what: WatcherType, local: bool) -> Result<()> {
        check_path(path)?;
        let server_path = self.chroot.prepend(path);
        if !self.session.with_watches(|w| w.has(what, &server_path)) {
            return Err(ClientError::keeper(ErrorCode::NoWatcher, Some(path)));
        }
        let body = PathKind {
            path: server_path.clone(),
            kind: what.code(),
        };
        let (code, _) = self
            .session
            .call(OpCode::RemoveWatches, &body.to_vec(), None);
        if !local {
            check_code(code, Some(path))?;
        }
        let removed = self.session.with_watches(|w| w.remove(what, &server_path));
        for kind in removed {
            self.session.deliver(Event {
                kind: EventType::from(kind),
                path: Some(server_path.clone()),
                ..Event::of_state(KeeperState::SyncConnected)
            });
        }
        Ok(())
    }

    /// Changes the ensemble; answers the new configuration.
    pub(crate) fn reconfig(&self, request: &ReconfigRequest) -> Result<GetDataResponse> {
        self.call_at(OpCode::Reconfig, None, &request.to_vec(), None)
    }

    fn read<T: Jute>(&self, op: OpCode, path: &str, watch: Option<WatchKind>) -> Result<T> {
        check_path(path)?;
        self.read_at(op, path, self.chroot.prepend(path), watch)
    }

    fn read_at<T: Jute>(
        &self,
        op: OpCode,
        path: &str,
        server_path: String,
        watch: Option<WatchKind>,
    ) -> Result<T> {
        let mut body = Vec::new();
        let request = PathWatch {
            path: server_path.as_str().into(),
            watch: watch.is_some(),
        };
        request.encode(&mut body);
        let watch = watch.map(|kind| Registration {
            kind,
            path: server_path,
        });
        self.call(op, path, &body, watch)
    }

    fn call_path<T: Jute>(&self, op: OpCode, path: &str) -> Result<T> {
        check_path(path)?;
        let body = PathOnly {
            path: self.chroot.prepend(path),
        };
        self.call(op, path, &body.to_vec(), None)
    }

    fn call<T: Jute>(
        &self,
        op: OpCode,
        path: &str,
        body: &[u8],
        watch: Option<Registration>,
    ) -> Result<T> {
        self.call_at(op, Some(path), body, watch)
    }

    fn call_at<T: Jute>(
        &self,
        op: OpCode,
        path: Option<&str>,
        body: &[u8],
        watch: Option<Registration>,
    ) -> Result<T> {
        let (code, body) = self.session.call(op, body, watch);
        check_code(code, path)?;
        Ok(T::decode(&mut reader(&body))?)
    }

    fn call_empty(&self, op: OpCode, path: &str, body: &[u8]) -> Result<()> {
        let (code, _) = self.session.call(op, body, None);
        check_code(code, Some(path))
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        self.session.close(false);
    }
}

fn check_code(code: ErrorCode, path: Option<&str>) -> Result<()> {
    match code {
        ErrorCode::Ok => Ok(()),
        code => Err(ClientError::keeper(code, path)),
    }
}

/// An empty list is refused without asking (Java `ZooKeeper.validateACL`).
fn check_acl(acl: &[Acl]) -> Result<()> {
    if acl.is_empty() {
        return Err(ClientError::keeper(ErrorCode::InvalidAcl, None));
    }
    Ok(())
}

fn reader(body: &Bytes) -> Reader<'_> {
    Reader::shared(body, Limit(body.len()))
}

#[cfg(test)]
pub(crate) mod tests;
