"""What an operation costs as the tree grows, and as more clients share a load. Ours alone."""

import shutil
import sys

from versus.figure import AtMost, Figure, Row
from versus.generator import cpu_us_per_operation
from versus.lab import FILLED
from versus.place import say
from versus.server import NO_SNAPSHOT

NUMBERS = (12,)
SHARES_ENSEMBLES = False
OURS = 0
CONNECTIONS, IN_FLIGHT = 48, 16
# What a second of writes leaves in the log, which nothing purges: there is no snapshot.
LOG_BYTES_PER_SECOND = 160_000_000


def measure(lab):
    see_to_space(lab)
    sizes, counts = lab.effort.tree_sizes, lab.effort.connection_counts
    service = lab.service(OURS, "growth", 1).start(NO_SNAPSHOT).await_ready()
    lab.warm_up(service)
    by_size = {"get": {}, "set": {}, "create": {}}
    existing = 0
    for size in sizes:
        say(f"a tree of {size:,} nodes")
        lab.fill(service, size, existing)
        existing = size
        for workload, costs in by_size.items():
            costs[size] = costs_of(lab, workload, service, "--keys", size, "--filled", FILLED,
                                   "--connections", CONNECTIONS, "--in-flight", IN_FLIGHT)
    by_count = {"get": {}, "set": {}}
    for count in counts:
        say(f"{count:,} connections")
        for workload, costs in by_count.items():
            costs[count] = costs_of(lab, workload, service, "--keys", sizes[0], "--filled", FILLED,
                                    "--connections", count, "--in-flight", IN_FLIGHT, "--rate",
                                    lab.effort.rate)
    lab.end(service)
    nodes = f"{sizes[0]:,} to {sizes[-1]:,} nodes"
    connections = f"{counts[0]:,} to {counts[-1]:,} connections"
    figures = [
        *(grown(f"{workload}, {nodes}", costs, AtMost(1.5, "1.5 x"))
          for workload, costs in by_size.items()),
        *(grown(f"{workload}, {connections}", costs, AtMost(2.0, "2 x"))
          for workload, costs in by_count.items()),
    ]
    how = ("one server, ours alone, which writes no snapshot meanwhile; CPU per operation of the "
           f"largest over that of the smallest; trees at {CONNECTIONS} × {IN_FLIGHT}, connections "
           f"at {lab.effort.rate:,} requests per second altogether")
    return [Row(12, "cost as work grows", how, figures)]


def see_to_space(lab):
    effort = lab.effort
    writes = 2 * effort.runs * len(effort.tree_sizes)
    wanted = writes * (effort.seconds + effort.warm_up_seconds) * LOG_BYTES_PER_SECOND
    free = shutil.disk_usage(lab.directory).free
    if free < wanted:
        sys.exit(f"row 12 writes some {wanted / 1e9:.0f} GB of log to {lab.directory}, where "
                 f"{free / 1e9:.0f} GB are free: make room, or ask for fewer or shorter runs")


def costs_of(lab, workload, service, *options):
    """CPU per operation of each run."""
    return [cpu_us_per_operation(lab.load(workload, service, *options))
            for _ in range(lab.effort.runs)]


def grown(name, costs, goal):
    """By how much the cost of each run has grown from the smallest to the largest."""
    figure = Figure(name, "times", goal)
    smallest, *_, largest = costs.values()
    for before, after in zip(sorted(smallest), sorted(largest)):
        figure.add(OURS, after / before)
    figure.note = ", ".join(f"{size:,}: {sorted(runs)[len(runs) // 2]:.2f} µs"
                            for size, runs in costs.items())
    return figure
