"""Large requests and replies: the list of many children, many creates in one transaction."""

from versus.figure import Better, Figure, Row

NUMBERS = (11,)
SHARES_ENSEMBLES = True
CONNECTIONS = 4


def measure(lab):
    services = lab.ensembles()
    effort = lab.effort
    shapes = {
        "getChildren": (f"getChildren of {effort.children:,}", ("--children", effort.children)),
        "multi": (f"multi of {effort.batch:,} creates", ("--batch", effort.batch)),
    }
    figures = []
    for workload, (name, options) in shapes.items():
        figure = Figure(name, "per second", Better(5), more_is_better=True)
        figures.append(figure)
        for system in lab.turns(name):
            report = lab.load(workload, services[system], "--connections", CONNECTIONS,
                              "--in-flight", 1, *options)
            figure.add(system, report["operations_per_second"])
    return [Row(11, "large lists and transactions",
                f"three servers, {CONNECTIONS} connections × 1 in flight", figures)]
