use super::*;
use expect_test::expect;
use zooid_node::Tally;
use zooid_proto::Zxid;

fn asker() -> ConnectionReport {
    ConnectionReport {
        remote: "127.0.0.1:48964".parse().unwrap(),
        interest_ops: 0,
        outstanding: 0,
        session: SessionId(0),
        timeout_ms: 0,
        stats: stats(1, 0),
    }
}

fn stats(packets_received: u64, packets_sent: u64) -> ConnStats {
    ConnStats {
        established_wall_ms: 1_700_000_000_123,
        packets_received,
        packets_sent,
        last_op: "NA",
        last_cxid: -1,
        last_zxid: Zxid::NONE,
        last_response_ms: 0,
        last_latency_ms: 0,
        latency: Tally::default(),
    }
}

fn busy() -> ConnectionReport {
    let mut latency = Tally::default();
    latency.add(0);
    latency.add(7);
    ConnectionReport {
        remote: "[::1]:50000".parse().unwrap(),
        interest_ops: OP_READ | OP_WRITE,
        outstanding: 3,
        session: SessionId(0x0100_0ab0_c0d0_0001),
        timeout_ms: 30_000,
        stats: ConnStats {
            last_op: "GETD",
            last_cxid: 31,
            last_zxid: Zxid(0x1_0000_00ff),
            last_response_ms: 123_456,
            last_latency_ms: 7,
            latency,
            ..stats(12, 11)
        },
    }
}

/// After `crst`, or right after the session was opened.
fn fresh() -> ConnectionReport {
    ConnectionReport {
        interest_ops: OP_READ,
        outstanding: 0,
        stats: stats(0, 0),
        ..busy()
    }
}

/// Each line after a bar, to show the space before an address.
fn barred(text: &str) -> String {
    text.lines().map(|line| format!("|{line}\n")).collect()
}

#[test]
fn cons_tells_of_sessions_and_stat_does_not() {
    let connections = [asker(), busy(), fresh()];
    expect![[r#"
        | /127.0.0.1:48964[0](queued=0,recved=1,sent=0)
        | /[0:0:0:0:0:0:0:1]:50000[5](queued=3,recved=12,sent=11,sid=0x1000ab0c0d00001,lop=GETD,est=1700000000123,to=30000,lcxid=0x1f,lzxid=0x1000000ff,lresp=123456,llat=7,minlat=0,avglat=3,maxlat=7)
        | /[0:0:0:0:0:0:0:1]:50000[1](queued=0,recved=0,sent=0,sid=0x1000ab0c0d00001,lop=NA,est=1700000000123,to=30000,lzxid=0xffffffffffffffff,lresp=0,llat=0,minlat=0,avglat=0,maxlat=0)
        |
    "#]]
    .assert_eq(&barred(&full_text(&connections)));
    expect![[r#"
        | /127.0.0.1:48964[0](queued=0,recved=1,sent=0)
        | /[0:0:0:0:0:0:0:1]:50000[5](queued=3,recved=12,sent=11)
        | /[0:0:0:0:0:0:0:1]:50000[1](queued=0,recved=0,sent=0)
    "#]]
    .assert_eq(&barred(&brief_lines(&connections)));
}
