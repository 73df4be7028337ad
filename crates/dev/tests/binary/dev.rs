//! The binary, free ports for it, and what it says.

use std::collections::VecDeque;
use std::env;
use std::io::{BufRead as _, BufReader, Read, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

/// How long anything that must happen may take, on the slowest machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// The binary under test: `ZOOID_BIN`, or what cargo put beside the directory of this test's own.
fn binary() -> PathBuf {
    if let Some(named) = env::var_os("ZOOID_BIN") {
        return PathBuf::from(named);
    }
    let test = env::current_exe().expect("a running test has a path");
    test.ancestors()
        .skip(1)
        .map(|directory| directory.join("zooid"))
        .find(|candidate| candidate.is_file())
        .expect("no zooid binary: build it (cargo build -p zooid), or name one in ZOOID_BIN")
}

/// `zooid dev` with its first options.
pub(crate) fn command(directory: &Path, base_port: u16) -> Command {
    let mut command = Command::new(binary());
    command
        .args(["dev", "--base-port", &base_port.to_string(), "--dir"])
        .arg(directory)
        .env_remove("JVMFLAGS")
        .env_remove("SERVER_JVMFLAGS");
    command
}

/// The first port for an ensemble, of which all ports are free for now.
pub(crate) fn free_base_port(members: u16) -> u16 {
    let is_free = |port| TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok();
    loop {
        let probe = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let base = probe.local_addr().expect("a bound socket").port();
        drop(probe);
        let mut ports = (0..members).flat_map(|n| [n, n + 1000, n + 2000]);
        if base < 60_000 && ports.all(|offset| is_free(base + offset)) {
            return base;
        }
    }
}

/// The answer to a four-letter word.
pub(crate) fn ask(port: u16, word: &str) -> String {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).expect("a server");
    stream.write_all(word.as_bytes()).expect("a server");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    answer
}

pub(crate) fn signal(pid: u32, signal: Signal) {
    let pid = i32::try_from(pid).ok().and_then(Pid::from_raw);
    kill_process(pid.expect("a process id"), signal).expect("the process is there");
}

/// Waits until a process is gone, as a zombie or altogether.
pub(crate) fn wait_until_gone(pid: u32) {
    let start = Instant::now();
    let is_there = || {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        let state = stat.rsplit(')').next().unwrap_or_default();
        !state.is_empty() && !state.trim_start().starts_with('Z')
    };
    while is_there() {
        assert!(start.elapsed() < PATIENCE, "process {pid} goes on");
        thread::yield_now();
    }
}

/// A `zooid dev` that prints lines; killed when dropped.
pub(crate) struct Dev {
    child: Child,
    pub(crate) base_port: u16,
    lines: Receiver<String>,
    seen: VecDeque<String>,
}

impl Dev {
    /// Starts it on free ports, which somebody else may take before it has them.
    pub(crate) fn start(directory: &Path, members: u16, options: &[&str]) -> Dev {
        loop {
            let base_port = free_base_port(members);
            let mut dev = Dev::start_on(directory, base_port, options);
            let first = dev.next_line();
            if !first.contains("cannot use port") {
                return dev;
            }
        }
    }

    pub(crate) fn start_on(directory: &Path, base_port: u16, options: &[&str]) -> Dev {
        let mut child = command(directory, base_port)
            .args(options)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary starts");
        let (sender, lines) = channel();
        let stdout = child
            .stdout
            .take()
            .map(|out| Box::new(out) as Box<dyn Read + Send>);
        let stderr = child
            .stderr
            .take()
            .map(|err| Box::new(err) as Box<dyn Read + Send>);
        for stream in [stdout, stderr].into_iter().flatten() {
            let sender = sender.clone();
            thread::spawn(move || {
                for line in BufReader::new(stream).lines().map_while(Result::ok) {
                    if sender.send(line).is_err() {
                        return;
                    }
                }
            });
        }
        Dev {
            child,
            base_port,
            lines,
            seen: VecDeque::new(),
        }
    }

    fn next_line(&mut self) -> String {
        match self.lines.recv_timeout(PATIENCE) {
            Ok(line) => {
                self.seen.push_back(line.clone());
                line
            }
            Err(RecvTimeoutError::Timeout) => panic!("nothing more after {:#?}", self.seen),
            Err(RecvTimeoutError::Disconnected) => panic!("it ended after {:#?}", self.seen),
        }
    }

    /// Waits for a line that has come already or comes now, and returns it.
    pub(crate) fn wait_for(&mut self, text: &str) -> String {
        if let Some(line) = self.seen.iter().find(|line| line.contains(text)) {
            return line.clone();
        }
        self.wait_for_new(text)
    }

    /// Waits for a line that comes after those that were waited for.
    pub(crate) fn wait_for_new(&mut self, text: &str) -> String {
        loop {
            let line = self.next_line();
            if line.contains(text) {
                return line;
            }
        }
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The process of a server, as told when it was started.
    pub(crate) fn pid_of(&mut self, server: u16) -> u32 {
        let line = self.wait_for(&format!("server {server}: starting, process "));
        let pid = line.rsplit(' ').next().expect("a last word");
        pid.parse().expect("a process id")
    }

    /// What it printed and how it ended, once it has.
    pub(crate) fn wait(mut self) -> (ExitStatus, Vec<String>) {
        loop {
            match self.lines.recv_timeout(PATIENCE) {
                Ok(line) => self.seen.push_back(line),
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => panic!("it goes on after {:#?}", self.seen),
            }
        }
        let status = self.child.wait().expect("it was started");
        (status, std::mem::take(&mut self.seen).into())
    }

    /// Ends it as a person or a service manager does.
    pub(crate) fn stop(self) -> Vec<String> {
        signal(self.pid(), Signal::TERM);
        let (status, lines) = self.wait();
        assert_eq!(status.code(), Some(0), "{lines:#?}");
        lines
    }
}

impl Drop for Dev {
    fn drop(&mut self) {
        // The servers notice.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
