"""The shell at an endpoint."""

import json
import socket
import threading
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.endpoints import UNIXServerEndpoint
from twisted.internet.error import ConnectionDone
from twisted.internet.testing import StringTransportWithDisconnection
from twisted.internet.threads import deferToThread
from twisted.python.failure import Failure
from twisted.trial.unittest import TestCase

from pop.components.shell.commands import SERVICE_SHELL_COMMAND
from pop.components.shell.front import Distant, Gone, carry_out
from pop.components.shell.server import HELLO, ShellFactory, ShellProtocol
from pop.components.shell.session import Session
from pop.test.test_component_shell import ShellCase


class Asking:
    """Commands that take their time."""

    def __init__(self) -> None:
        self.waiting: Deferred[None] = Deferred()

    def get_namespace(self) -> str:
        """Its own."""
        return "test"

    def get_methods(self) -> list[tuple[str, Any]]:
        """The commands."""
        return [("ask", self.ask), ("wait", self.wait)]

    async def ask(self, session: Session) -> None:
        """Ask for a name."""
        session.write_line(f"Hello, {await session.prompt('Name? ')}!")

    def wait(self, session: Session) -> Deferred[None]:
        """Wait."""
        return self.waiting


class ServerCase(ShellCase):
    """Connections in memory."""

    def setUp(self) -> None:
        super().setUp()
        self.asking = Asking()
        self.context.register_service(SERVICE_SHELL_COMMAND, self.asking)
        self.factory = ShellFactory(self.shell, self.clock, most=2, most_lines=5, idle=60)

    def connect(self) -> tuple[ShellProtocol, StringTransportWithDisconnection]:
        """One more."""
        protocol = self.factory.buildProtocol(None)
        transport = StringTransportWithDisconnection()
        transport.protocol = protocol
        protocol.makeConnection(transport)
        return protocol, transport

    def say(self, connection: Any, *lines: str | dict[str, Any]) -> str:
        """What lines are answered with; of a program, if they are objects."""
        protocol, transport = connection
        for line in lines:
            text = line if isinstance(line, str) else json.dumps(line)
            protocol.dataReceived(text.encode() + b"\n")
        said: str = transport.value().decode()
        transport.clear()
        return said


class PersonTests(ServerCase):
    """Somebody who sends lines."""

    def test_commands(self) -> None:
        """Commands are carried out, in turn."""
        self.assertEqual(
            "** Pop Shell prompt **\n$ one\n$ two\n$ ",
            self.say(self.connect(), "echo one", "echo two"),
        )

    def test_greeting(self) -> None:
        """Who says nothing at first is greeted soon, and asked for a line."""
        protocol, transport = self.connect()
        self.assertEqual(b"", transport.value())
        self.clock.advance(0.2)
        self.assertEqual("** Pop Shell prompt **\n$ ", self.say((protocol, transport)))
        self.assertEqual("one\n$ ", self.say((protocol, transport), "echo one"))

    def test_sessions(self) -> None:
        """Each connection has variables of its own."""
        one, other = self.connect(), self.connect()
        self.say(one, "set x=1")
        self.assertIn("$x", self.say(other, "echo $x"))
        self.assertIn("1", self.say(one, "echo $x"))

    def test_quit(self) -> None:
        """Who quits is let go; the framework goes on."""
        one = self.connect()
        self.say(one, "quit")
        self.assertFalse(one[1].connected)
        self.assertTrue(self.framework.runs())

    def test_ask(self) -> None:
        """A command may ask for a line."""
        one = self.connect()
        self.assertIn("Name? ", self.say(one, "ask"))
        self.assertIn("Hello, pop!", self.say(one, "pop"))

    def test_gone(self) -> None:
        """Who leaves in the midst of a command harms nobody: the command is cancelled."""
        one, other = self.connect(), self.connect()
        self.say(one, "wait")
        one[0].connectionLost(Failure(ConnectionDone()))
        self.assertIn("x", self.say(other, "echo x"))

    def test_many_lines(self) -> None:
        """However many lines have waited for a command to end, all are carried out."""
        self.factory.most_lines = 1000
        one = self.connect()
        self.say(one, "wait", *["echo x"] * 900)
        self.asking.waiting.callback(None)
        self.assertEqual(900, self.say(one).count("x\n"))

    def test_half_closed(self) -> None:
        """What was sent before the end is carried out, however long it takes."""
        one = self.connect()
        self.say(one, "wait", "echo done")
        one[0].readConnectionLost()
        self.assertTrue(one[1].connected)
        self.asking.waiting.callback(None)
        self.assertIn("done", one[1].value().decode())
        self.assertFalse(one[1].connected)

    def test_bounds(self) -> None:
        """Who sends a line without an end, or too many lines, or lines that are too long together,
        is let go."""
        one, other = self.connect(), self.connect()
        one[0].dataReceived(b"x" * 70000)
        self.assertFalse(one[1].connected)
        self.say(other, "wait", *["echo x"] * 6)
        self.assertFalse(other[1].connected)
        self.factory.most_waiting, self.asking.waiting = 100_000, Deferred()
        third = self.connect()
        self.say(third, "wait", "x" * 60_000)
        self.assertTrue(third[1].connected)
        self.say(third, "x" * 60_000)
        self.assertFalse(third[1].connected)

    def test_too_many(self) -> None:
        """There are only so many at a time."""
        one, _, third = self.connect(), self.connect(), self.connect()
        self.assertFalse(third[1].connected)
        self.assertEqual(
            "There are too many at this shell already.\n", self.say(third, "echo nothing")
        )
        one[0].connectionLost(Failure(ConnectionDone()))
        self.assertTrue(self.connect()[1].connected)

    def test_idle(self) -> None:
        """Who says nothing for long is let go, but not while a command is carried out."""
        one, other = self.connect(), self.connect()
        self.say(other, "wait")
        self.clock.advance(61)
        self.assertEqual([False, True], [one[1].connected, other[1].connected])


