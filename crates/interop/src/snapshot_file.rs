//! What ZooKeeper's own tools say about the files of a data directory.

use crate::java_tool;
use anyhow::{Context, Result, ensure};
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

/// A snapshot as `SnapshotFormatter` prints it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SnapshotFile {
    /// `Last zxid`.
    pub zxid: String,
    /// Timeouts, in milliseconds, by `0x` session id.
    pub sessions: BTreeMap<String, i32>,
    /// The stat of each node, by path, and by the names of the print.
    pub nodes: BTreeMap<String, BTreeMap<String, String>>,
}

impl SnapshotFile {
    /// Has the tool read a snapshot, of any compression.
    ///
    /// # Errors
    /// When the tool cannot.
    pub fn read(file: &Path) -> Result<SnapshotFile> {
        // -d prints the data, in base64.
        let arguments = [OsString::from("-d"), OsString::from(file)];
        let printed = java_tool("org.apache.zookeeper.server.SnapshotFormatter", &arguments)?;
        let (nodes, rest) = printed
            .split_once("\nSession Details")
            .context("SnapshotFormatter printed no sessions")?;
        let zxid = rest.rsplit("Last zxid: ").next().context("no zxid")?;
        Ok(SnapshotFile {
            zxid: zxid.trim().into(),
            sessions: rest.lines().filter_map(session).collect(),
            nodes: nodes.split("\n----\n").skip(1).filter_map(node).collect(),
        })
    }
}

fn session(line: &str) -> Option<(String, i32)> {
    let mut fields = line.strip_prefix("0x")?.split(", ");
    let id = format!("0x{}", fields.next()?);
    Some((id, fields.next()?.parse().ok()?))
}

fn node(block: &str) -> Option<(String, BTreeMap<String, String>)> {
    let mut lines = block.lines();
    let path = lines.next()?.to_owned();
    let fields = lines.filter_map(|line| line.trim().split_once(" = "));
    let owned = fields.map(|(name, value)| (name.to_owned(), value.to_owned()));
    Some((path, owned.collect()))
}

/// The snapshots in a `dataDir`, by rising zxid.
///
/// # Errors
/// When the directory cannot be read.
pub fn snapshots(data_dir: &Path) -> Result<Vec<PathBuf>> {
    files(data_dir, "snapshot")
}

/// Transactions that `TxnLogToolkit` finds in the logs of a `dataDir`, all of them well-formed.
///
/// # Errors
/// When the tool finds a fault.
pub fn count_log_records(data_dir: &Path) -> Result<usize> {
    let mut records = 0;
    for log in files(data_dir, "log")? {
        let arguments = [OsString::from("-d"), OsString::from(&log)];
        let class = "org.apache.zookeeper.server.persistence.TxnLogToolkit";
        let printed = java_tool(class, &arguments)?;
        ensure!(
            !printed.contains("CRC ERROR"),
            "{}: {printed}",
            log.display()
        );
        let count = printed
            .rsplit("EOF reached after ")
            .next()
            .and_then(|rest| rest.split(' ').next()?.parse::<usize>().ok());
        records += count.with_context(|| format!("{}: {printed}", log.display()))?;
    }
    Ok(records)
}

fn files(data_dir: &Path, prefix: &str) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(data_dir.join("version-2"))? {
        let path = entry?.path();
        let name = path
            .file_name()
            .and_then(|name| name.to_str())
            .unwrap_or("");
        let mut parts = name.split('.');
        // Zooid's .tmp files are not complete.
        if parts.next() == Some(prefix)
            && !name.ends_with(".tmp")
            && let Some(digits) = parts.next()
        {
            found.push((i64::from_str_radix(digits, 16)?, path));
        }
    }
    found.sort_unstable();
    Ok(found.into_iter().map(|(_, path)| path).collect())
}
