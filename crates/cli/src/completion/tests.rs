use super::*;
use expect_test::{Expect, expect};

fn check(line: &str, expected: &Expect) {
    let children = |path: &str| match path {
        "/" => vec!["zookeeper".to_owned(), "app".to_owned(), "apple".to_owned()],
        "/app" => vec!["b".to_owned(), "a".to_owned()],
        _ => Vec::new(),
    };
    let (start, offers) = complete(line, children);
    expected.assert_eq(&format!("{start} {offers:?}"));
}

#[test]
fn the_first_word_is_a_command() {
    check(
        "del",
        &expect![[r#"0 ["delete ", "deleteall ", "delquota "]"#]],
    );
    check("xyz", &expect!["0 []"]);
    check(
        "help getA",
        &expect![[r#"5 ["getAcl ", "getAllChildrenNumber "]"#]],
    );
}

#[test]
fn paths_come_from_the_server() {
    check("ls /", &expect![[r#"3 ["/app", "/apple", "/zookeeper"]"#]]);
    check("ls -s /ap", &expect![[r#"6 ["/app", "/apple"]"#]]);
    check("get /app/", &expect![[r#"4 ["/app/a", "/app/b"]"#]]);
    check("get /nope/x", &expect!["4 []"]);
}

#[test]
fn flags_and_fixed_words() {
    check("ls -", &expect![[r#"3 ["-? ", "-R ", "-s ", "-w "]"#]]);
    check("reconfig -re", &expect![[r#"9 ["-remove "]"#]]);
    check("printwatches o", &expect![[r#"13 ["off", "on"]"#]]);
    check("get x", &expect!["4 []"]);
    check("nope -", &expect!["5 []"]);
}
