"""Tasks on many machines, one run at a time, each remembered."""

from collections.abc import Awaitable, Callable
from typing import Any

from twisted.internet.defer import CancelledError, Deferred, succeed
from zope.interface import implementer

from pop.assignment import Assignment, Course, Result
from pop.cluster import Cluster
from pop.errors import BadSetting, NoSuchService, RunLost, Silent, TasksBusy
from pop.interfaces import IOutput
from pop.model import Service, load_settings
from pop.runrecord import RunRecord
from pop.runs import KEPT, Runs
from pop.test.clusters import ClusterTestCase


@implementer(IOutput)
class Nobody:
    """Reads nothing."""

    def write(self, source: str, data: bytes) -> Deferred[None]:
        """See L{IOutput.write}."""
        return succeed(None)


class Agents:
    """Agents whose tasks end as a test says.

    @ivar going: what each machine runs.
    @ivar asked: what they were asked, in order.
    @ivar cancelled: where it was ended before its time.
    """

    def __init__(self) -> None:
        self.going: dict[str, Deferred[dict[str, Any]]] = {}
        self.asked: list[tuple[str, ...]] = []
        self.cancelled: list[str] = []
        self.silent: set[str] = set()

    async def ask(
        self, machine: str, question: Callable[[Any], Awaitable[dict[str, Any]]]
    ) -> dict[str, Any]:
        """Connect to one of them."""
        if machine in self.silent:
            raise Silent(machine="m1", seconds=10.0)
        self._machine = machine
        return await question(self)

    def run(
        self, service: str, task: str, arguments: list[str], output: IOutput
    ) -> Deferred[dict[str, Any]]:
        """See L{pop.interfaces.IAdministration.run}."""
        machine = self._machine
        self.asked.append((machine, service, task, *arguments))
        going: Deferred[dict[str, Any]] = Deferred(lambda _: self.cancelled.append(machine))
        self.going[machine] = going
        return going

    def end(self, machine: str, status: int = 0, **settings: Any) -> None:
        """A task ends."""
        self.going.pop(machine).callback({"status": status, "settings": settings or None})


class Tests(ClusterTestCase):
    """A service on two machines."""

    def setUp(self) -> None:
        super().setUp()
        self.deploy("web", "m1", "m2", argv="true", umask="022")
        self.agents = Agents()
        self.waited: list[str] = []
        self.told: list[str] = []

    def course(
        self,
        cluster: Cluster | None = None,
        who: str = "ann",
        check: Callable[[Service], object] = lambda _: None,
        **more: Any,
    ) -> Course:
        """Somebody's assignment."""
        assignment = Assignment("web", "bake", ("a", "b"), ("m1", "m2"), **more)
        return Course(
            cluster or self.cluster,
            assignment,
            self.agents.ask,
            lambda machine: Nobody(),
            who=f"{who}@host",
            identifier=f"{who}@host (pid 7)",
            now=lambda: f"at {self.clock.seconds():g}",
            waiting=self.waited.append,
            ended=lambda machine, result: self.told.append(machine),
            check=check,
        )

    def begun(self, course: Course) -> Deferred[None]:
        """Begin it, up to where agents are to answer."""
        going = Deferred.fromCoroutine(course.run())
        self.server.settle()
        return going

    def records(self, service: str = "web") -> list[RunRecord]:
        """What is remembered."""
        return self.run_(Runs(self.cluster, service).read())

    def settings(self) -> dict[str, Any]:
        """The service's."""
        path = self.paths.settings("web")
        return load_settings(path, self.data(path) or b"")


