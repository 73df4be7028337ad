//! Which nodes the requests that have arrived are about, and the transactions that have committed, before
//! their turn comes ([`Replica::look_ahead`]).

use crate::node::Node;
use crate::step::{Input, Output};
use zooid_proto::{OpCode, PacketType};
use zooid_tree::Replica;

const LENGTH_BYTES: usize = 4;
/// The xid, which nobody asks for here.
const XID_BYTES: usize = 4;
/// The session and the xid in front of a forwarded request's op.
const FORWARDED_BYTES: usize = 12;

/// Looks ahead at the nodes that frames are about, each of which stands behind its length; the last may
/// not be whole. What is no request is passed over.
pub fn look_ahead(replica: &Replica, frames: &[u8]) -> usize {
    let mut rest = frames;
    let frames = std::iter::from_fn(|| {
        let (frame, behind) = split_prefixed(rest)?;
        rest = behind;
        Some(frame)
    });
    replica.look_ahead(frames.filter_map(path_of))
}

/// Looks ahead at the nodes that the first of these commits are about. How many seem to be there.
pub fn look_ahead_at_commits(replica: &Replica, outputs: &[Output]) -> usize {
    let paths = outputs.iter().filter_map(|output| match output {
        Output::Commit { record, .. } => record.txn.path(),
        _ => None,
    });
    replica.look_ahead(paths.map(str::as_bytes))
}

impl Node {
    /// Looks ahead at the nodes that the first writes among these inputs are about, if it is this server that
    /// orders them. How many seem to be there.
    pub fn look_ahead(&self, replica: &Replica, inputs: &[Input]) -> usize {
        if self.is_ordering() {
            replica.look_ahead(inputs.iter().filter_map(written_path))
        } else {
            0
        }
    }
}

/// The path of a write, of a client of this server or of a learner.
fn written_path(input: &Input) -> Option<&[u8]> {
    let (op, body) = match input {
        Input::Request(request) => (request.op, &*request.body),
        Input::Packet(_, packet) if packet.kind == PacketType::Request => {
            let (_, request) = packet.data.as_ref()?.split_at_checked(FORWARDED_BYTES)?;
            split_op(request)?
        }
        _ => return None,
    };
    (creates(op) || begins_with_path(op)).then(|| path_in(body))?
}

/// The path at the front of a request, as far as it has one.
fn path_of(frame: &[u8]) -> Option<&[u8]> {
    let (_, request) = frame.split_at_checked(XID_BYTES)?;
    let (op, body) = split_op(request)?;
    begins_with_path(op).then(|| path_in(body))?
}

/// What is asked, and the body behind it.
fn split_op(request: &[u8]) -> Option<(OpCode, &[u8])> {
    let (op, body) = request.split_first_chunk()?;
    Some((OpCode::from_code(i32::from_be_bytes(*op))?, body))
}

/// What a body has for a path.
fn path_in(body: &[u8]) -> Option<&[u8]> {
    let (path, _) = split_prefixed(body)?;
    Some(path)
}

/// Whether the path that a body begins with is of no node yet. Where it will be in the index matters to who
/// creates it.
fn creates(op: OpCode) -> bool {
    matches!(
        op,
        OpCode::Create | OpCode::Create2 | OpCode::CreateContainer | OpCode::CreateTtl
    )
}

fn begins_with_path(op: OpCode) -> bool {
    matches!(
        op,
        OpCode::Delete
            | OpCode::Exists
            | OpCode::GetData
            | OpCode::SetData
            | OpCode::GetAcl
            | OpCode::SetAcl
            | OpCode::GetChildren
            | OpCode::GetChildren2
    )
}

/// What stands behind its length, and what is behind it.
fn split_prefixed(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (len, rest) = bytes.split_first_chunk::<LENGTH_BYTES>()?;
    rest.split_at_checked(usize::try_from(i32::from_be_bytes(*len)).ok()?)
}

#[cfg(test)]
mod tests;
