//! Quotas: the text in their nodes and which paths have one (spec §2.15; Java `StatsTrack`,
//! `Quotas`, `PathTrie`).
//!
//! A quota on `/a/b` is two ordinary nodes below `/zookeeper/quota/a/b`: one with the limits, one
//! with what is used.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use zooid_proto::path::QUOTA;

/// Name of the node with the limits.
pub const LIMITS_NODE: &str = "zookeeper_limits";
/// Name of the node with what is used.
pub const STATS_NODE: &str = "zookeeper_stats";

const UNSET: i64 = -1;
const COUNT: &str = "count";
const BYTES: &str = "bytes";

/// The limits of a quota; -1 when unset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QuotaLimits {
    /// Nodes, before a warning.
    pub count: i64,
    /// Bytes of data, before a warning.
    pub bytes: i64,
    /// Nodes, before refusal.
    pub count_hard: i64,
    /// Bytes of data, before refusal.
    pub bytes_hard: i64,
}

/// The quota that a path is charged to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quota {
    /// The node that the quota is on.
    pub path: String,
    /// Its limits.
    pub limits: QuotaLimits,
    /// Nodes at and below `path`.
    pub used_count: i64,
    /// Bytes of their data.
    pub used_bytes: i64,
}

/// Path of the limits of the quota on `path`.
pub(crate) fn limits_path(path: &str) -> String {
    format!("{QUOTA}{path}/{LIMITS_NODE}")
}

/// Path of the stats of the quota on `path`.
pub(crate) fn stats_path(path: &str) -> String {
    format!("{QUOTA}{path}/{STATS_NODE}")
}

/// The path that a node of the given name below `parent` sets a quota on.
pub(crate) fn target<'a>(parent: &'a str, name: &str, wanted: &str) -> Option<&'a str> {
    let target = parent.strip_prefix(QUOTA)?;
    // Java's trie refuses the root; a quota there is never charged.
    (name == wanted && target.starts_with('/')).then_some(target)
}

/// The text of a limits or stats node: numbers by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct QuotaText(BTreeMap<String, i64>);

impl QuotaText {
    /// Reads `name=number` pairs between commas and semicolons. What is no number counts as unset,
    /// where Java throws.
    pub(crate) fn parse(text: &[u8]) -> QuotaText {
        let text = String::from_utf8_lossy(text);
        let pairs = text.split([',', ';']).filter(|piece| !piece.is_empty());
        let pair = |piece: &str| {
            let mut parts = piece.split('=');
            let name = parts.next().unwrap_or_default();
            let value = parts.next().and_then(|value| value.parse().ok());
            (name.to_owned(), value.unwrap_or(UNSET))
        };
        QuotaText(pairs.map(pair).collect())
    }

    /// The text of a stats node.
    pub(crate) fn used(count: i64, bytes: i64) -> QuotaText {
        QuotaText::default().with(count, bytes)
    }

    pub(crate) fn with(mut self, count: i64, bytes: i64) -> QuotaText {
        self.0.insert(COUNT.to_owned(), count);
        self.0.insert(BYTES.to_owned(), bytes);
        self
    }

    pub(crate) fn count(&self) -> i64 {
        self.get(COUNT)
    }

    pub(crate) fn bytes(&self) -> i64 {
        self.get(BYTES)
    }

    pub(crate) fn limits(&self) -> QuotaLimits {
        QuotaLimits {
            count: self.count(),
            bytes: self.bytes(),
            count_hard: self.get("countHardLimit"),
            bytes_hard: self.get("byteHardLimit"),
        }
    }

    fn get(&self, name: &str) -> i64 {
        self.0.get(name).copied().unwrap_or(UNSET)
    }
}

/// `count` and `bytes` first; anything more comes after a stray `=`, which makes the parsers of
/// old releases ignore it.
impl fmt::Display for QuotaText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{COUNT}={},{BYTES}={}", self.count(), self.bytes())?;
        let more = |(name, _): &(&String, &i64)| *name != COUNT && *name != BYTES;
        for (index, (name, value)) in self.0.iter().filter(more).enumerate() {
            let separator = if index == 0 { "=;" } else { ";" };
            write!(f, "{separator}{name}={value}")?;
        }
        Ok(())
    }
}

/// The paths that have a quota.
#[derive(Debug, Default)]
pub(crate) struct QuotaPaths(BTreeSet<String>);

impl QuotaPaths {
    pub(crate) fn add(&mut self, path: &str) {
        self.0.insert(path.to_owned());
    }

    pub(crate) fn remove(&mut self, path: &str) {
        self.0.remove(path);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The longest of them that is `path` or above it: the only one that is charged.
    pub(crate) fn longest_above(&self, path: &str) -> Option<&str> {
        let mut prefix = path;
        loop {
            if let Some(found) = self.0.get(prefix) {
                return Some(found);
            }
            prefix = prefix.rsplit_once('/')?.0;
        }
    }
}

#[cfg(test)]
mod tests;
