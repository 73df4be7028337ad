//! Values as Java reads them: which texts are a number, a boolean, an interval.

/// The bounds of a number, and what to do outside them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Range {
    pub(crate) min: i64,
    pub(crate) max: i64,
    /// A smaller value is raised to `min` with a warning, as ZooKeeper does, instead of refused.
    pub(crate) raises: bool,
}

impl Range {
    pub(crate) const ANY: Range = Range {
        min: i64::MIN,
        max: i64::MAX,
        raises: false,
    };
    pub(crate) const NATURAL: Range = Range {
        min: 0,
        max: i64::MAX,
        raises: false,
    };
    pub(crate) const POSITIVE: Range = Range {
        min: 1,
        max: i64::MAX,
        raises: false,
    };
    pub(crate) const PORT: Range = Range {
        min: 0,
        max: 65535,
        raises: false,
    };

    pub(crate) const fn between(min: i64, max: i64) -> Range {
        Range {
            min,
            max,
            raises: false,
        }
    }

    pub(crate) const fn raised_to(min: i64) -> Range {
        Range {
            min,
            max: i64::MAX,
            raises: true,
        }
    }

    /// This range within the width of the number that holds it.
    pub(crate) fn within(self, width_min: i64, width_max: i64) -> Range {
        Range {
            min: self.min.max(width_min),
            max: self.max.min(width_max),
            raises: self.raises,
        }
    }

    pub(crate) fn allowed(self) -> String {
        let (min, max) = (self.min, self.max);
        if self.raises {
            format!("a whole number, at least {min}")
        } else {
            whole(min, max)
        }
    }
}

fn whole(min: i64, max: i64) -> String {
    let unbounded_above = max == i64::from(i32::MAX) || max == i64::MAX;
    let unbounded_below = min == i64::from(i32::MIN) || min == i64::MIN;
    match (unbounded_below, unbounded_above) {
        _ if min == max => min.to_string(),
        (true, true) => format!("a whole number (at most {max})"),
        (false, true) => format!("a whole number from {min} up (at most {max})"),
        _ => format!("a whole number from {min} to {max}"),
    }
}

/// What a number's text came to.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Number {
    Fits(i64),
    Raised(i64),
    Refused,
}

/// `Integer.parseInt`/`Long.parseLong`: decimal only.
pub(crate) fn decimal(text: &str, range: Range) -> Number {
    fit(text.parse().ok(), range)
}

/// `Integer.getInteger`/`Long.getLong`, which go through `decode`: `0x9fffff`, `#9fffff` and octal
/// `017` are numbers too. Hexadecimal `jute.maxbuffer` flags are common in the field.
pub(crate) fn decoded(text: &str, range: Range) -> Number {
    fit(decode(text), range)
}

fn decode(text: &str) -> Option<i64> {
    let (negative, digits) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    let prefixed = ["0x", "0X", "#"]
        .iter()
        .find_map(|prefix| digits.strip_prefix(prefix));
    let (digits, radix) = match (prefixed, digits.strip_prefix('0')) {
        (Some(hexadecimal), _) => (hexadecimal, 16),
        (None, Some(octal)) if !octal.is_empty() => (octal, 8),
        (None, _) => (digits, 10),
    };
    if digits.starts_with(['-', '+']) {
        return None;
    }
    let sign = if negative { "-" } else { "" };
    i64::from_str_radix(&format!("{sign}{digits}"), radix).ok()
}

fn fit(value: Option<i64>, range: Range) -> Number {
    match value {
        Some(value) if range.raises && value < range.min => Number::Raised(range.min),
        Some(value) if (range.min..=range.max).contains(&value) => Number::Fits(value),
        _ => Number::Refused,
    }
}

/// `QuorumPeerConfig.parseBoolean`.
pub(crate) fn strict_bool(text: &str) -> Option<bool> {
    if text.eq_ignore_ascii_case("true") {
        Some(true)
    } else if text.eq_ignore_ascii_case("false") {
        Some(false)
    } else {
        None
    }
}

/// `autopurge.purgeInterval`: bare numbers are hours, `ms s m h d` are units. In milliseconds.
pub(crate) fn purge_interval_ms(text: &str) -> Option<i32> {
    let digits_len = text
        .find(|c: char| !c.is_ascii_digit() && c != '-')
        .unwrap_or(text.len());
    let (digits, unit) = text.split_at(digits_len);
    let unit_ms = match unit {
        "ms" | "MS" => 1,
        "s" | "S" => 1000,
        "m" | "M" => 60 * 1000,
        "" | "h" | "H" => 60 * 60 * 1000,
        "d" | "D" => 24 * 60 * 60 * 1000,
        _ => return None,
    };
    digits.parse::<i32>().ok()?.checked_mul(unit_ms)
}

#[cfg(test)]
mod tests;
