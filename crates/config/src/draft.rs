//! From entries to a [`Config`]: first every key by itself through the table, then ([`finish`])
//! what only makes sense together.
//!
//! Order, as in `QuorumPeerConfig`: defaults, then system properties (a line of `zoo.cfg` that is no
//! key of its own becomes one, over `-D`), then the keys of `zoo.cfg`.

use crate::key::{self, Initial, Key, PROPERTY_PREFIX, Scope, Setter};
use crate::server_list::is_list_key;
use crate::value::{self, Number, Range};
use crate::warning::{Warning, WarningKind};
use crate::{Config, ConfigError, Entry, Location, Mark, PeerType, error};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

mod finish;

pub use finish::{Companions, Loaded, NamedText};

/// A configuration of which every key has been read, but not yet the files it points to.
#[derive(Debug)]
pub struct Draft {
    pub(crate) config: Config,
    pub(crate) raw: Raw,
    /// The file, or whatever stands in its place.
    source: Location,
    /// Where each key stands that was set there.
    places: BTreeMap<String, Location>,
    list_entries: Vec<Entry>,
    warnings: Vec<Warning>,
}

/// Keys that decide a field only together with others.
#[derive(Debug, Default)]
pub(crate) struct Raw {
    pub(crate) data_dir: Option<PathBuf>,
    pub(crate) data_log_dir: Option<PathBuf>,
    pub(crate) client_port: Option<u16>,
    pub(crate) client_port_address: Option<String>,
    pub(crate) secure_client_port: Option<u16>,
    pub(crate) secure_client_port_address: Option<String>,
    pub(crate) session_timeout_ms_min: Option<i32>,
    pub(crate) session_timeout_ms_max: Option<i32>,
    pub(crate) peer_type: Option<PeerType>,
    pub(crate) jute_extra_bytes: Option<u32>,
    pub(crate) write_queue_poll_ms_max: Option<u64>,
    pub(crate) observer_sync_enabled: Option<bool>,
}

impl Draft {
    /// Reads `zoo.cfg` text. `properties` are system properties, the later of equal names winning.
    ///
    /// # Errors
    /// Malformed text, or a value of a `zoo.cfg` key that its row of the table does not allow.
    pub fn parse(
        source: &Location,
        bytes: &[u8],
        properties: &[Entry],
    ) -> Result<Draft, ConfigError> {
        Draft::from_entries(source, crate::parse_properties(source, bytes)?, properties)
    }

    /// As [`Draft::parse`], from entries already read.
    pub(crate) fn from_entries(
        source: &Location,
        entries: Vec<Entry>,
        properties: &[Entry],
    ) -> Result<Draft, ConfigError> {
        let mut draft = Draft::with_defaults(source);
        let entries = draft.without_duplicates(entries);
        let is_file_key = |entry: &Entry| key::file_key(&entry.key).is_some();
        let (file_entries, other): (Vec<_>, Vec<_>) = entries.into_iter().partition(is_file_key);
        let from_file = other
            .into_iter()
            .map(|entry| draft.as_property(entry))
            .collect::<Vec<_>>();
        draft.apply_properties(properties, &from_file);
        for entry in file_entries {
            draft.apply_file_entry(entry)?;
        }
        Ok(draft)
    }

    /// What runs when there is no configuration at all.
    pub(crate) fn embedded(properties: &[Entry]) -> Result<Draft, ConfigError> {
        let text = "dataDir=./zooid-data\nclientPort=2181\nclientPortAddress=127.0.0.1\n";
        Draft::parse(
            &Location::source("built-in default"),
            text.as_bytes(),
            properties,
        )
    }

    /// The data directory, once it is known to be set.
    #[must_use]
    pub fn data_dir(&self) -> Option<&Path> {
        self.raw.data_dir.as_deref()
    }

    /// The file that holds the list of servers, if it is a separate one.
    #[must_use]
    pub fn dynamic_config_file(&self) -> Option<&Path> {
        self.config.dynamic_config_file.as_deref()
    }

    fn with_defaults(source: &Location) -> Draft {
        let mut draft = Draft {
            config: Config::blank(),
            raw: Raw::default(),
            source: source.whole(),
            places: BTreeMap::new(),
            list_entries: Vec::new(),
            warnings: Vec::new(),
        };
        for key in key::all_keys() {
            if let Initial::Is(text) = key.initial {
                let outcome = draft.set(key, "", text);
                debug_assert!(matches!(outcome, Outcome::Set), "default of {}", key.name);
            }
        }
        draft
    }

    fn without_duplicates(&mut self, entries: Vec<Entry>) -> Vec<Entry> {
        let mut kept: Vec<Entry> = Vec::new();
        let mut index_by_key: BTreeMap<String, usize> = BTreeMap::new();
        for entry in entries {
            match index_by_key
                .get(&entry.key)
                .and_then(|index| kept.get_mut(*index))
            {
                Some(earlier) => {
                    let kind = WarningKind::Duplicate {
                        earlier: earlier.at.clone(),
                    };
                    self.warn(&entry, kind);
                    *earlier = entry;
                }
                None => {
                    index_by_key.insert(entry.key.clone(), kept.len());
                    kept.push(entry);
                }
            }
        }
        kept
    }

