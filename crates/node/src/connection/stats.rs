//! What is counted about a connection (Java `ServerCnxn`'s statistics, shown by `cons` and `stat`).

use crate::Now;
use zooid_proto::{OpCode, Zxid};

/// Least, greatest, sum and number of some measurements.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// How many.
    pub count: u64,
    /// Their sum.
    pub sum: i64,
    /// The least; 0 of none.
    pub min: i64,
    /// The greatest; 0 of none.
    pub max: i64,
}

impl Tally {
    /// Adds one.
    pub fn add(&mut self, value: i64) {
        self.min = if self.count == 0 {
            value
        } else {
            self.min.min(value)
        };
        self.max = if self.count == 0 {
            value
        } else {
            self.max.max(value)
        };
        self.count += 1;
        self.sum += value;
    }

    /// Adds all of another's.
    pub fn merge(&mut self, other: &Tally) {
        if other.count > 0 {
            self.min = if self.count == 0 {
                other.min
            } else {
                self.min.min(other.min)
            };
            self.max = if self.count == 0 {
                other.max
            } else {
                self.max.max(other.max)
            };
            self.count += other.count;
            self.sum += other.sum;
        }
    }
}

/// Counted since last taken, for the server's totals.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Recent {
    /// Packets from the client.
    pub packets_received: u64,
    /// Latency of reads, in milliseconds.
    pub reads: Tally,
    /// Latency of writes, in milliseconds.
    pub writes: Tally,
    /// Auth packets refused.
    pub auth_failures: u64,
    /// Requests answered with ThrottledOp.
    pub throttled: u64,
    /// Packets to the client.
    pub sent: Sent,
}

impl Recent {
    pub(super) fn replied(&mut self, is_read: bool, latency_ms: i64) {
        if is_read {
            &mut self.reads
        } else {
            &mut self.writes
        }
        .add(latency_ms);
    }
}

/// Packets put into the outbox. Sizes are in bytes, without the length that precedes a packet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sent {
    /// All of them, those that open a session included.
    pub packets: u64,
    /// Sizes of replies.
    pub replies: Tally,
    /// Sizes of watch events.
    pub events: Tally,
    /// Size of the newest of either.
    pub last_bytes: i64,
    /// Lists of children that were there already.
    pub lists_found: u64,
    /// Lists of children that were made, and kept for others.
    pub lists_made: u64,
}

impl Sent {
    pub(super) fn replied(&mut self, bytes: i64) {
        self.replies.add(bytes);
        self.last_bytes = bytes;
    }

    pub(super) fn found_list(&mut self, was_kept: bool) {
        if was_kept {
            self.lists_found += 1;
        } else {
            self.lists_made += 1;
        }
    }

    pub(super) fn told(&mut self, bytes: i64) {
        self.events.add(bytes);
        self.last_bytes = bytes;
    }
}

/// One connection's statistics. Times are on the monotonic clock, in milliseconds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnStats {
    /// When it was accepted, milliseconds since 1970.
    pub established_wall_ms: i64,
    /// Packets from the client.
    pub packets_received: u64,
    /// Packets to the client.
    pub packets_sent: u64,
    /// Short name of the last operation, as `cons` prints it; "NA" before the first.
    pub last_op: &'static str,
    /// The client's id of the last request; -1 before the first.
    pub last_cxid: i32,
    /// The server's zxid at the last reply; -1 before the first.
    pub last_zxid: Zxid,
    /// When the last reply was made.
    pub last_response_ms: i64,
    /// Of the last request.
    pub last_latency_ms: i64,
    /// Of all requests.
    pub latency: Tally,
}

impl ConnStats {
    pub(super) fn new(now: Now) -> ConnStats {
        ConnStats {
            established_wall_ms: now.wall_ms,
            packets_received: 0,
            packets_sent: 0,
            last_op: "NA",
            last_cxid: -1,
            last_zxid: Zxid::NONE,
            last_response_ms: 0,
            last_latency_ms: 0,
            latency: Tally::default(),
        }
    }

    pub(super) fn reset(&mut self) {
        let established_wall_ms = self.established_wall_ms;
        *self = ConnStats {
            established_wall_ms,
            ..ConnStats::new(Now {
                mono_ms: 0,
                wall_ms: established_wall_ms,
            })
        };
    }

    pub(super) fn session_opened(&mut self, mono_ms: i64, last_zxid: Zxid) {
        self.last_op = "SESS";
        self.last_cxid = 0;
        self.last_zxid = last_zxid;
        self.last_response_ms = mono_ms;
        self.packets_sent += 1;
    }

    pub(super) fn replied(
        &mut self,
        op: OpCode,
        xid: i32,
        last_zxid: Zxid,
        mono_ms: i64,
        latency_ms: i64,
    ) {
        self.packets_sent += 1;
        self.last_op = short_name(op);
        if xid >= 0 {
            self.last_cxid = xid;
        }
        self.last_zxid = last_zxid;
        self.last_response_ms = mono_ms;
        self.last_latency_ms = latency_ms;
        self.latency.add(latency_ms);
    }
}

/// Spec §8.1, `cons`.
fn short_name(op: OpCode) -> &'static str {
    match op {
        OpCode::CreateSession => "SESS",
        OpCode::Ping => "PING",
        OpCode::Create | OpCode::Create2 | OpCode::CreateContainer | OpCode::CreateTtl => "CREA",
        OpCode::Delete | OpCode::DeleteContainer => "DELE",
        OpCode::Exists => "EXIS",
        OpCode::GetData => "GETD",
        OpCode::SetData => "SETD",
        OpCode::GetAcl => "GETA",
        OpCode::SetAcl => "SETA",
        OpCode::GetChildren | OpCode::GetChildren2 => "GETC",
        OpCode::GetAllChildrenNumber => "GETACN",
        OpCode::Sync => "SYNC",
        OpCode::Multi => "MULT",
        OpCode::MultiRead => "MLTR",
        OpCode::CloseSession => "CLOS",
        OpCode::SetWatches => "SETW",
        OpCode::SetWatches2 => "STW2",
        OpCode::AddWatch => "ADDW",
        OpCode::CheckWatches => "CHKW",
        OpCode::RemoveWatches => "REMW",
        OpCode::Reconfig => "RECO",
        OpCode::Check => "CHEC",
        OpCode::WhoAmI => "HOMI",
        OpCode::GetEphemerals => "GETE",
        OpCode::Notification | OpCode::Auth | OpCode::Sasl | OpCode::Error => "NA",
    }
}
