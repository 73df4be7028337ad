use super::*;
use crate::commands::Command;

#[test]
fn quota_texts_are_read_and_written_as_java_does() {
    let text = |data: &str| Track::parse(data.as_bytes()).unwrap().to_string();
    assert_eq!(text(""), "count=-1,bytes=-1");
    assert_eq!(text("count=5,bytes=10"), "count=5,bytes=10");
    assert_eq!(
        text("count=3,bytes=3=;byteHardLimit=-1;countHardLimit=5"),
        "count=3,bytes=3=;byteHardLimit=-1;countHardLimit=5"
    );
    assert_eq!(text("bytes=,count=1"), "count=1,bytes=-1");
    assert!(Track::parse(b"count").is_err());
    assert!(Track::parse(b"count=x").is_err());
}

#[track_caller]
fn wished(line: &str) -> Result<(&'static str, i64), &'static str> {
    let arguments: Vec<_> = line.split_whitespace().map(str::to_owned).collect();
    wished_limit(
        &Command::find("setquota")
            .unwrap()
            .parse(&arguments)
            .unwrap(),
    )
}

#[test]
fn limits_have_least_values() {
    assert_eq!(wished("-n 3 /a"), Ok((COUNT, 3)));
    assert_eq!(wished("-B 0 /a"), Ok((BYTES_HARD, 0)));
    assert_eq!(
        wished("-N 0 /a"),
        Err("the num quota must be greater than zero")
    );
    assert_eq!(
        wished("-b -1 /a"),
        Err("the bytes quota must be greater than or equal to zero")
    );
    assert_eq!(
        wished("-n 3000000000 /a"),
        Err("NumberFormatException happens when parsing the option value")
    );
    assert_eq!(wished("-b 3000000000 /a"), Ok((BYTES, 3_000_000_000)));
}
