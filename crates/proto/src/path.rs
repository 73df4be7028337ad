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
    let Some(rest) = path.strip_prefix('/') else {
        return false;
    };
    if rest.is_empty() {
        return true;
    }
    has_legal_components(rest.as_bytes()) && has_legal_chars(rest)
}

fn has_legal_components(path: &[u8]) -> bool {
    let mut components = path.split(|byte| *byte == b'/');
    components.all(|component| !matches!(component, b"" | b"." | b".."))
}

fn has_legal_chars(path: &str) -> bool {
    if path.is_ascii() {
        path.bytes().all(|byte| !byte.is_ascii_control())
    } else {
        path.chars().all(is_legal_char)
    }
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
