"""What every row works with: systems, the generator, how much is measured, and in which turn."""

import shutil
import time
from dataclasses import dataclass

from versus.place import say
from versus.server import NO_SNAPSHOT, Service

FILLED = "/zooid-filled"


@dataclass(frozen=True)
class Effort:
    """How much is measured."""

    runs: int
    seconds: float
    warm_up_seconds: float
    first_warm_up_seconds: float
    # Of the large tree.
    nodes: int
    # In the log behind its snapshot.
    transactions: int
    sessions: int
    watchers: int
    watched_nodes: int
    children: int
    batch: int
    tree_sizes: tuple
    connection_counts: tuple
    # Requests per second where the load is to be the same for everybody.
    rate: int
    # Longer than ZooKeeper takes to synchronize the large tree.
    sync_seconds_max: float

    def scaled_to(self, nodes):
        """With a large tree of another size, and trees up to ten times that."""
        sizes = [size for size in self.tree_sizes if size < 10 * nodes]
        return Effort(**{**vars(self), "nodes": nodes, "tree_sizes": (*sizes, 10 * nodes)})


FULL = Effort(
    runs=5, seconds=5, warm_up_seconds=2, first_warm_up_seconds=15,
    nodes=1_000_000, transactions=100_000, sessions=10_000, watchers=1000, watched_nodes=1000,
    children=100_000, batch=1000,
    tree_sizes=(1000, 10_000, 100_000, 1_000_000, 10_000_000),
    connection_counts=(10, 100, 1000, 10_000), rate=10_000, sync_seconds_max=20,
)
QUICK = Effort(
    runs=1, seconds=0.3, warm_up_seconds=0.1, first_warm_up_seconds=0.4,
    nodes=5000, transactions=1000, sessions=200, watchers=20, watched_nodes=50,
    children=2000, batch=100,
    tree_sizes=(1000, 5000), connection_counts=(10, 200), rate=2000, sync_seconds_max=2,
)


class Lab:
    """Systems are told by their number: 0 is ours, 1 is ZooKeeper."""

    def __init__(self, systems, generator, directory, effort):
        self.systems, self.generator = systems, generator
        self.directory, self.effort = directory, effort
        self.running = []
        self.kept_ensembles = None
        # Of ZooKeeper, once one has said it.
        self.version = None
        # By system: the data of a server that is stopped.
        self.large_trees = {}

    def turns(self, what):
        """Who is measured when. Who goes first changes, so that a drift of the machine favours
        nobody."""
        numbers = list(range(len(self.systems)))
        for run in range(self.effort.runs):
            for system in numbers if run % 2 == 0 else reversed(numbers):
                say(f"{what}, run {run + 1} of {self.effort.runs}: {self.systems[system].name}")
                yield system

    def service(self, system, what, size, large_heap=False):
        """A new one with nothing stored; not started yet."""
        home = self.directory / f"{what}-{system}"
        kind = self.systems[system].with_large_heap() if large_heap else self.systems[system]
        service = Service(kind, home, size)
        self.running.append(service)
        return service

    def end(self, service):
        self.running.remove(service)
        service.end()

    def end_all(self):
        self.kept_ensembles = None
        for service in list(self.running):
            self.end(service)

    def ensembles(self):
        """Three servers of each system, the same for all rows that ask for them."""
        if self.kept_ensembles is None:
            services = [self.service(system, "three", 3).start()
                        for system in range(len(self.systems))]
            for service in services:
                service.await_ready()
                self.warm_up(service)
            if len(services) > 1:
                self.version = services[-1].members[0].version()
            self.kept_ensembles = services
        return self.kept_ensembles

    def end_ensembles(self):
        for service in self.kept_ensembles or []:
            self.end(service)
        self.kept_ensembles = None

    def warm_up(self, service):
        """So that ZooKeeper's code has been compiled before it is measured."""
        workloads = ["get", "set", "create", "mix"]
        seconds = self.effort.first_warm_up_seconds / len(workloads)
        say(f"warming up {service.name} for {self.effort.first_warm_up_seconds:g} s")
        for workload in workloads:
            self.generator.run(workload, service, "--duration", seconds, "--warm-up", 0)

    def load(self, workload, service, *options, members=None):
        """A run of the usual length."""
        effort = self.effort
        return self.generator.run(workload, service, "--duration", effort.seconds, "--warm-up",
                                  effort.warm_up_seconds, *options, members=members)

    def fill(self, service, count, existing=0, members=None):
        """Creates the nodes of the large tree; what that run reports."""
        return self.generator.run("fill", service, "--keys", count, "--existing", existing,
                                  "--filled", FILLED, members=members)

    def with_large_tree(self, system, what):
        """A server that is not started, with the data of the large tree."""
        if system not in self.large_trees:
            self.large_trees[system] = self.grow_large_tree(system)
        service = self.service(system, what, 1, large_heap=True)
        copy_data(self.large_trees[system], service.members[0])
        return service

    def grow_large_tree(self, system):
        """A data directory with the large tree in a snapshot, and transactions behind it."""
        effort = self.effort
        service = self.service(system, "large-tree", 1, large_heap=True)
        member = service.members[0]
        say(f"{service.name}: a tree of {effort.nodes:,} nodes")
        service.start(NO_SNAPSHOT).await_ready()
        self.fill(service, effort.nodes)
        member.stop()
        # ZooKeeper makes a snapshot when it starts, Zooid when enough has been written.
        service.start(snap_count=100).await_ready()
        before = member.snapshots()
        self.set_some(service, 1000)
        await_snapshot(member, before)
        member.stop()
        service.start(NO_SNAPSHOT).await_ready()
        self.set_some(service, effort.transactions)
        member.stop()
        tree = self.directory / f"large-tree-of-{system}"
        member.data.rename(tree)
        self.end(service)
        return tree

    def set_some(self, service, count):
        self.generator.run("set", service, "--operations", count, "--warm-up", 0, "--keys",
                           self.effort.nodes, "--filled", FILLED)


def await_snapshot(member, before):
    """Waits until a snapshot that was not there before is complete: it does not grow any more."""
    deadline, seen = time.monotonic() + 60, None
    while time.monotonic() < deadline:
        new = [path for path in member.data.glob("version-2/snapshot.*") if path.name not in before]
        sizes = sorted((path.name, path.stat().st_size) for path in new)
        if sizes and sizes == seen:
            return
        seen = sizes
        time.sleep(0.2)
    say(f"{member.system.name} has written no snapshot: what is measured has none")


def copy_data(template, member):
    """Gives a member that is stopped the data of another."""
    shutil.rmtree(member.data, ignore_errors=True)
    shutil.copytree(template, member.data)
