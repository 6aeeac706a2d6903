"""Wants: what a machine's slots should do, with ZooKeeper there, away, and back."""

import random
from collections.abc import Coroutine, Mapping
from typing import Any, TypeVar

from twisted.internet.defer import Deferred

from pop.catalogue import Catalogue
from pop.cluster import Cluster
from pop.contact import PATIENCE, Contact, Grounds
from pop.files import Record
from pop.finished import Finished
from pop.instances import Instances
from pop.model import Service
from pop.plan import Want, plan
from pop.preparations import Preparations
from pop.program import Launch, Program
from pop.reasons import Reasons
from pop.resolution import Resolution
from pop.services.command import Command
from pop.snapshot import Snapshot
from pop.test.clusters import ClusterTestCase
from pop.test.test_instances import Recorder
from pop.testing import FakeBuilder, FakeFile, FakeSpawner
from pop.wants import LOOK_AGAIN, Wants
from txzookeeper import ManagedClient, make_digest_acl

T = TypeVar("T")
CATALOGUE = Catalogue({"command": Command()})
TIMEOUT = 6.0
"""Seconds that the agent's session lasts."""


class WantsTestCase(ClusterTestCase):
    """A machine whose agent is on a network of its own.

    @ivar changed: how often it was said that something may be different.
    """

    def begin(self) -> None:
        """Have a server, an agent that is not connected yet, and its file."""
        super().begin()
        self.snapshot = FakeFile()
        self.changed = 0
        self.succeed()

    def succeed(self) -> None:
        """Have an agent's parts, with the file that is there."""
        self.network = self.server.network()
        client = ManagedClient(
            self.server.servers,
            int(TIMEOUT * 1000),
            reactor=self.clock,
            endpoint=self.network.endpoint,
            random=random.Random(1),
        )
        self.clients.append(client)
        self.agent = cluster = Cluster(client, self.paths, self.clock)
        self.contact = Contact(cluster, "m1", self.clock, lambda: None)
        self.reasons = Reasons()
        finished = Finished(Record("finished", FakeFile(), {}))
        self.spawner = FakeSpawner(self.clock)
        self.instances = Instances(
            self.spawner, Recorder, self.clock, random.Random(1), finished, lambda _: None
        )
        self.preparations = Preparations(FakeBuilder(), self.clock, lambda: 0.5, lambda: None)
        self.resolution = Resolution(
            "m1", CATALOGUE, self.preparations, self.instances, lambda _: None
        )
        self.wants = Wants(
            "m1",
            cluster,
            self.contact,
            Snapshot(Record("snapshot", self.snapshot, {})),
            self.reasons,
            self.resolution,
            self.instances,
            self.clock,
            self._count,
        )
        self.contact.begin()
        self.wants.begin()

    def _count(self) -> None:
        self.changed += 1

    def end(self) -> None:
        """The agent ends; so does everything else."""
        self.leave()
        super().end()

    def leave(self) -> None:
        """The agent ends, but not what it runs."""
        self.wants.stop()
        self.contact.stop()
        self.preparations.stop()
        self.instances.let_go()

    def connect_agent(self) -> None:
        """The agent reaches ZooKeeper, and reads what is wanted."""
        self.run_(self.clients[-1].connect())
        self.contact.follow()
        self.server.settle()
        self.assertIs(Grounds.CURRENT, self.contact.grounds)

    def lose_zookeeper(self) -> None:
        """Let the agent be without it."""
        self.network.refuse_connections()
        self.network.drop_connections()
        self.server.settle()

    def now(self) -> Mapping[str, Want]:
        """What each slot should do."""
        return self.run_(self.wants.now(self.contact.grounds))

    def at_once(self, work: Coroutine[Any, Any, T]) -> T:
        """What comes of something that no time need pass for."""
        return self.successResultOf(Deferred.fromCoroutine(work))

    def words(self) -> dict[str, str]:
        """The same for people: what is run, or why nothing is."""
        return {
            slot: want.program.argv[0] if isinstance(want, Launch) else want.why
            for slot, want in self.now().items()
        }

    def converge(self) -> None:
        """Have the instances do it."""
        for step in plan(self.now(), self.instances.observed()):
            step.run(self.instances)

    def of(self, name: str) -> Service | None:
        """What is wanted of one service."""
        return self.run_(self.wants.of(name))


class ThereTests(WantsTestCase):
    """ZooKeeper is there."""

    def test_current(self) -> None:
        """What is deployed here is wanted; that this is all of it is known."""
        self.deploy("web", "m1", argv="serve", processes=2)
        self.deploy("far", "m2", argv="serve")
        self.connect_agent()
        self.assertFalse(self.wants.complete)
        self.assertEqual({"web": "serve", "web/2": "serve"}, self.words())
        self.assertTrue(self.wants.complete)

    def test_refused(self) -> None:
        """What may not be read goes on as it was last told, and not all is known then."""
        self.deploy("web", "m1", argv="serve")
        self.deploy("other", "m1", argv="serve")
        self.run_(self.client.set_acl("/services/other/machines", [make_digest_acl("x", "y")]))
        self.instances.start("other", Launch(Program(("old",))), "left by another agent")
        self.connect_agent()
        self.assertEqual({"web": "serve", "other": "old"}, self.words())
        self.assertFalse(self.wants.complete)

    def test_being_read(self) -> None:
        """What is just being read anew is not begun by what was known of it before."""
        self.deploy("web", "m1", argv="serve")
        self.connect_agent()
        self.network.hold()
        self.put("/services/web/settings", b'{"argv": "other"}')
        self.network.release()
        while not (wanted := self.at_once(self.agent.wanted("m1"))).unread:
            self.assertTrue(self.clock.step())
        self.assertEqual({"web"}, wanted.services.keys())
        self.assertEqual({}, self.at_once(self.wants.now(Grounds.CURRENT)))

    def test_not_read_yet(self) -> None:
        """Before anything was read, what runs goes on as it was last told."""
        self.deploy("web", "m1", argv="serve")
        self.connect_agent()
        self.converge()
        told = self.now()
        self.run_(self.cluster.undeploy("web", ["m1"]))
        self.assertEqual(told, self.run_(self.wants.now(Grounds.UNREAD)))

    def test_of(self) -> None:
        """What is wanted of a service is read at that moment; of one that is elsewhere, nothing."""
        self.deploy("web", "m1", argv="serve")
        self.deploy("far", "m2", argv="serve")
        self.connect_agent()
        self.now()
        self.network.hold()
        self.put("/services/web/settings", b'{"argv": "other"}')
        asked = Deferred.fromCoroutine(self.wants.of("web"))
        self.network.release()
        web = self.run_(asked)
        assert web is not None
        self.assertEqual({"argv": "other"}, web.settings)
        self.assertIsNone(self.of("far"))
        self.assertIsNone(self.of("nowhere"))


