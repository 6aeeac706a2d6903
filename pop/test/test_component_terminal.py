"""The shell at a terminal: lines are edited there, completed, recalled, and broken off."""

import json
import os
import sys
import termios
from pathlib import Path
from stat import S_IMODE
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.endpoints import UNIXServerEndpoint
from twisted.internet.error import ProcessDone
from twisted.internet.protocol import ProcessProtocol
from twisted.internet.task import deferLater
from twisted.python.failure import Failure
from twisted.trial.unittest import TestCase

from pop.components.shell.commands import SERVICE_SHELL_COMMAND
from pop.components.shell.server import ShellFactory
from pop.components.shell.session import Session
from pop.test.shells import LOOK_AGAIN
from pop.test.test_component_server import ServerCase

TAB, UP, INTERRUPT, END = "\t", "\x1b[A", "\x03", "\x04"
DISTANT = """
import socket, sys
from pathlib import Path
from pop.components.shell import front

def write(text):
    print(text, end="", flush=True)

with socket.socket(socket.AF_UNIX) as connection:
    connection.connect(sys.argv[1])
    try:
        sys.exit(front.converse(front.Distant(connection, write), Path(sys.argv[2])))
    except front.Gone:
        sys.exit("gone")
"""


HANGING = """
from twisted.internet.defer import Deferred
from pop.components import ComponentFactory, Instantiate, Invalidate

@ComponentFactory("hanging")
@Instantiate("hanging")
class Hanging:
    @Invalidate
    def invalidate(self, context):
        print("hanging")
        return Deferred()
"""


INTERRUPTED = """
import os, signal, sys
from pop.components.shell import front
from pop.components.shell.conversation import Reply

class Far:
    def take(self, line):
        os.kill(os.getpid(), signal.SIGINT)
        return Reply("$ ", True)

sys.exit(front.converse(Far()))
"""


class Lingering:
    """A command that says so, and does not end."""

    def get_namespace(self) -> str:
        """Its own."""
        return "test"

    def get_methods(self) -> list[tuple[str, Any]]:
        """The command."""
        return [("linger", self.linger)]

    def linger(self, session: Session) -> Deferred[None]:
        """Wait for ever"""
        session.write_line("lingering")
        return Deferred()


class Terminal(ProcessProtocol):
    """A process at a pseudo-terminal.

    @ivar slave: its descriptor; held open, as nothing can be asked of one that nobody has open.
    @ivar shown: what it has shown since L{said} found something the last time.
    @ivar ended: fires with its exit status.
    @ivar closed: fires when nobody has the terminal any more, either.
    """

    transport: Any

    def __init__(self, slave: int) -> None:
        self.slave = slave
        self.shown = ""
        self.ended: Deferred[int] = Deferred()
        self.closed: Deferred[None] = Deferred()
        self._awaited: tuple[str, Deferred[str]] | None = None

    def outReceived(self, data: bytes) -> None:
        """For the process."""
        self.shown += data.decode(errors="replace")
        self._look()

    def processExited(self, reason: Failure) -> None:
        """For the process."""
        error: Any = reason.value
        self.ended.callback(0 if isinstance(error, ProcessDone) else error.exitCode)

    def processEnded(self, reason: Failure) -> None:
        """For the process."""
        self.closed.callback(None)
        if self._awaited is not None and not self._awaited[1].called:
            self._awaited[1].errback(AssertionError(f"it has ended: {self.shown}"))

    def type(self, text: str) -> None:
        """As if somebody had."""
        self.transport.write(text.encode())

    def said(self, words: str) -> Deferred[str]:
        """Wait until it shows something; all that it showed until then."""
        found: Deferred[str] = Deferred()
        self._awaited = words, found
        self._look()
        return found

    def _look(self) -> None:
        if self._awaited is None or self._awaited[0] not in self.shown:
            return
        (words, found), self._awaited = self._awaited, None
        before, _, self.shown = self.shown.partition(words)
        found.callback(before + words)


class TerminalCase(TestCase):
    """Processes at terminals, in a directory with a history."""

    timeout = 60

    def setUp(self) -> None:
        from twisted.internet import reactor

        self.reactor: Any = reactor
        self.history = Path(self.mktemp()).absolute()

    def spawn(self, *arguments: str) -> Terminal:
        """One of Python's, which is killed if the test ends before it."""
        master, slave = os.openpty()
        terminal = Terminal(os.dup(slave))
        environment = {
            **os.environ,
            "POP_SHELL_HISTORY": str(self.history),
            "INPUTRC": "/dev/null",
            "TERM": "dumb",
        }
        self.reactor.spawnProcess(
            terminal,
            sys.executable,
            [sys.executable, *arguments],
            env=environment,
            usePTY=(master, slave, os.ttyname(slave)),
        )
        self.addCleanup(self.kill, terminal)
        return terminal

    async def interrupt(self, terminal: Terminal) -> None:
        """Once the process waits for something; what comes just before, Python may overlook."""
        stat = Path(f"/proc/{terminal.transport.pid}/stat")
        while stat.read_text().rpartition(")")[2].split()[0] != "S":
            await deferLater(self.reactor, LOOK_AGAIN)
        terminal.type(INTERRUPT)

    async def kill(self, terminal: Terminal) -> None:
        """If it has not ended."""
        if not terminal.ended.called:
            terminal.transport.signalProcess("KILL")
        os.close(terminal.slave)
        await terminal.closed