    /// A line that is no key of `zoo.cfg` sets the system property `zookeeper.<key>`.
    fn as_property(&mut self, entry: Entry) -> Entry {
        let name = format!("{PROPERTY_PREFIX}{}", entry.key);
        if key::property_key(&name).is_none() {
            let kind = self.why_useless_in_file(&entry.key);
            self.warn(&entry, kind);
        }
        Entry { key: name, ..entry }
    }

    fn why_useless_in_file(&self, name: &str) -> WarningKind {
        match key::property_key(name) {
            Some((key, _)) if key.scope == Scope::CommandLine => WarningKind::Misplaced {
                remedy: format!(
                    "has no effect in {}; give -D{name}=<value> on the command line or in \
                     SERVER_JVMFLAGS",
                    self.source
                ),
            },
            Some((key, _)) => WarningKind::Misplaced {
                remedy: format!("has no effect with the prefix; write {}=<value>", key.name),
            },
            None => WarningKind::Unknown {
                nearest: key::nearest_key(name),
            },
        }
    }

    fn apply_properties(&mut self, properties: &[Entry], from_file: &[Entry]) {
        let flags = properties.iter().map(|entry| (entry, Scope::CommandLine));
        let lines = from_file.iter().map(|entry| (entry, Scope::File));
        let latest: BTreeMap<&str, _> = flags
            .chain(lines)
            .map(|(entry, written_in)| (entry.key.as_str(), (entry, written_in)))
            .collect();
        for (name, (entry, written_in)) in latest {
            let properties = &mut self.config.properties;
            properties.insert(name.to_owned(), entry.value.clone());
            match (key::property_key(name), written_in) {
                (Some((key, ending)), Scope::File) => {
                    let written = name.strip_prefix(PROPERTY_PREFIX).unwrap_or(name);
                    let key_as_written = written.to_owned();
                    let entry = Entry {
                        key: key_as_written,
                        ..entry.clone()
                    };
                    self.apply_property(key, ending, &entry);
                }
                (Some((key, ending)), _) => self.apply_property(key, ending, entry),
                // A line of the file that nothing reads was mentioned when it became a property.
                (None, Scope::File) => {}
                (None, _) => self.warn_of_stray_property(entry),
            }
        }
    }

    fn apply_property(&mut self, key: &'static Key, ending: &str, entry: &Entry) {
        self.places.insert(key.name.to_owned(), entry.at.clone());
        let kind = match self.set(key, ending, &entry.value) {
            Outcome::Set => return,
            Outcome::Warned(kind) => kind,
            Outcome::Refused { allowed } => WarningKind::Replaced {
                value: error::shortened(&entry.value),
                allowed,
                used: key.initial.to_string(),
            },
        };
        self.warn(entry, kind);
    }

    /// Other programs' properties share the command line, so only likely mistakes are mentioned.
    fn warn_of_stray_property(&mut self, entry: &Entry) {
        let name = &entry.key;
        let short = name.strip_prefix(PROPERTY_PREFIX);
        let kind = if let Some((key, _)) = key::file_key(short.unwrap_or(name)) {
            let remedy = format!(
                "is no system property; write {}=<value> in zoo.cfg",
                key.name
            );
            WarningKind::Misplaced { remedy }
        } else if let Some(short) = short {
            match key::property_key(short) {
                Some(_) => WarningKind::Misplaced {
                    remedy: format!("has no effect with the prefix; write -D{short}=<value>"),
                },
                None => WarningKind::Unknown {
                    nearest: key::nearest_key(short),
                },
            }
        } else {
            let prefixed = format!("{PROPERTY_PREFIX}{name}");
            match key::property_key(&prefixed) {
                Some((key, _)) if key.mark != Mark::Java => WarningKind::Misplaced {
                    remedy: format!("has no effect without the prefix; write -D{prefixed}=<value>"),
                },
                _ => return,
            }
        };
        self.warn(entry, kind);
    }

    fn apply_file_entry(&mut self, entry: Entry) -> Result<(), ConfigError> {
        let Some((key, ending)) = key::file_key(&entry.key) else {
            return Ok(());
        };
        match self.set(key, ending, &entry.value) {
            Outcome::Set => {}
            Outcome::Warned(kind) => self.warn(&entry, kind),
            Outcome::Refused { allowed } => return Err(refusal(key, &entry, &allowed)),
        }
        self.places.insert(entry.key.clone(), entry.at.clone());
        if is_list_key(&entry.key) {
            self.list_entries.push(entry);
        }
        Ok(())
    }

