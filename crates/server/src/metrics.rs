//! Every number that an operator can ask for, by ZooKeeper's names (spec §8.4; Java
//! `ServerMetrics`, `ZooKeeperServer.registerMetrics`).
//!
//! [`METRICS`] is the one table: a row is a name, what it means and where its value comes from.
//! [`Readings`] is everything that the rows read, taken at one time. Whoever shows metrics, walks
//! the table over the readings; `mntr` is [`visit`] with a prefix.
//!
//! Some of Java's metrics measure what this server does not have. A metric of something that could
//! happen but has not, such as an election, is zero, as in Java. A metric of a stage that does not
//! exist here would be a lie as a zero: those are left out, as `docs/divergences.md` lists.

mod distribution;
mod number;
mod process;
mod quotas;
mod readings;
mod reference;
mod table;
#[cfg(test)]
pub(crate) mod testing;

pub(crate) use distribution::Distribution;
pub(crate) use number::Number;
pub(crate) use readings::Readings;
pub use reference::metrics_reference_page;
pub(crate) use table::METRICS;

use crate::stats::{Counters, Summaries};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use zooid_node::Tally;

/// One row of the table.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Metric {
    /// Java's name, without the `zk_` of `mntr`.
    pub(crate) name: &'static str,
    /// One sentence for people.
    pub(crate) doc: &'static str,
    pub(crate) source: Source,
}

/// What kind a metric is of, and where its value comes from.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Source {
    /// A state.
    Gauge(fn(&Readings<'_>) -> Number),
    /// A state that not every server has.
    Optional(fn(&Readings<'_>) -> Option<Number>),
    /// A state per top-level node ("namespace").
    GaugeSet(fn(&Readings<'_>) -> BTreeMap<String, i64>),
    /// Goes up, until `srst`.
    Counter(fn(&Counters) -> &AtomicU64),
    /// The same per top-level node.
    CounterSet(fn(&Summaries) -> &BTreeMap<String, i64>),
    /// Average, least, greatest, count and sum (Java's detail level `BASIC`).
    Basic(fn(&Summaries) -> &Tally),
    /// The same and quantiles (Java's detail level `ADVANCED`).
    Advanced(fn(&Summaries) -> &Distribution),
    /// Nothing of the kind happens in this server.
    ZeroCounter,
    /// Likewise.
    ZeroBasic,
    /// Likewise.
    ZeroAdvanced,
}

/// The quantiles of a summary: prefix of the name, share of the values.
const QUANTILES: [(&str, f64); 4] = [("p50", 0.5), ("p95", 0.95), ("p99", 0.99), ("p999", 0.999)];

/// Every metric's name and value, a summary's one by one, in the table's order
/// (Java `DefaultMetricsProvider.dump`).
pub(crate) fn visit(readings: &Readings<'_>, show: &mut dyn FnMut(&str, Number)) {
    for Metric { name, source, .. } in METRICS {
        match source {
            Source::Gauge(value) => show(name, value(readings)),
            Source::Optional(value) => {
                if let Some(value) = value(readings) {
                    show(name, value);
                }
            }
            Source::GaugeSet(values) => {
                for (namespace, value) in values(readings) {
                    show(&format!("{namespace}_{name}"), Number::Integer(value));
                }
            }
            Source::CounterSet(counters) => {
                for (namespace, value) in counters(&readings.summaries) {
                    show(&format!("{namespace}_{name}"), Number::Integer(*value));
                }
            }
            Source::Counter(counter) => {
                let value = counter(&readings.stats.counters).load(Ordering::Relaxed);
                show(name, Number::of_u64(value));
            }
            Source::Basic(tally) => visit_tally(name, tally(&readings.summaries), show),
            Source::Advanced(distribution) => {
                let distribution = distribution(&readings.summaries);
                visit_tally(name, distribution.tally(), show);
                visit_quantiles(name, |share| distribution.quantile(share), show);
            }
            Source::ZeroCounter => show(name, Number::Integer(0)),
            Source::ZeroBasic => visit_tally(name, &Tally::default(), show),
            Source::ZeroAdvanced => {
                visit_tally(name, &Tally::default(), show);
                visit_quantiles(name, |_| 0, show);
            }
        }
    }
}

fn visit_tally(name: &str, tally: &Tally, show: &mut dyn FnMut(&str, Number)) {
    show(&format!("avg_{name}"), Number::mean(tally.sum, tally.count));
    show(&format!("min_{name}"), Number::Integer(tally.min));
    show(&format!("max_{name}"), Number::Integer(tally.max));
    show(&format!("cnt_{name}"), Number::of_u64(tally.count));
    show(&format!("sum_{name}"), Number::Integer(tally.sum));
}

fn visit_quantiles(name: &str, quantile: impl Fn(f64) -> i64, show: &mut dyn FnMut(&str, Number)) {
    for (prefix, share) in QUANTILES {
        show(
            &format!("{prefix}_{name}"),
            Number::Integer(quantile(share)),
        );
    }
}

#[cfg(test)]
mod tests;
