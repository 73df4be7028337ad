"""A kazoo client that never rests and writes down what it sees, for crates/faults.

    history_client.py NAME SEED HOSTS FILE

It works until its standard input ends. Each line of FILE is an operation as crates/faults/src/history.rs
describes them. kazoo shows no header of a reply, so no line has a zxid but those in stats.
"""

import json
import random
import sys
import threading
import time

from kazoo.client import KazooClient
from kazoo.exceptions import BadVersionError, KazooException, NoNodeError, SystemZookeeperError
from kazoo.handlers.threading import KazooTimeoutError

REGISTERS = [f"/registers/{number}" for number in range(4)]
BAD_VERSION = -103
SYSTEM_ERROR = -1
NO_NODE = -101
THINKING_S = 0.01
PATIENCE_S = 6
SESSION_TIMEOUT_S = 9


class Historian:
    def __init__(self, name, seed, hosts, out):
        self.name = name
        self.dice = random.Random(seed)
        self.client = KazooClient(hosts=hosts, timeout=SESSION_TIMEOUT_S)
        self.out = out
        self.count = 0
        self.number = 0
        self.versions = {}

    def run(self, finished):
        self.client.start(timeout=60)
        while not finished.is_set():
            if self.client.connected:
                self.step()
            time.sleep(THINKING_S)
        self.client.stop()
        self.client.close()

    def step(self):
        path = self.dice.choice(REGISTERS)
        choice = self.dice.randrange(10)
        if choice < 3:
            self.set(path, None)
        elif choice < 5 and path in self.versions:
            self.set(path, self.versions[path])
        elif choice < 6:
            self.create()
        elif choice < 7:
            self.set_two()
        else:
            self.read(path, synced=choice == 7)

    def set(self, path, version):
        value = self.value()
        write = {"set": {"path": path, "value": value, "version": version}}

        def ask():
            condition = -1 if version is None else version
            stat = self.client.set_async(path, value.encode(), condition).get(timeout=PATIENCE_S)
            self.versions[path] = stat.version
            return written([stat])

        self.record({"write": [write]}, ask)

    def create(self):
        value = self.value()
        path = f"/nodes/{value}"

        def ask():
            asked = self.client.create_async(path, value.encode(), include_data=True)
            return written([asked.get(timeout=PATIENCE_S)[1]])

        self.record({"write": [{"create": {"path": path, "value": value}}]}, ask)

    def set_two(self):
        writes = []
        multi = self.client.transaction()
        for path in self.dice.sample(REGISTERS, 2):
            value = self.value()
            writes.append({"set": {"path": path, "value": value, "version": None}})
            multi.set_data(path, value.encode())

        def ask():
            return written(multi.commit_async().get(timeout=PATIENCE_S))

        self.record({"write": writes}, ask)

    def read(self, path, synced):
        def ask():
            # One behind the other, in the order in which they were sent.
            sync = self.client.sync_async(path) if synced else None
            read = self.client.get_async(path)
            if sync:
                sync.get(timeout=PATIENCE_S)
            value, stat = read.get(timeout=PATIENCE_S)
            self.versions[path] = stat.version
            return {"found": {"zxid": None, "value": value.decode(), "stat": seen(stat)}}

        self.record({"read": {"path": path, "synced": synced}}, ask)

    def record(self, action, ask):
        session = self.session()
        invoked = time.monotonic_ns()
        completed = None
        try:
            outcome = ask()
            completed = time.monotonic_ns()
        except BadVersionError:
            outcome = refused(BAD_VERSION)
            completed = time.monotonic_ns()
        except NoNodeError:
            outcome = refused(NO_NODE)
            completed = time.monotonic_ns()
        except SystemZookeeperError:
            # There is no room on the disk.
            outcome = refused(SYSTEM_ERROR)
            completed = time.monotonic_ns()
        except (KazooException, KazooTimeoutError):
            # Lost: nobody knows whether it was done.
            outcome = "unknown"
        self.number += 1
        line = {
            "client": self.name,
            # What was answered was asked in the session that there is now.
            "session": session if completed is None else self.session(),
            "number": self.number,
            "member": self.member(),
            "invoked_ns": invoked,
            "completed_ns": completed,
            "action": action,
            "outcome": outcome,
        }
        self.out.write(json.dumps(line) + "\n")
        self.out.flush()

    def session(self):
        identity = self.client.client_id
        return identity[0] if identity else 0

    def member(self):
        """By the address, 10.77.0.N; 0 when it is gone."""
        try:
            return int(self.client._connection._socket.getpeername()[0].split(".")[-1])
        except (AttributeError, OSError):
            return 0

    def value(self):
        self.count += 1
        return f"{self.name}-{self.count}"


def written(stats):
    return {"written": {"zxid": None, "stats": [seen(stat) for stat in stats]}}


def refused(code):
    return {"refused": {"zxid": None, "part": 0, "code": code}}


def seen(stat):
    return {"czxid": stat.czxid, "mzxid": stat.mzxid, "version": stat.version}


def main():
    name, seed, hosts, path = sys.argv[1:]
    finished = threading.Event()

    def wait_for_the_end():
        sys.stdin.read()
        finished.set()

    threading.Thread(target=wait_for_the_end, daemon=True).start()
    with open(path, "w", encoding="utf-8") as out:
        Historian(name, int(seed), hosts, out).run(finished)


if __name__ == "__main__":
    main()
