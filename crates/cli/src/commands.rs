//! The table of commands: names, usage texts, flags, and what runs them.
//!
//! One row per command; parsing, `help`, completion and the unknown-command hint all read the
//! table. The commands themselves are grouped by what they are about.

mod access;
mod config;
mod data;
mod listing;
mod quota;
mod recursion;
mod watches;

use jiff::tz::TimeZone;

use crate::client::Client;
use crate::console::Console;
use crate::error::CliError;
use crate::flags::{self, Args, Choice, Flag};

/// What a command works with.
pub(crate) struct Context<'a> {
    /// The session.
    pub client: &'a Client,
    /// Where to print.
    pub console: &'a Console,
    /// The zone that dates are shown in.
    pub zone: &'a TimeZone,
}

/// A command that asks the server.
pub(crate) type Run = fn(&Context<'_>, &Args) -> Result<(), CliError>;

/// A command that changes the shell itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ShellCommand {
    /// End the session and begin another.
    Connect,
    /// Show the last commands.
    History,
    /// Run one of them again.
    Redo,
    /// Switch the printing of events.
    PrintWatches,
    /// Leave.
    Quit,
    /// Show usage texts.
    Help,
}

/// Who runs a command.
#[derive(Clone, Copy)]
pub(crate) enum Action {
    /// The shell.
    Shell(ShellCommand),
    /// A function that needs a session.
    Ask(Run),
}

/// One row of the table.
#[derive(Clone, Copy)]
pub(crate) struct Command {
    /// As typed.
    pub name: &'static str,
    /// What follows the name.
    pub usage: &'static str,
    /// The flags that it understands.
    pub flags: &'static [Flag],
    /// How many of them may be given.
    pub choice: Choice,
    /// Fewest and most words after the name; what Java ignores is allowed.
    words: (usize, usize),
    /// What it does.
    pub action: Action,
}

impl Command {
    /// The command of this name.
    #[must_use]
    pub(crate) fn find(name: &str) -> Option<&'static Command> {
        COMMANDS.iter().find(|command| command.name == name)
    }

    /// The known name closest to an unknown one, if any is close.
    #[must_use]
    pub(crate) fn closest(name: &str) -> Option<&'static str> {
        let distance =
            |c: &Command| strsim::damerau_levenshtein(&c.name.to_lowercase(), &name.to_lowercase());
        let (distance, command) = COMMANDS
            .iter()
            .map(|c| (distance(c), c))
            .min_by_key(|d| d.0)?;
        (distance <= 1.max(name.len() / 4)).then_some(command.name)
    }

    /// Name and usage.
    #[must_use]
    pub(crate) fn syntax(&self) -> String {
        format!("{} {}", self.name, self.usage)
    }

    /// The flags, each on a line of its own that starts with the line end before it.
    pub(crate) fn flag_table(&self) -> String {
        let spelled = |flag: &Flag| {
            let value = if flag.takes_value { " <arg>" } else { "" };
            format!("-{}{value}", flag.name)
        };
        let width = self.flags.iter().map(|f| spelled(f).len()).max();
        let width = width.unwrap_or_default();
        let line = |flag: &Flag| format!("\n {:<width$}   {}", spelled(flag), flag.about);
        self.flags.iter().map(line).collect()
    }

    /// Parses what follows the name.
    ///
    /// # Errors
    /// A flag's fault, or the usage text when the number of words is wrong.
    pub(crate) fn parse(&self, arguments: &[String]) -> Result<Args, CliError> {
        let args = flags::parse(self.flags, self.choice, arguments)
            .map_err(|fault| CliError::failed(fault.to_string()))?;
        let (min, max) = self.words;
        if (min..=max).contains(&args.words.len()) {
            Ok(args)
        } else {
            Err(CliError::failed(self.syntax()))
        }
    }
}

/// The usage of every command, one a line.
#[must_use]
pub(crate) fn usage() -> String {
    let mut text =
        String::from("ZooKeeper -server host:port -client-configuration properties-file cmd args");
    for command in COMMANDS {
        text.push_str("\n\t");
        text.push_str(&command.syntax());
    }
    text
}

