//! Four-letter words: what an operator asks with `nc` (spec §8.1; Java `server.command`).
//!
//! A word is the first four bytes of a connection, where a client would send a length; the answer
//! is text, and the connection closes. Each kind of answer is a value taken from the server and a
//! function that writes it, so that other surfaces can show the same values in another form.

mod connections;
mod directories;
mod dump;
mod environment;
pub(crate) mod java_text;
mod server;
mod watches;

use crate::client::Client;
use crate::metrics::{self, Readings};
use crate::shared::Shared;
use crate::version::FULL_VERSION;
use connections::ConnectionReport;
use directories::DirectorySizes;
use dump::Dump;
use environment::Environment;
use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use tracing::debug;
use zooid_node::{PeerPhase, PeerStatus};
use zooid_proto::election::PeerState;

/// A known word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Word {
    Conf,
    Cons,
    Crst,
    Dirs,
    Dump,
    Envi,
    Gtmk,
    Hash,
    Isro,
    Mntr,
    Ruok,
    Srst,
    Srvr,
    Stat,
    Stmk,
    Wchc,
    Wchp,
    Wchs,
    /// What telnet sends when it is interrupted: no word, but no client either.
    TelnetClose,
}

/// Bytes of a word.
pub(crate) const WORD_BYTES: usize = 4;
/// Bytes of the mask that follows `stmk`.
const MASK_BYTES: usize = 8;
const NOT_SERVING: &str = "This ZooKeeper instance is not currently serving requests";

impl Word {
    pub(crate) fn from_bytes(bytes: [u8; WORD_BYTES]) -> Option<Word> {
        Some(match &bytes {
            b"conf" => Word::Conf,
            b"cons" => Word::Cons,
            b"crst" => Word::Crst,
            b"dirs" => Word::Dirs,
            b"dump" => Word::Dump,
            b"envi" => Word::Envi,
            b"gtmk" => Word::Gtmk,
            b"hash" => Word::Hash,
            b"isro" => Word::Isro,
            b"mntr" => Word::Mntr,
            b"ruok" => Word::Ruok,
            b"srst" => Word::Srst,
            b"srvr" => Word::Srvr,
            b"stat" => Word::Stat,
            b"stmk" => Word::Stmk,
            b"wchc" => Word::Wchc,
            b"wchp" => Word::Wchp,
            b"wchs" => Word::Wchs,
            b"\xff\xf4\xff\xfd" => Word::TelnetClose,
            _ => return None,
        })
    }

    /// As the whitelist has it.
    fn name(self) -> &'static str {
        match self {
            Word::Conf => "conf",
            Word::Cons => "cons",
            Word::Crst => "crst",
            Word::Dirs => "dirs",
            Word::Dump => "dump",
            Word::Envi => "envi",
            Word::Gtmk => "gtmk",
            Word::Hash => "hash",
            Word::Isro => "isro",
            Word::Mntr => "mntr",
            Word::Ruok => "ruok",
            Word::Srst => "srst",
            Word::Srvr => "srvr",
            Word::Stat => "stat",
            Word::Stmk => "stmk",
            Word::Wchc => "wchc",
            Word::Wchp => "wchp",
            Word::Wchs => "wchs",
            Word::TelnetClose => "telnet close",
        }
    }

    /// How many bytes must have arrived before the word can be answered, its own included.
    pub(crate) fn request_bytes(self) -> usize {
        match self {
            Word::Stmk => WORD_BYTES + MASK_BYTES,
            _ => WORD_BYTES,
        }
    }

    /// Whether the word is about the process alone, so that a server that serves nothing answers.
    fn is_always_answered(self) -> bool {
        matches!(
            self,
            Word::Ruok | Word::Envi | Word::Gtmk | Word::Stmk | Word::TelnetClose
        )
    }
}

/// Who asks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asker<'a> {
    pub(crate) client: &'a Client,
    /// Where it has connected to.
    pub(crate) local_port: u16,
}

/// The text that answers a word. `request` is what was received: [`Word::request_bytes`] or more.
pub(crate) async fn answer(
    shared: &Arc<Shared>,
    asker: Asker<'_>,
    word: Word,
    request: &[u8],
) -> String {
    debug!(word = word.name(), remote = %asker.client.remote, "answering a four-letter word");
    shared.stats.word_received();
    let answer = if !shared.config.four_letter_words.allows(word.name()) {
        format!(
            "{} is not executed because it is not in the whitelist.\n",
            word.name()
        )
    } else if !shared.answers_words() && !word.is_always_answered() {
        not_serving(word)
    } else {
        allowed_answer(shared, asker, word, request).await
    };
    if !answer.is_empty() {
        shared.stats.word_answered();
    }
    answer
}

fn not_serving(word: Word) -> String {
    match word {
        Word::Isro => "null".to_owned(),
        Word::Hash => NOT_SERVING.to_owned(),
        _ => format!("{NOT_SERVING}\n"),
    }
}

