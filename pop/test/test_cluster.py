"""The target state: what is changed is changed whole, and nobody's change is lost."""

from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import Any

from twisted.internet.defer import Deferred

from pop.cluster import Cluster
from pop.errors import (
    BrokenNode,
    Contended,
    NoSuchService,
    NotInitialised,
    ServiceExists,
    StillDeployed,
)
from pop.model import Service, Target
from pop.namespace import init
from pop.test.clusters import ClusterTestCase, plain
from pop.together import together
from txzookeeper import ZOO_OPEN_ACL_UNSAFE, make_digest_acl
from txzookeeper.errors import NoAuthException

NODES = ("", "/type", "/settings", "/machines", "/target", "/state", "/status")
WEB = Service("web", "command", {"argv": "sleep 1"}, ("m1",), Target(False, 4))
Change = Callable[[Cluster], Coroutine[Any, Any, Any]]


class ClusterTests(ClusterTestCase):
    """One administrator."""

    prefix = "/our/pop"

    def read(self, name: str = "web") -> Service:
        """A service as it is."""
        return self.run_(self.cluster.read(name)).service

    def zxids(self, name: str = "web") -> dict[str, int]:
        """When each node of a service was last changed."""
        return {n: self.stat(self.paths.service(name) + n).mzxid for n in NODES}

    def versions(self, name: str = "web") -> list[int]:
        """How often type, settings, machines and target were written."""
        return [self.stat(self.paths.service(name) + n).version for n in NODES[1:5]]

    def test_add(self) -> None:
        """A service is made with all its nodes, in one transaction."""
        self.run_(self.cluster.add(WEB))
        self.assertEqual(WEB, self.read())
        self.assertEqual(1, len(set(self.zxids().values())))
        self.assertEqual(["web"], self.run_(self.cluster.names()))
        self.assertEqual(b"command", self.data("/our/pop/services/web/type"))
        self.assertEqual(["m1"], plain(self.data("/our/pop/services/web/machines")))

    def test_add_twice(self) -> None:
        """A second service of that name is refused, and changes nothing."""
        self.run_(self.cluster.add(WEB))
        before = self.tree()
        error = self.fails(ServiceExists, self.cluster.add(Service("web", "twisted-echo")))
        self.assertIn('"web"', str(error))
        self.assertEqual(before, self.tree())

    def test_add_over_hand_made(self) -> None:
        """Nor is a service that was made by hand overwritten, even one without any node."""
        self.put("/our/pop/services/web", b"")
        self.fails(ServiceExists, self.cluster.add(WEB))
        self.assertEqual(None, self.data("/our/pop/services/web/type"))

    def test_names(self) -> None:
        """Names are in order, and any that can be a znode will do."""
        names = ["b", "a b", "ä", "日本", "x" * 200, "a.b", "q'\"\\"]
        for name in names:
            self.run_(self.cluster.add(replace(WEB, name=name)))
        self.assertEqual(sorted(names), self.run_(self.cluster.names()))
        for name in names:
            self.assertEqual(replace(WEB, name=name), self.read(name))

    def test_settings(self) -> None:
        """Settings come back as they went in."""
        settings = {"argv": "ä\n\0", "n": 1.5, "list": [1, None], "deep": {"a": {"b": True}}}
        self.run_(self.cluster.add(replace(WEB, settings=settings)))
        self.assertEqual(settings, self.read().settings)

    def test_one_transaction(self) -> None:
        """A change writes what differs in one transaction, and leaves the rest untouched."""
        self.run_(self.cluster.add(WEB))
        before = self.zxids()
        changed = replace(WEB, settings={"argv": "x"}, machines=("m1", "m2"))
        self.assertEqual(changed, self.run_(self.cluster.change("web", lambda _: changed)))
        self.assertEqual(changed, self.read())
        after = self.zxids()
        self.assertEqual({"/settings", "/machines"}, {n for n in NODES if before[n] != after[n]})
        self.assertEqual(after["/settings"], after["/machines"])

    def test_no_change(self) -> None:
        """A change that alters nothing writes nothing."""
        self.run_(self.cluster.add(WEB))
        before = self.zxids()
        self.run_(self.cluster.change("web", lambda service: service))
        self.run_(self.cluster.deploy("web", ["m1"]))
        self.run_(self.cluster.undeploy("web", ["m7"]))
        self.assertEqual(before, self.zxids())

    def test_deploy(self) -> None:
        """Machines are added in order and once, and taken away; the rest stays."""
        self.run_(self.cluster.add(WEB))
        self.run_(self.cluster.deploy("web", ["m3", "m2", "m3", "m1"]))
        self.assertEqual(("m1", "m3", "m2"), self.read().machines)
        self.run_(self.cluster.undeploy("web", ["m3", "m1"]))
        self.assertEqual(replace(WEB, machines=("m2",)), self.read())
        self.run_(self.cluster.undeploy("web", ["m2"]))
        self.assertEqual((), self.read().machines)
        self.assertEqual([0, 0, 3, 0], self.versions())

    def test_aim(self) -> None:
        """What is asked of a service changes; keys that pop does not know are kept."""
        self.run_(self.cluster.add(WEB))
        self.put(self.paths.target("web"), b'{"run": true, "later": {"x": 1}}')
        self.run_(self.cluster.aim("web", lambda t: replace(t, generation=t.generation + 1)))
        found = plain(self.data(self.paths.target("web")))
        self.assertEqual({"run": True, "generation": 1, "later": {"x": 1}}, found)

    def test_hand_written_bytes_stay(self) -> None:
        """What a change does not concern stays byte for byte as somebody wrote it."""
        self.run_(self.cluster.add(WEB))
        written = b'{\n  "argv": "sleep 1"\n}\n'
        self.put(self.paths.settings("web"), written)
        self.run_(self.cluster.deploy("web", ["m2"]))
        self.assertEqual(written, self.data(self.paths.settings("web")))

    def test_missing_nodes(self) -> None:
        """A service made by hand with only some nodes is read with defaults and can be changed."""
        self.put("/our/pop/services/web/type", b"command\n")
        self.assertEqual(Service("web", "command"), self.read())
        self.run_(self.cluster.deploy("web", ["m1"]))
        self.assertEqual(["m1"], plain(self.data(self.paths.placement("web"))))
        self.assertEqual(None, self.data(self.paths.target("web")))
        self.run_(self.cluster.aim("web", lambda t: replace(t, run=False)))
        self.assertEqual(Service("web", "command", {}, ("m1",), Target(False)), self.read())

    def test_no_such_service(self) -> None:
        """What concerns a service that is not there is refused by its name."""
        for work in (
            self.cluster.read("web"),
            self.cluster.deploy("web", ["m1"]),
            self.cluster.undeploy("web", ["m1"]),
            self.cluster.aim("web", lambda target: target),
            self.cluster.remove("web"),
            self.cluster.remove("web", lambda _: None),
        ):
            self.assertIn('"web"', str(self.fails(NoSuchService, work)))

    def test_broken(self) -> None:
        """A service with a broken node is not changed; the error names the node."""
        self.run_(self.cluster.add(WEB))
        self.put(self.paths.settings("web"), b"{")
        before = self.tree()
        for work in (self.cluster.read("web"), self.cluster.deploy("web", ["m2"])):
            self.assertIn("/our/pop/services/web/settings", str(self.fails(BrokenNode, work)))
        self.assertEqual(before, self.tree())

    def test_not_initialised(self) -> None:
        """Where there is no namespace, everything says so and makes none."""
        nowhere = self.connect(prefix="/nowhere")
        for work in (
            nowhere.check(),
            nowhere.acl(),
            nowhere.last_acl(),
            nowhere.names(),
            nowhere.read("web"),
            nowhere.add(WEB),
            nowhere.deploy("web", ["m1"]),
            nowhere.remove("web"),
        ):
            self.assertIn("/nowhere", str(self.fails(NotInitialised, work)))
        self.assertFalse(self.run_(nowhere.initialised()))
        self.assertEqual(None, self.run_(self.client.exists("/nowhere")))

    def test_half_a_namespace(self) -> None:
        """A namespace of which a part is missing is none."""
        self.run_(self.client.delete(self.paths.agents))
        self.fails(NotInitialised, self.cluster.check())


