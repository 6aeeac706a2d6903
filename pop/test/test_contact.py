"""Contact with ZooKeeper: what there is to go by, and for how long it has been away."""

import random
from typing import Any

from twisted.logger import capturedLogs, formatEvent

from pop.cluster import Cluster
from pop.contact import PATIENCE, Contact, Grounds
from pop.test.clusters import ClusterTestCase
from txzookeeper import ManagedClient

TIMEOUT = 6.0
"""Seconds that the agent's session lasts."""


class Defective(Cluster):
    """One that cannot read, and not because ZooKeeper is away."""

    async def read_anew(self, machine: str) -> None:
        raise ZeroDivisionError("by 0")


class ContactTestCase(ClusterTestCase):
    """A machine's contact, by a network of its own.

    @ivar changed: how often it was said that something may be different.
    """

    kind: type[Cluster] = Cluster

    def begin(self) -> None:
        """Have a server, and an agent that is yet to connect to it."""
        super().begin()
        self.network = self.server.network()
        self.agent = ManagedClient(
            self.server.servers,
            int(TIMEOUT * 1000),
            reactor=self.clock,
            endpoint=self.network.endpoint,
            random=random.Random(1),
        )
        self.clients.append(self.agent)
        self.changed = 0
        cluster = self.kind(self.agent, self.paths, self.clock)
        self.contact = Contact(cluster, "m1", self.clock, self._count)
        self.clock.advance(1)
        self.contact.begin()

    def _count(self) -> None:
        self.changed += 1

    def end(self) -> None:
        """No more contact; nothing of it is left."""
        self.contact.stop()
        super().end()

    def follow(self) -> None:
        """Reach ZooKeeper, and read what is wanted."""
        self.run_(self.agent.connect())
        self.contact.follow()
        self.server.settle()

    def lose_zookeeper(self) -> None:
        """Let it be away."""
        self.network.refuse_connections()
        self.network.drop_connections()
        self.server.settle()

    def find_zookeeper(self) -> None:
        """Let it be back."""
        self.network.accept_connections()
        self.server.advance(5)

    def check(self, grounds: Grounds) -> None:
        """What there is to go by."""
        self.assertIs(grounds, self.contact.grounds)


