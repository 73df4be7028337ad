//! A running `zooid serve`, or one that refuses to run.

use std::env;
use std::fmt::Write as _;
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// How long anything that must happen may take, on the slowest machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);
/// A free port may be taken by someone else before the server has it.
const START_ATTEMPTS_MAX: usize = 5;

/// The binary under test: `ZOOID_BIN`, or what cargo put beside the directory of this test's own.
pub(crate) fn binary() -> PathBuf {
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

pub(crate) fn free_port() -> u16 {
    let probe = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    probe.local_addr().expect("a bound socket").port()
}

/// How to start a server.
#[derive(Clone, Debug)]
pub(crate) struct Setup {
    directory: PathBuf,
    host: String,
    config: Vec<(String, String)>,
    properties: Vec<(String, String)>,
    environment: Vec<(String, String)>,
    /// A shell command that ends in `exec "$@"`, to change limits first.
    wrapper: Option<String>,
}

impl Setup {
    /// A server whose `dataDir` is `directory/data`.
    pub(crate) fn on(directory: &Path) -> Setup {
        Setup {
            directory: directory.to_owned(),
            host: "127.0.0.1".to_owned(),
            config: Vec::new(),
            properties: Vec::new(),
            environment: Vec::new(),
            wrapper: None,
        }
    }

    /// Adds a line of `zoo.cfg`.
    pub(crate) fn config(mut self, key: &str, value: &impl ToString) -> Setup {
        self.config.push((key.to_owned(), value.to_string()));
        self
    }

    /// Adds `-Dkey=value`.
    pub(crate) fn property(mut self, key: &str, value: &impl ToString) -> Setup {
        self.properties.push((key.to_owned(), value.to_string()));
        self
    }

    pub(crate) fn environment(mut self, name: &str, value: &impl ToString) -> Setup {
        self.environment.push((name.to_owned(), value.to_string()));
        self
    }

    pub(crate) fn wrapper(mut self, script: &str) -> Setup {
        self.wrapper = Some(script.to_owned());
        self
    }

    /// Listens on this address instead of 127.0.0.1.
    pub(crate) fn host(mut self, host: &str) -> Setup {
        self.host = host.to_owned();
        self
    }

    pub(crate) fn data_dir(&self) -> PathBuf {
        self.directory.join("data")
    }

    /// Starts the server and waits until it says that it is ready.
    pub(crate) fn start(&self) -> Zooid {
        for _ in 0..START_ATTEMPTS_MAX {
            match Zooid::launch(self, free_port()) {
                Ok(zooid) => return zooid,
                Err(ended) if ended.log.contains("Address already in use") => {}
                Err(ended) => panic!("the server did not start: {}\n{}", ended.status, ended.log),
            }
        }
        panic!("no free port in {START_ATTEMPTS_MAX} attempts")
    }

    /// Starts a server that must refuse to run.
    pub(crate) fn refuse(&self) -> Ended {
        match Zooid::launch(self, free_port()) {
            Ok(zooid) => panic!("the server runs, though it must not:\n{}", zooid.log()),
            Err(ended) => ended,
        }
    }

    /// Starts a server that either runs or refuses to.
    pub(crate) fn try_start(&self) -> Result<Zooid, Ended> {
        Zooid::launch(self, free_port())
    }

    fn command(&self, port: u16) -> Command {
        fs::create_dir_all(&self.directory).expect("the test's own directory");
        let path = self.directory.join("zoo.cfg");
        fs::write(&path, self.zoo_cfg(port)).expect("the test's own directory");
        let mut command = match &self.wrapper {
            Some(script) => {
                let mut shell = Command::new("sh");
                shell.args(["-c", script, "sh"]).arg(binary());
                shell
            }
            None => Command::new(binary()),
        };
        command.arg("serve");
        for (key, value) in &self.properties {
            command.arg(format!("-D{key}={value}"));
        }
        command.arg(path);
        for (name, value) in &self.environment {
            command.env(name, value);
        }
        command
    }

    fn zoo_cfg(&self, port: u16) -> String {
        let mut text = format!(
            "clientPort={port}\nclientPortAddress={}\ntickTime=2000\nadmin.enableServer=false\n",
            self.host
        );
        if !self.config.iter().any(|(key, _)| key == "dataDir") {
            let _ = writeln!(text, "dataDir={}", self.data_dir().display());
        }
        for (key, value) in &self.config {
            let _ = writeln!(text, "{key}={value}");
        }
        text
    }
}

/// What a server that has ended leaves.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) status: ExitStatus,
    /// Everything it printed.
    pub(crate) log: String,
}

impl Ended {
    pub(crate) fn assert_exit_code(&self, code: i32) {
        assert_eq!(self.status.code(), Some(code), "{}", self.log);
    }

    pub(crate) fn assert_says(&self, text: &str) {
        assert!(self.log.contains(text), "{text:?} is not in\n{}", self.log);
    }
}

/// What happens to a server, told by the threads that watch it.
enum News {
    /// `READY=1` on `NOTIFY_SOCKET`.
    Ready,
    /// It closed its standard error.
    Silent,
}

/// What a server has printed so far.
#[derive(Default)]
struct Log {
    text: Mutex<String>,
    grown: Condvar,
}

impl Log {
    fn lock(&self) -> MutexGuard<'_, String> {
        self.text.lock().expect("no panic while logging")
    }

    fn push(&self, line: &str) {
        let mut text = self.lock();
        text.push_str(line);
        text.push('\n');
        self.grown.notify_all();
    }
}

