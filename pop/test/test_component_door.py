"""Where a shell may be reached, and by whom."""

import os
import socket
import ssl
from collections.abc import Callable
from functools import partial
from pathlib import Path
from stat import S_IMODE
from time import time  # noqa: TID251  # OpenSSL knows no other
from typing import Any

from twisted.cred.checkers import ICredentialsChecker, InMemoryUsernamePasswordDatabaseDontUse
from twisted.cred.credentials import IUsernamePassword
from twisted.internet.defer import Deferred, fail, maybeDeferred
from twisted.internet.interfaces import IListeningPort
from twisted.internet.task import cooperate, deferLater
from twisted.internet.threads import deferToThread
from twisted.trial.unittest import SynchronousTestCase, TestCase
from zope.interface import implementer

from pop.authority import Authority
from pop.components.shell.commands import SERVICE_SHELL_COMMAND
from pop.components.shell.door import Door, NotADoor, OpenDoor
from pop.components.shell.front import Distant
from pop.components.shell.server import HELLO, ShellFactory
from pop.components.shell.session import Session
from pop.test.shells import LOOK_AGAIN
from pop.test.test_component_server import ServerCase


class DescriptionTests(SynchronousTestCase):
    """What may be a door; nothing listens there yet."""

    def door(self, description: str, guarded: bool = False) -> Door:
        """One, if it may be."""
        from twisted.internet import reactor

        return Door(reactor, description, guarded)

    def setUp(self) -> None:
        self.pem = self.mktemp()
        Path(self.pem).write_bytes(Authority.make(time()).agent("m1", time()).pem)

    def test_private(self) -> None:
        """It may be where only those come who are on this machine, or whom a mode lets in."""
        for private in (
            "unix:/run/x.sock",
            "unix:x.sock:mode=660",
            "tcp:9000:interface=127.0.0.1",
            "tcp:9000:interface=127.8.0.1:backlog=5",
            "tcp:9000:interface=localhost",
            "tcp6:9000:interface=\\:\\:1",
            f"ssl:9000:privateKey={self.pem}:interface=127.0.0.1",
        ):
            self.door(private)

    def test_open(self) -> None:
        """It may not be where just anybody comes; TLS alone asks nobody who they are."""
        for anybodys in (
            "tcp:9000",
            "tcp:9000:interface=0.0.0.0",
            "tcp:1:interface=127.0.0.1.x.org",
            "tcp:9000:interface=127.0.0.1:interface=0.0.0.0",
            "unix:x.sock:mode=666",
            "unix:x.sock:mo\\de=0o666",
            "unix:\0x.sock",
            f"ssl:9000:privateKey={self.pem}",
        ):
            self.assertRaises(OpenDoor, self.door, anybodys)

    def test_guarded(self) -> None:
        """Where people are asked who they are, anybody may try, but no password goes in clear."""
        self.door(f"ssl:9000:privateKey={self.pem}", guarded=True)
        self.door("unix:x.sock:mode=666", guarded=True)
        self.assertRaises(OpenDoor, self.door, "tcp:9000", guarded=True)

    def test_nonsense(self) -> None:
        """What is no address is refused in a sentence.

        iPOPO silently takes another port, or all interfaces, instead.
        """
        for nonsense, reason in (
            ("tcp:Abc:interface=127.0.0.1", "it should be like unix:PATH"),
            ("tcp:None:interface=127.0.0.1", "it should be like unix:PATH"),
            ("tcp:interface=127.0.0.1", "it should be like unix:PATH"),
            ("unix:x:mode=8", "it should be like unix:PATH"),
            ("unix:x:600", "it should be like unix:PATH"),
            ("unix:x:color=blue", "it should be like unix:PATH"),
            ("ssl:9000:privateKey=/no/such/file", "No such file or directory (/no/such/file)"),
            ("fridge:1", "it should be like unix:PATH"),
            ("", "it should be like unix:PATH"),
        ):
            self.assertIn(reason, str(self.assertRaises(NotADoor, self.door, nonsense)))


