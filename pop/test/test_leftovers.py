"""What an agent that was killed left behind, and what only looks like it."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

from twisted.internet.defer import gatherResults
from twisted.internet.error import ProcessTerminated
from twisted.trial.unittest import TestCase

from pop.census import strays
from pop.kin import Kin, alive, began, boot
from pop.leftovers import UNREADABLE, Leftovers
from pop.marks import NONE, Marks, marked
from pop.test.processes import Nursery, died, kin, living, python, shell, turn

AGENT = """
import os, signal, sys
from pathlib import Path
from twisted.internet import reactor
from pop.process import Spawner
from pop.program import Launch, Program
from twisted.internet.protocol import ProcessProtocol
path = Path(sys.argv[1])
spawner = Spawner(reactor, path, os.environ)
script = "(trap '' TERM; setsid sleep 600) & echo $! > $POP_TEST_PIDS; exec sleep 600"
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

    def note(self, name: str, **changed: object) -> None:
        """Change what is noted of a service."""
        path = self.notes / f"{name}.json"
        path.write_text(json.dumps({**self.noted(name), **changed}))

    def noted(self, name: str) -> dict[str, Any]:
        """What is noted of a service."""
        found: dict[str, Any] = json.loads((self.notes / f"{name}.json").read_text())
        return found

    def killed_agent(self) -> list[int]:
        """Have an agent start two services of several processes each, and kill it; gives pids."""
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
        self.families = [kin(pid) for pid in leaders]
        self.addCleanup(self.end_families)
        return leaders + members

    def end_families(self) -> None:
        for family in self.families:
            for pid in living(family):
                os.kill(pid, signal.SIGKILL)


class KilledAgentTests(Tests):
    """An agent that could not stop its services."""

    async def test_adopted(self) -> None:
        """Its successor finds them as they are, and they go on."""
        web, db, *members = self.killed_agent()
        found = {left.name: left for left in self.nursery.succeed()}
        self.assertEqual([("db", db), ("web", web)], [(n, f.pid) for n, f in found.items()])
        self.assertEqual("/bin/sh", found["web"].launch.program.argv[0])
        self.assertTrue(0 <= found["web"].age < 60)
        process, witness = self.nursery.adopt(found["web"])
        self.nursery.adopt(found["db"])
        self.assertEqual(web, process.pid)
        self.assertEqual([True] * 4, [alive(pid) for pid in (web, db, *members)])
        self.assertEqual([], witness.ends)

    async def test_stopped(self) -> None:
        """What was adopted is stopped with all that it started, wherever that went."""
        self.killed_agent()
        ends = []
        for left in self.nursery.succeed():
            process, witness = self.nursery.adopt(left)
            process.stop("TERM")
            await died(process.pid)
            process.kill()
            ends.append(await witness.ended)
        self.assertEqual([[], []], [living(family) for family in self.families])
        self.assertEqual(
            [15, 15], [end.signal for end in ends if isinstance(end, ProcessTerminated)]
        )
        self.assertEqual([], list(self.notes.iterdir()))

    async def test_ended_by_itself(self) -> None:
        """The end of what was adopted is told, when nothing of it is left."""
        web, *_ = self.killed_agent()
        witness = self.nursery.adopt(self.nursery.succeed()[1])[1]
        os.kill(web, signal.SIGKILL)
        end = await witness.ended
        assert isinstance(end, ProcessTerminated)
        self.assertEqual(9, end.signal)
        self.assertEqual([], living(self.families[0]))

    async def test_heard(self) -> None:
        """What it says of itself from then on is heard."""
        script = "hold(10); print('up', flush=True); wait(10); notify('READY=1'); signal.pause()"
        process, witness = self.nursery.spawn(python(script))
        while not self.nursery.log().read_text():
            await turn()
        [left] = self.nursery.succeed()
        _, watching = self.nursery.adopt(left)
        os.kill(process.pid, 10)
        await watching.ready()
        self.assertEqual([], witness.notices)

    async def test_without_its_leader(self) -> None:
        """What is left of a service whose first process died meanwhile is ended, and told."""
        web, *_ = self.killed_agent()
        dead = died(web)
        os.kill(web, signal.SIGKILL)
        await dead
        self.assertNotEqual([], living(self.families[0]))
        left = {left.name: left for left in self.nursery.succeed()}
        await self.nursery.adopt(left["web"])[1].ended
        self.assertEqual([], living(self.families[0]))

    async def test_all_died(self) -> None:
        """The end of a service that died when nobody watched is told, mostly without saying how."""
        self.killed_agent()
        deaths = [died(pid) for pid in living(self.families[1])]
        for pid in living(self.families[1]):
            os.kill(pid, signal.SIGKILL)
        await gatherResults(deaths)
        [left] = [left for left in self.nursery.succeed() if left.name == "db"]
        end = await self.nursery.adopt(left)[1].ended
        assert isinstance(end, ProcessTerminated)
        self.assertIn((end.exitCode, end.signal), [(None, None), (None, 9)])
        self.assertFalse((self.notes / "db.json").exists())

    async def test_never_noted(self) -> None:
        """What was started when the agent had no time to note it is ended by its successor."""
        self.killed_agent()
        (self.notes / "web.json").unlink()
        self.assertEqual(["db"], [left.name for left in self.nursery.succeed()])
        self.assertEqual([], living(self.families[0]))


