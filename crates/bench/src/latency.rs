//! Latencies in few numbers.

use std::fmt;
use std::time::Duration;

use hdrhistogram::Histogram;
use serde_json::{Value, json};

use crate::units::{for_people, grouped, micros, ratio};

/// Latencies of one kind of operation, or of one step of a scenario.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Latency {
    pub(crate) min: Duration,
    pub(crate) mean: Duration,
    pub(crate) p50: Duration,
    pub(crate) p90: Duration,
    pub(crate) p99: Duration,
    pub(crate) p999: Duration,
    pub(crate) max: Duration,
}

impl Latency {
    /// `None` when there is nothing to measure.
    pub(crate) fn of(nanos: &Histogram<u64>) -> Option<Latency> {
        if nanos.is_empty() {
            return None;
        }
        let at = |quantile| Duration::from_nanos(nanos.value_at_quantile(quantile));
        Some(Latency {
            min: Duration::from_nanos(nanos.min()),
            mean: Duration::from_secs_f64(nanos.mean() / 1e9),
            p50: at(0.5),
            p90: at(0.9),
            p99: at(0.99),
            p999: at(0.999),
            max: Duration::from_nanos(nanos.max()),
        })
    }

    pub(crate) fn to_json(self) -> Value {
        json!({
            "min": micros(self.min),
            "mean": micros(self.mean),
            "p50": micros(self.p50),
            "p90": micros(self.p90),
            "p99": micros(self.p99),
            "p999": micros(self.p999),
            "max": micros(self.max),
        })
    }
}

/// The columns of [`write_row`].
pub(crate) fn write_header(f: &mut fmt::Formatter<'_>, counted: &str) -> fmt::Result {
    write!(f, "{:12}", "")?;
    for column in [counted, "per second", "p50", "p90", "p99", "p99.9", "max"] {
        write!(f, " {column:>11}")?;
    }
    writeln!(f)
}

/// A row of a table for people.
pub(crate) fn write_row(
    f: &mut fmt::Formatter<'_>,
    name: &str,
    elapsed: Duration,
    nanos: &Histogram<u64>,
) -> fmt::Result {
    let count = nanos.len();
    let per_second = ratio(count, elapsed.as_secs_f64());
    let per_second = if per_second < 1000.0 {
        format!("{per_second:.1}")
    } else {
        grouped(Duration::from_secs_f64(per_second).as_secs())
    };
    write!(f, "{name:12} {:>11} {per_second:>11}", grouped(count))?;
    if let Some(latency) = Latency::of(nanos) {
        let Latency {
            p50,
            p90,
            p99,
            p999,
            max,
            ..
        } = latency;
        for time in [p50, p90, p99, p999, max] {
            write!(f, " {:>11}", for_people(time))?;
        }
    }
    writeln!(f)
}
