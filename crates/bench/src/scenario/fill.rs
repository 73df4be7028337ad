//! Filling a server with nodes that stay, for runs with `--filled` and for what a large tree costs.

use std::collections::BTreeMap;
use std::time::Instant;

use serde_json::json;

use crate::distribution::empty_histogram;
use crate::keys::Keys;
use crate::nodes::{Batch, create_keys, ensure_path};
use crate::plan::{PlanError, all_positive, check_keys, check_path, check_timeout};
use crate::progress::Progress;
use crate::scenario::{Findings, Memory, Phase, Target, settled_memory};
use crate::session::Session;
use crate::units::grouped;
use bytes::Bytes;

#[derive(Clone, Debug)]
pub(crate) struct FillPlan {
    pub(crate) target: Target,
    /// Below which path.
    pub(crate) at: String,
    /// How many are to be there in the end.
    pub(crate) keys: usize,
    /// How many are there already.
    pub(crate) existing: usize,
    pub(crate) value_size: usize,
}

/// Keys whose creation is timed together.
const STEP: usize = 10_000;

impl FillPlan {
    pub(crate) fn checked(self) -> Result<FillPlan, PlanError> {
        all_positive(&[("--keys", self.keys)])?;
        check_keys(self.keys, self.value_size)?;
        check_path("--filled", &self.at)?;
        check_timeout(self.target.session_timeout)?;
        Ok(self)
    }

    /// Creates the keys by multis, several of which are under way.
    pub(crate) fn run(&self) -> anyhow::Result<Findings> {
        let target = &self.target;
        let at = format!("{}{}", target.servers.chroot, self.at);
        let keys = Keys::below(at, self.keys);
        let value = Bytes::from(vec![b'v'; self.value_size]);
        let mut session = Session::open(&target.servers, target.session_timeout)?;
        let before = settled_memory(&target.watched)?;
        let started = Instant::now();
        ensure_path(&mut session, keys.directory())?;
        let mut batch = Batch::new(&mut session);
        for directory in keys.directories_without(self.existing) {
            batch.create(&directory, &Bytes::new())?;
        }
        let mut nanos = empty_histogram();
        for first in (self.existing..self.keys).step_by(STEP) {
            let step_started = Instant::now();
            let end = self.keys.min(first + STEP);
            create_keys(&mut batch, &keys, first..end, &value)?;
            let took = u64::try_from(step_started.elapsed().as_nanos()).unwrap_or(u64::MAX);
            nanos.saturating_record(took);
            Progress::step(&format!("{} nodes created", grouped_count(end)));
        }
        batch.finish()?;
        let elapsed = started.elapsed();
        Progress::clear();
        let after = settled_memory(&target.watched)?;
        Session::close_many(vec![session]);

        let count = to_u64(self.keys - self.existing.min(self.keys));
        let payload_bytes = count * to_u64(Keys::NAME_BYTES + self.value_size);
        Ok(Findings {
            scenario: "fill",
            title: format!(
                "{} nodes of {} bytes at {} on {}, in steps of {}",
                grouped(count),
                self.value_size,
                self.at,
                target.servers,
                grouped_count(STEP)
            ),
            settings: json!({
                "servers": target.servers.to_string(),
                "filled": self.at,
                "keys": self.keys,
                "existing": self.existing,
                "value_bytes": self.value_size,
                "name_bytes": Keys::NAME_BYTES,
            }),
            phases: vec![Phase {
                name: "fill",
                elapsed,
                amount: Some(count),
                nanos,
            }],
            memory: Some(Memory::grown(
                &target.watched,
                &before,
                &after,
                "node",
                count,
                payload_bytes,
            )),
            failures: BTreeMap::new(),
        })
    }
}

fn grouped_count(count: usize) -> String {
    grouped(to_u64(count))
}

fn to_u64(count: usize) -> u64 {
    u64::try_from(count).expect("a count fits 64 bits")
}
