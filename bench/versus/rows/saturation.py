"""Three servers, and as many requests as they take: what an operation costs, how many there are,
and how long the slowest wait."""

from versus.figure import Better, Figure, Row
from versus.generator import cpu_us_per_operation

NUMBERS = (1, 2, 3)
SHARES_ENSEMBLES = True
CONNECTIONS, IN_FLIGHT = 48, 16

CPU = {"get": 12, "set": 10, "create": 12, "mix": 12}
THROUGHPUT = {"get": 4, "set": 6, "create": 8, "mix": 8}
P99 = {"set": 10, "create": 10}


def measure(lab):
    services = lab.ensembles()
    cpu = {name: Figure(name, "microseconds", Better(goal)) for name, goal in CPU.items()}
    throughput = {name: Figure(name, "per second", Better(goal), more_is_better=True)
                  for name, goal in THROUGHPUT.items()}
    p99 = {name: Figure(name, "microseconds", Better(goal)) for name, goal in P99.items()}
    for workload in CPU:
        for system in lab.turns(f"{workload} at saturation"):
            report = lab.load(workload, services[system], "--connections", CONNECTIONS,
                              "--in-flight", IN_FLIGHT)
            cpu[workload].add(system, cpu_us_per_operation(report))
            throughput[workload].add(system, report["operations_per_second"])
            if workload in p99:
                p99[workload].add(system, report["latency_us"]["p99"])
    shape = f"three servers, {CONNECTIONS} connections × {IN_FLIGHT} in flight"
    return [
        Row(1, "server CPU per operation", f"{shape}; user and system time of all three",
            [*cpu.values()]),
        Row(2, "operations per second", shape, [*throughput.values()]),
        Row(3, "p99 at saturation", shape, [*p99.values()]),
    ]
