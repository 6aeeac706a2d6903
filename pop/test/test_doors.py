"""The doors of an agent: open while the reactor runs, and where ZooKeeper says that they are."""

import shutil
import tempfile
from collections.abc import Callable, Coroutine
from dataclasses import replace
from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.selectreactor import SelectReactor
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from pop.address import address
from pop.admin import at_pb_socket, at_socket
from pop.configuration import Configuration
from pop.doors import receive, ways
from pop.interfaces import IAdministration
from pop.model import Machine
from pop.paths import Paths
from pop.reception import OURS
from pop.sockets import Sockets
from pop.statedir import StateDirectory
from pop.test.scripted import Scripted

MACHINE = Machine("m1", "host.example", ("192.0.2.1", "2001:db8::1"))


class WaysTests(SynchronousTestCase):
    """Where an agent says that it can be found."""

    def setUp(self) -> None:
        self.here = Configuration("a:1", Paths(), StateDirectory(Path("/srv/pop")), "m1")

    def test_here(self) -> None:
        """By two sockets of its state directory, for each protocol one; and nowhere else."""
        found = ways(self.here, MACHINE)
        self.assertEqual({"unix": "/srv/pop/admin.sock", "pb": "/srv/pop/admin-pb.sock"}, found)

    def test_abroad(self) -> None:
        """Told to listen by TLS, by the machine's name and addresses too, or as it was told."""
        for text, hosts in (
            ("tls:7000", ["host.example", "192.0.2.1"]),
            ("tls:7000:interface=::", ["host.example", "2001:db8::1"]),
            ("tls:7000:interface=192.0.2.1", ["192.0.2.1"]),
            ("tls:7000:host=public.example", ["public.example"]),
        ):
            found = ways(replace(self.here, admin=address(text)), MACHINE)
            self.assertEqual({"hosts": hosts, "port": 7000}, found["tls"], text)


class ReceptionTests(SynchronousTestCase):
    """A reactor of its own, which runs for as long as a test has something to do there.

    @ivar asked: how often it was asked who answers.
    """

    def setUp(self) -> None:
        directory = Path(tempfile.mkdtemp(prefix="pop-"))
        self.addCleanup(shutil.rmtree, directory)
        self.state_dir = StateDirectory(directory)
        self.state_dir.make()
        self.agent = Scripted()
        self.agent.answer = {"pid": 12}
        self.sockets = Sockets()
        self.addCleanup(self.sockets.release, OURS)
        self.keeps = False
        self.asked = 0

    def administration(self) -> IAdministration:
        """Who answers."""
        self.asked += 1
        return self.agent

    def during(self, work: Callable[[Any], Coroutine[Any, Any, Any]]) -> Any:
        """Run a reactor with the doors, until some work is done."""
        reactor: Any = SelectReactor()
        self.addCleanup(self._close, reactor)
        receive(
            reactor, "m1", self.administration, self.state_dir, self.sockets, lambda: self.keeps
        )
        self.assertFalse(self.state_dir.admin.exists())
        came: list[Any] = []

        def begin() -> None:
            Deferred.fromCoroutine(work(reactor)).addBoth(came.append).addCallback(
                lambda _: reactor.stop()
            )

        reactor.callWhenRunning(begin)
        reactor.run(installSignalHandlers=False)
        [result] = came
        if isinstance(result, Failure):
            result.raiseException()
        return result

    def _close(self, reactor: Any) -> None:
        """End what a reactor keeps of its own when it has ended."""
        for reader in list(reactor._internalReaders):
            reactor._internalReaders.discard(reader)
            reactor.removeReader(reader)
            reader.connectionLost(Failure(ConnectionError()))

    async def ask(self, reactor: Any) -> Any:
        """Ask the agent of this machine something, by each of its sockets."""
        by_amp = await at_socket(reactor, str(self.state_dir.admin), "m1")
        by_pb = await at_pb_socket(reactor, str(self.state_dir.admin_pb))
        answers = [await by_amp.info(), await by_pb.info()]
        by_amp.close()
        by_pb.close()
        return answers

    def test_open(self) -> None:
        """While the reactor runs, administrators are let in by either socket; after it, by none."""
        self.assertEqual([{"pid": 12}] * 2, self.during(self.ask))
        self.assertFalse(self.state_dir.admin.exists())
        self.assertFalse(self.state_dir.admin_pb.exists())

    def test_nobody_comes(self) -> None:
        """What answers is not even asked for before somebody comes."""

        async def nothing(_: Any) -> None:
            pass

        self.during(nothing)
        self.assertEqual(0, self.asked)

    def test_kept(self) -> None:
        """If they are left to the next agent, so are the sockets: who comes in between waits."""
        self.keeps = True
        self.during(self.ask)
        self.assertTrue(self.state_dir.admin.exists())
        self.assertEqual(1, len(self.sockets.export()))
