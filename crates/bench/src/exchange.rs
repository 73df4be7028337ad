//! One connection's requests and replies, without the socket.
//!
//! Decides when to send (closed loop: when a reply has made room; open loop: when a request is
//! due) and checks every reply against the request it must belong to.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use zooid_proto::{DecodeError, ErrorCode, Jute, Limit, MultiHeader, OpCode, Reader, ReplyHeader};
use zooid_proto::{RequestHeader, xid};

use crate::frame::{FRAME_BYTES_MAX, put_frame};
use crate::generator::Generator;
use crate::tally::{Failure, Tally};
use crate::workload::Operation;

/// What the replies of a run must contain.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Expected {
    pub(crate) value_size: usize,
    pub(crate) children: usize,
    /// Creates in one multi.
    pub(crate) batch: usize,
}

/// When requests are sent.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Pace {
    /// As soon as fewer than the wanted number are unanswered.
    Closed,
    /// At regular times, the next of which is `due`.
    Open { due: Instant, interval: Duration },
}

/// Which requests may still be sent, and which of them count. One per worker.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Gate {
    pub(crate) measure_from: Instant,
    pub(crate) stop: Stop,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Stop {
    At(Instant),
    /// After so many more measured requests.
    After(u64),
}

#[derive(Debug)]
pub(crate) struct Exchange {
    generator: Generator,
    expected: Expected,
    pace: Pace,
    window: usize,
    in_flight: VecDeque<Pending>,
    next_xid: i32,
    last_sent: Instant,
}

#[derive(Clone, Copy, Debug)]
struct Pending {
    xid: i32,
    operation: Operation,
    /// When it was sent, or should have been.
    due: Instant,
    is_measured: bool,
}

impl Gate {
    /// Whether a request may be sent: `None` when not, else whether it is measured. What is overdue
    /// at the end stays unsent, or an overloaded server would never be done.
    fn admit(&mut self, now: Instant, due: Instant) -> Option<bool> {
        let is_measured = due >= self.measure_from;
        match &mut self.stop {
            Stop::At(end) => (now < *end).then_some(is_measured),
            Stop::After(0) => None,
            Stop::After(left) => {
                *left -= u64::from(is_measured);
                Some(is_measured)
            }
        }
    }

    /// Whether nothing will be admitted any more.
    pub(crate) fn is_closed(&self, now: Instant) -> bool {
        match self.stop {
            Stop::At(end) => now >= end,
            Stop::After(left) => left == 0,
        }
    }
}

impl Exchange {
    pub(crate) fn new(
        generator: Generator,
        expected: Expected,
        pace: Pace,
        window: usize,
        next_xid: i32,
        now: Instant,
    ) -> Exchange {
        Exchange {
            generator,
            expected,
            pace,
            window,
            in_flight: VecDeque::with_capacity(window),
            next_xid,
            last_sent: now,
        }
    }

    /// Appends every request that is to be sent now.
    pub(crate) fn top_up(&mut self, now: Instant, gate: &mut Gate, out: &mut Vec<u8>) {
        while self.in_flight.len() < self.window {
            let due = match self.pace {
                Pace::Closed => now,
                Pace::Open { due, .. } if due > now => return,
                Pace::Open { due, .. } => due,
            };
            let Some(is_measured) = gate.admit(now, due) else {
                return;
            };
            if let Pace::Open { due, interval } = &mut self.pace {
                *due += *interval;
            }
            let xid = self.take_xid();
            let operation = self.generator.put_next(xid, out);
            self.in_flight.push_back(Pending {
                xid,
                operation,
                due,
                is_measured,
            });
            self.last_sent = now;
        }
    }

    /// Appends a ping when nothing has been sent for `idle`.
    pub(crate) fn ping_if_idle(&mut self, now: Instant, idle: Duration, out: &mut Vec<u8>) {
        if now.duration_since(self.last_sent) < idle {
            return;
        }
        self.last_sent = now;
        put_frame(out, |out| {
            let op = OpCode::Ping.code();
            RequestHeader { xid: xid::PING, op }.encode(out);
        });
    }

