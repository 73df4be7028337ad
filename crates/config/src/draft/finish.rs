//! The second half: rules over several keys, and the files beside `zoo.cfg`
//! (`QuorumPeerConfig.parseProperties` from its loop on, `setupQuorumPeerConfig`).

use super::Draft;
use crate::my_id;
use crate::server_list::{ServerList, version_of_file_name};
use crate::warning::Warning;
use crate::{
    ClientAddress, Config, ConfigError, Entry, HostPort, Location, ServerSpec, parse_properties,
};
use std::path::{Path, PathBuf};

/// The files beside `zoo.cfg`, already read.
#[derive(Debug, Default)]
pub struct Companions {
    /// The file `dynamicConfigFile` names.
    pub dynamic: Option<NamedText>,
    /// `<zoo.cfg>.dynamic.next`; only looked at together with the one above.
    pub next: Option<NamedText>,
    /// `dataDir/myid`.
    pub my_id: Option<NamedText>,
}

/// A file's content and its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedText {
    /// Its name.
    pub path: PathBuf,
    /// Its content.
    pub bytes: Vec<u8>,
}

/// A configuration, and what there is to say about it.
#[derive(Debug, Clone, PartialEq)]
pub struct Loaded {
    /// The configuration.
    pub config: Config,
    /// Remarks for the log.
    pub warnings: Vec<Warning>,
}

impl Draft {
    /// Applies the rules that concern several keys and reads the companions.
    ///
    /// # Errors
    /// A broken rule, a malformed companion, or an ensemble this server has no number in.
    pub fn finish(mut self, companions: &Companions) -> Result<Loaded, ConfigError> {
        self.check_quorum_sasl()?;
        self.settle_enforced_authentication()?;
        self.settle_directories()?;
        self.settle_derived();
        self.settle_session_timeouts()?;
        self.settle_client_addresses()?;
        self.read_server_list(companions)?;
        self.read_my_id(companions)?;
        self.merge_client_addresses()?;
        self.register_x509()?;
        self.check_ensemble()?;
        self.advise();
        Ok(Loaded {
            config: self.config,
            warnings: self.warnings,
        })
    }

    /// [`Draft::finish`] without companions, and without listening to warnings.
    pub(crate) fn finish_alone(self) -> Result<Config, ConfigError> {
        self.finish(&Companions::default())
            .map(|loaded| loaded.config)
    }

    /// Where a key was set, or else the file that could have set it.
    fn place_of(&self, key: &str) -> Location {
        self.places.get(key).unwrap_or(&self.source).clone()
    }

    fn conflict(&self, key: &str, reason: &str, remedy: &str) -> ConfigError {
        ConfigError::conflict(&self.place_of(key), key, reason, remedy)
    }

    fn check_quorum_sasl(&self) -> Result<(), ConfigError> {
        let sasl = &self.config.sasl;
        let without_sasl = "needs quorum.auth.enableSasl=true";
        let remedy = "add that line or set this one to false";
        if sasl.quorum_server_requires && !sasl.quorum_enabled {
            return Err(self.conflict("quorum.auth.serverRequireSasl", without_sasl, remedy));
        }
        if sasl.quorum_learner_requires && !sasl.quorum_enabled {
            return Err(self.conflict("quorum.auth.learnerRequireSasl", without_sasl, remedy));
        }
        if sasl.quorum_server_requires && !sasl.quorum_learner_requires {
            let reason = "needs quorum.auth.learnerRequireSasl=true, or this server could not join";
            return Err(self.conflict("quorum.auth.serverRequireSasl", reason, remedy));
        }
        Ok(())
    }

    /// `AuthenticationHelper`: demanding a SASL login is demanding the scheme `sasl`.
    fn settle_enforced_authentication(&mut self) -> Result<(), ConfigError> {
        let auth = &mut self.config.auth;
        if auth.session_requires_sasl {
            auth.enforce_enabled = true;
            auth.enforce_schemes.insert("sasl".to_owned());
        }
        if auth.enforce_enabled && auth.enforce_schemes.is_empty() {
            let remedy = "add a line such as enforce.auth.schemes=digest,sasl";
            let reason = "true, but enforce.auth.schemes is not set";
            return Err(self.conflict("enforce.auth.enabled", reason, remedy));
        }
        Ok(())
    }

