//! A running server of either kind.

use crate::{Kind, Options, Session};
use anyhow::{Context, Result, bail, ensure};
use std::fs::{self, File};
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus};
use std::thread;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// A server on a free port of the loopback address; killed when dropped.
///
/// Its data may outlive it: [`Server::kill`] and [`Server::start_again`] work on the same directory, and
/// [`Server::start_on`] takes over one that somebody else wrote.
#[derive(Debug)]
pub struct Server {
    kind: Kind,
    options: Options,
    directory: PathBuf,
    // Held for its drop: removes the directory, when it is ours.
    _temporary: Option<TempDir>,
    port: Port,
    child: Option<Child>,
}

#[derive(Clone, Copy, Debug)]
enum Port {
    /// Another one at each start; 0 before the first.
    Any(u16),
    /// Known to others, who come back to it.
    Fixed(u16),
}

impl Server {
    /// Starts a server on an empty directory of its own.
    ///
    /// # Errors
    /// When it does not come up.
    pub fn start(kind: Kind, options: Options) -> Result<Server> {
        let temporary = TempDir::with_prefix("zooid-interop-")?;
        let directory = temporary.path().to_owned();
        let mut server = Server::start_on(kind, options, &directory)?;
        server._temporary = Some(temporary);
        Ok(server)
    }

    /// Starts a server whose `dataDir` is `directory/data`, existing or not.
    ///
    /// # Errors
    /// When it does not come up.
    pub fn start_on(kind: Kind, options: Options, directory: &Path) -> Result<Server> {
        let mut server = Server {
            kind,
            options,
            directory: directory.to_owned(),
            _temporary: None,
            port: Port::Any(0),
            child: None,
        };
        server.start_again()?;
        Ok(server)
    }

    /// A server that is not started yet and has its port for good.
    pub(crate) fn on_port(kind: Kind, options: Options, directory: &Path, port: u16) -> Server {
        Server {
            kind,
            options,
            directory: directory.to_owned(),
            _temporary: None,
            port: Port::Fixed(port),
            child: None,
        }
    }

    /// Starts the server after [`Server::kill`] or [`Server::stop`], on another port.
    ///
    /// # Errors
    /// When it does not come up.
    pub fn start_again(&mut self) -> Result<()> {
        // A free port may be taken by someone else before the server has it.
        for _ in 0..START_ATTEMPTS_MAX {
            if let Port::Any(port) = &mut self.port {
                *port = free_port()?;
            }
            self.launch()?;
            match self.wait_until_serving()? {
                Started::Serving => return Ok(()),
                Started::PortTaken => {}
            }
        }
        bail!("found no port for the server in {START_ATTEMPTS_MAX} attempts")
    }

    /// Starts the process and does not wait for anything.
    ///
    /// # Errors
    /// When it cannot be started.
    pub(crate) fn launch(&mut self) -> Result<()> {
        assert!(self.child.is_none(), "the server runs already");
        fs::create_dir_all(self.data_dir())?;
        let config = self.config_path();
        let port = self.address().port();
        fs::write(&config, self.options.zoo_cfg(&self.data_dir(), port))?;
        let log = File::options()
            .create(true)
            .append(true)
            .open(self.log_path())?;
        let mut command = self.kind.command(&config, &self.options)?;
        command.stdout(log.try_clone()?).stderr(log);
        let child = command
            .spawn()
            .with_context(|| format!("start {command:?}"))?;
        self.child = Some(child);
        Ok(())
    }

    /// Has a server of this kind come up at the next start.
    pub(crate) fn replace(&mut self, kind: Kind) {
        assert!(self.child.is_none(), "the server still runs");
        self.kind = kind;
    }

    /// Its `zoo.cfg`, which is there once it has been started.
    #[must_use]
    pub fn config_path(&self) -> PathBuf {
        self.directory.join("zoo.cfg")
    }

