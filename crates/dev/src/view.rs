//! The whole ensemble as lines of text, for a terminal of any size.

mod table;

use crate::ensemble::Ensemble;

/// A line of the screen, from left to right.
pub(crate) type Line = Vec<Span>;

/// Text in one style.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) text: String,
    pub(crate) style: Style,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Style {
    Plain,
    Bold,
    Dim,
    Good,
    Leading,
    Waiting,
    Bad,
}

/// In characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Size {
    pub(crate) width: usize,
    pub(crate) height: usize,
}

/// Something that happened, and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Note {
    pub(crate) at: String,
    pub(crate) text: String,
}

/// Exactly as many lines as the screen is high, none wider than it, the keys being the last. If there
/// is little room, first the notes go, then the title, then the servers at the end.
pub(crate) fn lines(ensemble: &Ensemble, notes: &[Note], size: Size) -> Vec<Line> {
    let table = table::lines(&ensemble.members, size.width);
    let health = health(ensemble, size.width);
    let mut lines = vec![title(ensemble)];
    lines.extend(health.iter().cloned());
    lines.push(Line::new());
    if size.height < lines.len() + table.len() + FOOTER_LINES {
        lines = health.into_iter().take(1).collect();
    }
    lines.extend(table);
    lines.push(Line::new());
    let room = size.height.saturating_sub(lines.len() + FOOTER_LINES);
    lines.extend(recent(notes, room));
    lines.resize(size.height.saturating_sub(1).max(lines.len()), Line::new());
    lines.truncate(size.height.saturating_sub(1));
    lines.push(footer(ensemble));
    for line in &mut lines {
        clip(line, size.width);
    }
    lines
}

fn title(ensemble: &Ensemble) -> Line {
    let layout = &ensemble.layout;
    vec![
        span("zooid dev", Style::Bold),
        span(&format!("  {}", layout.shape), Style::Plain),
        span(&format!("  {}", layout.directory.display()), Style::Dim),
    ]
}

/// How it is, and how to reach it, on as many lines as that takes.
fn health(ensemble: &Ensemble, width: usize) -> Vec<Line> {
    let (word, style) = if ensemble.is_stopping {
        ("stopping", Style::Waiting)
    } else if ensemble.is_ready() {
        ("ready", Style::Good)
    } else if !ensemble.is_anyone_up() {
        ("down", Style::Bad)
    } else if ensemble.leader().is_some() || ensemble.is_anyone_starting() {
        ("starting", Style::Waiting)
    } else {
        ("no leader", Style::Bad)
    };
    let mut lines = vec![vec![span(word, style), span(": ", Style::Plain)]];
    let mut room = width.saturating_sub(word.len() + 2);
    for address in ensemble.layout.connect_string().split_inclusive(',') {
        if address.len() > room {
            lines.push(Line::new());
            room = width;
        }
        room = room.saturating_sub(address.len());
        let line = lines.last_mut();
        line.expect("begun above").push(span(address, Style::Plain));
    }
    lines
}

/// The last lines of the notes.
fn recent(notes: &[Note], room: usize) -> Vec<Line> {
    let mut lines: Vec<Line> = Vec::new();
    for note in notes {
        for (index, text) in note.text.lines().enumerate() {
            let at = if index == 0 { note.at.as_str() } else { "" };
            lines.push(vec![
                span(&format!("{at:8}  "), Style::Dim),
                span(text, Style::Plain),
            ]);
        }
    }
    lines.split_off(lines.len().saturating_sub(room))
}

fn footer(ensemble: &Ensemble) -> Line {
    if ensemble.is_stopping {
        return vec![span("q kill what does not stop", Style::Dim)];
    }
    let digits = match ensemble.members.len() {
        1 => "1".to_owned(),
        count => format!("1-{count}"),
    };
    let keys = format!("{digits} kill or restart   l kill the leader   q stop");
    vec![span(&keys, Style::Dim)]
}

fn span(text: &str, style: Style) -> Span {
    Span {
        text: text.to_owned(),
        style,
    }
}

/// Cuts a line to a width, and takes out of it what would move the cursor.
fn clip(line: &mut Line, width: usize) {
    let mut room = width;
    for span in line.iter_mut() {
        let harmless = |char: char| if char.is_control() { ' ' } else { char };
        span.text = span.text.chars().map(harmless).take(room).collect();
        room -= span.text.chars().count();
    }
    line.retain(|span| !span.text.is_empty());
}

/// An empty line and the keys.
const FOOTER_LINES: usize = 2;

#[cfg(test)]
mod tests;
