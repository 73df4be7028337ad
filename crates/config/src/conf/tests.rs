use crate::{Companions, Config, DirectoryReport, Draft, Location, NamedText};
use expect_test::{Expect, expect};
use std::path::Path;

fn check(config: &Config, client_port: Option<u16>, expected: &Expect) {
    let data_dir = DirectoryReport {
        path: Path::new("/data/version-2"),
        bytes: 10,
    };
    let data_log_dir = DirectoryReport {
        path: Path::new("/log/version-2"),
        bytes: 20,
    };
    expected.assert_eq(&config.conf_text(client_port, data_dir, data_log_dir));
}

#[test]
fn standalone() {
    check(
        &Config::default(),
        Some(2181),
        &expect![[r#"
        clientPort=2181
        secureClientPort=-1
        dataDir=/data/version-2
        dataDirSize=10
        dataLogDir=/log/version-2
        dataLogSize=20
        tickTime=3000
        maxClientCnxns=60
        minSessionTimeout=6000
        maxSessionTimeout=60000
        clientPortListenBacklog=-1
        serverId=0
    "#]],
    );
}

#[test]
fn ensemble() {
    let text = "dataDir=/data\nsecureClientPort=2281\nmaxClientCnxns=0\ninitLimit=10\nsyncLimit=5\n\
                clientPortListenBacklog=7\nmultiAddress.enabled=true\n\
                server.1=a:1:2\nserver.2=b:1:2|c:1:4:observer\nserver.3=d:1:2\n";
    let draft = Draft::parse(&Location::source("zoo.cfg"), text.as_bytes(), &[]).unwrap();
    let my_id = Some(NamedText {
        path: "/data/myid".into(),
        bytes: b"2\n".to_vec(),
    });
    let loaded = draft
        .finish(&Companions {
            my_id,
            ..Companions::default()
        })
        .unwrap();
    check(
        &loaded.config,
        None,
        &expect![[r#"
        clientPort=-1
        secureClientPort=2281
        dataDir=/data/version-2
        dataDirSize=10
        dataLogDir=/log/version-2
        dataLogSize=20
        tickTime=3000
        maxClientCnxns=0
        minSessionTimeout=6000
        maxSessionTimeout=60000
        clientPortListenBacklog=7
        serverId=2
        initLimit=10
        syncLimit=5
        electionAlg=3
        electionPort=2|4
        quorumPort=1
        peerType=1
        membership: 
        server.1=a:1:2:participant
        server.2=b:1:2|c:1:4:observer
        server.3=d:1:2:participant
        version=0"#]],
    );
}
