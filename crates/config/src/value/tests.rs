use super::*;

#[test]
fn properties_understand_java_s_number_prefixes() {
    let cases = [
        ("0", Some(0)),
        ("42", Some(42)),
        ("+42", Some(42)),
        ("-42", Some(-42)),
        ("0x9fffff", Some(0x9f_ffff)),
        ("0X9FFFFF", Some(0x9f_ffff)),
        ("#ff", Some(255)),
        ("-0x10", Some(-16)),
        ("017", Some(15)),
        ("-9223372036854775808", Some(i64::MIN)),
        ("9223372036854775808", None),
        ("", None),
        ("-", None),
        ("0x", None),
        ("0x-1", None),
        ("--1", None),
        ("08", None),
        ("4 ", None),
        ("1k", None),
        ("é", None),
        ("-é", None),
    ];
    for (text, expected) in cases {
        assert_eq!(decode(text), expected, "{text:?}");
    }
}

#[test]
fn zoo_cfg_numbers_are_decimal() {
    assert_eq!(decimal("017", Range::ANY), Number::Fits(17));
    assert_eq!(decimal("0x10", Range::ANY), Number::Refused);
    assert_eq!(decimal("65536", Range::PORT), Number::Refused);
    assert_eq!(decimal("-1", Range::NATURAL), Number::Refused);
    assert_eq!(decimal("2", Range::raised_to(3)), Number::Raised(3));
    assert_eq!(decimal("4", Range::raised_to(3)), Number::Fits(4));
}

#[test]
fn purge_intervals_have_units_and_bare_hours() {
    let cases = [
        ("0", Some(0)),
        ("1", Some(3_600_000)),
        ("-1", Some(-3_600_000)),
        ("90s", Some(90_000)),
        ("90ms", Some(90)),
        ("90MS", Some(90)),
        ("2M", Some(120_000)),
        ("2h", Some(7_200_000)),
        ("1d", Some(86_400_000)),
        ("596", Some(2_145_600_000)),
        ("597", None),
        ("", None),
        ("h", None),
        ("1w", None),
        ("1 h", None),
        ("1.5h", None),
    ];
    for (text, expected) in cases {
        assert_eq!(purge_interval_ms(text), expected, "{text:?}");
    }
}
