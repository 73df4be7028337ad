//! Replies of writes, made from what applying them has found (spec §2.5, §2.11).

use zooid_proto::response::{Create2Response, PathResponse};
use zooid_proto::{ErrorCode, Jute, MultiResult, OpCode, Stat, Txn};
use zooid_tree::Applied;

/// Whether an operation must go through the core.
pub(super) fn is_write(op: OpCode) -> bool {
    matches!(
        op,
        OpCode::Create
            | OpCode::Create2
            | OpCode::CreateContainer
            | OpCode::CreateTtl
            | OpCode::Delete
            | OpCode::SetData
            | OpCode::SetAcl
            | OpCode::Multi
            | OpCode::Reconfig
            | OpCode::Sync
            | OpCode::CloseSession
    )
}

/// Appends the reply body of a write that succeeded, or of a multi however it fared.
pub(super) fn write_result(op: OpCode, txn: &Txn, applied: &Applied, out: &mut Vec<u8>) {
    let stat = applied.stat.unwrap_or_default();
    match (op, txn) {
        (OpCode::Create, txn) => PathResponse {
            path: created_path(txn),
        }
        .encode(out),
        (OpCode::Create2 | OpCode::CreateContainer | OpCode::CreateTtl, txn) => {
            Create2Response {
                path: created_path(txn),
                stat,
            }
            .encode(out);
        }
        (OpCode::SetData | OpCode::SetAcl, _) => stat.encode(out),
        (OpCode::Multi, Txn::Multi(txns)) => {
            let failed = applied.err != ErrorCode::Ok;
            let results = txns.iter().zip(&applied.multi);
            let results = results.map(|(txn, sub)| multi_result(txn, sub, failed));
            MultiResult::encode_all(&results.collect::<Vec<_>>(), out);
        }
        _ => {}
    }
}

fn created_path(txn: &Txn) -> String {
    match txn {
        Txn::Create(txn) | Txn::Create2(txn) => txn.path.clone(),
        Txn::CreateTtl(txn) => txn.path.clone(),
        Txn::CreateContainer(txn) => txn.path.clone(),
        _ => String::new(),
    }
}

/// One failure fails all; each operation then carries an error of its own, those before it 0.
fn multi_result(txn: &Txn, applied: &Applied, failed: bool) -> MultiResult {
    let stat: Stat = applied.stat.unwrap_or_default();
    if failed {
        return MultiResult::Error(applied.err);
    }
    match txn {
        Txn::Create(txn) => MultiResult::Create(txn.path.clone()),
        Txn::Create2(_) | Txn::CreateTtl(_) | Txn::CreateContainer(_) => {
            MultiResult::Create2(created_path(txn), stat)
        }
        Txn::SetData(_) => MultiResult::SetData(stat),
        Txn::Check { .. } => MultiResult::Check,
        _ => MultiResult::Delete,
    }
}