LARGE = "b = bytearray(b'x') * (128 << 20); print(flush=True); import signal; signal.pause()"
"""Takes some time to die."""
OLDER = """
import os, sys
del os.pidfd_open
from pop.census import end
from pop.kin import alive
end(int(sys.argv[2]).__eq__)
print(alive(int(sys.argv[1])))
"""


class OlderTests(Tests):
    """A system that cannot tell of the death of any process (Linux before 5.3)."""

    def test_waited_for(self) -> None:
        """What is ended is dead then there as well, though it took its time."""
        with marked(Marks(self.nursery.path).new()) as mark:
            child = subprocess.Popen([sys.executable, "-c", LARGE], stdout=subprocess.PIPE)
        self.addCleanup(child.communicate)
        self.addCleanup(child.kill)
        assert child.stdout
        child.stdout.readline()
        argv = [sys.executable, "-c", OLDER, str(child.pid), str(mark)]
        self.assertEqual(b"False\n", subprocess.check_output(argv))


class StrangerTests(Tests):
    """What must not be taken for a leftover."""

    async def test_other_start(self) -> None:
        """A process that began at another time has the number of one that is gone."""
        stranger = subprocess.Popen(["sleep", "600"])
        self.addCleanup(stranger.wait)
        self.addCleanup(stranger.kill)
        _, witness = self.nursery.spawn(shell("exec sleep 600"))
        self.note("web", pid=stranger.pid, started=1.0, mark=0)
        # What has the mark, and is not noted with it, is ended: nothing runs twice.
        [left] = self.nursery.succeed()
        await witness.ended
        end = await self.nursery.adopt(left)[1].ended
        assert isinstance(end, ProcessTerminated)
        self.assertEqual((None, None), (end.exitCode, end.signal))
        self.assertTrue(alive(stranger.pid))

    async def test_other_boot(self) -> None:
        """A process of another boot is none of ours, whatever its number and start are."""
        stranger = subprocess.Popen(["sleep", "600"], start_new_session=True)
        self.addCleanup(stranger.wait)
        self.addCleanup(stranger.kill)
        _, witness = self.nursery.spawn(shell("exit 0"))
        noted = {**self.noted("web"), "pid": stranger.pid, "started": began(stranger.pid)}
        await witness.ended
        (self.notes / "web.json").write_text(json.dumps({**noted, "boot": "another"}))
        self.assertEqual([], self.nursery.succeed())
        self.assertTrue(alive(stranger.pid))
        self.assertEqual([], list(self.notes.iterdir()))

    def test_other_session(self) -> None:
        """A session whose leader is another one by now is a stranger's."""
        stranger = subprocess.Popen(["sleep", "600"], start_new_session=True)
        self.addCleanup(stranger.wait)
        self.addCleanup(stranger.kill)
        self.assertEqual([], living(Kin(stranger.pid, 1.0)))
        self.assertEqual([stranger.pid], living(Kin(stranger.pid, began(stranger.pid))))