/// A server; killed when dropped.
pub(crate) struct Zooid {
    child: Child,
    pub(crate) address: SocketAddr,
    log: Arc<Log>,
    news: Receiver<News>,
    // Held for its drop.
    _notify: TempDir,
}

impl Zooid {
    fn launch(setup: &Setup, port: u16) -> Result<Zooid, Ended> {
        let host: std::net::IpAddr = setup.host.parse().expect("an address");
        Zooid::run(setup.command(port), SocketAddr::new(host, port))
    }

    /// Runs a command that is to serve on an address, until it is ready or has ended.
    pub(crate) fn run(mut command: Command, address: SocketAddr) -> Result<Zooid, Ended> {
        let notify = tempfile::tempdir().expect("a temporary directory");
        let notify_path = notify.path().join("notify");
        let socket = UnixDatagram::bind(&notify_path).expect("a socket in a new directory");
        let spawned = command
            .env("NOTIFY_SOCKET", &notify_path)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn();
        let mut child = spawned.expect("the binary starts");
        let (sender, news) = channel();
        let log = Arc::new(Log::default());
        let stderr = child.stderr.take().expect("piped above");
        watch_log(stderr, Arc::clone(&log), sender.clone());
        watch_notify(socket, sender);
        let mut zooid = Zooid {
            child,
            address,
            log,
            news,
            _notify: notify,
        };
        match zooid.news.recv_timeout(PATIENCE) {
            Ok(News::Ready) => Ok(zooid),
            Ok(News::Silent) => Err(zooid.ended()),
            Err(_) => panic!("neither ready nor ended:\n{}", zooid.log()),
        }
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Everything printed so far.
    pub(crate) fn log(&self) -> String {
        self.log.lock().clone()
    }

    /// Waits until it has printed a text.
    pub(crate) fn wait_for_log(&self, text: &str) {
        let log = self.log.lock();
        let found = (self.log.grown)
            .wait_timeout_while(log, PATIENCE, |log| !log.contains(text))
            .expect("no panic while logging");
        assert!(found.0.contains(text), "{text:?} is not in\n{}", found.0);
    }

    /// The answer to a four-letter word.
    pub(crate) fn word(&self, word: &str) -> String {
        let mut stream = TcpStream::connect(self.address).expect("the server listens");
        stream.write_all(word.as_bytes()).expect("sent");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an answer");
        answer
    }

    /// A number that `mntr` shows, which the server must be allowed to answer.
    pub(crate) fn metric(&self, name: &str) -> f64 {
        let answer = self.word("mntr");
        let line = (answer.lines()).find_map(|line| line.strip_prefix(&format!("zk_{name}\t")));
        let value = line.unwrap_or_else(|| panic!("no {name} in\n{answer}"));
        value.parse().expect("a number")
    }

    /// Waits until a number has grown to at least so much.
    pub(crate) fn wait_for_metric(&self, name: &str, least: f64) {
        let deadline = Instant::now() + PATIENCE;
        while self.metric(name) < least {
            assert!(Instant::now() < deadline, "{name} stays below {least}");
        }
    }

    /// Resident memory, in bytes.
    pub(crate) fn resident_bytes(&self) -> usize {
        let path = format!("/proc/{}/status", self.pid());
        let status = fs::read_to_string(path).expect("the server runs");
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kib = line.and_then(|line| line.split_whitespace().next());
        kib.and_then(|kib| kib.parse::<usize>().ok())
            .expect("Linux says how much memory a process has")
            * 1024
    }

    /// Open file descriptors.
    pub(crate) fn descriptors(&self) -> usize {
        let path = format!("/proc/{}/fd", self.pid());
        fs::read_dir(path).expect("the server runs").count()
    }

    pub(crate) fn signal(&self, name: &str) {
        let sent = Command::new("kill")
            .args([&format!("-{name}"), &self.pid().to_string()])
            .status();
        assert!(sent.expect("kill exists").success());
    }

    /// Ends it with SIGKILL.
    pub(crate) fn kill(mut self) {
        self.child.kill().expect("it runs");
        self.child.wait().expect("it runs");
    }

    /// Ends it with SIGTERM and checks that it ends well.
    pub(crate) fn stop(self) -> String {
        self.signal("TERM");
        let ended = self.wait();
        ended.assert_exit_code(0);
        ended.log
    }

    /// Waits until it ends by itself.
    pub(crate) fn wait(mut self) -> Ended {
        match self.news.recv_timeout(PATIENCE) {
            Ok(News::Silent) => self.ended(),
            _ => panic!("the server goes on:\n{}", self.log()),
        }
    }

    fn ended(&mut self) -> Ended {
        let status = self.child.wait().expect("it was started");
        let log = self.log();
        Ended { status, log }
    }
}

impl Drop for Zooid {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if thread::panicking() {
            eprintln!("the server's log:\n{}", self.log());
        }
    }
}

fn watch_log(stderr: ChildStderr, log: Arc<Log>, news: Sender<News>) {
    thread::spawn(move || {
        for line in BufReader::new(stderr).lines().map_while(Result::ok) {
            log.push(&line);
        }
        // The test may have ended.
        let _ = news.send(News::Silent);
    });
}

fn watch_notify(socket: UnixDatagram, news: Sender<News>) {
    // A server that never gets ready leaves this thread waiting until the test process ends.
    thread::spawn(move || {
        let mut message = [0; 256];
        while let Ok(len) = socket.recv(&mut message) {
            if message[..len].starts_with(b"READY=1") {
                let _ = news.send(News::Ready);
                return;
            }
        }
    });
}
