//! Where output goes: results to stdout, everything else to stderr, events to whichever way does
//! not garble the line that the user is editing.

use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

/// Prints text above the line being edited.
pub(crate) type PromptPrinter = Box<dyn FnMut(String) + Send>;

/// The two output streams, shared with the session's thread.
pub(crate) struct Console {
    out: Mutex<Box<dyn Write + Send>>,
    err: Mutex<Box<dyn Write + Send>>,
    prompt_printer: Mutex<Option<PromptPrinter>>,
    print_watches: AtomicBool,
}

impl Console {
    /// Writes to the given streams.
    pub(crate) fn new(
        out: impl Write + Send + 'static,
        err: impl Write + Send + 'static,
    ) -> Console {
        Console {
            out: Mutex::new(Box::new(out)),
            err: Mutex::new(Box::new(err)),
            prompt_printer: Mutex::new(None),
            print_watches: AtomicBool::new(true),
        }
    }

    /// Writes to the process's streams.
    #[must_use]
    pub(crate) fn of_process() -> Console {
        Console::new(io::stdout(), io::stderr())
    }

    /// A result, and a line end.
    pub(crate) fn line(&self, text: &str) -> io::Result<()> {
        self.text(&format!("{text}\n"))
    }

    /// A result as it is. Handed over in one piece, so that events do not split it.
    pub(crate) fn text(&self, text: &str) -> io::Result<()> {
        write_text(&self.out, text)
    }

    /// A remark or an error. Nobody can be told if stderr is gone.
    pub(crate) fn remark(&self, text: &str) {
        let _ = write_text(&self.err, &format!("{text}\n"));
    }

    /// An event, unless they are switched off. Runs on the session's thread, so a stdout that is
    /// gone is left for the next result to find.
    pub(crate) fn event(&self, text: &str) {
        if !self.print_watches() {
            return;
        }
        let text = format!("\nWATCHER::\n\n{text}\n");
        let mut printer = lock(&self.prompt_printer);
        match printer.as_mut() {
            Some(print) => print(text),
            None => {
                let _ = self.text(&text);
            }
        }
    }

    /// From now on events go through the line editor.
    pub(crate) fn set_prompt_printer(&self, printer: PromptPrinter) {
        *lock(&self.prompt_printer) = Some(printer);
    }

    /// Whether events are printed.
    #[must_use]
    pub(crate) fn print_watches(&self) -> bool {
        self.print_watches.load(Ordering::Relaxed)
    }

    /// Switches the printing of events.
    pub(crate) fn set_print_watches(&self, on: bool) {
        self.print_watches.store(on, Ordering::Relaxed);
    }
}

fn write_text(stream: &Mutex<Box<dyn Write + Send>>, text: &str) -> io::Result<()> {
    let mut stream = lock(stream);
    stream.write_all(text.as_bytes())?;
    stream.flush()
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
