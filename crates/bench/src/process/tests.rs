use std::time::Duration;

use super::{Sample, parse};

const STATUS: &str = "Name:\tx\nVmHWM:\t    2048 kB\nVmRSS:\t    1024 kB\nThreads:\t4\n";

#[test]
fn times_and_memory_are_found_behind_any_command_name() {
    let stat = "42 (a ) S 1 (b) R 1 42 42 0 -1 4194560 1 2 3 4 250 50 7 8 20 0 4 0 100";
    let sample = parse(stat, STATUS, 100).unwrap();
    let expected = Sample {
        user: Duration::from_millis(2500),
        system: Duration::from_millis(500),
        memory_bytes: 1 << 20,
        memory_peak_bytes: 2 << 20,
    };
    assert_eq!(sample, expected);
}

#[test]
fn what_is_cut_short_is_not_a_sample() {
    assert_eq!(parse("42 (x) R 1 42", STATUS, 100), None);
    let stat = "42 (x) R 1 42 42 0 -1 0 1 2 3 4 250 50 7";
    assert_eq!(parse(stat, "Name:\tx\n", 100), None);
    assert!(parse(stat, STATUS, 100).is_some());
}

#[test]
fn this_process_has_memory_and_a_missing_one_is_named() {
    let own = Sample::take(std::process::id()).unwrap();
    assert!(own.memory_bytes > 0 && own.memory_peak_bytes >= own.memory_bytes);
    // Above the largest pid that Linux gives.
    let missing = Sample::take(u32::MAX).unwrap_err();
    assert_eq!(missing.to_string(), "there is no process 4294967295");
}
