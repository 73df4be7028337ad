//! A client of another make among the others: kazoo, in a process of its own.

use crate::history::{self, Operation};
use anyhow::{Context, Result, ensure};
use std::collections::BTreeMap;
use std::fs::File;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// A kazoo client at work.
#[derive(Debug)]
pub struct Kazoo {
    child: Child,
    history: PathBuf,
}

impl Kazoo {
    /// Starts one, whose records are in this directory.
    ///
    /// # Errors
    /// When it is not installed.
    pub fn start(
        members: &BTreeMap<i64, SocketAddr>,
        seed: u64,
        directory: &Path,
    ) -> Result<Kazoo> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let history = directory.join("kazoo.jsonl");
        let hosts: Vec<String> = members.values().map(SocketAddr::to_string).collect();
        let log = File::create(directory.join("kazoo.log"))?;
        let mut command = Command::new(root.join(".venv/bin/python"));
        command
            .arg(root.join("tests/kazoo/history_client.py"))
            .args(["kazoo-0", &seed.to_string(), &hosts.join(",")])
            .arg(&history)
            .stdin(Stdio::piped())
            .stdout(log.try_clone()?)
            .stderr(log);
        let child = command
            .spawn()
            .with_context(|| format!("start {command:?}; scripts/setup-peers installs it"))?;
        Ok(Kazoo { child, history })
    }

    /// Has it end; all that it has seen.
    ///
    /// # Errors
    /// When it has failed.
    pub fn finish(mut self) -> Result<Vec<Operation>> {
        drop(self.child.stdin.take());
        let status = self.child.wait()?;
        ensure!(status.success(), "kazoo's client: {status}, see kazoo.log");
        history::load(&self.history)
    }
}
