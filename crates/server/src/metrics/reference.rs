//! `docs/metrics.md`, made from the table of metrics.

use super::{METRICS, Metric, Source};
use std::fmt::Write as _;

/// The whole page.
#[must_use]
pub fn metrics_reference_page() -> String {
    let mut page = PREFACE.to_owned();
    for Metric { name, doc, source } in METRICS {
        // Writing to a string cannot fail.
        let _ = writeln!(page, "| `{name}` | {} | {doc} |", kind(source));
    }
    page
}

fn kind(source: &Source) -> &'static str {
    match source {
        Source::Gauge(_) => "gauge",
        Source::Optional(_) => "gauge (ensemble)",
        Source::GaugeSet(_) => "gauge set",
        Source::Counter(_) => "counter",
        Source::CounterSet(_) => "counter set",
        Source::Basic(_) => "summary",
        Source::Advanced(_) => "quantiles",
        Source::ZeroCounter => "counter (0)",
        Source::ZeroBasic => "summary (0)",
        Source::ZeroAdvanced => "quantiles (0)",
    }
}

const PREFACE: &str = "\
<!-- Made from the table of metrics in crates/server. Refresh: UPDATE_EXPECT=1 cargo test -p zooid-server -->
# Metrics

Names and meanings are ZooKeeper's; [divergences.md](divergences.md) lists what is left out and what is counted in another way.
`mntr` prints a line per number: `zk_`, the name, a tab, the value.

- A *gauge* is a state; a *gauge set* is one per top-level node, `<node>_<name>`.
- A *counter* goes up, until `srst`.
- A *summary* is five numbers: `avg_<name>`, `min_`, `max_`, `cnt_` and `sum_`.
- *Quantiles* are a summary with `p50_`, `p95_`, `p99_` and `p999_` as well.
- *(0)*: nothing of the kind happens in this version; the metric is there for those who look for it.

| Metric | Kind | Meaning |
|---|---|---|
";

#[cfg(test)]
mod tests;
