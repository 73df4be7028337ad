//! How a command fails: a line for stderr and an exit code.

use std::io;

use zooid_proto::ErrorCode;

use crate::client::ClientError;
use crate::path::PathError;

/// A failed command.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CliError {
    /// The command or its arguments are wrong, or the server refused.
    #[error("{0}")]
    Failed(String),
    /// No such command.
    #[error("Command not found: {0}")]
    NotFound(String),
    /// The output cannot be written.
    #[error("cannot write output: {0}")]
    Output(#[from] io::Error),
}

impl CliError {
    /// A failure with this line.
    pub(crate) fn failed(message: impl Into<String>) -> CliError {
        CliError::Failed(message.into())
    }

    /// What the process ends with, if this was its last command.
    #[must_use]
    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            CliError::Failed(_) | CliError::Output(_) => 1,
            CliError::NotFound(_) => 127,
        }
    }
}

impl From<PathError> for CliError {
    fn from(error: PathError) -> CliError {
        CliError::failed(error.to_string())
    }
}

impl From<ClientError> for CliError {
    /// The sentences of Java's `CliWrapperException`.
    fn from(error: ClientError) -> CliError {
        let ClientError::Keeper { code, path } = &error else {
            return CliError::failed(error.to_string());
        };
        let prefix = match code {
            ErrorCode::NoNode => "Node does not exist: ",
            ErrorCode::NoChildrenForEphemerals => "Ephemerals cannot have children: ",
            ErrorCode::NodeExists => "Node already exists: ",
            ErrorCode::NotEmpty => "Node not empty: ",
            ErrorCode::NotReadOnly => "Not a read-only call: ",
            ErrorCode::InvalidAcl => "Acl is not valid : ",
            ErrorCode::NoAuth => "Insufficient permission : ",
            ErrorCode::BadArguments => "Arguments are not valid : ",
            ErrorCode::BadVersion => "version No is not valid : ",
            ErrorCode::QuotaExceeded => "Quota has exceeded : ",
            ErrorCode::ReconfigInProgress => return CliError::failed(RECONFIG_IN_PROGRESS),
            ErrorCode::NewConfigNoQuorum => return CliError::failed(NEW_CONFIG_NO_QUORUM),
            _ => return CliError::failed(error.to_string()),
        };
        CliError::failed(format!("{prefix}{}", path.as_deref().unwrap_or("null")))
    }
}

const RECONFIG_IN_PROGRESS: &str =
    "Another reconfiguration is in progress -- concurrent reconfigs not supported (yet)";
const NEW_CONFIG_NO_QUORUM: &str = "No quorum of new config is connected and up-to-date with the \
     leader of last committed config - try invoking reconfiguration after new servers are \
     connected and synced";

#[cfg(test)]
mod tests;
