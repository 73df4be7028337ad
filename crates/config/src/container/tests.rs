use super::*;
use expect_test::{Expect, expect};

fn environment(variables: &[(&str, &str)]) -> Environment {
    variables
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}

fn check(variables: &[(&str, &str)], expected: &Expect) {
    let entries = entries(&environment(variables)).unwrap();
    let line = |e: &Entry| format!("{}={}  ({})\n", e.key, e.value, e.at);
    expected.assert_eq(&entries.iter().map(line).collect::<String>());
}

#[test]
fn unset_variables_have_the_image_s_defaults() {
    check(
        &[],
        &expect![[r#"
        dataDir=/data  (ZOO_DATA_DIR)
        dataLogDir=/datalog  (ZOO_DATA_LOG_DIR)
        tickTime=2000  (ZOO_TICK_TIME)
        initLimit=5  (ZOO_INIT_LIMIT)
        syncLimit=2  (ZOO_SYNC_LIMIT)
        autopurge.snapRetainCount=3  (ZOO_AUTOPURGE_SNAPRETAINCOUNT)
        autopurge.purgeInterval=0  (ZOO_AUTOPURGE_PURGEINTERVAL)
        maxClientCnxns=60  (ZOO_MAX_CLIENT_CNXNS)
        standaloneEnabled=true  (ZOO_STANDALONE_ENABLED)
        admin.enableServer=true  (ZOO_ADMINSERVER_ENABLED)
        server.1=localhost:2888:3888;2181  (ZOO_SERVERS)
    "#]],
    );
}

#[test]
fn lists_are_separated_by_blanks() {
    check(
        &[
            (
                "ZOO_SERVERS",
                "server.1=a:2888:3888;2181  server.2=b:2888:3888;2181",
            ),
            (
                "ZOO_CFG_EXTRA",
                "snapCount=1000 metricsProvider.httpPort=7000",
            ),
            ("ZOO_4LW_COMMANDS_WHITELIST", "srvr, mntr"),
            ("ZOO_TICK_TIME", "500"),
        ],
        &expect![[r#"
            dataDir=/data  (ZOO_DATA_DIR)
            dataLogDir=/datalog  (ZOO_DATA_LOG_DIR)
            tickTime=500  (ZOO_TICK_TIME)
            initLimit=5  (ZOO_INIT_LIMIT)
            syncLimit=2  (ZOO_SYNC_LIMIT)
            autopurge.snapRetainCount=3  (ZOO_AUTOPURGE_SNAPRETAINCOUNT)
            autopurge.purgeInterval=0  (ZOO_AUTOPURGE_PURGEINTERVAL)
            maxClientCnxns=60  (ZOO_MAX_CLIENT_CNXNS)
            standaloneEnabled=true  (ZOO_STANDALONE_ENABLED)
            admin.enableServer=true  (ZOO_ADMINSERVER_ENABLED)
            server.1=a:2888:3888;2181  (ZOO_SERVERS)
            server.2=b:2888:3888;2181  (ZOO_SERVERS)
            4lw.commands.whitelist=srvr, mntr  (ZOO_4LW_COMMANDS_WHITELIST)
            snapCount=1000  (ZOO_CFG_EXTRA)
            metricsProvider.httpPort=7000  (ZOO_CFG_EXTRA)
        "#]],
    );
}

#[test]
fn only_variables_that_end_up_in_the_file_count_as_a_configuration() {
    assert!(!is_configured(&environment(&[
        ("ZOO_LOG_DIR", "/logs"),
        ("ZOOCFGDIR", "/conf")
    ])));
    assert!(is_configured(&environment(&[("ZOO_MY_ID", "2")])));
    assert!(is_configured(&environment(&[("ZOO_TICK_TIME", "2000")])));
}

#[test]
fn my_id_is_1_unless_told() {
    assert_eq!(my_id(&environment(&[])), "1");
    assert_eq!(my_id(&environment(&[("ZOO_MY_ID", "")])), "1");
    assert_eq!(my_id(&environment(&[("ZOO_MY_ID", "3")])), "3");
}
