//! Shared libraries that are loaded into a server before its own, to make system calls behave.

use std::path::{Path, PathBuf};
use std::process::Command;

/// Builds `tests/abuse/<name>.c`, for `LD_PRELOAD`.
pub(crate) fn build(directory: &Path, name: &str) -> PathBuf {
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/abuse");
    let library = directory.join(format!("{name}.so"));
    let built = Command::new("cc")
        .args(["-shared", "-fPIC", "-O1", "-o"])
        .args([&library, &sources.join(format!("{name}.c"))])
        .arg("-ldl")
        .status();
    assert!(built.expect("a C compiler").success());
    library
}
