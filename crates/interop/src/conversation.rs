//! An interactive program of somebody else's: typed to, and read line by line.

use anyhow::{Context, Result, bail, ensure};
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread;
use std::time::{Duration, Instant};

/// The program; killed when dropped.
#[derive(Debug)]
pub struct Conversation {
    child: Child,
    input: Option<ChildStdin>,
    lines: Receiver<String>,
    printed: Vec<String>,
}

impl Conversation {
    /// Starts the program.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start(command: &mut Command) -> Result<Conversation> {
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command
            .spawn()
            .with_context(|| format!("start {command:?}"))?;
        let (sender, lines) = mpsc::channel();
        read_lines(child.stdout.take().context("a pipe")?, sender.clone());
        read_lines(child.stderr.take().context("a pipe")?, sender);
        Ok(Conversation {
            input: child.stdin.take(),
            child,
            lines,
            printed: Vec::new(),
        })
    }

    /// Types a line.
    ///
    /// # Errors
    /// When the program has ended.
    pub fn say(&mut self, line: &str) -> Result<()> {
        let input = self.input.as_mut().context("the input is closed")?;
        writeln!(input, "{line}")?;
        self.printed.push(format!("> {line}"));
        Ok(input.flush()?)
    }

    /// Waits for a line that contains one of these, and returns the line.
    ///
    /// # Errors
    /// When none comes.
    pub fn wait_for(&mut self, any_of: &[&str]) -> Result<String> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let line = match self.lines.recv_timeout(left) {
                Ok(line) => line,
                Err(RecvTimeoutError::Timeout) => {
                    bail!("none of {any_of:?} came, but:\n{}", self.printed.join("\n"))
                }
                Err(RecvTimeoutError::Disconnected) => {
                    bail!("ended without {any_of:?}:\n{}", self.printed.join("\n"))
                }
            };
            self.printed.push(line.clone());
            if any_of.iter().any(|wanted| line.contains(wanted)) {
                return Ok(line);
            }
        }
    }

    /// Waits for a line that contains this, unless it has come already.
    ///
    /// # Errors
    /// When it does not come.
    pub fn has_printed(&mut self, text: &str) -> Result<()> {
        if !self.printed.iter().any(|line| line.contains(text)) {
            self.wait_for(&[text])?;
        }
        Ok(())
    }

    /// Types a line and waits for an answer to it that contains one of these.
    ///
    /// # Errors
    /// When none comes.
    pub fn ask(&mut self, line: &str, any_of: &[&str]) -> Result<String> {
        self.say(line)?;
        self.wait_for(any_of)
    }

    /// Types a line again and again, as long as the answer is `refusal`, until it is `success`.
    ///
    /// # Errors
    /// When neither comes.
    pub fn insist(&mut self, line: &str, refusal: &str, success: &str) -> Result<String> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let answer = self.ask(line, &[refusal, success])?;
            if answer.contains(success) {
                return Ok(answer);
            }
            ensure!(Instant::now() < deadline, "always {refusal}: {line}");
        }
    }

    /// Ends the program's input and waits until it has ended well.
    ///
    /// # Errors
    /// When it has not.
    pub fn finish(mut self) -> Result<()> {
        self.input = None;
        while let Ok(line) = self.lines.recv_timeout(PATIENCE) {
            self.printed.push(line);
        }
        let status = self.child.wait()?;
        ensure!(status.success(), "{status}\n{}", self.printed.join("\n"));
        Ok(())
    }
}

impl Drop for Conversation {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn read_lines(stream: impl Read + Send + 'static, lines: Sender<String>) {
    thread::spawn(move || {
        let read = BufReader::new(stream).split(b'\n').map_while(Result::ok);
        for line in read {
            if lines
                .send(String::from_utf8_lossy(&line).into_owned())
                .is_err()
            {
                return;
            }
        }
    });
}

const PATIENCE: Duration = Duration::from_secs(60);
