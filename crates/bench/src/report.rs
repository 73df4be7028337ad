//! The result of a run, for people and for programs.

use std::fmt::{self, Write as _};
use std::time::{Duration, Instant, SystemTime};

use hdrhistogram::Histogram;
use serde_json::{Map, Value, json};

use crate::distribution::Distribution;
use crate::latency::{self, Latency};
use crate::plan::Plan;
use crate::plot;
use crate::process::Usage;
use crate::tally::Tally;
use crate::timeline::Timeline;
use crate::units::{grouped, mebibytes, micros, per, ratio, rounded};
use crate::workload::Operation;

/// Everything that a run has found out.
#[derive(Debug)]
pub(crate) struct Report {
    plan: Plan,
    tally: Tally,
    elapsed: Duration,
    processes: Vec<Usage>,
    generator: Option<Usage>,
}

impl Report {
    pub(crate) fn new(
        plan: &Plan,
        tally: Tally,
        elapsed: Duration,
        processes: Vec<Usage>,
        generator: Option<Usage>,
    ) -> Report {
        Report {
            plan: plan.clone(),
            tally,
            elapsed,
            processes,
            generator,
        }
    }

    /// Replies that were not as they should be, and replies that did not come.
    pub(crate) fn failures(&self) -> u64 {
        self.tally.failures().values().sum()
    }

    fn per_second(&self, count: u64) -> f64 {
        ratio(count, self.elapsed.as_secs_f64())
    }

    /// The operations that occurred, with their histograms.
    fn operations(&self) -> impl Iterator<Item = (Operation, &Histogram<u64>)> {
        Operation::ALL
            .into_iter()
            .map(|operation| (operation, self.tally.latencies(operation)))
            .filter(|(_, latencies)| !latencies.is_empty())
    }

    /// A picture of latencies and throughput, as an SVG file.
    pub(crate) fn to_svg(&self) -> String {
        let operations: Vec<(&str, &Histogram<u64>)> = self
            .operations()
            .map(|(operation, latencies)| (operation.name(), latencies))
            .collect();
        plot::draw(&self.title(), &operations, self.tally.timeline())
    }

    /// Every measured operation by when it was due, as the lines of a table.
    pub(crate) fn to_trace(&self) -> String {
        let (now, wall) = (Instant::now(), SystemTime::now());
        let mut operations = self.tally.trace().to_vec();
        operations.sort_by_key(|traced| traced.due);
        let mut out = String::from("due_unix_us,latency_us,operation\n");
        for traced in operations {
            let due = wall - now.duration_since(traced.due);
            let since_epoch = due
                .duration_since(SystemTime::UNIX_EPOCH)
                .unwrap_or_default();
            let (due, latency) = (since_epoch.as_micros(), micros(traced.latency));
            let name = traced.operation.name();
            writeln!(out, "{due},{latency},{name}").expect("a String takes everything");
        }
        out
    }

    /// How the latencies of all operations are distributed, for people.
    pub(crate) fn distribution(&self) -> Option<Distribution> {
        Distribution::of(&self.tally.all_latencies())
    }

    fn title(&self) -> String {
        let plan = &self.plan;
        let pace = match plan.rate {
            Some(rate) => format!(", {rate} per second"),
            None => String::new(),
        };
        format!(
            "{} on {}: {} connections x {} in flight, {}-byte values{pace}",
            plan.workload.name, plan.servers, plan.connections, plan.in_flight, plan.value_size
        )
    }

    /// One object; times have their unit in their name.
    pub(crate) fn to_json(&self) -> Value {
        let plan = &self.plan;
        let all = self.tally.all_latencies();
        let weights: Map<String, Value> = Operation::ALL
            .into_iter()
            .map(|op| (op.name().to_owned(), plan.workload.mix.weight(op).into()))
            .collect();
        let by_operation: Map<String, Value> = self
            .operations()
            .map(|(operation, latencies)| (operation.name().to_owned(), self.counts(latencies)))
            .collect();
        let usage = |usage: &Usage| usage_json(usage, all.len(), self.elapsed);
        let mut report = json!({
            "workload": plan.workload.name,
            "weights": weights,
            "servers": plan.servers.to_string(),
            "connections": plan.connections,
            "in_flight": plan.in_flight,
            "threads": plan.threads,
            "value_bytes": plan.value_size,
            "keys": plan.keys,
            "own_keys": plan.own_keys,
            "children": plan.children,
            "batch": plan.batch,
            "filled": plan.filled,
            "rate_per_second": plan.rate,
            "seed": plan.seed,
            "warm_up_seconds": plan.warm_up.as_secs_f64(),
            "elapsed_seconds": self.elapsed.as_secs_f64(),
            "by_operation": by_operation,
            "distribution": self.distribution().as_ref().map(Distribution::to_json),
            "timeline": {
                "slot_seconds": Timeline::SLOT.as_secs_f64(),
                "operations": self.tally.timeline().slots(),
            },
            "unsent": self.tally.unsent(),
            "failures": { "total": self.failures(), "by_kind": self.tally.failures() },
            "processes": self.processes.iter().map(usage).collect::<Vec<_>>(),
            "generator": self.generator.as_ref().map(usage),
        });
        if let (Value::Object(report), Value::Object(totals)) = (&mut report, self.counts(&all)) {
            report.extend(totals);
        }
        report
    }

