"""Turns by themselves, without agents: what lies in ZooKeeper, and trouble on the way to it."""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

from pop.model import Progress, Status, Stop
from pop.test.clusters import ClusterTestCase
from pop.turn import RETRY, Ask, Turn, known

ROLL = "/services/web/roll"
MACHINES = ("m1", "m2", "m3")
ONE = Ask("v1", 1)


class TurnTestCase(ClusterTestCase):
    """Three machines that serve, each with a client and a turn of its own.

    @ivar told: whose turn has come, or was said to be over, in order.
    @ivar most: of how many it was the turn at the same time.
    """

    def begin(self) -> None:
        super().begin()
        self.deploy("web", *MACHINES)
        for machine in MACHINES:
            self.put(f"/services/web/status/{machine}", Status("ready").to_json())
        self.told: list[str] = []
        self.most = 0
        self.turns: dict[str, Turn] = {}
        self.networks = {machine: self.server.network() for machine in MACHINES}
        self.agents = {machine: self.connect(self.networks[machine]) for machine in MACHINES}
        for machine in MACHINES:
            self.turn(machine)

    def end(self) -> None:
        for turn in self.turns.values():
            turn.stop()
        super().end()

    def turn(self, machine: str) -> None:
        """It has another one, on the client that it has."""
        told = partial(self.tell, machine)
        agent, when = self.agents[machine], lambda: f"{self.clock.seconds():g} s"
        self.turns[machine] = Turn(agent, "web", machine, told, when)
        self.server.settle()

    def tell(self, machine: str) -> None:
        """Something has changed about its turn."""
        self.told.append(machine)
        self.most = max(self.most, len(self.granted()))

    def ask(self, ask: Ask | None, *machines: str) -> None:
        """Some wait for their turn, or do not any more."""
        for machine in machines:
            self.turns[machine].ask(ask)
        self.server.settle()

    def over(self, machine: str, why: str = "", version: str = "v1") -> None:
        """It has done what was to be done there."""
        self.turns[machine].over(version, why)
        self.ask(None, machine)

    def granted(self) -> list[str]:
        """Whose turn it is by their own account."""
        return [machine for machine, turn in self.turns.items() if turn.granted]

    def waiting(self) -> list[str]:
        """Who stands there and waits."""
        standing: list[str] = self.run_(self.client.get_children(ROLL))
        return sorted(standing)

    def progress(self) -> Progress:
        """How far they say that they are."""
        return Progress.from_json(ROLL, self.data(ROLL) or b"")


class AloneTests(TurnTestCase):
    """One machine's turn."""

    def test_nothing_asked(self) -> None:
        """Who wants nothing leaves no node, and nothing on the clock."""
        self.assertTrue(self.turns["m1"].idle)
        self.assertNotIn(ROLL, self.tree("/services/web"))
        self.turns["m1"].over("v1", "nobody asked")
        self.server.advance(2 * RETRY)
        self.assertEqual([], self.told)

    def test_granted(self) -> None:
        """Who asks has the turn once nobody is before, and is told once."""
        self.ask(ONE, "m1")
        self.assertEqual((["m1"], ["m1"]), (self.granted(), self.told))
        self.assertEqual((("m1",), []), (self.progress().going, self.waiting()))
        self.ask(Ask("v2", 1), "m1")
        self.ask(None, "m1")
        self.assertEqual((["m1"], ["m1"]), (self.granted(), self.told))
        self.assertFalse(self.turns["m1"].idle)

    def test_over(self) -> None:
        """Then the turn is over, and there is nothing to be lost."""
        self.ask(ONE, "m1")
        self.over("m1")
        self.assertEqual((Progress(), []), (self.progress(), self.granted()))
        self.assertTrue(self.turns["m1"].idle)

    def test_once_more(self) -> None:
        """Who asks for something else meanwhile has another turn."""
        self.ask(ONE, "m1")
        self.ask(Ask("v2", 1), "m1")
        self.turns["m1"].over("v1", "")
        self.server.settle()
        self.assertEqual((["m1"], ("m1",)), (self.granted(), self.progress().going))

    def test_withdrawn(self) -> None:
        """Who waits no more leaves no node."""
        self.ask(ONE, "m1")
        self.ask(ONE, "m2")
        self.assertEqual(["m2"], self.waiting())
        self.assertFalse(self.turns["m2"].idle)
        self.ask(None, "m2")
        self.assertEqual([], self.waiting())
        self.assertTrue(self.turns["m2"].idle)

    def test_stopped(self) -> None:
        """Who does nothing more leaves all as it is: it is a successor's."""
        self.ask(ONE, "m1", "m2")
        for machine in ("m1", "m2"):
            self.turns[machine].stop()
        self.ask(None, "m1", "m2")
        self.assertEqual((("m1",), ["m2"]), (self.progress().going, self.waiting()))
        self.turn("m1")
        self.assertEqual(["m1"], self.granted())
        self.over("m1")
        self.assertEqual((), self.progress().going)

    def test_no_service(self) -> None:
        """A service that is not there has no turns."""
        self.run_(self.cluster.remove("web"))
        self.ask(ONE, "m1")
        self.assertEqual(([], None), (self.granted(), self.data("/services/web")))


