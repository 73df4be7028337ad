"""What is measured: figures of both systems, run by run, and what they are to be."""

import statistics
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Better:
    """A goal: by this factor better than ZooKeeper."""

    factor: float

    def __str__(self):
        return f"{self.factor:g} x better"

    def is_met(self, figure):
        return figure.better_by() is not None and figure.better_by() >= self.factor


@dataclass(frozen=True)
class AtMost:
    """A goal: no more than this, whatever ZooKeeper takes."""

    most: float
    text: str

    def __str__(self):
        return f"≤ {self.text}"

    def is_met(self, figure):
        return figure.median(0) <= self.most


@dataclass
class Figure:
    """One quantity. `runs` has a list for each system; one system may be missing."""

    name: str
    unit: str
    goal: object
    more_is_better: bool = False
    note: str = ""
    runs: tuple = field(default_factory=lambda: ([], []))

    def add(self, system, value):
        self.runs[system].append(value)
        return self

    def median(self, system):
        return statistics.median(self.runs[system]) if self.runs[system] else None

    def spread(self, system):
        """How far the runs lie apart, in percent of their median."""
        runs, median = self.runs[system], self.median(system)
        return 100 * (max(runs) - min(runs)) / abs(median) if median else 0

    def better_by(self):
        ours, theirs = self.median(0), self.median(1)
        numerator, denominator = (ours, theirs) if self.more_is_better else (theirs, ours)
        if numerator is None or denominator is None or denominator <= 0 or numerator <= 0:
            return None
        return numerator / denominator

    def show(self, system):
        value = self.median(system)
        if value is None:
            return "–"
        spread = f" ± {self.spread(system) / 2:.0f} %" if len(self.runs[system]) > 1 else ""
        return SHOW[self.unit](value) + spread

    def to_json(self, names):
        return {
            "name": self.name,
            "unit": self.unit,
            "note": self.note,
            "goal": str(self.goal),
            "is_met": self.is_met(),
            "better_by": self.better_by(),
            "runs": {name: runs for name, runs in zip(names, self.runs) if runs},
        }

    def is_met(self):
        return bool(self.runs[0]) and self.goal.is_met(self)


def microseconds(value):
    if value < 1000:
        return f"{value:.1f} µs" if value < 100 else f"{value:.0f} µs"
    return f"{value / 1000:.2f} ms" if value < 10_000 else f"{value / 1000:.1f} ms"


SHOW = {
    "per second": lambda value: f"{value:,.0f}/s" if value >= 100 else f"{value:,.1f}/s",
    "microseconds": microseconds,
    "seconds": lambda value: f"{value:.2f} s",
    "bytes": lambda value: f"{value:,.0f} B",
    "megabytes": lambda value: f"{value:,.0f} MB",
    "times": lambda value: f"{value:.2f} x",
}


@dataclass
class Row:
    """A line of the comparison: figures, and how they were made."""

    number: int
    title: str
    how: str
    figures: list
