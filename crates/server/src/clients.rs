//! All connected clients, and who may connect.

use crate::client::Client;
use crate::workers::Desk;
use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use zooid_node::ConnId;

/// See the module.
#[derive(Debug)]
pub(crate) struct Clients {
    /// `maxClientCnxns`; 0: no limit.
    max_per_ip: usize,
    /// `maxCnxns`; 0: no limit.
    max_total: usize,
    inner: Mutex<Inner>,
}

#[derive(Debug)]
struct Inner {
    next_id: u64,
    by_id: BTreeMap<ConnId, Arc<Client>>,
    per_ip: BTreeMap<IpAddr, usize>,
}

/// Why a connection is not taken.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Rejected {
    /// `maxClientCnxns`
    #[error("too many connections from {ip} - max is {max} (maxClientCnxns)")]
    PerIp {
        /// From where.
        ip: IpAddr,
        /// The limit.
        max: usize,
    },
    /// `maxCnxns`
    #[error("too many connections - max is {max} (maxCnxns)")]
    Total {
        /// The limit.
        max: usize,
    },
}

impl Clients {
    pub(crate) fn new(max_per_ip: usize, max_total: usize) -> Clients {
        let inner = Inner {
            next_id: 1,
            by_id: BTreeMap::new(),
            per_ip: BTreeMap::new(),
        };
        Clients {
            max_per_ip,
            max_total,
            inner: Mutex::new(inner),
        }
    }

    /// Takes a connection in, which a thread is to serve.
    ///
    /// # Errors
    /// [`Rejected`] when a limit is reached.
    pub(crate) fn add(
        &self,
        remote: SocketAddr,
        desk: &Arc<Desk>,
    ) -> Result<Arc<Client>, Rejected> {
        let mut inner = self.inner.lock();
        if self.max_total > 0 && inner.by_id.len() >= self.max_total {
            return Err(Rejected::Total {
                max: self.max_total,
            });
        }
        let ip = remote.ip();
        let from_ip = inner.per_ip.entry(ip).or_insert(0);
        if self.max_per_ip > 0 && *from_ip >= self.max_per_ip {
            return Err(Rejected::PerIp {
                ip,
                max: self.max_per_ip,
            });
        }
        *from_ip += 1;
        let id = ConnId(inner.next_id);
        inner.next_id += 1;
        let client = Arc::new(Client::new(id, remote, Arc::clone(desk)));
        inner.by_id.insert(id, Arc::clone(&client));
        Ok(client)
    }

    pub(crate) fn remove(&self, client: &Client) {
        let mut inner = self.inner.lock();
        if inner.by_id.remove(&client.id).is_none() {
            return;
        }
        if let Some(count) = inner.per_ip.get_mut(&client.remote.ip()) {
            *count -= 1;
            if *count == 0 {
                inner.per_ip.remove(&client.remote.ip());
            }
        }
    }

    pub(crate) fn get(&self, id: ConnId) -> Option<Arc<Client>> {
        self.inner.lock().by_id.get(&id).cloned()
    }

    /// All of them, in the order of their connecting.
    pub(crate) fn all(&self) -> Vec<Arc<Client>> {
        self.inner.lock().by_id.values().cloned().collect()
    }

    pub(crate) fn len(&self) -> usize {
        self.inner.lock().by_id.len()
    }
}

#[cfg(test)]
mod tests;
