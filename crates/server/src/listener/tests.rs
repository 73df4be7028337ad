use super::*;
use std::net::Ipv4Addr;

/// A port for clients, and one that has connected.
fn port_and_client(keep_alive: bool) -> (std::net::TcpListener, TcpStream) {
    let socket = bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).unwrap();
    let port = listen_for_clients(socket, None, keep_alive).unwrap();
    let client = TcpStream::connect(port.local_addr().unwrap()).unwrap();
    (port, client)
}

#[test]
fn replies_are_not_delayed_and_keep_alive_is_a_choice() {
    for keep_alive in [false, true] {
        let (port, client) = port_and_client(keep_alive);
        let (stream, remote) = accept(&port).unwrap();
        assert_eq!(remote, client.local_addr().unwrap());
        assert!(stream.nodelay().unwrap());
        assert_eq!(SockRef::from(&stream).keepalive().unwrap(), keep_alive);
    }
}

#[test]
fn a_client_s_socket_never_blocks() {
    let (port, _client) = port_and_client(false);
    let (stream, _) = accept(&port).unwrap();
    let error = std::io::Read::read(&mut &stream, &mut [0]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::WouldBlock);
}

#[test]
fn whoever_waits_for_a_client_looks_up_when_clients_are_refused() {
    let (port, _client) = port_and_client(false);
    accept(&port).unwrap();
    let address = port.local_addr().unwrap();
    thread::scope(|scope| {
        let waiting = scope.spawn(|| accept(&port));
        refuse(&port);
        assert!(waiting.join().unwrap().is_err());
    });
    assert!(TcpStream::connect(address).is_err());
}
