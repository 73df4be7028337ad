//! Where the nodes are that a run reads and sets.

use std::fmt::Write;

/// Nodes below one directory, at most a thousand in each of its own directories: a tree as people
/// have it, however many there are.
#[derive(Clone, Debug)]
pub(crate) struct Keys {
    directory: String,
    count: usize,
}

const KEYS_PER_DIRECTORY: usize = 1000;

/// The first number that has more digits than the index says.
const LIMIT_BY_WIDTH: [usize; 6] = [1, 10, 100, 1000, 10_000, 100_000];

impl Keys {
    pub(crate) fn below(directory: String, count: usize) -> Keys {
        Keys { directory, count }
    }

    pub(crate) fn len(&self) -> usize {
        self.count
    }

    pub(crate) fn directory(&self) -> &str {
        &self.directory
    }

    /// Replaces `out` by the path of a key.
    pub(crate) fn put_path(&self, key: usize, out: &mut String) {
        out.clear();
        out.push_str(&self.directory);
        out.push_str("/d");
        put_digits::<5>(key / KEYS_PER_DIRECTORY, out);
        out.push_str("/k");
        put_digits::<3>(key % KEYS_PER_DIRECTORY, out);
    }

    /// Which key a path is of, if it is one of these.
    pub(crate) fn number_of(&self, path: &[u8]) -> Option<usize> {
        let rest = path.strip_prefix(self.directory.as_bytes())?;
        let (directory, key) = rest
            .strip_prefix(b"/d")?
            .split_at_checked(rest.len().checked_sub(7)?)?;
        let (directory, key) = (digits(directory)?, digits(key.strip_prefix(b"/k")?)?);
        let number = directory * KEYS_PER_DIRECTORY + key;
        (number < self.count).then_some(number)
    }

    /// The directories that the keys are in.
    pub(crate) fn directories(&self) -> impl Iterator<Item = String> {
        self.directories_without(0)
    }

    /// Those that the first keys are not in.
    pub(crate) fn directories_without(&self, first: usize) -> impl Iterator<Item = String> {
        let numbers = |keys: usize| keys.div_ceil(KEYS_PER_DIRECTORY);
        (numbers(first)..numbers(self.count)).map(|number| self.directory_of(number))
    }

    fn directory_of(&self, number: usize) -> String {
        let mut path = format!("{}/d", self.directory);
        put_digits::<5>(number, &mut path);
        path
    }

    /// Bytes of the last component of a key's path.
    pub(crate) const NAME_BYTES: usize = 4;
}

/// Appends at least `WIDTH` digits. Formatting costs several times as much, once per request.
fn put_digits<const WIDTH: usize>(mut number: usize, out: &mut String) {
    if number >= LIMIT_BY_WIDTH[WIDTH] {
        write!(out, "{number}").expect("a String takes everything");
        return;
    }
    let mut digits = [b'0'; WIDTH];
    for digit in digits.iter_mut().rev() {
        *digit = b'0' + u8::try_from(number % 10).expect("a digit");
        number /= 10;
    }
    out.push_str(std::str::from_utf8(&digits).expect("digits are ASCII"));
}

fn digits(text: &[u8]) -> Option<usize> {
    std::str::from_utf8(text).ok()?.parse().ok()
}

#[cfg(test)]
mod tests;
