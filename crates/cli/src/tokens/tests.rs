use super::*;

#[track_caller]
fn check(line: &str, words: &[&str]) {
    assert_eq!(split_words(line), words, "{line:?}");
}

#[test]
fn words_and_quotes() {
    check("", &[]);
    check(" \t ", &[]);
    check("  ls   -s\t/a ", &["ls", "-s", "/a"]);
    check(r#"set /a "two words""#, &["set", "/a", "two words"]);
    check(r#"set /a 'it is "so"'"#, &["set", "/a", r#"it is "so""#]);
    check(r#"set /a """#, &["set", "/a", ""]);
    check(r#""a"'b'c"#, &["a", "b", "c"]);
}

#[test]
fn quotes_inside_a_word_are_ordinary() {
    check(r#"set /a {"k":"v"}"#, &["set", "/a", r#"{"k":"v"}"#]);
    check(r#"a"b c"d"#, &[r#"a"b"#, r#"c"d"#]);
}

#[test]
fn a_quote_that_is_never_closed_is_dropped() {
    check(r#"ls "/a b"#, &["ls", "/a", "b"]);
    check("'", &[]);
}

#[test]
fn words_beyond_ascii() {
    check("set /é 'ü ö'", &["set", "/é", "ü ö"]);
}
