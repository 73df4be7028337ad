//! Starts the servers, waits for what happens, and does what follows from it.

use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use crossterm::event as terminal;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use crate::DevError;
use crate::change::Change;
use crate::ensemble::{Ending, Ensemble};
use crate::keys::{self, Command};
use crate::layout::{Layout, MemberId};
use crate::output::Output;
use crate::probe::{self, CurrentPid, NOBODY};
use crate::process::Process;
use crate::status::Answer;

/// What the supervisor waits for, beside the ends of processes.
#[derive(Debug)]
pub(crate) enum Event {
    /// A person or a signal asks for something.
    Asked(Command),
    /// The terminal has another size.
    Resized,
    /// A process was asked how it is.
    Probed {
        id: MemberId,
        pid: u32,
        answer: Option<Answer>,
    },
}

/// Owns the processes and the terminal. Runs on the main thread, which the servers are bound to.
pub(crate) struct Supervisor {
    program: PathBuf,
    ensemble: Ensemble,
    /// In the order of the members, as are the process ids that the probes look at.
    processes: Vec<Option<Process>>,
    pids: Vec<CurrentPid>,
    output: Output,
    events: Receiver<Event>,
    /// When the servers have had time enough to stop.
    deadline: Option<Instant>,
}

impl Supervisor {
    pub(crate) fn start(layout: Layout, json: bool) -> Result<Supervisor, DevError> {
        // Looked up once: a rebuild moves the file away that runs now.
        let program = std::env::current_exe().map_err(DevError::system("find this program"))?;
        let (sender, events) = sync_channel(EVENTS_MAX);
        watch_signals(sender.clone())?;
        let pids: Vec<CurrentPid> = layout
            .places
            .iter()
            .map(|_| CurrentPid::default())
            .collect();
        for (place, pid) in layout.places.iter().zip(&pids) {
            probe::start(place, CurrentPid::clone(pid), sender.clone())
                .map_err(DevError::system("start a thread"))?;
        }
        let output = Output::open(json).map_err(DevError::system("use the terminal"))?;
        if output.has_keys() {
            watch_keys(sender)?;
        }
        Ok(Supervisor {
            program,
            processes: layout.places.iter().map(|_| None).collect(),
            ensemble: Ensemble::new(layout),
            pids,
            output,
            events,
            deadline: None,
        })
    }

    /// Until all servers have stopped.
    pub(crate) fn run(mut self) -> Result<(), DevError> {
        let ids: Vec<MemberId> = self.ensemble.layout.places.iter().map(|p| p.id).collect();
        for id in ids {
            self.launch(id);
        }
        while !self.is_over()? {
            self.refresh();
            match self.events.recv_timeout(REAP_INTERVAL) {
                Ok(event) => self.on_event(event),
                // The threads that send live as long as this does.
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {}
            }
        }
        self.output.close();
        let directory = self.ensemble.layout.directory.display().to_string();
        self.tell(&Change::AllStopped { directory });
        Ok(())
    }

    /// Looks after the processes. Without keys nobody could start one again.
    fn is_over(&mut self) -> Result<bool, DevError> {
        self.reap()?;
        let now = Instant::now();
        if self.deadline.is_some_and(|deadline| now >= deadline) {
            self.kill_the_rest();
        }
        if !self.ensemble.is_stopping && !self.output.has_keys() && self.ensemble.has_failed() {
            return Err(DevError::AllEnded);
        }
        Ok(self.ensemble.is_stopping && !self.ensemble.is_anyone_up())
    }

    fn reap(&mut self) -> Result<(), DevError> {
        for index in 0..self.processes.len() {
            let Some(process) = &mut self.processes[index] else {
                continue;
            };
            let ending = process
                .ending()
                .map_err(DevError::system("wait for a server"))?;
            if let Some(ending) = ending {
                self.on_end(index, ending);
            }
        }
        Ok(())
    }

    fn on_end(&mut self, index: usize, ending: Ending) {
        self.processes[index] = None;
        self.pids[index].store(NOBODY, Ordering::Relaxed);
        let id = self.ensemble.members[index].place.id;
        for change in self.ensemble.ended(id, ending) {
            self.tell(&change);
        }
    }

