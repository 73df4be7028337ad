//! Where a test's servers are.

use std::fs;
use std::path::{Path, PathBuf};

/// An empty directory of this name.
pub(crate) fn fresh(name: &str) -> PathBuf {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("faults-{name}"));
    if directory.exists() {
        fs::remove_dir_all(&directory).expect("what an earlier test has left goes");
    }
    fs::create_dir_all(&directory).expect("there is place");
    directory
}
