"""Who changed what is said where it is known, and nobody is accused of what others did."""

from dataclasses import replace

from pop.causes import HAND, difference, said
from pop.cluster import Cluster
from pop.model import By, Change, Contents, Service, Target
from pop.namespace import load
from pop.test.clusters import ClusterTestCase, plain

ANN = By("ann@office", "pop set")
BOB = By("bob@home", "pop restart")


class CausesTestCase(ClusterTestCase):
    """Administrators with names, and an agent that follows machine m1."""

    def begin(self) -> None:
        super().begin()
        self.ann, self.bob = self.named(ANN), self.named(BOB)
        self.agent = self.connect()
        self.agent.watch("m1", lambda: None)
        self.run_(self.ann.add(Service("web", "command", {"argv": "true"}, ("m1",))))
        self.server.settle()

    def end(self) -> None:
        self.agent.unwatch("m1")
        super().end()

    def named(self, by: By) -> Cluster:
        """An administrator."""
        return Cluster(self.connect().client, self.paths, self.clock, by)

    def set(self, cluster: Cluster, **settings: object) -> None:
        """Change settings."""
        change = self.run_
        change(cluster.change("web", lambda s: replace(s, settings={**s.settings, **settings})))

    def changes(self) -> dict[str, str]:
        """Who changed what last, as the agent sees it."""
        self.server.settle()
        service = self.successResultOf(self.agent.wanted("m1")).services["web"]
        read = self.run_(self.cluster.read("web")).service
        self.assertEqual(service.changes, read.changes)
        return {key: change.by for key, change in service.changes.items()}


class NamesTests(CausesTestCase):
    """What the nodes say of who changed them."""

    def test_added(self) -> None:
        """Who adds a service is named for all of it but what they did not ask in particular."""
        who = str(ANN)
        expected = {"type": who, "settings": who, "machines": who, "target": ""}
        self.assertEqual(expected, self.changes())
        target = plain(self.data("/services/web/target"))
        self.assertEqual({"who": "ann@office", "command": "pop set", "version": 0}, target["by"])

    def test_one_transaction(self) -> None:
        """A name is written together with the change."""
        self.set(self.ann, port=1)
        settings, target = map(self.stat, ("/services/web/settings", "/services/web/target"))
        self.assertEqual(settings.mzxid, target.mzxid)
        self.assertEqual(settings.mzxid, self.run_(self.ann.read("web")).service.last_change.zxid)

    def test_several(self) -> None:
        """Of changes that were seen at once, only the last has a name: never the wrong one."""
        self.set(self.ann, port=1)
        self.assertEqual(str(ANN), self.changes()["settings"])
        self.run_(self.bob.aim("web", lambda target: replace(target, generation=1)))
        self.assertEqual(("", str(BOB)), (self.changes()["settings"], self.changes()["target"]))

    def test_by_hand(self) -> None:
        """A change by hand is nobody's, and so is one that keeps another's name."""
        self.set(self.ann, port=1)
        self.put("/services/web/settings", b'{"argv": "false"}')
        self.assertEqual(HAND, self.changes()["settings"])
        data = self.data("/services/web/target") or b""
        self.put("/services/web/target", data.replace(b"true", b"false"))
        self.assertEqual(HAND, self.changes()["target"])
        self.set(self.bob, port=2)
        self.assertEqual(str(BOB), self.changes()["settings"])

    def test_nonsense(self) -> None:
        """Whatever stands where the name should be, the service runs."""
        for by in (b"7", b'"ann"', b'{"who": 1}', b'{"who": "", "command": "", "version": 1}'):
            self.put("/services/web/target", b'{"run": true, "by": %s}' % by)
            self.assertEqual(HAND, self.changes()["target"])

    def test_nobody(self) -> None:
        """A client that does not say who it is takes away no key, and is not taken for another."""
        self.put("/services/web/target", b'{"note": 1}')
        self.set(self.cluster, port=1)
        self.assertEqual(HAND, self.changes()["settings"])
        self.assertEqual({"note": 1}, plain(self.data("/services/web/target")))

    def test_nothing_changed(self) -> None:
        """Who changes nothing is not named."""
        before = self.tree()
        self.set(self.bob, argv="true")
        self.run_(self.bob.deploy("web", ["m1"]))
        self.run_(load(self.bob, Contents((self.run_(self.bob.read("web")).service,))))
        self.assertEqual(before, self.tree())

    def test_loaded(self) -> None:
        """Who loads a file is named for what changed by it."""
        web = Service("web", "command", {"argv": "false"}, ("m1",), Target(by=ANN))
        self.run_(load(self.bob, Contents((web,))))
        self.assertEqual(str(BOB), self.changes()["settings"])

    def test_no_restart(self) -> None:
        """Names and transactions are no part of what is wanted."""
        told: list[None] = []
        late = self.connect()
        late.watch("m1", lambda: told.append(None))
        self.server.settle()
        told.clear()
        self.run_(self.bob.deploy("web", ["m2"]))
        self.server.settle()
        self.assertEqual([], told)
        late.unwatch("m1")

    def test_undeployed(self) -> None:
        """Who undeploys is known although the rest is read no more; elsewhere it is not."""
        self.run_(self.bob.undeploy("web", ["m1"]))
        self.server.settle()
        left = self.successResultOf(self.agent.wanted("m1")).left
        zxid = self.stat("/services/web/machines").mzxid
        self.assertEqual({"web": Change(zxid, str(BOB))}, left)
        self.run_(self.bob.deploy("web", ["m2"]))
        self.server.settle()
        zxid = self.stat("/services/web/machines").mzxid
        self.assertEqual(Change(zxid), self.successResultOf(self.agent.wanted("m1")).left["web"])


class SentencesTests(ClusterTestCase):
    """What people read."""

    def test_said(self) -> None:
        """As much as is known is said."""
        self.assertEqual("deployed", said("deployed", None))
        self.assertEqual("deployed", said("deployed", Change()))
        self.assertEqual("deployed at zxid 0x1a3", said("deployed", Change(0x1A3)))
        self.assertEqual("held by ann at zxid 0x2", said("held", Change(2, "ann")))

    def test_difference(self) -> None:
        """Settings are named, their values are not."""
        web = Service("web", "command", {"a": 1, "b": 2, "c": "secret"})
        changed = replace(web, settings={"a": 1, "c": "other", "d": 4})
        self.assertEqual("settings changed (b, c, d)", difference(web, changed))
        self.assertEqual("settings changed", difference(None, changed))
        self.assertEqual("type changed", difference(web, replace(changed, type="x")))
        self.assertEqual("settings changed", difference(web, web))
        many = replace(web, settings=dict.fromkeys("abcdefgh", 0))
        self.assertEqual("settings changed (a, b, c, d, e and 3 more)", difference(web, many))
