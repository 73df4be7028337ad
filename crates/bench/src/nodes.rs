//! The nodes that a run works on: creating them before, removing them after.
//!
//! Every run has a directory of its own, made as a sequential node, so that several generators
//! may load one server:
//!
//! ```text
//! <chroot><root>/run-0000000007/data/<d>/<n>      read and set
//!                              /children/<n>      listed
//!                              /new/<c>/<n>       created and deleted by connection c
//! ```
//!
//! Both directions use multi, many operations per transaction: what a run has created in seconds
//! should not take minutes to remove.

use std::collections::VecDeque;
use std::ops::Range;

use anyhow::{Context, bail};
use bytes::Bytes;
use zooid_proto::request::{CreateRequest, PathVersion, PathWatch};
use zooid_proto::response::{GetChildrenResponse, PathResponse};
use zooid_proto::{AclList, CreateMode, ErrorCode, MultiOp, MultiRequest, MultiResult, OpCode};
use zooid_proto::{Jute, path};

use crate::keys::Keys;
use crate::plan::Plan;
use crate::session::Session;
use crate::workload::Operation;

/// Paths and contents that the workload uses.
#[derive(Debug)]
pub(crate) struct Nodes {
    /// What is read and set.
    pub(crate) keys: Keys,
    /// The contents of every key, and of every node that is created.
    pub(crate) value: Bytes,
    /// The node that is listed.
    pub(crate) listed: String,
    /// How many children it has.
    pub(crate) children: usize,
    /// Per connection, where it creates and deletes.
    pub(crate) nurseries: Vec<String>,
    /// The run's directories, to be emptied and removed, innermost first.
    directories: Vec<String>,
    /// What had to be created above them, to be removed if empty, innermost first.
    ancestors: Vec<String>,
}

/// Operations and bytes of one multi; well below the `jute.maxbuffer` of any server.
const BATCH_OPERATIONS_MAX: usize = 500;
const BATCH_BYTES_MAX: usize = 256 << 10;

/// Multis whose reply is awaited later: enough for a server to work on one while another is on
/// its way.
const BATCHES_IN_FLIGHT_MAX: usize = 4;

impl Nodes {
    /// Creates what the plan's workload needs.
    pub(crate) fn create(session: &mut Session, plan: &Plan) -> anyhow::Result<Nodes> {
        let root = format!("{}{}", plan.servers.chroot, plan.root);
        let mut ancestors = ensure_path(session, &root)?;
        let run = create_sequential(session, &format!("{root}/run-"))?;
        let mut nodes = Nodes::at(&run, plan);
        let mix = &plan.workload.mix;
        let mut batch = Batch::new(session);
        let mut directories = vec![run.clone()];
        let mut directory = |batch: &mut Batch<'_>, path: String| {
            let result = batch.create(&path, &Bytes::new());
            directories.push(path);
            result
        };
        if plan.filled.is_none() && nodes.keys.len() > 0 {
            directory(&mut batch, nodes.keys.directory().to_owned())?;
            for path in nodes.keys.directories() {
                directory(&mut batch, path)?;
            }
            create_keys(&mut batch, &nodes.keys, 0..nodes.keys.len(), &nodes.value)?;
        }
        if mix.has(Operation::GetChildren) {
            directory(&mut batch, nodes.listed.clone())?;
            for n in 0..nodes.children {
                batch.create(&format!("{}/c{n:06}", nodes.listed), &Bytes::new())?;
            }
        }
        if !nodes.nurseries.is_empty() {
            directory(&mut batch, format!("{run}/new"))?;
            for nursery in &nodes.nurseries {
                directory(&mut batch, nursery.clone())?;
            }
        }
        batch
            .finish()
            .context("cannot create the nodes to work on")?;
        directories.reverse();
        ancestors.reverse();
        nodes.directories = directories;
        nodes.ancestors = ancestors;
        Ok(nodes)
    }

    /// The names alone.
    pub(crate) fn at(run: &str, plan: &Plan) -> Nodes {
        let mix = &plan.workload.mix;
        let uses_keys = mix.has(Operation::Get) || mix.has(Operation::Set);
        let uses_nurseries = [Operation::Create, Operation::Delete, Operation::Multi]
            .into_iter()
            .any(|operation| mix.has(operation));
        let keys = if uses_keys { plan.keys } else { 0 };
        let nurseries = if uses_nurseries { plan.connections } else { 0 };
        Nodes {
            keys: match &plan.filled {
                Some(filled) => Keys::below(format!("{}{filled}", plan.servers.chroot), keys),
                None => Keys::below(format!("{run}/data"), keys),
            },
            value: vec![b'v'; plan.value_size].into(),
            listed: format!("{run}/children"),
            children: plan.children,
            nurseries: (0..nurseries).map(|n| format!("{run}/new/{n}")).collect(),
            directories: Vec::new(),
            ancestors: Vec::new(),
        }
    }

    /// Deletes everything that [`Nodes::create`] and the run have created. What other runs have
    /// in the root stays, and so does the root then.
    pub(crate) fn remove(&self, session: &mut Session) -> anyhow::Result<()> {
        for directory in &self.directories {
            remove_children(session, directory)?;
        }
        for directory in self.directories.iter().chain(&self.ancestors) {
            let request = PathVersion {
                path: directory.clone(),
                version: -1,
            };
            match session.call(OpCode::Delete, &request)?.err {
                ErrorCode::Ok | ErrorCode::NoNode | ErrorCode::NotEmpty => {}
                err => bail!("cannot delete {directory}: {err}"),
            }
        }
        Ok(())
    }
}

