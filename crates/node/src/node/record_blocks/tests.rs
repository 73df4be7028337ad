use super::*;
use zooid_proto::{OpCode, SessionId, SetDataTxn, Txn, TxnHeader, Zxid};

fn record(zxid: i64, data_len: usize) -> TxnRecord {
    let txn = Txn::SetData(SetDataTxn {
        path: "/node".to_owned(),
        data: Some(vec![7; data_len].into()),
        version: 1,
    });
    let header = TxnHeader {
        client_id: SessionId(9),
        cxid: 3,
        zxid: Zxid(zxid),
        time: 5,
        op: OpCode::SetData.code(),
    };
    TxnRecord {
        header,
        txn,
        digest: None,
    }
}

#[test]
fn records_are_what_they_are_by_themselves() {
    let mut blocks = RecordBlocks::default();
    let sizes = [0, 100, SHARED_MAX, BLOCK_LEN, 2 * BLOCK_LEN, 1];
    let records: Vec<TxnRecord> = (1..)
        .zip(sizes.iter().cycle().take(1000))
        .map(|(zxid, len)| record(zxid, *len))
        .collect();
    let encoded: Vec<Bytes> = records.iter().map(|record| blocks.encode(record)).collect();
    for (record, encoded) in records.iter().zip(&encoded) {
        assert_eq!(*encoded, record.encode());
    }
}

#[test]
fn small_records_lie_side_by_side() {
    let mut blocks = RecordBlocks::default();
    let encoded: Vec<Bytes> = (1..=100)
        .map(|zxid| blocks.encode(&record(zxid, 100)))
        .collect();
    for pair in encoded.windows(2) {
        assert_eq!(pair[0].as_ptr_range().end, pair[1].as_ptr());
    }
}

#[test]
fn a_large_record_takes_no_more_than_it_needs() {
    let mut blocks = RecordBlocks::default();
    let before = blocks.encode(&record(1, 100));
    let large = blocks.encode(&record(2, SHARED_MAX));
    let after = blocks.encode(&record(3, 100));
    assert_eq!(before.as_ptr_range().end, after.as_ptr());
    let bytes = large.try_into_mut().expect("nobody else has it");
    assert!(bytes.capacity() < 2 * bytes.len());
}