@implementer(ICredentialsChecker)
class Unsure:
    """Somebody who looks passwords up elsewhere.

    @ivar answer: what comes of that.
    """

    credentialInterfaces = (IUsernamePassword,)

    def __init__(self, answer: Deferred[bytes]) -> None:
        self.answer = answer

    def requestAvatarId(self, credentials: Any) -> Any:
        """For the door."""
        return self.answer


class LoginTests(ServerCase):
    """Who comes to a guarded door, in memory."""

    def setUp(self) -> None:
        super().setUp()
        self.one = self.come(InMemoryUsernamePasswordDatabaseDontUse(me=b"secret"))

    def come(self, checker: Any) -> Any:
        """Somebody, to a door with this checker."""
        self.factory = ShellFactory(self.shell, self.clock, idle=60, login=10, checker=checker)
        return self.connect()

    def closed(self, connection: Any = None) -> bool:
        """Whether a connection was."""
        return not (connection or self.one)[1].connected

    def test_enter(self) -> None:
        """Who knows a name's password comes in, and is known by that name."""
        self.assertEqual("** Pop Shell prompt **\nUser: Password: ", self.say(self.one, "me"))
        self.assertEqual("$ ", self.say(self.one, "secret"))
        self.assertEqual("me\n$ ", self.say(self.one, "whoami"))

    def test_refused(self) -> None:
        """Three wrong passwords end it; nothing that was sent with them is carried out."""
        lines = ["me", "wrong", "you", "secret", "set x=1", "echo x"]
        said = self.say(self.one, *lines[:4])
        self.assertEqual("Password: User: " * 2, said.partition("User: ")[2])
        self.assertFalse(self.closed())
        self.assertNotIn("x\n", self.say(self.one, *lines[4:], "me", "secret"))
        self.assertTrue(self.closed())

    def test_retry(self) -> None:
        """Who was wrong twice may be right the third time."""
        said = self.say(self.one, "me", "", "", "secret", "me", "secret", "echo in")
        self.assertTrue(said.endswith("$ in\n$ "), said)

    def test_trouble(self) -> None:
        """When passwords cannot be looked up, nobody comes in; why is in the log."""
        one = self.come(Unsure(fail(OSError("no disk"))))
        self.assertTrue(self.say(one, "me", "secret").endswith("User: "))
        self.assertEqual(1, len(self.flushLoggedErrors(OSError)))

    def test_time(self) -> None:
        """Who is not in by the login time-out is let go, whatever they send; who is, stays."""
        other, program = self.connect(), self.connect()
        self.say(other, "me", "secret")
        self.say(program, HELLO.decode())
        for _ in range(9):
            self.clock.advance(1)
            self.say(program, {"complete": "ec"})
        self.assertFalse(self.closed(program))
        self.clock.advance(2)
        self.assertEqual(
            [True, False, True], [self.closed(each) for each in (self.one, other, program)]
        )

    def test_slow_checker(self) -> None:
        """One who is still being looked up by then is let go, too, and harms nobody by that."""
        answer: Deferred[bytes] = Deferred()
        one = self.come(Unsure(answer))
        self.say(one, "me", "secret")
        self.clock.advance(11)
        self.assertTrue(self.closed(one))
        answer.callback(b"me")
        self.assertEqual([], self.clock.getDelayedCalls())

    def test_program(self) -> None:
        """A program logs in by lines, too, and learns nothing before; what is no text is wrong."""
        said = self.say(self.one, HELLO.decode(), {"line": "\ud800"}, {"line": "\udfff"})
        self.assertEqual(2, said.count('"prompt": "User: "'))
        said = self.say(self.one, {"complete": "ec"}, {"line": "me"}, {"line": "secret"})
        for part in ('"choices": []', '"Password: "', '"prompt": "$ "'):
            self.assertIn(part, said)
        self.assertIn('"echo"', self.say(self.one, {"complete": "ec"}))


