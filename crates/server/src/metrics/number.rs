//! Numbers as Java writes them.

use std::fmt;

/// A metric's value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Number {
    /// A `long`.
    Integer(i64),
    /// A `double`.
    Double(f64),
}

impl Number {
    pub(crate) fn of_u64(value: u64) -> Number {
        Number::Integer(i64::try_from(value).unwrap_or(i64::MAX))
    }

    pub(crate) fn of_usize(value: usize) -> Number {
        Number::Integer(i64::try_from(value).unwrap_or(i64::MAX))
    }

    /// The mean of what is never negative, rounded half up to four decimals; 0 of none
    /// (Java `AvgMinMaxCounter.getAvg`).
    pub(crate) fn mean(sum: i64, count: u64) -> Number {
        const SCALE: i128 = 10_000;
        if count == 0 {
            return Number::Double(0.0);
        }
        let twice_count = 2 * i128::from(count);
        let rounded = (2 * SCALE * i128::from(sum.max(0)) + i128::from(count)) / twice_count;
        let whole = i64::try_from(rounded / SCALE).unwrap_or(i64::MAX);
        let fraction = (rounded % SCALE).unsigned_abs();
        // The nearest double to a decimal is what parsing it gives.
        let decimal = format!("{whole}.{fraction:04}");
        Number::Double(decimal.parse().expect("digits and a point make a number"))
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Number::Integer(value) => value.fmt(f),
            Number::Double(value) => java_double(*value, f),
        }
    }
}

/// Java `Double.toString`: always a point, and an exponent outside of 10^-3 to 10^7.
fn java_double(value: f64, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    if value == 0.0 || (1e-3..1e7).contains(&value.abs()) {
        return write!(f, "{value:?}");
    }
    let scientific = format!("{value:E}");
    match scientific.split_once('E') {
        Some((mantissa, exponent)) if !mantissa.contains('.') => {
            write!(f, "{mantissa}.0E{exponent}")
        }
        _ => f.write_str(&scientific),
    }
}

#[cfg(test)]
mod tests;
