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

/// Three connections, one of which is due each millisecond.
struct OpenLoop {
    worker: Worker,
    started: Instant,
}

impl OpenLoop {
    fn new() -> OpenLoop {
        let server = FakeServer::start(Fault::None);
        let args = "bench get -c 3 --threads 1 --rate 1000 --server".split_whitespace();
        let plan = Command::parse_from(args.chain([server.address.as_str()]))
            .bench
            .into_plan()
            .unwrap();
        let mut sessions = Session::open_many(&plan.servers, 4, plan.session_timeout).unwrap();
        let mut preparing = sessions.pop().unwrap();
        let nodes = Arc::new(Nodes::create(&mut preparing, &plan).unwrap());
        let started = Instant::now();
        let mut workers = make_workers(&plan, &nodes, sessions, started, &Arc::default()).unwrap();
        OpenLoop {
            worker: workers.pop().unwrap(),
            started,
        }
    }

    fn at(&self, us: u64) -> Instant {
        self.started + Duration::from_micros(us)
    }

    fn begin(&mut self, us: u64) {
        self.worker.begin(self.at(us));
    }

    fn serve(&mut self, ready: &[Token], us: u64) {
        self.worker.serve(ready.iter().copied(), self.at(us));
    }

    /// When each connection has to send next, in microseconds from the start.
    fn dues(&self) -> Vec<u128> {
        let connections = self.worker.connections.iter().flatten();
        let dues = connections.map(|connection| connection.exchange.next_due().unwrap());
        dues.map(|due| due.duration_since(self.started).as_micros())
            .collect()
    }
}

#[test]
fn who_has_something_to_read_when_it_is_due_holds_nobody_up() {
    let mut load = OpenLoop::new();
    load.begin(0);
    assert_eq!(load.dues(), [3000, 1000, 2000]);
    load.serve(&[Token(1)], 1500);
    assert_eq!(load.dues(), [3000, 4000, 2000]);
    load.serve(&[], 2000);
    assert_eq!(load.dues(), [3000, 4000, 5000]);
}

#[test]
fn a_late_start_holds_nobody_up() {
    let mut load = OpenLoop::new();
    load.begin(1500);
    assert_eq!(load.dues(), [3000, 4000, 2000]);
    load.serve(&[], 2000);
    assert_eq!(load.dues(), [3000, 4000, 5000]);
}
