//! What a person asks for.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use crate::layout::{MEMBERS_MAX, MemberId};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Command {
    /// Kill this server if it runs, start it if it does not.
    Toggle(MemberId),
    KillLeader,
    Stop,
}

/// The command that a key stands for. The terminal hands on Ctrl-C like any other key.
pub(crate) fn command(key: &KeyEvent) -> Option<Command> {
    let KeyCode::Char(char) = key.code else {
        return None;
    };
    if key.modifiers.contains(KeyModifiers::CONTROL) {
        return (char == 'c').then_some(Command::Stop);
    }
    match char {
        'l' => Some(Command::KillLeader),
        'q' => Some(Command::Stop),
        _ => {
            let number = u16::try_from(char.to_digit(10)?).ok()?;
            (1..=MEMBERS_MAX)
                .contains(&number)
                .then_some(Command::Toggle(MemberId(number)))
        }
    }
}

#[cfg(test)]
mod tests;
