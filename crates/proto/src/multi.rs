//! multi and multiRead (spec §2.11; Java `MultiOperationRecord`, `MultiResponse`).

use crate::request::{CreateRequest, CreateTtlRequest, PathVersion, SetDataRequest};
use crate::{DecodeError, ErrorCode, Jute, OpCode, Reader, Stat};
use alloc::string::String;
use alloc::vec::Vec;
use bytes::Bytes;
use zooid_jute::record;

record! {
    /// Precedes every operation and result of a multi.
    pub struct MultiHeader {
        /// An operation's number; -1 for an error and at the end.
        op: i32,
        /// Whether the list ends here.
        done: bool,
        /// A result's code.
        err: i32,
    }
}

impl MultiHeader {
    const END: MultiHeader = MultiHeader {
        op: -1,
        done: true,
        err: -1,
    };

    fn of(op: OpCode, err: i32) -> MultiHeader {
        MultiHeader {
            op: op.code(),
            done: false,
            err,
        }
    }
}

/// One write of a multi.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MultiOp {
    /// create
    Create(CreateRequest),
    /// create2
    Create2(CreateRequest),
    /// createContainer
    CreateContainer(CreateRequest),
    /// createTTL
    CreateTtl(CreateTtlRequest),
    /// delete
    Delete(PathVersion),
    /// setData
    SetData(SetDataRequest),
    /// check
    Check(PathVersion),
}

/// Body of a multi.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MultiRequest(pub Vec<MultiOp>);

/// One read of a multiRead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MultiReadOp {
    /// getData
    GetData,
    /// getChildren
    GetChildren,
}

/// Body of a multiRead: an operation and a path each. The watch flags mean nothing here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MultiRead(pub Vec<(MultiReadOp, String)>);

/// One result of a multi or multiRead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MultiResult {
    /// create
    Create(String),
    /// create2, createTTL, createContainer
    Create2(String, Stat),
    /// delete
    Delete,
    /// setData
    SetData(Stat),
    /// check
    Check,
    /// getData
    GetData(Option<Bytes>, Stat),
    /// getChildren
    GetChildren(Vec<String>),
    /// A failure; after it, in a multi, [`ErrorCode::RuntimeInconsistency`].
    Error(ErrorCode),
}

fn unknown_op(value: i32) -> DecodeError {
    DecodeError::Unknown {
        what: "operation of a multi",
        value,
    }
}

