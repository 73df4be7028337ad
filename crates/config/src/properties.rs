//! Java Properties text (`java.util.Properties.load`) as a list of entries with line numbers.
//!
//! The crate `java-properties` does the reading. It departs from Java in places where a file that
//! ZooKeeper accepts would be refused or lose a key, so the text is first brought into the ASCII
//! subset on which both agree (see [`agreed_subset`]).

use crate::{ConfigError, Entry, Location};
use java_properties::{LineContent, PropertiesIter};

/// Reads every entry, duplicates included, in file order.
///
/// # Errors
/// A malformed `\uXXXX` escape: the only thing that is not Properties syntax.
pub fn parse_properties(source: &Location, bytes: &[u8]) -> Result<Vec<Entry>, ConfigError> {
    let text = agreed_subset(bytes);
    let mut entries = Vec::new();
    for line in PropertiesIter::new(text.as_bytes()) {
        let line = line.map_err(|e| malformed_escape(source, e.line_number()))?;
        let at = source.line(line.line_number());
        if let LineContent::KVPair(key, value) = line.consume_content() {
            entries.push(Entry {
                key: java_trim(&key),
                value: java_trim(&value),
                at,
            });
        }
    }
    Ok(entries)
}

/// `String.trim`: everything up to and including U+0020 goes.
pub(crate) fn java_trim(text: &str) -> String {
    text.trim_matches(|c| c <= ' ').to_owned()
}

fn malformed_escape(source: &Location, line: Option<usize>) -> ConfigError {
    ConfigError::Syntax {
        at: line.map_or_else(|| source.whole(), |n| source.line(n)),
        reason: "malformed \\uXXXX escape".to_owned(),
        remedy: "write four hexadecimal digits after \\u, or double a backslash that is meant as \
                 one"
        .to_owned(),
    }
}

/// Rewrites the text, line by line, so that the crate reads it as Java does:
///
/// * bytes are ISO-8859-1 to Java, windows-1252 to the crate: what is not plain ASCII becomes an escape;
/// * Java skips comments unread, the crate unescapes them and fails on `# C:\users`: they are emptied;
/// * Java starts afresh after a line of nothing but a backslash, also with a comment: it is one too;
/// * Java drops a backslash that ends the file, the crate drops that line's whole entry: it is removed.
fn agreed_subset(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len());
    let mut continues = false;
    for line in bytes
        .split_inclusive(|b| *b == b'\n')
        .flat_map(split_at_carriage_returns)
    {
        let body_len = line
            .iter()
            .position(|b| matches!(b, b'\n' | b'\r'))
            .unwrap_or(line.len());
        let (body, line_end) = line.split_at(body_len);
        if !continues && (is_comment(body) || is_lone_backslash(body)) {
            out.push('#');
        } else {
            continues = push_escaped(&mut out, body);
        }
        if continues && line_end.is_empty() {
            out.pop();
        }
        out.extend(line_end.iter().map(|b| char::from(*b)));
    }
    out
}

/// A lone carriage return ends a line too; one before a newline belongs to that newline.
fn split_at_carriage_returns(line: &[u8]) -> impl Iterator<Item = &[u8]> {
    let crlf = line.ends_with(b"\r\n");
    let mut rest = line;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let end = rest
            .iter()
            .position(|b| *b == b'\r')
            .map_or(rest.len(), |at| at + 1);
        let is_final_crlf = crlf && end + 1 == rest.len();
        let (head, tail) = rest.split_at(if is_final_crlf { rest.len() } else { end });
        rest = tail;
        Some(head)
    })
}

fn is_comment(body: &[u8]) -> bool {
    matches!(body.iter().find(|b| !is_blank(**b)), Some(b'#' | b'!'))
}

fn is_lone_backslash(body: &[u8]) -> bool {
    body.iter().filter(|b| !is_blank(**b)).eq(b"\\") && body.ends_with(b"\\")
}

fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\x0c')
}

/// Appends one natural line; true when it ends in a backslash that continues it.
fn push_escaped(out: &mut String, body: &[u8]) -> bool {
    let mut after_backslash = false;
    for &byte in body {
        let plain = matches!(byte, b' '..=b'~' | b'\t' | b'\x0c');
        if plain {
            out.push(char::from(byte));
        } else {
            out.push_str(if after_backslash { "u00" } else { "\\u00" });
            out.push_str(&format!("{byte:02x}"));
        }
        after_backslash = byte == b'\\' && !after_backslash;
    }
    after_backslash
}

#[cfg(test)]
mod tests;
