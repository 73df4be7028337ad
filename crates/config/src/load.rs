//! All contact with the outside: the environment, and the files a configuration is made of.

use crate::container::{self, Environment};
use crate::draft::{Companions, Draft, Loaded, NamedText};
use crate::my_id::my_id_path;
use crate::{Config, ConfigError, Entry, Location, parse_jvm_flags};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// What the server was started with.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// What stands on the command line beside flags.
    pub invocation: Invocation,
    /// `-D` flags of the command line; they win over those in variables.
    pub properties: Vec<Entry>,
    /// The environment, see [`process_environment`].
    pub environment: Environment,
}

/// What stands on the command line beside flags.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Invocation {
    /// Nothing.
    #[default]
    Bare,
    /// A configuration file.
    File(PathBuf),
    /// `port dataDir [tickTime] [maxcnxns]`.
    Arguments(Vec<String>),
}

/// Where the configuration came from, for the line that says so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Provenance {
    /// This file.
    File(PathBuf),
    /// The command line's arguments.
    Arguments,
    /// The `ZOO_*` variables of the container image.
    Container {
        /// The `myid` the image would have created: its place and its content.
        my_id_to_create: Option<(PathBuf, String)>,
    },
    /// Nowhere: the built-in default.
    Embedded,
}

/// The environment of this process; what is not UTF-8 is replaced.
#[must_use]
pub fn process_environment() -> Environment {
    let lossy = |text: std::ffi::OsString| text.to_string_lossy().into_owned();
    std::env::vars_os()
        .map(|(name, value)| (lossy(name), lossy(value)))
        .collect()
}

/// Finds, reads and settles the configuration. Without a file on the command line that is, in order:
/// `$ZOOCFGDIR/$ZOOCFG` or `$ZOO_CONF_DIR/zoo.cfg` if there is such a file, the container image's
/// variables if any is set, the built-in default.
///
/// # Errors
/// Whatever is wrong with it.
pub fn load(request: &Request) -> Result<(Loaded, Provenance), ConfigError> {
    let environment = &request.environment;
    let mut properties = environment_properties(environment)?;
    properties.extend(request.properties.iter().cloned());
    match &request.invocation {
        Invocation::File(path) => load_file(path, &properties),
        Invocation::Arguments(args) => {
            let draft = Draft::from_arguments(args, &properties)?;
            Ok((finish(draft, None)?, Provenance::Arguments))
        }
        Invocation::Bare => {
            if let Some(path) = file_of_environment(environment) {
                load_file(&path, &properties)
            } else if container::is_configured(environment) {
                load_container(environment, &properties)
            } else {
                let draft = Draft::embedded(&properties)?;
                Ok((finish(draft, None)?, Provenance::Embedded))
            }
        }
    }
}

/// `-D` flags in the environment, the later winning: what `zkServer.sh` makes of its variables.
fn environment_properties(environment: &Environment) -> Result<Vec<Entry>, ConfigError> {
    let mut properties = Vec::new();
    if environment
        .get(AUTOCREATE_DISABLE)
        .is_some_and(|value| !value.is_empty())
    {
        properties.push(Entry {
            key: "zookeeper.datadir.autocreate".to_owned(),
            value: "false".to_owned(),
            at: Location::source(AUTOCREATE_DISABLE),
        });
    }
    for variable in ["SERVER_JVMFLAGS", "JVMFLAGS"] {
        if let Some(value) = environment.get(variable) {
            properties.extend(parse_jvm_flags(variable, value)?);
        }
    }
    Ok(properties)
}

fn file_of_environment(environment: &Environment) -> Option<PathBuf> {
    let value_of = |name: &str| environment.get(name).filter(|value| !value.is_empty());
    let name = value_of("ZOOCFG").map_or("zoo.cfg", String::as_str);
    let by_script = value_of("ZOOCFGDIR").map(|dir| Path::new(dir).join(name));
    let by_image = value_of("ZOO_CONF_DIR").map(|dir| Path::new(dir).join("zoo.cfg"));
    by_script
        .into_iter()
        .chain(by_image)
        .find(|path| path.is_file())
}

