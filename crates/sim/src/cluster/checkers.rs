//! What must hold in every run of an ensemble, one file each. All hear the same facts, after the
//! ledger has taken them in; the first complaint ends the run.

mod acknowledged;
mod agreement;
mod decided;
mod digests;
mod ephemerals;
mod events;
mod global_primary_order;
mod integrity;
mod leadership;
mod ledger;
mod linearizable;
mod local_primary_order;
mod multis;
mod oracle;
mod order;
mod prefix_consistency;
mod primary_integrity;
mod promises;
mod records;
mod sessions;
mod total_order;

use super::fact::Fact;
use super::options::Profile;
use ledger::Ledger;
use zooid_proto::Zxid;

#[derive(Debug)]
pub(crate) struct Checkers {
    pub(crate) ledger: Ledger,
    pub(crate) leadership: leadership::Leadership,
    acknowledged: acknowledged::Acknowledged,
    agreement: agreement::Agreement,
    decided: decided::Decided,
    digests: digests::Digests,
    ephemerals: ephemerals::Ephemerals,
    linearizable: linearizable::Linearizable,
    events: crate::checkers::events::Events,
    global_primary_order: global_primary_order::GlobalPrimaryOrder,
    integrity: integrity::Integrity,
    local_primary_order: local_primary_order::LocalPrimaryOrder,
    pub(crate) oracle: oracle::Oracle,
    order: order::Order,
    prefix_consistency: prefix_consistency::PrefixConsistency,
    primary_integrity: primary_integrity::PrimaryIntegrity,
    promises: promises::Promises,
    records: records::Records,
    sessions: sessions::Sessions,
    total_order: total_order::TotalOrder,
}

/// Which checker complains, and of what.
pub(crate) type Complaint = (&'static str, String);

impl Checkers {
    pub(crate) fn new(profile: &Profile) -> Checkers {
        Checkers {
            ledger: Ledger::new(profile.members()),
            leadership: leadership::Leadership::default(),
            acknowledged: acknowledged::Acknowledged::default(),
            agreement: agreement::Agreement::new(profile.members()),
            decided: decided::Decided::new(profile.groups()),
            digests: digests::Digests::default(),
            ephemerals: ephemerals::Ephemerals,
            linearizable: linearizable::Linearizable::default(),
            events: crate::checkers::events::Events::default(),
            global_primary_order: global_primary_order::GlobalPrimaryOrder,
            integrity: integrity::Integrity,
            local_primary_order: local_primary_order::LocalPrimaryOrder::default(),
            oracle: oracle::Oracle::default(),
            order: order::Order::default(),
            prefix_consistency: prefix_consistency::PrefixConsistency::new(profile.members()),
            primary_integrity: primary_integrity::PrimaryIntegrity::default(),
            promises: promises::Promises::new(profile),
            records: records::Records::default(),
            sessions: sessions::Sessions::default(),
            total_order: total_order::TotalOrder::default(),
        }
    }

    pub(crate) fn observe(&mut self, fact: &Fact<'_>) -> Result<(), Complaint> {
        // What stood in a log before the fact says whether the fact may be.
        self.decided
            .observe(fact, &self.ledger)
            .map_err(says("decided is never lost"))?;
        self.records
            .observe(fact, &self.ledger)
            .map_err(says("equal zxids, equal records and histories"))?;
        let is_proposal = matches!(fact, Fact::Appended { .. });
        if is_proposal {
            self.consult(fact)?;
        }
        self.ledger.observe(fact);
        self.observe_order(fact)?;
        self.observe_clients(fact)?;
        self.ephemerals
            .observe(fact)
            .map_err(says("ephemerals have live sessions"))?;
        multis::observe(fact).map_err(says("a multi is atomic"))?;
        self.digests
            .observe(fact)
            .map_err(says("equal zxids, equal trees"))?;
        if is_proposal {
            return Ok(());
        }
        self.consult(fact)
    }

    /// What Zab promises, and what that rests on.
    fn observe_order(&mut self, fact: &Fact<'_>) -> Result<(), Complaint> {
        let ledger = &self.ledger;
        self.leadership
            .observe(fact, ledger)
            .map_err(says("Leadership"))?;
        self.promises
            .observe(fact, ledger)
            .map_err(says("durable before promised"))?;
        self.integrity
            .observe(fact, ledger, &self.leadership)
            .map_err(says("Integrity"))?;
        self.total_order
            .observe(fact, ledger)
            .map_err(says("TotalOrder"))?;
        self.local_primary_order
            .observe(fact, ledger)
            .map_err(says("LocalPrimaryOrder"))?;
        self.global_primary_order
            .observe(fact, ledger)
            .map_err(says("GlobalPrimaryOrder"))?;
        self.agreement
            .observe(fact, ledger)
            .map_err(says("Agreement"))?;
        let decided = self.prefix_consistency.observe(fact, ledger);
        let news = decided.map_err(says("PrefixConsistency"))?;
        self.decided
            .decided(&news, ledger)
            .map_err(says("decided is durable on a quorum"))?;
        self.primary_integrity
            .decided(&news)
            .and_then(|()| self.primary_integrity.observe(fact, ledger))
            .map_err(says("PrimaryIntegrity"))
    }

    /// What clients may rely on.
    fn observe_clients(&mut self, fact: &Fact<'_>) -> Result<(), Complaint> {
        self.order
            .observe(fact)
            .map_err(says("a session's order"))?;
        self.linearizable
            .observe(fact)
            .map_err(says("reads behind a sync are linearizable"))?;
        self.sessions
            .observe(fact, &self.ledger)
            .map_err(says("sessions end for a reason"))?;
        self.acknowledged
            .observe(fact)
            .map_err(says("acknowledged is never lost"))?;
        events::observe(&mut self.events, fact).map_err(says("event before data"))
    }

    /// What is proposed is judged by what its member had before, everything else by what it has then.
    fn consult(&mut self, fact: &Fact<'_>) -> Result<(), Complaint> {
        self.oracle
            .observe(fact, &self.ledger, &self.records)
            .map_err(|what| ("as the model says", what))
    }

    /// Everything that anyone was told of, in order.
    pub(crate) fn decided(&self) -> &[Zxid] {
        self.prefix_consistency.decided()
    }
}

fn says(name: &'static str) -> impl Fn(String) -> Complaint {
    move |what| (name, what)
}
