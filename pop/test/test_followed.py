"""Machines are followed, whatever becomes of their agents."""

from typing import Any

from twisted.internet.defer import CancelledError, Deferred, succeed
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from pop.cli.chorus import Chorus
from pop.cli.followed import LONGEST, SOON, Followers
from pop.cli.seam import AGAIN
from pop.errors import AgentBusy, AgentLost, NoLog, NotConnected
from pop.test.scripted import Scripted


class FollowersTests(SynchronousTestCase):
    """Two machines, m1 and m2, that answer as the test says."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.text = b""
        self.notes: list[str] = []
        self.agents = {id: Scripted() for id in ("m1", "m2")}
        self.trouble: dict[str, Exception] = {}
        for agent in self.agents.values():
            agent.answer = Deferred
        chorus = Chorus(self.write, machines=True, slots=False)
        self.followers = Followers(*(chorus, self.source, self.clock, self.notes.append, "web", 5))

    def write(self, data: bytes) -> "Deferred[None]":
        """Take a piece of the text."""
        self.text += data
        return succeed(None)

    async def source(self, machine: str) -> Any:
        """The agent of a machine, unless it is in trouble."""
        if machine in self.trouble:
            raise self.trouble[machine]
        return self.agents[machine]

    def follow(self) -> "Deferred[None]":
        """Follow both, until the test is over at the latest."""
        for machine in self.agents:
            self.followers.add(machine, f"host-{machine}")
        waiting = Deferred.fromCoroutine(self.followers.wait())
        self.addCleanup(self.forget, waiting)
        return waiting

    def forget(self, waiting: "Deferred[None]") -> None:
        """A coroutine that waits for ever would be ended by the garbage collector, in any test."""
        waiting.addErrback(lambda failure: failure.trap(CancelledError))
        waiting.cancel()

    def say(self, machine: str, data: bytes) -> None:
        """An agent tells something of the log."""
        output = self.agents[machine].output
        assert output is not None
        output.write("web", data)

    def test_both(self) -> None:
        """Both are asked once, and what they tell is labelled with what they are called."""
        self.follow()
        self.followers.add("m1", "again")
        for agent in self.agents.values():
            self.assertEqual([("logs", "web", 5, True)], agent.asked)
        self.say("m2", b"a\n")
        self.assertEqual(b"host-m2 | a\n", self.text)

    def test_absent(self) -> None:
        """One that is not there is named once, and followed when it comes."""
        self.trouble["m2"] = NotConnected(machine="m2")
        self.follow()
        self.clock.pump([SOON] * 30)
        [note] = self.notes
        self.assertEqual(f"{self.trouble['m2']} It is followed as soon as it answers.", note)
        self.trouble.clear()
        self.clock.advance(LONGEST)
        self.assertEqual([("logs", "web", 5, True)], self.agents["m2"].asked)

    def test_lost(self) -> None:
        """Where a connection broke, what was written meanwhile is made up for."""
        lost: Deferred[None] = Deferred()
        self.agents["m1"].answer = lost
        self.follow()
        self.say("m1", b"a\n")
        self.agents["m1"].answer = Deferred
        lost.errback(AgentLost(machine="m1"))
        self.clock.advance(SOON)
        self.assertEqual(("logs", "web", AGAIN, True), self.agents["m1"].asked[-1])
        self.say("m1", b"0\na\nb\n")
        self.assertEqual(b"host-m1 | a\nhost-m1 | b\n", self.text)
        self.assertIn("host-m1 broke", self.notes[0])

    def test_not_begun(self) -> None:
        """Where there is no log yet, one is waited for, and nothing said."""
        self.agents["m1"].answer = NoLog(service="web", directory="/x")
        self.follow()
        self.clock.advance(SOON)
        self.assertEqual(2, len(self.agents["m1"].asked))
        self.assertEqual([], self.notes)

    def test_refused(self) -> None:
        """One that refuses is named, and left; when all have, it is over."""
        for agent in self.agents.values():
            agent.answer = AgentBusy(machine="it", most=9)
        self.successResultOf(self.follow())
        self.assertEqual(2, len(self.notes))
        self.assertIn("host-m1: ", self.notes[0])

    def test_no_reader(self) -> None:
        """When nobody reads, all is over, and every agent is told."""
        going: Deferred[None] = Deferred()
        broken: Deferred[None] = Deferred()
        self.agents["m1"].answer, self.agents["m2"].answer = going, broken
        following = self.follow()
        broken.errback(BrokenPipeError())
        self.failureResultOf(following, BrokenPipeError)
        self.assertTrue(going.called)
        self.assertEqual([], self.clock.getDelayedCalls())

    def test_interrupted(self) -> None:
        """Interrupted, nothing is left to happen."""
        self.trouble["m2"] = NotConnected(machine="m2")
        following = self.follow()
        following.addErrback(lambda _: None)
        following.cancel()
        self.assertEqual([], self.clock.getDelayedCalls())
