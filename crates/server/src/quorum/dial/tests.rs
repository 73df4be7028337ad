use super::{Patience, connect};
use std::time::Duration;
use tokio::net::TcpListener;
use zooid_config::HostPort;

const PATIENCE: Patience = Patience {
    limit: Duration::from_secs(30),
    pause: Duration::from_millis(1),
};

fn address(host: &str, port: u16) -> HostPort {
    HostPort {
        host: host.to_owned(),
        port,
    }
}

/// A port of the loopback address on which nobody listens.
async fn deserted_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    listener.local_addr().unwrap().port()
}

#[tokio::test]
async fn whichever_address_answers_will_do() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let addresses = [
        address("127.0.0.1", deserted_port().await),
        address("no-such-host.invalid", 1),
        address("127.0.0.1", port),
    ];
    let (connected, accepted) = tokio::join!(connect(&addresses, PATIENCE), listener.accept());
    let (_, remote) = accepted.unwrap();
    assert_eq!(connected.unwrap().local_addr().unwrap(), remote);
}

#[tokio::test]
async fn a_server_that_is_not_there_is_given_up() {
    let addresses = [address("127.0.0.1", deserted_port().await)];
    let refused = connect(&addresses, PATIENCE).await.unwrap_err();
    assert_eq!(refused.kind(), std::io::ErrorKind::ConnectionRefused);
    assert!(connect(&[], PATIENCE).await.is_err());
}
