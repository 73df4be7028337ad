//! What one worker has counted.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use zooid_proto::{DecodeError, ErrorCode};

use crate::distribution::empty_histogram;
use crate::timeline::Timeline;
use crate::workload::Operation;

/// Latencies and failures of measured operations.
#[derive(Debug)]
pub(crate) struct Tally {
    /// By [`Operation::index`], in nanoseconds.
    latencies: [Histogram<u64>; Operation::ALL.len()],
    failures: BTreeMap<String, u64>,
    timeline: Timeline,
    /// Every latency, if that is wanted.
    trace: Option<Vec<Traced>>,
    /// When the last measured operation was complete.
    last_completed: Option<Instant>,
    /// Requests that an open loop should have sent and could not.
    unsent: u64,
    /// Completed operations of all workers, warm-up included, for people who watch.
    progress: Arc<AtomicU64>,
}

/// One measured operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Traced {
    pub(crate) operation: Operation,
    pub(crate) due: Instant,
    pub(crate) latency: Duration,
}

/// Something that must not happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    /// An error code, though the operation must succeed.
    Code(Operation, ErrorCode),
    /// A reply of another length or count than the nodes have.
    WrongBody(Operation),
    /// A reply to another request than the oldest unanswered one.
    OutOfOrder,
    /// A packet that is none.
    Malformed(DecodeError),
    /// A packet of impossible length.
    BadFrame,
    /// The server has closed the connection, or the network has.
    ConnectionLost,
    /// A request on a lost connection, or one that waited too long.
    Unanswered,
    /// A watched process has ended.
    ProcessGone,
}

impl Tally {
    pub(crate) fn new(measure_from: Instant, is_traced: bool, progress: Arc<AtomicU64>) -> Tally {
        Tally {
            latencies: std::array::from_fn(|_| empty_histogram()),
            failures: BTreeMap::new(),
            timeline: Timeline::new(measure_from),
            trace: is_traced.then(Vec::new),
            last_completed: None,
            unsent: 0,
            progress,
        }
    }

    pub(crate) fn succeed(&mut self, operation: Operation, due: Instant, now: Instant) {
        let latency = now.duration_since(due);
        let nanos = u64::try_from(latency.as_nanos()).unwrap_or(u64::MAX);
        self.latencies[operation.index()].saturating_record(nanos);
        self.timeline.count(now);
        if let Some(trace) = &mut self.trace {
            trace.push(Traced {
                operation,
                due,
                latency,
            });
        }
        self.last_completed = Some(now);
        self.progress.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts an operation that is not measured.
    pub(crate) fn warm_up(&mut self) {
        self.progress.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn fail(&mut self, failure: Failure) {
        self.fail_many(failure, 1);
    }

    pub(crate) fn fail_many(&mut self, failure: Failure, count: usize) {
        if count > 0 {
            let count = u64::try_from(count).expect("a count of requests fits 64 bits");
            *self.failures.entry(failure.to_string()).or_default() += count;
        }
    }

    pub(crate) fn leave_unsent(&mut self, count: u64) {
        self.unsent = self.unsent.saturating_add(count);
    }

    /// Adds what another worker of the same run has counted.
    pub(crate) fn merge(&mut self, other: &Tally) {
        for (mine, theirs) in self.latencies.iter_mut().zip(&other.latencies) {
            mine.add(theirs)
                .expect("all histograms have the same bounds");
        }
        for (failure, count) in &other.failures {
            *self.failures.entry(failure.clone()).or_default() += count;
        }
        self.timeline.merge(&other.timeline);
        if let (Some(mine), Some(theirs)) = (&mut self.trace, &other.trace) {
            mine.extend_from_slice(theirs);
        }
        self.last_completed = self.last_completed.max(other.last_completed);
        self.leave_unsent(other.unsent);
    }

    /// Latencies of one operation, in nanoseconds.
    pub(crate) fn latencies(&self, operation: Operation) -> &Histogram<u64> {
        &self.latencies[operation.index()]
    }

    /// Latencies of all operations, in nanoseconds.
    pub(crate) fn all_latencies(&self) -> Histogram<u64> {
        let mut all = empty_histogram();
        for latencies in &self.latencies {
            all.add(latencies)
                .expect("all histograms have the same bounds");
        }
        all
    }

    /// Failures by kind, warm-up included.
    pub(crate) fn failures(&self) -> &BTreeMap<String, u64> {
        &self.failures
    }

    pub(crate) fn timeline(&self) -> &Timeline {
        &self.timeline
    }

    /// Every measured operation, if that was wanted, in no particular order.
    pub(crate) fn trace(&self) -> &[Traced] {
        self.trace.as_deref().unwrap_or_default()
    }

    pub(crate) fn unsent(&self) -> u64 {
        self.unsent
    }

    pub(crate) fn last_completed(&self) -> Option<Instant> {
        self.last_completed
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::Code(operation, code) => write!(f, "{}: {code}", operation.name()),
            Failure::WrongBody(operation) => write!(f, "{}: unexpected reply", operation.name()),
            Failure::OutOfOrder => f.write_str("reply out of order"),
            Failure::Malformed(_) => f.write_str("malformed reply"),
            Failure::BadFrame => f.write_str("malformed frame"),
            Failure::ConnectionLost => f.write_str("connection lost"),
            Failure::Unanswered => f.write_str("no reply"),
            Failure::ProcessGone => f.write_str("watched process gone"),
        }
    }
}
