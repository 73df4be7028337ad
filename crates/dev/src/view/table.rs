//! The table of servers. Columns that do not fit are left out, the least telling first.

use crate::ensemble::{Activity, Cause, Condition, Member, Up};
use crate::status::Status;

use super::{Line, Style, span};

struct Column {
    title: &'static str,
    /// So that columns do not jump when a number grows.
    width_min: usize,
    align: Align,
    /// The higher, the sooner it is left out.
    rank: u8,
    cell: fn(&Member) -> String,
}

#[derive(Clone, Copy)]
enum Align {
    Left,
    Right,
}

const COLUMNS: &[Column] = &[
    column("server", 6, Align::Left, 0, |member| {
        member.place.id.to_string()
    }),
    column("state", 12, Align::Left, 1, |member| {
        state(&member.condition)
    }),
    column("port", 5, Align::Right, 5, |member| {
        member.place.client_port.to_string()
    }),
    column("epoch", 5, Align::Right, 7, |member| {
        said(member, |status| status.epoch.to_string())
    }),
    column("zxid", 12, Align::Right, 2, |member| {
        said(member, |status| format!("0x{:x}", status.zxid))
    }),
    column("sessions", 8, Align::Right, 6, |member| {
        said(member, |status| {
            let sessions = status.sessions;
            sessions.map_or_else(String::new, |count| count.to_string())
        })
    }),
    column("clients", 7, Align::Right, 4, |member| {
        said(member, |status| status.clients().to_string())
    }),
    column("ops/s", 7, Align::Right, 3, |member| {
        let serving = member.serving();
        serving.map_or_else(String::new, |serving| serving.ops_per_second.to_string())
    }),
    column("pid", 7, Align::Right, 8, |member| {
        match &member.condition {
            Condition::Up(up) => up.pid.to_string(),
            Condition::Down(_) => String::new(),
        }
    }),
];

const fn column(
    title: &'static str,
    width_min: usize,
    align: Align,
    rank: u8,
    cell: fn(&Member) -> String,
) -> Column {
    Column {
        title,
        width_min,
        align,
        rank,
        cell,
    }
}

/// A heading and a line for each server.
pub(super) fn lines(members: &[Member], width: usize) -> Vec<Line> {
    let columns = fitting(members, width);
    let heading = columns
        .iter()
        .map(|(column, width)| span(&column.padded(column.title, *width), Style::Dim));
    let mut lines: Vec<Line> = vec![heading.collect()];
    for member in members {
        let cells = columns.iter().map(|(column, width)| {
            let style = match column.title {
                "state" => style(&member.condition),
                _ => Style::Plain,
            };
            span(&column.padded(&(column.cell)(member), *width), style)
        });
        lines.push(cells.collect());
    }
    lines
}

/// The columns that there is room for, each with its width.
fn fitting(members: &[Member], room: usize) -> Vec<(&'static Column, usize)> {
    let mut columns: Vec<_> = COLUMNS
        .iter()
        .map(|column| (column, column.width(members)))
        .collect();
    while columns.iter().map(|(_, width)| width + GAP).sum::<usize>() > room + GAP {
        let least = columns.iter().map(|(column, _)| column.rank).max();
        columns.retain(|(column, _)| Some(column.rank) != least);
    }
    columns
}

impl Column {
    fn width(&self, members: &[Member]) -> usize {
        let cells = members.iter().map(|member| (self.cell)(member).len());
        cells.max().unwrap_or(0).max(self.width_min)
    }

    fn padded(&self, text: &str, width: usize) -> String {
        let gap = " ".repeat(GAP);
        match self.align {
            Align::Left => format!("{text:width$}{gap}"),
            Align::Right => format!("{text:>width$}{gap}"),
        }
    }
}

/// Something that a server says of itself while it serves.
fn said(member: &Member, what: impl Fn(&Status) -> String) -> String {
    member
        .serving()
        .map_or_else(String::new, |serving| what(&serving.status))
}

fn state(condition: &Condition) -> String {
    match condition {
        Condition::Up(Up { activity, .. }) => match activity {
            Activity::Starting => "starting".to_owned(),
            Activity::NotServing => "not serving".to_owned(),
            Activity::Serving(serving) => serving.status.role.to_string(),
            Activity::Silent => "no answer".to_owned(),
        },
        Condition::Down(cause) => match cause {
            Cause::NotStarted => "not started".to_owned(),
            Cause::Killed => "killed".to_owned(),
            Cause::Stopped => "stopped".to_owned(),
            Cause::CannotStart => "cannot start".to_owned(),
            Cause::Ended(how) => format!("down: {how}"),
        },
    }
}

fn style(condition: &Condition) -> Style {
    match condition {
        Condition::Up(Up { activity, .. }) => match activity {
            Activity::Serving(serving) if serving.status.role.leads() => Style::Leading,
            Activity::Serving(_) => Style::Good,
            Activity::Starting | Activity::NotServing | Activity::Silent => Style::Waiting,
        },
        Condition::Down(Cause::NotStarted) => Style::Dim,
        Condition::Down(_) => Style::Bad,
    }
}

/// Blanks between columns.
const GAP: usize = 2;
