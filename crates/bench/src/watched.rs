//! The processes whose usage a run reports.

use anyhow::Context;

use crate::plan::WatchedProcess;
use crate::process::{Sample, Usage};

/// The processes whose usage is reported: those that the plan names, then the generator.
pub(crate) struct Watched(Vec<(String, u32)>);

impl Watched {
    /// Fails if one is not there: better to learn of a wrong pid now than after the load.
    pub(crate) fn new(processes: &[WatchedProcess]) -> anyhow::Result<Watched> {
        let mut watched = Vec::new();
        for process in processes {
            let name = process.name.clone();
            Sample::take(process.pid)
                .with_context(|| format!("cannot watch the process '{name}'"))?;
            watched.push((name, process.pid));
        }
        watched.push(("generator".into(), std::process::id()));
        Ok(Watched(watched))
    }

    /// `None` for those that have ended.
    pub(crate) fn sample(&self) -> Vec<Option<Sample>> {
        self.0
            .iter()
            .map(|(_, pid)| Sample::take(*pid).ok())
            .collect()
    }

    /// The usage of the named processes that are still there, and the generator's.
    pub(crate) fn usage(
        &self,
        before: &[Option<Sample>],
        after: &[Option<Sample>],
    ) -> (Vec<Usage>, Option<Usage>) {
        let mut usage: Vec<Option<Usage>> = self
            .0
            .iter()
            .zip(before.iter().zip(after))
            .map(|((name, pid), (before, after))| {
                let (before, after) = (before.as_ref()?, after.as_ref()?);
                Some(Usage::between(name, *pid, before, after))
            })
            .collect();
        let generator = usage.pop().flatten();
        (usage.into_iter().flatten().collect(), generator)
    }
}
