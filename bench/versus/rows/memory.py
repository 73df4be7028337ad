"""What a large tree takes in memory."""

import time

from versus.figure import AtMost, Figure, Row
from versus.generator import VALUE_BYTES
from versus.server import NO_SNAPSHOT

NUMBERS = (6,)
SHARES_ENSEMBLES = False

# What the goal is for.
GOAL_NODES, GOAL_MEGABYTES, GOAL_BYTES_EACH = 1_000_000, 240, 128
# A tree is there for longer than it takes to be filled, and allocators give back what that took in their own
# time: ours within twice ten seconds.
REST_SECONDS = 25


def measure(lab):
    nodes = lab.effort.nodes
    megabytes = GOAL_MEGABYTES * nodes / GOAL_NODES
    resident = Figure(f"{nodes:,} nodes, resident", "megabytes",
                      AtMost(megabytes, f"{megabytes:g} MB"))
    each = Figure("per node beyond name and data", "bytes",
                  AtMost(GOAL_BYTES_EACH, f"{GOAL_BYTES_EACH} B"))
    for system in lab.turns("a large tree in memory"):
        service = lab.service(system, "memory", 1).start(NO_SNAPSHOT).await_ready()
        memory = lab.fill(service, nodes)["memory"]
        time.sleep(REST_SECONDS)
        rested = service.members[0].memory_bytes()
        resident.add(system, rested / 1e6)
        given_back = memory["processes"][0]["after_bytes"] - rested
        each.add(system, memory["bytes_per_unit"] - given_back / nodes)
        lab.end(service)
    how = (f"one server, {REST_SECONDS} s after it was filled by multis; {VALUE_BYTES} bytes of data and a "
           "name of 4 each, a thousand in each directory; growth of resident memory over an empty server")
    return [Row(6, "memory", how, [resident, each])]
