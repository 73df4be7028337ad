//! Quotas that writes exceed: hard ones refuse the write, soft ones let it pass and are told
//! (spec §2.15; Java `ZooKeeperServer.checkQuota`).

use std::fmt;
use zooid_proto::ErrorCode;
use zooid_tree::Quota;

/// Kept until the driver takes them. More in one batch of work are not told one by one.
const KEPT_MAX: usize = 1000;

/// A write that exceeds a quota.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuotaExceeded {
    /// The node that the quota is on.
    pub path: String,
    /// What it limits.
    pub resource: Resource,
    /// Whether the write is refused.
    pub is_hard: bool,
    /// What is or would be used after the write.
    pub used: i64,
    /// How much may be.
    pub limit: i64,
}

/// What a quota limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Resource {
    /// Nodes.
    Count,
    /// Bytes of their data.
    Bytes,
}

impl QuotaExceeded {
    /// The top-level node that the quota is on or below.
    #[must_use]
    pub fn namespace(&self) -> &str {
        self.path.split('/').nth(1).unwrap_or_default()
    }
}

/// Java's words.
impl fmt::Display for QuotaExceeded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (current, limit) = match self.resource {
            Resource::Count => ("count", "CountLimit"),
            Resource::Bytes => ("bytes", "ByteLimit"),
        };
        let kind = if self.is_hard { "hard" } else { "soft" };
        write!(
            f,
            "Quota exceeded: {} [current {current}={}, {kind}{limit}={}]",
            self.path, self.used, self.limit
        )
    }
}

/// What has been exceeded since the driver last asked.
#[derive(Debug, Default)]
pub(crate) struct ExceededQuotas(Vec<QuotaExceeded>);

impl ExceededQuotas {
    pub(crate) fn take(&mut self) -> Vec<QuotaExceeded> {
        std::mem::take(&mut self.0)
    }

    /// Holds a change against its quota. Nodes come first, and a hard limit stands in for the soft one.
    pub(super) fn check(&mut self, quota: &Quota, nodes: i64, bytes: i64) -> Result<(), ErrorCode> {
        let limits = &quota.limits;
        let count = (limits.count_hard, limits.count);
        self.check_one(quota, Resource::Count, nodes, quota.used_count, count)?;
        let data = (limits.bytes_hard, limits.bytes);
        self.check_one(quota, Resource::Bytes, bytes, quota.used_bytes, data)
    }

    fn check_one(
        &mut self,
        quota: &Quota,
        resource: Resource,
        delta: i64,
        used: i64,
        (hard, soft): (i64, i64),
    ) -> Result<(), ErrorCode> {
        let is_hard = hard > -1;
        let limit = if is_hard { hard } else { soft };
        let used = used + delta;
        if delta == 0 || limit < 0 || used <= limit {
            return Ok(());
        }
        if self.0.len() < KEPT_MAX {
            self.0.push(QuotaExceeded {
                path: quota.path.clone(),
                resource,
                is_hard,
                used,
                limit,
            });
        }
        if is_hard {
            return Err(ErrorCode::QuotaExceeded);
        }
        Ok(())
    }
}