class TogetherTests(TurnTestCase):
    """Several machines."""

    def test_order(self) -> None:
        """One after the other, in the order in which it is deployed on them."""
        self.put("/services/web/machines", b'["m3", "m2", "m1"]')
        self.ask(ONE, "m1")
        self.ask(ONE, "m2", "m3")
        for machine in ("m1", "m3", "m2"):
            self.assertEqual([machine], self.granted())
            self.over(machine)
        self.assertEqual((Progress(), []), (self.progress(), self.waiting()))

    def test_batch(self) -> None:
        """So many together as they may; the next when the last of them is done."""
        self.ask(Ask("v1", 2), *MACHINES)
        first = self.granted()
        self.assertEqual(2, len(first))
        self.over(first[0])
        self.assertEqual(first[1:], self.granted())
        self.over(first[1])
        self.assertEqual(sorted({*MACHINES} - {*first}), self.granted())

    def test_failure(self) -> None:
        """What failed is tried nowhere else; the first reason stays, and who waits for something
        else has a turn."""
        self.ask(Ask("v1", 2), *MACHINES)
        first = self.granted()
        self.clock.advance(3)
        self.over(first[0], "no such file")
        self.over(first[1], "nor here")
        stop = Stop(first[0], "no such file", "v1", "3 s")
        self.assertEqual((Progress((), stop), []), (self.progress(), self.granted()))
        [last] = {*MACHINES} - {*first}
        self.assertEqual([last], self.waiting())
        self.ask(Ask("v2", 2), last)
        self.assertEqual(([last], Progress((last,))), (self.granted(), self.progress()))

    def test_another_fails(self) -> None:
        """A failure of something else than what failed before is a reason of its own."""
        old = Stop("m2", "long ago", "v0", "then")
        self.put(ROLL, Progress(("m1",), old).to_json())
        self.server.settle()
        self.ask(ONE, "m1")
        self.over("m1", "no")
        self.assertEqual(Stop("m1", "no", "v1", "0 s"), self.progress().stop)

    def test_out_of_service(self) -> None:
        """Nobody has a turn while another is out of service, or says what makes no sense."""
        for data in (Status("failed").to_json(), b"nonsense", b"[]"):
            self.put("/services/web/status/m3", data)
            self.ask(ONE, "m1")
            self.assertEqual([], self.granted(), data)
            self.put("/services/web/status/m3", Status("ready").to_json())
            self.server.settle()
            self.assertEqual(["m1"], self.granted(), data)
            self.over("m1")

    def test_again_and_again(self) -> None:
        """Nor is in service what is started again and again, though it is ready each time."""
        for failures in range(1, 4):
            status = Status("ready", restarts=failures, assumed=True, failures=failures)
            self.put("/services/web/status/m3", status.to_json())
            self.ask(ONE, "m1")
            self.server.advance(9)
            self.assertEqual([], self.granted())
        self.put("/services/web/status/m3", replace(status, failures=0).to_json())
        self.server.settle()
        self.assertEqual(["m1"], self.granted())

    def test_strangers(self) -> None:
        """Machines where it is not deployed hold nobody up, be it that it is their turn."""
        self.put(ROLL, Progress(("m9",)).to_json())
        self.put(f"{ROLL}/m0", b"")
        self.ask(ONE, "m1")
        self.assertEqual((["m1"], ("m1",)), (self.granted(), self.progress().going))


