//! Transactions by chance, each of which does something to the tree that it meets.

use crate::random::Random;
use bytes::Bytes;
use zooid_proto::{
    Acl, CreateTxn, SessionId, SetAclTxn, SetDataTxn, Txn, TxnDigest, TxnHeader, TxnRecord, Zxid,
    perms,
};
use zooid_tree::Replica;

/// Longer than any test.
const SESSION_TIMEOUT_MS: i32 = 600_000;
/// Around the end of 2023.
const TIME_MS: i64 = 1_700_000_000_000;
const NODES: usize = 9;

/// Makes the transaction `zxid`, applies it, and returns its record.
pub(super) fn apply_next(replica: &mut Replica, zxid: Zxid, dice: &mut Random) -> Bytes {
    let session = SessionId(0x100_0000_0000_0000 | i64::try_from(dice.below(3)).unwrap_or(0));
    let txn = draw(replica, session, dice);
    let header = TxnHeader {
        client_id: session,
        cxid: 1,
        zxid,
        time: TIME_MS + zxid.0 % 100_000,
        op: txn.op_code().code(),
    };
    replica.apply(&header, &txn, None, &mut Vec::new());
    let digest = Some(TxnDigest {
        version: TxnDigest::VERSION,
        tree_digest: replica.digest(),
    });
    let record = TxnRecord {
        header,
        txn,
        digest,
    };
    record.encode().into()
}

fn draw(replica: &Replica, session: SessionId, dice: &mut Random) -> Txn {
    if replica.session_timeout(session).is_none() {
        return Txn::CreateSession {
            timeout_ms: SESSION_TIMEOUT_MS,
        };
    }
    let path = format!("/n{}", dice.index(NODES));
    let child = format!("{path}/c{}", dice.index(3));
    let has = |path: &str| replica.node(path).is_some();
    match dice.below(12) {
        _ if !has(&path) => Txn::Create(create(path, dice, false)),
        0..3 if !has(&child) => {
            let is_ephemeral = dice.per_mille(400);
            Txn::Create(create(child, dice, is_ephemeral))
        }
        0..3 => Txn::Delete { path: child },
        3..8 => Txn::SetData(set_data(path, dice)),
        8 => Txn::SetAcl(SetAclTxn {
            path,
            acl: vec![
                Acl::anyone(perms::ALL),
                Acl::new(perms::READ, "ip", "127.0.0.1"),
            ]
            .into(),
            version: 1,
        }),
        9 => Txn::Error(zooid_proto::ErrorCode::NodeExists),
        10 => Txn::Multi(vec![
            Txn::SetData(set_data(path, dice)),
            Txn::SetData(set_data("/".to_owned(), dice)),
        ]),
        _ => Txn::CloseSession {
            paths_to_delete: Some(replica.ephemerals_of(session)),
        },
    }
}

fn create(path: String, dice: &mut Random, ephemeral: bool) -> CreateTxn {
    CreateTxn {
        path,
        data: Some(data(dice)),
        acl: vec![Acl::anyone(perms::ALL)].into(),
        ephemeral,
        // The one after the parent's.
        parent_cversion: -1,
    }
}

fn set_data(path: String, dice: &mut Random) -> SetDataTxn {
    SetDataTxn {
        path,
        data: Some(data(dice)),
        version: i32::try_from(dice.below(1000)).unwrap_or(0),
    }
}

/// Mostly less than a sector, and now and then several.
fn data(dice: &mut Random) -> Bytes {
    let len = match dice.below(8) {
        0 => dice.index(2500),
        1 => 0,
        _ => dice.index(200),
    };
    let fill = u8::try_from(dice.below(256)).unwrap_or(0);
    vec![fill; len].into()
}
