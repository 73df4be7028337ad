//! What a shell does by itself; no server answers here.

use super::*;
use crate::client::tests::RefusingPort;
use expect_test::{Expect, expect};
use std::io::Write;
use std::sync::{Mutex, PoisonError};

#[derive(Clone, Default)]
struct Captured(Arc<Mutex<Vec<u8>>>);

impl Captured {
    fn text(&self) -> String {
        let bytes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8(bytes.clone()).unwrap()
    }
}

impl Write for Captured {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

struct Ran {
    out: String,
    err: String,
    code: u8,
}

fn run(run: impl FnOnce(Shell) -> u8, command: &[&str]) -> Ran {
    let port = RefusingPort::reserve();
    let options = Options {
        server: port.address(),
        command: command.iter().map(|word| (*word).to_owned()).collect(),
        ..Options::default()
    };
    let (out, err) = (Captured::default(), Captured::default());
    let console = Arc::new(Console::new(out.clone(), err.clone()));
    let code = run(Shell::new(options, console).unwrap());
    let usage = commands::usage();
    Ran {
        out: out.text(),
        err: err.text().replace(&usage, "<usage>"),
        code,
    }
}

fn check_script(script: &str, expected: &Expect) {
    let ran = run(|shell| shell.run_script(script.as_bytes()), &[]);
    let out = ran
        .out
        .replace("Welcome to ZooKeeper!\nJLine support is disabled\n", "");
    let Ran { err, code, .. } = ran;
    expected.assert_eq(&format!("{out}--- stderr\n{err}--- exit code {code}\n"));
}

#[test]
fn commands_are_numbered_and_can_be_done_again() {
    check_script(
        "version x\nprintwatches\n\nhistory\nredo 1\nredo 4\nredo 9\nredo x\nhistory\n",
        &expect![[r#"
            printwatches is on
            0 - version x
            1 - printwatches
            2 - history
            printwatches is on
            0 - version x
            1 - printwatches
            2 - history
            3 - printwatches
            4 - redo 4
            5 - redo 9
            6 - redo x
            7 - history
            --- stderr
            version 
            Command index out of range
            Command index out of range
            not a command number: x
            --- exit code 0
        "#]],
    );
}

#[test]
fn an_unknown_command_is_answered_with_the_usage_and_127() {
    check_script(
        "frobnicate\ngetacl /\nquit\nversion x\n",
        &expect![[r#"

        WATCHER::

        WatchedEvent state:Closed type:None path:null
        --- stderr
        <usage>
        Command not found: frobnicate
        <usage>
        Command not found: getacl (did you mean getAcl?)
        --- exit code 127
    "#]],
    );
}

#[test]
fn after_close_only_connect_helps() {
    check_script(
        "close\nls /\nprintwatches\nversion\n",
        &expect![[r#"

        WATCHER::

        WatchedEvent state:Closed type:None path:null
        Not connected
        printwatches is on
        Not connected
        Not connected
        --- stderr
        --- exit code 0
    "#]],
    );
}

#[test]
fn without_a_server_commands_fail_one_by_one() {
    check_script(
        "ls /\nget x\nwhoami\n",
        &expect![[r#"
        --- stderr
        KeeperErrorCode = ConnectionLoss for /
        Path must start with / character
        KeeperErrorCode = ConnectionLoss
        --- exit code 1
    "#]],
    );
}

#[test]
fn help_shows_one_command_or_all() {
    check_script(
        "help set\nhelp nope\nhelp printwatches\n",
        &expect![[r#"
        set path data [-s] [-v version] [-b]
         -b         Supply data in base64 format
         -s         Print znode stats additionally
         -v <arg>   Set with an expected version
        printwatches on|off
        --- stderr
        Command not found: nope
        --- exit code 0
    "#]],
    );
}

#[test]
fn a_single_command_s_exit_code_is_the_process_s() {
    let once = |command: &[&str]| run(Shell::run_once, command);
    assert_eq!(once(&["printwatches"]).code, 0);
    assert_eq!(once(&["create", "-z", "/a"]).code, 1);
    assert_eq!(once(&["nope"]).code, 127);
    assert_eq!(once(&["redo", "0"]).err, "Command index out of range\n");
    assert_eq!(once(&["history"]).out, "0 - null\n");
    let lost = once(&["ls", "/"]);
    assert_eq!((lost.code, lost.out.as_str()), (1, ""));
    assert_eq!(lost.err, "KeeperErrorCode = ConnectionLoss for /\n");
}

#[test]
fn waiting_for_a_connection_gives_up_after_the_session_timeout() {
    let once = |mut shell: Shell| {
        shell.options.wait_for_connection = true;
        shell.options.session_timeout = Duration::from_millis(1);
        shell.run_once()
    };
    let ran = run(once, &["printwatches"]);
    assert_eq!(
        (ran.code, ran.err.as_str()),
        (1, "KeeperErrorCode = ConnectionLoss\n")
    );
    assert!(!ran.out.contains("printwatches"), "{}", ran.out);
}

#[test]
fn output_that_nobody_reads_ends_a_script_without_a_word() {
    struct Gone;
    impl Write for Gone {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(ErrorKind::BrokenPipe.into())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let port = RefusingPort::reserve();
    let options = Options {
        server: port.address(),
        ..Options::default()
    };
    let err = Captured::default();
    let console = Arc::new(Console::new(Gone, err.clone()));
    let shell = Shell::new(options, console).unwrap();
    assert_eq!(shell.run_script(&b"version\nversion\n"[..]), 1);
    assert_eq!(err.text(), "");
}
