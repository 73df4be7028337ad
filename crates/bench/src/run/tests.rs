use clap::Parser;
use serde_json::Value;
use zooid_proto::OpCode;

use super::{measure, run};
use crate::BenchArgs;
use crate::fake_server::{FakeServer, Fault};

#[derive(Parser)]
struct Command {
    #[command(flatten)]
    bench: BenchArgs,
}

/// Runs against the server, without warm-up, and returns what `--json` prints.
fn bench(server: &FakeServer, args: &str) -> anyhow::Result<Value> {
    let fixed = ["bench", "--warm-up", "0", "--server", &server.address];
    let args = fixed.into_iter().chain(args.split_whitespace());
    let plan = Command::parse_from(args).bench.into_plan()?;
    let measured = measure(&plan)?;
    measured.removal?;
    Ok(measured.report.to_json())
}

#[test]
fn every_operation_is_answered_and_counted_once() {
    let server = FakeServer::start(Fault::None);
    let report = bench(&server, "get --operations 5000 -c 7 -i 5 --threads 3").unwrap();
    assert_eq!(report["operations"], 5000);
    assert_eq!(report["by_operation"]["get"]["operations"], 5000);
    assert_eq!(report["failures"]["total"], 0);
    assert_eq!(server.count(OpCode::GetData), 5000);
    // Seven of load, one each before and after.
    assert_eq!(server.count(OpCode::CloseSession), 9);
}

#[test]
fn the_mix_reaches_the_server_in_its_proportions() {
    let server = FakeServer::start(Fault::None);
    let report = bench(&server, "--operations 20000 --keep").unwrap();
    assert_eq!(report["failures"]["total"], 0);
    for (op, percent) in [
        (OpCode::GetData, 45),
        (OpCode::GetChildren, 45),
        (OpCode::SetData, 8),
    ] {
        let off = server.count(op).abs_diff(20_000 / 100 * percent);
        assert!(off < 500, "{op:?} came {off} off");
    }
    let deletes = server.count(OpCode::Delete);
    assert!(deletes > 0);
    // Whatever was to be deleted had been created; two creates made the root and the run's node.
    assert!(deletes <= server.count(OpCode::Create) - 2);
}

#[test]
fn nodes_are_made_before_and_removed_after() {
    let server = FakeServer::start(Fault::None);
    bench(&server, "create --operations 10 -c 2").unwrap();
    // One transaction makes the parents, and one each empties the run's four directories.
    assert_eq!(server.count(OpCode::Multi), 5);
    assert_eq!(server.count(OpCode::GetChildren), 4);
    // Those four, and the root that this run had made.
    assert_eq!(server.count(OpCode::Delete), 5);
    assert_eq!(server.count(OpCode::Create), 12);
}

#[test]
fn an_error_code_is_a_failure_of_its_operation() {
    let server = FakeServer::start(Fault::NoNodeEveryTenth);
    let report = bench(&server, "get --operations 1000 -c 1").unwrap();
    assert_eq!(report["operations"], 900);
    assert_eq!(report["failures"]["by_kind"]["get: NoNode"], 100);
}

#[test]
fn a_reply_of_the_wrong_size_is_a_failure() {
    let server = FakeServer::start(Fault::ShortValue);
    let report = bench(&server, "get --operations 50 -c 2").unwrap();
    assert_eq!(report["operations"], 0);
    assert_eq!(report["failures"]["by_kind"]["get: unexpected reply"], 50);
}

#[test]
fn replies_out_of_order_end_the_connection() {
    let server = FakeServer::start(Fault::Swap);
    let report = bench(&server, "get --operations 1000 -c 1 -i 8").unwrap();
    assert_eq!(report["operations"], 4);
    assert_eq!(report["failures"]["by_kind"]["reply out of order"], 1);
    assert!(report["failures"]["by_kind"]["no reply"].as_u64().unwrap() > 0);
}

#[test]
fn a_lost_connection_ends_the_run_when_it_was_the_last() {
    let server = FakeServer::start(Fault::Close);
    let report = bench(&server, "get --operations 1000 -c 3 -i 1").unwrap();
    assert_eq!(report["operations"], 12);
    assert_eq!(report["failures"]["by_kind"]["connection lost"], 3);
    assert_eq!(report["failures"]["by_kind"]["no reply"], 3);
}

