//! A server whose transaction log becomes durable when the test says so: until then, writes are in
//! progress.

use crate::preload;
use crate::zooid::{Setup, Zooid};
use std::fs;
use std::path::PathBuf;
use tempfile::TempDir;

/// See the module.
pub(crate) struct HeldLog {
    pub(crate) zooid: Zooid,
    /// While this file is there, no sync of the log returns.
    hold: PathBuf,
    // Held for its drop.
    _directory: TempDir,
}

impl HeldLog {
    /// Starts a server with these properties, its log not held.
    pub(crate) fn start(properties: &[(&str, &str)]) -> HeldLog {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let library = preload::build(directory.path(), "held_sync");
        let hold = directory.path().join("hold");
        let mut setup = Setup::on(directory.path())
            .config("4lw.commands.whitelist", &"*")
            .environment("LD_PRELOAD", &library.display())
            .environment("HELD_SYNC_OF", &"/log.")
            .environment("HELD_SYNC_WHILE", &hold.display());
        for (key, value) in properties {
            setup = setup.property(key, value);
        }
        HeldLog {
            zooid: setup.start(),
            hold,
            _directory: directory,
        }
    }

    pub(crate) fn hold(&self) {
        fs::write(&self.hold, "").expect("the test's own directory");
    }

    pub(crate) fn release(&self) {
        fs::remove_file(&self.hold).expect("it is held");
    }
}