class GroundsTests(ContactTestCase):
    """What there is to go by, and who is told when that is something else."""

    def test_patience(self) -> None:
        """An agent that gets no answer waits for a while, and then goes by what it remembers."""
        self.network.refuse_connections()
        connecting = self.agent.connect()
        connecting.addErrback(lambda _: None)
        self.server.advance(PATIENCE - 0.1)
        self.check(Grounds.UNREAD)
        changed = self.changed
        self.server.advance(0.1)
        self.check(Grounds.AWAY)
        self.assertEqual(changed + 1, self.changed)
        self.assertFalse(self.contact.known)

    def test_current(self) -> None:
        """A connection is not enough: what is wanted is to be read first, and that is told."""
        self.run_(self.agent.connect())
        self.check(Grounds.UNREAD)
        self.assertFalse(self.contact.known)
        changed = self.changed
        self.contact.follow()
        self.server.settle()
        self.check(Grounds.CURRENT)
        self.assertEqual((True, True), (self.contact.known, self.changed > changed))

    def test_connected_in_time(self) -> None:
        """Once it has answered, patience has no end that anybody would be told of."""
        self.follow()
        changed = self.changed
        self.server.advance(2 * PATIENCE)
        self.assertEqual(changed, self.changed)

    def test_away_and_back(self) -> None:
        """It is away at once when the connection breaks, and has to be read anew when it is back;
        what was ever known stays known."""
        self.follow()
        changed = self.changed
        self.lose_zookeeper()
        self.check(Grounds.AWAY)
        self.assertEqual((True, True), (self.contact.known, self.changed > changed))
        changed = self.changed
        self.find_zookeeper()
        self.check(Grounds.CURRENT)
        self.assertGreater(self.changed, changed)

    def test_unread(self) -> None:
        """Between the connection and what is read by it, nothing is known for sure."""
        self.follow()
        self.lose_zookeeper()
        seen: list[Grounds] = []
        self.agent.subscribe_session(lambda _: seen.append(self.contact.grounds))
        self.find_zookeeper()
        self.assertEqual([Grounds.UNREAD], seen)
        self.check(Grounds.CURRENT)

    def drop_after(self, turns: int) -> None:
        """Have the connection break so many turns of the clock from now."""
        if turns:
            self.clock.callLater(0, self.drop_after, turns - 1)
        else:
            self.network.drop_connections()

    def test_broken_again(self) -> None:
        """If the next one breaks at any moment of the reading, it is begun anew, and no log tells
        of it."""
        self.follow()
        for turns in range(10):
            self.lose_zookeeper()
            unsubscribe = self.agent.subscribe_session(
                lambda _, turns=turns: self.drop_after(turns)  # type: ignore[misc]
            )
            self.network.accept_connections()
            self.server.advance(0.2)
            unsubscribe()
            self.server.advance(5)
            self.check(Grounds.CURRENT)
        self.assertEqual([], self.flushLoggedErrors())

    def test_stopped(self) -> None:
        """Stopped, it takes no notice of anything."""
        self.follow()
        changed = self.changed
        self.contact.stop()
        self.deploy("web", "m1")
        self.server.settle()
        self.lose_zookeeper()
        self.find_zookeeper()
        self.assertEqual(changed, self.changed)
        self.check(Grounds.UNREAD)

    def test_stopped_before_an_answer(self) -> None:
        """Stopped before anything came of it, it tells nobody that its patience is over."""
        self.contact.stop()
        self.server.advance(2 * PATIENCE)
        self.assertEqual(0, self.changed)

    def test_stopped_while_it_reads(self) -> None:
        """Stopped meanwhile, it does not say that all was read."""
        self.run_(self.agent.connect())
        self.contact.follow()
        changed = self.changed
        self.contact.stop()
        self.server.settle()
        self.assertEqual((changed, False), (self.changed, self.contact.known))


class AbsenceTests(ContactTestCase):
    """For how long it has been away."""

    def test_never_there(self) -> None:
        """If it never answered, that is counted from the agent's beginning, and said to be so."""
        self.server.advance(2)
        absence = self.contact.absence
        self.assertEqual((2.0, False), (absence.seconds, absence.known))

    def test_was_there(self) -> None:
        """Else from when it last confirmed the session."""
        self.follow()
        self.lose_zookeeper()
        before = self.contact.absence
        self.assertEqual((TIMEOUT, True), (before.timeout, before.known))
        self.server.advance(2)
        self.assertAlmostEqual(before.seconds + 2, self.contact.absence.seconds)


class WordsTests(ContactTestCase):
    """What the log says."""

    def test_once(self) -> None:
        """However often it is tried in vain, it is said once that it is away, and once that it is
        back; and so the next time."""
        self.follow()
        for _ in range(2):
            with capturedLogs() as logs:
                self.lose_zookeeper()
                self.server.advance(60)
                self.find_zookeeper()
            said = [
                formatEvent(log) for log in logs if log["log_namespace"] == "pop.contact.Contact"
            ]
            self.assertEqual(2, len(said), said)
            self.assertIn("ZooKeeper is away (", said[0])
            self.assertIn("Services go on", said[0])
            self.assertEqual("ZooKeeper is back.", said[1])


class DefectTests(ContactTestCase):
    """What is not ZooKeeper's fault."""

    kind = Defective

    def test_defect(self) -> None:
        """A defect in reading is logged, and nothing is taken for current."""
        self.follow()
        self.check(Grounds.UNREAD)
        logged: list[Any] = self.flushLoggedErrors(ZeroDivisionError)
        self.assertEqual(1, len(logged))
