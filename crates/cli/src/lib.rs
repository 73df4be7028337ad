//! `zooid cli`: a command line client with zkCli's spellings and output (spec §9.1).
//!
//! The binary calls [`run_from`] with the arguments after `cli`. From there: `launch` parses them,
//! `shell` runs commands, `commands` holds the table of commands and their functions, which talk to
//! servers through `client` and print through `console`.
//!
//! What zkCli prints to stdout is printed alike, byte for byte. On stderr, texts are zkCli's too,
//! without the names of Java's exceptions and the stack traces.
#![forbid(unsafe_code)]

mod client;
mod commands;
mod completion;
mod console;
mod error;
mod flags;
mod format;
mod launch;
mod path;
mod shell;
mod tokens;

use std::ffi::OsString;
use std::io;
use std::process::ExitCode;
use std::sync::Arc;

use console::Console;
use launch::{Launch, Options};
use shell::{Editor, Shell};

/// Exit code for a command line that cannot be obeyed (Java `ExitCode.INVALID_INVOCATION`).
const INVALID_INVOCATION: u8 = 2;

/// Runs the tool with these arguments, its own name not included: zkCli's options, then a command
/// to run once, or nothing for a shell.
pub fn run_from(arguments: impl Iterator<Item = OsString>) -> ExitCode {
    let console = Arc::new(Console::of_process());
    let code = match Launch::parse(arguments) {
        Ok(Launch::Help) => match console.line(&help()) {
            Ok(()) => 0,
            Err(_) => 1,
        },
        Ok(Launch::Connect(options)) => run(options, &console),
        Err(fault) => {
            console.remark(&fault.to_string());
            INVALID_INVOCATION
        }
    };
    ExitCode::from(code)
}

fn run(options: Options, console: &Arc<Console>) -> u8 {
    let one_command = !options.command.is_empty();
    if console
        .line(&format!("Connecting to {}", options.server))
        .is_err()
    {
        return 1;
    }
    let shell = match Shell::new(options, Arc::clone(console)) {
        Ok(shell) => shell,
        Err(fault) => {
            console.remark(&fault.to_string());
            return fault.exit_code();
        }
    };
    if one_command {
        return shell.run_once();
    }
    if shell::at_a_terminal()
        && let Ok(editor) = Editor::new()
    {
        return shell.run_terminal(editor);
    }
    shell.run_script(io::stdin().lock())
}

fn help() -> String {
    format!("{OPTIONS}\n{}", commands::usage())
}

const OPTIONS: &str = "\
Usage: zooid cli [options] [command [arguments]]

  -server host:port[,host:port...][/chroot]   servers to try (default localhost:2181)
  -timeout ms                                 session timeout (default 30000)
  -r                                          a read-only server will do
  -waitforconnection                          give up without a connection within the timeout

Without a command, reads commands from a terminal or a pipe.
";
