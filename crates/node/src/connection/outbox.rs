//! Bytes on their way to one client: whole frames, in order.

use super::Sent;
use super::byte_chain::ByteChain;
use zooid_proto::{
    ConnectResponse, ErrorCode, EventType, Jute, KeeperState, ReplyHeader, Zxid, xid,
};
use zooid_tree::KeptList;

const LENGTH_BYTES: usize = 4;
/// Where a reply header's error code stands, counted from the start of the frame.
const ERR_OFFSET: usize = LENGTH_BYTES + 4 + 8;
const HEADER_END: usize = ERR_OFFSET + 4;
/// Shorter pieces are copied faster than the kernel takes them one by one.
const SHARED_BYTES_MIN: usize = 16 << 10;
/// Room that is made at once, at most.
const USUAL_BYTES_MAX: usize = 16 << 10;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    chain: ByteChain,
    /// How much was taken the last time: so much room is made at once the next time.
    usual_bytes: usize,
    sent: Sent,
}

impl Outbox {
    pub(super) fn len(&self) -> usize {
        self.chain.len()
    }

    pub(super) fn clear(&mut self) {
        self.chain = ByteChain::default();
    }

    /// Moves everything to the end of `out`. An empty `out` gets the buffer itself.
    pub(super) fn take(&mut self, out: &mut ByteChain) {
        if self.chain.is_empty() {
            return;
        }
        self.usual_bytes = self.bytes().len().min(USUAL_BYTES_MAX);
        out.append(&mut self.chain);
    }

    /// Those of this client alone.
    fn bytes(&mut self) -> &mut Vec<u8> {
        self.chain.own_mut()
    }

    /// What has been put in since the last call.
    pub(super) fn take_sent(&mut self) -> Sent {
        std::mem::take(&mut self.sent)
    }

    fn begin(&mut self) -> usize {
        let usual_bytes = self.usual_bytes;
        let bytes = self.bytes();
        let start = bytes.len();
        if start == 0 {
            bytes.reserve(usual_bytes);
        }
        bytes.extend_from_slice(&[0; LENGTH_BYTES]);
        start
    }

    /// Completes a packet of which so many bytes are shared; its length.
    fn end(&mut self, start: usize, shared: usize) -> u32 {
        let bytes = self.bytes();
        let len = bytes.len() + shared - start - LENGTH_BYTES;
        let len = u32::try_from(len).expect("a reply is made of bounded parts");
        bytes[start..start + LENGTH_BYTES].copy_from_slice(&len.to_be_bytes());
        self.sent.packets += 1;
        len
    }

    fn end_reply(&mut self, start: usize, shared: usize) {
        let len = self.end(start, shared);
        self.sent.replied(i64::from(len));
    }

    pub(super) fn connect_response(&mut self, response: &ConnectResponse) {
        let start = self.begin();
        response.encode(self.bytes());
        self.end(start, 0);
    }

    /// A reply without a body.
    pub(super) fn reply(&mut self, xid: i32, zxid: Zxid, err: ErrorCode) {
        let start = self.begin();
        ReplyHeader { xid, zxid, err }.encode(self.bytes());
        self.end_reply(start, 0);
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
        .encode(self.bytes());
        let bytes = self.bytes();
        if let Err(err) = write(bytes) {
            bytes.truncate(start + HEADER_END);
            let code = err.code().to_be_bytes();
            bytes[start + ERR_OFFSET..start + HEADER_END].copy_from_slice(&code);
        }
        self.end_reply(start, 0);
    }

    /// A reply that begins with what others are sent as well, before what `write` appends.
    pub(super) fn reply_sharing(
        &mut self,
        xid: i32,
        zxid: Zxid,
        list: KeptList,
        write: impl FnOnce(&mut Vec<u8>),
    ) {
        let KeptList { encoded, was_kept } = list;
        self.sent.found_list(was_kept);
        let start = self.begin();
        let err = ErrorCode::Ok;
        ReplyHeader { xid, zxid, err }.encode(self.bytes());
        let mut shared = 0;
        if encoded.len() < SHARED_BYTES_MIN {
            self.bytes().extend_from_slice(&encoded);
        } else {
            shared = encoded.len();
            self.chain.share(encoded);
        }
        write(self.bytes());
        self.end_reply(start, shared);
    }

    pub(super) fn event(&mut self, zxid: Zxid, event: EventType, path: &str) {
        let start = self.begin();
        ReplyHeader {
            xid: xid::NOTIFICATION,
            zxid,
            err: ErrorCode::Ok,
        }
        .encode(self.bytes());
        event.encode(self.bytes());
        KeeperState::SyncConnected.encode(self.bytes());
        zooid_jute::put_str(self.bytes(), path);
        let len = self.end(start, 0);
        self.sent.told(i64::from(len));
    }
}