    fn settle_directories(&mut self) -> Result<(), ConfigError> {
        let Some(data_dir) = self
            .raw
            .data_dir
            .take()
            .filter(|dir| !dir.as_os_str().is_empty())
        else {
            let remedy = "add a line such as dataDir=/var/lib/zookeeper";
            return Err(self.conflict("dataDir", "not set", remedy));
        };
        let data_log_dir = self
            .raw
            .data_log_dir
            .take()
            .unwrap_or_else(|| data_dir.clone());
        self.advise_relative("dataDir", &data_dir);
        if data_log_dir != data_dir {
            self.advise_relative("dataLogDir", &data_log_dir);
        }
        self.config.data_dir = data_dir;
        self.config.data_log_dir = data_log_dir;
        Ok(())
    }

    /// `VerifyingFileFactory.warnForRelativePath`.
    fn advise_relative(&mut self, key: &str, path: &Path) {
        if path.is_relative() && !path.starts_with(".") {
            let text = "relative to the directory the server is started in; write an absolute \
                        path, or ./ in front if it is meant so";
            self.warnings
                .push(Warning::advice(&self.place_of(key), key, text));
        }
    }

    fn settle_derived(&mut self) {
        let (config, raw) = (&mut self.config, &self.raw);
        let buffer_bytes = config.client.jute_buffer_bytes_max;
        config.client.jute_extra_bytes = raw
            .jute_extra_bytes
            .unwrap_or(buffer_bytes)
            .max(JUTE_EXTRA_BYTES_MIN);
        config.storage.write_queue_poll_ms_max = raw
            .write_queue_poll_ms_max
            .unwrap_or(config.storage.flush_delay_ms / 3);
        if let Some(enabled) = raw.observer_sync_enabled {
            config.quorum.observer_sync_enabled = enabled;
        }
        config.four_letter_words.allowed.insert("srvr".to_owned());
        if config.client.read_only_mode {
            config.four_letter_words.allowed.insert("isro".to_owned());
        }
    }

    fn settle_session_timeouts(&mut self) -> Result<(), ConfigError> {
        let tick_ms = self.config.tick_time_ms;
        let min = self
            .raw
            .session_timeout_ms_min
            .unwrap_or_else(|| tick_ms.saturating_mul(2));
        let max = self
            .raw
            .session_timeout_ms_max
            .unwrap_or_else(|| tick_ms.saturating_mul(20));
        if min > max {
            let (key, other) = match self.raw.session_timeout_ms_min {
                Some(_) => ("minSessionTimeout", "maxSessionTimeout"),
                None => ("maxSessionTimeout", "minSessionTimeout"),
            };
            return Err(self.conflict(
                key,
                &format!("minSessionTimeout {min} is larger than maxSessionTimeout {max}"),
                &format!("change one of them; without a line, {other} follows from tickTime"),
            ));
        }
        self.config.session.timeout_ms_min = min;
        self.config.session.timeout_ms_max = max;
        Ok(())
    }

    fn settle_client_addresses(&mut self) -> Result<(), ConfigError> {
        let (port, host) = (self.raw.client_port, self.raw.client_port_address.take());
        self.config.client.address = self.listen_address("clientPort", port, host)?;
        let (port, host) = (
            self.raw.secure_client_port,
            self.raw.secure_client_port_address.take(),
        );
        self.config.client.secure_address = self.listen_address("secureClientPort", port, host)?;
        Ok(())
    }

    fn listen_address(
        &self,
        port_key: &str,
        port: Option<u16>,
        host: Option<String>,
    ) -> Result<Option<HostPort>, ConfigError> {
        let example = if port_key == "clientPort" {
            "2181"
        } else {
            "2281"
        };
        match (port, host) {
            (None, None) => Ok(None),
            (Some(port), None) => Ok(Some(HostPort::wildcard(port))),
            (Some(port), Some(host)) => Ok(Some(HostPort { host, port })),
            (None, Some(_)) => Err(self.conflict(
                &format!("{port_key}Address"),
                &format!("set without {port_key}"),
                &format!("add a line such as {port_key}={example} or remove this one"),
            )),
        }
    }

