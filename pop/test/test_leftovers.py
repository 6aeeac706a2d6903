"""What an agent that was killed left behind, and what only looks like it."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred
from twisted.trial.unittest import TestCase

from pop.leftovers import Leftovers, boot, session, started
from pop.pidwatch import watch_pid
from pop.test.processes import Nursery, shell

AGENT = """
import os, signal, sys
from pathlib import Path
from twisted.internet import reactor
from pop.process import Spawner
from pop.program import Launch, Program
from twisted.internet.protocol import ProcessProtocol
path = Path(sys.argv[1])
spawner = Spawner(reactor, path, os.environ)
script = "sleep 600 & echo $! > $POP_TEST_PIDS; exec sleep 600"
for name in ("web", "db"):
    told = {"POP_TEST_PIDS": os.path.join(sys.argv[2], name)}
    launch = Launch(Program(("/bin/sh", "-c", script)), told)
    print(spawner.spawn(name, launch, ProcessProtocol()).pid, flush=True)
signal.pause()
"""


class Tests(TestCase):
    """Notes in a directory of their own."""

    timeout = 20

    def setUp(self) -> None:
        self.nursery = Nursery(self)
        self.notes = self.nursery.path / "run"
        self.leftovers = Leftovers(self.notes)

    def note(self, name: str, **changed: object) -> None:
        """Change what is noted of a service."""
        path = self.notes / f"{name}.json"
        path.write_text(json.dumps({**self.noted(name), **changed}))

    def noted(self, name: str) -> dict[str, Any]:
        """What is noted of a service."""
        found: dict[str, Any] = json.loads((self.notes / f"{name}.json").read_text())
        return found

    def watch(self, pid: int) -> "Deferred[None]":
        """Fires when a process has died."""
        from twisted.internet import reactor

        dead: Deferred[None] = Deferred()
        watch_pid(reactor, pid, lambda: dead.callback(None))
        return dead


class KilledAgentTests(Tests):
    """An agent that could not stop its services."""

    def killed_agent(self) -> list[int]:
        """Have an agent start two services of two processes each, and kill it; gives their pids."""
        elsewhere = Path(self.mktemp()).absolute()
        elsewhere.mkdir()
        fifos = [elsewhere / name for name in ("web", "db")]
        for fifo in fifos:
            os.mkfifo(fifo)
        with subprocess.Popen(
            [sys.executable, "-c", AGENT, str(self.nursery.path), str(elsewhere)],
            stdout=subprocess.PIPE,
            text=True,
        ) as agent:
            assert agent.stdout
            leaders = [int(agent.stdout.readline()) for _ in fifos]
            members = [int(fifo.read_text()) for fifo in fifos]
            agent.kill()
        return leaders + members

    async def test_ended(self) -> None:
        """Its successor ends all that it left, children of children too, and forgets it."""
        pids = self.killed_agent()
        self.assertEqual(2, len(list(self.notes.glob("*.json"))))
        self.assertNotIn(None, [started(pid) for pid in pids])
        deaths = [self.watch(pid) for pid in pids]
        self.nursery.spawner.clear()
        for death in deaths:
            await death
        self.assertEqual([], list(self.notes.iterdir()))

    async def test_without_its_leader(self) -> None:
        """What is left of a service whose first process has died is ended as well."""
        web, db, *members = self.killed_agent()
        deaths = [self.watch(pid) for pid in (web, db, *members)]
        for pid in (web, db):
            os.kill(pid, signal.SIGKILL)
        await deaths[0]
        await deaths[1]
        self.assertFalse(deaths[2].called)
        self.nursery.spawner.clear()
        for death in deaths:
            await death

    async def test_nothing_left(self) -> None:
        """Services that have died since are forgotten."""
        pids = self.killed_agent()
        deaths = [self.watch(pid) for pid in pids]
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
        for death in deaths:
            await death
        self.nursery.spawner.clear()
        self.assertEqual([], list(self.notes.iterdir()))


class StrangerTests(Tests):
    """What must not be taken for a leftover."""

    async def spared(self, **changed: object) -> None:
        """With such a note, a process is spared, and the note goes."""
        process, witness = self.nursery.spawn(shell("exec sleep 600"))
        self.note("web", **changed)
        self.leftovers.clear()
        self.assertFalse((self.notes / "web.json").exists())
        _, bystander = self.nursery.spawn(shell("exit 0"), "other")
        await bystander.ended
        self.assertEqual(([process.pid], []), (session(process.pid), witness.ends))

    async def test_other_start(self) -> None:
        """A process that began at another time has the number of one that is gone."""
        await self.spared(started=1.0)

    async def test_other_boot(self) -> None:
        """A process of another boot is none of ours, whatever its number and start are."""
        await self.spared(boot="another")

    async def test_other_number(self) -> None:
        """The note's own number is what counts, not the name."""
        process = subprocess.Popen(["true"])
        process.wait()
        await self.spared(pid=process.pid)


class NoteTests(Tests):
    """The notes."""

    async def test_note(self) -> None:
        """What runs is noted by number, start and boot, as long as it runs."""
        process, witness = self.nursery.spawn(shell("exec sleep 600"))
        self.assertEqual(
            {"service": "web", "pid": process.pid, "started": started(process.pid), "boot": boot()},
            self.noted("web"),
        )
        process.kill()
        await witness.ended
        self.assertEqual([], list(self.notes.iterdir()))

    def test_forgotten(self) -> None:
        """What was never noted can be forgotten."""
        self.leftovers.forget("web")

    def test_broken(self) -> None:
        """Notes that make no sense are passed over, and go."""
        for number, text in enumerate(
            ("", "{", "[]", "null", "{}", '{"pid": "x", "started": 1, "boot": ""}', "\xff")
        ):
            (self.notes / f"web{number}.json").write_bytes(text.encode("latin-1"))
        self.leftovers.clear()
        self.assertEqual([], list(self.notes.iterdir()))

    def test_no_directory(self) -> None:
        """Where nothing was ever noted, nothing is left."""
        Leftovers(Path(self.mktemp())).clear()

    def test_drafts(self) -> None:
        """What an agent that was killed had not finished noting does no harm."""
        (self.notes / "web.new").write_text("{")
        self.leftovers.clear()


class StartTests(Tests):
    """When a process began."""

    def test_same(self) -> None:
        """It is the same whenever one asks, and another for another process."""
        self.assertIsNotNone(started(os.getpid()))
        self.assertEqual(started(os.getpid()), started(os.getpid()))
        self.assertNotEqual(started(os.getpid()), started(1))

    def test_dead(self) -> None:
        """A process that died never began, whether it is reaped or not."""
        process = subprocess.Popen(["true"])
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        self.assertIsNone(started(process.pid))
        process.wait()
        self.assertIsNone(started(process.pid))

    def test_odd_names(self) -> None:
        """A program's name may hold anything, blanks and brackets too."""
        program = Path(self.mktemp()).absolute() / ") R 1 2 ("
        program.parent.mkdir()
        program.symlink_to("/bin/sleep")
        process = subprocess.Popen([str(program), "600"])
        try:
            self.assertIsInstance(started(process.pid), float)
        finally:
            process.kill()
            process.wait()
