//! What Tab offers: commands, their flags, and paths, which the server is asked for.

use crate::commands::{Action, COMMANDS, Command, ShellCommand};

/// Where the word under the cursor starts, and what it may become. `children` lists the names
/// below a path.
pub(crate) fn complete(
    line: &str,
    children: impl FnOnce(&str) -> Vec<String>,
) -> (usize, Vec<String>) {
    let start = line.rfind([' ', '\t']).map_or(0, |space| space + 1);
    let word = &line[start..];
    let command = line[..start].split_whitespace().next();
    let mut offers = match command {
        None => command_names(word),
        Some(_) if word.starts_with('/') => paths(word, children),
        Some(command) => arguments(command, word),
    };
    offers.sort();
    (start, offers)
}

fn command_names(word: &str) -> Vec<String> {
    let names = COMMANDS.iter().map(|command| command.name);
    names
        .filter(|name| name.starts_with(word))
        .map(|name| format!("{name} "))
        .collect()
}

fn paths(word: &str, children: impl FnOnce(&str) -> Vec<String>) -> Vec<String> {
    let Some((parent, prefix)) = word.rsplit_once('/') else {
        return Vec::new();
    };
    let names = children(if parent.is_empty() { "/" } else { parent });
    names
        .into_iter()
        .filter(|name| name.starts_with(prefix))
        .map(|name| format!("{parent}/{name}"))
        .collect()
}

fn arguments(command: &str, word: &str) -> Vec<String> {
    let Some(command) = Command::find(command) else {
        return Vec::new();
    };
    match command.action {
        Action::Shell(ShellCommand::Help) => command_names(word),
        Action::Shell(ShellCommand::PrintWatches) => {
            let states = ["on", "off"].iter().filter(|state| state.starts_with(word));
            states.map(|state| (*state).to_owned()).collect()
        }
        _ if word.starts_with('-') => {
            let flags = command.flags.iter().map(|flag| format!("-{} ", flag.name));
            flags.filter(|flag| flag.starts_with(word)).collect()
        }
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests;