#[test]
fn an_open_loop_sends_as_many_as_were_asked_for() {
    let server = FakeServer::start(Fault::None);
    let report = bench(&server, "get --operations 200 -c 4 --rate 20000").unwrap();
    assert_eq!(report["operations"], 200);
    assert_eq!(report["failures"]["total"], 0);
}

#[test]
fn a_server_that_is_not_there_is_named() {
    let address = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap().to_string()
    };
    let command = Command::parse_from(["bench", "get", "--server", &address]);
    let error = measure(&command.bench.into_plan().unwrap()).unwrap_err();
    assert_eq!(error.to_string(), format!("cannot connect to {address}"));
}

#[test]
fn a_watched_process_that_is_not_there_stops_the_run_before_it_starts() {
    let server = FakeServer::start(Fault::None);
    // Above the largest pid that Linux gives.
    let error = bench(&server, "get --watch-process db=4294967295").unwrap_err();
    assert_eq!(error.to_string(), "cannot watch the process 'db'");
    assert_eq!(server.count(OpCode::Create), 0);
}

#[test]
fn one_multi_creates_as_many_nodes_as_were_asked_for() {
    let server = FakeServer::start(Fault::None);
    let report = bench(&server, "multi --operations 7 --batch 300 -c 2 --keep").unwrap();
    assert_eq!(report["by_operation"]["multi"]["operations"], 7);
    assert_eq!(report["failures"]["total"], 0);
    // One more makes the parents.
    assert_eq!(server.count(OpCode::Multi), 8);
    assert_eq!(server.created_by_multi(), 7 * 300 + 3);
}

#[test]
fn a_multi_that_creates_less_is_a_failure() {
    let server = FakeServer::start(Fault::ShortMulti);
    let report = bench(&server, "multi --operations 5 --batch 10 -c 1 --keep").unwrap();
    assert_eq!(report["operations"], 0);
    assert_eq!(report["failures"]["by_kind"]["multi: unexpected reply"], 5);
}

#[test]
fn keys_that_are_there_are_neither_made_nor_removed() {
    let server = FakeServer::start(Fault::None);
    let report = bench(&server, "get --operations 50 --keys 5000 --filled /there").unwrap();
    assert_eq!(report["failures"]["total"], 0);
    // What the fake server says is in the run's own node is removed, and nothing else.
    assert_eq!(server.count(OpCode::Multi), 1);
    // The root, and the run's own node.
    assert_eq!(server.count(OpCode::Create), 2);
    assert_eq!(server.count(OpCode::Delete), 2);
}

#[test]
fn an_open_loop_takes_its_time_over_many_connections() {
    let server = FakeServer::start(Fault::None);
    let report = bench(&server, "get --operations 1000 -c 200 -i 1 --rate 5000").unwrap();
    assert_eq!(report["operations"], 1000);
    assert_eq!(report["by_operation"]["get"]["operations"], 1000);
    let seconds = report["elapsed_seconds"].as_f64().unwrap();
    assert!(
        seconds > 0.19,
        "it took {seconds} s, less than the rate allows"
    );
}

#[test]
fn a_trace_has_every_operation_in_the_order_of_being_due() {
    let server = FakeServer::start(Fault::None);
    let directory = tempfile::tempdir().unwrap();
    let (trace, svg) = (directory.path().join("trace"), directory.path().join("svg"));
    let args = format!(
        "bench get --warm-up 0 --operations 500 -c 3 --threads 2 --server {} --trace {} --svg {}",
        server.address,
        trace.display(),
        svg.display()
    );
    run(Command::parse_from(args.split(' ')).bench).unwrap();
    let text = std::fs::read_to_string(trace).unwrap();
    let mut lines = text.lines();
    assert_eq!(lines.next(), Some("due_unix_us,latency_us,operation"));
    let dues: Vec<u64> = lines
        .map(|line| {
            let fields: Vec<&str> = line.split(',').collect();
            assert_eq!(fields[2], "get");
            assert!(fields[1].parse::<f64>().unwrap() > 0.0);
            fields[0].parse().unwrap()
        })
        .collect();
    assert_eq!(dues.len(), 500);
    assert!(dues.is_sorted());
    assert!(std::fs::read_to_string(svg).unwrap().contains(">get<"));
}
