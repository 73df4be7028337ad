"""What clients notice of a snapshot."""

from versus.figure import AtMost, Figure, Row
from versus.lab import FILLED
from versus.place import say
from versus.server import LARGE_HEAP, NO_SNAPSHOT

NUMBERS = (5,)
SHARES_ENSEMBLES = False
CONNECTIONS, IN_FLIGHT = 8, 16


def measure(lab):
    effort = lab.effort
    ratio = Figure("p99.9 with snapshots over p99.9 without", "times", AtMost(2.0, "2 x"))
    without = Figure("p99.9 without", "microseconds", AtMost(float("inf"), "–"))
    during = Figure("p99.9 while snapshots are written", "microseconds",
                    AtMost(float("inf"), "–"))
    services = [lab.with_large_tree(system, "snapshot") for system in range(len(lab.systems))]
    # Half of the requests are sets, so that one is due twice a second, or several times in a run that
    # is shorter: as soon as one is written, or nearly, the next begins.
    snap_count = max(10, int(effort.rate * min(2.0, effort.seconds)) // 8)
    for system in lab.turns("snapshots"):
        service = services[system]
        quiet, _ = p999(lab, service, NO_SNAPSHOT)
        busy, written = p999(lab, service, snap_count)
        if written == 0:
            say(f"{service.name} has written no snapshot: the figure says nothing")
        without.add(system, quiet)
        during.add(system, busy)
        ratio.add(system, busy / quiet)
    for service in services:
        lab.end(service)
    how = (f"one server with {effort.nodes:,} nodes, ZooKeeper's with `{LARGE_HEAP}`; "
           f"{effort.rate:,} requests per second at fixed times, half of them sets, over {CONNECTIONS} "
           "connections; snapshots follow each other all the time")
    return [Row(5, "latency while a snapshot is written", how, [ratio, during, without])]


def p999(lab, service, snap_count):
    """With so many transactions from snapshot to snapshot; and how many of them were written."""
    member = service.members[0]
    service.start(snap_count).await_ready()
    before = set(member.snapshots())
    report = lab.load("mix", service, "--mix", "get=1,set=1", "--rate", lab.effort.rate, "--keys",
                      lab.effort.nodes, "--filled", FILLED, "--connections", CONNECTIONS,
                      "--in-flight", IN_FLIGHT)
    new = sorted(set(member.snapshots()) - before)
    member.stop()
    remove_older(member)
    return report["latency_us"]["p999"], len(new)


def remove_older(member):
    """Keeps the three newest snapshots, for each is as large as the tree."""
    paths = member.data.glob("version-2/snapshot.*")
    by_zxid = sorted(paths, key=lambda path: int(path.name.split(".")[1], 16))
    for path in by_zxid[:-3]:
        path.unlink()
