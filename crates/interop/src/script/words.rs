//! The words of a line.

use anyhow::{Context, Result, bail, ensure};
use std::collections::VecDeque;
use std::str::FromStr;

/// The words that are left of a line.
#[derive(Clone, Debug)]
pub(super) struct Words {
    rest: VecDeque<Word>,
}

/// A word; `null` without quotes is no string at all.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Word {
    bytes: Vec<u8>,
    is_quoted: bool,
}

impl Words {
    pub(super) fn split(line: &str) -> Result<Words> {
        let mut rest = VecDeque::new();
        let mut characters = line.chars().peekable();
        while let Some(&first) = characters.peek() {
            if first == '#' {
                break;
            }
            if first.is_whitespace() {
                characters.next();
                continue;
            }
            let mut word = Word {
                bytes: Vec::new(),
                is_quoted: false,
            };
            // Quotes may start inside a word: id="a b".
            while let Some(character) = characters.next_if(|c| !c.is_whitespace()) {
                if character == '"' {
                    word.is_quoted = true;
                    quoted(&mut characters, &mut word.bytes)?;
                } else {
                    push_char(&mut word.bytes, character);
                }
            }
            rest.push_back(word);
        }
        Ok(Words { rest })
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    pub(super) fn len(&self) -> usize {
        self.rest.len()
    }

    /// The next word, which stays; empty at the end.
    pub(super) fn peek(&self) -> &str {
        let word = self.rest.front().map(|word| word.bytes.as_slice());
        word.and_then(|bytes| str::from_utf8(bytes).ok())
            .unwrap_or("")
    }

    pub(super) fn next(&mut self, what: &str) -> Result<String> {
        let bytes = self.bytes(what)?;
        String::from_utf8(bytes).with_context(|| format!("{what} is not text"))
    }

    pub(super) fn bytes(&mut self, what: &str) -> Result<Vec<u8>> {
        let word = self.rest.pop_front();
        Ok(word.with_context(|| format!("{what} is missing"))?.bytes)
    }

    /// Bytes, or `null`.
    pub(super) fn nullable(&mut self, what: &str) -> Result<Option<Vec<u8>>> {
        let word = self.rest.pop_front();
        let word = word.with_context(|| format!("{what} is missing"))?;
        let is_null = word.bytes == b"null" && !word.is_quoted;
        Ok((!is_null).then_some(word.bytes))
    }

    /// Bytes written as `0x…`.
    pub(super) fn hex(&mut self, what: &str) -> Result<Vec<u8>> {
        parse_hex(&self.next(what)?)
    }

    pub(super) fn number<T: FromStr>(&mut self, what: &str) -> Result<T> {
        let word = self.next(what)?;
        let number = word.parse().ok();
        number.with_context(|| format!("{what} is not {word}"))
    }

    /// The number that comes next, or the default at the end or before something else.
    pub(super) fn number_or<T: FromStr>(&mut self, default: T) -> T {
        match self.peek().parse() {
            Ok(number) => {
                self.rest.pop_front();
                number
            }
            Err(_) => default,
        }
    }

    /// Takes the next word if it is this one.
    pub(super) fn take(&mut self, word: &str) -> bool {
        let is_next = self.peek() == word && !self.is_empty();
        if is_next {
            self.rest.pop_front();
        }
        is_next
    }

    /// The next word if it is `key=value`.
    pub(super) fn option(&mut self) -> Option<(String, String)> {
        let (key, value) = self.peek().split_once('=')?;
        let option = (key.to_owned(), value.to_owned());
        self.rest.pop_front();
        Some(option)
    }

    pub(super) fn finish(&self) -> Result<()> {
        ensure!(self.is_empty(), "unexpected word {:?}", self.peek());
        Ok(())
    }
}

pub(super) fn parse_hex(word: &str) -> Result<Vec<u8>> {
    let digits = word.strip_prefix("0x").context("bytes start with 0x")?;
    ensure!(digits.len() % 2 == 0, "an odd number of digits");
    let pair = |start: usize| u8::from_str_radix(&digits[start..start + 2], 16);
    let bytes = (0..digits.len()).step_by(2).map(pair);
    Ok(bytes.collect::<Result<_, _>>()?)
}

fn quoted(characters: &mut impl Iterator<Item = char>, bytes: &mut Vec<u8>) -> Result<()> {
    while let Some(character) = characters.next() {
        match character {
            '"' => return Ok(()),
            '\\' => match characters.next() {
                Some('n') => bytes.push(b'\n'),
                Some('x') => {
                    let digits: String = characters.by_ref().take(2).collect();
                    bytes.push(u8::from_str_radix(&digits, 16)?);
                }
                Some(other) => push_char(bytes, other),
                None => break,
            },
            other => push_char(bytes, other),
        }
    }
    bail!("a quote is not closed")
}

fn push_char(bytes: &mut Vec<u8>, character: char) {
    bytes.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
}
