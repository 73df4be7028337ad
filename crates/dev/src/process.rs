//! One server's process: started, killed, stopped, and what it printed last.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};

use rustix::process::{Pid, Signal, kill_process};

use crate::ensemble::Ending;
use crate::layout::Place;
use crate::parent;

/// A process that has been started and whose end has not been seen yet.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
    log: PathBuf,
    /// Where in the log its own lines begin.
    log_start: u64,
    asked: Option<Asked>,
}

/// What it was made to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asked {
    Die,
    Stop,
}

impl Process {
    /// Must be called on a thread that lives as long as this program: the server is told to stop
    /// when that thread is gone.
    pub(crate) fn spawn(program: &Path, place: &Place) -> io::Result<Process> {
        let path = place.log();
        let log = File::options().create(true).append(true).open(&path)?;
        let log_start = log.metadata()?.len();
        let child = Command::new(program)
            .arg("serve")
            .arg(parent::OPTION)
            .arg(std::process::id().to_string())
            .arg(place.config())
            // Meant for whoever supervises this program.
            .env_remove("NOTIFY_SOCKET")
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            // Ctrl-C is for this program, which then stops the servers.
            .process_group(0)
            .spawn()?;
        Ok(Process {
            child,
            log: path,
            log_start,
            asked: None,
        })
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// As a crash or `kill -9`.
    pub(crate) fn kill(&mut self) -> io::Result<()> {
        self.asked = Some(Asked::Die);
        self.child.kill()
    }

    /// Lets it finish what it has begun.
    pub(crate) fn stop(&mut self) -> io::Result<()> {
        // One that is being killed already stays so.
        self.asked.get_or_insert(Asked::Stop);
        Ok(kill_process(Pid::from_child(&self.child), Signal::TERM)?)
    }

    /// How it ended, if it has.
    pub(crate) fn ending(&mut self) -> io::Result<Option<Ending>> {
        let Some(status) = self.child.try_wait()? else {
            return Ok(None);
        };
        Ok(Some(match self.asked {
            Some(Asked::Die) => Ending::Killed,
            Some(Asked::Stop) => Ending::Stopped((!status.success()).then(|| describe(status))),
            None => Ending::ByItself {
                how: describe(status),
                last_lines: last_lines(&self.log, self.log_start),
            },
        }))
    }
}

fn describe(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("exit code {code}"),
        (None, Some(signal)) => format!("signal {signal}"),
        (None, None) => status.to_string(),
    }
}

/// What it printed last; nothing if that cannot be read.
fn last_lines(log: &Path, start: u64) -> Vec<String> {
    let read = || -> io::Result<Vec<u8>> {
        let mut file = File::open(log)?;
        let end = file.metadata()?.len();
        file.seek(SeekFrom::Start(
            start.max(end.saturating_sub(TAIL_BYTES_MAX)),
        ))?;
        let mut tail = Vec::new();
        file.take(TAIL_BYTES_MAX).read_to_end(&mut tail)?;
        Ok(tail)
    };
    let tail = read().unwrap_or_default();
    telling_lines(&String::from_utf8_lossy(&tail))
}

/// The last lines; of a panic, the first, since then comes where it was and no longer what it was.
fn telling_lines(tail: &str) -> Vec<String> {
    let lines: Vec<&str> = tail.lines().collect();
    let last = lines.len().saturating_sub(LAST_LINES_MAX);
    let panic = lines.iter().rposition(|line| line.contains("panicked at"));
    let begin = panic.unwrap_or(last).min(last);
    let shown = lines[begin..].iter().take(LAST_LINES_MAX);
    shown.map(|line| (*line).to_owned()).collect()
}

const TAIL_BYTES_MAX: u64 = 16 * 1024;
const LAST_LINES_MAX: usize = 6;

#[cfg(test)]
mod tests;
