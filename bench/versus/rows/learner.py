"""A follower that has lost its data gets the large tree from its leader."""

import csv
import shutil
import statistics
import time

from versus.figure import AtMost, Better, Figure, Row
from versus.place import say
from versus.server import LARGE_HEAP

NUMBERS = (8,)
SHARES_ENSEMBLES = False
CONNECTIONS = 8
QUIET_SECONDS_MIN = 1.0


def measure(lab):
    effort = lab.effort
    rate = effort.rate // 5
    sync = Figure("synchronization", "seconds", Better(5))
    ratio = Figure("leader's write p99 meanwhile over without", "times", AtMost(2.0, "2 x"))
    services, without_tree = [], []
    for system in range(len(lab.systems)):
        service = lab.service(system, "learner", 3, large_heap=True).start().await_ready()
        services.append(service)
        # Starting a process, finding the leader and synchronizing nothing are not meant.
        bare = [rejoin(service) for _ in range(min(3, effort.runs))]
        without_tree.append(statistics.median(bare))
        say(f"{service.name}: a tree of {effort.nodes:,} nodes")
        lab.fill(service, effort.nodes, members=[service.leader()])
    for system in lab.turns("a follower without data"):
        service = services[system]
        seconds, quiet, meanwhile = under_load(lab, service, rate)
        sync.add(system, max(0.001, seconds - without_tree[system]))
        ratio.add(system, meanwhile / quiet)
    for service in services:
        lab.end(service)
    bare = ", ".join(f"{service.name} {seconds:.2f} s"
                     for service, seconds in zip(services, without_tree))
    how = (f"three servers with {effort.nodes:,} nodes, ZooKeeper's with `{LARGE_HEAP}`; from the "
           "start of a follower's process with "
           f"an empty directory until it serves, less what that takes without a tree ({bare}); "
           f"meanwhile {rate:,} sets per second at fixed times at the leader")
    return [Row(8, "a learner's SNAP", how, [sync, ratio])]


def rejoin(service):
    """Seconds until a follower serves that starts with nothing."""
    follower = service.followers()[0]
    follower.stop()
    shutil.rmtree(follower.data / "version-2")
    started = time.monotonic()
    follower.start()
    follower.await_serving()
    return time.monotonic() - started


def under_load(lab, service, rate):
    """The same while the leader is written to; p99 before and meanwhile, in microseconds."""
    trace = lab.directory / "trace.csv"
    quiet_seconds = max(QUIET_SECONDS_MIN, lab.effort.seconds / 2)
    leader = service.leader()
    snapshots_sent = leader.metric("snap_count")
    follower = service.followers()[0]
    follower.stop()
    shutil.rmtree(follower.data / "version-2")
    # It goes on for longer than the synchronization; what belongs to that is cut out afterwards.
    load = lab.generator.start(
        "set", service, "--rate", rate, "--connections", CONNECTIONS, "--warm-up", 0.2,
        "--duration", quiet_seconds + lab.effort.sync_seconds_max, "--trace", trace,
        members=[leader],
    )
    time.sleep(0.5 + quiet_seconds)
    started, started_wall = time.monotonic(), time.time()
    follower.start()
    follower.await_serving()
    seconds, ended_wall = time.monotonic() - started, time.time()
    lab.generator.finish(load)
    service.await_ready()
    if leader.metric("snap_count") == snapshots_sent:
        say(f"{service.name} has sent no snapshot: the figure says nothing")
    with trace.open() as lines:
        latencies = [(int(line["due_unix_us"]) / 1e6, float(line["latency_us"]))
                     for line in csv.DictReader(lines)]
    trace.unlink()
    quiet = [latency for due, latency in latencies if due < started_wall]
    meanwhile = [latency for due, latency in latencies if started_wall <= due < ended_wall]
    return seconds, p99(quiet), p99(meanwhile)


def p99(latencies):
    return statistics.quantiles(latencies, n=100)[98]