    /// Gives one key one value.
    fn set(&mut self, key: &Key, ending: &str, text: &str) -> Outcome {
        match key.setter {
            Setter::Bool(set) => self.set_bool(key.scope, text, set),
            Setter::Word { is, other, set } => {
                set(self, text == is);
                if text == is || text == other {
                    return Outcome::Set;
                }
                Outcome::replaced(text, &format!("{is} or {other}"), other)
            }
            Setter::Int(range, set) => {
                let range = range.within(i64::from(i32::MIN), i64::from(i32::MAX));
                self.set_number(key.scope, text, range, |draft, value| {
                    // The range is that of i32.
                    set(draft, i32::try_from(value).unwrap_or_default());
                })
            }
            Setter::Long(range, set) => self.set_number(key.scope, text, range, set),
            Setter::Float(max, set) => match text.parse::<f64>() {
                Ok(value) if value.is_finite() && value <= max => {
                    self.accept(|draft| set(draft, value))
                }
                _ if max < f64::MAX => {
                    Outcome::refused(&format!("a decimal number, at most {max}"))
                }
                _ => Outcome::refused("a decimal number"),
            },
            Setter::Interval(set) => match value::purge_interval_ms(text) {
                Some(value) => self.accept(|draft| set(draft, value)),
                None => Outcome::refused(
                    "a whole number of hours, or of another unit with ms, s, m, h or d behind it",
                ),
            },
            Setter::Choice(words, set) => {
                match words.iter().find(|word| word.eq_ignore_ascii_case(text)) {
                    Some(word) => self.accept(|draft| set(draft, word)),
                    None => Outcome::refused(&one_of(words)),
                }
            }
            Setter::Class(known, set) => match known.contains(&text) {
                true => self.accept(|draft| set(draft, text)),
                false => Outcome::Warned(WarningKind::JavaClass {
                    class: error::shortened(text),
                    used: key.initial.to_string(),
                }),
            },
            Setter::Text(set) | Setter::Secret(set) => self.accept(|draft| set(draft, text)),
            Setter::Family(set) => self.accept(|draft| set(draft, ending, text)),
            Setter::Servers | Setter::Unread(_) => Outcome::Set,
        }
    }

    fn accept(&mut self, set: impl FnOnce(&mut Draft)) -> Outcome {
        set(self);
        Outcome::Set
    }

    /// `zoo.cfg` keys are strict; to a property everything but "true" is false.
    fn set_bool(&mut self, scope: Scope, text: &str, set: fn(&mut Draft, bool)) -> Outcome {
        match (value::strict_bool(text), scope) {
            (Some(value), _) => self.accept(|draft| set(draft, value)),
            (None, Scope::File) => Outcome::refused(BOOLEAN),
            (None, Scope::Property | Scope::CommandLine) => {
                set(self, false);
                Outcome::replaced(text, BOOLEAN, "false")
            }
        }
    }

    fn set_number(
        &mut self,
        scope: Scope,
        text: &str,
        range: Range,
        set: impl FnOnce(&mut Draft, i64),
    ) -> Outcome {
        let number = match scope {
            Scope::File => value::decimal(text, range),
            Scope::Property | Scope::CommandLine => value::decoded(text, range),
        };
        match number {
            Number::Fits(value) => self.accept(|draft| set(draft, value)),
            Number::Raised(value) => {
                set(self, value);
                Outcome::replaced(text, &range.allowed(), &value.to_string())
            }
            Number::Refused => Outcome::Refused {
                allowed: range.allowed(),
            },
        }
    }

    fn warn(&mut self, entry: &Entry, kind: WarningKind) {
        let warning = Warning {
            at: entry.at.clone(),
            key: entry.key.clone(),
            kind,
        };
        self.warnings.push(warning);
    }
}

/// What came of giving a key a value.
enum Outcome {
    Set,
    Warned(WarningKind),
    Refused { allowed: String },
}

impl Outcome {
    fn refused(allowed: &str) -> Outcome {
        Outcome::Refused {
            allowed: allowed.to_owned(),
        }
    }

    fn replaced(text: &str, allowed: &str, used: &str) -> Outcome {
        Outcome::Warned(WarningKind::Replaced {
            value: error::shortened(text),
            allowed: allowed.to_owned(),
            used: used.to_owned(),
        })
    }
}

fn refusal(key: &Key, entry: &Entry, allowed: &str) -> ConfigError {
    let is_line = entry.at.line_number().is_some();
    let remedy = match key.initial {
        Initial::Required(example) => format!("write for example {}={example}", key.name),
        _ if !is_line => "correct the value".to_owned(),
        Initial::Is(default) => format!("remove the line to use the default {default}"),
        Initial::Follows(default) => format!("remove the line to use {default}"),
        Initial::Unset => "correct or remove the line".to_owned(),
    };
    ConfigError::invalid(&entry.at, &entry.key, &entry.value, allowed, &remedy)
}

fn one_of(words: &[&str]) -> String {
    let quoted: Vec<_> = words.iter().map(|word| format!("{word:?}")).collect();
    format!("one of {}", quoted.join(", "))
}

const BOOLEAN: &str = "true or false";

#[cfg(test)]
mod tests;
