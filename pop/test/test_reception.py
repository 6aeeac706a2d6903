"""Where administrators come in: on real sockets."""

import contextlib
import os
import shutil
import socket
import stat
import subprocess
import sys
import tempfile
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.protocol import Protocol
from twisted.internet.task import Clock, deferLater
from twisted.internet.threads import deferToThread
from twisted.logger import capturedLogs
from twisted.trial.unittest import SynchronousTestCase, TestCase

from pop.admin import at_pb_socket, at_socket
from pop.errors import AgentLost, AgentSilent
from pop.reception import (
    MOST,
    QUIET,
    Complaints,
    Reception,
    Visitors,
    visitors,
    visitors_by_pb,
)
from pop.sockets import Sockets
from pop.test.scripted import Reader, Scripted

LOADS = """
import sys
import pop.daemon
from twisted.internet import reactor
import pop.reception
assert "twisted.protocols.amp" not in sys.modules
door = pop.reception.visitors("m1", lambda: None, reactor, "here")
assert door.buildProtocol(None) is not None
assert "twisted.protocols.amp" in sys.modules
assert "OpenSSL" not in sys.modules
import OpenSSL.SSL
"""


class ComplaintsTests(SynchronousTestCase):
    """What the log says of those who were turned away."""

    def setUp(self) -> None:
        """Have a clock."""
        self.clock = Clock()
        self.complaints = Complaints(self.clock, "/door")

    def said(self, *complaints: str) -> list[str]:
        """What is logged about these."""
        with capturedLogs() as logs:
            for each in complaints:
                self.complaints.add(each)
        return [log["log_format"].format(**log) for log in logs]

    def test_once(self) -> None:
        """Each kind is said once, however many there are, and counted from then on."""
        said = self.said("noise", "noise", "silence", "noise")
        self.assertEqual(["Turned away at /door: noise.", "Turned away at /door: silence."], said)
        self.clock.advance(QUIET)
        self.assertEqual(["Turned away at /door: noise (2 more before)."], self.said("noise"))

    def test_forgotten(self) -> None:
        """What was long ago costs nothing any more."""
        self.said(*(f"noise {n}" for n in range(100)))
        self.clock.advance(20 * QUIET)
        self.assertEqual(["Turned away at /door: silence."], self.said("silence"))
        self.assertEqual(["Turned away at /door: noise 1."], self.said("noise 1"))


class VisitorsTests(SynchronousTestCase):
    """So many at a time."""

    def test_full(self) -> None:
        """One more is turned away, until another has left."""
        leaving: list[Any] = []

        def welcome(refused: Any, left: Any) -> Protocol:
            leaving.append(left)
            return Protocol()

        door = Visitors(welcome, Complaints(Clock(), "/door"), most=2)
        with capturedLogs() as logs:
            built = [door.buildProtocol(None) for _ in range(4)]
        self.assertEqual([False, False, True, True], [each is None for each in built])
        self.assertEqual(1, len(logs))
        leaving[0]()
        self.assertIsNotNone(door.buildProtocol(None))
        self.assertIsNone(door.buildProtocol(None))


class DoorTestCase(TestCase):
    """An agent that can be asked at a socket."""

    timeout = 20

    def setUp(self) -> None:
        """Listen."""
        from twisted.internet import reactor

        self.reactor: Any = reactor
        self.directory = tempfile.mkdtemp(prefix="pop-")
        self.addCleanup(shutil.rmtree, self.directory)
        self.path = os.path.join(self.directory, "admin.sock")
        self.agent = Scripted()
        self.agent.answer = {"pid": 12}
        self.sockets = Sockets()
        self.reception = self.open(self.sockets)

    def open(self, sockets: Sockets) -> Reception:
        """Have a reception."""
        self.visitors = visitors("m1", lambda: self.agent, self.reactor, self.path)
        reception = Reception(self.reactor, sockets, {self.path: self.visitors})
        reception.open()
        self.addCleanup(reception.close, keep=False)
        return reception

    async def nobody(self) -> None:
        """Wait until all have left."""
        while self.visitors.here:
            await deferLater(self.reactor, 0.01)


