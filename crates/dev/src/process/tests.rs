use super::*;

fn lines(count: usize) -> String {
    (1..=count)
        .map(|number| format!("line {number}\n"))
        .collect()
}

#[test]
fn the_last_lines_are_shown() {
    assert_eq!(telling_lines(&lines(2)), ["line 1", "line 2"]);
    let shown = telling_lines(&lines(20));
    assert_eq!(shown.len(), LAST_LINES_MAX);
    assert_eq!(shown.last().map(String::as_str), Some("line 20"));
    assert!(telling_lines("").is_empty());
}

#[test]
fn a_panic_is_shown_from_its_message_on() {
    let text = format!(
        "{}thread 'core' panicked at x.rs:1:\nwhy\n{}",
        lines(3),
        lines(20)
    );
    let shown = telling_lines(&text);
    assert_eq!(shown[..2], ["thread 'core' panicked at x.rs:1:", "why"]);
    assert_eq!(shown.len(), LAST_LINES_MAX);
}
