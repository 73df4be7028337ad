use super::complaints;
use crate::Kind;

#[test]
fn errors_gaps_and_wrong_digests_are_complaints() {
    let java = "\
[main] WARN org.apache.zookeeper.server.ServerCnxnFactory - maxCnxns is not configured
[NIOWorkerThread-1] ERROR org.apache.zookeeper.server.NIOServerCnxn - Error sending data synchronously
[LearnerHandler] ERROR org.apache.zookeeper.server.quorum.LearnerHandler - Unexpected exception in LearnerHandler:
java.io.EOFException
[LearnerHandler] ERROR org.apache.zookeeper.server.quorum.LearnerHandler - Unexpected exception in LearnerHandler:
[main] WARN org.apache.zookeeper.server.ServerCnxnFactory - maxCnxns is not configured
[SendWorker:5] ERROR org.apache.zookeeper.server.quorum.QuorumCnxManager - Failed to send last message. Shutting down thread.
java.net.SocketException: Socket closed
[QuorumPeer] WARN org.apache.zookeeper.server.quorum.Learner - Got zxid 0x200000001 expected 0x1
[QuorumPeer] WARN org.apache.zookeeper.server.quorum.Learner - Got zxid 0x200000005 expected 0x200000004
[LearnerHandler] ERROR org.apache.zookeeper.server.quorum.LearnerHandler - Unexpected exception in LearnerHandler:
[CommitProcessor:1] WARN org.apache.zookeeper.server.DataTree - Digests are not matching. Value is Zxid.
[SyncThread:1] ERROR org.apache.zookeeper.server.ZooKeeperCriticalThread - Severe unrecoverable error";
    let lines: Vec<&str> = java.lines().collect();
    assert_eq!(first_lines(Kind::Java, java), lines[9..]);

    let zooid = "\
2026-11-28T04:48:37Z  WARN zooid_server::quorum::election_port: cannot reach its election port
2026-11-28T04:48:37Z  WARN zooid_server::core_thread: tree digest mismatch zxid=0x1 op=1
2026-11-28T04:48:37Z ERROR zooid: the log has failed";
    let lines: Vec<&str> = zooid.lines().collect();
    assert_eq!(first_lines(Kind::Zooid, zooid), lines[1..]);
}

fn first_lines(kind: Kind, log: &str) -> Vec<&str> {
    let found = complaints(kind, log).into_iter();
    found.map(|(line, _)| line).collect()
}
