use super::*;

#[test]
fn a_window_has_so_many_lines_and_the_next_says_how_many_were_left_out() {
    let limit = LineLimit::default();
    let admitted = |now_ms| {
        (0..50)
            .filter_map(|_| limit.admit(now_ms))
            .collect::<Vec<_>>()
    };
    assert_eq!(admitted(1000), [0; 20]);
    assert_eq!(admitted(9_999), []);
    let mut expected = [0; 20];
    expected[0] = 80;
    assert_eq!(admitted(10_000), expected);
}
