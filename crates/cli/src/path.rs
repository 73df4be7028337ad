//! Says what is wrong with a path, in the words of Java's `PathUtils.validatePath`.
//!
//! Whether a path is legal is [`zooid_proto::path::is_valid`]'s to say; this module only finds the
//! reason. Positions count UTF-16 units, as Java's do.

/// Why a path is not legal. Prints as Java's `IllegalArgumentException` does.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum PathError {
    /// Nothing there.
    #[error("Path length must be > 0")]
    Empty,
    /// Not absolute.
    #[error("Path must start with / character")]
    NotAbsolute,
    /// A trailing slash.
    #[error("Path must not end with / character")]
    TrailingSlash,
    /// A bad component or character.
    #[error("Invalid path string \"{path}\" caused by {reason} @{at}")]
    Invalid {
        /// The whole path.
        path: String,
        /// What is wrong.
        reason: &'static str,
        /// Where, in UTF-16 units.
        at: usize,
    },
}

/// Accepts what servers accept.
///
/// # Errors
/// [`PathError`] with the first fault.
pub(crate) fn check_path(path: &str) -> Result<(), PathError> {
    if zooid_proto::path::is_valid(path) {
        return Ok(());
    }
    Err(if path.is_empty() {
        PathError::Empty
    } else if !path.starts_with('/') {
        PathError::NotAbsolute
    } else if path.ends_with('/') {
        PathError::TrailingSlash
    } else {
        let (reason, at) = first_fault(path);
        PathError::Invalid {
            path: path.to_owned(),
            reason,
            at,
        }
    })
}

/// As [`check_path`] for a sequential node, whose path may end with a slash.
///
/// # Errors
/// [`PathError`] with the first fault.
pub(crate) fn check_sequential_path(path: &str) -> Result<(), PathError> {
    check_path(&format!("{path}1"))
}

/// What is wrong with an illegal path that starts with a slash and does not end with one, and
/// where. Java reports the unit at which it notices: the second slash of an empty component, the
/// last dot of a relative one.
fn first_fault(path: &str) -> (&'static str, usize) {
    let mut at = 0;
    for component in path[1..].split('/') {
        let start = at + 1;
        let legal_alone = |c: char| zooid_proto::path::is_valid(&format!("/_{c}"));
        if let Some((bad, c)) = component.char_indices().find(|&(_, c)| !legal_alone(c)) {
            let reason = match c {
                '\0' => "null character not allowed",
                _ => "invalid character",
            };
            return (reason, start + utf16_len(&component[..bad]));
        }
        match component {
            "" => return ("empty node name specified", start),
            "." | ".." => return ("relative paths not allowed", at + component.len()),
            _ => at = start + utf16_len(component),
        }
    }
    ("invalid character", at)
}

fn utf16_len(text: &str) -> usize {
    text.chars().map(char::len_utf16).sum()
}

#[cfg(test)]
mod tests;
