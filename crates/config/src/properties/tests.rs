use super::*;
use expect_test::{Expect, expect};
use proptest::prelude::*;

fn check(text: &[u8], expected: &Expect) {
    let shown = match parse_properties(&Location::source("f"), text) {
        Ok(entries) => {
            let line = |e: &Entry| format!("{} {:?} = {:?}\n", e.at, e.key, e.value);
            entries.iter().map(line).collect()
        }
        Err(e) => format!("{e}\n"),
    };
    expected.assert_eq(&shown);
}

#[test]
fn separators_comments_and_blank_lines() {
    check(
        b"# first\n\ta = 1\n! second\nb:2\nc 3\r\nd\n  \ne= \re2==x:y \nf\\ g\\=h = i\n",
        &expect![[r#"
            f:2 "a" = "1"
            f:4 "b" = "2"
            f:5 "c" = "3"
            f:6 "d" = ""
            f:8 "e" = ""
            f:9 "e2" = "=x:y"
            f:10 "f g=h" = "i"
        "#]],
    );
}

#[test]
fn continuation_lines_count_from_their_first() {
    check(
        b"a=1,\\\n   2,\\\r\n#3\nb=x\\\\\nc=y\n",
        &expect![[r##"
            f:1 "a" = "1,2,#3"
            f:4 "b" = "x\\"
            f:5 "c" = "y"
        "##]],
    );
}

#[test]
fn bytes_are_latin_1_also_behind_a_backslash() {
    check(
        b"dir=/\xe9t\x85\\\xe9\\u00e9\\t!\n",
        &expect![[r#"
            f:1 "dir" = "/ét\u{85}éé\t!"
        "#]],
    );
}

#[test]
fn a_backslash_at_the_end_of_the_file_is_dropped_not_its_line() {
    check(
        b"a=1\nk=v\\",
        &expect![[r#"
            f:1 "a" = "1"
            f:2 "k" = "v"
        "#]],
    );
}

#[test]
fn a_comment_is_never_read() {
    check(
        b"# C:\\users\\uranus \\\r#x\n   ! \\u\na=1\n",
        &expect![[r#"
            f:4 "a" = "1"
        "#]],
    );
}

#[test]
fn a_lone_backslash_continues_nothing() {
    check(
        b"\\\n#x\na=1\n \\\nb=2\n\\",
        &expect![[r#"
            f:3 "a" = "1"
            f:5 "b" = "2"
        "#]],
    );
}

#[test]
fn duplicates_are_kept() {
    check(
        b"a=1\na=2\n",
        &expect![[r#"
            f:1 "a" = "1"
            f:2 "a" = "2"
        "#]],
    );
}

#[test]
fn malformed_escapes_are_refused() {
    let expected = expect![[r"
        f:2: malformed \uXXXX escape; write four hexadecimal digits after \u, or double a backslash that is meant as one
    "]];
    check(b"a=1\ndataDir=C:\\users\n", &expected);
    check(b"a=1\nb=\\u12", &expected);
    check(b"a=1\nb=\\ud800", &expected);
}

proptest! {
    #[test]
    fn any_bytes_give_entries_or_an_error(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = parse_properties(&Location::source("f"), &bytes);
    }

    #[test]
    fn any_likely_text_gives_entries_within_the_file(text in r"[a#!\\=: u0\n\r\t\x0c\xe9]{0,60}") {
        let lines_count = text.replace("\r\n", "\n").split(['\n', '\r']).count();
        if let Ok(entries) = parse_properties(&Location::source("f"), text.as_bytes()) {
            for entry in entries {
                prop_assert!(entry.at.line_number().is_some_and(|n| (1..=lines_count).contains(&n)));
            }
        }
    }
}
