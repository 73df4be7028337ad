use super::*;
use socket2::SockRef;
use std::net::Ipv4Addr;

/// The server's side of a new connection.
async fn accepted() -> (TcpStream, TcpStream) {
    let socket = bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).unwrap();
    let listener = listen(socket, None).unwrap();
    let client = TcpStream::connect(listener.local_addr().unwrap());
    let (client, accepted) = tokio::join!(client, listener.accept());
    (client.unwrap(), accepted.unwrap().0)
}

#[tokio::test]
async fn replies_are_not_delayed_and_keep_alive_is_a_choice() {
    for keep_alive in [false, true] {
        let (_client, stream) = accepted().await;
        configure(&stream, keep_alive).unwrap();
        assert!(stream.nodelay().unwrap());
        assert_eq!(SockRef::from(&stream).keepalive().unwrap(), keep_alive);
    }
}
