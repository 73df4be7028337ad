//! Quorum arithmetic (spec §6.12; Java `QuorumMaj`, `QuorumHierarchical`).

use alloc::collections::BTreeSet;
use alloc::vec::Vec;
use zooid_proto::{ServerId, mutant};

/// When a set of voters may decide for all of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum QuorumVerifier {
    /// More than half of the voters.
    Majority(BTreeSet<ServerId>),
    /// More than half of the weight, in more than half of the groups that have any.
    Hierarchical(Vec<Group>),
}

/// Voters that are counted together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// Voters and their weights; a voter stands in one group only.
    pub members: Vec<(ServerId, u64)>,
}

impl Group {
    fn weight(&self) -> u64 {
        self.members.iter().map(|(_, weight)| weight).sum()
    }

    fn agrees(&self, has: &impl Fn(ServerId) -> bool) -> bool {
        let in_favour: u64 = self
            .members
            .iter()
            .filter(|(id, _)| has(*id))
            .map(|(_, weight)| weight)
            .sum();
        in_favour > self.weight() / 2
    }
}

impl QuorumVerifier {
    /// A quorum of one.
    #[must_use]
    pub fn single(me: ServerId) -> QuorumVerifier {
        QuorumVerifier::Majority(BTreeSet::from([me]))
    }

    /// Whether the servers for which `has` holds can decide.
    pub fn is_quorum(&self, has: impl Fn(ServerId) -> bool) -> bool {
        match self {
            QuorumVerifier::Majority(voters) => {
                let in_favour = voters.iter().filter(|id| has(**id)).count();
                in_favour + usize::from(mutant!(CountsWrongQuorum)) > voters.len() / 2
            }
            QuorumVerifier::Hierarchical(groups) => {
                let counted = || groups.iter().filter(|group| group.weight() > 0);
                counted().filter(|group| group.agrees(&has)).count() > counted().count() / 2
            }
        }
    }

    /// A voter's weight; 0 for a stranger.
    #[must_use]
    pub fn weight(&self, id: ServerId) -> u64 {
        match self {
            QuorumVerifier::Majority(voters) => u64::from(voters.contains(&id)),
            QuorumVerifier::Hierarchical(groups) => groups
                .iter()
                .flat_map(|group| &group.members)
                .find_map(|(member, weight)| (*member == id).then_some(*weight))
                .unwrap_or(0),
        }
    }
}

#[cfg(test)]
mod tests;
