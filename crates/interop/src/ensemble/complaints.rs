//! What a server's log says is wrong.

#[cfg(test)]
mod tests;

use crate::Kind;

/// The lines that should not be there, whoever was killed, each with the one behind it.
pub(super) fn complaints(kind: Kind, log: &str) -> Vec<(&str, &str)> {
    let lines: Vec<&str> = log.lines().collect();
    let next = lines.iter().skip(1).copied().chain([""]);
    let pairs = lines.iter().copied().zip(next);
    let complaints = pairs.filter(|(line, next)| match kind {
        Kind::Java => is_java_s(line, next),
        Kind::Zooid => is_zooid_s(line),
    });
    complaints.collect()
}

/// The line after an error is its exception.
fn is_java_s(line: &str, next: &str) -> bool {
    // A server that is killed between the two never says which it was; then its next life begins.
    let is_cut_off = next.is_empty() || next.starts_with("[main] ");
    let is_lost_learner = line.contains("Unexpected exception in LearnerHandler")
        && (is_cut_off
            || ["java.io.EOFException", "java.net.SocketException"]
                .iter()
                .any(|exception| next.starts_with(exception)));
    // To a client that has gone while it was being answered.
    let is_lost_client = line.contains("Error sending data synchronously");
    // To a member whose connection has made way for another one meanwhile.
    let is_lost_vote = line.contains("Failed to send last message. Shutting down thread.")
        && next.starts_with("java.net.SocketException");
    let is_lost = is_lost_client || is_lost_learner || is_lost_vote;
    let is_error = line.contains("] ERROR ") && !is_lost;
    // A follower says so of the first proposal of each leader, too.
    let is_gap = line.contains("Got zxid 0x")
        && !line.ends_with(" expected 0x1")
        && !line.contains("00000001 expected ");
    is_error || is_gap || line.contains("igests are not matching")
}

fn is_zooid_s(line: &str) -> bool {
    line.contains(" ERROR ") || line.contains("digest mismatch") || line.contains("panicked at")
}