/// Creates keys, whose directories are there.
pub(crate) fn create_keys(
    batch: &mut Batch<'_>,
    keys: &Keys,
    range: Range<usize>,
    value: &Bytes,
) -> anyhow::Result<()> {
    let mut path = String::new();
    for key in range {
        keys.put_path(key, &mut path);
        batch.create(&path, value)?;
    }
    Ok(())
}

/// Creates what is missing of a path; returns what it has created, outermost first.
pub(crate) fn ensure_path(session: &mut Session, path: &str) -> anyhow::Result<Vec<String>> {
    let mut created = Vec::new();
    let ends = path.match_indices('/').skip(1).map(|(at, _)| at);
    for end in ends.chain([path.len()]) {
        let prefix = &path[..end];
        let request = create_request(prefix, &Bytes::new(), CreateMode::Persistent);
        match session.call(OpCode::Create, &request)?.err {
            ErrorCode::Ok => created.push(prefix.to_owned()),
            ErrorCode::NodeExists => {}
            err => bail!("cannot create {prefix}: {err}"),
        }
    }
    Ok(created)
}

fn create_sequential(session: &mut Session, prefix: &str) -> anyhow::Result<String> {
    let request = create_request(prefix, &Bytes::new(), CreateMode::PersistentSequential);
    let reply = session.call(OpCode::Create, &request)?;
    if reply.err != ErrorCode::Ok {
        bail!("cannot create {prefix}: {}", reply.err);
    }
    let created = PathResponse::decode(&mut reply.reader())
        .with_context(|| format!("malformed reply to the creation of {prefix}"))?;
    if !path::is_valid(&created.path) {
        bail!(
            "the server says it has created '{}', which is no path",
            created.path
        );
    }
    Ok(created.path)
}

fn remove_children(session: &mut Session, parent: &str) -> anyhow::Result<()> {
    let mut body = Vec::new();
    let request = PathWatch {
        path: parent.into(),
        watch: false,
    };
    request.encode(&mut body);
    let reply = session.call_encoded(OpCode::GetChildren, &body)?;
    match reply.err {
        ErrorCode::Ok => {}
        ErrorCode::NoNode => return Ok(()),
        err => bail!("cannot list {parent}: {err}"),
    }
    let listing = GetChildrenResponse::decode(&mut reply.reader())
        .with_context(|| format!("malformed list of the children of {parent}"))?;
    let mut batch = Batch::new(session);
    for child in listing.children {
        batch.delete(format!("{parent}/{child}"))?;
    }
    batch
        .finish()
        .with_context(|| format!("cannot delete the children of {parent}"))
}

/// A create request as every node of a run has it.
pub(crate) fn create_request(path: &str, data: &Bytes, mode: CreateMode) -> CreateRequest {
    CreateRequest {
        path: path.into(),
        data: Some(data.clone()),
        acl: AclList::OPEN,
        flags: mode.flags(),
    }
}

/// Collects operations and sends them as multis of bounded size.
pub(crate) struct Batch<'a> {
    session: &'a mut Session,
    /// The ids and operation counts of those that have been sent.
    in_flight: VecDeque<(i32, usize)>,
    operations: Vec<MultiOp>,
    bytes: usize,
}

impl Batch<'_> {
    pub(crate) fn new(session: &mut Session) -> Batch<'_> {
        Batch {
            session,
            in_flight: VecDeque::new(),
            operations: Vec::new(),
            bytes: 0,
        }
    }

    pub(crate) fn create(&mut self, path: &str, data: &Bytes) -> anyhow::Result<()> {
        let request = create_request(path, data, CreateMode::Persistent);
        self.push(MultiOp::Create(request), path.len() + data.len())
    }

    fn delete(&mut self, path: String) -> anyhow::Result<()> {
        let bytes = path.len();
        self.push(MultiOp::Delete(PathVersion { path, version: -1 }), bytes)
    }

    fn push(&mut self, operation: MultiOp, bytes: usize) -> anyhow::Result<()> {
        /// Headers, ACL and flags of one operation, roughly.
        const OVERHEAD_BYTES: usize = 64;
        let is_full = self.operations.len() == BATCH_OPERATIONS_MAX
            || self.bytes + bytes + OVERHEAD_BYTES > BATCH_BYTES_MAX;
        if is_full {
            self.send()?;
        }
        self.bytes += bytes + OVERHEAD_BYTES;
        self.operations.push(operation);
        Ok(())
    }

    pub(crate) fn finish(mut self) -> anyhow::Result<()> {
        self.send()?;
        while !self.in_flight.is_empty() {
            self.receive()?;
        }
        Ok(())
    }

    fn send(&mut self) -> anyhow::Result<()> {
        if self.operations.is_empty() {
            return Ok(());
        }
        if self.in_flight.len() == BATCHES_IN_FLIGHT_MAX {
            self.receive()?;
        }
        self.bytes = 0;
        let request = MultiRequest(std::mem::take(&mut self.operations));
        let xid = self.session.send(OpCode::Multi, &request.to_vec())?;
        self.in_flight.push_back((xid, request.0.len()));
        Ok(())
    }

    /// Awaits and checks the oldest reply.
    fn receive(&mut self) -> anyhow::Result<()> {
        let Some((xid, operations)) = self.in_flight.pop_front() else {
            return Ok(());
        };
        let reply = self.session.receive(OpCode::Multi, xid)?;
        if reply.err != ErrorCode::Ok {
            bail!("multi of {operations} operations: {}", reply.err);
        }
        let results = MultiResult::decode_all(&mut reply.reader()).context("malformed reply")?;
        let failed = results.iter().find_map(|result| match result {
            // Zero in the place of the operations before the one that failed.
            MultiResult::Error(ErrorCode::Ok) => None,
            MultiResult::Error(err) => Some(err),
            _ => None,
        });
        match failed {
            None => Ok(()),
            Some(err) => bail!("multi of {operations} operations: {err}"),
        }
    }
}
