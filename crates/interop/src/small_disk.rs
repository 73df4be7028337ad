//! A file system of its own for a server's data, small enough to be filled.

use anyhow::{Context, Result, ensure};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// In the place of a directory; gone when it is dropped, with what is on it.
#[derive(Debug)]
pub struct SmallDisk(PathBuf);

impl SmallDisk {
    /// Puts an empty one over a directory, which is made if it is not there. The size is as `mount` takes it:
    /// bytes, or `24m`.
    ///
    /// # Errors
    /// Where that is not allowed: there is no disk that can be filled then, and nobody may believe that one
    /// was.
    pub fn mount(directory: &Path, size: &str) -> Result<SmallDisk> {
        fs::create_dir_all(directory)?;
        let options = format!("size={size}");
        let arguments = ["-t", "tmpfs", "-o", &options, "none"];
        run(Command::new("mount").args(arguments).arg(directory))
            .context("this test needs a small file system to fill, so run it as root")?;
        Ok(SmallDisk(directory.to_owned()))
    }

    /// Gives it another size.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn resize(&self, size: &str) -> Result<()> {
        let options = format!("remount,size={size}");
        run(Command::new("mount").args(["-o", &options]).arg(&self.0))
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // A server may still use it.
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

fn run(command: &mut Command) -> Result<()> {
    let done = command.output().context("mount is installed")?;
    let why = String::from_utf8_lossy(&done.stderr);
    ensure!(done.status.success(), "{}", why.trim());
    Ok(())
}
