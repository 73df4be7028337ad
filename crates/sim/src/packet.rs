//! What a server sends, taken apart.

use bytes::Bytes;
use zooid_proto::{
    ConnectResponse, DecodeError, ErrorCode, Jute, Limit, Reader, ReplyHeader, WatcherEvent, Zxid,
    xid,
};

const LENGTH_BYTES: usize = 4;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Packet {
    Connected(ConnectResponse),
    Reply(Reply),
    Event(Notice),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reply {
    pub(crate) xid: i32,
    pub(crate) zxid: Zxid,
    pub(crate) err: ErrorCode,
    pub(crate) body: Vec<u8>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Notice {
    pub(crate) zxid: Zxid,
    pub(crate) event: i32,
    pub(crate) path: String,
}

/// Cuts an outbox into frames, without their lengths.
pub(crate) fn frames(bytes: Vec<u8>) -> Vec<Bytes> {
    let mut rest = Bytes::from(bytes);
    let mut frames = Vec::new();
    while let Some(length) = rest.first_chunk::<LENGTH_BYTES>() {
        let len =
            usize::try_from(i32::from_be_bytes(*length)).expect("a server's frames have a length");
        let mut frame = rest.split_to(LENGTH_BYTES + len);
        frames.push(frame.split_off(LENGTH_BYTES));
    }
    assert!(rest.is_empty(), "an outbox holds whole frames");
    frames
}

impl Packet {
    /// The first packet of a connection answers its connect request.
    pub(crate) fn parse(frame: &Bytes, is_first: bool) -> Result<Packet, DecodeError> {
        let mut r = Reader::shared(frame, Limit(usize::MAX));
        if is_first {
            return Ok(Packet::Connected(ConnectResponse::decode(&mut r)?));
        }
        let header = ReplyHeader::decode(&mut r)?;
        if header.xid == xid::NOTIFICATION {
            let event = WatcherEvent::decode(&mut r)?;
            return Ok(Packet::Event(Notice {
                zxid: header.zxid,
                event: event.event_type,
                path: event.path,
            }));
        }
        Ok(Packet::Reply(Reply {
            xid: header.xid,
            zxid: header.zxid,
            err: header.err,
            body: r.rest().to_vec(),
        }))
    }
}
