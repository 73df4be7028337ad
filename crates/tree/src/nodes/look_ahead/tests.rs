use super::super::tests::tree_of;
use super::PATHS_MAX;

#[test]
fn what_is_there_is_found_and_no_more_is_read_than_agreed() {
    let nodes = tree_of(2000);
    let paths: Vec<String> = (0..2000)
        .map(|number| nodes.path(super::Slot(number)))
        .skip(1)
        .collect();
    let look = |paths: &[&[u8]]| nodes.look_ahead(paths.iter().copied());
    let bytes: Vec<&[u8]> = paths.iter().map(String::as_bytes).collect();
    assert_eq!(look(&[]), 0);
    assert_eq!(look(&bytes[..7]), 7);
    assert_eq!(look(&bytes[1000..1020]), 20);
    assert_eq!(look(&bytes), PATHS_MAX);
    assert_eq!(look(&[b"", b"/", b"\xff\0", bytes[3], b"/missing"]), 1);
}

#[test]
fn a_small_tree_is_not_read_ahead() {
    assert!(!tree_of(200).are_many());
    assert!(tree_of(1000).are_many());
}
