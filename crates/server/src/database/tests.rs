use super::{Database, open};
use std::sync::Arc;
use zooid_config::{Config, parse_zoo_cfg};
use zooid_proto::{SessionId, Txn, TxnHeader, TxnRecord, Zxid};
use zooid_storage::disk::RealDisk;

fn config(dir: &tempfile::TempDir, more: &str) -> Config {
    let text = format!("dataDir={}\nclientPort=0\n{more}\n", dir.path().display());
    std::fs::create_dir_all(dir.path().join("version-2")).unwrap();
    parse_zoo_cfg(text.as_bytes()).unwrap().config
}

fn append(database: &mut Database, zxid: i64) {
    let txn = Txn::CreateSession { timeout_ms: 4000 };
    let header = TxnHeader {
        client_id: SessionId(7),
        cxid: 0,
        zxid: Zxid(zxid),
        time: 1,
        op: txn.op_code().code(),
    };
    let record = TxnRecord {
        header,
        txn,
        digest: None,
    };
    database.log.append(Zxid(zxid), &record.encode()).unwrap();
    database.log.commit().unwrap();
}

#[test]
fn an_untrusted_empty_database_has_a_snapshot_before_it_has_a_log() {
    let dir = tempfile::tempdir().unwrap();
    let config = config(&dir, "db.autocreate=false");
    append(&mut open(Arc::new(RealDisk), &config).unwrap(), 1);
    let again = open(Arc::new(RealDisk), &config).unwrap();
    assert_eq!(again.replica.last_zxid(), Zxid(1));
}

#[test]
fn logs_trusted_once_have_a_snapshot_from_then_on() {
    let dir = tempfile::tempdir().unwrap();
    let plain = config(&dir, "");
    append(&mut open(Arc::new(RealDisk), &plain).unwrap(), 1);
    std::fs::remove_file(dir.path().join("version-2/snapshot.0")).unwrap();
    assert!(
        open(Arc::new(RealDisk), &plain).is_err(),
        "a log alone is not trusted"
    );
    let trusting = config(&dir, "snapshot.trust.empty=true");
    assert_eq!(
        open(Arc::new(RealDisk), &trusting)
            .unwrap()
            .replica
            .last_zxid(),
        Zxid(1)
    );
    assert_eq!(
        open(Arc::new(RealDisk), &plain)
            .unwrap()
            .replica
            .last_zxid(),
        Zxid(1)
    );
}
