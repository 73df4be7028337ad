//! `-Dname=value`, from a command line or from `JVMFLAGS` and its relatives.

use crate::{ConfigError, Entry, Location};

/// Reads `-Dname=value` arguments (the `-D` may be missing, as when an option parser ate it).
/// A name without `=` has the empty value, as in Java.
///
/// # Errors
/// An empty name.
pub fn parse_system_properties<S: AsRef<str>>(
    source: &Location,
    args: &[S],
) -> Result<Vec<Entry>, ConfigError> {
    args.iter()
        .map(|arg| parse_flag(source, arg.as_ref()))
        .collect()
}

/// Reads the `-D` flags out of a variable such as `JVMFLAGS`; its other words are for a Java
/// machine and mean nothing here.
///
/// # Errors
/// A quote that is not closed, or an empty name.
pub fn parse_jvm_flags(variable: &str, value: &str) -> Result<Vec<Entry>, ConfigError> {
    let source = Location::source(variable);
    let Some(words) = split_words(value) else {
        return Err(ConfigError::Usage {
            reason: format!("{variable}: a quote is opened and not closed"),
            remedy: "close it, or put a backslash before a quote that is meant as one".to_owned(),
        });
    };
    let flags: Vec<_> = words
        .into_iter()
        .filter(|word| word.starts_with("-D"))
        .collect();
    parse_system_properties(&source, &flags)
}

fn parse_flag(source: &Location, arg: &str) -> Result<Entry, ConfigError> {
    let definition = arg.strip_prefix("-D").unwrap_or(arg);
    let (name, value) = definition.split_once('=').unwrap_or((definition, ""));
    if name.is_empty() {
        return Err(ConfigError::Usage {
            reason: format!("{source}: {arg:?} names no property"),
            remedy: "write -Dname=value, for example -Dzookeeper.snapCount=100000".to_owned(),
        });
    }
    Ok(Entry {
        key: name.to_owned(),
        value: value.to_owned(),
        at: source.clone(),
    })
}

/// Splits as a shell does: blanks separate, quotes and backslashes protect. `None`: an open quote.
fn split_words(text: &str) -> Option<Vec<String>> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote: Option<char> = None;
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match (c, quote) {
            ('\'' | '"', None) => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (c, Some(open)) if c == open => quote = None,
            ('\\', None | Some('"')) => word.get_or_insert_default().extend(chars.next()),
            (c, None) if c.is_whitespace() => words.extend(word.take()),
            (c, _) => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    quote.is_none().then_some(words)
}

#[cfg(test)]
mod tests;
