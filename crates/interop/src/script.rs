//! Scripts: what several clients do, one step after the other.
//!
//! A line is a step. A word is anything without spaces, or a quoted string with the escapes `\n`,
//! `\"`, `\\` and `\xHH`; `#` starts a comment.
//!
//! ```text
//! connect a timeout=30000              open a connection and a session
//! connect b session=a password=wrong   come back to the session of a
//! connect c at=follower                on the member of an ensemble that is leader, follower or observer
//! a create /n "data" acl=world:anyone:cdrwa mode=ephemeral
//! a get /n watch
//! a multi { create /m null ; check /n 0 }
//! pipeline a                           sent in one write
//!   create /p null
//!   get /p
//! end
//! a get /n cut=3                       without its last three bytes
//! a op 999 0x00ff                      any number and body
//! send a 0x7fffffff                    bytes that are no packet; the server shall close
//! await a 1                            wait for an event that no request of the script causes
//! drop a                               close the connection, not the session
//! word ruok                            a four-letter word
//! differs exists-checks-read           why Zooid's outcome of the step before is another than Java's:
//! | a <- xid=3 zxid=0x5 err=-102
//! ```
//!
//! `script/request.rs` lists the requests. Scripts are text so that people can read what a random
//! one did, and run it again.

mod request;
#[cfg(test)]
mod tests;
mod words;

pub use request::Request;

use crate::Mode;
use anyhow::{Context, Result, bail, ensure};
use words::Words;

/// A script.
#[derive(Clone, Debug, Default)]
pub struct Script {
    /// In order.
    pub steps: Vec<Step>,
}

/// One step, with its text.
#[derive(Clone, Debug)]
pub struct Step {
    /// The line or lines that it came from.
    pub text: String,
    /// What to do.
    pub action: Action,
    /// What Zooid sends instead of what ZooKeeper 3.8.0 sends, line by line.
    pub zooid_differs: Option<Vec<String>>,
}

/// What to do.
#[derive(Clone, Debug)]
pub enum Action {
    /// Open a connection.
    Connect(Connect),
    /// Send requests in one write and wait for their replies.
    Requests {
        /// The connection.
        name: String,
        /// In order.
        requests: Vec<Request>,
    },
    /// Send bytes and wait for the server to close the connection.
    Send {
        /// The connection; opened without a session if there is none.
        name: String,
        /// As they are.
        bytes: Vec<u8>,
    },
    /// Wait for so many events.
    Await {
        /// The connection.
        name: String,
        /// How many.
        events: usize,
    },
    /// Close a connection and leave its session.
    Drop {
        /// The connection.
        name: String,
    },
    /// Send a four-letter word on a connection of its own.
    Word(String),
}

/// A connect request.
#[derive(Clone, Debug)]
pub struct Connect {
    /// The new connection.
    pub name: String,
    /// Which member of an ensemble to connect to; the one that the script runs on if absent.
    pub at: Option<Mode>,
    /// Of the packet.
    pub protocol_version: i32,
    /// Of the packet.
    pub timeout_ms: i32,
    /// Added to the last zxid that this script has seen; 0 is sent if absent.
    pub zxid_ahead: Option<i64>,
    /// Which session to ask for.
    pub session: Claim,
    /// What to say as its password.
    pub password: Password,
    /// Absent for clients before 3.4.
    pub read_only: Option<bool>,
    /// Bytes to leave out at the end.
    pub cut: usize,
}

/// A session that a connection asks for.
#[derive(Clone, Debug)]
pub enum Claim {
    /// A new one.
    New,
    /// The one that the named connection got.
    Of(String),
    /// A number that no server gave.
    Id(i64),
}

/// The password in a connect request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Password {
    /// The session's.
    Right,
    /// Another one of the right length.
    Wrong,
    /// Length 0.
    Empty,
    /// Length -1.
    Null,
}

