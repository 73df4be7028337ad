"""Server processes of either kind: alone, or three of them together."""

import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass

from versus.place import ZOOKEEPER_JAR

# What Debian's zkServer.sh starts, with the heap that ZooKeeper's own zkEnv.sh gives a server
# (ZK_SERVER_HEAP), which Debian's lacks.
HEAP, LARGE_HEAP = "-Xmx1000m", "-Xmx3000m"
JAVA_OPTIONS = [
    HEAP,
    "-XX:+HeapDumpOnOutOfMemoryError",
    "-XX:OnOutOfMemoryError=kill -9 %p",
    "-Dcom.sun.management.jmxremote",
    "-Dcom.sun.management.jmxremote.local.only=true",
]
JAVA_MAIN = [
    "-cp", f"/etc/zookeeper/conf:{ZOOKEEPER_JAR}",
    "org.apache.zookeeper.server.quorum.QuorumPeerMain",
]
ZOOKEEPER_COMMAND = ["java", *JAVA_OPTIONS, *JAVA_MAIN]

READY_SECONDS_MAX = 120
POLL_SECONDS = 0.005

# Never within a measurement that does not ask for one. `zoo_cfg` sees to the size of the log.
NO_SNAPSHOT = 2_000_000_000


@dataclass(frozen=True)
class System:
    """What is compared: its name, and its command, to which the path of a zoo.cfg is appended."""

    name: str
    command: tuple

    def with_large_heap(self):
        """As somebody would start it who has a large tree; the same if it has no such option."""
        larger = (LARGE_HEAP if word == HEAP else word for word in self.command)
        return System(self.name, tuple(larger))


class Member:
    """A server and its directory."""

    def __init__(self, system, home, number, ensemble):
        self.system, self.home, self.number = system, home, number
        self.ensemble = ensemble
        self.data = home / "data"
        self.data.mkdir(parents=True)
        (self.data / "myid").write_text(f"{number}\n")
        self.output = home / "output.txt"
        self.port = free_port()
        self.process = None
        self.snap_count = None

    def start(self, snap_count=None):
        """Starts it; `snap_count` transactions make a snapshot due, or as many as by default."""
        config = self.home / "zoo.cfg"
        config.write_text(zoo_cfg(self.data, self.port, snap_count) + self.ensemble)
        with self.output.open("ab") as output:
            self.process = subprocess.Popen(
                [*self.system.command, str(config)],
                cwd=self.home,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    def mode(self):
        """standalone, leader or follower once it serves, and else nothing."""
        found = re.search(r"^Mode: (standalone|leader|follower)", self.srvr(), re.MULTILINE)
        return found and found.group(1)

    def srvr(self):
        return ask(self.port, b"srvr")

    def await_serving(self):
        deadline = time.monotonic() + READY_SECONDS_MAX
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                sys.exit(f"{self.system.name} has exited:\n{self.last_output()}")
            if self.mode():
                return
            time.sleep(POLL_SECONDS)
        sys.exit(f"{self.system.name} does not serve after {READY_SECONDS_MAX} s:\n"
                 f"{self.last_output()}")

    def last_output(self):
        return self.output.read_text(errors="replace")[-4000:]

    def metric(self, name):
        """A number that mntr tells; 0 if it does not."""
        found = re.search(rf"^zk_{name}\s+(\d+)", ask(self.port, b"mntr"), re.MULTILINE)
        return int(found.group(1)) if found else 0

    def version(self):
        found = re.search(r"^Zookeeper version: (\d[\w.]*)", self.srvr(), re.MULTILINE)
        return found.group(1) if found else "of unknown version"

    def memory_bytes(self):
        """Resident memory now."""
        status = open(f"/proc/{self.process.pid}/status").read()
        return int(re.search(r"^VmRSS:\s+(\d+) kB", status, re.MULTILINE).group(1)) * 1024

    def snapshots(self):
        return sorted(path.name for path in self.data.glob("version-2/snapshot.*"))

    def connect_string(self):
        return f"127.0.0.1:{self.port}"

    def kill(self):
        """As a loss of power would end it, as far as a process can tell."""
        self.process.kill()
        self.process.wait()

    def stop(self):
        if self.process is None or self.process.poll() is not None:
            return
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            self.kill()


class Service:
    """A server, or an ensemble of them."""

    def __init__(self, system, directory, size):
        self.system, self.directory = system, directory
        self.name = system.name
        ensemble = "".join(
            f"server.{number}=127.0.0.1:{free_port()}:{free_port()}\n"
            for number in range(1, size + 1)
        ) if size > 1 else ""
        shutil.rmtree(directory, ignore_errors=True)
        self.members = [Member(system, directory / str(number), number, ensemble)
                        for number in range(1, size + 1)]

    def start(self, snap_count=None):
        for member in self.members:
            member.start(snap_count)
        return self

    def await_ready(self):
        """Waits until all serve, and one of an ensemble leads the others."""
        deadline = time.monotonic() + READY_SECONDS_MAX
        for member in self.members:
            member.await_serving()
        while len(self.members) > 1 and time.monotonic() < deadline:
            modes = [member.mode() for member in self.members]
            if sorted(map(str, modes)) == ["follower"] * (len(modes) - 1) + ["leader"]:
                return self
            time.sleep(POLL_SECONDS)
        if len(self.members) > 1:
            sys.exit(f"the members of {self.name} do not find together")
        return self

    def leader(self):
        return next(member for member in self.members
                    if member.mode() in ("leader", "standalone"))

    def followers(self):
        return [member for member in self.members if member.mode() == "follower"]

    def connect_string(self):
        return ",".join(member.connect_string() for member in self.members)

    def memory_bytes(self):
        return sum(member.memory_bytes() for member in self.members)

    def end(self):
        """Stops it and removes what it has stored."""
        for member in self.members:
            member.stop()
        shutil.rmtree(self.directory, ignore_errors=True)


def ask(port, word):
    """What a server answers to a four-letter word; nothing if it does not."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
            connection.sendall(word)
            return b"".join(iter(lambda: connection.recv(4096), b"")).decode()
    except OSError:
        return ""


def zoo_cfg(data, port, snap_count):
    lines = (
        "tickTime=2000\n"
        "initLimit=30\n"
        "syncLimit=5\n"
        f"dataDir={data}\n"
        f"clientPort={port}\n"
        "clientPortAddress=127.0.0.1\n"
        "maxClientCnxns=0\n"
        "admin.enableServer=false\n"
        "forceSync=yes\n"
        "4lw.commands.whitelist=srvr,mntr\n"
    )
    # Neither the number of transactions nor the size of their log makes another one due. ZooKeeper 3.8.0
    # divides by the size if there is to be no limit, and ends.
    size_kib = 2_000_000_000
    limits = f"snapCount={snap_count}\nsnapSizeLimitInKb={size_kib}\n"
    return lines + (limits if snap_count else "")


# Given out already, though nobody listens there yet.
given_ports = set()


def free_port():
    while True:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        if port not in given_ports:
            given_ports.add(port)
            return port