    fn read_server_list(&mut self, companions: &Companions) -> Result<(), ConfigError> {
        let multi_address_enabled = self.config.quorum.multi_address_enabled;
        let mut dynamic_at = None;
        if self.config.dynamic_config_file.is_some() {
            if let Some(entry) = self.list_entries.first() {
                let reason = "stands beside dynamicConfigFile, which holds the list of servers";
                let remedy = "move the line to that file or remove dynamicConfigFile";
                return Err(ConfigError::conflict(&entry.at, &entry.key, reason, remedy));
            }
            if let Some(dynamic) = &companions.dynamic {
                dynamic_at = Some(Location::source(&dynamic.path.display().to_string()));
                self.config.servers = read_dynamic_file(dynamic, multi_address_enabled)?;
            }
            if let Some(next) = &companions.next {
                let entries = dynamic_entries(next)?;
                let list = ServerList::from_strict_entries(&entries, multi_address_enabled)?;
                self.config.last_seen_servers = Some(list);
            }
        } else {
            let entries = std::mem::take(&mut self.list_entries);
            self.config.servers = ServerList::from_entries(&entries, multi_address_enabled)?;
        }
        self.check_counts(dynamic_at)
    }

    /// The rules on the number of servers in `QuorumPeerConfig.parseDynamicConfig`.
    fn check_counts(&self, dynamic_at: Option<Location>) -> Result<(), ConfigError> {
        let (list, standalone_enabled) = (&self.config.servers, self.config.standalone_enabled);
        let voters_count = list.voters().count();
        if let Some(observer) = list.observers().next() {
            let has_ensemble = voters_count > 1 || (voters_count == 1 && !standalone_enabled);
            if has_ensemble {
                return Ok(());
            }
            let key = format!("server.{observer}");
            let reason = "an observer needs an ensemble to observe";
            let remedy = "list at least two participants, or one and standaloneEnabled=false";
            let at = dynamic_at.unwrap_or_else(|| self.place_of(&key));
            return Err(ConfigError::conflict(&at, &key, reason, remedy));
        }
        if voters_count == 0 && !standalone_enabled {
            let reason = "false, but no participant is listed";
            let remedy = "add server.N=host:2888:3888 lines or remove standaloneEnabled=false";
            return Err(self.conflict("standaloneEnabled", reason, remedy));
        }
        Ok(())
    }

    fn read_my_id(&mut self, companions: &Companions) -> Result<(), ConfigError> {
        if let Some(text) = &companions.my_id {
            self.config.my_id = Some(my_id::parse_my_id(text)?);
        }
        Ok(())
    }

    /// `setupClientPort`, `setupSecureClientPort`: the address in this server's own spec and the one
    /// in `zoo.cfg` must agree; if only one is there, it serves as both.
    fn merge_client_addresses(&mut self) -> Result<(), ConfigError> {
        let client = self.config.client.address.clone();
        self.config.client.address = self.merged("clientPort", client, |s| &mut s.client)?;
        let secure = self.config.client.secure_address.clone();
        self.config.client.secure_address =
            self.merged("secureClientPort", secure, |s| &mut s.secure_client)?;
        Ok(())
    }

    fn merged(
        &mut self,
        key: &str,
        from_static: Option<HostPort>,
        field: fn(&mut ServerSpec) -> &mut Option<ClientAddress>,
    ) -> Result<Option<HostPort>, ConfigError> {
        let at = self.place_of(key);
        let own = self
            .config
            .my_id
            .and_then(|id| self.config.servers.get_mut(id));
        let Some(own) = own else {
            return Ok(from_static);
        };
        let id = own.id;
        let in_spec = field(own);
        match (from_static, in_spec) {
            (Some(address), in_spec @ None) => {
                *in_spec = Some(ClientAddress {
                    address: address.clone(),
                    is_from_static: true,
                });
                Ok(Some(address))
            }
            (Some(address), Some(spec)) if !agree(&address, &spec.address) => {
                let reason = format!(
                    "{address} is not the address {} of server.{id}",
                    spec.address
                );
                let remedy = format!("remove {key} here, or the address behind the ';' there");
                Err(ConfigError::conflict(&at, key, &reason, &remedy))
            }
            (_, in_spec) => Ok(in_spec.as_ref().map(|spec| spec.address.clone())),
        }
    }

