"""A pytest plugin: a range of ports of its own for each process that runs kazoo's tests.

kazoo's harness counts its ports up from ZOOKEEPER_PORT_OFFSET, ten for each server, without looking
whether they are free. With pytest-xdist several harnesses run at once; each worker gets a slice of
the ports below the ephemeral range, and within it the first run of free ones.
"""

import os
import socket

PORT_MIN = 11000
PORTS_PER_WORKER = 1000
WORKERS_MAX = 20
PORTS_PER_SERVER = 10


def pytest_configure(config):
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    servers = int(os.environ.get("ZOOKEEPER_CLUSTER_SIZE", "3"))
    slice_start = PORT_MIN + worker % WORKERS_MAX * PORTS_PER_WORKER
    os.environ["ZOOKEEPER_PORT_OFFSET"] = str(
        first_free_run(slice_start, PORTS_PER_SERVER * servers)
    )


def first_free_run(slice_start, length):
    # Two runs of the suite at once start looking in different places.
    starts = list(range(slice_start, slice_start + PORTS_PER_WORKER - length, length))
    pivot = os.getpid() % len(starts)
    for start in starts[pivot:] + starts[:pivot]:
        if all(is_free(port) for port in range(start, start + length)):
            return start
    raise RuntimeError(f"no {length} free ports in a row from {slice_start}")


def is_free(port):
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True
