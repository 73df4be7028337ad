"""The result as text, and its place in docs/performance.md."""

import re
import shlex
import sys

from versus import place
from versus.generator import VALUE_BYTES
from versus.server import JAVA_OPTIONS

BEGIN = "<!-- bench/versus-zookeeper writes from here -->"
END = "<!-- bench/versus-zookeeper writes to here -->"


# Where the lines of a row begin, in the table and in what is said below it.
IN_TABLE = re.compile(r"\| \*\*(\d+)\*\* \| ")
IN_LIST = re.compile(r"\* \*\*(\d+), ")


def text(rows, names, method, sync, before=""):
    """All of it. Rows that were not measured are taken from the text before."""
    return "\n\n".join([
        table(rows, names, blocks(before, IN_TABLE, "| ")),
        how(rows, blocks(before, IN_LIST, ("* ", "  ")), sync),
        method,
    ])


def blocks(text, first, prefix):
    """The lines of each row, by its number: one that `first` matches, and those of the prefix behind it."""
    found, number = {}, None
    for line in text.splitlines():
        match = first.match(line)
        if match:
            number = int(match[1])
            found[number] = [line]
        elif number and line.startswith(prefix) and not line.startswith(("| **", "* ")):
            found[number].append(line)
        else:
            number = None
    return found


def joined(before, made):
    return [line for _, lines in sorted({**before, **made}.items()) for line in lines]


def table(rows, names, before):
    """Markdown: one line for each figure, in the order of the rows."""
    ours, theirs = (*names, "–")[:2]
    head = [
        f"| | | {ours} | {theirs} | better by | goal | met |",
        "|--:|:--|--:|--:|--:|--:|:-:|",
    ]
    made = {}
    for row in rows:
        lines = made[row.number] = [f"| **{row.number}** | **{row.title}** | | | | | |"]
        for figure in row.figures:
            factor = figure.better_by()
            better = f"{factor:.2f} x" if factor and figure.runs[1] else "–"
            is_goal = str(figure.goal) != "≤ –"
            met = ("yes" if figure.is_met() else "no") if is_goal else ""
            goal = str(figure.goal) if is_goal else ""
            lines.append(f"| | {figure.name} | {figure.show(0)} | {figure.show(1)} | {better} "
                         f"| {goal} | {met} |")
    return "\n".join(head + joined(before, made))


def how(rows, before, sync):
    """How each row was made, and what belongs to its figures."""
    made = {}
    for row in rows:
        lines = [f"* **{row.number}, {row.title}:** {row.how}. Zooid is of commit {place.commit()}; the "
                 f"disk took {sync[0]:.0f} µs."]
        notes = [f"  {figure.name}: {figure.note}." for figure in row.figures if figure.note]
        made[row.number] = lines + notes
    return "\n".join(joined(before, made))


def method(lab, sync, version):
    effort = lab.effort
    median_us, p99_us = sync
    count = f"median of {effort.runs} runs" if effort.runs > 1 else "one run, so no median"
    java = [f"* {version} runs on {place.java_version()}, with `{shlex.join(JAVA_OPTIONS)}`."
            ] if version else []
    # Not every row measures it.
    most = (f"; the generator used at most {max(lab.generator.cores):.2f} cores"
            if lab.generator.cores else "")
    return "\n".join([
        f"* Machine: {place.machine(lab.directory)}. Servers and generator share it{most}.",
        f"* Disk: writing {place.PROBE_BYTES} bytes and fdatasync took {median_us:.0f} µs at the median, "
        f"{p99_us:.0f} µs at p99, before the newest row was measured; the median is said with each. fsync "
        "is on (`forceSync=yes`).",
        *java,
        f"* Each figure is the {count}, ± half of the distance between the lowest and the highest. "
        "The systems take turns, and turns in going first. Where the length of a run is not given "
        f"by what it does, it is {effort.seconds:g} s after {effort.warm_up_seconds:g} s of "
        "warm-up; the servers that rows 1 to 4, 9 and 11 share were warmed up for "
        f"{effort.first_warm_up_seconds:g} s before.",
        f"* {VALUE_BYTES}-byte values; 1000 nodes, where nothing else is said; the mix lists 100 "
        "children.",
    ])


def parts():
    """The document before, between and behind the two lines."""
    head, begin, rest = place.DOCUMENT.read_text().partition(BEGIN)
    written, end, tail = rest.partition(END)
    if not (begin and end):
        sys.exit(f"{place.DOCUMENT} lacks the line '{BEGIN}' or '{END}'")
    return head, written, tail


def written():
    return parts()[1]


def write(text):
    head, _, tail = parts()
    place.DOCUMENT.write_text(f"{head}{BEGIN}\n\n{text}\n\n{END}{tail}")
    place.say(f"written to {place.DOCUMENT.relative_to(place.REPOSITORY)}")