class CourseTests(Tests):
    """One assignment."""

    def test_everywhere(self) -> None:
        """All machines are asked at once; what each came to is a result, and is remembered."""
        course = self.course()
        going = self.begun(course)
        asked = [("m1", "web", "bake", "a", "b"), ("m2", "web", "bake", "a", "b")]
        self.assertEqual(asked, self.agents.asked)
        [record] = self.records()
        self.assertEqual(
            ("going on", "bake", "ann@host"), (record.outcome, record.task, record.who)
        )
        self.agents.end("m2", 3)
        self.assertEqual(["m2"], self.told)
        self.agents.end("m1")
        self.run_(going)
        self.assertEqual({"m1": Result(0), "m2": Result(3)}, course.results)
        [record] = self.records()
        self.assertEqual(("status 3", {"m1": 0, "m2": 3}), (record.outcome, record.machines))
        self.assertNotEqual("", record.ended)

    def test_unreachable(self) -> None:
        """A machine that cannot be asked has a problem instead, and the others go on."""
        self.agents.silent.add("m1")
        course = self.course()
        going = self.begun(course)
        self.agents.end("m2")
        self.run_(going)
        self.assertEqual(str(Silent(machine="m1", seconds=10.0)), course.results["m1"].problem)
        [record] = self.records()
        self.assertEqual("failed", record.outcome)
        self.assertEqual({"m1": str(Silent(machine="m1", seconds=10.0))}, record.problems)
        self.assertFalse(course.succeeded)

    def test_cancelled(self) -> None:
        """It is cancelled where it has not ended, and that is remembered; the lock is free."""
        going = self.begun(self.course())
        self.agents.end("m1")
        going.cancel()
        self.fails(CancelledError, going)
        self.assertEqual(["m2"], self.agents.cancelled)
        [record] = self.records()
        self.assertEqual(("cancelled", {"m1": 0, "m2": None}), (record.outcome, record.machines))
        self.assertEqual({"m2": "it was cancelled"}, record.problems)
        self.assertEqual([], self.run_(self.client.get_children(self.paths.lock("web"))))

    def test_defect(self) -> None:
        """An error that nobody expected ends it everywhere, and is seen."""
        going = self.begun(self.course())
        self.agents.going["m1"].errback(ZeroDivisionError())
        self.fails(ZeroDivisionError, going)
        self.assertEqual(["m2"], self.agents.cancelled)

    def test_order(self) -> None:
        """Somebody else may say in which order it is done."""

        async def first(course: Course) -> None:
            await course.on("m2")

        course = self.course()
        going = Deferred.fromCoroutine(course.run(first))
        self.server.settle()
        self.agents.end("m2")
        self.run_(going)
        [record] = self.records()
        self.assertEqual({"m1": "it was not begun"}, record.problems)

    def test_no_service(self) -> None:
        """A service that is removed before it begins has no runs."""
        self.run_(self.cluster.remove("web"))
        self.fails(NoSuchService, self.course(changes=False).run())
        self.fails(NoSuchService, Runs(self.cluster, "web").read())

    def test_removed_meanwhile(self) -> None:
        """A service that is removed meanwhile is not made again to remember it."""
        going = self.begun(self.course(changes=False))
        self.run_(self.cluster.remove("web"))
        self.agents.end("m1")
        self.agents.end("m2")
        self.run_(going)
        self.assertEqual([], self.run_(self.cluster.names()))


class SettingsTests(Tests):
    """Settings that tasks have recorded."""

    def run_all(self, course: Course, *ends: dict[str, Any]) -> None:
        """Carry it out; the machines end like that."""
        going = self.begun(course)
        for machine, how in zip(("m1", "m2"), ends, strict=True):
            self.agents.end(machine, **how)
        self.run_(going)

    def test_recorded(self) -> None:
        """They are changed at the end, all at once; null returns one to its default."""
        course = self.course()
        self.run_all(course, {"argv": "false"}, {"argv": "false", "umask": None})
        self.assertEqual({"argv": "false"}, self.settings())
        self.assertEqual({"argv": "false", "umask": None}, course.recorded)

    def test_failed(self) -> None:
        """They stay as they are if it did not go well on every machine."""
        course = self.course()
        self.run_all(course, {"argv": "false"}, {"status": 1})
        self.assertEqual({"argv": "true", "umask": "022"}, self.settings())
        self.assertEqual({}, course.recorded)

    def test_refused(self) -> None:
        """What the type would not take is refused, and the run is over all the same."""

        def check(service: Service) -> None:
            raise BadSetting(type="x", setting="argv", value="''", reason="it is empty")

        going = self.begun(self.course(check=check))
        self.agents.end("m1", argv="")
        self.agents.end("m2")
        self.fails(BadSetting, going)
        [record] = self.records()
        self.assertNotEqual("", record.ended)