class RemoveTests(ClusterTestCase):
    """A service that is taken away."""

    def test_remove(self) -> None:
        """All that belongs to it goes, in one transaction, whoever made it."""
        before = self.tree()
        self.deploy("web")
        self.put("/services/web/status/m1", b"{}")
        self.put("/services/web/notes/mine", b"x")
        self.run_(self.cluster.remove("web"))
        self.assertEqual(before, self.tree())

    def test_refused(self) -> None:
        """What the check refuses stays, whole."""
        self.deploy("web", "m1")
        before = self.tree()

        def check(found: Service) -> None:
            raise StillDeployed(service=found.name, machines=", ".join(found.machines))

        self.assertIn("m1", str(self.fails(StillDeployed, self.cluster.remove("web", check))))
        self.assertEqual(before, self.tree())

    def test_broken(self) -> None:
        """Without a check even a service that makes no sense can be removed."""
        self.put("/services/web/type", b"\xff")
        self.run_(self.cluster.remove("web"))
        self.fails(NoSuchService, self.cluster.read("web"))

    def test_changed_meanwhile(self) -> None:
        """A service that is deployed at any moment of its checked removal either stays, deployed,
        or is gone for the one who deploys."""
        fates = set()
        outcomes: list[object] = []
        others: list[object] = []

        def check(found: Service) -> None:
            if found.machines:
                raise StillDeployed(service=found.name, machines="")

        def work() -> None:
            outcomes.clear()
            others.clear()
            self.deploy("web")
            self.other = self.connect()
            removal = self.cluster.remove("web", check)
            Deferred.fromCoroutine(removal).addBoth(outcomes.append)

        def trouble() -> None:
            Deferred.fromCoroutine(self.other.deploy("web", ["m1"])).addBoth(others.append)

        for step in self.at_each_step(work, trouble):
            self.server.settle()
            removed = outcomes == [None]
            self.assertNotEqual(removed, isinstance(others[0], Service), step)
            self.assertEqual(removed, self.data("/services/web/type") is None, step)
            fates.add(removed)
        self.assertEqual({True, False}, fates)

    def test_reported_meanwhile(self) -> None:
        """A status that appears at any moment of its removal does not keep the service here."""

        def work() -> None:
            self.deploy("web")
            self.other = self.connect()
            Deferred.fromCoroutine(self.cluster.remove("web"))

        def trouble() -> None:
            made = self.other.client.create("/services/web/status/m1", b"{}")
            made.addErrback(lambda _: None)

        for step in self.at_each_step(work, trouble):
            self.server.settle()
            self.assertEqual(None, self.data("/services/web"), step)


