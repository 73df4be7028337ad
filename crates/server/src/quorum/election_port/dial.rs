//! Reaching another server's election port.

use super::connection::{configure, serve_dialed};
use super::exchange::{Event, Shared};
use std::io;
use std::sync::Arc;
use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;
use tracing::debug;
use zooid_proto::ServerId;
use zooid_proto::election::ElectionAddress;
use zooid_zab::MeshInput;

/// Tries one address after the other, and serves the first connection.
pub(super) async fn dial(shared: Arc<Shared>, to: ServerId, addresses: Vec<ElectionAddress>) {
    for address in addresses {
        match reach(&shared, &address).await {
            Ok(stream) => return serve_dialed(shared, stream, to).await,
            Err(error) => debug!(server = %to, %address, %error, "cannot reach its election port"),
        }
    }
    shared.tell(Event::Mesh(MeshInput::DialFailed(to))).await;
}

/// Connects and says who this server is, in one write: Java reads no more than once for it.
async fn reach(shared: &Shared, address: &ElectionAddress) -> io::Result<TcpStream> {
    let options = &shared.options;
    // The name is resolved each time: it may have come to mean another machine.
    let connect = async {
        let found = lookup_host((address.host.as_str(), address.port)).await?;
        TcpStream::connect(&found.collect::<Vec<_>>()[..]).await
    };
    let mut stream = timeout(options.connect_timeout, connect).await??;
    configure(&stream, options.keep_alive)?;
    timeout(
        options.handshake_timeout,
        stream.write_all(&options.introduction),
    )
    .await??;
    Ok(stream)
}
