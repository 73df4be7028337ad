//! Quotas and their use, added up per top-level node (Java `QuotaMetricsUtils`).

use std::collections::BTreeMap;
use zooid_proto::path::QUOTA;
use zooid_tree::{LIMITS_NODE, Replica};

/// The quotas at and below one top-level node. A limit that is not set counts as -1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct NamespaceQuota {
    pub(crate) count_limit: i64,
    pub(crate) bytes_limit: i64,
    pub(crate) count_used: i64,
    pub(crate) bytes_used: i64,
}

/// By the name of the top-level node.
pub(crate) fn quotas(replica: &Replica) -> BTreeMap<String, NamespaceQuota> {
    let mut totals = BTreeMap::new();
    let mut unseen = vec![QUOTA.to_owned()];
    while let Some(path) = unseen.pop() {
        let Some(node) = replica.node(&path) else {
            continue;
        };
        for name in node.children() {
            if name == LIMITS_NODE {
                add(replica, &path, &mut totals);
            } else {
                unseen.push(format!("{path}/{name}"));
            }
        }
    }
    totals
}

fn add(replica: &Replica, quota_path: &str, totals: &mut BTreeMap<String, NamespaceQuota>) {
    let target = quota_path.strip_prefix(QUOTA).unwrap_or_default();
    let Some(namespace) = target.split('/').nth(1) else {
        return;
    };
    let Some(quota) = replica
        .quota_of(target)
        .filter(|quota| quota.path == target)
    else {
        return;
    };
    // Java: the hard limit, if there is one.
    let limit = |hard: i64, soft: i64| if hard > -1 { hard } else { soft };
    let total = totals.entry(namespace.to_owned()).or_default();
    total.count_limit += limit(quota.limits.count_hard, quota.limits.count);
    total.bytes_limit += limit(quota.limits.bytes_hard, quota.limits.bytes);
    total.count_used += quota.used_count;
    total.bytes_used += quota.used_bytes;
}

#[cfg(test)]
mod tests;
