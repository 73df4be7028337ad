use super::{Action, Script};
use zooid_proto::Zxid;

fn packet(line: &str) -> Vec<u8> {
    let script = Script::parse(line).expect("a script");
    let Action::Requests { requests, .. } = &script.steps[0].action else {
        panic!("not a request: {line}");
    };
    requests[0].encode(7, Zxid(100))
}

#[test]
fn quoted_words_keep_spaces_and_bytes() {
    let body = packet(r#"a set "/a b" "x\x00\n\"" 3"#);
    assert_eq!(
        body,
        b"\0\0\0\x07\0\0\0\x05\0\0\0\x04/a b\0\0\0\x04x\0\n\"\0\0\0\x03"
    );
}

#[test]
fn null_without_quotes_is_no_data() {
    assert!(packet("a set /a null").ends_with(b"/a\xff\xff\xff\xff\xff\xff\xff\xff"));
    assert!(packet(r#"a set /a "null""#).ends_with(b"/a\0\0\0\x04null\xff\xff\xff\xff"));
}

#[test]
fn cut_and_append_change_the_end_of_a_packet() {
    let whole = packet("a get /a");
    assert_eq!(packet("a get /a cut=3"), whole[..whole.len() - 3]);
    let longer = packet("a get /a append=0x00ff");
    assert_eq!(longer, [&whole[..], &[0, 0xff]].concat());
}

#[test]
fn set_watches_counts_back_from_the_last_zxid() {
    let body = packet("a setwatches 1 data=/x,/y child=/z");
    assert_eq!(&body[..8], b"\xff\xff\xff\xf8\0\0\0\x65");
    assert_eq!(&body[8..16], 99_i64.to_be_bytes());
    assert_eq!(
        &body[16..],
        b"\0\0\0\x02\0\0\0\x02/x\0\0\0\x02/y\0\0\0\0\0\0\0\x01\0\0\0\x02/z"
    );
}

#[test]
fn a_pipeline_is_one_step() {
    let script = Script::parse("pipeline a\n  get /x\n  # nothing\n  ls /\nend\na ping\n");
    let script = script.expect("a script");
    assert_eq!(script.steps.len(), 2);
    assert_eq!(script.request_count(), 3);
}

#[test]
fn a_mistake_is_reported_with_its_line() {
    let error = Script::parse("a ping\na get\n").expect_err("no path");
    assert_eq!(format!("{error:#}"), "line 2: a get: a path is missing");
}

#[test]
fn what_zooid_does_differently_belongs_to_the_step_before() {
    let text = "a exists /x\ndiffers why\n| a <- xid=1 zxid=0x1 err=-102\na ping\n";
    let script = Script::parse(text).expect("a script");
    let expected = vec!["a <- xid=1 zxid=0x1 err=-102".to_owned()];
    assert_eq!(script.steps[0].zooid_differs, Some(expected));
    assert_eq!(script.steps[1].zooid_differs, None);
}
