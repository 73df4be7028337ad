"""Watches: what one takes, and how fast everybody is told."""

from versus.figure import AtMost, Better, Figure, Row

NUMBERS = (10,)
SHARES_ENSEMBLES = False


def measure(lab):
    effort = lab.effort
    size = Figure("bytes per watch", "bytes", AtMost(64, "64 B"))
    events = Figure("events delivered per second", "per second", Better(5), more_is_better=True)
    for system in lab.turns("watches"):
        service = lab.service(system, "watches", 1).start().await_ready()
        report = lab.generator.run("watches", service, "--connections", effort.watchers, "--keys",
                                   effort.watched_nodes, "--in-flight", 16)
        size.add(system, report["memory"]["bytes_per_unit"])
        events.add(system, report["phases"]["fire"]["per_second"])
        lab.end(service)
    how = (f"one server; {effort.watchers:,} clients watch the data of {effort.watched_nodes:,} "
           "nodes each, then each node is set once, 16 sets at a time")
    return [Row(10, "watches", how, [size, events])]
