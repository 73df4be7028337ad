use super::*;

#[test]
fn dates_are_written_as_java_writes_them() {
    let berlin = TimeZone::get("Europe/Berlin").unwrap_or(TimeZone::UTC);
    assert_eq!(date(0, TimeZone::UTC), "Thu Jan 01 00:00:00 UTC 1970");
    let summer = date(1_751_630_405_999, berlin);
    assert!(
        [
            "Fri Jul 04 14:00:05 CEST 2025",
            "Fri Jul 04 12:00:05 UTC 2025"
        ]
        .contains(&&*summer),
        "{summer}"
    );
}

#[test]
fn addresses_are_written_as_java_writes_them() {
    let of = |text: &str| socket_address(&text.parse().unwrap());
    assert_eq!(of("10.0.0.1:2181"), "/10.0.0.1:2181");
    assert_eq!(of("[::ffff:10.0.0.1]:2181"), "/10.0.0.1:2181");
    assert_eq!(of("[::1]:2181"), "/[0:0:0:0:0:0:0:1]:2181");
    assert_eq!(
        ip_address("fe80::a:b".parse().unwrap()),
        "fe80:0:0:0:0:0:a:b"
    );
}