    fn counts(&self, latencies: &Histogram<u64>) -> Value {
        json!({
            "operations": latencies.len(),
            "operations_per_second": rounded(self.per_second(latencies.len())),
            "latency_us": Latency::of(latencies).map(|latency| latency.to_json()),
        })
    }

    fn write_operations(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f)?;
        latency::write_header(f, "operations")?;
        let kinds = self.operations().count();
        for (operation, latencies) in self.operations() {
            self.write_row(f, operation.name(), latencies)?;
        }
        if kinds != 1 {
            self.write_row(f, "all", &self.tally.all_latencies())?;
        }
        Ok(())
    }

    fn write_row(
        &self,
        f: &mut fmt::Formatter<'_>,
        name: &str,
        latencies: &Histogram<u64>,
    ) -> fmt::Result {
        latency::write_row(f, name, self.elapsed, latencies)
    }

    fn write_processes(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "\n{:12} {:>11} {:>11} {:>11} {:>11} {:>11}",
            "", "pid", "CPU per op", "CPU", "memory", "peak"
        )?;
        let operations = self.tally.all_latencies().len();
        for usage in self.processes.iter().chain(&self.generator) {
            let cpu = usage.cpu().as_secs_f64();
            let per_operation = per(cpu * 1e6, operations);
            let percent = 100.0 * cpu / self.elapsed.as_secs_f64().max(f64::MIN_POSITIVE);
            writeln!(
                f,
                "{:12} {:>11} {:>11} {:>11} {:>11} {:>11}",
                usage.name,
                usage.pid,
                format!("{per_operation:.1} µs"),
                format!("{percent:.0} %"),
                mebibytes(usage.memory_bytes),
                mebibytes(usage.memory_peak_bytes),
            )?;
        }
        Ok(())
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plan = &self.plan;
        writeln!(f, "{}", self.title())?;
        let (measured, warm_up) = (self.elapsed.as_secs_f64(), plan.warm_up.as_secs_f64());
        writeln!(
            f,
            "{measured:.1} s measured after {warm_up:.1} s of warm-up"
        )?;
        self.write_operations(f)?;
        self.write_processes(f)?;
        if let Some(rate) = plan.rate
            && self.tally.unsent() > 0
        {
            let (unsent, in_flight) = (grouped(self.tally.unsent()), plan.in_flight);
            writeln!(
                f,
                "\n{unsent} requests were due, at {rate} per second, and not sent: all connections had \
                 {in_flight} unanswered. Latencies are those of the others."
            )?;
        }
        writeln!(f, "\nfailures: {}", grouped(self.failures()))?;
        for (kind, count) in self.tally.failures() {
            writeln!(f, "  {:>11} {kind}", grouped(*count))?;
        }
        Ok(())
    }
}

pub(crate) fn usage_json(usage: &Usage, operations: u64, elapsed: Duration) -> Value {
    let cpu = usage.cpu().as_secs_f64();
    let cores = cpu / elapsed.as_secs_f64().max(f64::MIN_POSITIVE);
    json!({
        "name": usage.name,
        "pid": usage.pid,
        "cpu_user_seconds": usage.user.as_secs_f64(),
        "cpu_system_seconds": usage.system.as_secs_f64(),
        "cpu_cores": rounded(cores),
        "cpu_us_per_operation": rounded(per(cpu * 1e6, operations)),
        "memory_bytes": usage.memory_bytes,
        "memory_peak_bytes": usage.memory_peak_bytes,
    })
}

#[cfg(test)]
mod tests;
