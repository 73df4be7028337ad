//! `srvr` and `stat` (Java `StatCommand`, `ServerStats.toString`).

use super::connections::{ConnectionReport, brief_lines};
use crate::metrics::{Number, Readings};
use std::fmt::Write as _;
use std::sync::atomic::Ordering;

/// `stat` when there are clients to list, else `srvr`.
pub(crate) fn text(
    version: &str,
    clients: Option<&[ConnectionReport]>,
    readings: &Readings<'_>,
) -> String {
    let mut text = format!("Zookeeper version: {version}\n");
    if readings.server_state() == "read-only" {
        text.push_str("READ-ONLY mode; serving only read-only clients\n");
    }
    if let Some(clients) = clients {
        let _ = write!(text, "Clients:\n{}\n", brief_lines(clients));
    }
    let latency = readings.summaries.latency();
    let average = Number::mean(latency.sum, latency.count);
    let counters = &readings.stats.counters;
    let _ = write!(
        text,
        "Latency min/avg/max: {}/{average}/{}\n\
         Received: {}\n\
         Sent: {}\n\
         Connections: {}\n\
         Outstanding: {}\n\
         Zxid: {}\n\
         Mode: {}\n\
         Node count: {}\n",
        latency.min,
        latency.max,
        counters.packets_received.load(Ordering::Relaxed),
        counters.packets_sent.load(Ordering::Relaxed),
        readings.connections,
        readings.outstanding,
        readings.database.last_zxid,
        readings.server_state(),
        readings.database.nodes,
    );
    if let Some([last, min, max]) = readings.proposal_bytes() {
        let _ = writeln!(text, "Proposal sizes last/min/max: {last}/{min}/{max}");
    }
    text
}

#[cfg(test)]
mod tests;
