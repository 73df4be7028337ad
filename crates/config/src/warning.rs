//! What an operator should know about a configuration that works all the same.
//!
//! Warnings are returned, never printed: the caller owns the log.

use crate::{Location, Mark};
use std::fmt;

/// One remark about one setting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    /// Where the setting stands.
    pub at: Location,
    /// The key as it was written.
    pub key: String,
    /// What there is to say.
    pub kind: WarningKind,
}

/// What there is to say about a setting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WarningKind {
    /// Nothing reads this key.
    Unknown {
        /// The known key it resembles most, if any is near.
        nearest: Option<&'static str>,
    },
    /// The same key stands twice in one source; ZooKeeper, too, keeps the last.
    Duplicate {
        /// The line that lost.
        earlier: Location,
    },
    /// The key is known but has no effect where it was written.
    Misplaced {
        /// Why, and where to write it.
        remedy: String,
    },
    /// ZooKeeper starts with a value it cannot use, silently taking another; so do we, aloud.
    Replaced {
        /// The value as written.
        value: String,
        /// What the key allows.
        allowed: String,
        /// What is used instead.
        used: String,
    },
    /// A Java class that is not one of those rebuilt here.
    JavaClass {
        /// The class as written.
        class: String,
        /// What happens instead.
        used: String,
    },
    /// A legal configuration that is probably not meant.
    Advice(String),
}

impl Warning {
    pub(crate) fn advice(at: &Location, key: &str, text: impl Into<String>) -> Warning {
        Warning {
            at: at.clone(),
            key: key.to_owned(),
            kind: WarningKind::Advice(text.into()),
        }
    }
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}: ", self.at, self.key)?;
        match &self.kind {
            WarningKind::Unknown {
                nearest: Some(nearest),
            } => {
                write!(f, "unknown key, nothing reads it; did you mean {nearest}?")
            }
            WarningKind::Unknown { nearest: None } => {
                f.write_str("unknown key, nothing reads it; remove it or check its spelling")
            }
            WarningKind::Duplicate { earlier } => {
                write!(
                    f,
                    "set before at {earlier}; the later value is used, remove one of the two"
                )
            }
            WarningKind::Misplaced { remedy } => f.write_str(remedy),
            WarningKind::Replaced {
                value,
                allowed,
                used,
            } => {
                write!(f, "{value} is not {allowed}; {used} is used instead")
            }
            WarningKind::JavaClass { class, used } => {
                write!(
                    f,
                    "Java class {class} cannot be loaded; {used} is used instead"
                )
            }
            WarningKind::Advice(text) => f.write_str(text),
        }
    }
}

impl Mark {
    /// The letter used in the reference table.
    #[must_use]
    pub fn letter(self) -> char {
        match self {
            Mark::Core => 'C',
            Mark::Ops => 'O',
            Mark::Security => 'S',
            Mark::Java => 'J',
        }
    }
}
