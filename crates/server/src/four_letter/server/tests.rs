use super::*;
use crate::metrics::testing::readings;
use crate::stats::ServerStats;
use expect_test::expect;
use zooid_node::Now;

#[test]
fn srvr_has_java_s_lines() {
    let stats = ServerStats::new(Now::default());
    expect![[r#"
        Zookeeper version: 3.9.5-zooid, built on 2026-01-02 03:04 UTC
        Latency min/avg/max: 0/2.3333/5
        Received: 41
        Sent: 40
        Connections: 2
        Outstanding: 1
        Zxid: 0x1000000a0
        Mode: standalone
        Node count: 5
    "#]]
    .assert_eq(&text(
        "3.9.5-zooid, built on 2026-01-02 03:04 UTC",
        None,
        &readings(&stats),
    ));
}

#[test]
fn stat_lists_clients_between_the_version_and_the_rest() {
    let stats = ServerStats::new(Now::default());
    let readings = readings(&stats);
    let whole = text("v", Some(&[]), &readings);
    let rest = text("v", None, &readings);
    let rest = rest.strip_prefix("Zookeeper version: v\n").unwrap();
    assert_eq!(whole, format!("Zookeeper version: v\nClients:\n\n{rest}"));
}
