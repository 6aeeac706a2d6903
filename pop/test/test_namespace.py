"""The namespace as a whole: made, reset, written out and read back."""

from dataclasses import replace

import yaml
from twisted.internet.defer import Deferred

from pop.cluster import Cluster
from pop.documents import from_text, to_document
from pop.errors import AlreadyInitialised, NoChroot, NotInitialised
from pop.model import Contents, Machine, Service, Target
from pop.namespace import contents, init, load
from pop.test.clusters import ClusterTestCase, plain
from txzookeeper import EPHEMERAL, ZOO_OPEN_ACL_UNSAFE, make_digest_acl
from txzookeeper.errors import NoAuthException

WEB = Service("web", "command", {"argv": "sleep 1", "port": 80}, ("m1", "m2"), Target(False, 3))
ECHO = Service("echo", "twisted-echo")
ALPHA = Machine("m1", "alpha", ("10.0.0.1",), {"rack": "7"}, "1.0", "3.11", {"cpus": 4})


class InitTests(ClusterTestCase):
    """C{pop init}."""

    def init(self, cluster: Cluster, force: bool = False, identity: str | None = None) -> Contents:
        """Make a namespace."""
        return self.run_(init(cluster, force=force, identity=identity))

    def test_fresh(self) -> None:
        """A prefix of several parts is made, and the namespace below it, open to all."""
        deep = self.connect(prefix="/a/b/c")
        self.assertEqual(Contents(), self.init(deep))
        self.run_(deep.check())
        roots = {f"/a/b/c/{name}": b"" for name in ("agents", "machines", "services")}
        self.assertEqual(roots, self.tree("/a/b/c"))
        for path in roots:
            found, _ = self.run_(self.client.get_acl(path))
            self.assertEqual(list(ZOO_OPEN_ACL_UNSAFE), found)
        self.assertEqual(1, len({self.stat(path).czxid for path in roots}))

    def test_neighbours(self) -> None:
        """Namespaces beside and below each other know nothing of each other."""
        for prefix in ("/a", "/a/b", "/a/c"):
            cluster = self.connect(prefix=prefix)
            self.init(cluster)
            self.run_(cluster.add(replace(WEB, name=prefix.replace("/", "-"))))
        self.init(self.connect(prefix="/a"), force=True)
        self.assertEqual([], self.run_(self.connect(prefix="/a").names()))
        self.assertEqual(["-a-b"], self.run_(self.connect(prefix="/a/b").names()))

    def test_refused(self) -> None:
        """One that exists is refused, with how much there is, and stays as it is."""
        self.deploy("web", "m1")
        self.deploy("other")
        self.put("/machines/m1", b"")
        before = self.tree()
        error = self.fails(AlreadyInitialised, init(self.cluster, force=False, identity=None))
        self.assertIn("services: 2, machines: 1", str(error))
        self.assertIn("--force", str(error))
        self.assertEqual(before, self.tree())

    def test_half(self) -> None:
        """Even a part of one is refused without C{--force}, and whole with it."""
        self.run_(self.client.delete("/agents"))
        self.fails(AlreadyInitialised, init(self.cluster, force=False, identity=None))
        self.init(self.cluster, force=True)
        self.run_(self.cluster.check())

    def test_force(self) -> None:
        """All is removed in one step, and what it was is said."""
        self.deploy("web", "m1")
        self.put("/machines/m1/web", b"1")
        self.put("/services/web/notes/of/ours", b"")
        self.put("/agents/m1", b"{}")
        found = self.init(self.cluster, force=True)
        self.assertEqual(["web"], [service.name for service in found.services])
        self.assertEqual(["m1"], [machine.id for machine in found.machines])
        self.assertEqual({"/agents": b"", "/machines": b"", "/services": b""}, self.tree())
        self.assertEqual(1, len({self.stat(path).czxid for path in self.tree()}))

    def test_force_on_nothing(self) -> None:
        """With nothing to remove, C{--force} makes it as without."""
        self.assertEqual(Contents(), self.init(self.connect(prefix="/new"), force=True))

    def test_identity(self) -> None:
        """With an identity, nobody else can read, change or reset it."""
        ours = self.connect(identity="us:secret", prefix="/ours")
        self.init(ours, identity="us:secret")
        self.run_(ours.add(WEB))
        for other in (
            self.connect(prefix="/ours"),
            self.connect(prefix="/ours", identity="us:other"),
            self.connect(prefix="/ours", identity="them:secret"),
        ):
            for work in (
                other.names(),
                other.check(),
                contents(other),
                other.add(ECHO),
                load(other, Contents((ECHO,))),
                init(other, force=True, identity=None),
            ):
                self.fails(NoAuthException, work)
        self.assertEqual((WEB,), self.run_(contents(ours)).services)

    def test_changed_identity(self) -> None:
        """Who holds the identity can reset it to another, or to none."""
        ours = self.connect(identity="us:secret", prefix="/ours")
        self.init(ours, identity="us:secret")
        found, _ = self.run_(ours.client.get_acl("/ours/agents"))
        self.assertEqual([make_digest_acl("us", "secret")], found)
        self.init(ours, force=True)
        self.assertEqual([], self.run_(self.connect(prefix="/ours").names()))

    def test_password_with_colons(self) -> None:
        """A password may hold colons."""
        ours = self.connect(identity="us:a:b:c", prefix="/ours")
        self.init(ours, identity="us:a:b:c")
        self.run_(ours.check())

    def test_while_others_write(self) -> None:
        """A node that appears at any moment of a reset does not keep it from being done."""

        def work() -> None:
            self.deploy("web", "m1")
            self.other = self.connect()
            Deferred.fromCoroutine(init(self.cluster, force=True, identity=None))

        def trouble() -> None:
            for path in ("/services/web/status/m1", "/agents/m1"):
                made = self.other.client.create(path, b"", flags=EPHEMERAL)
                made.addErrback(lambda _: None)

        for step in self.at_each_step(work, trouble):
            self.server.settle()
            self.run_(self.cluster.check())
            self.assertEqual([], self.run_(self.cluster.names()), step)

    def test_at_once(self) -> None:
        """Of several who make the same namespace at once, one does, or all with C{--force}."""
        for force, done in ((False, 1), (True, 5)):
            clusters = [self.connect(prefix=f"/{force}") for _ in range(5)]
            outcomes: list[object] = []
            for cluster in clusters:
                work = init(cluster, force=force, identity=None)
                Deferred.fromCoroutine(work).addBoth(outcomes.append)
            self.server.advance(1)
            self.assertEqual(5, len(outcomes))
            self.assertEqual(done, sum(isinstance(found, Contents) for found in outcomes), force)

    def test_chroot(self) -> None:
        """A chroot of the address that does not exist is named, and nothing is made."""
        rooted = self.connect(chroot="/not/there")
        said = str(self.assertRaises(NoChroot, self.init, rooted))
        self.assertIn("/not/there", said)
        self.assertIsNone(self.run_(self.client.exists("/not")))