async fn allowed_answer(
    shared: &Arc<Shared>,
    asker: Asker<'_>,
    word: Word,
    request: &[u8],
) -> String {
    match word {
        Word::Conf => conf(shared, asker).await,
        Word::Cons => connections::full_text(&connection_reports(shared, asker)),
        Word::Crst => {
            for client in shared.clients.all() {
                client.conn.lock().reset_stats();
            }
            "Connection stats reset.\n".to_owned()
        }
        Word::Dirs => DirectorySizes::take(&shared.files).await.text(),
        Word::Dump => match Dump::take(shared).await {
            Some(dump) => dump.text(),
            // The core is gone, so the server is going.
            None => not_serving(word),
        },
        Word::Envi => Environment::take().text(),
        Word::Gtmk => shared.stats.trace_mask.load(Ordering::Relaxed).to_string(),
        Word::Hash => hash(shared),
        Word::Isro | Word::Mntr | Word::Srvr | Word::Stat => {
            let Some(readings) = Readings::take(shared).await else {
                // The core is gone, so the server is going.
                return not_serving(word);
            };
            about_server(shared, asker, word, &readings)
        }
        Word::Ruok => "imok".to_owned(),
        Word::Srst => {
            shared.stats.reset();
            "Server stats reset.\n".to_owned()
        }
        Word::Stmk => set_trace_mask(shared, request),
        Word::Wchc => watches::by_session_text(&watches::by_session(shared)),
        Word::Wchp => watches::by_path_text(&watches::by_path(shared)),
        Word::Wchs => watches::summary_text(&shared.replica.read().watch_summary()),
        Word::TelnetClose => String::new(),
    }
}

fn about_server(shared: &Shared, asker: Asker<'_>, word: Word, readings: &Readings<'_>) -> String {
    match word {
        Word::Isro if readings.server_state() == "read-only" => "ro".to_owned(),
        Word::Isro => "rw".to_owned(),
        Word::Mntr => mntr(readings),
        Word::Stat => {
            let clients = connection_reports(shared, asker);
            server::text(FULL_VERSION, Some(&clients), readings)
        }
        _ => server::text(FULL_VERSION, None, readings),
    }
}

fn connection_reports(shared: &Shared, asker: Asker<'_>) -> Vec<ConnectionReport> {
    let clients = shared.clients.all();
    clients
        .iter()
        .map(|client| ConnectionReport::of(client, asker.client.id))
        .collect()
}

async fn conf(shared: &Shared, asker: Asker<'_>) -> String {
    let configured = shared
        .config
        .client
        .address
        .as_ref()
        .map(|address| address.port);
    let bound = configured.map(|port| if port == 0 { asker.local_port } else { port });
    let sizes = DirectorySizes::take(&shared.files).await;
    shared
        .config
        .conf_text(bound, sizes.snapshots.report(), sizes.logs.report())
}

fn hash(shared: &Shared) -> String {
    let replica = shared.replica.read();
    hash_text(replica.digest_log().map(|(zxid, _, digest)| (zxid, digest)))
}

fn hash_text(digests: impl Iterator<Item = (zooid_proto::Zxid, i64)>) -> String {
    digests.fold(String::new(), |mut text, (zxid, digest)| {
        let _ = writeln!(text, "{zxid:x}: {digest}");
        text
    })
}

/// Java keeps the mask in a static of `ZooTrace`; here it selects nothing.
fn set_trace_mask(shared: &Shared, request: &[u8]) -> String {
    let mask = request
        .get(WORD_BYTES..)
        .and_then(|argument| argument.first_chunk::<MASK_BYTES>());
    let Some(mask) = mask else {
        return String::new();
    };
    let mask = i64::from_be_bytes(*mask);
    shared.stats.trace_mask.store(mask, Ordering::Relaxed);
    mask.to_string()
}

/// Java `MonitorCommand`.
fn mntr(readings: &Readings<'_>) -> String {
    let mut text = format!("zk_version\t{FULL_VERSION}\n");
    let _ = writeln!(text, "zk_server_state\t{}", readings.server_state());
    if let Some(member) = &readings.member {
        let _ = writeln!(text, "zk_peer_state\t{}", peer_state(&member.status));
    }
    metrics::visit(readings, &mut |name, value| {
        let _ = writeln!(text, "zk_{name}\t{value}");
    });
    text
}

/// Java `QuorumPeer.getDetailedState`.
fn peer_state(status: &PeerStatus) -> String {
    let state = match status.state {
        PeerState::Looking => "looking",
        PeerState::Following => "following",
        PeerState::Leading => "leading",
        PeerState::Observing => "observing",
    };
    let phase = match status.phase {
        PeerPhase::Election => "election",
        PeerPhase::Discovery => "discovery",
        PeerPhase::Synchronization => "synchronization",
        PeerPhase::Broadcast => "broadcast",
    };
    format!("{state} - {phase}")
}

#[cfg(test)]
mod tests;
