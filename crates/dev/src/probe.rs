//! Asking the servers how they are, on a thread for each.

use std::fs;
use std::io::{self, Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::SyncSender;
use std::thread;
use std::time::Duration;

use crate::layout::Place;
use crate::status::{Answer, Texts};
use crate::supervisor::Event;

/// The process that a probe asks, shared with whoever starts and ends it; 0 if there is none.
pub(crate) type CurrentPid = Arc<AtomicU32>;

/// Starts asking. Ends when nobody listens any more.
pub(crate) fn start(place: &Place, pid: CurrentPid, events: SyncSender<Event>) -> io::Result<()> {
    let id = place.id;
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, place.client_port));
    let current_epoch = place.current_epoch();
    let work = move || {
        loop {
            let asked = pid.load(Ordering::Relaxed);
            let answer = if asked == NOBODY {
                None
            } else {
                ask(address, &current_epoch).ok().flatten()
            };
            let is_serving = matches!(answer, Some(Answer::Serving(_)));
            let event = Event::Probed {
                id,
                pid: asked,
                answer,
            };
            if asked != NOBODY && events.send(event).is_err() {
                return;
            }
            thread::sleep(if is_serving {
                CALM_INTERVAL
            } else {
                KEEN_INTERVAL
            });
        }
    };
    thread::Builder::new()
        .name(format!("probe-{id}"))
        .spawn(work)
        .map(|_| ())
}

fn ask(address: SocketAddr, current_epoch: &Path) -> io::Result<Option<Answer>> {
    let srvr = four_letter_word(address, "srvr")?;
    let mntr = four_letter_word(address, "mntr")?;
    // A standalone server has no such file.
    let current_epoch = fs::read_to_string(current_epoch).unwrap_or_default();
    Ok(Answer::parse(Texts {
        srvr: &srvr,
        mntr: &mntr,
        current_epoch: &current_epoch,
    }))
}

fn four_letter_word(address: SocketAddr, word: &str) -> io::Result<String> {
    let mut stream = TcpStream::connect_timeout(&address, ANSWER_TIMEOUT)?;
    stream.set_read_timeout(Some(ANSWER_TIMEOUT))?;
    stream.write_all(word.as_bytes())?;
    let mut text = Vec::new();
    stream.take(ANSWER_BYTES_MAX).read_to_end(&mut text)?;
    Ok(String::from_utf8_lossy(&text).into_owned())
}

pub(crate) const NOBODY: u32 = 0;
/// While a server serves.
const CALM_INTERVAL: Duration = Duration::from_millis(500);
/// While something is about to happen.
const KEEN_INTERVAL: Duration = Duration::from_millis(100);
const ANSWER_TIMEOUT: Duration = Duration::from_secs(2);
/// Much more than any server says of itself.
const ANSWER_BYTES_MAX: u64 = 1024 * 1024;
