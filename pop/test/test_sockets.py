"""Sockets that are held for services."""

import os
import random
import shutil
import socket
import stat
import tempfile
from pathlib import Path

from twisted.internet.task import Clock
from twisted.internet.threads import deferToThread
from twisted.trial.unittest import SynchronousTestCase, TestCase

from pop.errors import NotSpawned
from pop.files import Record
from pop.finished import Finished
from pop.instance import Watcher
from pop.instances import Instances
from pop.kin import alive
from pop.plan import Held
from pop.program import Launch, Program
from pop.sockets import Sockets
from pop.test.processes import Nursery, python, shell
from pop.testing import FakeFile, FakeSpawner
from txzookeeper.testing.process import free_ports

SERVER = """
listener = socket.socket(fileno=3)
notify("READY=1")
while True:
    one, _ = listener.accept()
    one.sendall(f"{os.getpid()} {os.environ['LISTEN_PID']} {os.environ['LISTEN_FDS']}".encode())
    one.close()
"""


def ask(address: str | int) -> str:
    """What a server says to whoever connects; blocks."""
    family, where = (
        (socket.AF_UNIX, address)
        if isinstance(address, str)
        else (socket.AF_INET, ("127.0.0.1", address))
    )
    with socket.socket(family) as client:
        client.settimeout(10)
        client.connect(where)
        return client.recv(100).decode()


class Tests(TestCase):
    """A port and a path for each test."""

    timeout = 20

    def setUp(self) -> None:
        self.port = free_ports(1)[0]
        self.tcp = f"tcp:{self.port}:interface=127.0.0.1"
        # Not where the tests are: a socket's path must be short.
        directory = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, directory)
        self.path = f"{directory}/web.sock"
        self.unix = f"unix:{self.path}:mode=600"
        self.nursery = Nursery(self)
        self.addCleanup(lambda: self.nursery.spawner.release("web"))


class HoldTests(Tests):
    """The sockets themselves."""

    def setUp(self) -> None:
        super().setUp()
        self.sockets = Sockets()
        self.addCleanup(self.sockets.release, "web")

    def test_held(self) -> None:
        """The same descriptions give the same sockets, whatever their order."""
        one, other = self.sockets.hold("web", (self.tcp, self.unix))
        self.assertEqual((other, one), self.sockets.hold("web", (self.unix, self.tcp)))
        self.assertEqual(0o600, stat.S_IMODE(os.stat(self.path).st_mode))
        self.assertFalse(os.get_inheritable(one))

    def test_released(self) -> None:
        """What is not wanted any more is given up, and a path with it."""
        self.sockets.hold("web", (self.tcp, self.unix))
        self.sockets.hold("web", (self.tcp,))
        self.assertFalse(os.path.exists(self.path))
        self.sockets.release("web")
        self.sockets.release("web")
        self.assertRaises(ConnectionRefusedError, ask, self.port)

    def test_taken(self) -> None:
        """An address that somebody else has is refused in words; so is one without a place."""
        self.sockets.hold("web", (self.tcp, self.unix))
        for text in (self.tcp, self.unix):
            error = self.assertRaises(NotSpawned, self.sockets.hold, "other", (text,))
            self.assertEqual(f"cannot listen at {text}: Address already in use.", str(error))
        error = self.assertRaises(NotSpawned, self.sockets.hold, "other", ("unix:/no/such/place",))
        self.assertIn("No such file or directory", str(error))
        self.assertRaises(NotSpawned, self.sockets.hold, "other", ("nonsense",))

    def test_stale(self) -> None:
        """A socket that was left behind makes way, any other file does not."""
        with socket.socket(socket.AF_UNIX) as left:
            left.bind(self.path)
        self.sockets.hold("web", (self.unix,))
        self.sockets.release("web")
        Path(self.path).touch()
        self.addCleanup(os.unlink, self.path)
        self.assertRaises(NotSpawned, self.sockets.hold, "web", (self.unix,))

    def test_both_kinds(self) -> None:
        """The two kinds of TCP can have the same port."""
        if not socket.has_ipv6:
            return
        try:
            self.sockets.hold("web", (f"tcp:{self.port}", f"tcp6:{self.port}"))
        except NotSpawned as error:
            self.assertIn("Address family not supported", str(error))

    def test_exported(self) -> None:
        """What takes the place of this process finds them."""
        [held] = self.sockets.hold("web", (self.tcp,))
        exported = self.sockets.export()
        self.assertEqual({"web": {self.tcp: held}}, exported)
        self.assertTrue(os.get_inheritable(held))
        copies = {"web": {self.tcp: os.dup(held)}}
        successor = Sockets(copies)
        self.addCleanup(successor.release, "web")
        self.sockets.release("web")
        [taken] = successor.hold("web", (self.tcp,))
        self.assertEqual(copies["web"][self.tcp], taken)
        self.assertFalse(os.get_inheritable(taken))


