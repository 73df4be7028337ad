use super::*;
use expect_test::expect;
use zooid_proto::Zxid;

#[test]
fn a_stat_prints_as_in_zkcli() {
    let value = Stat {
        czxid: Zxid(0x1_0000_0007),
        mzxid: Zxid(0xb),
        ctime: 1_795_375_380_000,
        mtime: 0,
        version: 2,
        cversion: 3,
        aversion: -1,
        ephemeral_owner: -2,
        data_length: 9,
        num_children: 1,
        pzxid: Zxid(9),
    };
    expect![[r"
        cZxid = 0x100000007
        ctime = Sun Nov 22 19:23:00 UTC 2026
        mZxid = 0xb
        mtime = Thu Jan 01 00:00:00 UTC 1970
        pZxid = 0x9
        cversion = 3
        dataVersion = 2
        aclVersion = -1
        ephemeralOwner = 0xfffffffffffffffe
        dataLength = 9
        numChildren = 1
    "]]
    .assert_eq(&stat(&value, &TimeZone::UTC));
}

#[test]
fn dates_are_in_the_given_zone() {
    let zone = TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3").unwrap();
    assert_eq!(
        date(1_795_375_380_000, &zone),
        "Sun Nov 22 20:23:00 CET 2026"
    );
    assert_eq!(
        date(1_783_000_000_999, &zone),
        "Thu Jul 02 15:46:40 CEST 2026"
    );
    assert_eq!(date(i64::MAX, &zone), "9223372036854775807 ms");
}

fn parsed(text: &str) -> (String, Vec<String>) {
    let mut remarks = Vec::new();
    let list = parse_acl(text, |remark| remarks.push(remark.to_owned()));
    (acl(&list), remarks)
}

#[test]
fn acls_are_read_and_printed_as_in_zkcli() {
    let (text, remarks) = parsed("world:anyone:cdrwa,digest:u:p:q:r,ip:1.2.3.4:");
    expect![[r"
        'world,'anyone
        : cdrwa
        'digest,'u:p:q
        : r
        'ip,'1.2.3.4
        : 
    "]]
    .assert_eq(&text);
    assert!(remarks.is_empty());
}

#[test]
fn bad_entries_and_letters_of_an_acl_are_left_out_with_a_remark() {
    let (text, remarks) = parsed("bad,a:b,world:anyone:rxw,");
    assert_eq!(text, "'world,'anyone\n: rw\n");
    assert_eq!(
        remarks,
        [
            "bad does not have the form scheme:id:perm",
            "a:b does not have the form scheme:id:perm",
            "Unknown perm type: x",
        ]
    );
}

#[test]
fn events_tell_the_zxid_only_if_they_have_one() {
    let mut fired = Event {
        kind: EventType::NodeDataChanged,
        state: KeeperState::SyncConnected,
        path: Some("/a".to_owned()),
        zxid: None,
    };
    assert_eq!(
        event(&fired),
        "WatchedEvent state:SyncConnected type:NodeDataChanged path:/a"
    );
    fired.zxid = Some(Zxid(17));
    assert!(event(&fired).ends_with(" path:/a zxid: 17"));
}

/// Recorded: `ByteBufUtil.prettyHexDump` of netty 4.1.48.
#[test]
fn hex_dumps_look_like_netty_s() {
    let bytes: Vec<u8> = (0..20).chain(*b"AZ az~\x7f\xff").collect();
    expect![[r"
                 +-------------------------------------------------+
                 |  0  1  2  3  4  5  6  7  8  9  a  b  c  d  e  f |
        +--------+-------------------------------------------------+----------------+
        |00000000| 00 01 02 03 04 05 06 07 08 09 0a 0b 0c 0d 0e 0f |................|
        |00000010| 10 11 12 13 41 5a 20 61 7a 7e 7f ff             |....AZ az~..    |
        +--------+-------------------------------------------------+----------------+"]]
    .assert_eq(&hex_dump(&bytes));
    assert_eq!(hex_dump(b""), "");
}
