//! Line editing for people: history kept in a file, completion that asks the server.

use std::path::PathBuf;
use std::sync::Arc;
use std::{env, fs};

use rustyline::completion::Completer;
use rustyline::error::ReadlineError;
use rustyline::highlight::Highlighter;
use rustyline::hint::Hinter;
use rustyline::history::FileHistory;
use rustyline::validate::Validator;
use rustyline::{CompletionType, Config, ExternalPrinter as _, Helper};

use crate::client::{Client, State};
use crate::completion::complete;
use crate::console::PromptPrinter;

/// Lines kept in the history file.
const HISTORY_LINES_MAX: usize = 1000;

/// Reads lines from a terminal.
pub(crate) struct Editor {
    lines: rustyline::Editor<Tab, FileHistory>,
    history_file: Option<PathBuf>,
}

impl Editor {
    /// Takes over the terminal for as long as a line is read.
    ///
    /// # Errors
    /// When the terminal cannot be set up.
    pub(crate) fn new() -> rustyline::Result<Editor> {
        let config = Config::builder()
            .max_history_size(HISTORY_LINES_MAX)?
            .completion_type(CompletionType::List)
            .build();
        let mut lines = rustyline::Editor::with_config(config)?;
        let history_file = history_file();
        if let Some(file) = &history_file {
            // The first time there is none.
            let _ = lines.load_history(file);
        }
        Ok(Editor {
            lines,
            history_file,
        })
    }

    /// Prints above the line being edited, or just prints.
    pub(crate) fn prompt_printer(&mut self) -> PromptPrinter {
        match self.lines.create_external_printer() {
            Ok(mut printer) => Box::new(move |text| {
                let _ = printer.print(text);
            }),
            Err(_) => Box::new(|text| print!("{text}")),
        }
    }

    /// The next line; `None` at the end of input. Control-C gives up the line, as shells do.
    pub(crate) fn read_line(&mut self, prompt: &str, client: &Arc<Client>) -> Option<String> {
        self.lines.set_helper(Some(Tab(Arc::clone(client))));
        loop {
            match self.lines.readline(prompt) {
                Ok(line) => {
                    self.remember(&line);
                    return Some(line);
                }
                Err(ReadlineError::Interrupted) => {}
                Err(_) => return None,
            }
        }
    }

    /// Credentials stay out of the history.
    fn remember(&mut self, line: &str) {
        if line.trim_start().starts_with("addauth") {
            return;
        }
        let added = self.lines.add_history_entry(line);
        if let (Ok(true), Some(file)) = (added, &self.history_file) {
            // A history that cannot be kept is no reason to stop.
            let _ = self.lines.append_history(file);
        }
    }
}

/// `zooid/cli_history` in the user's state directory, which is made if need be.
fn history_file() -> Option<PathBuf> {
    let set = |name| {
        env::var_os(name)
            .filter(|value| !value.is_empty())
            .map(PathBuf::from)
    };
    let state = set("XDG_STATE_HOME").or_else(|| Some(set("HOME")?.join(".local/state")))?;
    let directory = state.join("zooid");
    fs::create_dir_all(&directory).ok()?;
    Some(directory.join("cli_history"))
}

/// Completion with a session to ask.
struct Tab(Arc<Client>);

impl Tab {
    /// Nothing while there is no connection: Tab must not hang.
    fn children(&self, path: &str) -> Vec<String> {
        match self.0.state() {
            State::Connected | State::ConnectedReadOnly => self
                .0
                .get_children(path, false)
                .map(|reply| reply.children)
                .unwrap_or_default(),
            State::Connecting | State::Closed | State::AuthFailed => Vec::new(),
        }
    }
}

impl Completer for Tab {
    type Candidate = String;

    fn complete(
        &self,
        line: &str,
        cursor: usize,
        _: &rustyline::Context<'_>,
    ) -> rustyline::Result<(usize, Vec<String>)> {
        Ok(complete(&line[..cursor], |path| self.children(path)))
    }
}

impl Hinter for Tab {
    type Hint = String;
}

impl Highlighter for Tab {}

impl Validator for Tab {}

impl Helper for Tab {}
