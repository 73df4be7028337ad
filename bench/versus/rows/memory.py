"""What a large tree takes in memory."""

from versus.figure import AtMost, Figure, Row
from versus.generator import VALUE_BYTES
from versus.server import NO_SNAPSHOT

NUMBERS = (6,)
SHARES_ENSEMBLES = False

# What the goal is for.
GOAL_NODES, GOAL_MEGABYTES, GOAL_BYTES_EACH = 1_000_000, 240, 128


def measure(lab):
    nodes = lab.effort.nodes
    megabytes = GOAL_MEGABYTES * nodes / GOAL_NODES
    resident = Figure(f"{nodes:,} nodes, resident", "megabytes",
                      AtMost(megabytes, f"{megabytes:g} MB"))
    each = Figure("per node beyond name and data", "bytes",
                  AtMost(GOAL_BYTES_EACH, f"{GOAL_BYTES_EACH} B"))
    for system in lab.turns("a large tree in memory"):
        service = lab.service(system, "memory", 1).start(NO_SNAPSHOT).await_ready()
        report = lab.fill(service, nodes)
        resident.add(system, report["memory"]["processes"][0]["after_bytes"] / 1e6)
        each.add(system, report["memory"]["bytes_per_unit"])
        lab.end(service)
    how = (f"one server just filled by multis; {VALUE_BYTES} bytes of data and a name of 4 each, a "
           "thousand in each directory; growth of resident memory over an empty server")
    return [Row(6, "memory", how, [resident, each])]