/// Calls `item` for each header until the end marker.
fn each_item(
    r: &mut Reader<'_>,
    mut item: impl FnMut(&mut Reader<'_>, i32) -> Result<(), DecodeError>,
) -> Result<(), DecodeError> {
    loop {
        let header = MultiHeader::decode(r)?;
        if header.done {
            return Ok(());
        }
        item(r, header.op)?;
    }
}

impl MultiOp {
    /// Its operation code.
    #[must_use]
    pub fn op_code(&self) -> OpCode {
        match self {
            MultiOp::Create(_) => OpCode::Create,
            MultiOp::Create2(_) => OpCode::Create2,
            MultiOp::CreateContainer(_) => OpCode::CreateContainer,
            MultiOp::CreateTtl(_) => OpCode::CreateTtl,
            MultiOp::Delete(_) => OpCode::Delete,
            MultiOp::SetData(_) => OpCode::SetData,
            MultiOp::Check(_) => OpCode::Check,
        }
    }

    /// The node that it is about, as it is asked for: a sequential one has no number yet.
    #[must_use]
    pub fn path(&self) -> &str {
        match self {
            MultiOp::Create(r) | MultiOp::Create2(r) | MultiOp::CreateContainer(r) => &r.path,
            MultiOp::CreateTtl(r) => &r.path,
            MultiOp::Delete(r) | MultiOp::Check(r) => &r.path,
            MultiOp::SetData(r) => &r.path,
        }
    }

    fn decode(r: &mut Reader<'_>, op: i32) -> Result<MultiOp, DecodeError> {
        Ok(match OpCode::from_code(op) {
            Some(OpCode::Create) => MultiOp::Create(Jute::decode(r)?),
            Some(OpCode::Create2) => MultiOp::Create2(Jute::decode(r)?),
            Some(OpCode::CreateContainer) => MultiOp::CreateContainer(Jute::decode(r)?),
            Some(OpCode::CreateTtl) => MultiOp::CreateTtl(Jute::decode(r)?),
            Some(OpCode::Delete) => MultiOp::Delete(Jute::decode(r)?),
            Some(OpCode::SetData) => MultiOp::SetData(Jute::decode(r)?),
            Some(OpCode::Check) => MultiOp::Check(Jute::decode(r)?),
            _ => return Err(unknown_op(op)),
        })
    }

    fn encode_body(&self, out: &mut Vec<u8>) {
        match self {
            MultiOp::Create(r) | MultiOp::Create2(r) | MultiOp::CreateContainer(r) => r.encode(out),
            MultiOp::CreateTtl(r) => r.encode(out),
            MultiOp::Delete(r) | MultiOp::Check(r) => r.encode(out),
            MultiOp::SetData(r) => r.encode(out),
        }
    }
}

/// What an operation with a path and a little data takes.
const OP_LEN_USUAL: usize = 128;
/// Operations for which there is room at once, at most.
const OPS_ROOM_MAX: usize = 1024;

impl Jute for MultiRequest {
    fn decode(r: &mut Reader<'_>) -> Result<MultiRequest, DecodeError> {
        // How many there are is not said. Of small ones there are more, and the list grows.
        let usual = r.rest().len() / OP_LEN_USUAL;
        let mut ops = Vec::with_capacity(usual.min(OPS_ROOM_MAX));
        each_item(r, |r, op| {
            ops.push(MultiOp::decode(r, op)?);
            Ok(())
        })?;
        Ok(MultiRequest(ops))
    }

    fn encode(&self, out: &mut Vec<u8>) {
        for op in &self.0 {
            MultiHeader::of(op.op_code(), -1).encode(out);
            op.encode_body(out);
        }
        MultiHeader::END.encode(out);
    }
}

impl Jute for MultiRead {
    fn decode(r: &mut Reader<'_>) -> Result<MultiRead, DecodeError> {
        let mut ops = Vec::new();
        each_item(r, |r, op| {
            let kind = match OpCode::from_code(op) {
                Some(OpCode::GetData) => MultiReadOp::GetData,
                Some(OpCode::GetChildren) => MultiReadOp::GetChildren,
                _ => return Err(unknown_op(op)),
            };
            let request = crate::request::PathWatch::decode(r)?;
            ops.push((kind, request.path.into_owned()));
            Ok(())
        })?;
        Ok(MultiRead(ops))
    }

    fn encode(&self, out: &mut Vec<u8>) {
        for (kind, path) in &self.0 {
            let op = match kind {
                MultiReadOp::GetData => OpCode::GetData,
                MultiReadOp::GetChildren => OpCode::GetChildren,
            };
            MultiHeader::of(op, -1).encode(out);
            zooid_jute::put_str(out, path);
            false.encode(out);
        }
        MultiHeader::END.encode(out);
    }
}

impl MultiResult {
    fn decode(r: &mut Reader<'_>, op: i32) -> Result<MultiResult, DecodeError> {
        Ok(match OpCode::from_code(op) {
            Some(OpCode::Create) => MultiResult::Create(Jute::decode(r)?),
            Some(OpCode::Create2) => MultiResult::Create2(Jute::decode(r)?, Jute::decode(r)?),
            Some(OpCode::Delete) => MultiResult::Delete,
            Some(OpCode::SetData) => MultiResult::SetData(Jute::decode(r)?),
            Some(OpCode::Check) => MultiResult::Check,
            Some(OpCode::GetData) => MultiResult::GetData(Jute::decode(r)?, Jute::decode(r)?),
            Some(OpCode::GetChildren) => MultiResult::GetChildren(Jute::decode(r)?),
            Some(OpCode::Error) => MultiResult::Error(Jute::decode(r)?),
            _ => return Err(unknown_op(op)),
        })
    }

    fn encode_into(&self, out: &mut Vec<u8>) {
        match self {
            MultiResult::Create(path) => {
                MultiHeader::of(OpCode::Create, 0).encode(out);
                path.encode(out);
            }
            MultiResult::Create2(path, stat) => {
                MultiHeader::of(OpCode::Create2, 0).encode(out);
                path.encode(out);
                stat.encode(out);
            }
            MultiResult::Delete => MultiHeader::of(OpCode::Delete, 0).encode(out),
            MultiResult::SetData(stat) => {
                MultiHeader::of(OpCode::SetData, 0).encode(out);
                stat.encode(out);
            }
            MultiResult::Check => MultiHeader::of(OpCode::Check, 0).encode(out),
            MultiResult::GetData(data, stat) => {
                MultiHeader::of(OpCode::GetData, 0).encode(out);
                data.encode(out);
                stat.encode(out);
            }
            MultiResult::GetChildren(children) => {
                MultiHeader::of(OpCode::GetChildren, 0).encode(out);
                children.encode(out);
            }
            MultiResult::Error(err) => {
                MultiHeader::of(OpCode::Error, err.code()).encode(out);
                err.encode(out);
            }
        }
    }

    /// Appends a whole reply body.
    pub fn encode_all(results: &[MultiResult], out: &mut Vec<u8>) {
        for result in results {
            result.encode_into(out);
        }
        MultiHeader::END.encode(out);
    }

    /// Decodes a whole reply body.
    ///
    /// # Errors
    /// [`DecodeError`] when malformed.
    pub fn decode_all(r: &mut Reader<'_>) -> Result<Vec<MultiResult>, DecodeError> {
        let mut results = Vec::new();
        each_item(r, |r, op| {
            results.push(MultiResult::decode(r, op)?);
            Ok(())
        })?;
        Ok(results)
    }
}
