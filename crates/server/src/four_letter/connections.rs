//! `cons`, and the clients that `stat` lists (Java `ServerCnxn.dumpConnectionInfo`).

use super::java_text::socket_address;
use crate::client::Client;
use std::fmt::Write as _;
use std::net::SocketAddr;
use zooid_node::{ConnId, ConnStats};
use zooid_proto::SessionId;

/// Java `SelectionKey.OP_READ`.
const OP_READ: u8 = 1;
/// Java `SelectionKey.OP_WRITE`.
const OP_WRITE: u8 = 4;

/// One connection, as operators see it.
#[derive(Clone, Debug)]
pub(crate) struct ConnectionReport {
    pub(crate) remote: SocketAddr,
    /// Whether the server would read, and whether it has something to write.
    pub(crate) interest_ops: u8,
    pub(crate) outstanding: usize,
    /// 0: none is open.
    pub(crate) session: SessionId,
    pub(crate) timeout_ms: i32,
    pub(crate) stats: ConnStats,
}

impl ConnectionReport {
    /// The one who asks has sent a word, which is a packet, and is not listened to any more.
    pub(crate) fn of(client: &Client, asker: ConnId) -> ConnectionReport {
        let conn = client.conn.lock();
        let reads = if conn.wants_frames() { OP_READ } else { 0 };
        let writes = if conn.has_output() { OP_WRITE } else { 0 };
        let mut report = ConnectionReport {
            remote: client.remote,
            interest_ops: reads | writes,
            outstanding: conn.outstanding(),
            session: conn.session(),
            timeout_ms: conn.timeout_ms(),
            stats: conn.stats().clone(),
        };
        if client.id == asker {
            report.interest_ops = 0;
            report.stats.packets_received += 1;
        }
        report
    }

    fn write_brief(&self, text: &mut String) {
        let _ = write!(
            text,
            " {}[{:x}](queued={},recved={},sent={}",
            socket_address(&self.remote),
            self.interest_ops,
            self.outstanding,
            self.stats.packets_received,
            self.stats.packets_sent,
        );
    }

    fn write_session(&self, text: &mut String) {
        let stats = &self.stats;
        let _ = write!(
            text,
            ",sid={},lop={},est={},to={}",
            self.session, stats.last_op, stats.established_wall_ms, self.timeout_ms,
        );
        if stats.last_cxid >= 0 {
            let _ = write!(text, ",lcxid=0x{:x}", stats.last_cxid);
        }
        let latency = &stats.latency;
        let average = latency.sum / i64::try_from(latency.count.max(1)).unwrap_or(i64::MAX);
        let _ = write!(
            text,
            ",lzxid={},lresp={},llat={},minlat={},avglat={},maxlat={}",
            stats.last_zxid,
            stats.last_response_ms,
            stats.last_latency_ms,
            latency.min,
            average,
            latency.max,
        );
    }
}

/// The clients of `stat`: a line each.
pub(crate) fn brief_lines(connections: &[ConnectionReport]) -> String {
    let mut text = String::new();
    for connection in connections {
        connection.write_brief(&mut text);
        text.push_str(")\n");
    }
    text
}

/// `cons`.
pub(crate) fn full_text(connections: &[ConnectionReport]) -> String {
    let mut text = String::new();
    for connection in connections {
        connection.write_brief(&mut text);
        if connection.session != SessionId(0) {
            connection.write_session(&mut text);
        }
        text.push_str(")\n");
    }
    text.push('\n');
    text
}

#[cfg(test)]
mod tests;
