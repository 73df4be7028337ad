use super::*;

const SRVR: &str = "\
Zookeeper version: 3.8.0-1, built on 2023-01-13 19:32 UTC
Latency min/avg/max: 0/0.0/0
Received: 43
Sent: 42
Connections: 3
Outstanding: 0
Zxid: 0x200000007
Mode: leader
Node count: 5
Proposal sizes last/min/max: 48/48/48
";
const MNTR: &str = "\
zk_version\t3.8.0-1, built on 2023-01-13 19:32 UTC
zk_server_state\tleader
zk_peer_state\tleading - broadcast
zk_global_sessions\t4
zk_local_sessions\t1
zk_avg_global_sessions_of_no_interest\t9.0
";

fn parse(srvr: &str, mntr: &str) -> Option<Answer> {
    Answer::parse(Texts {
        srvr,
        mntr,
        current_epoch: "",
    })
}

fn status(srvr: &str, mntr: &str) -> Status {
    match parse(srvr, mntr) {
        Some(Answer::Serving(status)) => status,
        other => panic!("not serving: {other:?}"),
    }
}

#[test]
fn a_leader_is_understood() {
    let status = status(SRVR, MNTR);
    assert_eq!(
        status,
        Status {
            role: Role::Leader,
            epoch: 2,
            zxid: 0x2_0000_0007,
            connections: 3,
            sessions: Some(5),
            received: 43,
        }
    );
    assert_eq!(status.clients(), 2);
}

#[test]
fn every_mode_has_its_role() {
    for role in ALL {
        let srvr = SRVR.replace("Mode: leader", &format!("Mode: {role}"));
        assert_eq!(status(&srvr, MNTR).role, role);
    }
}

#[test]
fn a_follower_may_be_ahead_of_its_last_transaction() {
    let answer = Answer::parse(Texts {
        srvr: SRVR,
        mntr: MNTR,
        current_epoch: "3\n",
    });
    let Some(Answer::Serving(status)) = answer else {
        panic!("not serving: {answer:?}");
    };
    assert_eq!((status.epoch, status.zxid), (3, 0x2_0000_0007));
}

#[test]
fn without_mntr_the_sessions_are_unknown() {
    let refused = "mntr is not executed because it is not in the whitelist.\n";
    assert_eq!(status(SRVR, refused).sessions, None);
}

#[test]
fn a_server_without_a_leader_says_so() {
    let text = "This ZooKeeper instance is not currently serving requests\n";
    assert_eq!(parse(text, text), Some(Answer::NotServing));
}

#[test]
fn anything_else_is_no_answer() {
    for text in [
        "",
        "Mode: leader\n",
        "Zxid: 0xzz\nMode: leader\n",
        "HTTP/1.1 400",
    ] {
        assert_eq!(parse(text, ""), None, "{text:?}");
    }
    for line in SRVR.lines() {
        let is_needed = ["Zxid", "Mode", "Connections", "Received"]
            .iter()
            .any(|name| line.starts_with(name));
        let without = SRVR.replace(line, "");
        assert_eq!(parse(&without, MNTR).is_none(), is_needed, "{line}");
    }
}
