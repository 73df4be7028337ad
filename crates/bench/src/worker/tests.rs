use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::Parser;

use super::{Token, Worker};
use crate::BenchArgs;
use crate::fake_server::{FakeServer, Fault};
use crate::nodes::Nodes;
use crate::run::make_workers;
use crate::session::Session;

#[derive(Parser)]
struct Command {
    #[command(flatten)]
    bench: BenchArgs,
}

/// Has three connections, one of which is due each millisecond from `started` on.
fn worker(server: &FakeServer, started: Instant) -> Worker {
    let args = "bench get -c 3 --threads 1 --rate 1000 --server".split_whitespace();
    let plan = Command::parse_from(args.chain([server.address.as_str()]))
        .bench
        .into_plan()
        .unwrap();
    let mut sessions = Session::open_many(&plan.servers, 4, plan.session_timeout).unwrap();
    let mut preparing = sessions.pop().unwrap();
    let nodes = Arc::new(Nodes::create(&mut preparing, &plan).unwrap());
    let mut workers = make_workers(&plan, &nodes, sessions, started, &Arc::default()).unwrap();
    workers.pop().unwrap()
}

/// When each connection has to send next, in microseconds from `started`.
fn dues(worker: &Worker, started: Instant) -> Vec<u128> {
    let connections = worker.connections.iter().flatten();
    let dues = connections.map(|connection| connection.exchange.next_due().unwrap());
    dues.map(|due| due.duration_since(started).as_micros())
        .collect()
}

#[test]
fn who_has_something_to_read_when_it_is_due_holds_nobody_up() {
    let server = FakeServer::start(Fault::None);
    let started = Instant::now();
    let at = |us| started + Duration::from_micros(us);
    let mut worker = worker(&server, started);
    worker.begin(at(0));
    assert_eq!(dues(&worker, started), [3000, 1000, 2000]);
    worker.serve([Token(1)].into_iter(), at(1500));
    assert_eq!(dues(&worker, started), [3000, 4000, 2000]);
    worker.serve([].into_iter(), at(2000));
    assert_eq!(dues(&worker, started), [3000, 4000, 5000]);
}

#[test]
fn a_late_start_holds_nobody_up() {
    let server = FakeServer::start(Fault::None);
    let started = Instant::now();
    let at = |us| started + Duration::from_micros(us);
    let mut worker = worker(&server, started);
    worker.begin(at(1500));
    assert_eq!(dues(&worker, started), [3000, 4000, 2000]);
    worker.serve([].into_iter(), at(2000));
    assert_eq!(dues(&worker, started), [3000, 4000, 5000]);
}
