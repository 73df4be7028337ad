use super::*;
use crate::Location;
use expect_test::{Expect, expect};
use proptest::prelude::*;

fn parse(value: &str, multi_address_enabled: bool) -> Result<ServerSpec, ConfigError> {
    let at = Location::source("zoo.cfg").line(7);
    let entry = Entry {
        key: "server.1".to_owned(),
        value: value.to_owned(),
        at,
    };
    ServerSpec::parse(ServerId(1), &entry, multi_address_enabled)
}

#[test]
fn specs_print_in_zookeeper_s_canonical_form() {
    let cases = [
        ("h:1:2", "h:1:2:participant"),
        ("h:1:2:", "h:1:2:participant"),
        ("h:1:2:OBSERVER ", "h:1:2:observer"),
        ("h:1:2;3", "h:1:2:participant;0.0.0.0:3"),
        ("h:1:2;", "h:1:2:participant"),
        ("h:1:2:participant;c:3", "h:1:2:participant;c:3"),
        ("h:1:2;;4", "h:1:2:participant;;0.0.0.0:4"),
        ("h:1:2;3;c:4", "h:1:2:participant;0.0.0.0:3;c:4"),
        (
            "[::1]:1:2;[2001:db8::a]:3",
            "[0:0:0:0:0:0:0:1]:1:2:participant;[2001:db8:0:0:0:0:0:a]:3",
        ),
        ("[::ffff:1.2.3.4]:1:2", "1.2.3.4:1:2:participant"),
        ("[fe80::1%eth0]:1:2", "[fe80::1%eth0]:1:2:participant"),
        ("b:1:2|a:3:4", "a:3:4|b:1:2:participant"),
        (
            "b:1:2:observer|a:3:4:observer;5",
            "a:3:4|b:1:2:observer;0.0.0.0:5",
        ),
    ];
    for (text, expected) in cases {
        let spec = parse(text, true).unwrap_or_else(|e| panic!("{e}"));
        assert_eq!(spec.to_string(), expected, "{text}");
        assert_eq!(
            parse(expected, true).unwrap().to_string(),
            expected,
            "{text} again"
        );
    }
}

#[test]
fn malformed_specs_are_refused_with_a_remedy() {
    let mut shown = String::new();
    for text in [
        "",
        "h",
        "h:1",
        "h:1:1",
        "h:1:2:learner",
        "h:1:2:observer:x",
        "::1:2888:3888",
        "[::1:1:2",
        "[::1]1:2",
        "[::1]",
        ":1:2",
        "h:x:2",
        "h:1:65536",
        "h: 1:2",
        "h:1:2;x",
        "h:1:2;a:b:3",
        "h:1:2;[::1]",
        "h:1:2;3;4;5",
        "h:1:2|g:1:2",
    ] {
        let error = parse(text, false).unwrap_err();
        assert_eq!(error.exit_code(), 2);
        let error = error.to_string();
        let remedy = error.rsplit_once("; ").map(|(_, remedy)| remedy);
        shown.push_str(&format!("{text}\n    {}\n", remedy.unwrap_or(&error)));
    }
    expect![[r#"

            write for example host:2888:3888
        h
            write for example host:2888:3888
        h:1
            add the election port: host:2888:3888
        h:1:1
            quorum port and election port must be different
        h:1:2:learner
            "learner" is no role, it is participant or observer
        h:1:2:observer:x
            write an IPv6 address in brackets: [::1]:2888:3888
        ::1:2888:3888
            write an IPv6 address in brackets: [::1]:2888:3888
        [::1:1:2
            '[' has no matching ']'
        [::1]1:2
            there is no ':' after ']'
        [::1]
            there is no ':' after ']'
        :1:2
            name the host before the first ':'
        h:x:2
            "x" is no port, it is a number from 0 to 65535
        h:1:65536
            "65536" is no port, it is a number from 0 to 65535
        h: 1:2
            " 1" is no port, it is a number from 0 to 65535
        h:1:2;x
            "x" is no port, it is a number from 0 to 65535
        h:1:2;a:b:3
            write a client address as port or host:port, after the ';'
        h:1:2;[::1]
            there is no ':' after ']'
        h:1:2;3;4;5
            remove what follows the second client address
        h:1:2|g:1:2
            several addresses need multiAddress.enabled=true, on every server
    "#]]
    .assert_eq(&shown);
}

fn check_error(text: &str, multi_address_enabled: bool, expected: &Expect) {
    let error = parse(text, multi_address_enabled).unwrap_err();
    expected.assert_eq(&error.to_string());
}

#[test]
fn a_message_names_place_key_value_and_form() {
    check_error(
        "h:1",
        true,
        &expect![
            "zoo.cfg:7: server.1=h:1: expected host:quorumPort:electionPort[:participant|observer][;[host:]clientPort]; add the election port: host:2888:3888"
        ],
    );
    check_error(
        "h:1:2:observer|g:1:2:participant",
        true,
        &expect![
            "zoo.cfg:7: server.1=h:1:2:observer|g:1:2:participant: expected host:quorumPort:electionPort[:participant|observer][;[host:]clientPort]; give all addresses of one server the same role"
        ],
    );
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused(text in r"[a1:;|\[\].]{0,30}") {
        if let Ok(spec) = parse(&text, true) {
            let printed = spec.to_string();
            prop_assert_eq!(parse(&printed, true).unwrap().to_string(), printed);
        }
    }
}
