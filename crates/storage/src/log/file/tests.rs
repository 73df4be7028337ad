use super::{DecodedLog, LogFileEnd, decode_log};
use crate::log::LogReadError;
use crate::testing::{apply, tree_options};
use proptest::prelude::*;
use zooid_proto::{FileHeader, Jute, TxnRecord, Zxid};
use zooid_tree::Replica;

/// A log with the transactions 1 to `count` and some padding, and where each record ends.
fn log_bytes(count: i64) -> (Vec<u8>, Vec<usize>) {
    let mut bytes = FileHeader::LOG.to_vec();
    let mut ends = vec![bytes.len()];
    let mut replica = Replica::new(tree_options());
    for zxid in 1..=count {
        super::frame::put(&mut bytes, &apply(&mut replica, Zxid(zxid)));
        ends.push(bytes.len());
    }
    bytes.resize(bytes.len() + 700, 0);
    (bytes, ends)
}

fn zxids(log: &DecodedLog) -> Vec<i64> {
    log.txns.iter().map(|txn| txn.header.zxid.0).collect()
}

#[test]
fn zeros_at_the_end_are_told_from_others() {
    for len in [0, 1, 63, 1024, 1025, 5000] {
        let mut bytes = vec![0; len];
        assert_eq!(super::len_without_zeros(&bytes), 0);
        for at in [0, 1, 1023, 1024, 4999].into_iter().filter(|at| *at < len) {
            bytes[at] = 0x80;
            assert_eq!(super::len_without_zeros(&bytes), at + 1, "of {len}");
        }
    }
}

#[test]
fn a_whole_log_reads_back() {
    let (bytes, _) = log_bytes(20);
    let log = decode_log(&bytes).unwrap();
    assert_eq!(log.header, Some(FileHeader::LOG));
    assert_eq!(zxids(&log), (1..=20).collect::<Vec<_>>());
    assert_eq!(log.end, LogFileEnd::Clean);
}

#[test]
fn a_log_cut_anywhere_is_a_prefix_of_itself() {
    let (bytes, ends) = log_bytes(12);
    for len in 0..bytes.len() {
        let log = decode_log(&bytes[..len]).unwrap();
        let whole = ends
            .iter()
            .filter(|end| **end <= len)
            .count()
            .saturating_sub(1);
        assert_eq!(log.txns.len(), whole, "cut at {len}");
        let good_len = ends.iter().rfind(|end| **end <= len).copied().unwrap_or(0);
        let tail_is_zero = bytes[good_len..len].iter().all(|byte| *byte == 0);
        match log.end {
            LogFileEnd::Clean => assert!(tail_is_zero && len >= FileHeader::LEN, "cut at {len}"),
            LogFileEnd::Torn { good_len: found } => {
                assert_eq!(found, u64::try_from(good_len).unwrap(), "cut at {len}");
            }
        }
    }
}

/// Right, or refused: a flipped bit never makes a transaction disappear.
#[test]
fn a_bit_flipped_anywhere_loses_nothing_in_silence() {
    let (bytes, ends) = log_bytes(12);
    let good = decode_log(&bytes).unwrap();
    let records = FileHeader::LEN..*ends.last().unwrap();
    for at in 0..bytes.len() {
        for bit in 0..8 {
            let mut bad = bytes.clone();
            bad[at] ^= 1 << bit;
            match decode_log(&bad) {
                Ok(log) => {
                    assert!(!records.contains(&at), "{at}.{bit} went unnoticed");
                    assert_eq!(log.txns, good.txns, "{at}.{bit}");
                }
                Err(LogReadError::Damaged(damage)) => {
                    let before =
                        ends.iter().filter(|end| **end <= at).count() - usize::from(at >= 16);
                    let last_good = (before > 0).then(|| Zxid(i64::try_from(before).unwrap()));
                    assert_eq!(damage.last_good, last_good, "{at}.{bit}");
                }
                Err(other) => panic!("{at}.{bit}: {other}"),
            }
        }
    }
}

#[test]
fn the_error_says_where_and_what_to_do() {
    let (mut bytes, ends) = log_bytes(6);
    bytes[ends[3] + 30] ^= 4;
    let err = decode_log(&bytes).unwrap_err().to_string();
    for part in [
        "log is damaged",
        &format!("offset {}", ends[3]),
        "0x3",
        "backup",
    ] {
        assert!(err.contains(part), "{part:?} not in {err}");
    }
}

#[test]
fn a_transaction_of_an_unknown_type_is_refused() {
    let (bytes, ends) = log_bytes(3);
    let mut bad = bytes[..ends[3]].to_vec();
    let mut txn = decode_log(&bytes).unwrap().txns.remove(0).encode();
    txn[31] = 99;
    super::frame::put(&mut bad, &txn);
    let err = decode_log(&bad).unwrap_err().to_string();
    assert!(err.contains("cannot be decoded"), "{err}");
}

#[test]
fn a_snapshot_is_not_a_log() {
    let err = decode_log(&FileHeader::SNAPSHOT.to_vec()).unwrap_err();
    assert!(err.to_string().contains("header"), "{err}");
}

proptest! {
    #[test]
    fn random_bytes_do_no_harm(bytes in prop::collection::vec(any::<u8>(), 0..400), headed in any::<bool>()) {
        let bytes = if headed { [FileHeader::LOG.to_vec(), bytes].concat() } else { bytes };
        let _ = decode_log(&bytes);
    }

    #[test]
    fn any_opaque_record_round_trips(bodies in prop::collection::vec(prop::collection::vec(any::<u8>(), 32..600), 0..20)) {
        let mut bytes = FileHeader::LOG.to_vec();
        for body in &bodies {
            super::frame::put(&mut bytes, body);
        }
        let mut rest = &bytes[FileHeader::LEN..];
        for body in &bodies {
            let found = super::frame::parse(rest).unwrap();
            prop_assert_eq!(found, body.as_slice());
            rest = &rest[body.len() + 13..];
        }
        prop_assert!(rest.is_empty());
    }
}

#[test]
fn records_keep_their_digest() {
    let (bytes, _) = log_bytes(4);
    let log = decode_log(&bytes).unwrap();
    assert!(log.txns.iter().all(|txn: &TxnRecord| txn.digest.is_some()));
}
