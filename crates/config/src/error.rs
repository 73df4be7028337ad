//! Why a configuration is refused. Every message says where, what is allowed and what to do about it.

use crate::Location;
use std::path::PathBuf;

/// A configuration that no server can be started from.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// A line that is not Java Properties syntax.
    #[error("{at}: {reason}; {remedy}")]
    Syntax {
        /// The line.
        at: Location,
        /// What is wrong with it.
        reason: String,
        /// What to write instead.
        remedy: String,
    },
    /// A value of the wrong type or outside its range.
    #[error("{at}: {key}={value}: expected {allowed}; {remedy}")]
    InvalidValue {
        /// Where it was set.
        at: Location,
        /// The key.
        key: String,
        /// The value, shortened when it is very long.
        value: String,
        /// What the key allows.
        allowed: String,
        /// What to write instead.
        remedy: String,
    },
    /// A key that is fine alone but not with the others, or that is missing beside them.
    #[error("{at}: {key}: {reason}; {remedy}")]
    Conflict {
        /// Where the key was set, or the source it is missing from.
        at: Location,
        /// The key.
        key: String,
        /// The rule that is broken.
        reason: String,
        /// How to satisfy it.
        remedy: String,
    },
    /// The file that names this server within the ensemble is missing or unusable.
    #[error("{}: {reason}; {remedy}", path.display())]
    MyId {
        /// `dataDir/myid`.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
        /// How to write it.
        remedy: String,
    },
    /// A file that cannot be read at all.
    #[error("cannot read the {what} {}: {reason}; {remedy}", path.display())]
    Unreadable {
        /// "configuration file", "dynamic configuration file", …
        what: &'static str,
        /// The file.
        path: PathBuf,
        /// The system's reason.
        reason: String,
        /// What to do.
        remedy: String,
    },
    /// A data directory that cannot be used. ZooKeeper: `FileTxnSnapLog.DatadirException`.
    #[error("{}: {reason}; {remedy}", path.display())]
    DataDir {
        /// The directory.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
        /// What to do.
        remedy: String,
    },
    /// A command line that makes no sense.
    #[error("{reason}; {remedy}")]
    Usage {
        /// What is wrong with it.
        reason: String,
        /// The right form.
        remedy: String,
    },
}

impl ConfigError {
    /// The process's exit code, as ZooKeeper's `ExitCode` has it: 3 for a data directory
    /// (`UNABLE_TO_ACCESS_DATADIR`), otherwise 2 (`INVALID_INVOCATION`).
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self {
            ConfigError::DataDir { .. } => 3,
            ConfigError::Syntax { .. }
            | ConfigError::InvalidValue { .. }
            | ConfigError::Conflict { .. }
            | ConfigError::MyId { .. }
            | ConfigError::Unreadable { .. }
            | ConfigError::Usage { .. } => 2,
        }
    }

    pub(crate) fn invalid(
        at: &Location,
        key: &str,
        value: &str,
        allowed: &str,
        remedy: &str,
    ) -> ConfigError {
        ConfigError::InvalidValue {
            at: at.clone(),
            key: key.to_owned(),
            value: shortened(value),
            allowed: allowed.to_owned(),
            remedy: remedy.to_owned(),
        }
    }

    pub(crate) fn conflict(at: &Location, key: &str, reason: &str, remedy: &str) -> ConfigError {
        ConfigError::Conflict {
            at: at.clone(),
            key: key.to_owned(),
            reason: reason.to_owned(),
            remedy: remedy.to_owned(),
        }
    }
}

/// A value as shown in a message: one line, of bounded length.
pub(crate) fn shortened(value: &str) -> String {
    let mut shown: String = value.chars().take(VALUE_CHARS_MAX).collect();
    if shown.len() < value.len() {
        shown.push('…');
    }
    shown.escape_debug().to_string()
}

const VALUE_CHARS_MAX: usize = 120;