    fn on_event(&mut self, event: Event) {
        match event {
            Event::Asked(Command::Stop) => self.stop(),
            Event::Asked(Command::Toggle(id)) => self.toggle(id),
            Event::Asked(Command::KillLeader) => self.kill_leader(),
            Event::Resized => self.output.forget(),
            Event::Probed { id, pid, answer } => {
                for change in self.ensemble.observed(id, pid, answer, Instant::now()) {
                    self.tell(&change);
                }
            }
        }
    }

    fn launch(&mut self, id: MemberId) {
        let Some(member) = self.ensemble.member(id) else {
            return;
        };
        let change = match Process::spawn(&self.program, &member.place) {
            Ok(process) => {
                let pid = process.pid();
                self.pids[id.index()].store(pid, Ordering::Relaxed);
                self.processes[id.index()] = Some(process);
                self.ensemble.started(id, pid)
            }
            Err(error) => self.ensemble.failed_to_start(id, error.to_string()),
        };
        self.tell(&change);
    }

    /// A digit without a server is nobody's key.
    fn toggle(&mut self, id: MemberId) {
        if self.ensemble.is_stopping || self.ensemble.member(id).is_none() {
            return;
        }
        if self.processes[id.index()].is_some() {
            self.kill(id);
        } else {
            self.launch(id);
        }
    }

    fn kill_leader(&mut self) {
        match self.ensemble.leader() {
            _ if self.ensemble.is_stopping => {}
            Some(id) => self.kill(id),
            None => self.tell(&Change::NoLeader),
        }
    }

    fn kill(&mut self, id: MemberId) {
        if let Some(process) = &mut self.processes[id.index()] {
            // Fails only if it has just ended, which shows when it is reaped.
            let _ = process.kill();
        }
    }

    /// Asked for a second time, it does not wait.
    fn stop(&mut self) {
        let now = Instant::now();
        if self.ensemble.is_stopping {
            self.deadline = Some(now);
            return;
        }
        self.ensemble.is_stopping = true;
        self.deadline = Some(now + STOP_MAX);
        self.tell(&Change::Stopping);
        for process in self.processes.iter_mut().flatten() {
            // As above.
            let _ = process.stop();
        }
    }

    fn kill_the_rest(&mut self) {
        self.deadline = None;
        for index in 0..self.processes.len() {
            if self.processes[index].is_some() {
                let id = self.ensemble.members[index].place.id;
                self.tell(&Change::Overdue { id });
                self.kill(id);
            }
        }
    }

    fn tell(&mut self, change: &Change) {
        if self.output.tell(change).is_err() {
            self.on_lost_output();
        }
    }

    fn refresh(&mut self) {
        if self.output.refresh(&self.ensemble).is_err() {
            self.on_lost_output();
        }
    }

    /// An ensemble that nobody looks at any more stops.
    fn on_lost_output(&mut self) {
        if !self.ensemble.is_stopping {
            self.stop();
        }
    }
}

fn watch_signals(events: SyncSender<Event>) -> Result<(), DevError> {
    let mut signals =
        Signals::new([SIGINT, SIGTERM, SIGHUP]).map_err(DevError::system("handle signals"))?;
    let watch = move || {
        for _ in signals.forever() {
            if events.send(Event::Asked(Command::Stop)).is_err() {
                return;
            }
        }
    };
    spawn("signals", watch)
}

fn watch_keys(events: SyncSender<Event>) -> Result<(), DevError> {
    let watch = move || {
        // An error means that the terminal is gone, which SIGHUP tells too.
        while let Ok(event) = terminal::read() {
            let event = match event {
                terminal::Event::Key(key) => keys::command(&key).map(Event::Asked),
                terminal::Event::Resize(..) => Some(Event::Resized),
                _ => None,
            };
            if event.is_some_and(|event| events.send(event).is_err()) {
                return;
            }
        }
    };
    spawn("keys", watch)
}

/// A thread that ends with the program.
fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> Result<(), DevError> {
    thread::Builder::new()
        .name(name.to_owned())
        .spawn(work)
        .map(|_| ())
        .map_err(DevError::system("start a thread"))
}

/// Events that wait; more make the senders wait.
const EVENTS_MAX: usize = 64;
/// How soon the end of a process is seen.
const REAP_INTERVAL: Duration = Duration::from_millis(50);
/// Longer than a server takes to finish what it has begun.
const STOP_MAX: Duration = Duration::from_secs(10);
