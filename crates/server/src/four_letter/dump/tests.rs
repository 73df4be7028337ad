use super::*;
use expect_test::expect;

#[test]
fn dump_has_java_s_three_parts() {
    let (one, two) = (SessionId(0x1000_0000_0001), SessionId(0x1000_0000_0002));
    let remote = |text: &str| text.parse().unwrap();
    let dump = Dump {
        now: Now {
            mono_ms: 500_000,
            wall_ms: 1_700_000_000_000,
        },
        zone: TimeZone::UTC,
        sessions: DumpedSessions::Tracked {
            by_expiry: vec![(502_000, vec![one]), (506_000, vec![two])],
            count: 3,
        },
        ephemerals: vec![(one, vec!["/a".into(), "/b".into()]), (two, vec![])],
        connections: BTreeMap::from([
            (
                510_000,
                vec![
                    (remote("127.0.0.1:40000"), one),
                    (remote("[::1]:40001"), two),
                ],
            ),
            (520_000, vec![(remote("127.0.0.1:40002"), SessionId(0))]),
        ]),
    };
    expect![[r#"
        SessionTracker dump:
        Session Sets (2)/(3):
        1 expire at Tue Nov 14 22:13:22 UTC 2023:
        	0x100000000001
        1 expire at Tue Nov 14 22:13:26 UTC 2023:
        	0x100000000002
        ephemeral nodes dump:
        Sessions with Ephemerals (2):
        0x100000000001:
        	/a
        	/b
        0x100000000002:
        Connections dump:
        Connections Sets (2)/(3):
        2 expire at Tue Nov 14 22:13:30 UTC 2023:
        	ip: /127.0.0.1:40000 sessionId: 0x100000000001
        	ip: /[0:0:0:0:0:0:0:1]:40001 sessionId: 0x100000000002
        1 expire at Tue Nov 14 22:13:40 UTC 2023:
        	ip: /127.0.0.1:40002 sessionId: 0x0
    "#]]
    .assert_eq(&dump.text());
}

#[test]
fn a_learner_knows_timeouts_and_no_expiry() {
    let dump = Dump {
        now: Now::default(),
        zone: TimeZone::UTC,
        sessions: DumpedSessions::Learned(vec![(SessionId(0x1000_0000_0001), 4000)]),
        ephemerals: vec![],
        connections: BTreeMap::new(),
    };
    let text = "SessionTracker dump:\nGlobal Sessions(1):\n0x100000000001\t4000ms\n\
                ephemeral nodes dump:\nSessions with Ephemerals (0):\n\
                Connections dump:\nConnections Sets (0)/(0):\n";
    assert_eq!(dump.text(), text);
}

#[test]
fn times_are_rounded_up_to_the_interval() {
    assert_eq!(round_up(0, 10), 0);
    assert_eq!(round_up(1, 10), 10);
    assert_eq!(round_up(10, 10), 10);
    assert_eq!(round_up(i64::MAX - 1, i64::MAX), i64::MAX);
}
