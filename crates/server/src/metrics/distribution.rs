//! Measurements of which not only the average counts.

use hdrhistogram::Histogram;
use zooid_node::Tally;

/// The longest time that is told from longer ones: an hour, in milliseconds.
const VALUE_MAX: u64 = 3_600_000;
/// Values up to 2000 are exact, larger ones to one part in a thousand.
const SIGNIFICANT_DIGITS: u8 = 3;

/// A tally with quantiles (Java `AvgMinMaxPercentileCounter`, which samples at random where this
/// counts everything).
#[derive(Clone, Debug)]
pub(crate) struct Distribution {
    tally: Tally,
    values: Histogram<u64>,
}

impl Distribution {
    pub(crate) fn new() -> Distribution {
        let values = Histogram::new_with_bounds(1, VALUE_MAX, SIGNIFICANT_DIGITS)
            .expect("the bounds are constant and in order");
        Distribution {
            tally: Tally::default(),
            values,
        }
    }

    pub(crate) fn add(&mut self, value: i64) {
        self.tally.add(value);
        self.record(value, 1);
    }

    /// Adds one connection's share of a batch, of which only the tally was kept: the extremes as
    /// they were, everything between them at its mean. What is measured together is close together,
    /// so little is lost, and the connection's hot path stays free of histograms.
    pub(crate) fn merge(&mut self, batch: &Tally) {
        self.tally.merge(batch);
        match batch.count {
            0 => {}
            1 => self.record(batch.sum, 1),
            2 => {
                self.record(batch.min, 1);
                self.record(batch.max, 1);
            }
            count => {
                let between = count - 2;
                let sum = batch.sum - batch.min - batch.max;
                let mean = sum / i64::try_from(between).unwrap_or(i64::MAX);
                self.record(batch.min, 1);
                self.record(mean, between);
                self.record(batch.max, 1);
            }
        }
    }

    fn record(&mut self, value: i64, count: u64) {
        let value = u64::try_from(value).unwrap_or(0).min(VALUE_MAX);
        self.values.saturating_record_n(value, count);
    }

    pub(crate) fn tally(&self) -> &Tally {
        &self.tally
    }

    /// The least value that at least this share of all values do not exceed; 0 of none.
    pub(crate) fn quantile(&self, share: f64) -> i64 {
        i64::try_from(self.values.value_at_quantile(share)).unwrap_or(i64::MAX)
    }
}

#[cfg(test)]
mod tests;