class TurnTests(Tests):
    """Runs of one service exclude each other."""

    def test_waits(self) -> None:
        """The second waits until the first has ended, and is told whose it is."""
        first = self.begun(self.course())
        second = self.begun(self.course(self.connect(), "bob"))
        self.assertEqual(["ann@host (pid 7)"], self.waited)
        self.assertEqual(2, len(self.agents.asked))
        self.agents.end("m1")
        self.agents.end("m2")
        self.run_(first)
        self.server.settle()
        self.assertEqual(4, len(self.agents.asked))
        self.agents.end("m1")
        self.agents.end("m2")
        self.run_(second)
        self.assertEqual(["ann@host", "bob@host"], [record.who for record in self.records()])

    def test_does_not_wait(self) -> None:
        """Who does not want to wait is told who is at it, and leaves no trace."""
        first = self.begun(self.course())
        other = self.course(self.connect(), "bob", waits=False)
        error = self.fails(TasksBusy, other.run())
        self.assertEqual("ann@host (pid 7)", error.fields["who"])
        self.agents.end("m1")
        self.agents.end("m2")
        self.run_(first)
        self.run_(self.clients[1].close())
        self.assertEqual(1, len(self.records()))

    def test_nobody_before(self) -> None:
        """Who does not want to wait need not, if there is nobody."""
        going = self.begun(self.course(waits=False))
        self.assertEqual(2, len(self.agents.asked))
        going.cancel()
        self.fails(CancelledError, going)

    def test_looking(self) -> None:
        """What changes nothing waits for nobody."""
        first = self.begun(self.course())
        second = self.begun(self.course(self.connect(), "bob", changes=False))
        self.assertEqual(4, len(self.agents.asked))
        for going in (first, second):
            going.cancel()
            self.fails(CancelledError, going)

    def test_gives_up(self) -> None:
        """Who gives up waiting is out of the line."""
        first = self.begun(self.course())
        second = self.begun(self.course(self.connect(), "bob"))
        second.cancel()
        self.fails(CancelledError, second)
        self.assertEqual(1, len(self.run_(self.client.get_children(self.paths.lock("web")))))
        first.cancel()
        self.fails(CancelledError, first)

    def test_dies(self) -> None:
        """If the first is lost to ZooKeeper, it ends what it began, and the next has its turn."""
        network = self.server.network()
        first = self.begun(self.course(self.connect(network)))
        second = self.begun(self.course(self.connect(), "bob"))
        network.hold()
        self.server.advance(20)
        self.assertEqual(["m1", "m2"], self.agents.cancelled[:2])
        self.assertEqual(4, len(self.agents.asked))
        network.release()
        self.fails(RunLost, first)
        second.cancel()
        self.fails(CancelledError, second)


class RecordTests(Tests):
    """What is remembered of runs."""

    def record(self, task: str = "bake") -> RunRecord:
        return RunRecord(task, "ann@host", "at 0", machines={"m1": None})

    def test_bounded(self) -> None:
        """The last fifty are kept, and all that go on."""
        runs = Runs(self.cluster, "web")
        self.run_(runs.begin(self.record("long")))
        for number in range(KEPT + 3):
            run = self.run_(runs.begin(self.record(f"bake {number}")))
            self.run_(runs.end(run, self.record(f"bake {number}")))
        found = self.records()
        self.assertEqual(KEPT + 1, len(found))
        self.assertEqual(["long", "bake 3"], [record.task for record in found[:2]])

    def test_broken_off(self) -> None:
        """One whose beginner has died is not taken to go on."""
        other = self.connect()
        self.run_(Runs(other, "web").begin(self.record()))
        self.assertEqual("going on", self.records()[0].outcome)
        self.run_(other.client.close())
        self.assertEqual("broken off", self.records()[0].outcome)

    def test_nonsense(self) -> None:
        """What is no record is passed over, and keys of another kind are."""
        self.put(f"{self.paths.runs('web')}/run-1", b"hello")
        self.put(f"{self.paths.runs('web')}/run-2", b'{"task": 3, "machines": {"m1": "x"}}')
        [record] = self.records()
        self.assertEqual(("", {"m1": None}), (record.task, record.machines))

    def test_none(self) -> None:
        """Most services have none."""
        self.assertEqual([], self.records())

    def test_outcomes(self) -> None:
        """How it came out, in a word."""
        done = RunRecord("t", "w", "b", "e", {"m1": 0})
        self.assertEqual("done", done.outcome)
        self.assertEqual("status 2, 3", RunRecord("t", "w", "b", "e", {"a": 3, "b": 2}).outcome)
        self.assertEqual("failed", RunRecord("t", "w", "b", "e", {}, {"a": "x"}).outcome)
        self.assertEqual("done", done.to_object()["outcome"])
