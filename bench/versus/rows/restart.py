"""Starting with a large tree: a snapshot of it, and a log behind that."""

import os
import time

from versus.client import await_first_reply
from versus.figure import Better, Figure, Row
from versus.lab import FILLED
from versus.server import LARGE_HEAP, NO_SNAPSHOT, READY_SECONDS_MAX

NUMBERS = (7,)
SHARES_ENSEMBLES = False


def measure(lab):
    effort = lab.effort
    took = Figure("process start to first reply", "seconds", Better(5))
    for system in lab.turns("restart"):
        service = lab.with_large_tree(system, "restart")
        member = service.members[0]
        os.sync()
        started = time.monotonic()
        service.start(NO_SNAPSHOT)
        await_first_reply(member.port, f"{FILLED}/d00000/k000", READY_SECONDS_MAX)
        took.add(system, time.monotonic() - started)
        lab.end(service)
    how = (f"one server, ZooKeeper's with `{LARGE_HEAP}`; a snapshot of {effort.nodes:,} nodes and "
           f"{effort.transactions:,} transactions of log, in the page cache but for what Zooid has "
           "let go of its log; ZooKeeper's figure includes the start of its JVM and the snapshot that "
           "it writes before it serves")
    return [Row(7, "restart", how, [took])]
