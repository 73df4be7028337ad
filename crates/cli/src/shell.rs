//! Runs commands: one from the command line, or those that a user types or pipes in.
//!
//! Owns the session, the numbered list of past commands and the exit code; prints to a
//! [`Console`]. Java's counterpart is `ZooKeeperMain`.

mod editor;

use std::io::{self, BufRead, ErrorKind};
use std::sync::Arc;
use std::time::Duration;

use jiff::tz::TimeZone;

use crate::client::{Client, ClientOptions, ConnectString, State};
use crate::commands::{self, Action, Command, Context, ShellCommand};
use crate::console::Console;
use crate::error::CliError;
use crate::format;
use crate::launch::Options;
use crate::tokens::split_words;

pub(crate) use editor::Editor;

/// How long the first prompt waits, so that it can say CONNECTED.
const FIRST_PROMPT_PATIENCE: Duration = Duration::from_millis(500);

/// How many commands `history` goes back.
const HISTORY_SHOWN: usize = 10;

/// A session and what has been done with it.
pub(crate) struct Shell {
    options: Options,
    host: String,
    client: Arc<Client>,
    console: Arc<Console>,
    zone: TimeZone,
    /// By number; the last one may be the command that is running.
    history: Vec<String>,
    /// Number of the command that runs or comes next.
    number: usize,
    exit_code: u8,
}

/// Whether to read another command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Flow {
    Continue,
    Leave,
}

impl Shell {
    /// A shell that has not dialled yet.
    ///
    /// # Errors
    /// When the connect string is bad.
    pub(crate) fn new(options: Options, console: Arc<Console>) -> Result<Shell, CliError> {
        let host = options.server.clone();
        let client = new_client(&options, &host, &console)?;
        Ok(Shell {
            options,
            host,
            client: Arc::new(client),
            console,
            zone: format::local_zone(),
            history: Vec::new(),
            number: 0,
            exit_code: 0,
        })
    }

    /// Runs the command that was on the command line; answers the exit code. Dials only if the
    /// command needs the server.
    pub(crate) fn run_once(mut self) -> u8 {
        if self.options.wait_for_connection
            && let Err(error) = self.wait_for_connection()
        {
            self.fail(&error);
            return self.exit_code;
        }
        let words = std::mem::take(&mut self.options.command);
        self.execute(&words);
        self.exit_code
    }

    /// Runs the lines of a script; answers the exit code of the last command. The connection is
    /// made, or has failed, before the first line runs: what is printed does not depend on timing.
    pub(crate) fn run_script(mut self, input: impl BufRead) -> u8 {
        if let Err(error) = self.welcome("JLine support is disabled", Duration::MAX) {
            self.fail(&error);
            return self.exit_code;
        }
        for line in input.split(b'\n') {
            let Ok(line) = line else { break };
            if self.execute_line(&String::from_utf8_lossy(&line)) == Flow::Leave {
                break;
            }
        }
        self.exit_code
    }

    /// Runs what the user types; answers the exit code of the last command.
    pub(crate) fn run_terminal(mut self, mut editor: Editor) -> u8 {
        self.console.set_prompt_printer(editor.prompt_printer());
        if let Err(error) = self.welcome("JLine support is enabled", FIRST_PROMPT_PATIENCE) {
            self.fail(&error);
            return self.exit_code;
        }
        while let Some(line) = editor.read_line(&self.prompt(), &self.client) {
            if self.execute_line(&line) == Flow::Leave {
                break;
            }
        }
        self.exit_code
    }

    fn welcome(&self, line_editing: &str, patience: Duration) -> Result<(), CliError> {
        if self.options.wait_for_connection {
            self.wait_for_connection()?;
        }
        self.console
            .text(&format!("Welcome to ZooKeeper!\n{line_editing}\n"))?;
        self.client.dial();
        self.client.wait_for_outcome(patience);
        Ok(())
    }

    fn wait_for_connection(&self) -> Result<(), CliError> {
        self.client.dial();
        match self.client.wait_connected(self.options.session_timeout) {
            State::Connected | State::ConnectedReadOnly => Ok(()),
            State::Connecting | State::Closed | State::AuthFailed => {
                self.client.close();
                Err(CliError::failed("KeeperErrorCode = ConnectionLoss"))
            }
        }
    }

    fn prompt(&self) -> String {
        let state = self.client.state().name();
        format!("[zk: {}({state}) {}] ", self.host, self.number)
    }

    fn execute_line(&mut self, line: &str) -> Flow {
        let words = split_words(line);
        if words.is_empty() {
            return Flow::Continue;
        }
        self.history.push(line.trim_end_matches('\r').to_owned());
        let flow = self.execute(&words);
        self.number += 1;
        flow
    }

    fn execute(&mut self, words: &[String]) -> Flow {
        match self.process(words) {
            // `quit` ends with the code of the command before it.
            Ok(Flow::Leave) => Flow::Leave,
            Ok(Flow::Continue) => {
                self.exit_code = 0;
                Flow::Continue
            }
            Err(error) => {
                self.fail(&error);
                match error {
                    CliError::Output(_) => Flow::Leave,
                    CliError::Failed(_) | CliError::NotFound(_) => Flow::Continue,
                }
            }
        }
    }

