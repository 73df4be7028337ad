//! `zooid dev`: an ensemble on one machine, each server a process of its own.
//!
//! 1. `args` turns the command line into a `layout::Layout`: which servers, on which ports, with
//!    their files where. `directory` compares it with what is there from an earlier run, `ports`
//!    with who listens already; then the files are written (`zoo_cfg`).
//! 2. `supervisor` starts a `process` for each server and waits for what happens: a key, a signal,
//!    the end of a process, an answer to the four-letter words that `probe` asks.
//! 3. `ensemble` holds what is known and turns what happens into `change`s. It does nothing else:
//!    time is an argument, and effects are the supervisor's.
//! 4. `output` tells: lines of text or of JSON for each change, or, in a terminal, the `view` of the
//!    whole, drawn on the `screen`.
//!
//! Nothing here knows how servers work together; whatever they say of themselves is shown.

mod args;
mod change;
mod directory;
mod ensemble;
mod keys;
mod layout;
mod output;
mod parent;
mod ports;
mod probe;
mod process;
mod screen;
mod status;
mod supervisor;
mod view;
mod zoo_cfg;

#[cfg(test)]
mod testing;

use std::path::PathBuf;

pub use args::DevArgs;
pub use parent::stop_with_parent;

use directory::Directory;
use layout::{Layout, LayoutError};
use ports::BusyPort;
use supervisor::Supervisor;

/// Why there is no ensemble, or no longer one.
#[derive(Debug, thiserror::Error)]
pub enum DevError {
    /// The options ask for what cannot be.
    #[error(transparent)]
    Layout(#[from] LayoutError),
    /// The directory holds another ensemble than the options ask for.
    #[error(
        "{} holds an ensemble of {held}, not of {asked}: start it with {}, choose another \
         directory with --dir, or remove this one with its data",
        directory.display(), held.options()
    )]
    OtherEnsemble {
        /// `--dir`.
        directory: PathBuf,
        /// What it holds.
        held: layout::Shape,
        /// What the options ask for.
        asked: layout::Shape,
    },
    /// Another `zooid dev` works on the directory.
    #[error(
        "{} is in use by another zooid dev; stop that one, or choose another directory with --dir",
        .0.display()
    )]
    InUse(PathBuf),
    /// A port is not free.
    #[error(transparent)]
    BusyPort(#[from] BusyPort),
    /// A file or directory cannot be read or written.
    #[error("cannot {action} {}: {error}", path.display())]
    File {
        /// What was attempted.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// What the system says.
        error: std::io::Error,
    },
    /// The system refuses a thread, a process, a signal handler or the terminal.
    #[error("cannot {action}: {error}")]
    System {
        /// What was attempted.
        action: &'static str,
        /// What the system says.
        error: std::io::Error,
    },
    /// No server is left, and nobody asked for that.
    #[error("every server has ended")]
    AllEnded,
}

impl DevError {
    fn system(action: &'static str) -> impl FnOnce(std::io::Error) -> DevError {
        move |error| DevError::System { action, error }
    }
}

/// Runs an ensemble until it is told to stop.
///
/// # Errors
/// [`DevError`] when it cannot start, or when every server has ended by itself.
pub fn run(args: &DevArgs) -> Result<(), DevError> {
    let directory = Directory::open(&args.dir)?;
    let shape = directory.agree(args.wish())?;
    let layout = Layout::new(directory.path(), shape, args.base_port)?;
    ports::check(&layout)?;
    directory.prepare(&layout)?;
    Supervisor::start(layout, args.json)?.run()
}
