//! The text of a server's `zoo.cfg`: what `zooid dev` decides, beside what a person has added.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::layout::{HOST, Layout, Place, Shape};

/// The text to write, or nothing if `existing` says the same already.
///
/// Lines that are not decided here stay as they are.
pub(crate) fn text(existing: Option<&str>, layout: &Layout, place: &Place) -> Option<String> {
    let decided = decided(layout, place);
    let Some(existing) = existing else {
        return Some(with_lines(FRESH.to_owned(), &decided));
    };
    let present: BTreeMap<&str, &str> = existing.lines().filter_map(decided_entry).collect();
    let is_same = present.len() == decided.len()
        && decided
            .iter()
            .all(|(key, value)| present.get(key.as_str()) == Some(&value.as_str()));
    if is_same {
        return None;
    }
    let mut kept = String::new();
    for line in existing
        .lines()
        .filter(|line| decided_entry(line).is_none())
    {
        let _ = writeln!(kept, "{line}");
    }
    Some(with_lines(kept, &decided))
}

/// The shape of the ensemble that a `zoo.cfg` of an earlier run is part of.
pub(crate) fn shape(text: &str) -> Option<Shape> {
    let entries = || text.lines().filter_map(decided_entry);
    let listed: Vec<_> = entries()
        .filter(|(key, _)| key.starts_with(SERVER_PREFIX))
        .collect();
    if listed.is_empty() {
        let is_ours = entries().any(|(key, _)| key == "dataDir");
        return is_ours.then_some(Shape {
            servers: 1,
            observers: 0,
        });
    }
    let is_observer = |value: &str| value.ends_with(OBSERVER_SUFFIX);
    let observers = listed
        .iter()
        .filter(|(_, value)| is_observer(value))
        .count();
    Some(Shape {
        servers: u16::try_from(listed.len() - observers).ok()?,
        observers: u16::try_from(observers).ok()?,
    })
}

/// What follows from the options, in the order in which it is written.
fn decided(layout: &Layout, place: &Place) -> Vec<(String, String)> {
    let mut entries = vec![
        (
            "dataDir".to_owned(),
            escaped(&place.data().to_string_lossy()),
        ),
        ("clientPort".to_owned(), place.client_port.to_string()),
        ("clientPortAddress".to_owned(), HOST.to_owned()),
    ];
    if !layout.shape.is_standalone() {
        entries.extend(layout.places.iter().map(server_entry));
    }
    entries
}

fn server_entry(place: &Place) -> (String, String) {
    let role = if place.is_observer {
        OBSERVER_SUFFIX
    } else {
        ""
    };
    (
        format!("{SERVER_PREFIX}{}", place.id),
        format!("{HOST}:{}:{}{role}", place.quorum_port, place.election_port),
    )
}

fn with_lines(mut text: String, entries: &[(String, String)]) -> String {
    for (key, value) in entries {
        let _ = writeln!(text, "{key}={value}");
    }
    text
}

/// The line's key and value, if the key is one of those decided here.
fn decided_entry(line: &str) -> Option<(&str, &str)> {
    let (key, value) = line.split_once('=')?;
    let key = key.trim();
    let is_decided = matches!(key, "dataDir" | "clientPort" | "clientPortAddress")
        || key.starts_with(SERVER_PREFIX);
    is_decided.then_some((key, value.trim()))
}

/// As a Java properties file has it: ASCII, with the backslash as escape.
fn escaped(value: &str) -> String {
    let mut units = [0; 2];
    value.chars().fold(String::new(), |mut text, char| {
        match char {
            '\\' => text.push_str("\\\\"),
            ' '..='~' => text.push(char),
            _ => {
                for unit in char.encode_utf16(&mut units) {
                    let _ = write!(text, "\\u{unit:04x}");
                }
            }
        }
        text
    })
}

const SERVER_PREFIX: &str = "server.";
const OBSERVER_SUFFIX: &str = ":observer";
const FRESH: &str = "\
# Written by zooid dev. What you change or add stays, except for dataDir, the client port and the
# list of servers, which follow from its options.
tickTime=2000
initLimit=10
syncLimit=5
# All clients come from one address.
maxClientCnxns=0
4lw.commands.whitelist=*
admin.enableServer=false
";

#[cfg(test)]
mod tests;
