//! This server's place in an ensemble: what its node starts with, and its ports to the others.

use crate::clock;
use crate::core_thread::Peers;
use crate::database::Database;
use crate::membership::{ensemble_settings, membership};
use crate::quorum::{ElectionPort, LearnerPort, Links};
use crate::server::ServeError;
use crate::shared::Shared;
use std::sync::Arc;
use tokio::runtime::Handle;
use tracing::info;
use zooid_config::{Config, PeerType, ServerSpec};
use zooid_node::{Member, Node, Output, Settings};
use zooid_storage::DiskSpace;
use zooid_zab::Epochs;

/// See the module.
#[derive(Clone, Debug)]
pub(crate) struct Seat {
    own: ServerSpec,
}

impl Seat {
    /// `None` for a standalone server.
    ///
    /// # Errors
    /// [`ServeError::NoSeat`] when there is an ensemble and this server is not in it.
    pub(crate) fn of(config: &Config) -> Result<Option<Seat>, ServeError> {
        if !config.is_distributed() {
            return Ok(None);
        }
        let own = config.my_id.and_then(|id| config.servers.get(id));
        let own = own.ok_or(ServeError::NoSeat)?.clone();
        Ok(Some(Seat { own }))
    }

    /// The node, over what recovery found, and what it wants first.
    pub(crate) fn node(
        &self,
        config: &Config,
        settings: Settings,
        opened: &mut Database,
        first: &mut Vec<Output>,
    ) -> Result<Node, ServeError> {
        let epochs = opened.files.epochs.load(opened.last_zxid)?;
        info!(
            server = %self.own.id,
            accepted_epoch = epochs.accepted.0,
            current_epoch = epochs.current.0,
            zxid = %opened.last_zxid,
            "joining the ensemble"
        );
        let observes = self.own.peer_type == PeerType::Observer;
        let member = Member {
            settings: ensemble_settings(config, self.own.id),
            membership: membership(config),
            epochs: Epochs {
                accepted: epochs.accepted,
                current: epochs.current,
            },
            last: opened.last_zxid,
            recent: std::mem::take(&mut opened.recent),
            recent_max: crate::shared::size(config.storage.commit_log_count),
            persists: !observes || config.quorum.observer_sync_enabled,
            leader_serves: config.quorum.leader_serves,
            read_only_mode: config.client.read_only_mode,
            // That it cannot be asked is no reason to be reluctant.
            is_disk_low: matches!(opened.log.look_for_space(), Ok(DiskSpace::Low)),
        };
        Ok(Node::member(
            settings,
            member,
            &opened.replica,
            clock::now(),
            first,
        ))
    }

    /// Opens the election port and the quorum port, whose links are the core's.
    pub(crate) async fn open_ports(
        &self,
        shared: &Arc<Shared>,
        core: &Handle,
    ) -> Result<Peers, ServeError> {
        let port = LearnerPort::open(&shared.config, &self.own).await?;
        let links = Arc::new(Links::new(Arc::clone(shared), core.clone()));
        let election = ElectionPort::start(
            &shared.config,
            &self.own,
            shared.core.clone(),
            links.closing().child_token(),
        )
        .await
        .map_err(|error| ServeError::ElectionPort {
            reason: error.to_string(),
            exit_code: error.exit_code(),
        })?;
        port.serve(&links);
        Ok(Peers { links, election })
    }
}
