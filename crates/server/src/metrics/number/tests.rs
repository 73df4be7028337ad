use super::*;

#[test]
fn doubles_are_written_as_java_writes_them() {
    // Each expectation is what jshell answers.
    for (value, text) in [
        (0.0, "0.0"),
        (1.0, "1.0"),
        (1.25, "1.25"),
        (0.001, "0.001"),
        (0.0001, "1.0E-4"),
        (0.00015, "1.5E-4"),
        (1_234_567.8, "1234567.8"),
        (10_000_000.0, "1.0E7"),
        (12_345_678.9, "1.23456789E7"),
        (-2.5, "-2.5"),
    ] {
        assert_eq!(Number::Double(value).to_string(), text);
    }
    assert_eq!(Number::Integer(-1).to_string(), "-1");
}

#[test]
fn means_are_rounded_half_up_to_four_decimals() {
    for (sum, count, text) in [
        (0, 0, "0.0"),
        (5, 0, "0.0"),
        (0, 7, "0.0"),
        (10, 4, "2.5"),
        (1, 3, "0.3333"),
        (2, 3, "0.6667"),
        (1, 20_000, "1.0E-4"),
        (1, 20_001, "0.0"),
        (i64::MAX, 1, "9.223372036854776E18"),
    ] {
        assert_eq!(Number::mean(sum, count).to_string(), text, "{sum}/{count}");
    }
}