    /// Takes a packet in: counts the operation that it answers, or what is wrong with it. An
    /// error means that nothing more can be learnt from this connection.
    pub(crate) fn on_packet(
        &mut self,
        packet: &[u8],
        now: Instant,
        tally: &mut Tally,
    ) -> Result<(), Failure> {
        let mut reader = Reader::new(packet, Limit(FRAME_BYTES_MAX));
        let header = ReplyHeader::decode(&mut reader).map_err(Failure::Malformed)?;
        if matches!(header.xid, xid::PING | xid::NOTIFICATION) {
            return Ok(());
        }
        let Some(pending) = self.in_flight.pop_front_if(|front| front.xid == header.xid) else {
            return Err(Failure::OutOfOrder);
        };
        let operation = pending.operation;
        if header.err != ErrorCode::Ok {
            tally.fail(Failure::Code(operation, header.err));
        } else if !self
            .has_expected_body(operation, reader)
            .map_err(Failure::Malformed)?
        {
            tally.fail(Failure::WrongBody(operation));
        } else if pending.is_measured {
            tally.succeed(operation, pending.due, now);
        } else {
            tally.warm_up();
        }
        Ok(())
    }

    /// Checks lengths and counts; contents are the business of tests, not of a load generator.
    fn has_expected_body(
        &self,
        operation: Operation,
        mut body: Reader<'_>,
    ) -> Result<bool, DecodeError> {
        Ok(match operation {
            Operation::Get => {
                body.buffer()?.map(<[u8]>::len) == Some(self.expected.value_size)
                    && body.rest().len() == STAT_BYTES
            }
            Operation::Set => body.rest().len() == STAT_BYTES,
            Operation::GetChildren => body.vec_len()? == self.expected.children,
            Operation::Create => body.buffer()?.is_some_and(|path| !path.is_empty()),
            Operation::Delete => body.is_empty(),
            Operation::Multi => created_by_multi(&mut body)? == Some(self.expected.batch),
        })
    }

    /// Requests that await their reply.
    pub(crate) fn unanswered(&self) -> usize {
        self.in_flight.len()
    }

    /// When the next request is due, even if it will have to wait for replies; `None` when that
    /// depends on replies alone.
    pub(crate) fn next_due(&self) -> Option<Instant> {
        match self.pace {
            Pace::Open { due, .. } => Some(due),
            Pace::Closed => None,
        }
    }

    /// Requests that were due before `end` and have not been sent.
    pub(crate) fn unsent_before(&self, end: Instant) -> u64 {
        let Pace::Open { due, interval } = self.pace else {
            return 0;
        };
        let missed = end.saturating_duration_since(due);
        u64::try_from(missed.as_nanos().div_ceil(interval.as_nanos().max(1))).unwrap_or(u64::MAX)
    }

    /// An id for the next request of this session.
    pub(crate) fn take_xid(&mut self) -> i32 {
        let xid = self.next_xid;
        // Ids of zero and below mean something else.
        self.next_xid = xid.checked_add(1).unwrap_or(1);
        xid
    }
}

/// How many nodes a multi has created; `None` if it has done anything else.
fn created_by_multi(body: &mut Reader<'_>) -> Result<Option<usize>, DecodeError> {
    let mut count = 0;
    loop {
        let header = MultiHeader::decode(body)?;
        if header.done {
            return Ok(body.is_empty().then_some(count));
        }
        if header.op != OpCode::Create.code() || body.buffer()?.is_none_or(<[u8]>::is_empty) {
            return Ok(None);
        }
        count += 1;
    }
}

/// Encoded size of a stat.
const STAT_BYTES: usize = 68;

#[cfg(test)]
mod tests;
