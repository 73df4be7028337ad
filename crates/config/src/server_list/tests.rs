use super::*;
use expect_test::{Expect, expect};
use proptest::prelude::*;

fn check(text: &str, expected: &Expect) {
    let shown = match ServerList::parse_config_text(text, false) {
        Ok(list) => list.config_text(),
        Err(e) => e.to_string(),
    };
    expected.assert_eq(&shown);
}

#[test]
fn config_text_lists_servers_by_id_and_ends_with_the_version() {
    check(
        "version=100000000\nserver.2=b:1:2:observer\nserver.10=c:1:2\nserver.1=a:1:2;3\n",
        &expect![[r#"
            server.1=a:1:2:participant;0.0.0.0:3
            server.2=b:1:2:observer
            server.10=c:1:2:participant
            version=100000000"#]],
    );
    check("", &expect!["version=0"]);
}

#[test]
fn config_text_of_a_hierarchy_names_every_weight() {
    check(
        "server.1=a:1:2\nserver.2=b:1:2\nserver.3=c:1:2\nserver.4=d:1:2:observer\n\
         group.2=3\ngroup.1=2:1\nweight.2=0",
        &expect![[r#"
            server.1=a:1:2:participant
            server.2=b:1:2:participant
            server.3=c:1:2:participant
            server.4=d:1:2:observer
            group.1=2:1
            group.2=3
            weight.1=1
            weight.2=0
            weight.3=1
            version=0"#]],
    );
}

#[test]
fn a_dynamic_file_is_sorted_and_has_no_version() {
    let text = "server.2=b:1:2\nserver.10=c:1:2\nserver.1=a:1:2;3\ngroup.1=1:2:10\nversion=1f";
    let list = ServerList::parse_config_text(text, false).unwrap();
    expect![[r#"
        group.1=1:2:10
        server.10=c:1:2:participant
        server.1=a:1:2:participant;0.0.0.0:3
        server.2=b:1:2:participant
        weight.10=1
        weight.1=1
        weight.2=1"#]]
    .assert_eq(&list.dynamic_file_text());
    expect![[r#"
        group.1=1:2:10
        server.10=c:1:2:participant
        server.1=a:1:2:participant;0.0.0.0:3
        server.2=b:1:2:participant
        version=1f
        weight.10=1
        weight.1=1
        weight.2=1"#]]
    .assert_eq(&list.next_dynamic_file_text());
    assert_eq!(
        ServerList::parse_config_text(&list.next_dynamic_file_text(), false).unwrap(),
        list
    );
}

#[test]
fn a_client_address_from_the_static_file_stays_out_of_the_text() {
    let mut list = ServerList::parse_config_text("server.1=a:1:2", false).unwrap();
    let address = crate::HostPort::wildcard(3);
    list.get_mut(ServerId(1)).unwrap().client = Some(crate::ClientAddress {
        address,
        is_from_static: true,
    });
    assert_eq!(list.config_text(), "server.1=a:1:2:participant\nversion=0");
}

#[test]
fn inconsistent_lists_are_refused() {
    let mut shown = String::new();
    for text in [
        "server.=a:1:2",
        "server.one=a:1:2",
        "server.1=a:1:2\nserver.01=b:1:2",
        "clientPort=2181",
        "version=xyz",
        "group=1",
        "groups.1=a",
        "server.1=a:1:2\ngroup.1=1\ngroup.2=1",
        "server.1=a:1:2\nserver.2=b:1:2\ngroup.1=1",
        "server.1=a:1:2\nweight.1=1",
        "server.1=a:1:2\ngroup.1=1:2",
        "server.1=a:1:2\ngroup.1=1\nweight.1=-1",
        "server.1=a:1:2|b:1:2",
    ] {
        let error = ServerList::parse_config_text(text, false).unwrap_err();
        shown.push_str(&format!("{error}\n"));
    }
    expect![[r#"
        config text:1: server.: a whole number must follow the dot; write for example server.1, group.1 or weight.1
        config text:1: server.one: a whole number must follow the dot; write for example server.1, group.1 or weight.1
        config text:2: server.01: the same server is listed under another spelling of its number; remove one of the two lines
        config text:1: clientPort: only server., group. and weight. keys may stand here; move it to zoo.cfg
        config text:1: version=xyz: expected a hexadecimal number; restore the line or remove the file
        config text:1: group: a whole number must follow the dot; write for example server.1, group.1 or weight.1
        config text:1: groups.1=a: expected server numbers joined by ':'; write for example groups.1=1:2:3
        config text:3: group.2: server 1 is in two groups; keep it in one
        config text:2: server.2: with group or weight lines, every participant is in exactly one group; add it to a group.N line
        config text:1: server.1: with group or weight lines, every participant is in exactly one group; add it to a group.N line
        config text:2: group.1: server 2 is no participant and has no weight; take it out of the group or list it as a participant
        config text:3: weight.1=-1: expected a whole number from 0 up; write for example weight.1=1
        config text:1: server.1=a:1:2|b:1:2: expected host:quorumPort:electionPort[:participant|observer][;[host:]clientPort]; several addresses need multiAddress.enabled=true, on every server
    "#]].assert_eq(&shown);
}

#[test]
fn the_version_is_behind_the_last_dot_of_the_file_name() {
    for (name, version) in [
        ("zoo.cfg.dynamic", 0),
        ("zoo.cfg.dynamic.1001", 0x1001),
        ("zoo.cfg.dynamic.100000000", 0x1_0000_0000),
        ("zoo.cfg.dynamic.", 0),
        ("/etc/v1.2/servers", 0),
        ("servers", 0),
        ("x.FF", 255),
    ] {
        assert_eq!(version_of_file_name(name), version, "{name}");
    }
}

proptest! {
    #[test]
    fn any_list_survives_its_own_text(text in r"((server|group|weight)\.[0-3]=([ab0-3]|:){0,8}(;3)?\n){0,5}") {
        if let Ok(list) = ServerList::parse_config_text(&text, true) {
            prop_assert_eq!(ServerList::parse_config_text(&list.config_text(), true).unwrap(), list);
        }
    }
}