    /// Where clients connect.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        let (Port::Any(port) | Port::Fixed(port)) = self.port;
        (Ipv4Addr::LOCALHOST, port).into()
    }

    /// Whose server it is.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The `dataDir`.
    #[must_use]
    pub fn data_dir(&self) -> PathBuf {
        self.directory.join("data")
    }

    /// The process id, while it runs.
    #[must_use]
    pub fn pid(&self) -> Option<u32> {
        self.child.as_ref().map(Child::id)
    }

    /// Everything the server printed.
    #[must_use]
    pub fn log(&self) -> String {
        fs::read(self.log_path())
            .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
            .unwrap_or_default()
    }

    /// Ends the server with SIGKILL.
    ///
    /// # Errors
    /// When it is not running.
    pub fn kill(&mut self) -> Result<()> {
        let mut child = self.child.take().context("the server does not run")?;
        child.kill()?;
        child.wait()?;
        Ok(())
    }

    /// Ends the server with SIGTERM and waits for it.
    ///
    /// # Errors
    /// When it is not running.
    pub fn stop(&mut self) -> Result<ExitStatus> {
        self.signal("TERM")?;
        let mut child = self.child.take().context("the server does not run")?;
        Ok(child.wait()?)
    }

    /// Sends a signal, named as for `kill`.
    ///
    /// # Errors
    /// When it is not running.
    pub(crate) fn signal(&self, name: &str) -> Result<()> {
        let pid = self.pid().context("the server does not run")?;
        let kill = Command::new("kill")
            .args([format!("-{name}"), pid.to_string()])
            .status()?;
        ensure!(kill.success(), "kill -{name} {pid}: {kill}");
        Ok(())
    }

    /// Stops it with SIGSTOP, and waits until none of its threads runs any more.
    ///
    /// # Errors
    /// When it is not running.
    pub(crate) fn pause(&self) -> Result<()> {
        self.signal("STOP")?;
        let pid = self.pid().context("the server does not run")?;
        let started = Instant::now();
        while !has_stopped(pid)? {
            ensure!(started.elapsed() < START_TIMEOUT, "{pid} does not stop");
            thread::sleep(POLL_INTERVAL);
        }
        Ok(())
    }

    /// How it ended, if it did so by itself.
    ///
    /// # Errors
    /// When the system cannot tell.
    pub(crate) fn ended(&mut self) -> Result<Option<ExitStatus>> {
        let Some(child) = &mut self.child else {
            return Ok(None);
        };
        let status = child.try_wait()?;
        if status.is_some() {
            self.child = None;
        }
        Ok(status)
    }

    /// Sends a four-letter word and returns the answer.
    ///
    /// # Errors
    /// When the connection fails.
    pub fn four_letter_word(&self, word: &str) -> std::io::Result<String> {
        let mut stream = TcpStream::connect_timeout(&self.address(), ANSWER_TIMEOUT)?;
        stream.set_read_timeout(Some(ANSWER_TIMEOUT))?;
        stream.write_all(word.as_bytes())?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer)?;
        Ok(String::from_utf8_lossy(&answer).into_owned())
    }

    fn wait_until_serving(&mut self) -> Result<Started> {
        let started = Instant::now();
        loop {
            if let Some(status) = self.ended()? {
                let log = self.log();
                if log.contains("Address already in use") {
                    return Ok(Started::PortTaken);
                }
                bail!("{:?} server ended at its start: {status}\n{log}", self.kind);
            }
            if Session::is_refused(self.address()) {
                return Ok(Started::Serving);
            }
            if started.elapsed() > START_TIMEOUT {
                bail!("{:?} server does not serve\n{}", self.kind, self.log());
            }
            thread::sleep(POLL_INTERVAL);
        }
    }

    fn log_path(&self) -> PathBuf {
        self.directory.join("server.log")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if self.child.is_some() {
            let _ = self.kill();
        }
        if thread::panicking() {
            let log = self.log();
            let lines: Vec<&str> = log.lines().collect();
            let end = &lines[lines.len().saturating_sub(LOG_LINES_SHOWN)..];
            eprintln!(
                "end of the {:?} server's log:\n{}",
                self.kind,
                end.join("\n")
            );
        }
    }
}

enum Started {
    Serving,
    PortTaken,
}

fn has_stopped(pid: u32) -> Result<bool> {
    for task in fs::read_dir(format!("/proc/{pid}/task"))? {
        // A thread may end meanwhile.
        let status = fs::read_to_string(task?.path().join("status")).unwrap_or_default();
        if status.contains("\nState:") && !status.contains("\nState:\tT") {
            return Ok(false);
        }
    }
    Ok(true)
}

fn free_port() -> Result<u16> {
    let probe = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    Ok(probe.local_addr()?.port())
}

const START_ATTEMPTS_MAX: usize = 5;
const START_TIMEOUT: Duration = Duration::from_secs(30);
const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);
const LOG_LINES_SHOWN: usize = 15;
const POLL_INTERVAL: Duration = Duration::from_millis(20);
