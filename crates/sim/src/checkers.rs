//! What must hold in every run, one file each. All hear the same facts; the first complaint ends the
//! run.

mod acknowledged;
pub(crate) mod digests;
mod durable;
pub(crate) mod ephemerals;
pub(crate) mod events;
mod expiry;
pub(crate) mod multis;
mod oracle;
mod order;
mod zxids;

pub(crate) use oracle::{CLIENT_IP, Oracle, same_answer, same_state};

use crate::fact::Fact;
use zooid_tree::{NodeRef, Replica};

#[derive(Debug, Default)]
pub(crate) struct Checkers {
    acknowledged: acknowledged::Acknowledged,
    digests: digests::Digests,
    durable: durable::Durable,
    ephemerals: ephemerals::Ephemerals,
    events: events::Events,
    expiry: expiry::Expiry,
    multis: multis::Multis,
    pub(crate) oracle: Oracle,
    order: order::Order,
    zxids: zxids::Zxids,
}

/// Which checker complains, and of what.
pub(crate) type Complaint = (&'static str, String);

impl Checkers {
    pub(crate) fn observe(&mut self, fact: &Fact<'_>) -> Result<(), Complaint> {
        let says = |name: &'static str| move |what: String| (name, what);
        self.durable
            .observe(fact)
            .map_err(says("durable before told"))?;
        self.acknowledged
            .observe(fact)
            .map_err(says("acknowledged is never lost"))?;
        self.order
            .observe(fact)
            .map_err(says("a session's order"))?;
        self.zxids
            .observe(fact)
            .map_err(says("a session's zxid never goes back"))?;
        self.multis
            .observe(fact)
            .map_err(says("a multi is atomic"))?;
        self.ephemerals
            .observe(fact)
            .map_err(says("ephemerals have live sessions"))?;
        self.digests
            .observe(fact)
            .map_err(says("the digest is the tree's"))?;
        self.expiry
            .observe(fact)
            .map_err(says("nobody expires early"))?;
        self.events
            .observe(fact)
            .map_err(says("event before data"))?;
        self.oracle.observe(fact).map_err(says("as the model says"))
    }
}

/// Visits every node of a replica, parents first; the root is "/".
pub(crate) fn each_node(replica: &Replica, visit: &mut dyn FnMut(&str, NodeRef<'_>)) {
    let mut paths = vec!["/".to_owned()];
    while let Some(path) = paths.pop() {
        let node = replica.node(&path).expect("a parent names its children");
        visit(&path, node);
        let above = path.trim_end_matches('/');
        paths.extend(node.children().map(|name| format!("{above}/{name}")));
    }
}