class SocketTests(DoorTestCase):
    """The door on the agent's own machine."""

    async def test_asked(self) -> None:
        """Who may connect may ask."""
        admin = await at_socket(self.reactor, self.path, "m1")
        self.assertEqual({"pid": 12}, await admin.info())
        await admin.close()
        await self.nobody()

    def test_owner_only(self) -> None:
        """Nobody else may."""
        self.assertEqual(0o600, stat.S_IMODE(os.stat(self.path).st_mode))

    async def test_wrong_machine(self) -> None:
        """Who looks for another machine is told."""
        try:
            await at_socket(self.reactor, self.path, "m2")
        except AgentSilent as error:
            self.assertIn("the agent of m1 does", str(error))
        else:
            self.fail("nothing was refused")
        await self.nobody()

    async def test_nobody_there(self) -> None:
        """Who comes when the agent has gone is told so; nothing is left of its door."""
        await self.reception.close(keep=False)
        self.assertFalse(os.path.exists(self.path))
        try:
            await at_socket(self.reactor, self.path, "m1")
        except AgentSilent as error:
            self.assertIn(self.path, str(error))
        else:
            self.fail("nothing was refused")

    async def test_stale(self) -> None:
        """The socket of an agent that was killed is replaced."""
        await self.reception.close(keep=True)
        for held in self.sockets._held.pop("").values():
            held.close()  # as the system does
        self.assertTrue(os.path.exists(self.path))
        self.open(Sockets())
        admin = await at_socket(self.reactor, self.path, "m1")
        await admin.close()
        await self.nobody()

    async def test_upgrade(self) -> None:
        """Who comes while the agent becomes another version of itself waits, and is answered."""
        await self.reception.close(keep=True)
        coming = Deferred.fromCoroutine(at_socket(self.reactor, self.path, "m1"))
        await deferLater(self.reactor, 0.1)
        self.assertNoResult(coming)
        taken = {
            service: {text: os.dup(number) for text, number in held.items()}
            for service, held in self.sockets.export().items()
        }
        self.open(Sockets(taken))
        admin = await coming
        self.assertEqual({"pid": 12}, await admin.info())
        await admin.close()
        await self.nobody()

    async def test_stream(self) -> None:
        """Megabytes go through it in order, to a reader who takes its time."""
        text = b"".join(b"line %d\n" % n for n in range(500_000))

        async def tell() -> None:
            assert self.agent.output is not None
            for start in range(0, len(text), 100_000):
                await self.agent.output.write("web", text[start : start + 100_000])

        admin = await at_socket(self.reactor, self.path, "m1")
        reader = Reader()
        self.agent.answer = lambda: Deferred.fromCoroutine(tell())
        await admin.logs("web", -1, False, reader)
        self.assertEqual(text, reader.text("web"))
        await admin.close()
        await self.nobody()

    async def test_many_at_once(self) -> None:
        """Who asks far more at once than fits into the connection gets each answer."""
        self.agent.answer = "x" * 5000
        admin = await at_socket(self.reactor, self.path, "m1")
        asked = [admin.why("web" * 30) for _ in range(5000)]
        for each in asked:
            self.assertEqual(self.agent.answer, await each)
        await admin.close()
        await self.nobody()

    async def test_end_of_the_agent(self) -> None:
        """Who is connected when the agent ends is told."""
        admin = await at_socket(self.reactor, self.path, "m1")
        self.agent.answer = Deferred()
        asked = admin.info()
        for selectable in self.reactor.getReaders():
            if type(selectable).__name__ == "Server":
                selectable.abortConnection()
        await self.assertFailure(asked, AgentLost)
        await admin.lost


class BrokerTests(DoorTestCase):
    """The door for Perspective Broker."""

    async def test_asked(self) -> None:
        """Who may connect may ask, by that too."""
        path = os.path.join(self.directory, "pb.sock")
        door = visitors_by_pb(lambda: self.agent, self.reactor, path)
        reception = Reception(self.reactor, Sockets(), {path: door})
        reception.open()
        self.addCleanup(reception.close, keep=False)
        admin = await at_pb_socket(self.reactor, path)
        self.assertEqual({"pid": 12}, await admin.info())
        await admin.close()
        while door.here:
            await deferLater(self.reactor, 0.01)


class IntruderTests(DoorTestCase):
    """Who may connect, but does no good there."""

    def client(self) -> socket.socket:
        """Somebody who connects."""
        found = socket.socket(socket.AF_UNIX)
        self.addCleanup(found.close)
        found.settimeout(10)
        found.connect(self.path)
        return found

    async def turned_away(self, client: socket.socket) -> None:
        """Wait until somebody's connection has been ended."""
        with contextlib.suppress(ConnectionResetError):
            self.assertEqual(b"", await deferToThread(client.recv, 1))

    async def test_garbage(self) -> None:
        """Noise, another protocol, descriptors: the connection ends, and the agent goes on."""
        with capturedLogs() as logs:
            for data in (b"GET / HTTP/1.0\r\n\r\n", b"\xff" * 100_000, b"\0\1a\0\1b\0\0"):
                client = self.client()
                with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                    client.sendall(data)
                await self.turned_away(client)
        said = [log["log_format"] for log in logs if "Turned away" in log["log_format"]]
        self.assertEqual(2, len(said))
        self.assertEqual([], [log for log in logs if log["log_level"].name == "critical"])
        admin = await at_socket(self.reactor, self.path, "m1")
        await admin.close()
        await self.nobody()

    async def test_descriptors(self) -> None:
        """Descriptors that are sent along are closed."""
        client = self.client()
        reading, writing = os.pipe()
        socket.send_fds(client, [b"\0"], [writing])
        os.close(writing)
        self.assertEqual(b"", await deferToThread(os.read, reading, 1))
        os.close(reading)
        client.close()
        await self.nobody()

    async def test_crowd(self) -> None:
        """So many may be there; the others are turned away at once, which is said once."""
        with capturedLogs() as logs:
            clients = []
            for number in range(1, MOST + 1):
                clients.append(self.client())
                while self.visitors.here < number:
                    await deferLater(self.reactor, 0.001)
            for _ in range(50):
                await self.turned_away(self.client())
        said = [log for log in logs if "Turned away" in log["log_format"]]
        self.assertEqual(1, len(said))
        for client in clients:
            client.close()
        await self.nobody()
        admin = await at_socket(self.reactor, self.path, "m1")
        await admin.close()
        await self.nobody()


class LoadTests(SynchronousTestCase):
    """An agent that nobody asks does without all of it."""

    def test_lazy(self) -> None:
        """What speaks the protocol is loaded for the first who comes, and OpenSSL is not."""
        subprocess.run([sys.executable, "-c", LOADS], check=True)
