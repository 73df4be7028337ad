//! The result of a run, for people and for programs.

use std::fmt;
use std::time::Duration;

use hdrhistogram::Histogram;
use serde_json::{Map, Value, json};

use crate::plan::Plan;
use crate::process::Usage;
use crate::tally::Tally;
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

/// Latencies of one kind of operation.
#[derive(Clone, Copy, Debug)]
struct Latency {
    min: Duration,
    mean: Duration,
    p50: Duration,
    p90: Duration,
    p99: Duration,
    p999: Duration,
    max: Duration,
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
            "rate_per_second": plan.rate,
            "seed": plan.seed,
            "warm_up_seconds": plan.warm_up.as_secs_f64(),
            "elapsed_seconds": self.elapsed.as_secs_f64(),
            "by_operation": by_operation,
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
        let micros = |duration: Duration| rounded(duration.as_secs_f64() * 1e6);
        let latency = Latency::of(latencies).map(|latency| {
            json!({
                "min": micros(latency.min),
                "mean": micros(latency.mean),
                "p50": micros(latency.p50),
                "p90": micros(latency.p90),
                "p99": micros(latency.p99),
                "p999": micros(latency.p999),
                "max": micros(latency.max),
            })
        });
        json!({
            "operations": latencies.len(),
            "operations_per_second": rounded(self.per_second(latencies.len())),
            "latency_us": latency,
        })
    }

    fn write_operations(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let columns = [
            "operations",
            "per second",
            "p50",
            "p90",
            "p99",
            "p99.9",
            "max",
        ];
        write!(f, "\n{:12}", "")?;
        for column in columns {
            write!(f, " {column:>11}")?;
        }
        writeln!(f)?;
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
        let count = latencies.len();
        let per_second = self.per_second(count);
        let per_second = if per_second < 1000.0 {
            format!("{per_second:.1}")
        } else {
            grouped(Duration::from_secs_f64(per_second).as_secs())
        };
        write!(f, "{name:12} {:>11} {per_second:>11}", grouped(count))?;
        let Some(latency) = Latency::of(latencies) else {
            return writeln!(f);
        };
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
        writeln!(f)
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
        let Plan {
            servers,
            connections,
            in_flight,
            value_size,
            ..
        } = plan;
        writeln!(
            f,
            "{} on {servers}: {connections} connections x {in_flight} in flight, \
             {value_size}-byte values",
            plan.workload.name
        )?;
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
            let unsent = grouped(self.tally.unsent());
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

impl Latency {
    /// `None` when there is nothing to measure.
    fn of(nanos: &Histogram<u64>) -> Option<Latency> {
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
}

fn usage_json(usage: &Usage, operations: u64, elapsed: Duration) -> Value {
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

fn for_people(time: Duration) -> String {
    let micros = time.as_secs_f64() * 1e6;
    match micros {
        0.0..1e3 => format!("{micros:.0} µs"),
        1e3..1e4 => format!("{:.2} ms", micros / 1e3),
        1e4..1e6 => format!("{:.1} ms", micros / 1e3),
        _ => format!("{:.2} s", micros / 1e6),
    }
}

fn mebibytes(bytes: u64) -> String {
    format!("{} MiB", grouped((bytes + (1 << 19)) >> 20))
}

/// Three decimals: as much as the clock ticks of `/proc` and the histogram are good for.
fn rounded(number: f64) -> f64 {
    (number * 1e3).round() / 1e3
}

fn ratio(count: u64, seconds: f64) -> f64 {
    if seconds > 0.0 {
        to_f64(count) / seconds
    } else {
        0.0
    }
}

fn per(amount: f64, count: u64) -> f64 {
    if count > 0 {
        amount / to_f64(count)
    } else {
        0.0
    }
}

/// Exact up to 2^53, more than any run reaches.
fn to_f64(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests;
