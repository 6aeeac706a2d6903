"""Where recipes are tested: clients on a memory server, and something that happens on the way."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from random import Random
from typing import Any

from twisted.internet.interfaces import IDelayedCall
from twisted.trial.unittest import SynchronousTestCase

from txzookeeper.client import ZookeeperClient
from txzookeeper.testing.line import Flow, Line, Lines, Meddler
from txzookeeper.testing.memory import MemoryServer


class Moment:
    """When the ``count``-th batch of packets passes, something is done, once.

    The deed is given the line; if it gives true, the batch is lost.
    """

    def __init__(self, count: int, deed: Callable[[Line], object]) -> None:
        self.left = count
        self._deed = deed

    @property
    def came(self) -> bool:
        """Whether it has been done."""
        return self.left <= 0

    def passes(self, line: Line) -> bool:
        """Count a batch, and say whether it gets through."""
        self.left -= 1
        return bool(self.left) or not self._deed(line)


class Moments:
    """A meddler at whose hands several things happen."""

    def __init__(self, *moments: Moment) -> None:
        self._moments = moments

    def passing(self, line: Line, flow: Flow, data: bytes) -> None:
        """Count for each of them."""
        if all([moment.passes(line) for moment in self._moments]):
            flow.put(data)


class Delay:
    """A meddler through whose hands everything takes its time."""

    def __init__(self, chance: Random) -> None:
        self._chance = chance

    def passing(self, line: Line, flow: Flow, data: bytes) -> None:
        """Let it wait for up to 20 ms."""
        flow.put(data, self._chance.random() / 50)


def cut(line: Line) -> bool:
    """Break the connection, so that what was about to pass is lost."""
    line.cut()
    return True


def expire(stage: Stage, client: Callable[[], ZookeeperClient], line: Line) -> bool:
    """End the session and break the connection."""
    stage.expire(client())
    return cut(line)


def moments(run: Callable[..., Moment], *args: Any) -> Iterator[int]:
    """Run something for the first, second, ... moment of it, until it has no more of them."""
    number = 1
    while run(number, *args).came:
        yield number
        number += 1


class Stage:
    """A memory server and its clients."""

    def __init__(self) -> None:
        self.server = MemoryServer()
        self.run = self.server.run
        self.clients: list[ZookeeperClient] = []
        self.lines: dict[ZookeeperClient, Lines] = {}

    def client(
        self,
        kind: Callable[..., Any] = ZookeeperClient,
        *moments: Moment,
        meddler: Meddler | None = None,
        chroot: str = "",
    ) -> Any:
        """Give a connected client; from then on its moments come, or somebody meddles."""
        lines = Lines(self.server.clock, self.server.endpoint)
        client = kind(
            self.server.servers + chroot,
            6000,
            reactor=self.server.clock,
            endpoint=lines.endpoint,
            random=Random(len(self.clients)),
        )
        self.clients.append(client)
        self.lines[client] = lines
        self.run(client.connect())
        lines.meddler = meddler or Moments(*moments)
        return client

    def expire(self, client: ZookeeperClient) -> None:
        """End a client's session, if it has not ended; it learns of that later."""
        with suppress(KeyError):
            self.server.server.expire(client.client_id[0])

    def close(self) -> Sequence[IDelayedCall]:
        """Close everything, and give what is left on the clock then."""
        for client in self.clients:
            self.run(client.close())
        self.server.close()
        return self.server.clock.getDelayedCalls()


class StageTestCase(SynchronousTestCase):
    """A stage on which one client is connected."""

    def setUp(self) -> None:
        """Set it."""
        self.stage = Stage()
        self.run_work = self.stage.run
        self.client = self.stage.client()

    def tearDown(self) -> None:
        """Close everything, and require that nothing is left on the clock."""
        self.assertEqual(self.stage.close(), [])
