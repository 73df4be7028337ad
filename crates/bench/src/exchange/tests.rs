use std::sync::Arc;
use std::time::{Duration, Instant};

use super::{Exchange, Expected, Gate, Pace, Stop};
use crate::generator::Generator;
use crate::nodes::Nodes;
use crate::tally::{Failure, Tally};
use zooid_proto::{ErrorCode, Jute, ReplyHeader, Zxid, xid};

use clap::Parser;

use crate::BenchArgs;

#[derive(Parser)]
struct Command {
    #[command(flatten)]
    bench: BenchArgs,
}

const MS: Duration = Duration::from_millis(1);

struct Fixture {
    exchange: Exchange,
    gate: Gate,
    tally: Tally,
    start: Instant,
}

/// Deletes and creates: their replies are short.
fn fixture(pace: impl FnOnce(Instant) -> Pace, window: usize) -> Fixture {
    let args = ["bench", "create", "-c", "1"];
    let plan = Command::parse_from(args).bench.into_plan().unwrap();
    let start = Instant::now();
    let expected = Expected {
        value_size: 100,
        children: 100,
        batch: 10,
    };
    let generator = Generator::new(&plan, Arc::new(Nodes::at("/run", &plan)), 0);
    Fixture {
        exchange: Exchange::new(generator, expected, pace(start), window, 1, start),
        gate: Gate {
            measure_from: start,
            stop: Stop::At(start + 100 * MS),
        },
        tally: Tally::new(start, false, Arc::default()),
        start,
    }
}

impl Fixture {
    /// Sends what is to be sent; returns how many are unanswered then.
    fn top_up(&mut self, at: Duration) -> usize {
        let mut out = Vec::new();
        self.exchange
            .top_up(self.start + at, &mut self.gate, &mut out);
        self.exchange.unanswered()
    }

    fn reply(&mut self, at: Duration, xid: i32) -> Result<(), Failure> {
        let mut packet = Vec::new();
        let err = ErrorCode::Ok;
        ReplyHeader {
            xid,
            zxid: Zxid(1),
            err,
        }
        .encode(&mut packet);
        "/run/new/0/n0".to_owned().encode(&mut packet);
        self.exchange
            .on_packet(&packet, self.start + at, &mut self.tally)
    }

    fn latencies_ms(&self) -> Vec<u64> {
        let all = self.tally.all_latencies();
        let recorded = all.iter_recorded();
        recorded
            .flat_map(|step| {
                let rounded = (step.value_iterated_to() + 500_000) / 1_000_000;
                std::iter::repeat_n(rounded, usize::try_from(step.count_at_value()).unwrap())
            })
            .collect()
    }
}

#[test]
fn a_closed_loop_sends_when_a_reply_makes_room() {
    let mut f = fixture(|_| Pace::Closed, 3);
    assert_eq!(f.top_up(Duration::ZERO), 3);
    assert_eq!(f.top_up(MS), 3);
    f.reply(5 * MS, 1).unwrap();
    assert_eq!(f.top_up(5 * MS), 3);
    f.reply(7 * MS, 2).unwrap();
    f.reply(7 * MS, 3).unwrap();
    f.reply(7 * MS, 4).unwrap();
    assert_eq!(f.latencies_ms(), [2, 5, 7, 7]);
}

#[test]
fn an_open_loop_charges_a_stall_to_every_request_that_was_due() {
    let pace = |due| Pace::Open {
        due,
        interval: 10 * MS,
    };
    let mut f = fixture(pace, 2);
    assert_eq!(f.top_up(Duration::ZERO), 1);
    assert_eq!(f.top_up(9 * MS), 1);
    assert_eq!(f.top_up(10 * MS), 2);
    // Due at 20 and 30 ms, but the window is full until 40 ms.
    assert_eq!(f.exchange.next_due(), Some(f.start + 20 * MS));
    assert_eq!(f.top_up(35 * MS), 2);
    f.reply(40 * MS, 1).unwrap();
    f.reply(40 * MS, 2).unwrap();
    assert_eq!(f.top_up(40 * MS), 2);
    f.reply(41 * MS, 3).unwrap();
    f.reply(41 * MS, 4).unwrap();
    assert_eq!(f.latencies_ms(), [11, 21, 30, 40]);
    assert_eq!(f.top_up(100 * MS), 0);
    assert_eq!(f.exchange.unsent_before(f.start + 100 * MS), 6);
}

#[test]
fn only_what_was_due_while_measuring_is_measured() {
    let mut f = fixture(|_| Pace::Closed, 1);
    f.gate.measure_from = f.start + 10 * MS;
    f.top_up(9 * MS);
    f.reply(20 * MS, 1).unwrap();
    assert!(f.latencies_ms().is_empty());
    f.top_up(99 * MS);
    f.reply(200 * MS, 2).unwrap();
    assert_eq!(f.latencies_ms(), [101]);
    assert_eq!(f.top_up(200 * MS), 0);
}

#[test]
fn a_counted_run_admits_that_many_measured_requests() {
    let mut f = fixture(|_| Pace::Closed, 5);
    f.gate.stop = Stop::After(3);
    assert_eq!(f.top_up(MS), 3);
    assert!(f.gate.is_closed(f.start));
}

#[test]
fn only_the_oldest_request_may_be_answered() {
    let mut f = fixture(|_| Pace::Closed, 3);
    f.top_up(Duration::ZERO);
    assert_eq!(f.reply(MS, 2), Err(Failure::OutOfOrder));
    assert_eq!(f.exchange.unanswered(), 3);
    // Pings and events are outside of the order.
    f.reply(MS, xid::PING).unwrap();
    f.reply(MS, xid::NOTIFICATION).unwrap();
    f.reply(MS, 1).unwrap();
    assert_eq!(f.reply(MS, 1), Err(Failure::OutOfOrder));
}

#[test]
fn a_ping_goes_out_when_nothing_else_has_for_long() {
    let mut f = fixture(|_| Pace::Closed, 1);
    f.top_up(50 * MS);
    let mut pings_at = |at: u32| {
        let mut out = Vec::new();
        f.exchange
            .ping_if_idle(f.start + at * MS, 100 * MS, &mut out);
        !out.is_empty()
    };
    assert!(!pings_at(149));
    assert!(pings_at(150));
    assert!(!pings_at(249));
    assert!(pings_at(250));
}