impl Script {
    /// Parses a script.
    ///
    /// # Errors
    /// When a line makes no sense; says which.
    pub fn parse(text: &str) -> Result<Script> {
        let mut script = Script::default();
        let mut lines = text.lines().enumerate();
        while let Some((index, line)) = lines.next() {
            let context = || format!("line {}: {line}", index + 1);
            let words = Words::split(line).with_context(context)?;
            if words.is_empty() {
                continue;
            }
            match words.peek() {
                "pipeline" => {
                    let block = lines.by_ref().map(|(_, line)| line);
                    script.push(line, pipeline(words, block).with_context(context)?);
                }
                "differs" => {
                    ensure!(words.len() == 2, "differs takes one word, the reason");
                    let step = script.steps.last_mut().with_context(context)?;
                    step.zooid_differs = Some(Vec::new());
                }
                "|" => {
                    let expected = line.trim_start().trim_start_matches("| ");
                    let step = script.steps.last_mut();
                    let differs = step.and_then(|step| step.zooid_differs.as_mut());
                    differs.with_context(context)?.push(expected.into());
                }
                _ => script.push(line, action(words).with_context(context)?),
            }
        }
        Ok(script)
    }

    /// Requests in it, connects included.
    #[must_use]
    pub fn request_count(&self) -> usize {
        let count = |step: &Step| match &step.action {
            Action::Requests { requests, .. } => requests.len(),
            Action::Connect(_) | Action::Send { .. } | Action::Word(_) => 1,
            Action::Await { .. } | Action::Drop { .. } => 0,
        };
        self.steps.iter().map(count).sum()
    }

    fn push(&mut self, line: &str, action: Action) {
        self.steps.push(Step {
            text: line.trim().into(),
            action,
            zooid_differs: None,
        });
    }
}

fn action(mut words: Words) -> Result<Action> {
    let first = words.next("a step")?;
    let action = match first.as_str() {
        "connect" => Action::Connect(connect(&mut words)?),
        "send" => Action::Send {
            name: words.next("a connection")?,
            bytes: words.hex("bytes")?,
        },
        "await" => Action::Await {
            name: words.next("a connection")?,
            events: words.number("a count")?,
        },
        "drop" => Action::Drop {
            name: words.next("a connection")?,
        },
        "word" => Action::Word(words.next("a four-letter word")?),
        _ => Action::Requests {
            name: first,
            requests: vec![Request::parse(&mut words)?],
        },
    };
    words.finish()?;
    Ok(action)
}

fn pipeline<'a>(mut words: Words, block: impl Iterator<Item = &'a str>) -> Result<Action> {
    words.next("pipeline")?;
    let name = words.next("a connection")?;
    words.finish()?;
    let mut requests = Vec::new();
    for line in block {
        let mut words = Words::split(line)?;
        if words.is_empty() {
            continue;
        }
        if words.peek() == "end" {
            return Ok(Action::Requests { name, requests });
        }
        requests.push(Request::parse(&mut words).with_context(|| line.to_owned())?);
        words.finish()?;
    }
    bail!("the pipeline has no end")
}

fn connect(words: &mut Words) -> Result<Connect> {
    let mut connect = Connect {
        name: words.next("a connection")?,
        at: None,
        protocol_version: 0,
        timeout_ms: 30_000,
        zxid_ahead: None,
        session: Claim::New,
        password: Password::Right,
        read_only: Some(false),
        cut: 0,
    };
    while let Some((key, value)) = words.option() {
        match key.as_str() {
            "at" => connect.at = Some(mode(&value)?),
            "version" => connect.protocol_version = value.parse()?,
            "timeout" => connect.timeout_ms = value.parse()?,
            "zxid" => connect.zxid_ahead = Some(value.parse()?),
            "session" => connect.session = claim(&value)?,
            "password" => connect.password = password(&value)?,
            "readonly" => connect.read_only = read_only(&value)?,
            "cut" => connect.cut = value.parse()?,
            _ => bail!("connect has no option {key}"),
        }
    }
    Ok(connect)
}

fn mode(word: &str) -> Result<Mode> {
    Ok(match word {
        "leader" => Mode::Leader,
        "follower" => Mode::Follower,
        "observer" => Mode::Observer,
        _ => bail!("a member is leader, follower or observer"),
    })
}

fn claim(word: &str) -> Result<Claim> {
    Ok(match word.strip_prefix("0x") {
        Some(digits) => Claim::Id(u64::from_str_radix(digits, 16)?.cast_signed()),
        None => Claim::Of(word.into()),
    })
}

fn password(word: &str) -> Result<Password> {
    Ok(match word {
        "wrong" => Password::Wrong,
        "empty" => Password::Empty,
        "null" => Password::Null,
        _ => bail!("password is wrong, empty or null"),
    })
}

fn read_only(word: &str) -> Result<Option<bool>> {
    Ok(match word {
        "absent" => None,
        _ => Some(word.parse()?),
    })
}
