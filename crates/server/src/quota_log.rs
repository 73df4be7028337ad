//! What is said of exceeded quotas (Java `RateLogger` in `ZooKeeperServer.checkQuota`). Whoever exceeds
//! one usually goes on doing so: each is mentioned at once, and then once a minute.

use crate::clock;
use crate::shared::Shared;
use std::collections::BTreeMap;
use tracing::warn;
use zooid_node::{QuotaExceeded, Resource};

/// Between two lines about the same quota.
const INTERVAL_MS: i64 = 60_000;
/// Quotas remembered. When there are more, all are forgotten, and may be mentioned early.
const QUOTAS_MAX: usize = 1000;

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct QuotaLog {
    mentioned: BTreeMap<(String, Resource), Mentioned>,
}

#[derive(Clone, Copy, Debug)]
struct Mentioned {
    at_ms: i64,
    /// How often it was exceeded since, without a word.
    unsaid: u64,
}

/// Counts and logs what writes have exceeded.
pub(crate) fn tell(shared: &Shared, exceeded: &[QuotaExceeded]) {
    if exceeded.is_empty() {
        return;
    }
    let now_ms = clock::mono_ms();
    let mut log = shared.quota_log.lock();
    for quota in exceeded {
        if quota.is_hard {
            shared.stats.quota_refused(quota.namespace());
        }
        if let Some(line) = log.line(quota, now_ms) {
            warn!("{line}");
        }
    }
}

impl QuotaLog {
    /// The line to log, if it is time for one.
    pub(crate) fn line(&mut self, exceeded: &QuotaExceeded, now_ms: i64) -> Option<String> {
        let key = (exceeded.path.clone(), exceeded.resource);
        let unsaid = match self.mentioned.get_mut(&key) {
            Some(mentioned) if now_ms - mentioned.at_ms < INTERVAL_MS => {
                mentioned.unsaid += 1;
                return None;
            }
            Some(mentioned) => mentioned.unsaid,
            None => 0,
        };
        if self.mentioned.len() >= QUOTAS_MAX {
            self.mentioned.clear();
        }
        let mentioned = Mentioned {
            at_ms: now_ms,
            unsaid: 0,
        };
        self.mentioned.insert(key, mentioned);
        Some(match unsaid {
            0 => exceeded.to_string(),
            unsaid => format!("{exceeded} ({unsaid} times more since it was last said)"),
        })
    }
}

#[cfg(test)]
mod tests;
