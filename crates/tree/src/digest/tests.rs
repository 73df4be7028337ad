//! Digests against the CRC of all bytes as they would be written.

use super::*;
use zooid_proto::Jute;

/// Of Java's order: `pzxid` comes before the times, and the owner last.
fn stat() -> StatPersisted {
    StatPersisted {
        czxid: zooid_proto::Zxid(0x11_2233),
        mzxid: zooid_proto::Zxid(0x44_5566),
        pzxid: zooid_proto::Zxid(0x77_8899),
        ctime: 1_700_000_000_000,
        mtime: 1_700_000_000_001,
        version: 5,
        cversion: 6,
        aversion: 7,
        ephemeral_owner: -2,
    }
}

fn written(path: &str, data: &[u8]) -> Vec<u8> {
    let stat = stat();
    let mut bytes = [path.as_bytes(), data].concat();
    for zxid in [stat.czxid, stat.mzxid, stat.pzxid] {
        zxid.encode(&mut bytes);
    }
    stat.ctime.encode(&mut bytes);
    stat.mtime.encode(&mut bytes);
    for version in [stat.version, stat.cversion, stat.aversion] {
        version.encode(&mut bytes);
    }
    stat.ephemeral_owner.encode(&mut bytes);
    bytes
}

#[test]
fn a_digest_is_the_crc_of_path_data_and_stat_however_it_is_computed() {
    let around_room = TOGETHER_MAX - 70..TOGETHER_MAX + 10;
    for len in (0..20).chain(around_room).chain([5000]) {
        let data: Vec<u8> = (0..=u8::MAX).cycle().take(len).collect();
        for path in ["/a", "/some/where/far/down"] {
            let expected = crc32fast::hash(&written(path, &data));
            assert_eq!(node(path, Some(&data), &stat()), expected, "{len}");
            let prefix = prefix(path, Some(&data));
            assert_eq!(after_prefix(prefix, &stat()), expected, "{len}");
        }
    }
}

#[test]
fn the_root_counts_under_the_empty_path_and_no_data_as_empty() {
    let expected = crc32fast::hash(&written("", b""));
    assert_eq!(node("/", None, &stat()), expected);
    assert_eq!(node("", Some(b""), &stat()), expected);
    assert_eq!(after_prefix(prefix("/", None), &stat()), expected);
}