class ConsoleTests(TerminalCase):
    """C{python -m pop.components}."""

    async def console(self, *arguments: str) -> Terminal:
        """One that has asked for a line."""
        terminal = self.spawn("-m", "pop.components", *arguments)
        await terminal.said("** Pop Shell prompt **\r\n$ ")
        return terminal

    async def test_lines(self) -> None:
        """Lines are completed and recalled; the end of the input is the end of it all."""
        terminal = await self.console()
        terminal.type(f"ec{TAB}hello\n")
        self.assertEqual("echo hello\r\nhello\r\n$ ", await terminal.said("\r\nhello\r\n$ "))
        terminal.type(f"{UP} again\n")
        self.assertEqual(
            "echo hello again\r\nhello again\r\n$ ", await terminal.said("\r\nhello again\r\n$ ")
        )
        terminal.type(END)
        self.assertEqual(0, await terminal.ended)

    async def test_history(self) -> None:
        """Lines are recalled the next time, too, and nobody else can read them."""
        terminal = await self.console()
        terminal.type("echo one\n")
        await terminal.said("\r\none\r\n$ ")
        terminal.type("quit\n")
        self.assertEqual(0, await terminal.ended)
        self.assertEqual("echo one\nquit\n", self.history.read_text())
        self.assertEqual(0o600, S_IMODE(self.history.stat().st_mode))
        terminal = await self.console()
        terminal.type(f"{UP}{UP}\n")
        await terminal.said("echo one\r\none\r\n$ ")

    async def test_interrupted(self) -> None:
        """An interrupt in the midst of a line ends it all, and leaves the terminal as it was."""
        terminal = await self.console()
        self.assertFalse(self.is_cooked(terminal))
        terminal.type("echo")
        await terminal.said("echo")
        await self.interrupt(terminal)
        self.assertEqual(130, await terminal.ended)
        self.assertTrue(self.is_cooked(terminal))

    async def test_interrupted_again(self) -> None:
        """Who interrupts it again does not wait for components that do not end; who only asks again
        that it ends, does."""
        folder = Path(self.mktemp())
        folder.mkdir()
        (folder / "hanging.py").write_text(HANGING)
        (folder / "init.json").write_text(json.dumps({"paths": [str(folder)]}))
        terminal = await self.console("--init", str(folder / "init.json"), "hanging")
        await self.interrupt(terminal)
        await terminal.said("hanging\r\n")
        terminal.transport.signalProcess("TERM")
        await self.interrupt(terminal)
        self.assertEqual(130, await terminal.ended)
        self.assertTrue(self.is_cooked(terminal))
        self.assertNotIn("Traceback", terminal.shown)

    def is_cooked(self, terminal: Terminal) -> bool:
        """Whether one shows what is typed, and gives it line by line."""
        local = termios.tcgetattr(terminal.slave)[3]
        return bool(local & termios.ECHO and local & termios.ICANON)


class DistantTests(TerminalCase):
    """The near end of a shell that is somewhere else."""

    async def connect(self) -> Terminal:
        """A terminal at a shell in this process."""
        self.case = ServerCase("setUp")
        self.case.setUp()
        self.addCleanup(self.case.doCleanups)
        path = self.mktemp()[-60:].replace("/", "-")
        self.factory = ShellFactory(self.case.shell, self.reactor)
        port = await UNIXServerEndpoint(self.reactor, path, mode=0o600).listen(self.factory)
        self.addCleanup(port.stopListening)
        terminal = self.spawn("-c", DISTANT, path, str(self.history))
        await terminal.said("$ ")
        return terminal

    async def test_lines(self) -> None:
        """Lines are completed there, and commands can ask for more; who quits is let go."""
        terminal = await self.connect()
        terminal.type(f"test.a{TAB}\n")
        await terminal.said("test.ask \r\nName? ")
        terminal.type("pop\n")
        await terminal.said("Hello, pop!\r\n$ ")
        terminal.type("quit\n")
        self.assertEqual(0, await terminal.ended)

    async def test_interrupted(self) -> None:
        """An interrupt ends the line that is written, or the command that is carried out."""
        terminal = await self.connect()
        terminal.type("ech")
        await terminal.said("ech")
        await self.interrupt(terminal)
        await terminal.said("\r\n$ ")
        self.case.context.register_service(SERVICE_SHELL_COMMAND, Lingering())
        terminal.type("linger\n")
        await terminal.said("lingering\r\n")
        await self.interrupt(terminal)
        await terminal.said("Cancelled.\r\n$ ")
        terminal.type("echo on\n")
        await terminal.said("\r\non\r\n$ ")
        terminal.type(END)
        self.assertEqual(0, await terminal.ended)

    async def test_between(self) -> None:
        """An interrupt between two lines is not the end."""
        terminal = self.spawn("-c", INTERRUPTED)
        for _ in range(2):
            await terminal.said("$ ")
            terminal.type("a line\n")
        await terminal.said("$ ")
        terminal.type(END)
        self.assertEqual(0, await terminal.ended)

    async def test_gone(self) -> None:
        """When the shell goes, that is noticed at the next line."""
        terminal = await self.connect()
        for connection in tuple(self.factory.connections):
            connection.transport.loseConnection()
        terminal.type("echo on\n")
        await terminal.said("gone")
        self.assertEqual(1, await terminal.ended)
