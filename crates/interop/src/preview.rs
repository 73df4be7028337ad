//! What `zooid check` says of a configuration and its data.

use crate::zooid_binary;
use anyhow::{Context, Result};
use serde_json::Value;
use std::path::Path;
use std::process::Command;

/// An answer of `zooid check --json`.
#[derive(Clone, Debug)]
pub struct Preview {
    /// Of the process.
    pub exit_code: i32,
    /// Level, group and text of each finding.
    pub findings: Vec<[String; 3]>,
}

impl Preview {
    /// Runs `zooid check --json` on a `zoo.cfg`.
    ///
    /// # Errors
    /// When it cannot be run, or says something else.
    pub fn of(zoo_cfg: &Path) -> Result<Preview> {
        let mut command = Command::new(zooid_binary()?);
        let output = command.args(["check", "--json"]).arg(zoo_cfg).output()?;
        let printed = String::from_utf8_lossy(&output.stdout);
        let json: Value = serde_json::from_str(&printed).with_context(|| printed.into_owned())?;
        let findings = json["findings"].as_array().context("a list")?;
        let text = |finding: &Value, key: &str| finding[key].as_str().map(str::to_owned);
        let read = |finding: &Value| {
            let fields = ["level", "group", "text"].map(|key| text(finding, key));
            let [Some(level), Some(group), Some(text)] = fields else {
                return None;
            };
            Some([level, group, text])
        };
        let findings: Option<Vec<_>> = findings.iter().map(read).collect();
        Ok(Preview {
            exit_code: output.status.code().context("a signal ended it")?,
            findings: findings.context("findings have three fields")?,
        })
    }

    /// Whether there is a finding of this level and group that contains this.
    #[must_use]
    pub fn says(&self, level: &str, group: &str, part: &str) -> bool {
        let found = |finding: &[String; 3]| {
            finding[0] == level && finding[1] == group && finding[2].contains(part)
        };
        self.findings.iter().any(found)
    }
}