class ConcurrencyTests(ClusterTestCase):
    """Many administrators at once."""

    def all_at_once(self, changes: list[Change]) -> None:
        """Each by a client of its own."""
        clusters = [self.connect() for _ in changes]
        pairs = zip(clusters, changes, strict=True)
        self.run_(together([Deferred.fromCoroutine(change(c)) for c, change in pairs]))

    def test_deploys(self) -> None:
        """Twenty who each deploy on another machine lose nothing."""
        self.deploy("web")
        machines = [f"m{number}" for number in range(20)]
        self.all_at_once([lambda c, m=m: c.deploy("web", [m]) for m in machines])  # type: ignore[misc]
        found = self.run_(self.cluster.read("web")).service.machines
        self.assertEqual(sorted(machines), sorted(found))
        self.assertEqual(20, self.stat("/services/web/machines").version)

    def test_settings(self) -> None:
        """Nor do twenty who each change another setting."""
        self.deploy("web")

        def put(key: str) -> Change:
            def change(service: Service) -> Service:
                return replace(service, settings={**service.settings, key: 1})

            return lambda cluster: cluster.change("web", change)

        keys = [f"k{number}" for number in range(20)]
        self.all_at_once([put(key) for key in keys])
        found = self.run_(self.cluster.read("web")).service.settings
        self.assertEqual({"argv": "true", **dict.fromkeys(keys, 1)}, found)

    def test_different_nodes(self) -> None:
        """Nor do those who change the machines, the settings, the target, in different nodes."""
        self.put("/services/web/type", b"command")

        def settings(service: Service) -> Service:
            return replace(service, settings={"argv": "x"})

        self.all_at_once(
            [
                lambda c: c.deploy("web", ["m1"]),
                lambda c: c.change("web", settings),
                lambda c: c.aim("web", lambda t: replace(t, run=False)),
                *[lambda c: c.aim("web", lambda t: replace(t, generation=t.generation + 1))] * 9,
            ]
        )
        wanted = Service("web", "command", {"argv": "x"}, ("m1",), Target(False, 9))
        self.assertEqual(wanted, self.run_(self.cluster.read("web")).service)

    def test_adds(self) -> None:
        """Of several who add the same name, one does."""
        clusters = [self.connect() for _ in range(5)]
        outcomes: list[object] = []
        for number, cluster in enumerate(clusters):
            work = cluster.add(replace(WEB, settings={"argv": str(number)}))
            Deferred.fromCoroutine(work).addBoth(outcomes.append)
        self.server.settle()
        self.assertEqual(1, outcomes.count(None))
        found = self.run_(self.cluster.read("web")).service
        self.assertEqual({"argv": str(outcomes.index(None))}, found.settings)

    def test_contended(self) -> None:
        """Who is always slower gives up in the end, with a sentence."""
        self.deploy("web")
        other = self.connect()
        count = 0

        def change(service: Service) -> Service:
            nonlocal count
            count += 1
            self.run_(other.client.set("/services/web/settings", b'{"argv": "%d"}' % count))
            return replace(service, machines=("m1",))

        error = self.fails(Contended, self.cluster.change("web", change))
        self.assertIn("/services/web", str(error))
        self.assertEqual((), self.run_(self.cluster.read("web")).service.machines)


