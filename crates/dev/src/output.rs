//! How changes are told: as lines, as JSON, or as part of the view.

use std::io::{self, IsTerminal as _, Write as _};

use crate::change::Change;
use crate::ensemble::Ensemble;
use crate::screen::Screen;
use crate::view::{self, Note};

#[derive(Debug)]
pub(crate) enum Output {
    Lines,
    Json,
    View { screen: Screen, notes: Vec<Note> },
}

impl Output {
    /// A view needs a terminal to draw on and one to read keys from.
    pub(crate) fn open(json: bool) -> io::Result<Output> {
        if json {
            return Ok(Output::Json);
        }
        let is_dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        if is_dumb || !io::stdin().is_terminal() || !io::stdout().is_terminal() {
            return Ok(Output::Lines);
        }
        Ok(Output::View {
            screen: Screen::open()?,
            notes: Vec::new(),
        })
    }

    pub(crate) fn has_keys(&self) -> bool {
        matches!(self, Output::View { .. })
    }

    /// # Errors
    /// When nobody reads any more.
    pub(crate) fn tell(&mut self, change: &Change) -> io::Result<()> {
        match self {
            Output::Lines => print_line(&change.to_string()),
            Output::Json => print_line(&change.json().to_string()),
            Output::View { notes, .. } => {
                let at = jiff::Zoned::now().strftime("%H:%M:%S").to_string();
                let excess = (notes.len() + 1).saturating_sub(NOTES_MAX);
                notes.drain(..excess);
                notes.push(Note {
                    at,
                    text: change.to_string(),
                });
                Ok(())
            }
        }
    }

    /// Brings the view up to date, if there is one.
    pub(crate) fn refresh(&mut self, ensemble: &Ensemble) -> io::Result<()> {
        match self {
            Output::Lines | Output::Json => Ok(()),
            Output::View { screen, notes } => {
                let lines = view::lines(ensemble, notes, screen.size());
                screen.draw(lines)
            }
        }
    }

    /// After a resize, when nothing can be said about what is on the screen.
    pub(crate) fn forget(&mut self) {
        if let Output::View { screen, .. } = self {
            screen.forget();
        }
    }

    /// Gives the terminal back and tells the rest in lines.
    pub(crate) fn close(&mut self) {
        if self.has_keys() {
            *self = Output::Lines;
        }
    }
}

fn print_line(line: &str) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    writeln!(stdout, "{line}")?;
    stdout.flush()
}

/// More than a terminal is high.
const NOTES_MAX: usize = 200;
