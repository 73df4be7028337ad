"""A client that asks one question, for the first request that a server answers."""

import socket
import struct
import time

CONNECT_REQUEST = struct.Struct(">iqiqi16s?")
CONNECT_RESPONSE = struct.Struct(">iiqi16s")
REPLY_HEADER = struct.Struct(">iqi")
GET_DATA = 4

ANSWER_SECONDS_MAX = 5
RETRY_SECONDS = 0.005


def await_first_reply(port, path, patience):
    """Tries until a server answers a read of a node that must be there."""
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        try:
            if reads(port, path.encode()):
                return
        except OSError:
            pass
        time.sleep(RETRY_SECONDS)
    raise SystemExit(f"no reply from port {port} after {patience} s")


def reads(port, path):
    with socket.create_connection(("127.0.0.1", port), timeout=ANSWER_SECONDS_MAX) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.sendall(packet(CONNECT_REQUEST.pack(0, 0, 30_000, 0, 16, bytes(16), False)))
        _, _, session, _, _ = CONNECT_RESPONSE.unpack_from(receive(connection))
        if session == 0:
            return False
        request = struct.pack(">ii", 1, GET_DATA) + packet(path) + b"\0"
        connection.sendall(packet(request))
        xid, _, error = REPLY_HEADER.unpack_from(receive(connection))
        if (xid, error) != (1, 0):
            raise SystemExit(f"reading {path.decode()} at port {port} gives error {error}")
        return True


def packet(data):
    return struct.pack(">i", len(data)) + data


def receive(connection):
    size, = struct.unpack(">i", exactly(connection, 4))
    return exactly(connection, size)


def exactly(connection, size):
    data = b""
    while len(data) < size:
        more = connection.recv(size - len(data))
        if not more:
            raise ConnectionError("closed")
        data += more
    return data
