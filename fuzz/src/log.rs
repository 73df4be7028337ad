//! Transaction logs: read whole, or refused; and recovery from them ends.

use bytes::Bytes;
use std::path::Path;
use std::sync::Arc;
use zooid_proto::{FileHeader, Jute, TxnRecord};
use zooid_storage::disk::{Disk, SimulatedDisk};
use zooid_storage::{Dirs, RecoverError, RecoverOptions, Snapshots, decode_log, recover};

/// An odd first byte: the rest is a log file. An even one: the rest is records, each two bytes of
/// length and a body, which get a good frame; random bytes seldom have one.
pub fn run(data: &[u8]) {
    let Some((mode, rest)) = data.split_first() else {
        return;
    };
    let file = if mode % 2 == 1 {
        rest.to_vec()
    } else {
        framed(&pieces(rest))
    };
    if let Ok(log) = decode_log(&file) {
        for txn in &log.txns {
            let again = TxnRecord::decode(&Bytes::from(txn.encode())).expect("just encoded");
            assert_eq!(txn.header, again.header);
        }
    }
    match recover_from(&file) {
        Ok(()) => {}
        Err(refused) => assert!(!refused.to_string().is_empty()),
    }
}

/// Cuts bytes into pieces by two bytes of length before each.
pub(crate) fn pieces(mut bytes: &[u8]) -> Vec<&[u8]> {
    let mut pieces = Vec::new();
    while let Some((len, rest)) = bytes.split_first_chunk() {
        let len = usize::from(u16::from_be_bytes(*len)).min(rest.len());
        let (piece, rest) = rest.split_at(len);
        pieces.push(piece);
        bytes = rest;
    }
    pieces
}

/// A log file with these transactions.
pub fn framed(bodies: &[&[u8]]) -> Vec<u8> {
    let mut file = FileHeader::LOG.to_vec();
    for body in bodies {
        file.extend_from_slice(&u64::from(adler32(body)).to_be_bytes());
        let len = u32::try_from(body.len()).expect("a piece is short");
        file.extend_from_slice(&len.to_be_bytes());
        file.extend_from_slice(body);
        file.push(b'B');
    }
    file
}

fn adler32(bytes: &[u8]) -> u32 {
    let (mut a, mut b) = (1_u32, 0_u32);
    for byte in bytes {
        a = (a + u32::from(*byte)) % 65521;
        b = (b + a) % 65521;
    }
    (b << 16) | a
}

/// Recovers from this one log, and if that went well, once more from what recovery left.
fn recover_from(file: &[u8]) -> Result<(), RecoverError> {
    let disk: Arc<dyn Disk> = Arc::new(SimulatedDisk::new(1));
    let dirs = Dirs::new(Path::new("/data"), None);
    disk.create_dir_all(&dirs.logs)?;
    disk.create(&dirs.logs.join("log.1"))?.write_at(0, file)?;
    let snapshots = Snapshots::new(Arc::clone(&disk), &dirs);
    let options = RecoverOptions {
        trust_empty_snapshot: true,
        ..RecoverOptions::default()
    };
    let first = recover(&disk, &dirs, &snapshots, &options)?;
    let second = recover(&disk, &dirs, &snapshots, &options);
    let second = second.expect("what was recovered once can be recovered again");
    assert_eq!(first.last_zxid, second.last_zxid);
    assert_eq!(first.replica.node_count(), second.replica.node_count());
    Ok(())
}
