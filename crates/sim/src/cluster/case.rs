//! A run's options as a line of text, in which failing runs are kept.

use super::chance::{Chance, Script};
use super::options::Options;
use std::fmt;
use std::str::FromStr;

impl fmt::Display for Options {
    /// What differs from [`Options::random`].
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "seed={}", self.seed)?;
        let plain = Options::random(self.seed);
        if self.faults_ms != plain.faults_ms {
            write!(f, " faults_ms={}", self.faults_ms)?;
        }
        let counts = [
            ("members", self.members),
            ("observers", self.observers),
            ("clients", self.clients),
        ];
        for (name, count) in counts {
            if let Some(count) = count {
                write!(f, " {name}={count}")?;
            }
        }
        if self.damages_a_disk {
            write!(f, " damages_a_disk=true")?;
        }
        if self.with_local_sessions != plain.with_local_sessions {
            write!(f, " local_sessions={}", self.with_local_sessions)?;
        }
        if let Script::Only(chances) = &self.script {
            let chances: Vec<String> = chances.iter().map(Chance::to_string).collect();
            write!(f, " only={}", chances.join(","))?;
        }
        Ok(())
    }
}

/// A line that says no run.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{part:?} is no part of a run: {why}")]
pub struct NoCase {
    part: String,
    why: String,
}

impl FromStr for Options {
    type Err = NoCase;

    /// `seed=N`, and perhaps `faults_ms=N`, `members=N`, `observers=N`, `clients=N`,
    /// `damages_a_disk=true`, `local_sessions=BOOL` and `only=FAULT,FAULT`, apart by spaces.
    fn from_str(line: &str) -> Result<Options, NoCase> {
        let mut options = None;
        for part in line.split_whitespace() {
            let wrong = |why: String| NoCase {
                part: part.to_owned(),
                why,
            };
            let Some((name, value)) = part.split_once('=') else {
                return Err(wrong("expected NAME=VALUE".to_owned()));
            };
            let number = || value.parse::<u64>().map_err(|err| wrong(err.to_string()));
            let count = || value.parse::<usize>().map_err(|err| wrong(err.to_string()));
            if name == "seed" {
                options = Some(Options::random(number()?));
                continue;
            }
            let Some(options) = &mut options else {
                return Err(wrong("the seed comes first".to_owned()));
            };
            match name {
                "faults_ms" => options.faults_ms = number()?,
                "members" => options.members = Some(count()?),
                "observers" => options.observers = Some(count()?),
                "clients" => options.clients = Some(count()?),
                "damages_a_disk" => {
                    let is_so = value.parse::<bool>();
                    options.damages_a_disk = is_so.map_err(|err| wrong(err.to_string()))?;
                }
                "local_sessions" => {
                    let is_so = value.parse::<bool>();
                    options.with_local_sessions = is_so.map_err(|err| wrong(err.to_string()))?;
                }
                "only" => {
                    let names = value.split(',').filter(|name| !name.is_empty());
                    let chances = names.map(Chance::from_str).collect::<Result<_, _>>();
                    options.script = Script::Only(chances.map_err(|err| wrong(err.to_string()))?);
                }
                _ => return Err(wrong("there is no such option".to_owned())),
            }
        }
        options.ok_or_else(|| NoCase {
            part: line.to_owned(),
            why: "it has no seed".to_owned(),
        })
    }
}
