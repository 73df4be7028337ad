//! Packets as bytes, well-formed ones.

use bytes::Bytes;
use zooid_interop::{Wire, anyone};
use zooid_proto::request::{CreateRequest, PathWatch, SetDataRequest};
use zooid_proto::{
    ConnectRequest, CreateMode, Jute, Limit, OpCode, Reader, ReplyHeader, RequestHeader, SessionId,
    Zxid,
};

/// A body with its length before it.
pub(crate) fn framed(body: &[u8]) -> Vec<u8> {
    let len = u32::try_from(body.len()).expect("tests send less");
    let mut packet = len.to_be_bytes().to_vec();
    packet.extend_from_slice(body);
    packet
}

/// A connect request for a new session, without its length.
pub(crate) fn connect_body() -> Vec<u8> {
    ConnectRequest {
        protocol_version: 0,
        last_zxid_seen: Zxid::ZERO,
        timeout_ms: 40_000,
        session_id: SessionId(0),
        password: Some(Bytes::from_static(&[0; 16])),
        read_only: Some(false),
    }
    .to_vec()
}

pub(crate) fn connect() -> Vec<u8> {
    framed(&connect_body())
}

pub(crate) fn request(xid: i32, op: i32, body: &[u8]) -> Vec<u8> {
    let mut packet = RequestHeader { xid, op }.to_vec();
    packet.extend_from_slice(body);
    framed(&packet)
}

pub(crate) fn read(xid: i32, op: OpCode, path: &str) -> Vec<u8> {
    let mut body = Vec::new();
    let path = path.into();
    PathWatch { path, watch: false }.encode(&mut body);
    request(xid, op.code(), &body)
}

pub(crate) fn ping() -> Vec<u8> {
    request(zooid_proto::xid::PING, OpCode::Ping.code(), &[])
}

pub(crate) fn create(xid: i32, path: &str, data: &[u8]) -> Vec<u8> {
    let body = CreateRequest {
        path: path.to_owned(),
        data: Some(Bytes::copy_from_slice(data)),
        acl: anyone().into(),
        flags: CreateMode::Persistent.flags(),
    };
    request(xid, OpCode::Create.code(), &body.to_vec())
}

pub(crate) fn set_data(xid: i32, path: &str, data: &[u8]) -> Vec<u8> {
    let body = SetDataRequest {
        path: path.to_owned(),
        data: Some(Bytes::copy_from_slice(data)),
        version: -1,
    };
    request(xid, OpCode::SetData.code(), &body.to_vec())
}

/// Opens a connection and a session on it.
pub(crate) fn shake_hands(address: std::net::SocketAddr) -> Wire {
    let mut wire = Wire::open(address).expect("the server listens");
    wire.send_raw(&connect()).expect("the server listens");
    let answer = wire.receive().expect("an answer");
    assert_eq!(answer.expect("a session").len(), 37);
    wire
}

/// A reply's header; what follows it is dropped.
pub(crate) fn header(packet: &[u8]) -> ReplyHeader {
    ReplyHeader::decode(&mut Reader::new(packet, Limit::default())).expect("a reply")
}

/// Receives a reply; `None` when the server has closed the connection.
pub(crate) fn receive(wire: &mut Wire) -> Option<ReplyHeader> {
    let packet = wire.receive().expect("a reply or the end")?;
    Some(header(&packet))
}
