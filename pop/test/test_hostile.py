"""Programs that do not want to be stopped: nothing of them outlives their stop."""

import os
import resource
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from twisted.internet.error import ProcessTerminated
from twisted.internet.utils import getProcessOutput
from twisted.trial.unittest import SkipTest, TestCase

from pop.errors import NotSpawned
from pop.kin import Kin, alive
from pop.marks import NONE
from pop.test.processes import Nursery, Witness, kin, living, python, said, shell, turn

DAEMON = """
def daemon(name, body=signal.pause):
    "Leave the session, the process group, the parent, the directory and all files."
    if os.fork():
        return
    os.setsid()
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    if os.fork():
        os._exit(0)
    os.chdir("/")
    notify(f"STATUS={name}")
    for number in range(256):
        try:
            os.close(number)
        except OSError:
            pass
    body()
    os._exit(0)

def nameless():
    os.execve("/bin/sleep", ["sleep", "600"], {})

import time
def bomb(depth):
    "Two of each, for five generations and a second each, then they die out."
    for _ in range(2):
        if depth and not os.fork():
            os.setsid()
            bomb(depth - 1)
            time.sleep(1)
            os._exit(0)

def hop():
    "Each has a successor in a session of its own at once, for 15 seconds at most."
    for _ in range(3000):
        time.sleep(0.005)
        if os.fork():
            os._exit(0)
        os.setsid()

def rush(path):
    "The same as quickly as can be; whoever reads there finds the end when the last has gone."
    os.open(path, os.O_WRONLY)
    end = time.monotonic() + 60
    while time.monotonic() < end:
        if os.fork():
            os._exit(0)
        os.setsid()
"""

INIT = """
import ctypes, os, sys
from pathlib import Path
from twisted.internet import reactor
from twisted.internet.protocol import ProcessProtocol
from pop.process import Spawner
from pop.program import Launch, Program
PR_SET_CHILD_SUBREAPER = 36
ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)

class Protocol(ProcessProtocol):
    def processEnded(self, reason):
        try:
            print(os.waitpid(-1, os.WNOHANG))
        except ChildProcessError:
            print("nobody")
        reactor.stop()

script = "(setsid sleep 600 &); (setsid sleep 600 &); kill -9 $$"
launch = Launch(Program(("/bin/sh", "-c", script)))
Spawner(reactor, Path(sys.argv[1]), os.environ).spawn("web", launch, Protocol())
reactor.run()
"""
"""An agent that orphans go to, as they do to process 1 of a container."""


class InitTests(TestCase):
    """An agent that is everybody's parent."""

    timeout = 20

    async def test_reaped(self) -> None:
        """It reaps what an instance leaves behind."""
        path = Nursery(self).path
        said = await getProcessOutput(sys.executable, ["-c", INIT, str(path)], os.environ)
        self.assertEqual(b"nobody\n", said)


