//! Zab's `PrefixConsistency`: what one member has shown, or could have shown, to anyone is the beginning
//! of what every other shows.

use super::ledger::Ledger;
use crate::cluster::fact::Fact;
use crate::cluster::schedule::MemberId;
use crate::packet::Packet;
use zooid_proto::Zxid;

#[derive(Debug)]
pub(crate) struct PrefixConsistency {
    decided: Vec<Zxid>,
    /// How much of each member's history has been compared.
    agreed: Vec<usize>,
}

impl PrefixConsistency {
    pub(crate) fn new(members: usize) -> PrefixConsistency {
        PrefixConsistency {
            decided: Vec::new(),
            agreed: vec![0; members],
        }
    }

    pub(crate) fn decided(&self) -> &[Zxid] {
        &self.decided
    }

    /// What is decided by this fact.
    pub(crate) fn observe(
        &mut self,
        fact: &Fact<'_>,
        ledger: &Ledger,
    ) -> Result<Vec<Zxid>, String> {
        match fact {
            Fact::Started { member, .. }
            | Fact::Truncated { member, .. }
            | Fact::Installed { member, .. }
            | Fact::Loaded { member, .. } => {
                self.agreed[*member] = 0;
                Ok(Vec::new())
            }
            Fact::Serving { member, .. } | Fact::Applied { member, .. }
                if ledger.book(*member).serves =>
            {
                self.shown(*member, ledger.applied(*member))
            }
            Fact::Told { member, packet, .. } if !ledger.book(*member).reads_only => {
                let zxid = match packet {
                    Packet::Connected(_) => Zxid::NONE,
                    Packet::Reply(reply) => reply.zxid,
                    Packet::Event(event) => event.zxid,
                };
                let last = self.decided.last().copied().unwrap_or_default();
                if zxid > last && !zxid.is_epoch_start() {
                    return Err(format!("{member} tells of {zxid}, decided is {last}"));
                }
                Ok(Vec::new())
            }
            _ => Ok(Vec::new()),
        }
    }

    fn shown(&mut self, member: MemberId, history: &[Zxid]) -> Result<Vec<Zxid>, String> {
        let agreed = self.agreed[member];
        let pairs = history.iter().zip(&self.decided).skip(agreed);
        for (theirs, ours) in pairs {
            if theirs != ours {
                return Err(format!(
                    "member {member} shows {theirs} where others showed {ours}"
                ));
            }
        }
        let news = history.get(self.decided.len()..).unwrap_or_default();
        let news = news.to_vec();
        self.decided.extend_from_slice(&news);
        self.agreed[member] = history.len();
        Ok(news)
    }
}