class NoteTests(Tests):
    """The notes."""

    async def test_note(self) -> None:
        """What runs is noted by number, start, mark and boot, as long as it runs."""
        process, witness = self.nursery.spawn(shell("exec sleep 600"))
        family = kin(process.pid)
        noted = self.noted("web")
        del noted["launch"]
        self.assertEqual(
            {
                "slot": "web",
                "pid": process.pid,
                "started": family.began,
                "mark": family.mark,
                "cgroup": None,
                "boot": boot(),
                "ready": True,
                "state": {},
            },
            noted,
        )
        process.kill()
        await witness.ended
        self.assertEqual([], list(self.notes.iterdir()))

    async def test_what_it_said(self) -> None:
        """Readiness and state are there for the one who adopts."""
        process, witness = self.nursery.spawn(shell("exec sleep 600"), "web/2")
        process.note(True, {"port": 1})
        [left] = self.nursery.succeed()
        self.assertEqual(("web/2", True, {"port": 1}), (left.name, left.ready, left.state))
        self.assertEqual(shell("exec sleep 600"), left.launch)
        process.kill()
        await witness.ended
        process.note(True, {"port": 2})
        self.assertEqual([], list(self.notes.iterdir()))

    async def test_lives(self) -> None:
        """It is said whether it still lives: not, if its number is a stranger's by now."""
        process, witness = self.nursery.spawn(shell("exec sleep 600"))
        [left] = self.nursery.succeed()
        self.assertTrue(left.lives)
        self.note("web", started=0.0)
        [left] = self.nursery.succeed()
        self.assertFalse(left.lives)
        os.kill(process.pid, signal.SIGKILL)
        await died(process.pid)
        self.note("web", started=began(process.pid))
        [left] = self.nursery.succeed()
        self.assertFalse(left.lives)
        await witness.ended

    async def test_other_version(self) -> None:
        """A process whose launch cannot be read is adopted, as something that nobody wants."""
        process, witness = self.nursery.spawn(shell("exec sleep 600"))
        self.note("web", launch={"program": 1})
        [left] = self.nursery.succeed()
        self.assertEqual((process.pid, UNREADABLE), (left.pid, left.launch))
        process.kill()
        await witness.ended

    def test_broken(self) -> None:
        """Notes that make no sense are passed over, and go; so do drafts."""
        for number, text in enumerate(
            ("", "{", "[]", "null", "{}", '{"pid": "x", "started": 1, "boot": ""}', "\xff")
        ):
            (self.notes / f"web{number}.json").write_bytes(text.encode("latin-1"))
        (self.notes / "web.json.new").write_text("{")
        self.assertEqual([], self.nursery.succeed())
        self.assertEqual([], list(self.notes.iterdir()))

    def test_no_directory(self) -> None:
        """Where nothing was ever noted, nothing is left."""
        self.assertEqual([], Leftovers(Path(self.mktemp())).read())


class StartTests(Tests):
    """When a process began."""

    def test_same(self) -> None:
        """It is the same whenever one asks, and another for another process."""
        self.assertIsNotNone(began(os.getpid()))
        self.assertEqual(began(os.getpid()), began(os.getpid()))
        self.assertNotEqual(began(os.getpid()), began(1))

    def test_dead(self) -> None:
        """A process that died is not alive, whether it is reaped or not."""
        process = subprocess.Popen(["true"])
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        self.assertFalse(alive(process.pid))
        process.wait()
        self.assertFalse(alive(process.pid))
        self.assertIsNone(began(process.pid))

    def test_odd_names(self) -> None:
        """A program's name may hold anything, blanks and brackets too."""
        program = Path(self.mktemp()).absolute() / ") R 1 2 ("
        program.parent.mkdir()
        program.symlink_to("/bin/sleep")
        process = subprocess.Popen([str(program), "600"])
        try:
            self.assertIsInstance(began(process.pid), float)
            self.assertTrue(alive(process.pid))
        finally:
            process.kill()
            process.wait()


class OneselfTests(Tests):
    """An agent that was itself started by a service of the agent before."""

    def test_spared(self) -> None:
        """It does not end itself."""
        marks = Marks(self.nursery.path)
        with marked(marks.new()) as mark:
            self.assertNotEqual(NONE, mark)
            self.assertNotIn(os.getpid(), strays(marks.has))
            self.assertEqual([], self.nursery.succeed())
