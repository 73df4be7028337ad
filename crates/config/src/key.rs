//! The row type of the table of keys, and the search for a key by the name someone wrote.

use crate::draft::Draft;
use crate::table;
use crate::value::Range;

/// One key a ZooKeeper configuration may hold.
#[derive(Debug, Clone, Copy)]
pub struct Key {
    /// Its name in `zoo.cfg`, or after `-D` for a [`Scope::CommandLine`] property. A final `*`
    /// stands for any ending.
    pub name: &'static str,
    /// Where it may be written.
    pub scope: Scope,
    /// What kind of key it is.
    pub mark: Mark,
    /// Its value when nobody sets it.
    pub initial: Initial,
    /// One line for the reference.
    pub doc: &'static str,
    pub(crate) setter: Setter,
}

/// Where a key may be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// In `zoo.cfg` only; a wrong value is an error.
    File,
    /// As `-Dzookeeper.<name>`, or as `<name>` in `zoo.cfg`, which wins. ZooKeeper replaces a wrong
    /// value by the default and says nothing; here it is a warning.
    Property,
    /// As `-D<name>` only.
    CommandLine,
}

/// What kind of key it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mark {
    /// Decides what clients, peers or files see.
    Core,
    /// Limits, logs, maintenance.
    Ops,
    /// Authentication, authorisation, encryption.
    Security,
    /// Tunes the Java implementation: accepted and without effect.
    Java,
}

/// The value of a key that nobody sets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Initial {
    /// This text, as if it had been written.
    Is(&'static str),
    /// Unset.
    Unset,
    /// There must be a value, such as this one.
    Required(&'static str),
    /// It follows from other keys as described.
    Follows(&'static str),
}

/// How a value's text becomes a field of the configuration: the parser's dispatch.
#[derive(Clone, Copy)]
pub(crate) enum Setter {
    /// `true` or `false`.
    Bool(fn(&mut Draft, bool)),
    /// A switch ZooKeeper compares with one word; any other text is its opposite.
    Word {
        is: &'static str,
        other: &'static str,
        set: fn(&mut Draft, bool),
    },
    /// A Java `int`.
    Int(Range, fn(&mut Draft, i32)),
    /// A Java `long`.
    Long(Range, fn(&mut Draft, i64)),
    /// A Java `double`, and the largest it may be.
    Float(f64, fn(&mut Draft, f64)),
    /// A time interval with an optional unit, in milliseconds.
    Interval(fn(&mut Draft, i32)),
    /// One of these words, any case.
    Choice(&'static [&'static str], fn(&mut Draft, &str)),
    /// A Java class; the known ones, and what stands in for others.
    Class(&'static [&'static str], fn(&mut Draft, &str)),
    /// Any text.
    Text(fn(&mut Draft, &str)),
    /// Any text, never shown.
    Secret(fn(&mut Draft, &str)),
    /// Any text; the first argument is what stood for the `*`.
    Family(fn(&mut Draft, &str, &str)),
    /// Part of the list of servers, read as a whole later.
    Servers,
    /// Kept in the property map and otherwise unread. The word is the value's type.
    Unread(&'static str),
}

impl std::fmt::Display for Initial {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Initial::Is("") => "the empty text",
            Initial::Is(text) | Initial::Follows(text) => text,
            Initial::Unset => "nothing",
            Initial::Required(_) => "no default",
        })
    }
}

impl Key {
    /// The name as a system property, for keys that have one.
    #[must_use]
    pub fn property_name(&self) -> Option<String> {
        match self.scope {
            Scope::File => None,
            Scope::Property => Some(format!("{PROPERTY_PREFIX}{}", self.name)),
            Scope::CommandLine => Some(self.name.to_owned()),
        }
    }

    /// Whether the value must stay out of logs and replies.
    #[must_use]
    pub fn is_secret(&self) -> bool {
        matches!(self.setter, Setter::Secret(_))
    }

    /// The value's type, in words.
    #[must_use]
    pub fn type_name(&self) -> &'static str {
        match self.setter {
            Setter::Bool(_) => "boolean",
            Setter::Word { .. } => "yes/no",
            Setter::Int(..) => "int",
            Setter::Long(..) => "long",
            Setter::Float(..) => "number",
            Setter::Interval(_) => "interval",
            Setter::Choice(..) => "word",
            Setter::Class(..) => "class",
            Setter::Text(_) | Setter::Family(_) => "text",
            Setter::Secret(_) => "secret",
            Setter::Servers => "see below",
            Setter::Unread(shape) => shape,
        }
    }

    /// What stands for the `*`, if `name` is this key.
    fn ending_of<'n>(&self, name: &'n str) -> Option<&'n str> {
        match self.name.strip_suffix('*') {
            Some(stem) => name.strip_prefix(stem),
            None => (self.name == name).then_some(""),
        }
    }
}

/// Every key, in the order of the reference.
pub fn all_keys() -> impl Iterator<Item = &'static Key> {
    table::SECTIONS
        .iter()
        .flat_map(|section| section.keys.iter())
}

/// The key read from `zoo.cfg` under this very name, and what stood for its `*`. An exact name wins
/// over a family.
pub(crate) fn file_key(name: &str) -> Option<(&'static Key, &str)> {
    best_match(name, |key| key.scope == Scope::File)
}

/// The key read from this system property, and what stood for its `*`.
pub(crate) fn property_key(name: &str) -> Option<(&'static Key, &str)> {
    let command_line = best_match(name, |key| key.scope == Scope::CommandLine);
    let prefixed = || {
        let short = name.strip_prefix(PROPERTY_PREFIX)?;
        best_match(short, |key| key.scope == Scope::Property)
    };
    command_line.or_else(prefixed)
}

/// Whether this system property holds a password or the like.
pub(crate) fn is_secret_property(name: &str) -> bool {
    property_key(name).is_some_and(|(key, _)| key.is_secret())
}

fn best_match(name: &str, wanted: fn(&Key) -> bool) -> Option<(&'static Key, &str)> {
    let matches = all_keys()
        .filter(|key| wanted(key))
        .filter_map(|key| Some((key, key.ending_of(name)?)));
    matches.min_by_key(|(key, _)| key.name.ends_with('*'))
}

/// The key that `name` was probably meant to be.
pub(crate) fn nearest_key(name: &str) -> Option<&'static str> {
    let name = name
        .strip_prefix(PROPERTY_PREFIX)
        .unwrap_or(name)
        .to_ascii_lowercase();
    let len = name.chars().count();
    let distance_max = (len / 3).min(DISTANCE_MAX);
    // A name of another length is at least as far away, and need not be measured, which takes long.
    let is_near = |key: &&Key| key.name.len().abs_diff(len) <= distance_max;
    all_keys()
        .filter(|key| !key.name.ends_with('*'))
        .filter(is_near)
        .map(|key| {
            (
                strsim::damerau_levenshtein(&name, &key.name.to_ascii_lowercase()),
                key.name,
            )
        })
        .filter(|(distance, _)| *distance <= distance_max)
        .min()
        .map(|(_, name)| name)
}

/// What `zoo.cfg` puts before a key it does not know to make a system property of it.
pub(crate) const PROPERTY_PREFIX: &str = "zookeeper.";
const DISTANCE_MAX: usize = 3;

impl std::fmt::Debug for Setter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Setter")
    }
}
