//! Cuts a command line into words (Java `ZooKeeperMain.MyCommandOptions.parseCommand`).

/// Words are separated by whitespace. One that starts with ' or " ends at the next of its kind and
/// may hold whitespace; inside other words quotes are ordinary. A quote that is never closed is
/// dropped.
#[must_use]
pub(crate) fn split_words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut rest = line.trim_start();
    while let Some(first) = rest.chars().next() {
        let quoted = match first {
            '"' | '\'' => Some(rest[1..].split_once(first)),
            _ => None,
        };
        rest = match quoted {
            Some(Some((word, after))) => {
                words.push(word.to_owned());
                after
            }
            Some(None) => &rest[1..],
            None => {
                let (word, after) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
                words.push(word.to_owned());
                after
            }
        }
        .trim_start();
    }
    words
}

#[cfg(test)]
mod tests;
