//! Bytes on their way to one client: whole frames, in order.

use super::Sent;
use zooid_proto::{
    ConnectResponse, ErrorCode, EventType, Jute, KeeperState, ReplyHeader, Zxid, xid,
};

const LENGTH_BYTES: usize = 4;
/// Where a reply header's error code stands, counted from the start of the frame.
const ERR_OFFSET: usize = LENGTH_BYTES + 4 + 8;
const HEADER_END: usize = ERR_OFFSET + 4;
/// Room that is made at once, at most.
const USUAL_BYTES_MAX: usize = 16 << 10;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    bytes: Vec<u8>,
    /// How much was taken the last time: so much room is made at once the next time.
    usual_bytes: usize,
    sent: Sent,
}

impl Outbox {
    pub(super) fn len(&self) -> usize {
        self.bytes.len()
    }

    pub(super) fn clear(&mut self) {
        self.bytes = Vec::new();
    }

    /// Moves everything to the end of `out`. An empty `out` gets the buffer itself.
    pub(super) fn take(&mut self, out: &mut Vec<u8>) {
        if self.bytes.is_empty() {
            return;
        }
        self.usual_bytes = self.bytes.len().min(USUAL_BYTES_MAX);
        if out.is_empty() {
            *out = std::mem::take(&mut self.bytes);
        } else {
            out.append(&mut self.bytes);
        }
    }

    /// What has been put in since the last call.
    pub(super) fn take_sent(&mut self) -> Sent {
        std::mem::take(&mut self.sent)
    }

    fn begin(&mut self) -> usize {
        let start = self.bytes.len();
        if start == 0 {
            self.bytes.reserve(self.usual_bytes);
        }
        self.bytes.extend_from_slice(&[0; LENGTH_BYTES]);
        start
    }

    /// Completes a packet; its length.
    fn end(&mut self, start: usize) -> u32 {
        let len = self.bytes.len() - start - LENGTH_BYTES;
        let len = u32::try_from(len).expect("a reply is made of bounded parts");
        self.bytes[start..start + LENGTH_BYTES].copy_from_slice(&len.to_be_bytes());
        self.sent.packets += 1;
        len
    }

    fn end_reply(&mut self, start: usize) {
        let len = self.end(start);
        self.sent.replied(i64::from(len));
    }

    pub(super) fn connect_response(&mut self, response: &ConnectResponse) {
        let start = self.begin();
        response.encode(&mut self.bytes);
        self.end(start);
    }

    /// A reply without a body.
    pub(super) fn reply(&mut self, xid: i32, zxid: Zxid, err: ErrorCode) {
        let start = self.begin();
        ReplyHeader { xid, zxid, err }.encode(&mut self.bytes);
        self.end_reply(start);
    }

    /// A reply whose body `write` appends; if that fails, the code alone.
    pub(super) fn reply_with(
        &mut self,
        xid: i32,
        zxid: Zxid,
        write: impl FnOnce(&mut Vec<u8>) -> Result<(), ErrorCode>,
    ) {
        let start = self.begin();
        ReplyHeader {
            xid,
            zxid,
            err: ErrorCode::Ok,
        }
        .encode(&mut self.bytes);
        if let Err(err) = write(&mut self.bytes) {
            self.bytes.truncate(start + HEADER_END);
            let code = err.code().to_be_bytes();
            self.bytes[start + ERR_OFFSET..start + HEADER_END].copy_from_slice(&code);
        }
        self.end_reply(start);
    }

    pub(super) fn event(&mut self, zxid: Zxid, event: EventType, path: &str) {
        let start = self.begin();
        ReplyHeader {
            xid: xid::NOTIFICATION,
            zxid,
            err: ErrorCode::Ok,
        }
        .encode(&mut self.bytes);
        event.encode(&mut self.bytes);
        KeeperState::SyncConnected.encode(&mut self.bytes);
        zooid_jute::put_str(&mut self.bytes, path);
        let len = self.end(start);
        self.sent.told(i64::from(len));
    }
}
