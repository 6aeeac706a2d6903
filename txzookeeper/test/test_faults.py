"""Amid random faults nothing is lost that was promised, and nothing stays behind."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterable
from random import Random
from typing import Any, Final, cast

from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.internet.task import Clock
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase, TestCase

from txzookeeper.testing import SKIPPED, Network, real_servers
from txzookeeper.testing.faults import Trouble, run_for_real, run_in_memory
from txzookeeper.testing.faults.trouble import KINDS, befall
from txzookeeper.testing.flow import Flow
from txzookeeper.testing.line import Line, Lines

GROUPS: Final = 10
RUNS: Final = 100
"""How many runs there are in a group; the groups can be run side by side."""
REAL_RUNS: Final = 20


class MemoryTests(SynchronousTestCase):
    """Runs in memory: a seed that fails fails again, ``-m txzookeeper.testing.faults --memory``."""


def _group(number: int) -> Callable[[MemoryTests], None]:
    def test(self: MemoryTests) -> None:
        complaints: list[str] = []
        for seed in range(number * RUNS, (number + 1) * RUNS):
            complaints += run_in_memory(seed).complaints
        # Deferreds complain of their unhandled errors when they go.
        gc.collect()
        self.assertEqual([], complaints + [str(error) for error in self.flushLoggedErrors()])

    test.__doc__ = "Deferreds fire once, writes and watches are kept, nothing is left or logged."
    return test


for _number in range(GROUPS):
    setattr(MemoryTests, f"test_group_{_number}", _group(_number))


class RealTests(TestCase):
    """Runs against a real ZooKeeper, through TCP proxies."""

    skip = None if real_servers() else SKIPPED
    timeout = 120

    async def test_runs(self) -> None:
        """What holds in memory holds on a real server, over TCP."""
        from twisted.internet import reactor

        servers = real_servers() or ""
        runs = [Deferred.fromCoroutine(run_for_real(n, reactor, servers)) for n in range(REAL_RUNS)]
        complaints = [each for run in await gatherResults(runs) for each in run.complaints]
        self.assertEqual([], complaints)


class Recorder(Protocol):
    """Keeps what it receives, and whether the connection is over."""

    transport: Any

    def __init__(self) -> None:
        self.received = b""
        self.over = False

    def send(self, data: bytes) -> None:
        """Send it."""
        self.transport.write(data)

    def leave(self) -> None:
        """Hang up."""
        self.transport.loseConnection()

    def abort(self) -> None:
        """Break the connection."""
        self.transport.abortConnection()

    def dataReceived(self, data: bytes) -> None:
        """Keep it."""
        self.received += data

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Note it."""
        self.over = True


class Script:
    """A meddler who does to each chunk what he is told next."""

    def __init__(self, deeds: Iterable[str]) -> None:
        self._deeds = list(deeds)

    def passing(self, line: Line, flow: Flow, data: bytes) -> None:
        """Do it; when there is nothing more to do, let it pass."""
        befall(self._deeds.pop(0) if self._deeds else "pass", line, flow, data)


class LineTests(SynchronousTestCase):
    """What can be done to a connection."""

    def connect(self, *deeds: str) -> None:
        """Have a connection from ``near`` to ``far``, and this happen to what is sent there."""
        self.clock = Clock()
        self.near, self.far = Recorder(), Recorder()
        server: Any = Factory.forProtocol(lambda: self.far)
        network = Network(server, self.clock)
        self.lines = Lines(self.clock, network.endpoint, Script(deeds))
        self.lines.endpoint("far", 1).connect(Factory.forProtocol(lambda: self.near))
        self.clock.advance(0)

    def say(self, *chunks: bytes) -> None:
        """Have ``near`` send some chunks."""
        for chunk in chunks:
            self.near.send(chunk)
        self.clock.advance(0)

    def pass_time(self, seconds: float) -> None:
        """Let time pass, and everything arrive."""
        self.clock.advance(seconds)
        self.clock.advance(0)

    def assert_end(self, received: bytes) -> None:
        """The far end has this, both know that it is over, and nothing is left."""
        self.assertEqual((self.far.received, self.near.over, self.far.over), (received, True, True))
        self.assertEqual((self.lines.lines, self.clock.getDelayedCalls()), ([], []))

    def test_passing(self) -> None:
        """Where nobody meddles everything passes, and the end after it."""
        self.connect()
        self.say(b"1", b"2")
        self.far.send(b"3")
        self.far.leave()
        self.pass_time(0)
        self.assertEqual(self.near.received, b"3")
        self.assert_end(b"12")

    def test_delay(self) -> None:
        """What follows a chunk that is late does not overtake it; nor does the end."""
        self.connect("delay")
        self.say(b"1", b"2")
        self.near.leave()
        self.pass_time(0)
        self.assertEqual((self.far.received, self.far.over), (b"", False))
        self.pass_time(1)
        self.assert_end(b"12")

    def test_stall(self) -> None:
        """While a line is stalled nothing passes either way, and nobody is told."""
        self.connect("stall")
        self.say(b"1")
        self.far.send(b"2")
        self.far.leave()
        self.pass_time(1.4)
        self.assertEqual((self.far.received, self.near.received, self.near.over), (b"", b"", False))
        self.pass_time(1)
        self.assertEqual(self.near.received, b"2")
        self.assertTrue(self.near.over)

    def test_given_up_while_stalled(self) -> None:
        """A client that gives up a stalled line is rid of it at once, and what it said is lost."""
        self.connect("stall")
        self.say(b"1")
        self.near.abort()
        self.pass_time(0)
        self.assert_end(b"")

    def test_cut(self) -> None:
        """A line that is cut is over for both."""
        self.connect("delay", "cut")
        self.say(b"1", b"2")
        self.pass_time(0)
        self.assert_end(b"")

    def test_truncate(self) -> None:
        """The beginning of a chunk arrives, and then the end of the connection."""
        self.connect("truncate")
        self.say(b"1234", b"5678")
        self.pass_time(0)
        self.assert_end(b"12")

    def test_repeat(self) -> None:
        """A chunk arrives twice, in one piece."""
        self.connect("repeat")
        self.say(b"12", b"3")
        self.assertEqual(self.far.received, b"12123")


class TroubleTests(SynchronousTestCase):
    """Trouble that a seed makes."""

    def test_seeds(self) -> None:
        """A seed fails in the same way each time it is run."""
        first, second = run_in_memory(1), run_in_memory(1)
        self.assertNotEqual(first.trouble.counts, {})
        self.assertEqual(first.trouble.counts, second.trouble.counts)

    def test_everything_happens(self) -> None:
        """All kinds of trouble befall both directions within a hundred runs."""
        runs = [run_in_memory(seed) for seed in range(40)]
        happened = {each for run in runs for each in run.trouble.counts}
        self.assertEqual(happened, {(kind, way) for kind in KINDS for way in ("up", "down")})

    def test_calm(self) -> None:
        """When it is calm everything passes."""
        trouble = Trouble(Random(1), rate=1.0)
        trouble.calm()
        received: list[bytes] = []
        flow, line = Flow(Clock(), received.append), cast(Line, None)
        for _ in range(100):
            trouble.passing(line, flow, b"x")
        self.assertEqual(len(received), 100)
