"""The floor: the same requests as prepared bytes on a bare socket, and replies only counted.

It does nothing but wait for the server: no decoding, no matching of replies, no objects. So this
is about the most that the server gives to one connection on this machine. Not exactly: how many
requests arrive together, and who has the processors meanwhile, changes what the server can do.
One at a time it sleeps until an answer is there, so a client that stays awake may be quicker.

Source: ``zookeeper.jute`` of ZooKeeper 3.8.
"""

from __future__ import annotations

import socket
from functools import cache, partialmethod
from struct import pack
from typing import Any

from real_server import address
from workloads import PAYLOAD

_HEADER = 20
_STAT = 68
_READ = _HEADER + 4 + len(PAYLOAD) + _STAT

#: A quarter of the requests in flight leave at once: a server is slower on single ones.
_REFILL = 4

_CREATE, _DELETE, _GET, _SET, _CHECK, _MULTI, _CLOSE = 1, 2, 4, 5, 13, 14, -11

Exchange = tuple[bytes, int]
"""What is sent, and how many bytes come back."""


class Socket:
    """One connection, which blocks."""

    def __init__(self, servers: str, root: str) -> None:
        self._servers = servers
        self._root = root
        self._socket: socket.socket | None = None
        self._exchanges = cache(self._make)

    async def start(self) -> None:
        """Look whether there is a server."""
        self._open().close()

    async def stop(self) -> None:
        """Close."""
        if self._socket is not None:
            self._socket.sendall(_packet(_CLOSE, b""))
            self._socket.close()

    async def prepare(self, deed: str, count: int, in_flight: int) -> None:
        """Prepare the bytes, and connect: an old connection may be idle for too long."""
        await self.stop()
        self._socket = self._open()
        self._exchanges(deed, count, in_flight)

    async def _do(self, deed: str, count: int, in_flight: int) -> None:
        exchanges = self._exchanges(deed, count, in_flight)
        if in_flight == 1:
            self._one_at_a_time(exchanges)
        else:
            self._flow(exchanges, in_flight)

    get = partialmethod(_do, "get")
    set = partialmethod(_do, "set")
    create = partialmethod(_do, "create")
    delete = partialmethod(_do, "delete")
    watch = partialmethod(_do, "watch")
    multi = partialmethod(_do, "multi")

    def _open(self) -> socket.socket:
        connection = socket.create_connection(address(self._servers), timeout=30)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        hello = pack(">iqiqi16s?", 0, 0, 30_000, 0, 16, bytes(16), False)
        connection.sendall(pack(">i", len(hello)) + hello)
        answer = connection.recv(1000)
        if len(answer) < 20:
            raise RuntimeError("the server hung up")
        return connection

    def _one_at_a_time(self, exchanges: list[Exchange]) -> None:
        assert self._socket is not None
        for packet, size in exchanges:
            self._socket.sendall(packet)
            while size > 0:
                size -= self._received(self._socket)

    def _flow(self, exchanges: list[Exchange], in_flight: int) -> None:
        assert self._socket is not None
        packets = [packet for packet, _ in exchanges]
        size = exchanges[0][1]
        received, sent, least = 0, in_flight, in_flight // _REFILL
        self._socket.sendall(b"".join(packets[:sent]))
        while received < size * len(packets):
            received += self._received(self._socket)
            due = received // size + in_flight
            if packets[sent : sent + 1] and due - sent >= least:
                self._socket.sendall(b"".join(packets[sent:due]))
                sent = due

    def _received(self, connection: socket.socket) -> int:
        count = len(connection.recv(1 << 18))
        if not count:
            raise RuntimeError("the server hung up")
        return count

    def _make(self, deed: str, count: int, in_flight: int) -> list[Exchange]:
        make = getattr(self, f"_make_{deed}")
        made: list[Any] = [make(i, in_flight) for i in range(count)]
        return [pair for one in made for pair in (one if isinstance(one, list) else [one])]

    def _make_get(self, i: int, in_flight: int) -> Exchange:
        return _packet(_GET, _get(f"{self._root}/n", watch=False)), _READ

    def _make_set(self, i: int, in_flight: int) -> Exchange:
        return _packet(_SET, _set(f"{self._root}/n")), _HEADER + _STAT

    def _make_create(self, i: int, in_flight: int) -> Exchange:
        path = f"{self._root}/c/{i:07}"
        return _packet(_CREATE, _create(path)), _HEADER + 4 + len(path)

    def _make_delete(self, i: int, in_flight: int) -> Exchange:
        return _packet(_DELETE, _delete(f"{self._root}/c/{i:07}")), _HEADER

    def _make_watch(self, i: int, in_flight: int) -> list[Exchange] | Exchange:
        node = f"{self._root}/w/{i % max(in_flight, 1000):07}"
        look, change = _packet(_GET, _get(node, watch=True)), _packet(_SET, _set(node))
        after = _HEADER + _STAT + _HEADER + 12 + len(node)
        return (
            [(look, _READ), (change, after)] if in_flight == 1 else (look + change, _READ + after)
        )

    def _make_multi(self, i: int, in_flight: int) -> Exchange:
        node, path = f"{self._root}/n", f"{self._root}/c/t{i:07}"
        three = (
            _part(_CREATE, _create(path)) + _part(_SET, _set(path)) + _part(_DELETE, _delete(path))
        )
        check = _part(_CHECK, _text(node) + pack(">i", -1))
        body = check + 3 * three + pack(">i?i", -1, True, -1)
        back = 9 + 3 * (9 + 4 + len(path) + 9 + _STAT + 9) + 9
        return _packet(_MULTI, body), _HEADER + back


def _packet(op: int, body: bytes) -> bytes:
    return pack(">iii", len(body) + 8, 1, op) + body


def _part(op: int, body: bytes) -> bytes:
    return pack(">i?i", op, False, -1) + body


def _text(value: str | bytes) -> bytes:
    raw = value.encode() if isinstance(value, str) else value
    return pack(">i", len(raw)) + raw


def _get(path: str, watch: bool) -> bytes:
    return _text(path) + pack(">?", watch)


def _set(path: str) -> bytes:
    return _text(path) + _text(PAYLOAD) + pack(">i", -1)


def _create(path: str) -> bytes:
    everybody = pack(">ii", 1, 31) + _text("world") + _text("anyone")
    return _text(path) + _text(PAYLOAD) + everybody + pack(">i", 0)


def _delete(path: str) -> bytes:
    return _text(path) + pack(">i", -1)
