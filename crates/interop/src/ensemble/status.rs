//! What a member says about itself, by the word `mntr`.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

/// What a server serves as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// It has been elected.
    Leader,
    /// It votes and follows.
    Follower,
    /// It follows.
    Observer,
}

/// The answer to `mntr` of a server that serves.
#[derive(Clone, Debug)]
pub struct Status {
    /// `zk_server_state`.
    pub mode: Mode,
    /// Without `zk_`.
    fields: BTreeMap<String, String>,
}

impl Status {
    /// `None` when the server says that it does not serve.
    pub(super) fn parse(answer: &str) -> Option<Status> {
        let fields: BTreeMap<String, String> = answer
            .lines()
            .filter_map(|line| line.strip_prefix("zk_")?.split_once('\t'))
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .collect();
        let mode = match fields.get("server_state")?.as_str() {
            "leader" => Mode::Leader,
            "follower" => Mode::Follower,
            "observer" => Mode::Observer,
            _ => return None,
        };
        Some(Status { mode, fields })
    }

    /// A field, by its name without `zk_`, as it stands.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&str> {
        self.fields.get(name).map(String::as_str)
    }

    /// A field that counts something.
    #[must_use]
    pub fn number(&self, name: &str) -> Option<usize> {
        self.field(name)?.parse::<f64>().ok().and_then(whole)
    }
}

/// Java prints some counts with a decimal point.
fn whole(number: f64) -> Option<usize> {
    format!("{number:.0}").parse().ok()
}
