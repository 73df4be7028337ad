//! What anyone could have seen is on the disks of a quorum, at every moment from then on. (One member may
//! be told to cut off what it had acknowledged in an earlier life of its connection, and is not counted
//! for it again before it has it again.)

use super::ledger::Ledger;
use crate::cluster::fact::Fact;
use crate::cluster::schedule::MemberId;
use std::collections::BTreeSet;
use zooid_proto::Zxid;

#[derive(Debug)]
pub(crate) struct Decided {
    /// Voters and what each counts, in groups.
    groups: Vec<Vec<(MemberId, u64)>>,
    decided: BTreeSet<Zxid>,
}

impl Decided {
    pub(crate) fn new(groups: Vec<Vec<(MemberId, u64)>>) -> Decided {
        Decided {
            groups,
            decided: BTreeSet::new(),
        }
    }

    /// Before the ledger hears of it.
    pub(crate) fn observe(&mut self, fact: &Fact<'_>, ledger: &Ledger) -> Result<(), String> {
        let (member, history, may_forget) = match fact {
            // Whatever was synced survives, unless a truncation was under way.
            Fact::Started {
                member, history, ..
            } => (*member, *history, ledger.book(*member).truncating),
            Fact::Truncated {
                member, history, ..
            }
            | Fact::Installed {
                member, history, ..
            } => (*member, *history, Some(Zxid::ZERO)),
            _ => return Ok(()),
        };
        let is_gone = |zxid: &&Zxid| history.binary_search(zxid).is_err();
        for zxid in ledger.book(member).durable.iter().filter(is_gone) {
            if may_forget.is_none_or(|target| *zxid <= target) {
                return Err(format!("member {member} has lost {zxid}"));
            }
            if self.decided.contains(zxid) && !self.is_held(*zxid, ledger, Some(member)) {
                return Err(format!("{zxid} was seen; a quorum lost it with {member}"));
            }
        }
        Ok(())
    }

    /// These can be seen from now on.
    pub(crate) fn decided(&mut self, news: &[Zxid], ledger: &Ledger) -> Result<(), String> {
        for zxid in news {
            self.decided.insert(*zxid);
            if !self.is_held(*zxid, ledger, None) {
                return Err(format!(
                    "{zxid} can be seen, and is not on a quorum's disks"
                ));
            }
        }
        Ok(())
    }

    /// Whether a quorum has it on its disks, one member not being counted. Who checks quorums must not
    /// count them with the code that it checks.
    fn is_held(&self, zxid: Zxid, ledger: &Ledger, but: Option<MemberId>) -> bool {
        let has = |member: MemberId| {
            Some(member) != but && ledger.book(member).durable.binary_search(&zxid).is_ok()
        };
        let is_for = |group: &&Vec<(MemberId, u64)>| {
            let of = |counts: bool| {
                group
                    .iter()
                    .filter(move |(member, _)| has(*member) == counts)
            };
            let weight = |counts| of(counts).map(|(_, weight)| weight).sum::<u64>();
            weight(true) > weight(false)
        };
        let agree = self.groups.iter().filter(is_for).count();
        agree > self.groups.len() - agree
    }
}
