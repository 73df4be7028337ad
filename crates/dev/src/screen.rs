//! The terminal while the view is on it: the alternate screen, unbuffered keys, no cursor.

use std::io::{self, Write as _};
use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering};

use crossterm::cursor::{Hide, MoveTo, Show};
use crossterm::style::{Attribute, Color, Print, ResetColor, SetAttribute, SetForegroundColor};
use crossterm::terminal::{
    BeginSynchronizedUpdate, Clear, ClearType, DisableLineWrap, EnableLineWrap,
    EndSynchronizedUpdate, EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode,
    enable_raw_mode, size,
};
use crossterm::{execute, queue};

use crate::view::{Line, Size, Span, Style};

/// Restores the terminal when dropped, and when the program panics.
#[derive(Debug)]
pub(crate) struct Screen {
    drawn: Option<Vec<Line>>,
}

/// Whether the terminal is not as it was found.
static IS_CHANGED: AtomicBool = AtomicBool::new(false);

impl Screen {
    pub(crate) fn open() -> io::Result<Screen> {
        restore_on_panic();
        IS_CHANGED.store(true, Ordering::SeqCst);
        // From here on, dropping it undoes what has been done.
        let screen = Screen { drawn: None };
        enable_raw_mode()?;
        execute!(io::stdout(), EnterAlternateScreen, DisableLineWrap, Hide)?;
        Ok(screen)
    }

    /// A terminal that does not know its size gets the usual one.
    pub(crate) fn size(&self) -> Size {
        match size() {
            Ok((width, height)) if width > 0 && height > 0 => Size {
                width: width.into(),
                height: height.into(),
            },
            _ => USUAL_SIZE,
        }
    }

    pub(crate) fn forget(&mut self) {
        self.drawn = None;
    }

    /// Draws as many lines as the screen is high, as far as they are not there already.
    pub(crate) fn draw(&mut self, lines: Vec<Line>) -> io::Result<()> {
        if self.drawn.as_ref() == Some(&lines) {
            return Ok(());
        }
        let mut out = io::stdout().lock();
        queue!(out, BeginSynchronizedUpdate)?;
        if self.drawn.is_none() {
            queue!(out, Clear(ClearType::All))?;
        }
        let drawn = self.drawn.take().unwrap_or_default();
        for (row, line) in (0..).zip(&lines) {
            if drawn.get(usize::from(row)) != Some(line) {
                draw_line(&mut out, row, line)?;
            }
        }
        queue!(out, EndSynchronizedUpdate)?;
        out.flush()?;
        self.drawn = Some(lines);
        Ok(())
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        restore();
    }
}

fn draw_line(out: &mut impl io::Write, row: u16, line: &Line) -> io::Result<()> {
    queue!(out, MoveTo(0, row))?;
    for span in line {
        paint(out, span)?;
    }
    queue!(out, Clear(ClearType::UntilNewLine))
}

fn paint(out: &mut impl io::Write, span: &Span) -> io::Result<()> {
    match span.style {
        Style::Plain => return queue!(out, Print(&span.text)),
        Style::Bold => queue!(out, SetAttribute(Attribute::Bold))?,
        Style::Dim => queue!(out, SetAttribute(Attribute::Dim))?,
        Style::Good => queue!(out, SetForegroundColor(Color::Green))?,
        Style::Leading => queue!(
            out,
            SetForegroundColor(Color::Green),
            SetAttribute(Attribute::Bold)
        )?,
        Style::Waiting => queue!(out, SetForegroundColor(Color::Yellow))?,
        Style::Bad => queue!(out, SetForegroundColor(Color::Red))?,
    }
    queue!(
        out,
        Print(&span.text),
        ResetColor,
        SetAttribute(Attribute::Reset)
    )
}

fn restore() {
    if IS_CHANGED.swap(false, Ordering::SeqCst) {
        // If the terminal is gone there is nothing to restore.
        let _ = execute!(io::stdout(), Show, EnableLineWrap, LeaveAlternateScreen);
        let _ = disable_raw_mode();
    }
}

/// A panic aborts the program, so nothing is dropped; and its message must not go to the alternate
/// screen.
fn restore_on_panic() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let report = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            restore();
            report(panic);
        }));
    });
}

const USUAL_SIZE: Size = Size {
    width: 80,
    height: 24,
};
