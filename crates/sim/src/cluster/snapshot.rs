//! A snapshot on its way from a leader to a learner: the data of spec §4.4, without header and seals,
//! and the mark behind it.

use std::sync::Arc;
use zooid_proto::{Limit, Reader, Zxid};
use zooid_storage::{BodyParser, SnapshotItem};
use zooid_tree::{Replica, ReplicaBuilder, TreeOptions};

#[derive(Clone, Debug)]
pub(crate) struct SnapshotOnWire {
    pub(crate) zxid: Zxid,
    body: Vec<u8>,
    /// What it is a snapshot of; for the checkers, the wire does not carry it.
    pub(crate) history: Arc<[Zxid]>,
}

impl SnapshotOnWire {
    /// Of what a walk has written.
    pub(crate) fn new(zxid: Zxid, body: Vec<u8>, history: &[Zxid]) -> SnapshotOnWire {
        SnapshotOnWire {
            zxid,
            body,
            history: history.into(),
        }
    }

    /// A byte each microsecond: enough to be overtaken by other things.
    pub(crate) fn transfer_us(&self) -> u64 {
        u64::try_from(self.body.len()).expect("lengths fit 64 bits")
    }

    pub(crate) fn load(&self, options: TreeOptions) -> Result<Replica, String> {
        let mut builder = ReplicaBuilder::new(options);
        let mut reader = Reader::new(&self.body, Limit::default());
        let mut parser = BodyParser::default();
        while let Some(item) = (parser.next_item(&mut reader)).map_err(|err| err.to_string())? {
            match item {
                SnapshotItem::Session { id, timeout_ms } => builder.session(id, timeout_ms),
                SnapshotItem::Acl { id, acl } => builder.acl(id, acl),
                SnapshotItem::Node(node) => {
                    let fed = builder.node(&node.path, node.data, node.acl_id, node.stat);
                    fed.map_err(|err| err.to_string())?;
                }
            }
        }
        builder.finish(self.zxid).map_err(|err| err.to_string())
    }
}
