"""Commands that look how an instance is; real ones."""

import os
import shlex
import sys
from dataclasses import replace
from pathlib import Path

from twisted.internet.defer import Deferred
from twisted.internet.task import deferLater
from twisted.trial.unittest import SkipTest, TestCase

from pop.health import CommandCheck, read_check
from pop.kin import alive
from pop.program import Launch, Program
from pop.test.errands import Errands
from pop.test.processes import Nursery

WEB = Launch(Program(("web",), environment={"B": "2"}, stdin=b"secret"), environment={"A": "1"})
HOSTILE = """
import os, signal, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
if not os.fork():
    os.setsid()
    if not os.fork():
        with open(sys.argv[1] + "~", "w") as file:
            file.write(str(os.getpid()))
        os.rename(sys.argv[1] + "~", sys.argv[1])
        time.sleep(600)
time.sleep(600)
"""
"""Forks twice, leads a session of its own, and ignores the signal to end."""


def sh(script: str) -> CommandCheck:
    """A check that runs a shell script."""
    check = read_check(f"command:sh -c {shlex.quote(script)}")
    assert isinstance(check, CommandCheck)
    return check


class CommandTests(TestCase):
    """What a command finds wrong."""

    timeout = 20

    def setUp(self) -> None:
        self.nursery = Nursery(self, environment={"PATH": os.defpath, "A": "0", "C": "3"})
        self.errands = Errands(self, self.nursery)

    async def run_(self, check: CommandCheck, launch: Launch = WEB) -> str | None:
        """Run one to its end."""
        return await self.errands.commands.run("web", launch, check)

    async def test_passes(self) -> None:
        """Status 0 passes, whatever it prints."""
        self.assertIsNone(await self.run_(sh("echo all is lost; echo again >&2")))

    async def test_fails(self) -> None:
        """Another does not; the last line that it printed goes with it."""
        said = await self.run_(sh("echo one; echo 'no database' >&2; echo; exit 3"))
        self.assertEqual("exited with status 3: no database", said)
        self.assertEqual("exited with status 1", await self.run_(sh("exit 1")))

    async def test_killed(self) -> None:
        """A signal that ended it is named."""
        self.assertEqual("ended by signal 9", await self.run_(sh("kill -9 $$")))

    async def test_not_there(self) -> None:
        """A program that cannot be run is said to be such."""
        said = await self.run_(CommandCheck(("no-such-program",)))
        assert said
        self.assertRegex(said, r"^cannot be run: the program .* is not on the PATH, .*[^.]$")

    async def test_loud(self) -> None:
        """It may print a lot; only the end of it is kept, in few words that do no harm."""
        script = "yes no | head -c 1000000; echo; printf 'x%.0s' $(seq 999); printf '\\033'; exit 1"
        said = await self.run_(sh(script))
        assert said
        self.assertRegex(said, "^exited with status 1: x{200}$")

    async def test_as_the_instance(self) -> None:
        """It has the directory and the variables of the instance, and nothing to read."""
        await self.run_(sh("touch here"))
        self.assertTrue((self.nursery.path / "services" / "web" / "here").exists())
        said = await self.run_(sh("pwd; echo $A$B$C; exit 1"), replace(WEB, directory="/"))
        self.assertEqual("exited with status 1: 123", said)
        self.assertIsNone(await self.run_(sh('test "$(pwd)" = / && ! read x'), _in("/")))

    async def test_as_its_user(self) -> None:
        """It runs as the instance's user."""
        if os.geteuid() != 0:
            raise SkipTest("only root can run it as somebody else")
        said = await self.run_(sh("id -un; exit 1"), replace(_in("/"), user="nobody"))
        self.assertEqual("exited with status 1: nobody", said)

    async def test_cancelled(self) -> None:
        """Cancelled, it is killed with all that it started, wherever that hides."""
        began = Path(os.path.abspath(self.mktemp()))
        argv = (sys.executable, "-I", "-S", "-c", HOSTILE, str(began))
        running = Deferred.fromCoroutine(self.run_(CommandCheck(argv)))
        while not began.exists():
            await turn()
        running.cancel()
        await self.assertFailure(running, Exception)
        await self.errands.gone()
        self.assertFalse(alive(int(began.read_text())))

    async def test_leaves_nothing(self) -> None:
        """What it leaves behind ends with it."""
        self.assertIsNone(await self.run_(sh("sleep 600 & exit 0")))
        await self.errands.gone()

    async def test_successor(self) -> None:
        """What an agent that was killed leaves of it is ended by its successor, not adopted."""
        running = Deferred.fromCoroutine(self.run_(sh("exec sleep 600")))
        self.assertEqual([], self.nursery.succeed())
        self.assertFalse(alive(self.errands.started[0].pid))
        await running  # this process was told too, being the predecessor's as well


def _in(directory: str) -> Launch:
    return replace(WEB, directory=directory)


async def turn() -> None:
    """Let the reactor go round."""
    from twisted.internet import reactor

    await deferLater(reactor, 0.001)
