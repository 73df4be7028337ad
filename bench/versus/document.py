"""The result as text, and its place in docs/performance.md."""

import shlex
import sys

from versus import place
from versus.generator import VALUE_BYTES
from versus.server import JAVA_OPTIONS

BEGIN = "<!-- bench/versus-zookeeper writes from here -->"
END = "<!-- bench/versus-zookeeper writes to here -->"


def table(rows, names):
    """Markdown: one line for each figure, in the order of the rows."""
    ours, theirs = (*names, "–")[:2]
    lines = [
        f"| | | {ours} | {theirs} | better by | goal | met |",
        "|--:|:--|--:|--:|--:|--:|:-:|",
    ]
    for row in sorted(rows, key=lambda row: row.number):
        lines.append(f"| **{row.number}** | **{row.title}** | | | | | |")
        for figure in row.figures:
            factor = figure.better_by()
            better = f"{factor:.2f} x" if factor and figure.runs[1] else "–"
            is_goal = str(figure.goal) != "≤ –"
            met = ("yes" if figure.is_met() else "no") if is_goal else ""
            goal = str(figure.goal) if is_goal else ""
            lines.append(f"| | {figure.name} | {figure.show(0)} | {figure.show(1)} | {better} "
                         f"| {goal} | {met} |")
    return "\n".join(lines)


def how(rows):
    """How each row was made, and what belongs to its figures."""
    lines = []
    for row in sorted(rows, key=lambda row: row.number):
        lines.append(f"* **{row.number}, {row.title}:** {row.how}.")
        notes = [f"  {figure.name}: {figure.note}." for figure in row.figures if figure.note]
        lines.extend(notes)
    return "\n".join(lines)


def method(lab, sync, version):
    effort = lab.effort
    median_us, p99_us = sync
    count = f"median of {effort.runs} runs" if effort.runs > 1 else "one run, so no median"
    java = (f"; {version} on {place.java_version()}, with `{shlex.join(JAVA_OPTIONS)}`" if version
            else "")
    most = f"{max(lab.generator.cores):.2f}" if lab.generator.cores else "0"
    return "\n".join([
        f"* Machine: {place.machine(lab.directory)}. Servers and generator share it; the generator "
        f"used at most {most} cores.",
        f"* Disk: writing {place.PROBE_BYTES} bytes and fdatasync take {median_us:.0f} µs at the "
        f"median, {p99_us:.0f} µs at p99. fsync is on (`forceSync=yes`).",
        f"* Versions: Zooid, commit {place.commit()}{java}.",
        f"* Each figure is the {count}, ± half of the distance between the lowest and the highest. "
        "The systems take turns, and turns in going first. Where the length of a run is not given "
        f"by what it does, it is {effort.seconds:g} s after {effort.warm_up_seconds:g} s of "
        "warm-up; the servers that rows 1 to 4, 9 and 11 share were warmed up for "
        f"{effort.first_warm_up_seconds:g} s before.",
        f"* {VALUE_BYTES}-byte values; 1000 nodes, where nothing else is said; the mix lists 100 "
        "children.",
    ])


def write(text):
    document = place.DOCUMENT.read_text()
    head, begin, rest = document.partition(BEGIN)
    _, end, tail = rest.partition(END)
    if not (begin and end):
        sys.exit(f"{place.DOCUMENT} lacks the line '{BEGIN}' or '{END}'")
    place.DOCUMENT.write_text(f"{head}{BEGIN}\n\n{text}\n\n{END}{tail}")
    place.say(f"written to {place.DOCUMENT.relative_to(place.REPOSITORY)}")
