use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::Parser;
use expect_test::expect;
use serde_json::Value;

use super::Report;
use crate::BenchArgs;
use crate::process::Usage;
use crate::tally::{Failure, Tally};
use crate::workload::Operation;
use zooid_proto::ErrorCode;

#[derive(Parser)]
struct Command {
    #[command(flatten)]
    bench: BenchArgs,
}

fn usage(name: &str, millis: u64) -> Usage {
    Usage {
        name: name.into(),
        pid: 7,
        user: Duration::from_millis(millis),
        system: Duration::from_millis(millis),
        memory_bytes: 50 << 20,
        memory_peak_bytes: 1100 << 20,
    }
}

/// Gets of 1 to 1000 µs and one set of 2 s, over two seconds.
fn report(failures: &[Failure]) -> Report {
    let plan = Command::parse_from(["bench", "--warm-up", "1"])
        .bench
        .into_plan()
        .unwrap();
    let due = Instant::now();
    let mut tally = Tally::new(due, false, Arc::default());
    for micros in 1..=1000 {
        tally.succeed(Operation::Get, due, due + Duration::from_micros(micros));
    }
    tally.succeed(Operation::Set, due, due + Duration::from_secs(2));
    for failure in failures {
        tally.fail(*failure);
    }
    let elapsed = Duration::from_secs(2);
    let processes = vec![usage("server", 500)];
    Report::new(
        &plan,
        tally,
        elapsed,
        processes,
        Some(usage("generator", 100)),
    )
}

#[test]
fn people_see_a_table_per_operation_and_per_process() {
    let failures = [
        Failure::Code(Operation::Get, ErrorCode::NoNode),
        Failure::Code(Operation::Get, ErrorCode::NoNode),
        Failure::OutOfOrder,
    ];
    expect![[r#"
        mix on 127.0.0.1:2181: 48 connections x 16 in flight, 100-byte values
        2.0 s measured after 1.0 s of warm-up

                      operations  per second         p50         p90         p99       p99.9         max
        get                1,000       500.0      500 µs      900 µs      990 µs      999 µs     1.00 ms
        set                    1         0.5      2.00 s      2.00 s      2.00 s      2.00 s      2.00 s
        all                1,001       500.5      501 µs      901 µs      991 µs     1.00 ms      2.00 s

                             pid  CPU per op         CPU      memory        peak
        server                 7    999.0 µs        50 %      50 MiB   1,100 MiB
        generator              7    199.8 µs        10 %      50 MiB   1,100 MiB

        failures: 3
                    2 get: NoNode
                    1 reply out of order
    "#]]
    .assert_eq(&report(&failures).to_string());
}

#[test]
fn programs_see_one_object_of_this_shape() {
    let json = report(&[Failure::ConnectionLost]).to_json();
    let keys: BTreeSet<&str> = json
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    expect![[r#"
        {"batch", "by_operation", "children", "connections", "distribution", "elapsed_seconds", "failures", "filled", "generator", "in_flight", "keys", "latency_us", "operations", "operations_per_second", "own_keys", "processes", "rate_per_second", "seed", "servers", "threads", "timeline", "unsent", "value_bytes", "warm_up_seconds", "weights", "workload"}
    "#]]
    .assert_eq(&format!("{keys:?}\n"));
    let at = |pointer: &str| json.pointer(pointer).cloned().unwrap_or(Value::Null);
    assert_eq!(at("/operations"), 1001);
    assert_eq!(at("/operations_per_second"), 500.5);
    assert_eq!(at("/by_operation/get/operations"), 1000);
    assert_eq!(at("/by_operation/create"), Value::Null);
    assert_eq!(at("/weights/getChildren"), 45);
    assert_eq!(at("/failures/total"), 1);
    assert_eq!(at("/failures/by_kind/connection lost"), 1);
    assert_eq!(at("/processes/0/name"), "server");
    assert_eq!(at("/processes/0/cpu_cores"), 0.5);
    assert_eq!(at("/processes/0/cpu_us_per_operation"), 999.001);
    assert_eq!(at("/generator/memory_bytes"), 50 << 20);
}

#[test]
fn percentiles_are_within_the_histograms_precision() {
    let json = report(&[]).to_json();
    for (key, micros) in [
        ("p50", 500.0),
        ("p90", 900.0),
        ("p99", 990.0),
        ("max", 1000.0),
    ] {
        let got = json
            .pointer(&format!("/by_operation/get/latency_us/{key}"))
            .unwrap();
        let off = (got.as_f64().unwrap() - micros).abs() / micros;
        assert!(off < 0.005, "{key} is {got}");
    }
}
