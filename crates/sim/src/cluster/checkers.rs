//! What must hold in every run of an ensemble, one file each. All hear the same facts, after the
//! ledger has taken them in; the first complaint ends the run.

mod acknowledged;
mod agreement;
mod digests;
mod durable;
mod ephemerals;
mod leadership;
mod ledger;
mod order;
mod prefix;
mod promises;
mod sessions;

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
    digests: digests::Digests,
    durable: durable::Durable,
    ephemerals: ephemerals::Ephemerals,
    order: order::Order,
    prefix: prefix::Prefix,
    promises: promises::Promises,
    sessions: sessions::Sessions,
}

/// Which checker complains, and of what.
pub(crate) type Complaint = (&'static str, String);

impl Checkers {
    pub(crate) fn new(profile: &Profile) -> Checkers {
        Checkers {
            ledger: Ledger::new(profile.members()),
            leadership: leadership::Leadership::default(),
            acknowledged: acknowledged::Acknowledged::default(),
            agreement: agreement::Agreement::default(),
            digests: digests::Digests::default(),
            durable: durable::Durable::new(profile.membership()),
            ephemerals: ephemerals::Ephemerals,
            order: order::Order::default(),
            prefix: prefix::Prefix::new(profile.members()),
            promises: promises::Promises::new(profile),
            sessions: sessions::Sessions::default(),
        }
    }

    pub(crate) fn observe(&mut self, fact: &Fact<'_>) -> Result<(), Complaint> {
        let says = |name: &'static str| move |what: String| (name, what);
        // What stood in a log before the fact says whether the fact may be.
        self.durable
            .observe(fact, &self.ledger)
            .map_err(says("decided is never lost"))?;
        self.agreement
            .observe(fact, &self.ledger)
            .map_err(says("equal zxids, equal records and histories"))?;
        self.ledger.observe(fact);
        let ledger = &self.ledger;
        self.leadership
            .observe(fact, ledger)
            .map_err(says("one leader for each epoch"))?;
        self.promises
            .observe(fact, ledger)
            .map_err(says("durable before promised"))?;
        let decided = self.prefix.observe(fact, ledger);
        let news = decided.map_err(says("histories are prefixes of one"))?;
        self.durable
            .decided(&news, ledger)
            .map_err(says("decided is durable on a quorum"))?;
        self.order
            .observe(fact)
            .map_err(says("a session's order"))?;
        self.sessions
            .observe(fact)
            .map_err(says("sessions end for a reason"))?;
        self.acknowledged
            .observe(fact)
            .map_err(says("acknowledged is never lost"))?;
        self.ephemerals
            .observe(fact)
            .map_err(says("ephemerals have live sessions"))?;
        self.digests
            .observe(fact)
            .map_err(says("equal zxids, equal trees"))
    }

    /// Everything that anyone was told of, in order.
    pub(crate) fn decided(&self) -> &[Zxid] {
        self.prefix.decided()
    }
}
