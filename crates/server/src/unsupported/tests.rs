use super::unsupported;
use zooid_config::{Config, parse_zoo_cfg};

#[test]
fn the_default_asks_for_nothing_that_is_missing() {
    assert_eq!(unsupported(&Config::default()), [""; 0]);
}

#[test]
fn what_is_asked_for_and_missing_is_named() {
    let text = b"dataDir=/tmp\nclientPort=1\nsecureClientPort=2\naudit.enable=true\n\
                 serverCnxnFactory=org.apache.zookeeper.server.NettyServerCnxnFactory\n";
    let config = parse_zoo_cfg(text).unwrap().config;
    let named: Vec<&str> = unsupported(&config)
        .iter()
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    assert_eq!(named, ["secureClientPort", "audit.enable"]);
}
