use super::*;
use expect_test::expect;

#[test]
fn the_table_is_sorted_and_without_doubles() {
    let names: Vec<_> = COMMANDS.iter().map(|c| c.name).collect();
    assert!(names.is_sorted_by(|a, b| a < b), "{names:?}");
}

#[test]
fn too_few_words_are_answered_with_the_usage() {
    let fault = |name: &str, arguments: &[&str]| {
        let arguments: Vec<_> = arguments.iter().map(|a| (*a).to_owned()).collect();
        let parsed = Command::find(name).unwrap().parse(&arguments);
        parsed.map_or_else(|e| e.to_string(), |args| format!("{:?}", args.words))
    };
    expect!["delete [-v version] path"].assert_eq(&fault("delete", &["-v", "/a"]));
    expect!["setAcl [-s] [-v version] [-R] path acl"].assert_eq(&fault("setAcl", &["/a"]));
    expect!["version "].assert_eq(&fault("version", &["x"]));
    expect![[r#"["a", "b", "c"]"#]].assert_eq(&fault("config", &["a", "b", "c"]));
}

#[test]
fn a_near_miss_is_pointed_out() {
    assert_eq!(Command::closest("lss"), Some("ls"));
    assert_eq!(Command::closest("getacl"), Some("getAcl"));
    assert_eq!(Command::closest("deletall"), Some("deleteall"));
    assert_eq!(Command::closest("frobnicate"), None);
}
