//! In a terminal: the view, its keys, and the terminal as it was afterwards.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::path::Path;
use std::process::Child;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;

use rustix::process::Signal;
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, Winsize, tcgetattr, tcsetwinsize};

use crate::dev::{PATIENCE, command, free_base_port, signal};

/// `zooid dev` in a pseudo-terminal; killed when dropped.
struct Terminal {
    child: Child,
    keyboard: File,
    /// Open as long as somebody looks at the settings of the terminal.
    device: File,
    output: Receiver<Vec<u8>>,
    shown: String,
    /// What stands before this was waited for.
    looked_at: usize,
}

impl Terminal {
    /// Starts it on free ports, which somebody else may take before it has them.
    fn start(directory: &Path, members: u16, options: &[&str]) -> Terminal {
        loop {
            let mut terminal = Terminal::start_once(directory, members, options);
            if terminal.wait_for_either(ENTER_ALTERNATE_SCREEN, "cannot use port") {
                return terminal;
            }
        }
    }

    fn start_once(directory: &Path, members: u16, options: &[&str]) -> Terminal {
        let base_port = free_base_port(members);
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("a pseudo-terminal");
        grantpt(&master).expect("a pseudo-terminal");
        unlockpt(&master).expect("a pseudo-terminal");
        let name = ptsname(&master, Vec::new()).expect("a pseudo-terminal");
        let device = File::options()
            .read(true)
            .write(true)
            .open(name.to_str().expect("ASCII"))
            .expect("a pseudo-terminal");
        resize(&master, 100, 30);
        let child = command(directory, base_port)
            .args(options)
            .env("TERM", "xterm-256color")
            .stdin(device.try_clone().expect("a descriptor"))
            .stdout(device.try_clone().expect("a descriptor"))
            .stderr(device.try_clone().expect("a descriptor"))
            .spawn()
            .expect("the binary starts");
        let keyboard = File::from(master.try_clone().expect("a descriptor"));
        Terminal {
            child,
            keyboard,
            device,
            output: read_all(File::from(master)),
            shown: String::new(),
            looked_at: 0,
        }
    }

    fn press(&mut self, key: &str) {
        self.keyboard
            .write_all(key.as_bytes())
            .expect("a pseudo-terminal");
    }

    /// Waits until a text is drawn that was not there when the last one was waited for.
    fn wait_for(&mut self, text: &str) {
        assert!(self.wait_for_either(text, text));
    }

    /// Whether it is the first of two texts that was drawn.
    fn wait_for_either(&mut self, wanted: &str, other: &str) -> bool {
        loop {
            for text in [wanted, other] {
                if let Some(at) = self.shown[self.looked_at..].find(text) {
                    self.looked_at += at + text.len();
                    return text == wanted;
                }
            }
            match self.output.recv_timeout(PATIENCE) {
                // Texts to wait for are ASCII, whatever else is cut into pieces.
                Ok(bytes) => self.shown.push_str(&String::from_utf8_lossy(&bytes)),
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
                    let shown = &self.shown[self.looked_at..];
                    panic!("{wanted:?} is not shown in\n{shown:?}")
                }
            }
        }
    }

    fn is_raw(&self) -> bool {
        let modes = tcgetattr(&self.device).expect("a terminal").local_modes;
        !modes.contains(LocalModes::ICANON)
    }

    /// Waits for its end and checks that it gives the terminal back.
    fn ends_well(mut self) {
        self.wait_for(LEAVE_ALTERNATE_SCREEN);
        self.wait_for("all stopped; data kept in ");
        let status = self.child.wait().expect("it was started");
        assert_eq!(status.code(), Some(0));
        assert!(!self.is_raw());
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn resize(terminal: impl std::os::fd::AsFd, width: u16, height: u16) {
    let size = Winsize {
        ws_row: height,
        ws_col: width,
        ws_xpixel: 0,
        ws_ypixel: 0,
    };
    tcsetwinsize(terminal, size).expect("a terminal");
}

fn read_all(mut master: File) -> Receiver<Vec<u8>> {
    let (sender, receiver) = channel();
    thread::spawn(move || {
        let mut buffer = [0; 4096];
        while let Ok(count) = master.read(&mut buffer) {
            if count == 0 || sender.send(buffer[..count].to_vec()).is_err() {
                return;
            }
        }
    });
    receiver
}

/// The word in green, which stands in the second line only.
const HEALTHY: &str = "mready";
/// DEC private mode 1049.
const ENTER_ALTERNATE_SCREEN: &str = "\x1b[?1049h";
const LEAVE_ALTERNATE_SCREEN: &str = "\x1b[?1049l";

#[test]
fn keys_kill_and_restart_a_server_and_end_it_all() {
    let directory = tempfile::tempdir().unwrap();
    let mut terminal = Terminal::start(directory.path(), 1, &["--servers", "1"]);
    terminal.wait_for("ready");
    terminal.wait_for("standalone");
    assert!(terminal.is_raw());
    terminal.press("1");
    terminal.wait_for("killed");
    terminal.press("1");
    terminal.wait_for("starting");
    terminal.wait_for("standalone");
    terminal.press("l");
    terminal.wait_for("killed");
    terminal.press("q");
    terminal.ends_well();
}

#[test]
fn the_leader_is_killed_at_a_key_and_another_one_leads() {
    let directory = tempfile::tempdir().unwrap();
    let mut terminal = Terminal::start(directory.path(), 3, &["--servers", "3"]);
    terminal.wait_for(HEALTHY);
    terminal.press("l");
    terminal.wait_for("no leader");
    terminal.wait_for(HEALTHY);
    terminal.press("q");
    terminal.ends_well();
}

#[test]
fn ctrl_c_stops_it() {
    let directory = tempfile::tempdir().unwrap();
    let mut terminal = Terminal::start(directory.path(), 1, &["--servers", "1"]);
    terminal.wait_for("standalone");
    terminal.press("\x03");
    terminal.ends_well();
}

#[test]
fn a_signal_stops_it_and_the_terminal_is_given_back() {
    let directory = tempfile::tempdir().unwrap();
    let mut terminal = Terminal::start(directory.path(), 1, &["--servers", "1"]);
    terminal.wait_for("standalone");
    signal(terminal.child.id(), Signal::HUP);
    terminal.ends_well();
}

#[test]
fn the_view_follows_the_size_of_the_terminal() {
    let directory = tempfile::tempdir().unwrap();
    let mut terminal = Terminal::start(directory.path(), 1, &["--servers", "1"]);
    terminal.wait_for("sessions");
    terminal.wait_for("standalone");
    resize(&terminal.device, 30, 8);
    // The terminal has no foreground process that the system could tell.
    signal(terminal.child.id(), Signal::WINCH);
    terminal.wait_for("1 kill or restart   l kill the\x1b");
    terminal.press("q");
    terminal.ends_well();
}
