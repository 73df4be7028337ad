//! Which nodes the requests that have arrived are about, before their turn comes
//! ([`Replica::look_ahead`]).

use zooid_proto::OpCode;
use zooid_tree::Replica;

const LENGTH_BYTES: usize = 4;
/// The xid, which nobody asks for here.
const XID_BYTES: usize = 4;

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

/// The path at the front of a request, as far as it has one.
fn path_of(frame: &[u8]) -> Option<&[u8]> {
    let (_, request) = frame.split_at_checked(XID_BYTES)?;
    let (op, body) = request.split_first_chunk()?;
    let op = OpCode::from_code(i32::from_be_bytes(*op))?;
    if !begins_with_path(op) {
        return None;
    }
    let (path, _) = split_prefixed(body)?;
    Some(path)
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