    /// `configureSSLAuth`: a secure port brings the x509 scheme with it.
    fn register_x509(&mut self) -> Result<(), ConfigError> {
        let auth = &mut self.config.auth;
        let scheme = &self.config.tls.auth_provider;
        if self.config.client.secure_address.is_none() || auth.providers.contains_key(scheme) {
            return Ok(());
        }
        if scheme != X509_SCHEME {
            let reason = format!("no authProvider.{scheme} is configured");
            let remedy = "add one, or remove ssl.authProvider to use x509";
            return Err(self.conflict("ssl.authProvider", &reason, remedy));
        }
        auth.providers
            .insert(X509_SCHEME.to_owned(), X509_CLASS.to_owned());
        let name = format!("zookeeper.authProvider.{X509_SCHEME}");
        self.config.properties.insert(name, X509_CLASS.to_owned());
        Ok(())
    }

    /// `checkValidity`, and the check of `QuorumPeer.start` that this server is listed.
    fn check_ensemble(&self) -> Result<(), ConfigError> {
        if !self.config.is_distributed() {
            return Ok(());
        }
        let required = "required in an ensemble, and not set";
        if self.config.quorum.init_limit_ticks == 0 {
            return Err(self.conflict("initLimit", required, "add a line such as initLimit=10"));
        }
        if self.config.quorum.sync_limit_ticks == 0 {
            return Err(self.conflict("syncLimit", required, "add a line such as syncLimit=5"));
        }
        my_id::check_my_id(&self.config)
    }

    fn advise(&mut self) {
        let client = &self.config.client;
        if client.address.is_none() && client.secure_address.is_none() {
            let text = "not set, so no client can connect; add a line such as clientPort=2181";
            self.warnings
                .push(Warning::advice(&self.source, "clientPort", text));
        }
        let by_list = self.config.peer_type();
        if self
            .raw
            .peer_type
            .is_some_and(|peer_type| peer_type != by_list)
        {
            let text = format!("the list of servers says {by_list}, which is used");
            let at = self.place_of("peerType");
            self.warnings.push(Warning::advice(&at, "peerType", text));
        }
        if self.config.is_distributed() {
            self.advise_on_voters();
        }
    }

    fn advise_on_voters(&mut self) {
        let text = match self.config.voters().count() {
            0..=2 => "no failure of a participant will be tolerated; that takes three of them",
            odd if odd % 2 == 1 => return,
            _ => "an even number of participants tolerates no more failures than one fewer",
        };
        self.warnings
            .push(Warning::advice(&self.source, "server", text));
    }
}

/// Java compares resolved addresses. Names are not resolved here, so a name passes for any address.
fn agree(from_static: &HostPort, in_spec: &HostPort) -> bool {
    let same_host = match (from_static.ip(), in_spec.ip()) {
        (Some(a), Some(b)) => a == b,
        _ => true,
    };
    from_static.port == in_spec.port && (from_static.is_wildcard() || same_host)
}

fn read_dynamic_file(
    file: &NamedText,
    multi_address_enabled: bool,
) -> Result<ServerList, ConfigError> {
    let entries = dynamic_entries(file)?;
    if let Some(entry) = entries.iter().find(|entry| entry.key == "version") {
        return Err(ConfigError::conflict(
            &entry.at,
            &entry.key,
            "a dynamic configuration file has its version in its name",
            "remove the line, and name the file <zoo.cfg>.dynamic.<version>",
        ));
    }
    let mut list = ServerList::from_strict_entries(&entries, multi_address_enabled)?;
    // Java looks behind the last dot of the whole path.
    list.version = version_of_file_name(&file.path.to_string_lossy());
    Ok(list)
}

fn dynamic_entries(file: &NamedText) -> Result<Vec<Entry>, ConfigError> {
    parse_properties(
        &Location::source(&file.path.display().to_string()),
        &file.bytes,
    )
}

const JUTE_EXTRA_BYTES_MIN: u32 = 1024;
const X509_SCHEME: &str = "x509";
const X509_CLASS: &str = "org.apache.zookeeper.server.auth.X509AuthenticationProvider";
