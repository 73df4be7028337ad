//! The exact words of errors and warnings, one case per rule.

use super::*;

/// Shows what becomes of `text` after the minimal configuration: an error or all warnings.
fn outcome(text: &str, args: &[&str], files: &Companions) -> String {
    match load(text, args, files) {
        Ok(loaded) => loaded
            .warnings
            .iter()
            .map(|warning| format!("{warning}\n"))
            .collect(),
        Err(e) => format!("exit {}: {e}\n", e.exit_code()),
    }
}

fn check(cases: &[&str], expected: &Expect) {
    let shown: String = cases
        .iter()
        .map(|text| outcome(&format!("{MINIMAL}{text}"), &[], &Companions::default()))
        .collect();
    expected.assert_eq(&shown);
}

fn check_flags(cases: &[&str], expected: &Expect) {
    let shown: String = cases
        .iter()
        .map(|flag| outcome(MINIMAL, &[flag], &Companions::default()))
        .collect();
    expected.assert_eq(&shown);
}

#[test]
fn wrong_values_in_zoo_cfg() {
    check(
        &[
            "tickTime=abc",
            "tickTime=0",
            "tickTime=",
            "tickTime=999999999999",
            "tickTime=200000000",
            "secureClientPort=65536",
            "initLimit=-1",
            "maxClientCnxns=many",
            "standaloneEnabled=yes",
            "electionAlg=1",
            "peerType=leader",
            "autopurge.purgeInterval=1w",
            "server.1=host:2888",
            "server.x=host:2888:3888",
            "weight.1=x",
            "minSessionTimeout=soon",
            "dataDir=C:\\users",
        ],
        &expect![[r#"
            exit 2: zoo.cfg:3: tickTime=abc: expected a whole number from 1 to 107374182; remove the line to use the default 3000
            exit 2: zoo.cfg:3: tickTime=0: expected a whole number from 1 to 107374182; remove the line to use the default 3000
            exit 2: zoo.cfg:3: tickTime=: expected a whole number from 1 to 107374182; remove the line to use the default 3000
            exit 2: zoo.cfg:3: tickTime=999999999999: expected a whole number from 1 to 107374182; remove the line to use the default 3000
            exit 2: zoo.cfg:3: tickTime=200000000: expected a whole number from 1 to 107374182; remove the line to use the default 3000
            exit 2: zoo.cfg:3: secureClientPort=65536: expected a whole number from 0 to 65535; correct or remove the line
            exit 2: zoo.cfg:3: initLimit=-1: expected a whole number from 0 up (at most 2147483647); write for example initLimit=10
            exit 2: zoo.cfg:3: maxClientCnxns=many: expected a whole number (at most 2147483647); remove the line to use the default 60
            exit 2: zoo.cfg:3: standaloneEnabled=yes: expected true or false; remove the line to use the default true
            exit 2: zoo.cfg:3: electionAlg=1: expected 3; remove the line to use the default 3
            exit 2: zoo.cfg:3: peerType=leader: expected one of "participant", "observer"; remove the line to use the default participant
            exit 2: zoo.cfg:3: autopurge.purgeInterval=1w: expected a whole number of hours, or of another unit with ms, s, m, h or d behind it; remove the line to use the default 0
            exit 2: zoo.cfg:3: server.1=host:2888: expected host:quorumPort:electionPort[:participant|observer][;[host:]clientPort]; add the election port: host:2888:3888
            exit 2: zoo.cfg:3: server.x: a whole number must follow the dot; write for example server.1, group.1 or weight.1
            exit 2: zoo.cfg:3: weight.1=x: expected a whole number from 0 up; write for example weight.1=1
            exit 2: zoo.cfg:3: minSessionTimeout=soon: expected a whole number (at most 2147483647); remove the line to use 2 × tickTime
            exit 2: zoo.cfg:3: malformed \uXXXX escape; write four hexadecimal digits after \u, or double a backslash that is meant as one
        "#]],
    );
}

#[test]
fn keys_that_contradict_each_other() {
    check(
        &[
            "minSessionTimeout=70000",
            "maxSessionTimeout=10",
            "secureClientPortAddress=h",
            "quorum.auth.serverRequireSasl=true",
            "quorum.auth.learnerRequireSasl=true",
            "quorum.auth.enableSasl=true\nquorum.auth.serverRequireSasl=true",
            "standaloneEnabled=false",
            "server.1=a:1:2:observer",
            "server.1=a:1:2\nserver.2=b:1:2:observer",
            "server.1=a:1:2|b:1:2",
            "group.1=1",
            "dynamicConfigFile=/c/d\nserver.1=a:1:2",
            "secureClientPort=1\nssl.authProvider=mine",
            "enforce.auth.enabled=true",
        ],
        &expect![[r#"
            exit 2: zoo.cfg:3: minSessionTimeout: minSessionTimeout 70000 is larger than maxSessionTimeout 60000; change one of them; without a line, maxSessionTimeout follows from tickTime
            exit 2: zoo.cfg:3: maxSessionTimeout: minSessionTimeout 6000 is larger than maxSessionTimeout 10; change one of them; without a line, minSessionTimeout follows from tickTime
            exit 2: zoo.cfg:3: secureClientPortAddress: set without secureClientPort; add a line such as secureClientPort=2281 or remove this one
            exit 2: zoo.cfg:3: quorum.auth.serverRequireSasl: needs quorum.auth.enableSasl=true; add that line or set this one to false
            exit 2: zoo.cfg:3: quorum.auth.learnerRequireSasl: needs quorum.auth.enableSasl=true; add that line or set this one to false
            exit 2: zoo.cfg:4: quorum.auth.serverRequireSasl: needs quorum.auth.learnerRequireSasl=true, or this server could not join; add that line or set this one to false
            exit 2: zoo.cfg:3: standaloneEnabled: false, but no participant is listed; add server.N=host:2888:3888 lines or remove standaloneEnabled=false
            exit 2: zoo.cfg:3: server.1: an observer needs an ensemble to observe; list at least two participants, or one and standaloneEnabled=false
            exit 2: zoo.cfg:4: server.2: an observer needs an ensemble to observe; list at least two participants, or one and standaloneEnabled=false
            exit 2: zoo.cfg:3: server.1=a:1:2|b:1:2: expected host:quorumPort:electionPort[:participant|observer][;[host:]clientPort]; several addresses need multiAddress.enabled=true, on every server
            exit 2: zoo.cfg:3: group.1: server 1 is no participant and has no weight; take it out of the group or list it as a participant
            exit 2: zoo.cfg:4: server.1: stands beside dynamicConfigFile, which holds the list of servers; move the line to that file or remove dynamicConfigFile
            exit 2: zoo.cfg:4: ssl.authProvider: no authProvider.mine is configured; add one, or remove ssl.authProvider to use x509
            exit 2: zoo.cfg:3: enforce.auth.enabled: true, but enforce.auth.schemes is not set; add a line such as enforce.auth.schemes=digest,sasl
        "#]],
    );
}

#[test]
fn missing_keys() {
    let cases = [
        "",
        "dataDir=\n",
        "dataDir=/d\nclientPortAddress=h\n",
        "dataDir=/d\nclientPort=1\nserver.1=a:1:2\nserver.2=b:1:2\n",
        "dataDir=/d\nclientPort=1\ninitLimit=1\nserver.1=a:1:2\nserver.2=b:1:2\n",
    ];
    let shown: String = cases
        .iter()
        .map(|text| outcome(text, &[], &Companions::default()))
        .collect();
    expect![[r#"
        exit 2: zoo.cfg: dataDir: not set; add a line such as dataDir=/var/lib/zookeeper
        exit 2: zoo.cfg:1: dataDir: not set; add a line such as dataDir=/var/lib/zookeeper
        exit 2: zoo.cfg:2: clientPortAddress: set without clientPort; add a line such as clientPort=2181 or remove this one
        exit 2: zoo.cfg: initLimit: required in an ensemble, and not set; add a line such as initLimit=10
        exit 2: zoo.cfg: syncLimit: required in an ensemble, and not set; add a line such as syncLimit=5
    "#]].assert_eq(&shown);
}

#[test]
fn this_server_s_number() {
    let extended = format!("{ENSEMBLE}server.255=d:1:2:observer\nextendedTypesEnabled=true\n");
    let shown = [
        outcome(ENSEMBLE, &[], &Companions::default()),
        outcome(ENSEMBLE, &[], &companions("")),
        outcome(ENSEMBLE, &[], &companions("one\n")),
        outcome(ENSEMBLE, &[], &companions("4\n")),
        outcome(&extended, &[], &companions("255\n")),
        outcome(ENSEMBLE, &[], &companions("3\r\n")),
    ];
    expect![[r#"
        exit 2: /d/myid: the file is missing, and this server is to be part of an ensemble; write this server's number into it, one of 1, 2, 3
        exit 2: /d/myid: serverid "" is not a number; write this server's N of server.N into the file, and nothing else
        exit 2: /d/myid: serverid "one" is not a number; write this server's N of server.N into the file, and nothing else
        exit 2: /d/myid: my id 4 is not in the list of servers; write one of 1, 2, 3 into the file, or add a server.4 line everywhere
        exit 2: /d/myid: extendedTypesEnabled is true but the server id 255 is larger than 254; give the server a smaller number, everywhere
    "#]].assert_eq(&shown.concat());
}

#[test]
fn client_addresses_that_disagree() {
    let text = "dataDir=/d\nserver.1=a:1:2;10.0.0.1:5\n";
    let shown: String = [
        "clientPort=6\n",
        "clientPort=5\nclientPortAddress=10.0.0.2\n",
    ]
    .iter()
    .map(|lines| outcome(&format!("{text}{lines}"), &[], &companions("1")))
    .collect();
    expect![[r#"
        exit 2: zoo.cfg:3: clientPort: 0.0.0.0:6 is not the address 10.0.0.1:5 of server.1; remove clientPort here, or the address behind the ';' there
        exit 2: zoo.cfg:3: clientPort: 10.0.0.2:5 is not the address 10.0.0.1:5 of server.1; remove clientPort here, or the address behind the ';' there
    "#]].assert_eq(&shown);
}

#[test]
fn dynamic_files() {
    let text =
        "dataDir=/d\nclientPort=1\ninitLimit=1\nsyncLimit=1\ndynamicConfigFile=/c/s.dynamic\n";
    let cases = [
        "server.1=a:1:2\nversion=0",
        "server.1=a:1:2\nclientPort=2181",
        "server.1=a:1",
        "server.1=a:1:2:observer",
    ];
    let shown = cases.iter().map(|content| {
        let bytes = content.as_bytes().to_vec();
        let dynamic = Some(NamedText {
            path: "/c/s.dynamic".into(),
            bytes,
        });
        outcome(
            text,
            &[],
            &Companions {
                dynamic,
                ..companions("1")
            },
        )
    });
    expect![[r#"
        exit 2: /c/s.dynamic:2: version: a dynamic configuration file has its version in its name; remove the line, and name the file <zoo.cfg>.dynamic.<version>
        exit 2: /c/s.dynamic:2: clientPort: only server., group. and weight. keys may stand here; move it to zoo.cfg
        exit 2: /c/s.dynamic:1: server.1=a:1: expected host:quorumPort:electionPort[:participant|observer][;[host:]clientPort]; add the election port: host:2888:3888
        exit 2: /c/s.dynamic: server.1: an observer needs an ensemble to observe; list at least two participants, or one and standaloneEnabled=false
    "#]].assert_eq(&shown.collect::<String>());
}

#[test]
fn keys_without_effect_in_zoo_cfg() {
    check(
        &[
            "jute.maxbuffer=4194304",
            "readonlymode.enabled=true",
            "zookeeper.snapCount=10",
            "snapcount=10",
            "ticktime=10",
            "maxClientConnections=10",
            "autopurge.purgeIntervals=1",
            "something.else.entirely=1",
            "tickTime=1000\ntickTime=2000",
        ],
        &expect![[r#"
            zoo.cfg:3: jute.maxbuffer: has no effect in zoo.cfg; give -Djute.maxbuffer=<value> on the command line or in SERVER_JVMFLAGS
            zoo.cfg:3: readonlymode.enabled: has no effect in zoo.cfg; give -Dreadonlymode.enabled=<value> on the command line or in SERVER_JVMFLAGS
            zoo.cfg:3: zookeeper.snapCount: has no effect with the prefix; write snapCount=<value>
            zoo.cfg:3: snapcount: unknown key, nothing reads it; did you mean snapCount?
            zoo.cfg:3: ticktime: unknown key, nothing reads it; did you mean tickTime?
            zoo.cfg:3: maxClientConnections: unknown key, nothing reads it; remove it or check its spelling
            zoo.cfg:3: autopurge.purgeIntervals: unknown key, nothing reads it; did you mean autopurge.purgeInterval?
            zoo.cfg:3: something.else.entirely: unknown key, nothing reads it; remove it or check its spelling
            zoo.cfg:4: tickTime: set before at zoo.cfg:3; the later value is used, remove one of the two
        "#]],
    );
}

#[test]
fn flags_without_effect() {
    check_flags(
        &[
            "-Dzookeeper.tickTime=1",
            "-DtickTime=1",
            "-DsnapCount=1",
            "-Dzookeeper.jute.maxbuffer=1",
            "-Dzookeeper.snapCounts=1",
            "-Dzookeeper.=1",
            "-Dsun.net.inetaddr.ttl=1",
        ],
        &expect![[r#"
            command line: zookeeper.tickTime: is no system property; write tickTime=<value> in zoo.cfg
            command line: tickTime: is no system property; write tickTime=<value> in zoo.cfg
            command line: snapCount: has no effect without the prefix; write -Dzookeeper.snapCount=<value>
            command line: zookeeper.jute.maxbuffer: has no effect with the prefix; write -Djute.maxbuffer=<value>
            command line: zookeeper.snapCounts: unknown key, nothing reads it; did you mean snapCount?
            command line: zookeeper.: unknown key, nothing reads it; remove it or check its spelling
        "#]],
    );
}

#[test]
fn values_zookeeper_replaces() {
    check(
        &[
            "autopurge.snapRetainCount=1",
            "commitLogCount=10",
            "snapCount=1",
            "snapCount=many",
            "snapshotSizeFactor=2",
            "forceSync=false",
            "digest.enabled=yes",
            "snapshot.compression.method=zstd",
            "ssl.clientAuth=maybe",
            "admin.serverPort=99999",
            "metricsProvider.className=com.example.Metrics",
        ],
        &expect![[r#"
            zoo.cfg:3: autopurge.snapRetainCount: 1 is not a whole number, at least 3; 3 is used instead
            zoo.cfg:3: commitLogCount: 10 is not a whole number, at least 500; 500 is used instead
            zoo.cfg:3: snapCount: 1 is not a whole number, at least 2; 2 is used instead
            zoo.cfg:3: snapCount: many is not a whole number, at least 2; 100000 is used instead
            zoo.cfg:3: snapshotSizeFactor: 2 is not a decimal number, at most 1; 0.33 is used instead
            zoo.cfg:3: forceSync: false is not no or yes; yes is used instead
            zoo.cfg:3: digest.enabled: yes is not true or false; false is used instead
            zoo.cfg:3: snapshot.compression.method: zstd is not one of "", "gz", "snappy"; the empty text is used instead
            zoo.cfg:3: ssl.clientAuth: maybe is not one of "need", "want", "none"; need is used instead
            zoo.cfg:3: admin.serverPort: 99999 is not a whole number from 0 to 65535; 8080 is used instead
            zoo.cfg:3: metricsProvider.className: Java class com.example.Metrics cannot be loaded; org.apache.zookeeper.metrics.impl.DefaultMetricsProvider is used instead
        "#]],
    );
    check_flags(
        &["-Djute.maxbuffer=4m", "-Djute.maxbuffer=0"],
        &expect![[r#"
            command line: jute.maxbuffer: 4m is not a whole number from 1 up (at most 2147483647); 1048575 is used instead
            command line: jute.maxbuffer: 0 is not a whole number from 1 up (at most 2147483647); 1048575 is used instead
        "#]],
    );
}

#[test]
fn legal_and_probably_not_meant() {
    let two = ENSEMBLE.replace("server.3=c:1:2\n", "");
    let four = format!("{ENSEMBLE}server.4=d:1:2\n");
    let observer = format!("{ENSEMBLE}peerType=observer\n");
    let shown = [
        outcome(
            "dataDir=data\ndataLogDir=../log\n",
            &[],
            &Companions::default(),
        ),
        outcome(&two, &[], &companions("1")),
        outcome(&four, &[], &companions("1")),
        outcome(&observer, &[], &companions("1")),
    ];
    expect![[r#"
        zoo.cfg:1: dataDir: relative to the directory the server is started in; write an absolute path, or ./ in front if it is meant so
        zoo.cfg:2: dataLogDir: relative to the directory the server is started in; write an absolute path, or ./ in front if it is meant so
        zoo.cfg: clientPort: not set, so no client can connect; add a line such as clientPort=2181
        zoo.cfg: server: no failure of a participant will be tolerated; that takes three of them
        zoo.cfg: server: an even number of participants tolerates no more failures than one fewer
        zoo.cfg:8: peerType: the list of servers says participant, which is used
    "#]].assert_eq(&shown.concat());
}
