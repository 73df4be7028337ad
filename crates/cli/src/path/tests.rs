use super::*;
use expect_test::{Expect, expect};

fn check(path: &str, expected: &Expect) {
    expected.assert_eq(&check_path(path).map_or_else(|e| e.to_string(), |()| "ok".to_owned()));
}

/// Recorded: `zkCli.sh create <path>` of ZooKeeper 3.8.0.
#[test]
fn faults_are_described_as_java_does() {
    check("/", &expect!["ok"]);
    check("/a/b.c/..d", &expect!["ok"]);
    check("", &expect!["Path length must be > 0"]);
    check("foo", &expect!["Path must start with / character"]);
    check("/a/", &expect!["Path must not end with / character"]);
    check(
        "//x",
        &expect![[r#"Invalid path string "//x" caused by empty node name specified @1"#]],
    );
    check(
        "/x/../y",
        &expect![[r#"Invalid path string "/x/../y" caused by relative paths not allowed @4"#]],
    );
    check(
        "/x/.",
        &expect![[r#"Invalid path string "/x/." caused by relative paths not allowed @3"#]],
    );
    check(
        "/x\u{1}y",
        &expect![["Invalid path string \"/x\u{1}y\" caused by invalid character @2"]],
    );
}

#[test]
fn positions_count_utf16_units() {
    check(
        "/é/\u{0}",
        &expect![["Invalid path string \"/é/\0\" caused by null character not allowed @3"]],
    );
}

#[test]
fn a_sequential_path_may_end_with_a_slash() {
    assert_eq!(check_sequential_path("/a/"), Ok(()));
    assert_eq!(check_sequential_path("a/"), Err(PathError::NotAbsolute));
}
