//! What must be found should the power go now, and what may be.

use super::history::History;
use super::place::Found;
use std::sync::Arc;
use zooid_proto::{Epoch, Zxid};

/// A history of which the end may be found at `from` or later, up to `to`.
#[derive(Clone, Debug)]
pub(super) struct Claim {
    history: Arc<History>,
    from: Zxid,
    to: Zxid,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Expectation {
    /// One of them must hold. None: nothing was done yet.
    claims: Vec<Claim>,
    accepted: Bounds,
    current: Bounds,
}

/// Of an epoch.
#[derive(Clone, Copy, Debug, Default)]
struct Bounds {
    /// Durable.
    least: Epoch,
    /// Asked for.
    most: Epoch,
}

impl Expectation {
    /// The history, durable up to `from`.
    pub(super) fn is(&mut self, history: &History, from: Zxid) {
        self.claims.clear();
        self.or(history, from);
    }

    /// This may also be found.
    pub(super) fn or(&mut self, history: &History, from: Zxid) {
        self.claims.push(Claim {
            history: history.shared(),
            from,
            to: history.last(),
        });
    }

    pub(super) fn promising(&mut self, epoch: Epoch) {
        self.accepted.most = self.accepted.most.max(epoch);
    }

    pub(super) fn promised(&mut self, epoch: Epoch) {
        self.accepted.least = self.accepted.least.max(epoch);
    }

    pub(super) fn entering(&mut self, epoch: Epoch) {
        self.current.most = self.current.most.max(epoch);
    }

    pub(super) fn entered(&mut self, epoch: Epoch) {
        self.current.least = self.current.least.max(epoch);
    }

    /// Compares what was found with it.
    pub(super) fn check(&self, found: &Found) -> Result<(), String> {
        let (last, digest) = found.end();
        let holds = |claim: &Claim| {
            let is_within = claim.from <= last && last <= claim.to;
            is_within && claim.history.digest_at(last) == Some(digest)
        };
        let nothing_was_done = self.claims.is_empty() && last == Zxid::ZERO;
        if !nothing_was_done && !self.claims.iter().any(holds) {
            let ranges: Vec<String> = (self.claims.iter())
                .map(|claim| {
                    let known = claim.history.digest_at(last);
                    let (from, to) = (claim.from, claim.to);
                    format!("{from} to {to}, there with digest {known:?}")
                })
                .collect();
            let what = format!("found {last} with digest {digest}, not one of {ranges:?}");
            return Err(what);
        }
        if found.mismatches > 0 {
            return Err(format!("{} digests do not match", found.mismatches));
        }
        self.check_epochs(found)
    }

    fn check_epochs(&self, found: &Found) -> Result<(), String> {
        let of_history = found.end().0.epoch();
        for (name, bounds, epoch) in [
            ("acceptedEpoch", self.accepted, found.accepted),
            ("currentEpoch", self.current, found.current),
        ] {
            let most = bounds.most.max(self.current.most).max(of_history);
            if epoch < bounds.least || epoch > most {
                let what = format!(
                    "{name} is {epoch:?}, not from {:?} to {most:?}",
                    bounds.least
                );
                return Err(what);
            }
        }
        Ok(())
    }
}
