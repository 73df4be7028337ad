"""A client with one session, at work while the servers at argv[1] are replaced; what Resident.java does, with kazoo.

It creates sequential nodes, counts, reads what it wrote, and keeps an ephemeral node and a watch. It bears with lost
connections and with nothing else.

Prints "at work" when it is. For each line "more" it writes some more and prints "wrote more"; at "finish" it checks
that its session lives and nothing acknowledged is missing, and prints "all is well".
"""

import os
import queue
import sys
import threading

from kazoo.client import KazooClient
from kazoo.exceptions import BadVersionError, ConnectionLoss
from kazoo.protocol.states import KazooState

SESSION_TIMEOUT_S = 30
TIMEOUT_S = 60
WRITES = 20
PACE_S = 0.005
ROOT = "/resident-kazoo"
SHARED = "/resident-counter"


def main():
    resident = Resident(sys.argv[1])
    resident.write()
    print("at work", flush=True)
    asked = queue.Queue()
    threading.Thread(target=read, args=[asked], daemon=True).start()
    goal = None
    while (line := next_line(asked)) != "finish":
        resident.write()
        if line == "more":
            goal = len(resident.acknowledged) + WRITES
        if goal and len(resident.acknowledged) >= goal:
            print("wrote more", flush=True)
            goal = None
    resident.finish()


def read(asked):
    for line in sys.stdin:
        asked.put(line.strip())


def next_line(asked):
    try:
        return asked.get(timeout=PACE_S)
    except queue.Empty:
        return None


class Resident:
    def __init__(self, servers):
        self.reconnections = -1
        self.endings = []
        self.ended = threading.Event()
        # What each acknowledged node holds, and what nodes hold that may be there or not.
        self.acknowledged = {}
        self.unknown = set()
        self.count = 0
        self.client = KazooClient(hosts=servers, timeout=SESSION_TIMEOUT_S)
        self.client.add_listener(self.on_state)
        self.client.start(timeout=TIMEOUT_S)
        self.session = self.client.client_id[0]
        self.own = Counter(self.client, f"{ROOT}/counter", is_shared=False)
        self.shared = Counter(self.client, SHARED, is_shared=True)
        self.client.create(ROOT)
        self.client.create(f"{ROOT}/mine", ephemeral=True)
        self.client.create(self.own.path, b"0")
        # The recipe, which watches again after each lost connection: kazoo itself forgets its watches then.
        self.client.DataWatch(f"{ROOT}/end", self.on_end)

    def on_state(self, state):
        if state == KazooState.CONNECTED:
            self.reconnections += 1
        elif state == KazooState.LOST and not self.ended.is_set():
            # In kazoo's own thread, where an exception would only be logged.
            print("the session is lost", file=sys.stderr, flush=True)
            os._exit(1)

    def on_end(self, _data, stat):
        if stat:
            self.endings.append(stat)
            self.ended.set()

    def write(self):
        self.count += 1
        value = f"value-{self.count}".encode()
        self.unknown.add(value)
        try:
            path = self.client.create(f"{ROOT}/s-", value, sequence=True)
            self.unknown.remove(value)
            self.acknowledged[path] = value
            check(self.client.get(path)[0] == value, f"to read what was written at {path}")
            self.own.increment()
            self.shared.increment()
        except ConnectionLoss:
            # What else can happen is what this program is looking for.
            pass

    def finish(self):
        self.client.create(f"{ROOT}/end")
        check(self.ended.wait(TIMEOUT_S), "the event of a watch from the beginning")
        check(len(self.endings) == 1, "one event")
        check(self.client.client_id[0] == self.session, "the same session")
        mine = self.client.exists(f"{ROOT}/mine")
        check(mine and mine.ephemeralOwner == self.session, "the ephemeral node")
        self.own.verify()
        self.shared.verify()
        found = [name for name in self.client.get_children(ROOT) if name.startswith("s-")]
        for name in found:
            path = f"{ROOT}/{name}"
            value = self.client.get(path)[0]
            if path in self.acknowledged:
                check(self.acknowledged.pop(path) == value, f"{path} with {value}")
            else:
                check(value in self.unknown, f"{path} with {value}")
                self.unknown.remove(value)
        check(not self.acknowledged, f"all of {self.acknowledged}")
        self.client.stop()
        self.client.close()
        print(f"all is well: {len(found)} nodes, {self.reconnections} reconnections", flush=True)


class Counter:
    """A number that goes up by compare and set."""

    def __init__(self, client, path, is_shared):
        self.client = client
        self.path = path
        self.is_shared = is_shared
        self.acknowledged = 0
        self.unknown = 0
        self.newest = 0

    def increment(self):
        data, stat = self.client.get(self.path)
        value = int(data)
        check(value >= self.newest, f"{self.path} does not go back from {self.newest} to {value}")
        self.unknown += 1
        try:
            self.client.set(self.path, str(value + 1).encode(), version=stat.version)
            self.newest = value + 1
            self.acknowledged += 1
        except BadVersionError:
            # By another client, or by a request of this one that a lost connection has left on its way.
            check(self.is_shared or self.unknown > 1, f"nobody else to count at {self.path}")
        self.unknown -= 1

    def verify(self):
        value = int(self.client.get(self.path)[0])
        if self.is_shared:
            is_possible = value >= max(self.newest, self.acknowledged)
        else:
            is_possible = self.acknowledged <= value <= self.acknowledged + self.unknown
        check(is_possible, f"{self.path} to be right at {value} after {self.acknowledged} and {self.unknown}")
        print(f"counted {self.path} {self.acknowledged} {self.unknown}", flush=True)


def check(holds, what):
    if not holds:
        raise AssertionError(f"expected: {what}")


if __name__ == "__main__":
    main()
