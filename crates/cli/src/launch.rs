//! The command line of the tool itself: zkCli's options, then a command or nothing.

use std::ffi::OsString;
use std::time::Duration;

/// What the tool was asked to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Launch {
    /// Show the usage.
    Help,
    /// Connect.
    Connect(Options),
}

/// Where to connect, how, and what then.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Options {
    /// The connect string.
    pub server: String,
    /// Wished session timeout.
    pub session_timeout: Duration,
    /// Whether a read-only server will do.
    pub read_only: bool,
    /// Whether to give up if there is no connection within the session timeout.
    pub wait_for_connection: bool,
    /// The command and its arguments; empty for a shell.
    pub command: Vec<String>,
}

/// A command line that cannot be obeyed.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum LaunchError {
    /// An option's argument is missing.
    #[error("Error: no argument found for option {0}")]
    MissingArgument(String),
    /// Not a number of milliseconds.
    #[error("option -timeout: not a number of milliseconds: {0}")]
    Timeout(String),
    /// An option of zkCli's that needs what is not there yet. Ignoring it could send in the clear
    /// what was meant to be encrypted.
    #[error("option {0} is not supported yet")]
    Unsupported(String),
    /// No such option.
    #[error("unknown option {0}")]
    Unknown(String),
    /// An argument that is not Unicode.
    #[error("argument is not valid UTF-8: {0}")]
    NotUnicode(String),
}

impl Launch {
    /// Parses the arguments, the program's name not included. Options may be written with one dash,
    /// as zkCli has them, or with two; the first word without a dash starts the command.
    ///
    /// # Errors
    /// [`LaunchError`] with the first fault.
    pub(crate) fn parse(arguments: impl Iterator<Item = OsString>) -> Result<Launch, LaunchError> {
        let unicode = |argument: OsString| {
            argument
                .into_string()
                .map_err(|raw| LaunchError::NotUnicode(raw.to_string_lossy().into_owned()))
        };
        let mut options = Options::default();
        let mut arguments = arguments.map(unicode);
        while let Some(argument) = arguments.next() {
            let argument = argument?;
            let Some(name) = argument.strip_prefix('-') else {
                let rest = arguments.collect::<Result<Vec<_>, _>>()?;
                options.command = [vec![argument], rest].concat();
                break;
            };
            let missing = || Err(LaunchError::MissingArgument(argument.clone()));
            let mut value = || arguments.next().unwrap_or_else(missing);
            match name.strip_prefix('-').unwrap_or(name) {
                "server" => options.server = value()?,
                "timeout" => options.session_timeout = milliseconds(value()?)?,
                "r" => options.read_only = true,
                "waitforconnection" => options.wait_for_connection = true,
                "h" | "help" => return Ok(Launch::Help),
                "client-configuration" | "secure" => {
                    return Err(LaunchError::Unsupported(argument));
                }
                _ => return Err(LaunchError::Unknown(argument)),
            }
        }
        Ok(Launch::Connect(options))
    }
}

impl Default for Options {
    fn default() -> Options {
        Options {
            server: "localhost:2181".to_owned(),
            session_timeout: Duration::from_secs(30),
            read_only: false,
            wait_for_connection: false,
            command: Vec::new(),
        }
    }
}

fn milliseconds(text: String) -> Result<Duration, LaunchError> {
    // The number goes over the wire as a signed 32-bit one.
    match text.parse::<i32>().map(u64::try_from) {
        Ok(Ok(ms @ 1..)) => Ok(Duration::from_millis(ms)),
        _ => Err(LaunchError::Timeout(text)),
    }
}

#[cfg(test)]
mod tests;