class TroubleTests(TurnTestCase):
    """The way to ZooKeeper, and what others do there."""

    def roll(self) -> None:
        """Two wait; one has the turn, and is done."""
        self.turns["m1"].ask(ONE)
        self.turns["m2"].ask(ONE)

    def finish(self, moment: object) -> None:
        """Both have their turn in the end, and never at the same time."""
        done: list[str] = []
        for _ in range(2):
            self.server.advance(2 * RETRY)
            [machine] = self.granted()
            done.append(machine)
            self.over(machine)
        self.server.advance(2 * RETRY)
        found = (sorted(done), self.granted(), self.progress(), self.waiting())
        self.assertEqual((["m1", "m2"], [], Progress(), []), found, moment)
        self.assertEqual(1, self.most, moment)

    def each_moment(self) -> Iterator[int]:
        """A connection breaks after so many steps."""
        return self.at_each_step(self.roll, lambda: self.networks["m1"].drop_connections())

    def test_dropped(self) -> None:
        """A connection that breaks at any moment costs nobody a turn."""
        for step in self.each_moment():
            self.finish(step)

    def test_expired(self) -> None:
        """Nor does a session that expires."""

        def expire() -> None:
            self.server.server.expire(self.agents["m1"].client.client_id[0])

        for step in self.at_each_step(self.roll, expire):
            self.finish(step)

    def test_dropped_at_the_end(self) -> None:
        """How it went is said once, whenever the connection breaks meanwhile."""

        def work() -> None:
            self.ask(ONE, "m1")
            self.turns["m1"].over("v1", "no")
            self.turns["m1"].ask(None)

        for step in self.at_each_step(work, lambda: self.networks["m1"].drop_connections()):
            self.server.advance(2 * RETRY)
            stop = self.progress().stop
            assert stop is not None, step
            self.assertEqual((("m1", "no"), []), ((stop.machine, stop.why), self.granted()), step)
            self.assertTrue(self.turns["m1"].idle, step)

    def test_deleted_by_hand(self) -> None:
        """Who waits does so again when somebody has deleted the node."""
        self.ask(ONE, "m1")
        self.ask(ONE, "m2")
        self.run_(self.client.delete(f"{ROLL}/m2"))
        self.server.settle()
        self.assertEqual(["m2"], self.waiting())

    def test_predecessor(self) -> None:
        """A node that an earlier session left is made anew: it would vanish with that one."""
        self.ask(ONE, "m1")
        self.put(f"{ROLL}/m2", b"")
        self.ask(ONE, "m2")
        owner = self.stat(f"{ROLL}/m2").ephemeral_owner
        self.assertEqual(self.agents["m2"].client.client_id[0], owner)

    def test_taken_away(self) -> None:
        """Who has the turn has it no more when the name is taken out by hand, and is not told."""
        self.ask(ONE, "m1")
        self.put(ROLL, Progress(("m2",)).to_json())
        self.server.settle()
        self.assertEqual(([], ["m1"]), (self.granted(), self.waiting()))
        self.over("m1", "too late")
        self.assertIsNone(self.progress().stop)

    def test_nonsense(self) -> None:
        """What cannot be read is looked at again after a while."""
        self.put(ROLL, b"nonsense")
        self.ask(ONE, "m1")
        self.server.advance(RETRY - 0.1)
        self.put(ROLL, b"")
        self.server.settle()
        self.assertEqual([], self.granted())
        self.server.advance(0.2)
        self.assertEqual(["m1"], self.granted())

    def test_closed(self) -> None:
        """A client that is closed is the end of it, which is no error."""
        self.ask(ONE, "m1")
        self.run_(self.agents["m1"].client.close())
        self.turns["m1"].over("v1", "")
        self.server.advance(2 * RETRY)
        self.assertEqual(("m1",), self.progress().going)


class KnownTests(ClusterTestCase):
    """What is known of a machine."""

    def test_status(self) -> None:
        """Its status; where there is none that makes sense, it is not in service."""
        stat, status = self.stat("/"), Status("ready", why="deployed")
        self.assertEqual(status, known(ROLL, (status.to_json(), stat)))
        for node in (None, (b"nonsense", stat), (b"[]", stat)):
            self.assertFalse(known(ROLL, node).serves)
