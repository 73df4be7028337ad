use super::is_valid;
use alloc::string::String;
use alloc::vec::Vec;

/// One UTF-16 unit after the other, as Java's `PathUtils` does it.
fn is_valid_for_java(path: &str) -> bool {
    let units: Vec<u16> = path.encode_utf16().collect();
    let [slash, dot] = [u16::from(b'/'), u16::from(b'.')];
    if units.first() != Some(&slash) {
        return false;
    }
    if units.len() == 1 {
        return true;
    }
    let is_forbidden =
        |unit: &u16| matches!(unit, 0..=0x1f | 0x7f..=0x9f | 0xd800..=0xf8ff | 0xfff0..=0xffff);
    let mut components = units[1..].split(|unit| *unit == slash);
    !units.iter().any(is_forbidden)
        && components.all(|part| !part.is_empty() && part != [dot] && part != [dot, dot])
}

#[test]
fn whatever_stands_anywhere_in_a_path_is_judged_as_by_java() {
    const PIECES: [&str; 12] = [
        "/",
        ".",
        "a",
        "~",
        " ",
        "\u{1f}",
        "\u{7f}",
        "\u{9f}",
        "\u{e4}",
        "\u{d7ff}",
        "\u{e000}",
        "\u{10000}",
    ];
    let mut middles: Vec<String> = alloc::vec![String::new()];
    let mut longest = middles.clone();
    for _ in 0..3 {
        let longer = |text: &String| PIECES.map(|piece| text.clone() + piece);
        longest = longest.iter().flat_map(longer).collect();
        middles.extend_from_slice(&longest);
    }
    for before in 0..36 {
        for after in [0, 1, 2, 17, 40] {
            for middle in &middles {
                let mut path: String = "/services/web/instance-0000000017-data"[..before].into();
                path.push_str(middle);
                path.extend(core::iter::repeat_n('x', after));
                assert_eq!(is_valid(&path), is_valid_for_java(&path), "{path:?}");
            }
        }
    }
}
