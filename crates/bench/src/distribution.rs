//! How latencies are distributed: percentiles, and a histogram that people can read.

use std::fmt;
use std::time::Duration;

use hdrhistogram::Histogram;
use serde_json::{Value, json};

use crate::units::{for_people, grouped, micros, to_f64};

/// A recording that takes any latency, in nanoseconds: from a microsecond, below which no network
/// answers, to an hour, to three digits.
pub(crate) fn empty_histogram() -> Histogram<u64> {
    const LOW_NS: u64 = 1_000;
    const HIGH_NS: u64 = 3_600_000_000_000;
    const DIGITS: u8 = 3;
    Histogram::new_with_bounds(LOW_NS, HIGH_NS, DIGITS).expect("the bounds are constants")
}

/// What has been recorded, in few numbers. Never empty.
#[derive(Clone, Debug)]
pub(crate) struct Distribution {
    count: u64,
    percentiles: Vec<(f64, Duration)>,
    buckets: Vec<Bucket>,
}

/// Latencies up to a bound, and above that of the bucket before.
#[derive(Clone, Copy, Debug)]
struct Bucket {
    up_to: Duration,
    count: u64,
}

/// As far as a run of minutes has operations for.
const PERCENTILES: [f64; 12] = [
    0.0, 10.0, 25.0, 50.0, 75.0, 90.0, 95.0, 99.0, 99.9, 99.99, 99.999, 100.0,
];

const BAR_WIDTH: u64 = 50;

impl Distribution {
    /// `None` when nothing has been recorded.
    pub(crate) fn of(nanos: &Histogram<u64>) -> Option<Distribution> {
        if nanos.is_empty() {
            return None;
        }
        let at = |percentile| Duration::from_nanos(nanos.value_at_percentile(percentile));
        Some(Distribution {
            count: nanos.len(),
            percentiles: PERCENTILES
                .into_iter()
                .map(|percentile| (percentile, at(percentile)))
                .collect(),
            buckets: buckets(nanos),
        })
    }

    pub(crate) fn to_json(&self) -> Value {
        let percentiles: Vec<Value> = self
            .percentiles
            .iter()
            .map(|(percentile, time)| json!([percentile, micros(*time)]))
            .collect();
        let buckets: Vec<Value> = self
            .buckets
            .iter()
            .map(|bucket| json!([micros(bucket.up_to), bucket.count]))
            .collect();
        json!({ "percentiles_us": percentiles, "buckets_up_to_us": buckets })
    }
}

/// Bounds of 1, 2, 5, 10, … microseconds, from the first bucket that is not empty to the last.
fn buckets(nanos: &Histogram<u64>) -> Vec<Bucket> {
    let bounds = (3..=12).flat_map(|power| [1, 2, 5].map(|digit| digit * 10_u64.pow(power)));
    let mut buckets: Vec<Bucket> = bounds
        .map(|nanos| Bucket {
            up_to: Duration::from_nanos(nanos),
            count: 0,
        })
        .collect();
    for step in nanos.iter_recorded() {
        // The histogram's own buckets are ranges; this one's begins within the bound.
        let value = Duration::from_nanos(nanos.lowest_equivalent(step.value_iterated_to()));
        let at = buckets.partition_point(|bucket| bucket.up_to < value);
        buckets[at].count += step.count_at_value();
    }
    let is_used = |bucket: &Bucket| bucket.count > 0;
    let end = buckets.iter().rposition(is_used).map_or(0, |last| last + 1);
    buckets.truncate(end);
    let start = buckets.iter().position(is_used).unwrap_or(0);
    buckets.split_off(start)
}

impl fmt::Display for Distribution {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (percentile, time) in &self.percentiles {
            writeln!(f, "{percentile:>11} % {:>11}", for_people(*time))?;
        }
        writeln!(f)?;
        let largest = self.buckets.iter().map(|bucket| bucket.count).max();
        let largest = largest.unwrap_or(0).max(1);
        for bucket in &self.buckets {
            let share = 100.0 * to_f64(bucket.count) / to_f64(self.count);
            let length = (bucket.count * BAR_WIDTH).div_ceil(largest);
            let bar = "█".repeat(usize::try_from(length).unwrap_or(0));
            let line = format!(
                "<={:>11} {:>11} {share:>6.2} % {bar}",
                for_people(bucket.up_to),
                grouped(bucket.count)
            );
            writeln!(f, "{}", line.trim_end())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
