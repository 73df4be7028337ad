use std::collections::BTreeMap;
use std::time::Duration;

use clap::Parser;
use expect_test::expect;
use serde_json::{Value, json};

use super::{Findings, Growth, Memory, Phase};
use crate::BenchArgs;
use crate::args::Task;
use crate::distribution::empty_histogram;
use crate::fake_server::{FakeServer, Fault};
use zooid_proto::OpCode;

#[derive(Parser)]
struct Command {
    #[command(flatten)]
    bench: BenchArgs,
}

/// Runs a scenario against the server.
pub(crate) fn run(server: &FakeServer, args: &str) -> anyhow::Result<Findings> {
    let fixed = ["bench", "--server", &server.address];
    let args = fixed.into_iter().chain(args.split_whitespace());
    match Command::parse_from(args).bench.into_task()? {
        Task::Fill(plan) => plan.run(),
        Task::Sessions(plan) => plan.run(),
        Task::Watches(plan) => plan.run(),
        Task::Floor(plan) => plan.run(),
        Task::Load(_) => panic!("no scenario"),
    }
}

fn refused(args: &str) -> String {
    let args = std::iter::once("bench").chain(args.split_whitespace());
    let task = Command::parse_from(args).bench.into_task();
    task.unwrap_err().to_string()
}

fn findings() -> Findings {
    let mut nanos = empty_histogram();
    nanos.record_n(2_000_000, 10).unwrap();
    Findings {
        scenario: "sessions",
        title: "10 sessions".into(),
        settings: json!({ "sessions": 10 }),
        phases: vec![Phase {
            name: "open",
            elapsed: Duration::from_secs(2),
            amount: None,
            nanos,
        }],
        memory: Some(Memory {
            unit: "session",
            count: 10,
            payload_bytes: 4000,
            processes: vec![Growth {
                name: "server".into(),
                before_bytes: 10 << 20,
                after_bytes: (10 << 20) + 24_000,
            }],
        }),
        failures: BTreeMap::from([("session expired".to_owned(), 2)]),
    }
}

#[test]
fn people_see_phases_memory_and_failures() {
    expect![[r#"
        10 sessions

                           count  per second         p50         p90         p99       p99.9         max
        open                  10         5.0     2.00 ms     2.00 ms     2.00 ms     2.00 ms     2.00 ms

        memory            before       after
        server            10 MiB      10 MiB
        2000 bytes per session, beyond 400 of name and data

        failures: 2
                    2 session expired
    "#]].assert_eq(&findings().to_string());
}

#[test]
fn programs_see_the_same() {
    let json = findings().to_json();
    assert_eq!(json["workload"], "sessions");
    assert_eq!(json["phases"]["open"]["per_second"], 5.0);
    assert_eq!(json["phases"]["open"]["latency_us"]["p99"], 2000.895);
    assert_eq!(json["memory"]["bytes_per_unit"], 2000.0);
    assert_eq!(json["failures"]["total"], 2);
}

#[test]
fn memory_that_has_shrunk_is_less_than_nothing() {
    let mut memory = findings().memory.unwrap();
    memory.processes[0].after_bytes = (10 << 20) - 6000;
    assert_eq!(memory.to_json()["bytes_per_unit"], -1000.0);
}

#[test]
fn filling_creates_what_is_not_there_yet() {
    let server = FakeServer::start(Fault::None);
    let json = run(&server, "fill --keys 2500 --existing 1200 --filled /there")
        .unwrap()
        .to_json();
    assert_eq!(json["phases"]["fill"]["count"], 1300);
    // One more directory, and the keys.
    assert_eq!(server.created_by_multi(), 1301);
    assert_eq!(server.count(OpCode::Delete), 0);
}

#[test]
fn the_floor_is_the_sum_of_its_parts() {
    let directory = tempfile::tempdir().unwrap();
    let server = FakeServer::start(Fault::None);
    let args = format!("floor -d 0.05 --directory {}", directory.path().display());
    let json = run(&server, &args).unwrap().to_json();
    let p50 = |phase: &str| {
        let value: &Value = &json["phases"][phase]["latency_us"]["p50"];
        value.as_f64().unwrap()
    };
    let (trips, sync, floor) = (p50("round_trips"), p50("sync"), p50("floor"));
    assert!(trips > 0.0);
    assert!(floor > trips.max(sync));
    let processors = rustix::thread::sched_getaffinity(None).unwrap().count();
    let apart = json["phases"].get("apart");
    assert_eq!(apart.is_some(), processors > 1);
    if apart.is_some() {
        assert!(p50("apart") > 0.0);
    }
    // The file is gone again.
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0);
}

#[test]
fn values_that_make_no_sense_are_refused() {
    assert_eq!(
        refused("fill --filled x"),
        "--filled 'x' is not a path below /"
    );
    assert_eq!(refused("fill --keys 0"), "--keys must be at least 1");
    assert_eq!(
        refused("fill --keys 100000001"),
        "100000001 keys are more than 100000000"
    );
    assert_eq!(refused("sessions -c 0"), "--connections must be at least 1");
    assert_eq!(refused("watches -i 0"), "--in-flight must be at least 1");
    assert_eq!(refused("floor -d 0"), "--duration must be at least 1");
}
