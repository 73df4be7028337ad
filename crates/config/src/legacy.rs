//! The command line without a file: `port dataDir [tickTime] [maxcnxns]` (`ServerConfig.parse`).

use crate::draft::Draft;
use crate::{ConfigError, Entry, Location};

impl Draft {
    /// Reads the positional arguments of `ZooKeeperServerMain`. Connections are unlimited unless
    /// the fourth says otherwise.
    ///
    /// # Errors
    /// Too few or too many arguments, or one that its key does not allow.
    pub fn from_arguments<S: AsRef<str>>(
        args: &[S],
        properties: &[Entry],
    ) -> Result<Draft, ConfigError> {
        if !(2..=KEYS.len()).contains(&args.len()) {
            return Err(ConfigError::Usage {
                reason: format!(
                    "expected 2 to 4 arguments without a file, not {}",
                    args.len()
                ),
                remedy: "give a configuration file, or: port dataDir [tickTime] [maxcnxns]"
                    .to_owned(),
            });
        }
        let source = Location::source("command line");
        let unlimited = Entry {
            key: MAX_CLIENT_CNXNS.to_owned(),
            value: "0".to_owned(),
            at: source.clone(),
        };
        let given = KEYS.iter().zip(args).map(|(key, arg)| Entry {
            key: (*key).to_owned(),
            value: arg.as_ref().to_owned(),
            at: source.clone(),
        });
        let mut entries: Vec<_> = given.collect();
        if entries.len() < KEYS.len() {
            entries.push(unlimited);
        }
        Draft::from_entries(&source, entries, properties)
    }
}

const MAX_CLIENT_CNXNS: &str = "maxClientCnxns";
const KEYS: [&str; 4] = ["clientPort", "dataDir", "tickTime", MAX_CLIENT_CNXNS];
