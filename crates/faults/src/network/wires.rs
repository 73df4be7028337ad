//! The wires between members: proxies that take on both ends' addresses, and can make bytes wait.

use super::member_at;
use anyhow::{Context, Result};
use socket2::{Domain, Socket, Type};
use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread;
use std::time::{Duration, Instant};

/// All wires.
#[derive(Clone, Debug)]
pub struct Wires {
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    /// By who sends and who receives.
    weather: Mutex<BTreeMap<(i64, i64), Weather>>,
    changed: Condvar,
    connections: AtomicUsize,
}

#[derive(Clone, Copy, Debug)]
enum Weather {
    Delayed(Duration),
    Stalled,
}

impl Wires {
    pub(super) fn start(ports: &[u16]) -> Result<Wires> {
        let wires = Wires {
            shared: Arc::default(),
        };
        for port in ports {
            let listener = listen(*port).with_context(|| format!("listen on {port}"))?;
            let wires = wires.clone();
            thread::spawn(move || {
                while let Ok((socket, peer)) = listener.accept() {
                    wires.take_up(socket.into(), peer.as_socket());
                }
            });
        }
        Ok(wires)
    }

    /// Has what one member sends to another arrive later.
    pub fn delay(&self, from: i64, to: i64, by: Duration) {
        self.weather().insert((from, to), Weather::Delayed(by));
    }

    /// Has what one member sends to another arrive not at all, until [`Wires::calm`]. The connections stay.
    pub fn stall(&self, from: i64, to: i64) {
        self.weather().insert((from, to), Weather::Stalled);
    }

    /// Everything goes through at once.
    pub fn calm(&self) {
        self.weather().clear();
        self.shared.changed.notify_all();
    }

    fn weather(&self) -> MutexGuard<'_, BTreeMap<(i64, i64), Weather>> {
        self.shared.weather.lock().expect("no panic with the lock")
    }

    /// Returns when bytes that have come in now may go out.
    fn wait(&self, link: (i64, i64)) {
        let mut weather = self.weather();
        loop {
            match weather.get(&link).copied() {
                None => return,
                Some(Weather::Delayed(by)) => {
                    drop(weather);
                    thread::sleep(by);
                    return;
                }
                Some(Weather::Stalled) => {
                    let waited = self.shared.changed.wait(weather);
                    weather = waited.expect("no panic with the lock");
                }
            }
        }
    }

    /// A member has connected to another: the wire does so in its name.
    fn take_up(&self, near: TcpStream, peer: Option<SocketAddr>) {
        if self.shared.connections.load(Ordering::Relaxed) >= CONNECTIONS_MAX {
            return;
        }
        self.shared.connections.fetch_add(1, Ordering::Relaxed);
        let wires = self.clone();
        thread::spawn(move || {
            if let Some(peer) = peer {
                // What cannot be connected is closed, as by a host whose server is down.
                let _ = wires.carry(&near, peer);
            }
            wires.shared.connections.fetch_sub(1, Ordering::Relaxed);
        });
    }

    fn carry(&self, near: &TcpStream, peer: SocketAddr) -> Result<()> {
        // Transparent: our end of it has the address that the member meant.
        let meant = near.local_addr()?;
        let far = connect_patiently(peer, meant)?;
        let from = member_at(peer.ip()).context("from a member")?;
        let to = member_at(meant.ip()).context("to a member")?;
        near.set_nodelay(true)?;
        far.set_nodelay(true)?;
        thread::scope(|scope| {
            scope.spawn(|| self.pump(near, &far, (from, to)));
            self.pump(&far, near, (to, from));
        });
        Ok(())
    }

    fn pump(&self, mut source: &TcpStream, mut sink: &TcpStream, link: (i64, i64)) {
        let mut buffer = vec![0; BUFFER_BYTES];
        while let Ok(count) = source.read(&mut buffer) {
            self.wait(link);
            if count == 0 {
                let _ = sink.shutdown(Shutdown::Write);
                return;
            }
            if sink.write_all(&buffer[..count]).is_err() {
                break;
            }
        }
        let _ = source.shutdown(Shutdown::Both);
        let _ = sink.shutdown(Shutdown::Both);
    }
}

/// Takes connections to any address.
fn listen(port: u16) -> Result<Socket> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    socket.set_ip_transparent_v4(true)?;
    socket.set_reuse_address(true)?;
    socket.bind(&SocketAddr::from((Ipv4Addr::UNSPECIFIED, port)).into())?;
    socket.listen(BACKLOG)?;
    Ok(socket)
}

/// As a server does that is to follow another which does not listen yet: the wire has taken its
/// connection, so that the wire has to try again in its place.
fn connect_patiently(from: SocketAddr, to: SocketAddr) -> Result<TcpStream> {
    let started = Instant::now();
    loop {
        match connect(from, to) {
            Err(_) if started.elapsed() < LISTEN_PATIENCE => thread::sleep(RETRY_PAUSE),
            done => return done,
        }
    }
}

/// Connects from another's address.
fn connect(from: SocketAddr, to: SocketAddr) -> Result<TcpStream> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    socket.set_ip_transparent_v4(true)?;
    socket.bind(&SocketAddr::from((from.ip(), 0)).into())?;
    socket.connect_timeout(&to.into(), CONNECT_TIMEOUT)?;
    Ok(socket.into())
}

/// More than members ever have open, with those that a cut has left behind.
const CONNECTIONS_MAX: usize = 2_000;
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Less than a member waits for the first word of another.
const LISTEN_PATIENCE: Duration = Duration::from_secs(1);
const RETRY_PAUSE: Duration = Duration::from_millis(20);
const BUFFER_BYTES: usize = 64 * 1024;
const BACKLOG: i32 = 128;
