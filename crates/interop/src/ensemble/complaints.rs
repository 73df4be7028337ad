//! What a server's log says is wrong.

#[cfg(test)]
mod tests;

use crate::Kind;

/// The lines that should not be there, whoever was killed.
pub(super) fn complaints(kind: Kind, log: &str) -> Vec<&str> {
    let is_complaint = match kind {
        Kind::Java => is_java_s,
        Kind::Zooid => is_zooid_s,
    };
    log.lines().filter(|line| is_complaint(line)).collect()
}

fn is_java_s(line: &str) -> bool {
    // To a client that has gone while it was being answered.
    let is_error = line.contains("] ERROR ") && !line.contains("Error sending data synchronously");
    // A follower says so of the first proposal of each leader, too.
    let is_gap = line.contains("Got zxid 0x")
        && !line.ends_with(" expected 0x1")
        && !line.contains("00000001 expected ");
    is_error || is_gap || line.contains("igests are not matching")
}

fn is_zooid_s(line: &str) -> bool {
    line.contains(" ERROR ") || line.contains("digest mismatch") || line.contains("panicked at")
}
