use super::*;
use expect_test::{Expect, expect};

const FLAGS: &[Flag] = &[
    Flag::switch("s", "stats"),
    Flag::switch("w", "watch"),
    Flag::value("v", "version"),
    Flag::value("add", "servers"),
];

fn check_with(choice: Choice, line: &str, expected: &Expect) {
    let arguments: Vec<_> = line.split_whitespace().collect();
    expected.assert_eq(&match parse(FLAGS, choice, &arguments) {
        Ok(args) => format!("{:?} {:?}", args.flags, args.words),
        Err(e) => e.to_string(),
    });
}

fn check(line: &str, expected: &Expect) {
    check_with(Choice::Any, line, expected);
}

#[test]
fn flags_stand_anywhere() {
    check("/a -s", &expect![[r#"{"s": ""} ["/a"]"#]]);
    check("-ws /a", &expect![[r#"{"s": "", "w": ""} ["/a"]"#]]);
    check(
        "-v 3 /a -add x",
        &expect![[r#"{"add": "x", "v": "3"} ["/a"]"#]],
    );
    check("- /a", &expect![[r#"{} ["-", "/a"]"#]]);
    check("-s -- -w", &expect![[r#"{"s": ""} ["-w"]"#]]);
}

#[test]
fn spellings_of_a_value() {
    check("-v3 /a", &expect![[r#"{"v": "3"} ["/a"]"#]]);
    check("-v=3 /a", &expect![[r#"{"v": "3"} ["/a"]"#]]);
    check("-sv3 /a", &expect![[r#"{"s": "", "v": "3"} ["/a"]"#]]);
    check("-v -1 /a", &expect![[r#"{"v": "-1"} ["/a"]"#]]);
    check("-v \"3\" /a", &expect![[r#"{"v": "3"} ["/a"]"#]]);
    check("-v 1 -v 2", &expect![[r#"{"v": "1"} []"#]]);
}

/// Recorded from ZooKeeper 3.8.0, where the name of the exception comes first.
#[test]
fn faults_read_as_commons_cli_says_them() {
    check("-z /a", &expect!["Unrecognized option: -z"]);
    check("--s /a", &expect!["Unrecognized option: --s"]);
    check("-s=x /a", &expect!["Unrecognized option: -s=x"]);
    check("-wsx /a", &expect!["Unrecognized option: -wsx"]);
    check("/a -1", &expect!["Unrecognized option: -1"]);
    check("-v", &expect!["Missing argument for option: v"]);
    check("-v -s", &expect!["Missing argument for option: v"]);
    check("-add=x", &expect!["Unrecognized option: -add=x"]);
}

#[test]
fn exclusive_flags() {
    check_with(
        Choice::AtMostOne,
        "-s -w /a",
        &expect![
            "The option 'w' was specified but an option from this group has already been selected: 's'"
        ],
    );
    check_with(Choice::AtMostOne, "-s -s", &expect![[r#"{"s": ""} []"#]]);
    check_with(Choice::AtMostOne, "/a", &expect![[r#"{} ["/a"]"#]]);
    check_with(
        Choice::ExactlyOne,
        "/a",
        &expect!["Missing required option: [-s stats, -w watch, -v version, -add servers]"],
    );
}
