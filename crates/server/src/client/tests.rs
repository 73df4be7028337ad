use super::*;

#[test]
fn addresses_are_written_as_java_writes_them() {
    let of = |s: &str| java_address(&s.parse().unwrap());
    assert_eq!(of("10.0.0.1:2181"), "10.0.0.1");
    assert_eq!(of("[::1]:2181"), "0:0:0:0:0:0:0:1");
    assert_eq!(of("[::ffff:10.0.0.1]:2181"), "10.0.0.1");
    assert_eq!(of("[fe80::a:b]:2181"), "fe80:0:0:0:0:0:a:b");
}
