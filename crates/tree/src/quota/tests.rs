//! Quota texts and what is charged where.

use super::*;
use crate::testing::{Script, create, delete, set_data};

#[test]
fn texts_are_read_and_written_as_zookeeper_does() {
    let check = |text: &str, expected: &str| {
        let parsed = QuotaText::parse(text.as_bytes());
        assert_eq!(parsed.to_string(), expected, "{text}");
    };
    check("", "count=-1,bytes=-1");
    check("count=4,bytes=5", "count=4,bytes=5");
    check("count=4", "count=4,bytes=-1");
    check("count=,bytes=7", "count=-1,bytes=7");
    check(
        "count=4,bytes=5=;byteHardLimit=10;countHardLimit=11",
        "count=4,bytes=5=;byteHardLimit=10;countHardLimit=11",
    );
    check(
        ";;countHardLimit=1,,count=2",
        "count=2,bytes=-1=;countHardLimit=1",
    );
    check("count=nonsense", "count=-1,bytes=-1");
}

#[test]
fn the_longest_prefix_by_component_is_found() {
    let mut paths = QuotaPaths::default();
    assert_eq!(paths.longest_above("/a"), None);
    paths.add("/a");
    paths.add("/a/b/c");
    for (path, expected) in [
        ("/a", Some("/a")),
        ("/a/b", Some("/a")),
        ("/a/b/c", Some("/a/b/c")),
        ("/a/b/c/d", Some("/a/b/c")),
        ("/a/b/cc", Some("/a")),
        ("/ab", None),
        ("/", None),
        ("", None),
    ] {
        assert_eq!(paths.longest_above(path), expected, "{path}");
    }
    paths.remove("/a/b/c");
    assert_eq!(paths.longest_above("/a/b/c/d"), Some("/a"));
}

fn quota_on(script: &mut Script, target: &str) {
    let mut path = QUOTA.to_owned();
    for name in target.split('/').skip(1) {
        path = format!("{path}/{name}");
        script.run(&create(&path, b""));
    }
    script.run(&create(&limits_path(target), b"count=10,bytes=100"));
    script.run(&create(&stats_path(target), b""));
}

fn used(script: &Script, target: &str) -> String {
    let node = script.replica.node(&stats_path(target)).unwrap();
    String::from_utf8(node.data().unwrap().to_vec()).unwrap()
}

#[test]
fn stats_follow_every_change_below_the_quota() {
    let mut script = Script::new();
    script.run(&create("/a", b"12"));
    script.run(&create("/a/x", b"345"));
    quota_on(&mut script, "/a");
    assert_eq!(used(&script, "/a"), "count=2,bytes=5");
    script.run(&create("/a/y", b"6789"));
    assert_eq!(used(&script, "/a"), "count=3,bytes=9");
    script.run(&set_data("/a/x", b"", 1));
    assert_eq!(used(&script, "/a"), "count=3,bytes=6");
    script.run(&delete("/a/y"));
    assert_eq!(used(&script, "/a"), "count=2,bytes=2");
    script.run(&create("/b", b"elsewhere"));
    assert_eq!(used(&script, "/a"), "count=2,bytes=2");

    let quota = script.replica.quota_of("/a/x/deeper").unwrap();
    assert_eq!(quota.path, "/a");
    assert_eq!((quota.limits.count, quota.limits.bytes), (10, 100));
    assert_eq!((quota.limits.count_hard, quota.limits.bytes_hard), (-1, -1));
    assert_eq!((quota.used_count, quota.used_bytes), (2, 2));
}

#[test]
fn stats_change_without_version_digest_or_watch() {
    let mut script = Script::new();
    script.run(&create("/a", b""));
    quota_on(&mut script, "/a");
    let stats = stats_path("/a");
    let watcher = Some(crate::WatcherId(1));
    let anyone = crate::testing::ANYONE;
    script.replica.get_data(&stats, &anyone, watcher).unwrap();
    let before = script.replica.node(&stats).unwrap().stat();
    let digest = script.replica.digest();
    script.run(&set_data("/a", b"123", 1));
    let after = script.replica.node(&stats).unwrap().stat();
    assert_eq!(used(&script, "/a"), "count=1,bytes=3");
    assert_eq!((after.version, after.mzxid), (before.version, before.mzxid));
    assert_ne!(script.replica.digest(), digest, "/a itself counts");
    assert_eq!(script.fired, []);
}

#[test]
fn the_longest_prefix_alone_is_charged() {
    let mut script = Script::new();
    for path in ["/a", "/a/b"] {
        script.run(&create(path, b""));
    }
    quota_on(&mut script, "/a");
    let nested = "/zookeeper/quota/a/b";
    script.run(&create(nested, b""));
    script.run(&create(&limits_path("/a/b"), b""));
    script.run(&create(&stats_path("/a/b"), b""));
    script.run(&create("/a/b/c", b"1"));
    assert_eq!(used(&script, "/a"), "count=2,bytes=0");
    assert_eq!(used(&script, "/a/b"), "count=2,bytes=1");
    script.run(&delete(&limits_path("/a/b")));
    script.run(&create("/a/b/d", b"1"));
    assert_eq!(used(&script, "/a"), "count=3,bytes=1");
    assert_eq!(used(&script, "/a/b"), "count=2,bytes=1");
}

#[test]
fn a_quota_needs_both_its_nodes_and_a_path() {
    let mut script = Script::new();
    script.run(&create("/a", b""));
    script.run(&create("/zookeeper/quota/a", b""));
    script.run(&create(&limits_path("/a"), b"count=1"));
    assert_eq!(script.replica.quota_of("/a"), None);
    script.run(&create("/zookeeper/quota/zookeeper_limits", b"count=1"));
    script.run(&create("/zookeeper/quota/zookeeper_stats", b""));
    assert_eq!(script.replica.quota_of("/b"), None);
}