class Flood:
    """A command that goes on writing, turn after turn of the reactor, until it is cancelled."""

    def __init__(self) -> None:
        self.ended: Deferred[None] = Deferred()

    def get_namespace(self) -> str:
        """Its own."""
        return "test"

    def get_methods(self) -> list[tuple[str, Any]]:
        """The commands."""
        return [("flood", self.flood), ("spill", self.spill)]

    def spill(self, session: Session) -> None:
        """Write more than a socket holds"""
        session.write("x" * 5_000_000)

    def flood(self, session: Session) -> Deferred[None]:
        """Write for ever"""

        def cancelled(_: object) -> None:
            task.stop()
            self.ended.callback(None)

        task = cooperate(iter(lambda: session.write("x" * 1000), 1))
        return Deferred(cancelled)


class SocketTests(TestCase):
    """Real doors."""

    timeout = 30

    def setUp(self) -> None:
        from twisted.internet import reactor

        self.reactor: Any = reactor
        self.case = ServerCase("setUp")
        self.case.setUp()
        self.addCleanup(self.case.doCleanups)
        # A path of a UNIX socket may have about 100 bytes.
        self.path = self.mktemp()[-60:].replace("/", "-")

    async def open(self, description: str, **options: Any) -> tuple[IListeningPort, ShellFactory]:
        """A door, until the test ends."""
        factory = ShellFactory(self.case.shell, self.reactor, **options)
        door = Door(self.reactor, description, bool(options.get("checker")))
        port = await door.listen(factory)

        async def close() -> None:
            await maybeDeferred(port.stopListening)
            for connection in list(factory.connections):
                connection.transport.abortConnection()

        self.addCleanup(lambda: Deferred.fromCoroutine(close()))
        return port, factory

    def pem(self, authority: Authority | None = None) -> str:
        """A file with a key and a certificate."""
        path = Path(self.mktemp())
        path.write_bytes((authority or Authority.make(time())).agent("m1", time()).pem)
        return str(path)

    def unix(self) -> socket.socket:
        """A connection to the UNIX socket; for threads."""
        connection = socket.socket(socket.AF_UNIX)
        self.addCleanup(connection.close)
        connection.settimeout(20)
        connection.connect(self.path)
        return connection

    async def test_mode(self) -> None:
        """A UNIX socket is its owner's alone, unless more are asked for."""
        for more, mode in (("", 0o600), (":mode=660", 0o660)):
            port, _ = await self.open(f"unix:{self.path}{more}")
            self.assertEqual(mode, S_IMODE(os.stat(self.path).st_mode))
            await maybeDeferred(port.stopListening)

    async def test_taken(self) -> None:
        """An address that is taken, or cannot be had, is refused in a sentence."""
        port, _ = await self.open("tcp:0:interface=127.0.0.1")
        number = port.getHost().port  # type: ignore[attr-defined]
        await self.open(f"unix:{self.path}")
        for description, reason in (
            (f"unix:{self.path}", "another process listens there"),
            (f"tcp:{number}:interface=127.0.0.1", "Address already in use"),
            ("tcp:100000:interface=127.0.0.1", "it should be like"),
            ("tcp:-1:interface=127.0.0.1", "it should be like"),
            ("tcp:0:interface=127.0.0.999", "not known"),
            ("unix:/no/such/directory/x", "No such file or directory"),
            ("unix:" + "x" * 200, "AF_UNIX path too long"),
        ):
            with self.assertRaises(NotADoor) as caught:
                await self.open(description)
            self.assertIn(reason, str(caught.exception))

    async def test_tls(self) -> None:
        """Over TLS, who knows a password comes in, each with a session of their own."""
        authority = Authority.make(time())
        port, _ = await self.open(
            f"ssl:0:privateKey={self.pem(authority)}",
            checker=InMemoryUsernamePasswordDatabaseDontUse(me=b"secret"),
        )
        number = port.getHost().port  # type: ignore[attr-defined]
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.load_verify_locations(cadata=authority.pem.decode())

        def enter(written: list[str], password: str) -> Distant:
            plain = socket.create_connection(("127.0.0.1", number), 20)
            connection = context.wrap_socket(plain)
            self.addCleanup(connection.close)
            far = Distant(connection, written.append)
            far.take("me")
            far.take(password)
            return far

        def use() -> list[str]:
            written: list[str] = []
            one, other = enter(written, "secret"), enter(written, "secret")
            one.take("set x=1")
            for far in (one, other, enter(written, "wrong")):
                far.take("echo $x")
            return written

        self.assertEqual(["1\n", "$x\n"], await deferToThread(use))

    async def test_mid_output(self) -> None:
        """Who goes while a command writes harms nobody: the command ends, others go on."""
        flood = Flood()
        self.case.context.register_service(SERVICE_SHELL_COMMAND, flood)
        await self.open(f"unix:{self.path}")

        def use() -> str:
            one = self.unix()
            one.sendall(b"flood\n")
            one.recv(10_000)
            one.close()
            return self.answer(self.unix, b"echo still there\n")

        self.assertIn("still there", await deferToThread(use))
        await flood.ended

    async def test_bounds(self) -> None:
        """Who sends a line without an end, or nothing for long, is let go."""
        await self.open(f"unix:{self.path}", idle=0.3)

        def use() -> tuple[str, str]:
            return self.answer(self.unix, b"x" * 70_000), self.answer(self.unix, b"", end=False)

        endless, idle = await deferToThread(use)
        self.assertNotIn("$ x", endless)
        self.assertEqual("** Pop Shell prompt **\n$ ", idle)

    async def test_no_handshake(self) -> None:
        """Who connects, and never begins with TLS, is let go by the login time-out, too."""
        port, _ = await self.open(
            f"ssl:0:privateKey={self.pem()}",
            checker=InMemoryUsernamePasswordDatabaseDontUse(me=b"secret"),
            login=0.5,
        )
        number = port.getHost().port  # type: ignore[attr-defined]
        connect = partial(socket.create_connection, ("127.0.0.1", number), 20)
        self.assertEqual("", await deferToThread(self.answer, connect, b"", end=False))

    async def test_no_reader(self) -> None:
        """Who never reads what a command has written is let go when they are idle, too."""
        self.case.context.register_service(SERVICE_SHELL_COMMAND, Flood())
        _, factory = await self.open(f"unix:{self.path}", idle=0.5)
        connection = await deferToThread(self.unix)
        connection.sendall(b"spill\n")
        while not factory.connections:
            await deferLater(self.reactor, LOOK_AGAIN)
        while factory.connections:
            await deferLater(self.reactor, LOOK_AGAIN)

    async def test_unread(self) -> None:
        """Of a command that goes on writing, only so much is kept for who does not read it."""
        flood = Flood()
        self.case.context.register_service(SERVICE_SHELL_COMMAND, flood)
        await self.open(f"unix:{self.path}", most_unread=1_000_000)
        connection = await deferToThread(self.unix)
        connection.sendall(b"flood\n")
        await flood.ended

    async def test_read(self) -> None:
        """Who reads gets it all, however much that is."""
        self.case.context.register_service(SERVICE_SHELL_COMMAND, Flood())
        await self.open(f"unix:{self.path}")
        found = await deferToThread(self.answer, self.unix, b"spill\n" * 5)
        self.assertEqual(25_000_000, found.count("x"))

    def answer(self, connect: Callable[[], socket.socket], said: bytes, end: bool = True) -> str:
        """All that comes until the far end closes; for threads."""
        with connect() as connection:
            try:
                connection.sendall(said)
                if end:
                    connection.shutdown(socket.SHUT_WR)
                return b"".join(iter(lambda: connection.recv(65536), b"")).decode()
            except ConnectionError:
                return ""
