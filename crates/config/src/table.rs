//! The one table of keys. A row holds a key's name, where it may be written, its mark, default, type,
//! the field it sets and its line of documentation: the parser, `docs/configuration.md` and the
//! suggestions for misspelt keys all come from here, so a new key is a new row and nothing else.

use crate::key::{Initial, Key, Mark, Scope, Setter};

mod network;
mod operations;
mod quorum;
mod security;
mod storage;
mod zoo_cfg;

/// Rows that belong together in the reference.
pub(crate) struct Section {
    pub(crate) title: &'static str,
    pub(crate) keys: &'static [Key],
}

/// All rows.
pub(crate) const SECTIONS: &[Section] = &[
    Section {
        title: "Server",
        keys: zoo_cfg::SERVER,
    },
    Section {
        title: "Ensemble",
        keys: zoo_cfg::ENSEMBLE,
    },
    Section {
        title: "Storage",
        keys: storage::STORAGE,
    },
    Section {
        title: "Data tree",
        keys: storage::TREE,
    },
    Section {
        title: "Client connections",
        keys: network::CLIENTS,
    },
    Section {
        title: "Throttling",
        keys: network::THROTTLING,
    },
    Section {
        title: "Election and replication",
        keys: quorum::QUORUM,
    },
    Section {
        title: "Operations",
        keys: operations::OPERATIONS,
    },
    Section {
        title: "Authentication",
        keys: security::AUTHENTICATION,
    },
    Section {
        title: "SASL",
        keys: security::SASL,
    },
    Section {
        title: "TLS",
        keys: security::TLS,
    },
    Section {
        title: "TLS for clients",
        keys: security::TLS_CLIENT,
    },
    Section {
        title: "TLS between servers",
        keys: security::TLS_QUORUM,
    },
    Section {
        title: "Java only",
        keys: operations::JAVA,
    },
];

const fn file(
    name: &'static str,
    mark: Mark,
    initial: Initial,
    setter: Setter,
    doc: &'static str,
) -> Key {
    Key {
        name,
        scope: Scope::File,
        mark,
        initial,
        doc,
        setter,
    }
}

const fn property(
    name: &'static str,
    mark: Mark,
    initial: Initial,
    setter: Setter,
    doc: &'static str,
) -> Key {
    Key {
        name,
        scope: Scope::Property,
        mark,
        initial,
        doc,
        setter,
    }
}

const fn command_line(
    name: &'static str,
    mark: Mark,
    initial: Initial,
    setter: Setter,
    doc: &'static str,
) -> Key {
    Key {
        name,
        scope: Scope::CommandLine,
        mark,
        initial,
        doc,
        setter,
    }
}

/// A number that was bounded to be at least 0.
fn natural(value: i32) -> u32 {
    u32::try_from(value).unwrap_or(0)
}

/// A number that was bounded to be at least 0.
fn natural_long(value: i64) -> u64 {
    u64::try_from(value).unwrap_or(0)
}

/// A duration in milliseconds that was bounded to be at least 0.
fn millis(value: i32) -> u64 {
    u64::from(natural(value))
}

/// A limit that is off unless it is positive.
fn limit(value: i32) -> Option<u32> {
    u32::try_from(value).ok().filter(|limit| *limit > 0)
}

/// A limit that is off unless it is positive.
fn limit_long(value: i64) -> Option<u64> {
    u64::try_from(value).ok().filter(|limit| *limit > 0)
}

/// A time limit that is off only when negative.
fn limit_millis(value: i32) -> Option<u64> {
    u64::try_from(value).ok()
}

/// A limit in KiB, off unless positive, in bytes.
fn limit_kib(value: i64) -> Option<u64> {
    limit_long(value).map(|kib| kib.saturating_mul(1024))
}

/// A port that was bounded to be one.
fn port(value: i32) -> u16 {
    u16::try_from(value).unwrap_or(0)
}

/// The words of a comma-separated list.
fn comma_list<C: FromIterator<String>>(text: &str) -> C {
    text.split(',')
        .map(str::trim)
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect()
}

/// A text that is unset when empty.
fn non_empty(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}