class ContentsTests(ClusterTestCase):
    """C{pop dump} and C{pop load}."""

    def load(self, *services: Service, machines: tuple[Machine, ...] = ()) -> None:
        """Put services and machines."""
        self.run_(load(self.cluster, Contents(services, machines)))

    def test_round_trip(self) -> None:
        """What is dumped can be loaded elsewhere, and is the same there."""
        self.load(WEB, ECHO, machines=(ALPHA, Machine("m2")))
        found = self.run_(contents(self.cluster))
        self.assertEqual(Contents((ECHO, WEB), (ALPHA, Machine("m2"))), found)
        text = yaml.safe_dump(to_document(found), sort_keys=False, allow_unicode=True)
        other = self.connect(prefix="/other")
        self.run_(init(other, force=False, identity=None))
        self.run_(load(other, from_text("file", text)))
        self.assertEqual(found, self.run_(contents(other)))

    def test_empty(self) -> None:
        """An empty namespace is an empty document, and loading it does nothing."""
        found = self.run_(contents(self.cluster))
        self.assertEqual({"services": {}, "machines": {}}, to_document(found))
        before = self.tree()
        self.load()
        self.assertEqual(before, self.tree())

    def test_reports_are_left_out(self) -> None:
        """Pids, states and statuses are no target state."""
        self.load(WEB, machines=(ALPHA,))
        for path in ("/machines/m1/web", "/services/web/status/m1", "/services/web/state/m1"):
            self.put(path, b"{}")
        self.put("/agents/m1", b"{}")
        found = self.run_(contents(self.cluster))
        self.assertEqual(Contents((WEB,), (ALPHA,)), found)

    def test_broken(self) -> None:
        """What makes no sense is left out and named; the rest is there."""
        self.load(WEB, ECHO, machines=(ALPHA, Machine("m2")))
        self.put("/services/web/settings", b"{")
        self.put("/machines/m1", b"[]")
        found = self.run_(contents(self.cluster))
        self.assertEqual(((ECHO,), (Machine("m2"),)), (found.services, found.machines))
        said = " ".join(found.broken)
        self.assertIn("/services/web/settings", said)
        self.assertIn("/machines/m1", said)

    def test_unknown_keys(self) -> None:
        """Keys of a target or a machine that only a newer pop knows are kept."""
        self.load(WEB)
        self.put("/services/web/target", b'{"run": true, "until": "noon"}')
        self.put("/machines/m1", b'{"host": "a", "cpus": 4}')
        text = yaml.safe_dump(to_document(self.run_(contents(self.cluster))))
        self.run_(init(self.cluster, force=True, identity=None))
        self.run_(load(self.cluster, from_text("file", text)))
        target = plain(self.data("/services/web/target"))
        self.assertEqual({"run": True, "generation": 0, "until": "noon"}, target)
        self.assertEqual(4, plain(self.data("/machines/m1"))["cpus"])

    def test_idempotent(self) -> None:
        """Loading the same again writes nothing."""
        self.load(WEB, ECHO, machines=(ALPHA,))
        before = {path: self.stat(path).mzxid for path in self.tree()}
        self.load(WEB, ECHO, machines=(ALPHA,))
        self.assertEqual(before, {path: self.stat(path).mzxid for path in self.tree()})

    def test_one_step(self) -> None:
        """All is made in one transaction."""
        self.load(WEB, ECHO, machines=(ALPHA, Machine("m2")))
        roots = set(self.paths.roots)
        self.assertEqual(1, len({self.stat(p).czxid for p in self.tree() if p not in roots}))

    def test_others_stay(self) -> None:
        """What the file does not name stays; what it names becomes as it says."""
        self.load(WEB, ECHO, machines=(ALPHA,))
        changed = replace(WEB, settings={"argv": "y"}, machines=())
        self.load(changed, machines=(Machine("m1", "other"), Machine("m3")))
        found = self.run_(contents(self.cluster))
        self.assertEqual(Contents((ECHO, changed), (ALPHA, Machine("m3"))), found)

    def test_repairs(self) -> None:
        """A service with broken or missing nodes is whole afterwards, as the messages promise."""
        self.load(WEB)
        self.put("/services/web/settings", b"{")
        self.put("/services/web/type", b"\xff")
        self.run_(self.client.delete("/services/web/target"))
        self.load(WEB)
        self.assertEqual((WEB,), self.run_(contents(self.cluster)).services)

    def test_all_or_nothing(self) -> None:
        """If one part cannot be written, none is."""
        self.load(ECHO)
        self.run_(self.client.set_acl("/machines", [make_digest_acl("x", "y")]))
        before = self.tree("/services")
        self.fails(NoAuthException, load(self.cluster, Contents((WEB,), (ALPHA,))))
        self.assertEqual(before, self.tree("/services"))

    def test_changed_meanwhile(self) -> None:
        """A change that comes at any moment of it is made before or after, not between."""

        def work() -> None:
            self.load(WEB, ECHO)
            self.other = self.connect()
            wanted = Contents((replace(WEB, machines=()), replace(ECHO, machines=("m9",))))
            Deferred.fromCoroutine(load(self.cluster, wanted))

        def trouble() -> None:
            Deferred.fromCoroutine(self.other.deploy("web", ["m3"]))

        for step in self.at_each_step(work, trouble):
            self.server.settle()
            web, echo = [self.run_(self.cluster.read(n)).service for n in ("web", "echo")]
            self.assertEqual(("m9",), echo.machines, step)
            self.assertIn(web.machines, ((), ("m3",)), step)

    def test_not_initialised(self) -> None:
        """Where there is no namespace, nothing is loaded or dumped."""
        nowhere = self.connect(prefix="/nowhere")
        self.fails(NotInitialised, contents(nowhere))
        self.fails(NotInitialised, load(nowhere, Contents((WEB,))))
        self.fails(NotInitialised, load(nowhere, Contents()))
