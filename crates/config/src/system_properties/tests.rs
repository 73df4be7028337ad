use super::*;
use expect_test::{Expect, expect};

fn check(value: &str, expected: &Expect) {
    let shown = match parse_jvm_flags("JVMFLAGS", value) {
        Ok(entries) => {
            let line = |e: &Entry| format!("{}: {}={:?}\n", e.at, e.key, e.value);
            entries.iter().map(line).collect()
        }
        Err(e) => format!("{e} (exit {})\n", e.exit_code()),
    };
    expected.assert_eq(&shown);
}

#[test]
fn only_definitions_matter_among_the_words() {
    check(
        "-Xmx1g  -Djute.maxbuffer=0x9fffff\t-server -Dempty -Dx=a=b",
        &expect![[r#"
            JVMFLAGS: jute.maxbuffer="0x9fffff"
            JVMFLAGS: empty=""
            JVMFLAGS: x="a=b"
        "#]],
    );
    check("", &expect![""]);
}

#[test]
fn quotes_and_backslashes_protect_blanks() {
    check(
        r#"-Da="b c" '-Dd=e "f"' -Dg=h\ i"j"'k' "-Dl=\"m\"""#,
        &expect![[r#"
            JVMFLAGS: a="b c"
            JVMFLAGS: d="e \"f\""
            JVMFLAGS: g="h ijk"
            JVMFLAGS: l="\"m\""
        "#]],
    );
}

#[test]
fn open_quotes_and_nameless_definitions_are_refused() {
    check(
        "-Da='b",
        &expect![[r"
            JVMFLAGS: a quote is opened and not closed; close it, or put a backslash before a quote that is meant as one (exit 2)
        "]],
    );
    check(
        "-D=x",
        &expect![[r#"
            JVMFLAGS: "-D=x" names no property; write -Dname=value, for example -Dzookeeper.snapCount=100000 (exit 2)
        "#]],
    );
}

#[test]
fn an_option_parser_may_have_eaten_the_dash_d() {
    let source = Location::source("command line");
    let entries = parse_system_properties(&source, &["-Da=1", "a=1"]).unwrap();
    assert_eq!(entries[0], entries[1]);
}