class HostileTests(TestCase):
    """Each kind is stopped, by its agent and by that one's successor."""

    timeout = 20

    def setUp(self) -> None:
        self.nursery = Nursery(self)

    async def family(self, script: str, *names: str) -> tuple[Kin, Witness]:
        """Start a program that forks so, and wait until it has done so."""
        self.process, witness = self.nursery.spawn(python(DAEMON + script))
        found = kin(self.process.pid)
        if found.mark == NONE:
            raise SkipTest("there are no marks here")
        for name in names:
            await said(witness, name)
        return found, witness

    async def ended(self, family: Kin, witness: Witness) -> None:
        """It is gone when its end is told, and not before."""
        await witness.ended
        self.assertEqual([], living(family))

    async def test_daemon(self) -> None:
        """A daemon is found and killed when its service is."""
        script = "daemon('one'); daemon('two'); signal.pause()"
        family, witness = await self.family(script, "one", "two")
        while len(found := living(family)) != 3:
            await turn()  # what was between a daemon and its service may take a moment to leave
        self.assertEqual(3, len({os.getsid(pid) for pid in found}))
        self.process.kill()
        await self.ended(family, witness)

    async def test_daemon_stays(self) -> None:
        """One that outlives its stop signal keeps its service from ending, until it is killed."""
        family, witness = await self.family("daemon('one'); signal.pause()", "one")
        self.process.stop("TERM")
        while alive(family.leader):
            await turn()
        for _ in range(10):
            await turn()
        self.assertEqual(([], 1), (witness.ends, len(living(family))))
        self.process.kill()
        await self.ended(family, witness)

    async def test_leader_gone(self) -> None:
        """A program that puts itself into the background has ended, and so has what it left."""
        script = "hold(15); daemon('one'); notify('READY=1'); wait(15)"
        family, witness = await self.family(script, "one")
        await witness.ready()
        os.kill(family.leader, signal.SIGTERM)
        await self.ended(family, witness)

    async def test_nameless(self) -> None:
        """A daemon with an empty environment, that is another program, is found as well."""
        family, witness = await self.family("daemon('one', nameless); signal.pause()", "one")
        self.process.kill()
        await self.ended(family, witness)

    async def test_unmarked(self) -> None:
        """What loses its mark is found as long as it stays in the session."""
        script = "import resource; resource.setrlimit(10, (-1, -1)); notify('READY=1')"
        family, witness = await self.family(f"if not os.fork():\n    {script}\nsignal.pause()")
        await witness.ready()
        self.assertEqual(2, len(living(family)))
        self.process.kill()
        await self.ended(family, witness)

    async def test_adopted(self) -> None:
        """What its predecessor started is known to an agent by the same."""
        script = "daemon('one'); daemon('two', nameless); signal.pause()"
        family, witness = await self.family(script, "one", "two")
        [left] = self.nursery.succeed()
        process, watching = self.nursery.adopt(left)
        process.kill()
        await self.ended(family, watching)
        await witness.ended

    async def test_never_noted(self) -> None:
        """What a predecessor had no time to note is ended with its daemons before all else."""
        script = "daemon('one'); daemon('two', nameless); signal.pause()"
        family, witness = await self.family(script, "one", "two")
        for note in (self.nursery.path / "run").iterdir():
            note.unlink()
        self.assertEqual([], self.nursery.succeed())
        self.assertEqual([], living(family))
        await witness.ended

    async def test_fork_bomb(self) -> None:
        """What multiplies in new sessions while it is killed is killed faster."""
        family, witness = await self.family("notify('READY=1'); bomb(5); signal.pause()")
        await witness.ready()
        self.process.kill()
        await self.ended(family, witness)

    async def test_hopping(self) -> None:
        """So is what moves from process to process, and from session to session."""
        family, witness = await self.family("daemon('one', hop); signal.pause()", "one")
        self.process.kill()
        await self.ended(family, witness)

    async def rushing(self) -> tuple[Kin, Witness, int]:
        """What moves more quickly than all processes can be looked at, and what tells its end."""
        path = self.mktemp()
        os.mkfifo(path)
        reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        self.addCleanup(os.close, reader)
        script = f"daemon('one', lambda: rush({os.path.abspath(path)!r})); signal.pause()"
        return *await self.family(script, "one"), reader

    async def test_rushing(self) -> None:
        """What moves more quickly than all processes can be looked at is killed as it is seen."""
        family, witness, reader = await self.rushing()
        self.process.kill()
        await self.ended(family, witness)
        self.assertEqual(b"", os.read(reader, 1))

    async def test_rushing_on(self) -> None:
        """Nor is it taken for gone while nobody kills it."""
        family, witness, reader = await self.rushing()
        self.process.stop("TERM")
        while alive(family.leader):
            await turn()
        looking_no_more = time.monotonic() + 2
        while time.monotonic() < looking_no_more:
            await turn()
        self.assertEqual([], witness.ends)
        self.assertRaises(BlockingIOError, os.read, reader, 1)
        self.process.kill()
        await self.ended(family, witness)
        self.assertEqual(b"", os.read(reader, 1))

    async def test_rushing_alone(self) -> None:
        """A predecessor's, that was never noted, is ended with all else."""
        _, witness, reader = await self.rushing()
        for note in (self.nursery.path / "run").iterdir():
            note.unlink()
        self.assertEqual([], self.nursery.succeed())
        self.assertEqual(b"", os.read(reader, 1))
        await witness.ended

    async def test_stopped(self) -> None:
        """What has been stopped by SIGSTOP is ended by a kill."""
        family, witness = await self.family("daemon('one'); signal.pause()", "one")
        for pid in living(family):
            os.kill(pid, signal.SIGSTOP)
        self.process.stop("TERM")
        self.process.kill()
        await self.ended(family, witness)


class ShortageTests(TestCase):
    """An agent that can open no more files."""

    timeout = 20

    async def test_no_files(self) -> None:
        """It kills nobody whom it cannot look at, and goes on when it can again."""
        nursery = Nursery(self)
        process, witness = nursery.spawn(shell("exec sleep 600"))
        family = kin(process.pid)
        with exhausted():
            self.assertTrue(family.leads())
            self.assertRaises(NotSpawned, nursery.spawn, shell("exec sleep 600"), "other")
            process.stop("TERM")
            for _ in range(10):
                await turn()
            self.assertEqual(([], True), (witness.ends, alive(process.pid)))
        self.assertIsInstance(await witness.ended, ProcessTerminated)
        self.flushLoggedErrors()


@contextmanager
def exhausted() -> Iterator[None]:
    """Have as many files open as there may be."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    lowest = os.dup(0)
    os.close(lowest)
    resource.setrlimit(resource.RLIMIT_NOFILE, (lowest, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
