//! What was found, for people and for scripts.

use std::fmt;

/// How much a finding matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// As it should be.
    Ok,
    /// Good to know.
    Note,
    /// Something will be different.
    Warning,
    /// The server would not start, or something that is used would be lost.
    Fault,
}

/// One line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// How much it matters.
    pub level: Level,
    /// What was found, and what to do about it.
    pub text: String,
}

/// What was found about one thing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// Which: `configuration`, `features`, `network`, `directories` or `data`.
    pub name: &'static str,
    /// In the order in which it was looked for.
    pub findings: Vec<Finding>,
}

/// All that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// In the order in which they are printed.
    pub groups: Vec<Group>,
}

impl Group {
    /// Nothing found yet.
    #[must_use]
    pub fn new(name: &'static str) -> Group {
        Group {
            name,
            findings: Vec::new(),
        }
    }

    /// Adds what is as it should be.
    pub fn ok(&mut self, text: impl Into<String>) {
        self.add(Level::Ok, text.into());
    }

    /// Adds what is good to know.
    pub fn note(&mut self, text: impl Into<String>) {
        self.add(Level::Note, text.into());
    }

    /// Adds what will be different.
    pub fn warn(&mut self, text: impl Into<String>) {
        self.add(Level::Warning, text.into());
    }

    /// Adds what keeps the server from starting, or what would be lost.
    pub fn fault(&mut self, text: impl Into<String>) {
        self.add(Level::Fault, text.into());
    }

    fn add(&mut self, level: Level, text: String) {
        self.findings.push(Finding { level, text });
    }
}

impl Report {
    /// How many findings are of a level.
    #[must_use]
    pub fn count(&self, level: Level) -> usize {
        let findings = self.groups.iter().flat_map(|group| &group.findings);
        findings.filter(|finding| finding.level == level).count()
    }

    /// 0: the server can start in the other's place. 1: it can, and there are differences worth reading.
    /// 2: it would not start, or would lose something that is used.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match (self.count(Level::Fault), self.count(Level::Warning)) {
            (0, 0) => 0,
            (0, _) => 1,
            (_, _) => 2,
        }
    }

    /// The last line.
    #[must_use]
    pub fn verdict(&self) -> String {
        let (faults, warnings) = (self.count(Level::Fault), self.count(Level::Warning));
        match self.exit_code() {
            0 => "zooid can serve this".to_owned(),
            1 => format!(
                "zooid can serve this; {} to read first",
                counted(warnings, "warning")
            ),
            _ => format!(
                "zooid cannot serve this as it is: {}",
                counted(faults, "fault")
            ),
        }
    }
}

fn counted(count: usize, what: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {what}{plural}")
}

impl Level {
    /// As it is printed, and in JSON.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Level::Ok => "ok",
            Level::Note => "note",
            Level::Warning => "warning",
            Level::Fault => "fault",
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for group in &self.groups {
            writeln!(f, "{}", group.name)?;
            for finding in &group.findings {
                writeln!(f, "  {:<8} {}", finding.level.name(), finding.text)?;
            }
        }
        writeln!(f, "{}", self.verdict())
    }
}
