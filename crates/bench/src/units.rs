//! Numbers as people and programs read them.

use std::time::Duration;

/// `1234567` as `1,234,567`.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

pub(crate) fn for_people(time: Duration) -> String {
    let micros = time.as_secs_f64() * 1e6;
    match micros {
        0.0..1e3 => format!("{micros:.0} µs"),
        1e3..1e4 => format!("{:.2} ms", micros / 1e3),
        1e4..1e6 => format!("{:.1} ms", micros / 1e3),
        _ => format!("{:.2} s", micros / 1e6),
    }
}

pub(crate) fn mebibytes(bytes: u64) -> String {
    format!("{} MiB", grouped((bytes + (1 << 19)) >> 20))
}

/// A time in microseconds, for programs.
pub(crate) fn micros(time: Duration) -> f64 {
    rounded(time.as_secs_f64() * 1e6)
}

/// Three decimals: as much as the clock ticks of `/proc` and the histogram are good for.
pub(crate) fn rounded(number: f64) -> f64 {
    (number * 1e3).round() / 1e3
}

pub(crate) fn ratio(count: u64, seconds: f64) -> f64 {
    if seconds > 0.0 {
        to_f64(count) / seconds
    } else {
        0.0
    }
}

pub(crate) fn per(amount: f64, count: u64) -> f64 {
    if count > 0 {
        amount / to_f64(count)
    } else {
        0.0
    }
}

/// Exact up to 2^53, more than any run reaches.
pub(crate) fn to_f64(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests;
