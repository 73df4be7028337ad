use super::Keys;

fn path(keys: &Keys, key: usize) -> String {
    let mut out = String::from("what was there");
    keys.put_path(key, &mut out);
    out
}

#[test]
fn a_thousand_keys_share_a_directory() {
    let keys = Keys::below("/a".into(), 2001);
    assert_eq!(path(&keys, 0), "/a/d00000/k000");
    assert_eq!(path(&keys, 1999), "/a/d00001/k999");
    assert_eq!(path(&keys, 2000), "/a/d00002/k000");
    let directories: Vec<String> = keys.directories().collect();
    assert_eq!(directories, ["/a/d00000", "/a/d00001", "/a/d00002"]);
}

#[test]
fn what_is_there_needs_no_directory_again() {
    let keys = Keys::below("/a".into(), 3001);
    let without = |first| keys.directories_without(first).count();
    assert_eq!([0, 1, 1000, 1001, 3001].map(without), [4, 3, 3, 2, 0]);
}

#[test]
fn a_name_is_as_long_as_is_said_and_grows_when_it_must() {
    let keys = Keys::below("/a".into(), 100_000_000);
    let last = path(&keys, 99_999_999);
    assert_eq!(last, "/a/d99999/k999");
    assert_eq!(last.rsplit('/').next().unwrap().len(), Keys::NAME_BYTES);
    assert_eq!(path(&keys, 100_000_000), "/a/d100000/k000");
}

#[test]
fn a_path_tells_which_key_it_is_of() {
    let keys = Keys::below("/a/b".into(), 150_000_000);
    for key in [0, 7, 999, 1000, 123_456, 99_999_999, 149_999_999] {
        assert_eq!(keys.number_of(path(&keys, key).as_bytes()), Some(key));
    }
    let few = Keys::below("/a/b".into(), 10);
    for stranger in [
        "",
        "/a/b",
        "/a/b/d00000",
        "/a/b/d00000/k010",
        "/a/c/d00000/k001",
        "/a/b/d0000x/k001",
    ] {
        assert_eq!(few.number_of(stranger.as_bytes()), None, "{stranger}");
    }
}
