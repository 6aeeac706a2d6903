"""A service type with tasks of every kind, and who takes what they write."""

from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred, succeed
from twisted.trial.unittest import TestCase
from zope.interface import implementer

from pop.interfaces import IOutput
from pop.model import loads
from pop.program import Launch, Program
from pop.protocols.control import Request
from pop.taskprocess import TaskProcesses
from pop.test.processes import Nursery

CHORES = '''
import os, signal, subprocess, sys, time
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.task import deferLater
from zope.interface import Interface, Invalid, invariant
from zope.schema import Bool, Int, TextLine, Tuple
from pop.errors import Refused
from pop.interfaces import ISettings
from pop.program import Program, ProgramType
from pop.tasks import task

class ISettings_(ISettings):
    colour = TextLine(title="Colour", default="red")

class IShout(Interface):
    words = Tuple(title="What to say", value_type=TextLine(), min_length=1)
    times = Int(title="How often", min=1, default=1)
    loud = Bool(title="Whether loudly", default=False)

    @invariant
    def not_too_often(given):
        if given.loud and given.times > 3:
            raise Invalid("not so loud so often.")

class Chores(ProgramType):
    name = "chores"
    summary = "What has to be done."
    settings = ISettings_

    def program(self, settings, instance):
        return Program(("sleep", "600"), environment={"FLAVOUR": "sweet"})

    @task("Shout.", IShout)
    def shout(self, run, words, times, loud):
        """WORDS are shouted."""
        for _ in range(times):
            print(*words, "!" if loud else ".")

    @task("Say where and who one is.", changes=False, where="once")
    def look(self, run):
        print(run.service, run.machine, run.settings.colour, run.state_directory)
        print(run.directory, os.getcwd(), os.environ["FLAVOUR"], os.environ["A"])
        print(sys.stdin.read() or "nothing to read")
        print("careful", file=sys.stderr)

    @task("Take long, and say how far it is.")
    async def slowly(self, run):
        for i in range(3):
            run.progress(i + 1, 3, f"part {i + 1}")
            await deferLater(reactor, 0.01)
        return 5

    @task("Paint it.")
    def paint(self, run):
        run.record({"colour": "blue"})
        run.record({"umask": None})

    @task("Fail with a sentence.")
    async def refuse(self, run):
        raise Refused(reason="it is just so")

    @task("Fail without one.")
    def crash(self, run):
        raise ValueError("a defect")

    @task("Write a lot.")
    def flood(self, run):
        line = b"x" * 99 + b"\\n"
        for _ in range(20000):
            sys.stdout.buffer.write(line)
        sys.stdout.flush()
        print("all written", file=sys.stderr)

    @task("Wait, and clean up.")
    def wait(self, run):
        child = subprocess.Popen(["sleep", "600"])
        try:
            print(child.pid, os.getpid())
            child.wait()
        finally:
            with open("cleaned", "w") as file:
                file.write("up")

    @task("Wait on a reactor, and clean up.")
    async def await_(self, run):
        try:
            print("waiting")
            await Deferred()
        finally:
            with open("cleaned", "w") as file:
                file.write("up")

    @task("Ignore that it should end.")
    def ignore(self, run):
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        print("ignoring")
        time.sleep(600)

chores = Chores()
'''


@implementer(IOutput)
class Heard:
    """Keeps what is written, by source.

    @ivar slow: makes whoever writes wait, if it is set: the Deferreds that they wait for.
    """

    def __init__(self) -> None:
        self.found: dict[str, bytes] = {}
        self.slow: list[Deferred[None]] | None = None
        self._awaited: list[tuple[str, bytes, Deferred[None]]] = []

    def write(self, source: str, data: bytes) -> Deferred[None]:
        """See L{IOutput.write}."""
        self.found[source] = self.found.get(source, b"") + data
        for item in [i for i in self._awaited if i[1] in self.found.get(i[0], b"")]:
            self._awaited.remove(item)
            item[2].callback(None)
        if self.slow is None:
            return succeed(None)
        self.slow.append(Deferred())
        return self.slow[-1]

    def text(self, source: str) -> str:
        """What came from there."""
        return self.found.get(source, b"").decode()

    def progress(self) -> list[Any]:
        """What was said of how far it is."""
        return [loads(line) for line in self.found.get("progress", b"").splitlines()]

    def until(self, source: str, words: bytes) -> Deferred[None]:
        """Fires when that has been written."""
        waiting: Deferred[None] = Deferred()
        if words in self.found.get(source, b""):
            waiting.callback(None)
        else:
            self._awaited.append((source, words, waiting))
        return waiting


def drop(case: TestCase) -> Path:
    """Install the type in a directory of its own, which is to be on Python's path."""
    path = Path(case.mktemp()).absolute()
    (path / "pop" / "services").mkdir(parents=True)
    (path / "pop" / "services" / "chores.py").write_text(CHORES)
    return path


class Chores:
    """Runs them in real processes, beside an instance called C{web}."""

    def __init__(self, case: TestCase) -> None:
        from twisted.internet import reactor

        self.path = drop(case)
        self.nursery = Nursery(case)
        self.processes = TaskProcesses(reactor, self.nursery.spawner.errand_between)
        self.heard = Heard()
        program = Program(("web",), environment={"FLAVOUR": "sweet"}, stdin=b"secret")
        self.launch = Launch(program, environment={"A": "1"}, grace_period=20.0)

    def run(
        self, task: str, *words: str, launch: Launch | None = None, **settings: Any
    ) -> Deferred[dict[str, Any]]:
        """Run one."""
        state, path = str(self.nursery.path), (str(self.path),)
        request = Request("chores", "web", "m1", task, words, settings, state, path)
        running = self.processes.run("web", launch or self.launch, request, self.heard)
        return Deferred.fromCoroutine(running)

    @property
    def directory(self) -> Path:
        """Where they work."""
        return self.nursery.path / "services" / "web"
