//! A snapshot on its way from a leader to a learner, as the learner takes it in: behind SNAP the data of
//! spec §4.4, without header, seals and signature. It comes in parts that are cut anywhere, and may end with
//! its link at any byte.

use bytes::Bytes;
use std::sync::Arc;
use zooid_proto::{DecodeError, Limit, Reader, Zxid};
use zooid_storage::{BodyParser, SnapshotItem};
use zooid_tree::{Replica, ReplicaBuilder, TreeOptions};

/// What has come so far.
#[derive(Debug)]
pub(crate) struct Incoming {
    zxid: Zxid,
    parser: BodyParser,
    body: Vec<u8>,
}

impl Incoming {
    /// Behind a SNAP.
    pub(crate) fn new(zxid: Zxid) -> Incoming {
        Incoming {
            zxid,
            parser: BodyParser::default(),
            body: Vec::new(),
        }
    }

    /// Takes the items that are whole out of `bytes`; true when the last one was among them.
    pub(crate) fn take(&mut self, bytes: &mut Bytes) -> Result<bool, DecodeError> {
        loop {
            let mut r = Reader::new(bytes, Limit::default());
            let is_last = match self.parser.next_item(&mut r) {
                Err(DecodeError::Truncated { .. }) => return Ok(false),
                item => item?.is_none(),
            };
            let used = bytes.len() - r.rest().len();
            self.body.extend_from_slice(&bytes.split_to(used));
            if is_last {
                return Ok(true);
            }
        }
    }

    pub(crate) fn finish(self, history: Arc<[Zxid]>) -> Received {
        Received {
            zxid: self.zxid,
            body: self.body,
            history,
        }
    }
}

/// A snapshot that has come whole.
#[derive(Clone, Debug)]
pub(crate) struct Received {
    pub(crate) zxid: Zxid,
    body: Vec<u8>,
    /// What it is a snapshot of; for the checkers, the wire does not carry it.
    pub(crate) history: Arc<[Zxid]>,
}

impl Received {
    /// What came, which is the data of the snapshot's file.
    pub(crate) fn body(&self) -> &[u8] {
        &self.body
    }

    pub(crate) fn load(&self, options: TreeOptions) -> Result<Replica, String> {
        let mut builder = ReplicaBuilder::new(options);
        let mut reader = Reader::new(&self.body, Limit::default());
        let mut parser = BodyParser::default();
        while let Some(item) = (parser.next_item(&mut reader)).map_err(|err| err.to_string())? {
            match item {
                SnapshotItem::Session { id, timeout_ms } => builder.session(id, timeout_ms),
                SnapshotItem::Acl { id, acl } => builder.acl(id, &acl),
                SnapshotItem::Node(node) => {
                    let fed = builder.node(&node.path, node.data, node.acl_id, node.stat);
                    fed.map_err(|err| err.to_string())?;
                }
            }
        }
        builder.finish(self.zxid).map_err(|err| err.to_string())
    }
}