class ProgramTests(ServerCase):
    """A program that sends objects."""

    def objects(self, connection: Any, *messages: Any) -> list[Any]:
        """What messages are answered with."""
        return [json.loads(line) for line in self.say(connection, *messages).splitlines()]

    def setUp(self) -> None:
        super().setUp()
        self.one = self.connect()
        self.ready = {"prompt": "$ ", "well": True, "end": False}
        self.assertEqual([self.ready], self.objects(self.one, HELLO.decode()))

    def test_line(self) -> None:
        """What a line writes comes before what has become of it."""
        self.assertEqual([{"out": "x\n"}, self.ready], self.objects(self.one, {"line": "echo x"}))
        [_, reply] = self.objects(self.one, {"line": "nonsense"})
        self.assertFalse(reply["well"])

    def test_complete(self) -> None:
        """Lines are completed."""
        self.assertEqual([{"choices": ["echo"]}], self.objects(self.one, {"complete": "ec"}))

    def test_cancel(self) -> None:
        """What is being carried out can be cancelled."""
        self.assertEqual([], self.objects(self.one, {"line": "wait"}))
        out, reply = self.objects(self.one, {"cancel": True})
        self.assertEqual(({"out": "Cancelled.\n"}, False), (out, reply["well"]))

    def test_garbage(self) -> None:
        """What is no message ends the connection, and nothing else."""
        for garbage in ("no object", "[]", "5", '{"line": "x", "cancel": true}', "[" * 5000):
            one = self.connect()
            self.say(one, HELLO.decode(), garbage)
            self.assertFalse(one[1].connected)


class DistantTests(TestCase):
    """The near end, in a thread, at a real socket."""

    def test_no_answer(self) -> None:
        """Who is let go in words for a person learns these words."""
        ours, theirs = socket.socketpair()
        with ours:
            with theirs:
                theirs.sendall(b"There are too many at this shell already.\n")
            gone = self.assertRaises(Gone, Distant, ours, print)
        self.assertEqual("There are too many at this shell already", str(gone))

    async def test_distant(self) -> None:
        """Lines are carried out, completed, and end with the first that fails."""
        from twisted.internet import reactor

        case = ServerCase("setUp")
        case.setUp()
        self.addCleanup(case.doCleanups)
        path = self.mktemp()[-60:].replace("/", "-")
        port = await UNIXServerEndpoint(reactor, path, mode=0o600).listen(
            ShellFactory(case.shell, reactor)
        )
        written: list[str] = []

        def use() -> tuple[int, list[str], int, bool]:
            with socket.socket(socket.AF_UNIX) as connection:
                connection.connect(path)
                far = Distant(connection, written.append)
                status = carry_out(far, iter(["echo one\n", "nonsense\n", "echo two\n"]))
                choices = far.complete("ec")
                quit_ = carry_out(far, iter(["quit\n", "echo three\n"]))
                try:
                    far.take("echo four")
                except Gone:
                    return status, choices, quit_, True
                return status, choices, quit_, False

        try:
            found = await deferToThread(use)
        finally:
            await port.stopListening()
        self.assertEqual((1, ["echo"], 0, True), found)
        self.assertEqual("one\n", written[0])
        self.assertNotIn("two", "".join(written))
        self.assertTrue(threading.current_thread() is threading.main_thread())
