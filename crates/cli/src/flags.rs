//! Flags of a command: `-s`, `-v 3`, `-v3`, `-v=3`, `-sw`, `--` (Java: commons-cli's
//! `DefaultParser` with short options only).
//!
//! Flags may stand anywhere. A flag's value may start with a dash if it names no flag, so
//! `delete -v -1 /a` works.

use std::collections::BTreeMap;

/// One flag that a command understands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Flag {
    /// Without the dash.
    pub name: &'static str,
    /// Whether a value follows.
    pub takes_value: bool,
    /// For usage texts.
    pub about: &'static str,
}

impl Flag {
    /// A flag that is there or not.
    #[must_use]
    pub(crate) const fn switch(name: &'static str, about: &'static str) -> Flag {
        Flag {
            name,
            takes_value: false,
            about,
        }
    }

    /// A flag with a value.
    #[must_use]
    pub(crate) const fn value(name: &'static str, about: &'static str) -> Flag {
        Flag {
            name,
            takes_value: true,
            about,
        }
    }
}

/// How many of a command's flags may be given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Choice {
    /// Any number.
    Any,
    /// None, or one of them.
    AtMostOne,
    /// One of them.
    ExactlyOne,
}

/// What a command was given.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Args {
    flags: BTreeMap<&'static str, String>,
    /// Everything that is not a flag or a flag's value.
    pub words: Vec<String>,
}

impl Args {
    /// Whether the flag was given.
    #[must_use]
    pub(crate) fn has(&self, flag: &str) -> bool {
        self.flags.contains_key(flag)
    }

    /// The value of a flag, if it was given; the first one if repeatedly.
    #[must_use]
    pub(crate) fn value(&self, flag: &str) -> Option<&str> {
        self.flags.get(flag).map(String::as_str)
    }
}

/// What is wrong with the flags. Prints as commons-cli does.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum FlagError {
    /// No flag of this command.
    #[error("Unrecognized option: {0}")]
    Unrecognized(String),
    /// The value is missing.
    #[error("Missing argument for option: {0}")]
    MissingValue(&'static str),
    /// Two flags that exclude each other.
    #[error(
        "The option '{second}' was specified but an option from this group has already been \
         selected: '{first}'"
    )]
    Exclusive {
        /// The one given first.
        first: &'static str,
        /// The other.
        second: &'static str,
    },
    /// One of these must be given.
    #[error("Missing required option: [{0}]")]
    Required(String),
}

/// Parses the arguments of a command, its name not included.
///
/// # Errors
/// [`FlagError`] with the first fault.
pub(crate) fn parse<S: AsRef<str>>(
    flags: &'static [Flag],
    choice: Choice,
    arguments: &[S],
) -> Result<Args, FlagError> {
    let mut parser = Parser {
        flags,
        choice,
        args: Args::default(),
        wants_value: None,
    };
    let mut arguments = arguments.iter().map(AsRef::as_ref);
    for argument in arguments.by_ref() {
        if argument == "--" {
            break;
        }
        parser.argument(argument)?;
    }
    parser.check_no_value_wanted()?;
    let mut args = parser.args;
    args.words.extend(arguments.map(str::to_owned));
    if choice == Choice::ExactlyOne && args.flags.is_empty() {
        let list: Vec<_> = flags
            .iter()
            .map(|f| format!("-{} {}", f.name, f.about))
            .collect();
        return Err(FlagError::Required(list.join(", ")));
    }
    Ok(args)
}

struct Parser {
    flags: &'static [Flag],
    choice: Choice,
    args: Args,
    /// The flag whose value must come next.
    wants_value: Option<&'static str>,
}

impl Parser {
    fn argument(&mut self, argument: &str) -> Result<(), FlagError> {
        if let Some(flag) = self.wants_value
            && !self.names_a_flag(argument)
        {
            self.wants_value = None;
            self.give(flag, strip_quotes(argument));
            return Ok(());
        }
        match argument.strip_prefix('-') {
            None | Some("") => {
                self.check_no_value_wanted()?;
                self.args.words.push(argument.to_owned());
                Ok(())
            }
            Some(body) => self.flag_argument(argument, body),
        }
    }

    fn flag_argument(&mut self, argument: &str, body: &str) -> Result<(), FlagError> {
        let unrecognized = || FlagError::Unrecognized(argument.to_owned());
        if let Some(flag) = self.find(body) {
            return self.select(flag);
        }
        if let Some((name, value)) = body.split_once('=') {
            let flag = self
                .find(name)
                .filter(|f| f.takes_value && f.name.len() == 1);
            let flag = flag.ok_or_else(unrecognized)?;
            self.select(flag)?;
            self.wants_value = None;
            self.give(flag.name, strip_quotes(value));
            return Ok(());
        }
        let mut letters = body.chars();
        while let Some(letter) = letters.next() {
            let flag = self
                .find(letter.encode_utf8(&mut [0; 4]))
                .ok_or_else(unrecognized)?;
            self.select(flag)?;
            if flag.takes_value && !letters.as_str().is_empty() {
                self.wants_value = None;
                self.give(flag.name, strip_quotes(letters.as_str()));
                break;
            }
        }
        Ok(())
    }

    fn select(&mut self, flag: Flag) -> Result<(), FlagError> {
        self.check_no_value_wanted()?;
        let other = self.args.flags.keys().find(|given| **given != flag.name);
        if let (Some(first), true) = (other, self.choice != Choice::Any) {
            return Err(FlagError::Exclusive {
                first,
                second: flag.name,
            });
        }
        if flag.takes_value {
            self.wants_value = Some(flag.name);
        } else {
            self.give(flag.name, "");
        }
        Ok(())
    }

    fn give(&mut self, flag: &'static str, value: &str) {
        self.args
            .flags
            .entry(flag)
            .or_insert_with(|| value.to_owned());
    }

    fn check_no_value_wanted(&self) -> Result<(), FlagError> {
        match self.wants_value {
            Some(flag) => Err(FlagError::MissingValue(flag)),
            None => Ok(()),
        }
    }

    fn find(&self, name: &str) -> Option<Flag> {
        self.flags.iter().copied().find(|flag| flag.name == name)
    }

    /// Whether an argument after a flag that takes a value is another flag instead.
    fn names_a_flag(&self, argument: &str) -> bool {
        let Some(body) = argument.strip_prefix('-') else {
            return false;
        };
        let name = body.split_once('=').map_or(body, |(name, _)| name);
        let first = name.chars().next();
        self.find(name).is_some()
            || first.is_some_and(|c| self.find(c.encode_utf8(&mut [0; 4])).is_some())
    }
}

fn strip_quotes(value: &str) -> &str {
    let inner = value.strip_prefix('"').and_then(|v| v.strip_suffix('"'));
    inner.filter(|v| !v.contains('"')).unwrap_or(value)
}

#[cfg(test)]
mod tests;