class AwayTests(WantsTestCase):
    """ZooKeeper is away, with what there was to be known of it."""

    def begin(self) -> None:
        super().begin()
        self.deploy("web", "m1", argv="serve")
        self.deploy("minding", "m1", argv="serve", on_disconnect="stop-after=2")

    def test_as_last_known(self) -> None:
        """What was read last is what is wanted, of one service as of all."""
        self.connect_agent()
        self.now()
        self.lose_zookeeper()
        self.put("/services/web/settings", b'{"argv": "other"}')
        self.assertEqual({"web": "serve", "minding": "serve"}, self.words())
        web = self.of("web")
        assert web is not None
        self.assertEqual({"argv": "serve"}, web.settings)

    def test_known_to_be_gone(self) -> None:
        """What was known not to be wanted any more does not go on because ZooKeeper is away."""
        self.connect_agent()
        self.instances.start("gone", Launch(Program(("old",))), "left by another agent")
        self.lose_zookeeper()
        self.assertNotIn("gone", self.words())

    def test_minding(self) -> None:
        """What minds is held in time, and says why; the look that finds it is asked for here."""
        self.connect_agent()
        self.converge()
        self.lose_zookeeper()
        self.assertEqual("serve", self.words()["minding"])
        for looks in range(1, int(TIMEOUT)):
            self.server.advance(LOOK_AGAIN)
            self.assertEqual(looks, self.changed)
            self.now()
        self.assertIn("ZooKeeper has been away for 2 seconds", self.words()["minding"])
        self.assertEqual("serve", self.words()["web"])

    def test_hurried(self) -> None:
        """What minds and does not end is killed before the session could be over."""
        self.connect_agent()
        self.converge()
        self.spawner["minding"].stubborn = True
        self.lose_zookeeper()
        for _ in range(int(TIMEOUT / LOOK_AGAIN) + 1):
            self.converge()
            self.server.advance(LOOK_AGAIN)
        self.assertEqual(["TERM", "KILL"], self.spawner["minding"].signals)
        self.assertEqual([], self.spawner["web"].signals)

    def test_nobody_minds(self) -> None:
        """If nothing minds, time alone makes no difference: nobody is woken."""
        self.run_(self.cluster.undeploy("minding", ["m1"]))
        self.connect_agent()
        self.now()
        self.lose_zookeeper()
        self.now()
        self.server.advance(60)
        self.assertEqual(0, self.changed)

    def test_remembered(self) -> None:
        """An agent that never reached ZooKeeper goes by what the one before it understood.

        What minds must not run then, since nobody knows for how long ZooKeeper has been away.
        """
        self.connect_agent()
        self.now()
        self.leave()
        self.run_(self.clients[-1].close())
        self.succeed()
        self.network.refuse_connections()
        self.server.advance(PATIENCE)
        self.assertIs(Grounds.AWAY, self.contact.grounds)
        words = self.words()
        self.assertEqual("serve", words["web"])
        self.assertEqual("ZooKeeper has not answered since the agent began", words["minding"])
        web = self.of("web")
        assert web is not None
        self.assertEqual({"argv": "serve"}, web.settings)

    def test_nothing_remembered(self) -> None:
        """What a predecessor left running goes on, even if no file says what it is."""
        self.connect_agent()
        self.converge()
        left = self.instances.observed()["web"]
        assert isinstance(left, Launch)
        self.leave()
        self.run_(self.clients[-1].close())
        self.snapshot = FakeFile()
        self.succeed()
        self.instances.start("web", left, "adopted")
        self.server.advance(PATIENCE)
        self.assertEqual({"web": "serve"}, self.words())

    def test_because(self) -> None:
        """What changed since the agent before is said to have changed, not to be new."""
        self.connect_agent()
        self.now()
        self.leave()
        self.run_(self.clients[-1].close())
        self.put("/services/web/settings", b'{"argv": "other"}')
        self.succeed()
        self.connect_agent()
        self.now()
        self.assertIn("settings changed (argv)", self.reasons.because("web", "settings changed"))

    def test_stopped(self) -> None:
        """Stopped, it looks no more at how long ZooKeeper has been away."""
        self.connect_agent()
        self.now()
        self.lose_zookeeper()
        self.now()
        self.wants.stop()
        self.server.advance(5 * LOOK_AGAIN)
        self.assertEqual(0, self.changed)
