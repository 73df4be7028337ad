"""One connection with one request in flight, at the leader of three."""

from versus.figure import AtMost, Better, Figure, Row
from versus.generator import VALUE_BYTES

NUMBERS = (4,)
SHARES_ENSEMBLES = True

# What a log keeps of a set beside the value: checksum and length, header, path, digest.
RECORD_BYTES = VALUE_BYTES + 110


def measure(lab):
    services = lab.ensembles()
    p50 = {name: Figure(f"{name}, p50", "microseconds", Better(3)) for name in ("get", "set")}
    floor = Figure("set, p50, over the floor", "times", AtMost(1.5, "1.5 x"))
    apart = Figure("get, p50, over a round trip between processors", "times",
                   AtMost(float("inf"), "–"))
    for workload, figure in p50.items():
        for system in lab.turns(f"{workload}, one at a time"):
            service = services[system]
            report = lab.load(workload, service, "--connections", 1, "--in-flight", 1,
                              members=[service.leader()])
            latency = report["latency_us"]["p50"]
            figure.add(system, latency)
            below = lab.generator.floor(lab.directory, RECORD_BYTES, lab.effort.seconds)
            if workload == "get" and "apart" in below:
                apart.add(system, latency / below["apart"])
                apart.note = (f"{below['apart']:.0f} µs between two threads that do nothing but answer "
                              "each other, each on a processor of its own")
            if workload == "set":
                floor.add(system, latency / below["floor"])
                floor.note = (f"floor: {below['floor']:.0f} µs = fdatasync of {RECORD_BYTES} bytes, "
                              f"{below['sync']:.0f} µs, and two round trips, "
                              f"{below['round_trips']:.0f} µs")
    return [Row(4, "one connection, one in flight", "three servers, the client at the leader",
                [p50["set"], p50["get"], floor, apart])]
