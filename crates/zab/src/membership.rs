//! Who takes part, as far as the protocol is concerned (Java `QuorumVerifier`'s member lists).

use crate::QuorumVerifier;
use alloc::collections::BTreeSet;
use alloc::vec::Vec;
use bytes::Bytes;
use zooid_proto::{ServerId, Zxid};

/// One configuration of the ensemble.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct View {
    /// The zxid of the change that made it; 0 for what a file without a version says.
    pub version: i64,
    /// Whose votes count, and how.
    pub verifier: QuorumVerifier,
    /// Whose votes count.
    pub voters: BTreeSet<ServerId>,
    /// Who follows without a vote.
    pub observers: BTreeSet<ServerId>,
    /// The configuration as servers send it to each other (spec §6.13).
    pub text: Bytes,
}

/// The configurations in force: the committed one, and a newer one if it is proposed
/// (spec §6.10). Until a change is activated, both must agree to everything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Membership {
    /// In force.
    pub committed: View,
    /// Proposed, and newer.
    pub last_seen: Option<View>,
}

impl Membership {
    /// A configuration that does not change.
    #[must_use]
    pub fn fixed(committed: View) -> Membership {
        Membership {
            committed,
            last_seen: None,
        }
    }

    fn views(&self) -> impl Iterator<Item = &View> {
        core::iter::once(&self.committed).chain(&self.last_seen)
    }

    /// Every quorum view that must agree.
    #[must_use]
    pub fn verifiers(&self) -> Vec<QuorumVerifier> {
        self.views().map(|view| view.verifier.clone()).collect()
    }

    /// Whether the servers for which `has` holds can decide in every view.
    pub fn is_quorum(&self, has: impl Fn(ServerId) -> bool) -> bool {
        self.views().all(|view| view.verifier.is_quorum(&has))
    }

    /// Whether a server's vote counts in some view.
    #[must_use]
    pub fn is_voter(&self, id: ServerId) -> bool {
        self.views().any(|view| view.voters.contains(&id))
    }

    /// Everyone whose vote counts in some view.
    #[must_use]
    pub fn voters(&self) -> BTreeSet<ServerId> {
        self.views().flat_map(|view| view.voters.clone()).collect()
    }

    /// The newest configuration, which NEWLEADER carries.
    #[must_use]
    pub fn newest(&self) -> &View {
        self.last_seen.as_ref().unwrap_or(&self.committed)
    }

    /// The committed version, as a zxid.
    #[must_use]
    pub fn version(&self) -> Zxid {
        Zxid(self.committed.version)
    }
}
