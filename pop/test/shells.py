"""Real commands, real agents, a real ZooKeeper, and a foreign client to look at it with."""

import json
import logging
import os
import signal
import sys
from collections.abc import Callable
from typing import Any, cast

from kazoo.client import KazooClient
from twisted.internet.address import IPv4Address
from twisted.internet.defer import Deferred
from twisted.internet.error import ProcessDone
from twisted.internet.protocol import ProcessProtocol
from twisted.internet.task import deferLater
from twisted.internet.threads import deferToThread
from twisted.internet.utils import getProcessOutputAndValue
from twisted.python.failure import Failure
from twisted.trial.unittest import TestCase

from txzookeeper.embedded import EmbeddedServer
from txzookeeper.testing import real_servers
from txzookeeper.testing.process import free_ports

LOOK_AGAIN = 0.02

logging.getLogger("kazoo").addHandler(logging.NullHandler())
logging.getLogger("kazoo").propagate = False


class Refused(AssertionError):
    """A command exited with another status than it should have."""


class Agent(ProcessProtocol):
    """An agent in the foreground: C{twistd -n pop}."""

    def __init__(self) -> None:
        self.output = ""
        self.ended: Deferred[int] = Deferred()
        self._awaited: list[tuple[str, Deferred[None]]] = []

    def outReceived(self, data: bytes) -> None:
        self.output += data.decode()
        for each in [(words, told) for words, told in self._awaited if words in self.output]:
            self._awaited.remove(each)
            each[1].callback(None)

    def said(self, words: str) -> "Deferred[None]":
        """Fires as soon as it says this, or at once if it has."""
        told: Deferred[None] = Deferred()
        self._awaited.append((words, told))
        self.outReceived(b"")
        return told

    errReceived = outReceived

    def processEnded(self, reason: Failure) -> None:
        error: Any = reason.value
        status = 0 if isinstance(error, ProcessDone) else (error.exitCode or -error.signal)
        self.ended.callback(status)

    @property
    def pid(self) -> int:
        """Its process id."""
        pid: int = self.transport.pid  # type: ignore[union-attr]
        return pid

    def signal(self, name: str) -> None:
        """Send it a signal."""
        os.kill(self.pid, getattr(signal, f"SIG{name}"))


class Shell:
    """What an operator types, on one machine, in a namespace of its own.

    @ivar zookeeper: a client that is not ours, in the same namespace.
    """

    def __init__(self, reactor: Any, prefix: str, state_dir: str, machine: str, servers: str):
        self.reactor = reactor
        self.machine = machine
        self.environment = {
            **os.environ,
            "POP_ZOOKEEPER": servers,
            "POP_PATH_PREFIX": prefix,
            "POP_STATE_DIR": os.path.abspath(state_dir),
            "POP_MACHINE_ID": machine,
            "COLUMNS": "200",
        }
        self.zookeeper = KazooClient(servers + prefix)

    async def look(self) -> None:
        """Connect the foreign client; its prefix exists after C{init}."""
        await deferToThread(self.zookeeper.start)

    async def close(self) -> None:
        """End the foreign client."""
        await deferToThread(self.zookeeper.stop)
        await deferToThread(self.zookeeper.close)

    async def try_pop(self, *words: str) -> tuple[int, str, str]:
        """Run one command: its status, output and complaints."""
        out, err, status = await getProcessOutputAndValue(
            sys.executable, ["-m", "pop", *words], env=self.environment, reactor=self.reactor
        )
        return status, out.decode(), err.decode()

    async def pop(self, *words: str) -> str:
        """Run one command that must succeed, and give its output."""
        status, out, err = await self.try_pop(*words)
        if status:
            raise Refused(f"pop {' '.join(words)}: status {status}\n{out}{err}")
        return out

    async def refuse(self, *words: str, status: int = 1) -> str:
        """Run one command that must be refused, and give its one sentence."""
        got, out, err = await self.try_pop(*words)
        if got != status or "Traceback" in err:
            raise Refused(f"pop {' '.join(words)}: status {got}, not {status}\n{out}{err}")
        return err

    async def status(self, service: str) -> Any:
        """What is reported of a service on this machine."""
        found = json.loads(await self.pop("--json", "status", service))
        return found["machines"].get(self.machine)

    def agent(self, *words: str, **environment: str) -> Agent:
        """Start an agent in the foreground."""
        agent = Agent()
        run = "from twisted.scripts.twistd import run; run()"
        command = [sys.executable, "-c", run, "--nodaemon", "--pidfile=", "pop", *words]
        env = {**self.environment, **environment}
        self.reactor.spawnProcess(agent, command[0], command, env)
        return agent

    async def node(self, path: str) -> Any:
        """A node as the foreign client sees it: (value, stat); L{None} if it is missing.

        The value is read as JSON if it is JSON.
        """
        if not await deferToThread(self.zookeeper.exists, path):
            return None
        data, stat = await deferToThread(self.zookeeper.get, path)
        try:
            return json.loads(data), stat
        except ValueError:
            return data.decode(), stat

    async def write(self, path: str, text: str) -> None:
        """Change a node by hand."""
        await deferToThread(self.zookeeper.set, path, text.encode())

    async def until(self, condition: Callable[[], Any], patience: float = 20.0) -> Any:
        """Look again and again until there is something, and give it."""
        end = self.reactor.seconds() + patience
        while True:
            found = await condition()
            if found or self.reactor.seconds() > end:
                assert found, "what was waited for did not happen"
                return found
            await deferLater(self.reactor, LOOK_AGAIN)


class ShellTestCase(TestCase):
    """Gives shells, each in a namespace that goes with the test.

    @cvar servers: the ZooKeeper that they use, unless they name another.
    """

    timeout = 90
    servers = real_servers() or ""

    def shell(self, machine: str = "m1", prefix: str = "", servers: str = "") -> Shell:
        """A shell on a machine of its own."""
        from twisted.internet import reactor

        name = f"/{self.id().rpartition('.')[2]}-{os.getpid()}"
        shell = Shell(reactor, prefix or name, self.mktemp(), machine, servers or self.servers)
        self.addCleanup(lambda: Deferred.fromCoroutine(shell.close()))
        return shell


class EmbeddedTestCase(ShellTestCase):
    """Gives shells with an embedded ZooKeeper."""

    def setUp(self) -> None:
        """Start it, in this process."""
        from twisted.internet import reactor

        endpoint = "tcp:0:interface=127.0.0.1"
        server = EmbeddedServer(reactor, self.mktemp(), [endpoint], secret=b"not secret")
        server.startService()
        self.addCleanup(server.stopService)
        [address] = server.addresses
        self.servers = f"127.0.0.1:{cast(IPv4Address, address).port}"


def free_port() -> int:
    """A port that nobody listens on just now."""
    [port] = free_ports(1)
    return port


def alive(pid: int) -> bool:
    """Whether a process is there and no zombie."""
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return stat.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
