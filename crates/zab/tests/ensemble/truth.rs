//! What is true of the ensemble as a whole, and must stay so.

use crate::server::Server;
use std::collections::BTreeMap;
use zooid_proto::{Epoch, ServerId, Zxid};
use zooid_zab::Membership;

/// A transaction. No two have the same number, so a zxid that is used twice shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) zxid: Zxid,
    pub(crate) number: u64,
}

/// What the ensemble has committed.
#[derive(Default)]
pub(crate) struct Truth {
    pub(crate) committed: Vec<Entry>,
    established: BTreeMap<Epoch, ServerId>,
}

impl Truth {
    /// One leader per epoch; its history has everything that was ever committed, and a quorum has it.
    pub(crate) fn established(
        &mut self,
        leader: &Server,
        epoch: Epoch,
        servers: &[Server],
        membership: &Membership,
    ) {
        let before = self.established.insert(epoch, leader.id);
        assert_eq!(before, None, "two leaders of one epoch");
        let history = &leader.appended;
        assert!(
            history.starts_with(&self.committed),
            "a leader without what was committed"
        );
        let has_it = |id: ServerId| {
            let server = servers
                .iter()
                .chain([leader])
                .find(|server| server.id == id);
            server.is_some_and(|server| {
                server.disk.history.starts_with(history) && server.disk.epochs.current == epoch
            })
        };
        assert!(
            membership.is_quorum(has_it),
            "established without a quorum that holds the initial history"
        );
        self.committed.clone_from(history);
    }

    /// What a leader commits is next, and durable on a quorum.
    pub(crate) fn committed(
        &mut self,
        leader: &Server,
        entry: Entry,
        servers: &[Server],
        membership: &Membership,
    ) {
        self.committed.push(entry);
        let has_it = |id: ServerId| {
            let server = servers
                .iter()
                .chain([leader])
                .find(|server| server.id == id);
            server.is_some_and(|server| server.disk.history.starts_with(&self.committed))
        };
        assert!(
            membership.is_quorum(has_it),
            "{} is committed and no quorum has it",
            entry.zxid
        );
    }

    /// Whatever histories are cut or replaced, a quorum has on its disks all that is committed.
    pub(crate) fn kept(&self, servers: &[Server], membership: &Membership) {
        let has_it = |server: &&Server| server.disk.history.starts_with(&self.committed);
        let keepers: Vec<ServerId> = servers.iter().filter(has_it).map(|it| it.id).collect();
        assert!(
            membership.is_quorum(|id| keepers.contains(&id)),
            "what was committed is gone from a quorum"
        );
    }

    /// What a learner applies is what was committed, in that order.
    pub(crate) fn applied(&self, server: &Server) {
        assert!(
            self.committed
                .starts_with(&server.appended[..server.applied]),
            "{} has applied what is not committed",
            server.id
        );
    }
}
