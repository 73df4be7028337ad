//! Encoding and decoding what most requests are made of.

use std::hint::black_box;

use anyhow::ensure;
use bytes::Bytes;
use zooid_proto::request::CreateRequest;
use zooid_proto::response::GetDataResponse;
use zooid_proto::{
    Acl, CreateMode, ErrorCode, Jute, Limit, OpCode, Reader, ReplyHeader, RequestHeader, Stat,
    TxnRecord, Zxid, perms,
};

use super::tree::create_record;
use super::{Case, VALUE};

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

fn decode_create(times: u32) -> anyhow::Result<()> {
    let mut packet = Vec::new();
    let (xid, op) = (1, OpCode::Create.code());
    RequestHeader { xid, op }.encode(&mut packet);
    let request = CreateRequest {
        path: "/services/web/instance-0000000017".into(),
        data: Some(Bytes::from_static(VALUE)),
        acl: vec![Acl::anyone(perms::ALL)].into(),
        flags: CreateMode::Persistent.flags(),
    };
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
    let record = create_record(1, "/services/web/instance-0000000017");
    for _ in 0..times {
        black_box(black_box(&record).encode());
    }
    Ok(())
}

fn decode_transaction(times: u32) -> anyhow::Result<()> {
    let bytes = Bytes::from(create_record(1, "/services/web/instance-0000000017").encode());
    for _ in 0..times {
        black_box(TxnRecord::decode(black_box(&bytes))?);
    }
    Ok(())
}
