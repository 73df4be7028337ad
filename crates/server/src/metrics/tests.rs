use super::*;
use std::collections::BTreeSet;

/// Java's groups, in the order of `DefaultMetricsProvider.dump`.
fn group(source: &Source) -> u8 {
    match source {
        Source::Gauge(_) | Source::Optional(_) => 0,
        Source::GaugeSet(_) => 1,
        Source::Counter(_) | Source::ZeroCounter => 2,
        Source::CounterSet(_) => 3,
        Source::Basic(_) | Source::ZeroBasic => 4,
        Source::Advanced(_) | Source::ZeroAdvanced => 5,
    }
}

#[test]
fn the_table_is_in_java_s_order() {
    assert!(METRICS.is_sorted_by_key(|metric| group(&metric.source)));
}

#[test]
fn names_are_unique_and_none_is_both_shown_and_left_out() {
    let shown = METRICS.iter().map(|metric| metric.name);
    let all: Vec<&str> = shown.chain(left_out()).collect();
    let distinct: BTreeSet<&str> = all.iter().copied().collect();
    assert_eq!(all.len(), distinct.len());
    let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    assert!(all.iter().all(|name| name.chars().all(is_plain)));
}

/// The names that the list of divergences says are left out.
fn left_out() -> impl Iterator<Item = &'static str> {
    const ROW: &str = "| `mntr` leaves out ";
    let page = include_str!("../../../../docs/divergences.md");
    let rows: Vec<&str> = page
        .lines()
        .filter_map(|line| line.strip_prefix(ROW))
        .collect();
    assert!(!rows.is_empty());
    rows.into_iter().flat_map(|row| {
        let difference = row.split('|').next().unwrap_or_default();
        difference.split('`').skip(1).step_by(2)
    })
}

#[test]
fn every_metric_says_what_it_is() {
    for metric in METRICS {
        assert!(!metric.doc.is_empty(), "{}", metric.name);
        assert!(!metric.doc.ends_with('.'), "{}", metric.name);
    }
}