fn load_file(path: &Path, properties: &[Entry]) -> Result<(Loaded, Provenance), ConfigError> {
    let remedy = "name an existing file, or none for a standalone server on the built-in default";
    let bytes = read(path, "configuration file", remedy)?;
    let mut draft = Draft::parse(
        &Location::source(&path.display().to_string()),
        &bytes,
        properties,
    )?;
    draft.config.config_file = Some(path.to_owned());
    Ok((finish(draft, None)?, Provenance::File(path.to_owned())))
}

fn load_container(
    environment: &Environment,
    properties: &[Entry],
) -> Result<(Loaded, Provenance), ConfigError> {
    let source = Location::source("ZOO_* variables");
    let draft = Draft::from_entries(&source, container::entries(environment)?, properties)?;
    let number = container::my_id(environment);
    let to_create = draft
        .data_dir()
        .map(my_id_path)
        .filter(|path| !path.exists());
    let my_id_to_create = to_create.map(|path| (path, format!("{number}\n")));
    let loaded = finish(draft, Some(number))?;
    Ok((loaded, Provenance::Container { my_id_to_create }))
}

/// Reads the files the draft points to. `my_id` stands in for a missing `myid`.
fn finish(draft: Draft, my_id: Option<&str>) -> Result<Loaded, ConfigError> {
    let mut companions = Companions::default();
    if let Some(path) = draft.dynamic_config_file() {
        let remedy = "restore the file or correct dynamicConfigFile";
        let bytes = read(path, "dynamic configuration file", remedy)?;
        companions.dynamic = Some(NamedText {
            path: path.to_owned(),
            bytes,
        });
        if let Some(config_file) = &draft.config.config_file {
            let next = with_suffix(config_file, ".dynamic.next");
            let remedy = "make it readable, or remove it to forget a change that was not finished";
            companions.next = read_if_there(&next, "next dynamic configuration file", remedy)?;
        }
    }
    if let Some(path) = draft.data_dir().map(my_id_path) {
        let remedy = "make it readable by this user";
        companions.my_id = read_if_there(&path, "file", remedy)?;
        if let (None, Some(number)) = (&companions.my_id, my_id) {
            companions.my_id = Some(NamedText {
                path,
                bytes: number.as_bytes().to_vec(),
            });
        }
    }
    draft.finish(&companions)
}

/// Checks the directories as far as can be done without touching them: `FileTxnSnapLog` refuses a
/// missing one when it may not create it.
///
/// # Errors
/// [`ConfigError::DataDir`], whose exit code is its own.
pub fn check_data_dirs(config: &Config) -> Result<(), ConfigError> {
    for path in [&config.data_dir, &config.data_log_dir] {
        let error = |reason: &str, remedy: &str| {
            let (reason, remedy) = (reason.to_owned(), remedy.to_owned());
            Err(ConfigError::DataDir {
                path: path.clone(),
                reason,
                remedy,
            })
        };
        if path.exists() && !path.is_dir() {
            return error("not a directory", "correct dataDir or dataLogDir");
        }
        if !path.exists() && !config.storage.data_dir_auto_create {
            let remedy = "create it, or remove datadir.autocreate=false";
            return error(
                "missing data directory, and datadir.autocreate is false",
                remedy,
            );
        }
    }
    Ok(())
}

fn read(path: &Path, what: &'static str, remedy: &str) -> Result<Vec<u8>, ConfigError> {
    std::fs::read(path).map_err(|e| unreadable(path, what, &e, remedy))
}

fn read_if_there(
    path: &Path,
    what: &'static str,
    remedy: &str,
) -> Result<Option<NamedText>, ConfigError> {
    match std::fs::read(path) {
        Ok(bytes) => Ok(Some(NamedText {
            path: path.to_owned(),
            bytes,
        })),
        Err(e) if matches!(e.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => Ok(None),
        Err(e) => Err(unreadable(path, what, &e, remedy)),
    }
}

fn unreadable(path: &Path, what: &'static str, e: &std::io::Error, remedy: &str) -> ConfigError {
    ConfigError::Unreadable {
        what,
        path: path.to_owned(),
        reason: e.to_string(),
        remedy: remedy.to_owned(),
    }
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

const AUTOCREATE_DISABLE: &str = "ZOO_DATADIR_AUTOCREATE_DISABLE";

#[cfg(test)]
mod tests;
