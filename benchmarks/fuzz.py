"""Bytes from a hostile wire, found by coverage: ``python benchmarks/fuzz.py [OPTION...]``.

Needs Atheris (``pip install atheris``), whose options it takes: ``-max_total_time=600`` for ten
minutes. Every input goes to a record's reader, to the reader of batches, to a client's connection
and to a server's. What raises anything but a ``PacketError`` there is a finding, which Atheris
keeps in a file of its own and runs again if it is given that file's name.
"""

from __future__ import annotations

import sys
from typing import Any

from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.logger import ILogObserver, LogEvent, globalLogBeginner
from zope.interface import provider

try:
    import atheris  # type: ignore[import-untyped, import-not-found, unused-ignore]
except ImportError:
    sys.exit("Atheris is not installed: pip install atheris brings it.")

with atheris.instrument_imports(include=["txzookeeper"]):
    from txzookeeper import constants as c
    from txzookeeper.call import Call
    from txzookeeper.errors import PacketError
    from txzookeeper.jute import decode, encode, reader
    from txzookeeper.multi import decode_multi, decode_multi_response
    from txzookeeper.operations import REPLIES, REQUESTS
    from txzookeeper.protocol import ZookeeperProtocol
    from txzookeeper.records import (
        AuthRequest,
        ConnectRequest,
        ConnectResponse,
        GetChildrenResponse,
        WatcherEvent,
    )
    from txzookeeper.server import ZooKeeperServer
    from txzookeeper.statistics import Statistics

_KINDS = sorted({*REQUESTS.values(), *REPLIES.values()}, key=lambda kind: kind.__name__)
_HELLO = ConnectRequest(0, 0, 4000, 0, bytes(16))


class _Transport(StringTransport):
    """A transport that can be broken off."""

    def registerProducer(self, producer: Any, streaming: bool) -> None:
        """Take it for a transport that is always ready."""

    def unregisterProducer(self) -> None:
        """Do nothing."""

    def abortConnection(self) -> None:
        """Break it off."""
        self.disconnecting = True


def try_input(data: bytes) -> None:
    """Give one input to one of the four readers; the first byte chooses."""
    choice, rest = (data[0], data[1:]) if data else (0, b"")
    try:
        if choice < 128:
            decode(_KINDS[choice % len(_KINDS)], rest)
        elif choice < 160:
            (decode_multi if choice % 2 else decode_multi_response)(rest)
        elif choice < 208:
            _receive_as_client(rest, 1 + choice % 7)
        else:
            _receive_as_server(rest, 1 + choice % 7)
    except PacketError:
        return


def _receive_as_client(data: bytes, pieces: int) -> None:
    clock, events = Clock(), list[WatcherEvent]()
    protocol = ZookeeperProtocol(
        clock, clock.seconds, _HELLO, events.append, Statistics(), max_packet=1000
    )
    protocol.makeConnection(_Transport())
    welcome = encode(ConnectResponse(0, 4000, 7, bytes(16)))
    protocol.dataReceived(len(welcome).to_bytes(4, "big") + welcome)
    for _ in range(3):
        call: Call[Any] = Call(c.GET_CHILDREN_OP, "/", b"", reader(GetChildrenResponse))
        call.deferred.addErrback(lambda _: None)
        protocol.send(call)
    protocol.authenticate(AuthRequest(0, "digest", b"")).addErrback(lambda _: None)
    protocol.keep_alive(1.0, 2.0, 3.0)
    for offset in range(0, len(data), pieces):
        protocol.dataReceived(data[offset : offset + pieces])
    clock.advance(0)


def _receive_as_server(data: bytes, pieces: int) -> None:
    server = ZooKeeperServer(Clock())
    connection: Any = server.buildProtocol(None)
    connection.makeConnection(_Transport())
    hello = encode(_HELLO)
    connection.dataReceived(len(hello).to_bytes(4, "big") + hello)
    for offset in range(0, len(data), 50 * pieces):
        connection.dataReceived(data[offset : offset + 50 * pieces])


@provider(ILogObserver)
def _ignore(event: LogEvent) -> None:
    """Keep the log out of the way."""


def main() -> None:
    """Look for inputs until told to stop."""
    globalLogBeginner.beginLoggingTo([_ignore], redirectStandardIO=False)
    atheris.Setup(sys.argv, try_input)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
