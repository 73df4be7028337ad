use std::time::Duration;

use super::{for_people, grouped};

#[test]
fn numbers_are_written_for_people() {
    assert_eq!(
        [grouped(0), grouped(999), grouped(1000), grouped(1_234_567)],
        ["0", "999", "1,000", "1,234,567"]
    );
    let micros = |micros| for_people(Duration::from_micros(micros));
    assert_eq!(
        [micros(999), micros(1234), micros(56_780), micros(1_230_000)],
        ["999 µs", "1.23 ms", "56.8 ms", "1.23 s"]
    );
}
