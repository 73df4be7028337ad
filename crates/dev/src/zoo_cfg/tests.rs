use super::*;
use crate::testing::layout;
use expect_test::expect;
use std::path::Path;

fn fresh(layout: &Layout) -> String {
    text(None, layout, &layout.places[0]).unwrap()
}

#[test]
fn an_ensemble_is_listed_with_its_observers() {
    let layout = layout(2, 1);
    let text = fresh(&layout);
    let decided: Vec<&str> = text.lines().skip(9).collect();
    expect![[r#"
        dataDir=/dev-test/server1/data
        clientPort=2181
        clientPortAddress=127.0.0.1
        server.1=127.0.0.1:3181:4181
        server.2=127.0.0.1:3182:4182
        server.3=127.0.0.1:3183:4183:observer"#]]
    .assert_eq(&decided.join("\n"));
    assert_eq!(shape(&text), Some(layout.shape));
}

#[test]
fn a_standalone_server_lists_nobody() {
    let layout = layout(1, 0);
    let text = fresh(&layout);
    assert!(!text.contains("server."));
    assert_eq!(shape(&text), Some(layout.shape));
}

#[test]
fn a_file_that_says_the_same_is_left_alone() {
    let layout = layout(3, 0);
    let edited = format!("{}\n\nsnapCount = 50\n", fresh(&layout)).replace("2181", " 2181 ");
    assert_eq!(text(Some(&edited), &layout, &layout.places[0]), None);
}

#[test]
fn other_ports_replace_the_old_and_keep_what_a_person_added() {
    let old = layout(2, 0);
    let edited = format!("snapCount=50\n{}", fresh(&old)).replace("tickTime=2000", "tickTime=500");
    let new = Layout::new(Path::new("/dev-test"), old.shape, 7000).unwrap();
    let text = text(Some(&edited), &new, &new.places[0]).unwrap();
    assert!(text.starts_with("snapCount=50\n"));
    assert!(text.contains("tickTime=500\n"));
    assert!(!text.contains("2181"));
    let decided: Vec<_> = text
        .lines()
        .filter(|line| decided_entry(line).is_some())
        .collect();
    expect![[r#"
        dataDir=/dev-test/server1/data
        clientPort=7000
        clientPortAddress=127.0.0.1
        server.1=127.0.0.1:8000:9000
        server.2=127.0.0.1:8001:9001"#]]
    .assert_eq(&decided.join("\n"));
}

#[test]
fn a_foreign_file_has_no_shape() {
    assert_eq!(shape("tickTime=2000\n# dataDir=/x\n"), None);
}

#[test]
fn what_properties_files_escape_is_escaped() {
    assert_eq!(escaped(r"/a b\c"), r"/a b\\c");
    assert_eq!(escaped("/ä/😀"), r"/\u00e4/\ud83d\ude00");
}
