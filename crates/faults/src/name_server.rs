//! A name server that says what a test wants: an address, that there is no such name, or nothing.

use anyhow::{Context, Result};
use std::collections::BTreeMap;
use std::net::{Ipv4Addr, UdpSocket};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread;

/// What is said about a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It stands for this.
    Address(Ipv4Addr),
    /// There is no such name.
    Unknown,
    /// Not a word.
    Silence,
}

/// A name server, for as long as the process lives.
#[derive(Clone, Debug)]
pub struct NameServer {
    answers: Arc<Mutex<BTreeMap<String, Answer>>>,
}

impl NameServer {
    /// Answers on this address.
    ///
    /// # Errors
    /// When the address cannot be had.
    pub fn start(address: Ipv4Addr) -> Result<NameServer> {
        let socket = UdpSocket::bind((address, PORT)).context("bind the name server")?;
        let server = NameServer {
            answers: Arc::default(),
        };
        let answering = server.clone();
        thread::spawn(move || answering.run(&socket));
        Ok(server)
    }

    /// What is said about a name from now on; nothing is, about any other.
    pub fn say(&self, name: &str, answer: Answer) {
        self.answers().insert(name.into(), answer);
    }

    fn run(&self, socket: &UdpSocket) {
        let mut packet = [0; PACKET_LEN_MAX];
        // A socket that is closed, or a resolver that has gone, is nothing that could be reported.
        while let Ok((len, asker)) = socket.recv_from(&mut packet) {
            if let Some(reply) = self.reply(&packet[..len]) {
                let _ = socket.send_to(&reply, asker);
            }
        }
    }

    /// `None` for silence, and for what is no question.
    fn reply(&self, query: &[u8]) -> Option<Vec<u8>> {
        let question = Question::parse(query)?;
        let answers = self.answers();
        let answer = answers.get(&question.name).copied();
        let (code, addresses) = match answer.unwrap_or(Answer::Silence) {
            Answer::Silence => return None,
            Answer::Unknown => (NAME_ERROR, None),
            Answer::Address(address) => (0, Some(address).filter(|_| question.kind == KIND_A)),
        };
        let count = u16::from(addresses.is_some());
        let mut reply = query[..2].to_vec();
        // A response, recursion asked for and available.
        reply.extend([0x81, 0x80 | code]);
        for count in [1, count, 0, 0] {
            reply.extend(count.to_be_bytes());
        }
        reply.extend(question.bytes);
        if let Some(address) = addresses {
            // The name of the question, kind, class, seconds that it may be kept, length.
            reply.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4]);
            reply.extend(address.octets());
        }
        Some(reply)
    }

    fn answers(&self) -> MutexGuard<'_, BTreeMap<String, Answer>> {
        self.answers.lock().expect("no panic with the lock")
    }
}

struct Question<'a> {
    name: String,
    kind: u16,
    /// As it came.
    bytes: &'a [u8],
}

impl Question<'_> {
    fn parse(query: &[u8]) -> Option<Question<'_>> {
        let mut at = HEADER_LEN;
        let mut labels = Vec::new();
        loop {
            let len = usize::from(*query.get(at)?);
            at += 1;
            if len == 0 {
                break;
            }
            let label = query.get(at..at + len)?;
            labels.push(String::from_utf8_lossy(label).to_lowercase());
            at += len;
        }
        let kind = query.get(at..at + 2)?;
        Some(Question {
            name: labels.join("."),
            kind: u16::from_be_bytes([kind[0], kind[1]]),
            bytes: query.get(HEADER_LEN..at + 4)?,
        })
    }
}

const PORT: u16 = 53;
const PACKET_LEN_MAX: usize = 1500;
const HEADER_LEN: usize = 12;
const KIND_A: u16 = 1;
const NAME_ERROR: u8 = 3;

#[cfg(test)]
mod tests;