const fn shell(
    name: &'static str,
    usage: &'static str,
    words: (usize, usize),
    command: ShellCommand,
) -> Command {
    Command {
        name,
        usage,
        flags: &[],
        choice: Choice::Any,
        words,
        action: Action::Shell(command),
    }
}

const fn ask(
    name: &'static str,
    usage: &'static str,
    words: (usize, usize),
    flags: &'static [Flag],
    run: Run,
) -> Command {
    Command {
        name,
        usage,
        flags,
        choice: Choice::Any,
        words,
        action: Action::Ask(run),
    }
}

const fn choosing(choice: Choice, command: Command) -> Command {
    Command { choice, ..command }
}

const MANY: usize = usize::MAX;

/// Sorted as zkCli sorts them.
pub(crate) const COMMANDS: &[Command] = &[
    ask(
        "addWatch",
        "[-m mode] path # optional mode is one of [PERSISTENT, PERSISTENT_RECURSIVE] - default is \
         PERSISTENT_RECURSIVE",
        (1, 1),
        &[Flag::value("m", "PERSISTENT or PERSISTENT_RECURSIVE")],
        watches::add_watch,
    ),
    ask("addauth", "scheme auth", (1, MANY), &[], access::add_auth),
    ask("close", "", (0, MANY), &[], config::close),
    ask(
        "config",
        "[-c] [-w] [-s]",
        (0, MANY),
        &[
            Flag::switch("c", "client connection string"),
            Flag::switch("s", "stats"),
            Flag::switch("w", "watch"),
        ],
        config::config,
    ),
    shell("connect", "host:port", (0, MANY), ShellCommand::Connect),
    ask(
        "create",
        "[-s] [-e] [-c] [-t ttl] path [data] [acl]",
        (1, MANY),
        &[
            Flag::switch("c", "container"),
            Flag::switch("e", "ephemeral"),
            Flag::switch("s", "sequential"),
            Flag::value("t", "ttl"),
        ],
        data::create,
    ),
    ask(
        "delete",
        "[-v version] path",
        (1, MANY),
        &[Flag::value("v", "version")],
        data::delete,
    ),
    ask(
        "deleteall",
        "path [-b batch size]",
        (1, MANY),
        &[Flag::value("b", "batch size")],
        recursion::delete_all,
    ),
    choosing(
        Choice::AtMostOne,
        ask(
            "delquota",
            "[-n|-b|-N|-B] path",
            (1, MANY),
            &[
                Flag::switch("n", "num soft quota"),
                Flag::switch("b", "bytes soft quota"),
                Flag::switch("N", "num hard quota"),
                Flag::switch("B", "bytes hard quota"),
            ],
            quota::delete,
        ),
    ),
    shell("exit", "", (0, MANY), ShellCommand::Quit),
    ask(
        "get",
        "[-s] [-w] [-b] [-x] path",
        (1, MANY),
        &[
            Flag::switch("b", "Output data in base64 format"),
            Flag::switch("s", "Print znode stats additionally"),
            Flag::switch("w", "Watch for changes on the znode"),
            Flag::switch("x", "Output data in hexdump format"),
        ],
        data::get,
    ),
    ask(
        "getAcl",
        "[-s] path",
        (1, MANY),
        &[Flag::switch("s", "stats")],
        access::get_acl,
    ),
    ask(
        "getAllChildrenNumber",
        "path",
        (1, MANY),
        &[],
        listing::get_all_children_number,
    ),
    ask(
        "getEphemerals",
        "path",
        (0, MANY),
        &[],
        listing::get_ephemerals,
    ),
    shell("help", "[command]", (0, 1), ShellCommand::Help),
    shell("history", "", (0, MANY), ShellCommand::History),
    ask("listquota", "path", (1, MANY), &[], quota::list),
    ask(
        "ls",
        "[-s] [-w] [-R] path",
        (0, MANY),
        &[
            Flag::switch("?", "help"),
            Flag::switch("R", "recurse"),
            Flag::switch("s", "stat"),
            Flag::switch("w", "watch"),
        ],
        listing::ls,
    ),
    shell(
        "printwatches",
        "on|off",
        (0, MANY),
        ShellCommand::PrintWatches,
    ),
    shell("quit", "", (0, MANY), ShellCommand::Quit),
    ask(
        "reconfig",
        "[-s] [-v version] [[-file path] | [-members serverID=host:port1:port2;port3[,...]*]] | \
         [-add serverId=host:port1:port2;port3[,...]]* [-remove serverId[,...]*]",
        (0, MANY),
        &[
            Flag::value(
                "add",
                "comma-separated list of config strings for new servers",
            ),
            Flag::value("file", "path of config file to parse for membership"),
            Flag::value(
                "members",
                "comma-separated list of config strings for non-incremental reconfig",
            ),
            Flag::value("remove", "comma-separated list of server IDs to remove"),
            Flag::switch("s", "stats"),
            Flag::value("v", "required current config version"),
        ],
        config::reconfig,
    ),
    shell("redo", "cmdno", (0, MANY), ShellCommand::Redo),
    ask(
        "removewatches",
        "path [-c|-d|-p|-r|-a] [-l]",
        (1, MANY),
        &[
            Flag::switch("a", "any watcher type"),
            Flag::switch("c", "child watcher type"),
            Flag::switch("d", "data watcher type"),
            Flag::switch("l", "remove locally when there is no server connection"),
            Flag::switch("p", "persistent watcher type"),
            Flag::switch("r", "persistent recursive watcher type"),
        ],
        watches::remove_watches,
    ),
    ask(
        "set",
        "path data [-s] [-v version] [-b]",
        (2, MANY),
        &[
            Flag::switch("b", "Supply data in base64 format"),
            Flag::switch("s", "Print znode stats additionally"),
            Flag::value("v", "Set with an expected version"),
        ],
        data::set,
    ),
    ask(
        "setAcl",
        "[-s] [-v version] [-R] path acl",
        (2, MANY),
        &[
            Flag::switch("R", "recursive"),
            Flag::switch("s", "stats"),
            Flag::value("v", "version"),
        ],
        access::set_acl,
    ),
    choosing(
        Choice::ExactlyOne,
        ask(
            "setquota",
            "-n|-b|-N|-B val path",
            (1, MANY),
            &[
                Flag::value("n", "num soft quota"),
                Flag::value("b", "bytes soft quota"),
                Flag::value("N", "num hard quota"),
                Flag::value("B", "bytes hard quota"),
            ],
            quota::set,
        ),
    ),
    ask(
        "stat",
        "[-w] path",
        (1, MANY),
        &[Flag::switch("w", "watch")],
        data::stat,
    ),
    ask("sync", "path", (1, MANY), &[], listing::sync),
    ask("version", "", (0, 0), &[], config::version),
    ask("whoami", "", (0, MANY), &[], access::whoami),
];

/// The value of a numeric flag; `default` when it was not given.
fn number<T: std::str::FromStr>(args: &Args, flag: &str, default: T) -> Result<T, CliError> {
    let Some(text) = args.value(flag) else {
        return Ok(default);
    };
    let kind = match size_of::<T>() {
        4 => "an int",
        _ => "a long",
    };
    text.parse()
        .map_err(|_| CliError::failed(format!("-{flag} argument must be {kind} value")))
}

/// Whether to watch: by flag, or by the second word that zkCli once took for it.
fn watch_wanted(context: &Context<'_>, args: &Args, command: &str, advice: &str) -> bool {
    let old_form = args.words.len() > 1;
    if old_form {
        context.console.remark(&format!(
            "'{command} path [watch]' has been deprecated. Please use '{command} {advice} path' \
             instead."
        ));
    }
    old_form || args.has("w")
}

fn print_stat(context: &Context<'_>, stat: &zooid_proto::Stat) -> Result<(), CliError> {
    Ok(context
        .console
        .text(&crate::format::stat(stat, context.zone))?)
}

#[cfg(test)]
mod tests;