class AccessTests(ClusterTestCase):
    """Who may do what."""

    def test_inherited(self) -> None:
        """What is made in a namespace is protected as the namespace is."""
        acl = [make_digest_acl("us", "secret")]
        ours = self.connect(identity="us:secret")
        self.run_(init(ours, force=True, identity="us:secret"))
        self.run_(ours.add(WEB))
        self.run_(ours.deploy("web", ["m2"]))
        for path in NODES:
            found, _ = self.run_(ours.client.get_acl("/services/web" + path))
            self.assertEqual(acl, found, path)
        for work in (
            self.cluster.read("web"),
            self.cluster.deploy("web", ["m1"]),
            self.cluster.add(replace(WEB, name="b")),
            self.cluster.remove("web"),
        ):
            self.fails(NoAuthException, work)

    def test_open(self) -> None:
        """In an open namespace, everything is open."""
        self.run_(self.cluster.add(WEB))
        found, _ = self.run_(self.client.get_acl("/services/web/type"))
        self.assertEqual(list(ZOO_OPEN_ACL_UNSAFE), found)

    def test_after_reset(self) -> None:
        """The next service has the namespace's ACL of then, not one remembered."""
        self.run_(self.cluster.last_acl())
        ours = self.connect(identity="us:secret")
        self.run_(init(ours, force=True, identity="us:secret"))
        self.client.add_auth("digest", "us:secret")
        self.run_(self.cluster.add(WEB))
        found, _ = self.run_(self.client.get_acl("/services/web/type"))
        self.assertEqual([make_digest_acl("us", "secret")], found)
