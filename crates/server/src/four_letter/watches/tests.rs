use super::*;

#[test]
fn a_summary_has_two_lines() {
    let summary = WatchSummary {
        connections: 2,
        paths: 3,
        total: 4,
    };
    let text = "2 connections watching 3 paths\nTotal watches:4\n";
    assert_eq!(summary_text(&summary), text);
}

#[test]
fn lists_end_with_an_empty_line() {
    let (a, b): (Arc<str>, Arc<str>) = ("/a".into(), "/b".into());
    let (one, two) = (SessionId(0x1000), SessionId(-1));
    let by_session = [
        (one, vec![Arc::clone(&a), Arc::clone(&b)]),
        (two, vec![Arc::clone(&b)]),
    ];
    let text = "0x1000\n\t/a\n\t/b\n0xffffffffffffffff\n\t/b\n\n";
    assert_eq!(by_session_text(&by_session), text);
    let text = "/a\n\t0x1000\n/b\n\t0x1000\n\t0xffffffffffffffff\n\n";
    assert_eq!(by_path_text(&[(a, vec![one]), (b, vec![one, two])]), text);
    assert_eq!(by_session_text(&[]), "\n");
    assert_eq!(by_path_text(&[]), "\n");
}