    /// A reader that went away, as `head` does, needs no message.
    fn fail(&mut self, error: &CliError) {
        self.exit_code = error.exit_code();
        let reader_left = matches!(error, CliError::Output(e) if e.kind() == ErrorKind::BrokenPipe);
        if !reader_left {
            self.console.remark(&error.to_string());
        }
    }

    fn process(&mut self, words: &[String]) -> Result<Flow, CliError> {
        let Some((name, arguments)) = words.split_first() else {
            return Ok(Flow::Continue);
        };
        let Some(command) = Command::find(name) else {
            self.console.remark(&commands::usage());
            let hint = Command::closest(name);
            let hint = hint.map(|known| format!(" (did you mean {known}?)"));
            return Err(CliError::NotFound(name.clone() + &hint.unwrap_or_default()));
        };
        match command.action {
            Action::Shell(ShellCommand::Help) => self.help(arguments),
            Action::Shell(shell_command) => {
                let flow = self.run_shell_command(shell_command, arguments)?;
                if flow == Flow::Continue && !self.client.state().is_alive() {
                    self.console.line("Not connected")?;
                }
                Ok(flow)
            }
            Action::Ask(_) if !self.client.state().is_alive() => {
                self.console.line("Not connected")?;
                Ok(Flow::Continue)
            }
            Action::Ask(run) => {
                let args = command.parse(arguments)?;
                let context = Context {
                    client: &self.client,
                    console: &self.console,
                    zone: &self.zone,
                };
                run(&context, &args).map(|()| Flow::Continue)
            }
        }
    }

    fn run_shell_command(
        &mut self,
        command: ShellCommand,
        arguments: &[String],
    ) -> Result<Flow, CliError> {
        let argument = arguments.first();
        match (command, argument) {
            (ShellCommand::Quit, _) => {
                self.client.close();
                return Ok(Flow::Leave);
            }
            (ShellCommand::Connect, host) => {
                let host = host.unwrap_or(&self.host).clone();
                self.connect(host)?;
            }
            (ShellCommand::History, _) => self.show_history()?,
            (ShellCommand::Redo, Some(number)) => return self.redo(number),
            (ShellCommand::PrintWatches, None) => {
                let state = if self.console.print_watches() {
                    "on"
                } else {
                    "off"
                };
                self.console.line(&format!("printwatches is {state}"))?;
            }
            (ShellCommand::PrintWatches, Some(state)) => {
                self.console.set_print_watches(state == "on");
            }
            (ShellCommand::Redo, None) | (ShellCommand::Help, _) => {}
        }
        Ok(Flow::Continue)
    }

    fn connect(&mut self, host: String) -> Result<(), CliError> {
        let client = new_client(&self.options, &host, &self.console)?;
        self.client.close();
        self.client = Arc::new(client);
        self.host = host;
        self.client.dial();
        if self.options.wait_for_connection {
            self.wait_for_connection()?;
        }
        self.client.wait_for_outcome(FIRST_PROMPT_PATIENCE);
        Ok(())
    }

    fn show_history(&self) -> Result<(), CliError> {
        for number in self.number.saturating_sub(HISTORY_SHOWN)..=self.number {
            let line = self.history.get(number).map_or("null", String::as_str);
            self.console.line(&format!("{number} - {line}"))?;
        }
        Ok(())
    }

    /// Takes the place of the redo in the history.
    fn redo(&mut self, number: &str) -> Result<Flow, CliError> {
        let number: usize = number
            .parse()
            .map_err(|_| CliError::failed(format!("not a command number: {number}")))?;
        if number >= self.number {
            return Err(CliError::failed("Command index out of range"));
        }
        let line = self.history[number].clone();
        let words = split_words(&line);
        if words.first().is_some_and(|name| name == "redo") {
            return Err(CliError::failed("No redoing redos"));
        }
        self.history[self.number] = line;
        self.process(&words)
    }

    fn help(&self, arguments: &[String]) -> Result<Flow, CliError> {
        let text = match arguments.first() {
            None => commands::usage(),
            Some(name) => {
                let command = Command::find(name);
                let command = command.ok_or_else(|| CliError::NotFound(name.clone()))?;
                command.syntax() + &command.flag_table()
            }
        };
        self.console.line(&text)?;
        Ok(Flow::Continue)
    }
}

fn new_client(options: &Options, host: &str, console: &Arc<Console>) -> Result<Client, CliError> {
    let target = ConnectString::parse(host).map_err(|e| CliError::failed(e.to_string()))?;
    let client_options = ClientOptions {
        target,
        session_timeout: options.session_timeout,
        read_only: options.read_only,
    };
    let console = Arc::clone(console);
    Ok(Client::new(client_options, move |event| {
        console.event(&format::event(event));
    }))
}

/// Whether a user sits at both ends.
pub(crate) fn at_a_terminal() -> bool {
    use std::io::IsTerminal;
    io::stdin().is_terminal() && io::stdout().is_terminal()
}

#[cfg(test)]
mod tests;