class PassTests(Tests):
    """Processes that are given sockets."""

    def server(self, *texts: str) -> Launch:
        """A server that says who it is."""
        return python(SERVER, sockets=texts)

    async def test_passed(self) -> None:
        """They are passed from 3 on, and nothing else is, as sd_listen_fds(3) has it."""
        script = """
names = sorted(os.listdir("/proc/self/fd"))
kinds = [socket.socket(fileno=n).family.name for n in (3, 4)]
told = [os.environ[f"LISTEN_{what}"] for what in ("PID", "FDS", "FDNAMES")]
print(*names, *kinds, told[0] == str(os.getpid()), *told[1:], os.environ["A"])
"""
        launch = python(script, sockets=(self.unix, self.tcp), environment={"A": "1"})
        said = await self.nursery.finish(launch)
        names = f"{self.unix.replace(':', '-')}:{self.tcp.replace(':', '-')}"
        self.assertEqual(f"0 1 2 3 4 5 AF_UNIX AF_INET True 2 {names} 1\n", said)

    async def test_none(self) -> None:
        """What is given none is not told of any."""
        self.assertEqual("-\n", await self.nursery.finish(shell("echo ${LISTEN_FDS:--}")))

    async def test_restart(self) -> None:
        """A connection that is made while nobody runs is answered by the next one."""
        process, witness = self.nursery.spawn(self.server(self.tcp))
        await witness.ready()
        said = await deferToThread(ask, self.port)
        self.assertEqual(f"{process.pid} {process.pid} 1", said)
        process.kill()
        await witness.ended
        waiting = deferToThread(ask, self.port)
        process, witness = self.nursery.spawn(self.server(self.tcp))
        self.assertEqual(f"{process.pid} {process.pid} 1", await waiting)

    async def test_shared(self) -> None:
        """All processes of a service share them."""
        one, told = self.nursery.spawn(self.server(self.tcp))
        other, witness = self.nursery.spawn(self.server(self.tcp), "web/2")
        await told.ready()
        await witness.ready()
        one.kill()
        await told.ended
        self.assertEqual(f"{other.pid} {other.pid} 1", await deferToThread(ask, self.port))

    async def test_adopted(self) -> None:
        """After the agent was killed, the next one gets them back from what runs."""
        process, witness = self.nursery.spawn(self.server(self.tcp, self.unix))
        await witness.ready()
        [left] = self.nursery.succeed(lose_sockets=True)
        adopted, watching = self.nursery.adopt(left)
        process.kill()
        await witness.ended
        await watching.ended
        self.assertFalse(alive(adopted.pid))
        waiting = deferToThread(ask, self.port)
        process, witness = self.nursery.spawn(self.server(self.tcp, self.unix))
        self.assertEqual(f"{process.pid} {process.pid} 2", await waiting)

    async def test_not_to_be_had(self) -> None:
        """What runs, but has closed them or has others there, lends none."""
        script = "os.close(3); os.close(4); notify('READY=1'); signal.pause()"
        process, witness = self.nursery.spawn(python(script, sockets=(self.tcp, self.unix)))
        await witness.ready()
        [left] = self.nursery.succeed(lose_sockets=True)
        self.nursery.adopt(left)
        self.assertEqual({"web": {}}, self.nursery.spawner.sockets.export())
        process.kill()
        await witness.ended

    async def test_refused(self) -> None:
        """An address that is taken is said to be."""
        with socket.create_server(("127.0.0.1", self.port)):
            error = self.assertRaises(NotSpawned, self.nursery.spawn, self.server(self.tcp))
        self.assertIn("Address already in use", str(error))

    async def test_no_program(self) -> None:
        """What cannot be started is refused in the same words as without sockets."""
        launch = Launch(Program(("/no/such/program",)), sockets=(self.tcp,))
        error = self.assertRaises(NotSpawned, self.nursery.spawn, launch)
        self.assertEqual('there is no program "/no/such/program".', str(error))


class ReleaseTests(SynchronousTestCase):
    """When the agent listens for a service no more."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.spawner = FakeSpawner(self.clock)
        finished = Finished(Record("finished", FakeFile(), {}))
        self.instances = Instances(
            self.spawner, _never, self.clock, random.Random(1), finished, lambda instance: None
        )
        for name in ("web", "web/2"):
            self.instances.start(name, Launch(Program(("serve",))), "")

    def test_gone(self) -> None:
        """It does not once all of its processes have gone away."""
        self.instances.drop("web", "")
        self.clock.advance(0)
        self.assertEqual([], self.spawner.released)
        self.instances.drop("web/2", "")
        self.clock.advance(0)
        self.assertEqual(["web"], self.spawner.released)

    def test_held(self) -> None:
        """Nor does it while the service is held."""
        for name in ("web", "web/2"):
            self.instances.hold(name, Held("held by the operator"))
        self.clock.advance(0)
        self.assertEqual(["web"], self.spawner.released)

    def test_restarted(self) -> None:
        """It does all the while when a process is replaced by another one, or dies."""
        self.instances.start("web", Launch(Program(("serve", "--more"))), "")
        self.clock.advance(0)
        self.spawner["web"].crash()
        self.spawner["web/2"].crash()
        self.clock.advance(100)
        self.assertEqual([], self.spawner.released)


def _never(*_: object) -> Watcher:
    raise AssertionError("it has no checks")
