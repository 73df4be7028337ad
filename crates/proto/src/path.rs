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
    // Every write that a leader orders comes through here, and nearly all of their paths are plain.
    is_plain(path.as_bytes()) || is_legal(path)
}

/// Bytes that are looked at together, each next to the one behind it.
const LANES: usize = 16;
const RUN_LEN: usize = LANES + 1;

/// Whether a path is valid at first sight: printable ASCII without a component that is empty or begins
/// with a dot.
fn is_plain(path: &[u8]) -> bool {
    let are_plain = if let Some(last_run) = path.last_chunk() {
        let mut runs = path.array_windows().step_by(LANES);
        runs.all(is_plain_run) && is_plain_run(last_run)
    } else {
        let mut padded = [b'-'; RUN_LEN];
        padded[..path.len()].copy_from_slice(path);
        is_plain_run(&padded)
    };
    are_plain && path.starts_with(b"/") && !path.ends_with(b"/")
}

/// Whether nothing behind the first byte is suspicious. Without a branch for each byte, which lets all of
/// them be looked at at once.
fn is_plain_run(run: &[u8; RUN_LEN]) -> bool {
    let pairs = run.iter().zip(&run[1..]);
    pairs.fold(true, |plain, (byte, next)| {
        let begins_badly = *byte == b'/' && matches!(next, b'/' | b'.');
        plain & is_printable(*next) & !begins_badly
    })
}

fn is_printable(byte: u8) -> bool {
    (0x20..0x7f).contains(&byte)
}

fn is_legal(path: &str) -> bool {
    let Some(components) = path.strip_prefix('/') else {
        return false;
    };
    path == "/"
        || (components.split('/').all(is_legal_component) && path.chars().all(is_legal_char))
}

fn is_legal_component(component: &str) -> bool {
    !matches!(component, "" | "." | "..")
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
    // Most names are shorter than what a search by words is made for.
    let slash = path.bytes().rposition(|byte| byte == b'/')?;
    Some((&path[..slash], &path[slash + 1..]))
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

#[cfg(test)]
mod tests;
