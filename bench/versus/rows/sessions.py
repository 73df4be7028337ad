"""Sessions that do nothing: opening them, keeping them, and bringing them back after the leader."""

from versus.figure import AtMost, Better, Figure, Row

NUMBERS = (9,)
SHARES_ENSEMBLES = True

# At one server at the same time; Java's listening socket has room for 50.
OPENINGS = 48


def measure(lab):
    count = lab.effort.sessions
    opened = Figure("opened per second", "per second", Better(10), more_is_better=True)
    back = Figure(f"{count:,} sessions back after the leader is killed", "seconds",
                  AtMost(1.0, "1 s"))
    size = Figure("bytes per idle session", "bytes", AtMost(4096, "4 KiB"), note="one server")
    services = lab.ensembles()
    for system in lab.turns("sessions, and the leader's end"):
        service = services[system]
        leader = service.leader()
        report = lab.generator.run("sessions", service, "--connections", count, "--in-flight",
                                   OPENINGS, "--idle", 0.2, "--kill", leader.process.pid)
        opened.add(system, report["phases"]["open"]["per_second"])
        back.add(system, report["phases"]["back"]["elapsed_seconds"])
        leader.process.wait()
        leader.start()
        service.await_ready()
    for system in lab.turns("idle sessions"):
        service = lab.service(system, "sessions", 1).start().await_ready()
        report = lab.generator.run("sessions", service, "--connections", count, "--in-flight",
                                   OPENINGS)
        size.add(system, report["memory"]["bytes_per_unit"])
        lab.end(service)
    how = (f"{count:,} sessions over three servers, at most {OPENINGS} openings at once at each; "
           "back: all have had an answer that needs a leader; bytes: growth of one server's "
           "resident memory")
    return [Row(9, "sessions", how, [opened, size, back])]
