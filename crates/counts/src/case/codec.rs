//! Encoding and decoding what most requests are made of.

use std::hint::black_box;

use anyhow::{Context as _, ensure};
use bytes::Bytes;
use zooid_proto::path::is_valid;
use zooid_proto::quorum::ForwardedRequest;
use zooid_proto::request::CreateRequest;
use zooid_proto::response::GetDataResponse;
use zooid_proto::{
    Acl, CreateMode, ErrorCode, Id, Jute, Limit, OpCode, PacketDecoder, PacketType, QuorumPacket,
    Reader, ReplyHeader, RequestHeader, SessionId, Stat, TxnRecord, Zxid, perms,
};

use super::tree::create_record;
use super::{Case, VALUE};

const PATH: &str = "/services/web/instance-0000000017";

pub(crate) const DECODE_CREATE: Case = Case {
    name: "decode-create",
    what: "decode a create request of 100 bytes of data",
    times: 10_000,
    run: decode_create,
};

pub(crate) const ENCODE_GET_REPLY: Case = Case {
    name: "encode-get",
    what: "encode the reply to a getData of 100 bytes",
    times: 10_000,
    run: encode_get_reply,
};

pub(crate) const ENCODE_TRANSACTION: Case = Case {
    name: "encode-txn",
    what: "encode a create as a transaction, header and digest included",
    times: 10_000,
    run: encode_transaction,
};

pub(crate) const DECODE_TRANSACTION: Case = Case {
    name: "decode-txn",
    what: "decode the same",
    times: 10_000,
    run: decode_transaction,
};

pub(crate) const VALIDATE_PATH: Case = Case {
    name: "path-valid",
    what: "see that a path of 33 bytes is valid",
    times: 10_000,
    run: validate_path,
};

pub(crate) const DECODE_FORWARDED: Case = Case {
    name: "decode-forward",
    what: "decode a create that a follower forwards, of a client with one identity",
    times: 10_000,
    run: decode_forwarded,
};

pub(crate) const ENCODE_FORWARDED: Case = Case {
    name: "encode-forward",
    what: "encode the same",
    times: 10_000,
    run: encode_forwarded,
};

pub(crate) const DECODE_ACK: Case = Case {
    name: "decode-ack",
    what: "decode a follower's acknowledgement",
    times: 10_000,
    run: decode_ack,
};

pub(crate) const ENCODE_PROPOSAL: Case = Case {
    name: "encode-proposal",
    what: "encode a proposal and its commit for one follower",
    times: 10_000,
    run: encode_proposal,
};

fn create_request() -> CreateRequest {
    CreateRequest {
        path: PATH.into(),
        data: Some(Bytes::from_static(VALUE)),
        acl: vec![Acl::anyone(perms::ALL)].into(),
        flags: CreateMode::Persistent.flags(),
    }
}

fn forwarded_create() -> ForwardedRequest {
    ForwardedRequest {
        session: SessionId(1 << 56),
        cxid: 1,
        op: OpCode::Create.code(),
        body: create_request().to_vec().into(),
        ids: [Id::new("ip", "127.0.0.1")].into(),
    }
}

fn decode_create(times: u32) -> anyhow::Result<()> {
    let mut packet = Vec::new();
    let (xid, op) = (1, OpCode::Create.code());
    RequestHeader { xid, op }.encode(&mut packet);
    let request = create_request();
    request.encode(&mut packet);
    let packet = Bytes::from(packet);
    for _ in 0..times {
        let mut reader = Reader::shared(black_box(&packet), Limit::default());
        let header = RequestHeader::decode(&mut reader)?;
        let decoded = CreateRequest::decode(&mut reader)?;
        ensure!(header.op == op && decoded.flags == request.flags);
        black_box(decoded);
    }
    Ok(())
}

fn encode_get_reply(times: u32) -> anyhow::Result<()> {
    let header = ReplyHeader {
        xid: 1,
        zxid: Zxid(1 << 32),
        err: ErrorCode::Ok,
    };
    let body = GetDataResponse {
        data: Some(Bytes::from_static(VALUE)),
        stat: Stat::default(),
    };
    let mut out = Vec::new();
    for _ in 0..times {
        out.clear();
        black_box(&header).encode(&mut out);
        black_box(&body).encode(&mut out);
        black_box(&out);
    }
    Ok(())
}

fn encode_transaction(times: u32) -> anyhow::Result<()> {
    let record = create_record(1, PATH);
    for _ in 0..times {
        black_box(black_box(&record).encode());
    }
    Ok(())
}

fn decode_transaction(times: u32) -> anyhow::Result<()> {
    let bytes = Bytes::from(create_record(1, PATH).encode());
    for _ in 0..times {
        black_box(TxnRecord::decode(black_box(&bytes))?);
    }
    Ok(())
}

fn validate_path(times: u32) -> anyhow::Result<()> {
    for _ in 0..times {
        ensure!(is_valid(black_box(PATH)));
    }
    Ok(())
}

fn decode_forwarded(times: u32) -> anyhow::Result<()> {
    let bytes = Bytes::from(forwarded_create().to_packet().to_vec());
    let mut decoder = PacketDecoder::default();
    for _ in 0..times {
        let mut reader = Reader::shared(black_box(&bytes), Limit::default());
        let packet = decoder.next(&mut reader)?.context("it is whole")?;
        black_box(ForwardedRequest::from_packet(&packet)?);
    }
    Ok(())
}

fn encode_forwarded(times: u32) -> anyhow::Result<()> {
    let forwarded = forwarded_create();
    let mut out = Vec::new();
    for _ in 0..times {
        out.clear();
        black_box(&forwarded).to_packet().encode(&mut out);
        black_box(&out);
    }
    Ok(())
}

fn decode_ack(times: u32) -> anyhow::Result<()> {
    let bytes = Bytes::from(QuorumPacket::new(PacketType::Ack, Zxid(1 << 32)).to_vec());
    let mut decoder = PacketDecoder::default();
    for _ in 0..times {
        let mut reader = Reader::shared(black_box(&bytes), Limit::default());
        black_box(decoder.next(&mut reader)?);
    }
    Ok(())
}

fn encode_proposal(times: u32) -> anyhow::Result<()> {
    let record = Bytes::from(create_record(1, PATH).encode());
    let zxid = Zxid(1 << 32);
    let proposal = QuorumPacket::with_data(PacketType::Proposal, zxid, record);
    let commit = QuorumPacket::new(PacketType::Commit, zxid);
    let mut out = Vec::new();
    for _ in 0..times {
        out.clear();
        black_box(&proposal).encode(&mut out);
        black_box(&commit).encode(&mut out);
        black_box(&out);
    }
    Ok(())
}
