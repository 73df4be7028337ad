//! The grammar of paths (spec §2.12; Java `PathUtils`).

/// Root of the built-in nodes.
pub const ZOOKEEPER: &str = "/zookeeper";
/// Root of the quota nodes.
pub const QUOTA: &str = "/zookeeper/quota";
/// The ensemble's configuration.
pub const CONFIG: &str = "/zookeeper/config";

/// Whether a node may be created or changed under this path.
#[must_use]
pub fn is_valid(path: &str) -> bool {
    if path == "/" {
        return true;
    }
    if !path.starts_with('/') {
        return false;
    }
    has_legal_components(path.as_bytes()) && has_legal_chars(path)
}

/// Looks at each byte once and branches only at slashes: every write that a leader orders comes through
/// here.
fn has_legal_components(path: &[u8]) -> bool {
    let mut start = 1;
    for (at, byte) in path.iter().enumerate().skip(1) {
        if *byte == b'/' {
            if !is_legal_component(&path[start..at]) {
                return false;
            }
            start = at + 1;
        }
    }
    is_legal_component(&path[start..])
}

fn is_legal_component(component: &[u8]) -> bool {
    !matches!(component, b"" | b"." | b"..")
}

fn has_legal_chars(path: &str) -> bool {
    // Without a branch for each, which lets many be looked at at a time.
    let is_plain = |byte: u8| (0x20..0x7f).contains(&byte);
    let are_plain = path.bytes().fold(true, |all, byte| all & is_plain(byte));
    are_plain || path.chars().all(is_legal_char)
}

/// Java tests UTF-16 units, and surrogates lie in a forbidden range: hence no character beyond the
/// basic plane is legal.
fn is_legal_char(c: char) -> bool {
    !matches!(c,
        '\u{0}'..='\u{1f}'
        | '\u{7f}'..='\u{9f}'
        | '\u{e000}'..='\u{f8ff}'
        | '\u{fff0}'..='\u{ffff}'
        | '\u{10000}'..)
}

/// Splits a path at its last slash: the parent's path as the tree keys it ("" for the root) and
/// the name. `None` without a slash.
#[must_use]
pub fn split(path: &str) -> Option<(&str, &str)> {
    path.rsplit_once('/')
}

/// The parent's path as clients write it: "/" for a top-level node. `None` without a slash.
#[must_use]
pub fn parent(path: &str) -> Option<&str> {
    match split(path)? {
        ("", _) => Some("/"),
        (parent, _) => Some(parent),
    }
}

/// Nodes that exist always and cannot be deleted.
#[must_use]
pub fn is_special(path: &str) -> bool {
    matches!(path, "/" | ZOOKEEPER | QUOTA | CONFIG)
}
