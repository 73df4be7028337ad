use super::*;
use crate::commands::Command;
use expect_test::{Expect, expect};

#[test]
fn client_strings_name_version_and_addresses() {
    assert_eq!(client_string(""), " ");
    let config = "server.1=a:2888:3888:participant;0.0.0.0:2181\n\
                  server.2=b:2888:3888:observer;2182\n\
                  server.3=c:2888:3888\n\
                  group.1=1:2:3\n\
                  version=100000000";
    assert_eq!(
        client_string(config),
        "100000000 0.0.0.0:2181,0.0.0.0:2182,"
    );
}

fn check(line: &str, expected: &Expect) {
    let arguments: Vec<_> = line.split_whitespace().map(str::to_owned).collect();
    let args = Command::find("reconfig")
        .unwrap()
        .parse(&arguments)
        .unwrap();
    expected.assert_eq(&match reconfig_request(&args) {
        Ok(r) => format!(
            "{:?} {:?} {:?} {}",
            r.joining_servers, r.leaving_servers, r.new_members, r.cur_config_id
        ),
        Err(e) => e.to_string(),
    });
}

#[test]
fn reconfig_takes_one_mode() {
    check(
        "-add server.1=A:1:2;3 -remove 4 -v 1f",
        &expect![[r#"Some("server.1=a:1:2;3") Some("4") None 31"#]],
    );
    check(
        "-members server.1=a:1:2",
        &expect![[r#"None None Some("server.1=a:1:2") -1"#]],
    );
    check(
        "-add x -members y",
        &expect![
            "Can't use -file or -members together with -add or -remove (mixing incremental and non-incremental modes is not allowed)"
        ],
    );
    check(
        "-file x -members y",
        &expect!["Can't use -file and -members together (conflicting non-incremental modes)"],
    );
    check(
        "-add x -v 1g",
        &expect!["-v must be followed by a long (configuration version)"],
    );
    check(
        "-s",
        &expect![
            "reconfig [-s] [-v version] [[-file path] | [-members serverID=host:port1:port2;port3[,...]*]] | [-add serverId=host:port1:port2;port3[,...]]* [-remove serverId[,...]*]"
        ],
    );
}
