"""What a machine should run follows what the nodes say."""

from dataclasses import replace

from pop.errors import BrokenNode
from pop.model import Service, Target
from pop.namespace import init
from pop.test.clusters import ClusterTestCase
from pop.watch import Wanted


class WatchTestCase(ClusterTestCase):
    """An agent's client that follows machine m1, and an administrator's beside it.

    @ivar told: what was wanted at each call of C{changed}.
    """

    def begin(self) -> None:
        super().begin()
        self.network = self.server.network()
        self.agent = self.connect(self.network)
        self.told: list[Wanted] = []
        self.agent.watch("m1", lambda: self.told.append(self.wanted()))
        self.server.settle()

    def end(self) -> None:
        self.agent.unwatch("m1")
        super().end()

    def wanted(self) -> Wanted:
        """What the agent believes just now."""
        answer: Wanted = self.successResultOf(self.agent.wanted("m1"))
        return answer

    def seen(self) -> dict[str, Service]:
        """The services of m1, once everything has arrived."""
        self.server.settle()
        return self.wanted().services


class FollowingTests(WatchTestCase):
    """Changes by pop and by hand."""

    def test_nothing(self) -> None:
        """An empty namespace asks for nothing, and nobody is told."""
        self.assertEqual(Wanted({}), self.wanted())
        self.assertEqual([], self.told)

    def test_deployed_here(self) -> None:
        """A service that is deployed here is wanted as it is; one that is deployed elsewhere is
        not, and is nobody's business here."""
        web = self.deploy("web", "m0", "m1", argv="sleep 1")
        self.deploy("far", "m2")
        found = self.seen()
        self.assertEqual({"web"}, set(found))
        self.assertEqual((web.type, web.settings), (found["web"].type, found["web"].settings))
        self.assertEqual(1, len(self.told))

    def test_there_already(self) -> None:
        """What was deployed before the agent came is found."""
        for number in range(20):
            self.deploy(f"s{number}", "m1", argv=f"sleep {number}")
        late = self.connect()
        late.watch("m1", lambda: None)
        self.server.settle()
        found = self.successResultOf(late.wanted("m1"))
        self.assertEqual({f"s{number}" for number in range(20)}, set(found.services))
        late.unwatch("m1")

    def test_deployed_and_undeployed(self) -> None:
        """Deploying and undeploying, again and again, is followed."""
        self.deploy("web")
        for _ in range(3):
            self.assertEqual({}, self.seen())
            self.run_(self.cluster.deploy("web", ["m1"]))
            self.assertEqual({"web"}, set(self.seen()))
            self.run_(self.cluster.undeploy("web", ["m1"]))
        self.assertEqual({}, self.seen())
        self.assertEqual(6, len(self.told))

    def test_changed_while_undeployed(self) -> None:
        """Settings that changed while it was not deployed here count once it is again."""
        self.deploy("web", "m1", argv="old")
        self.seen()
        self.run_(self.cluster.undeploy("web", ["m1"]))
        self.run_(self.cluster.change("web", lambda s: replace(s, settings={"argv": "new"})))
        self.run_(self.cluster.deploy("web", ["m1"]))
        self.assertEqual({"argv": "new"}, self.seen()["web"].settings)

    def test_hand_edits(self) -> None:
        """Each node that another client edits is followed, whatever it edits with."""
        self.deploy("web", "m1")
        self.seen()
        self.put("/services/web/type", b"twisted-echo\n")
        self.assertEqual("twisted-echo", self.seen()["web"].type)
        self.put("/services/web/settings", b'{\n "port": 7\n}\n')
        self.assertEqual({"port": 7}, self.seen()["web"].settings)
        self.put("/services/web/target", b'{"generation": 3, "run": false, "note": "x"}')
        target = Target(run=False, generation=3, extra={"note": "x"})
        self.assertEqual(target, self.seen()["web"].target)
        self.put("/services/web/machines", b"[]")
        self.assertEqual({}, self.seen())
        self.put("/services/web/machines", b'["m1"]')
        self.assertEqual({"web"}, set(self.seen()))

    def test_made_by_hand(self) -> None:
        """A service of which only the type and the machines were written has defaults."""
        self.put("/services/web/machines", b'["m1"]')
        self.assertEqual({}, self.seen())
        self.put("/services/web/type", b"twisted-echo")
        self.assertEqual({"web": Service("web", "twisted-echo")}, self.seen())
        self.assertEqual(Wanted(self.seen()), self.wanted())

    def test_settings_come_and_go(self) -> None:
        """A node that is made or deleted later counts from then on."""
        self.put("/services/web/type", b"twisted-echo")
        self.put("/services/web/machines", b'["m1"]')
        self.seen()
        self.put("/services/web/settings", b'{"port": 1}')
        self.assertEqual({"port": 1}, self.seen()["web"].settings)
        self.run_(self.client.delete("/services/web/settings"))
        self.assertEqual({}, self.seen()["web"].settings)
        self.run_(self.client.delete("/services/web/machines"))
        self.assertEqual({}, self.seen())

    def test_removed(self) -> None:
        """A service that is removed is wanted no more; the others are."""
        self.deploy("web", "m1")
        self.deploy("other", "m1")
        self.seen()
        self.run_(self.cluster.remove("web"))
        self.assertEqual({"other"}, set(self.seen()))

    def test_removed_and_made_again(self) -> None:
        """One that was removed and made anew is wanted as it is now."""
        self.deploy("web", "m1", argv="old")
        self.seen()
        self.run_(self.cluster.remove("web"))
        self.deploy("web", "m1", argv="new")
        self.assertEqual({"argv": "new"}, self.seen()["web"].settings)

    def test_namespace_made_again(self) -> None:
        """Nothing is wanted of a namespace that was reset; what it gets later is."""
        self.deploy("web", "m1")
        self.seen()
        self.run_(init(self.cluster, force=True, identity=None))
        self.assertEqual({}, self.seen())
        self.deploy("other", "m1")
        self.assertEqual({"other"}, set(self.seen()))

    def test_namespace_removed(self) -> None:
        """Nothing is wanted while there is no namespace at all; made again by hand, it counts."""
        self.deploy("web", "m1")
        self.seen()
        transaction = self.client.transaction()
        self.run_(self.cluster.delete(transaction, "/services"))
        self.run_(transaction.commit())
        self.assertEqual({}, self.seen())
        self.server.advance(60)
        self.put("/services/web/type", b"command")
        self.put("/services/web/machines", b'["m1"]')
        self.assertEqual({"web"}, set(self.seen()))


class ConsistencyTests(WatchTestCase):
    """What changed together is seen together."""

    def both(self, number: int, machines: tuple[str, ...]) -> None:
        """Change settings and target, and the machines, in one transaction."""

        def change(service: Service) -> Service:
            settings, target = {"argv": str(number)}, Target(generation=number)
            return replace(service, settings=settings, target=target, machines=machines)

        self.run_(self.cluster.change("web", change))

    def test_together(self) -> None:
        """Nobody ever sees settings of one transaction beside the target of another."""
        self.deploy("web", "m1", argv="0")
        for number in range(1, 6):
            self.both(number, ("m1",))
        self.server.settle()
        for wanted in self.told:
            web = wanted.services["web"]
            self.assertEqual({"argv": str(web.target.generation)}, web.settings)
        self.assertEqual(5, self.seen()["web"].target.generation)

    def test_deployed_with_new_settings(self) -> None:
        """A service that comes here with new settings is never wanted here with the old ones."""
        self.deploy("web", "m2", argv="0")
        for number in range(1, 9):
            self.both(number, ("m1",) if number % 2 else ("m2",))
        self.server.settle()
        for wanted in self.told:
            if web := wanted.services.get("web"):
                self.assertEqual({"argv": str(web.target.generation)}, web.settings)
                self.assertEqual(1, web.target.generation % 2)

    def test_at_each_step_of_reading(self) -> None:
        """Nor when the change comes at any moment of the agent's reading."""

        def work() -> None:
            self.told.clear()
            self.deploy("web", "m2", argv="0")
            self.server.settle()
            self.cluster.client.transaction().set("/services/web/machines", b'["m1"]').commit()

        def trouble() -> None:
            transaction = self.client.transaction()
            transaction.set("/services/web/settings", b'{"argv": "1"}')
            transaction.set("/services/web/target", b'{"generation": 1}').commit()

        for step in self.at_each_step(work, trouble):
            self.assertEqual({"argv": "1"}, self.seen()["web"].settings, step)
            for wanted in self.told:
                web = wanted.services["web"]
                self.assertEqual({"argv": str(web.target.generation)}, web.settings, step)


class ToldTests(WatchTestCase):
    """The agent is called only for what may concern it."""

    def test_same_again(self) -> None:
        """A node written again with the same meaning tells nobody."""
        self.deploy("web", "m1", argv="x")
        self.seen()
        told = len(self.told)
        self.put("/services/web/settings", b'{ "argv":   "x" }')
        self.put("/services/web/machines", b'["m1", "m1", "m7"]')
        self.put("/services/web/type", b"command\n")
        self.seen()
        self.assertEqual(told, len(self.told))

    def test_elsewhere(self) -> None:
        """What happens to services elsewhere tells nobody here."""
        self.deploy("far", "m2")
        self.run_(self.cluster.deploy("far", ["m3"]))
        self.run_(self.cluster.change("far", lambda s: replace(s, settings={"argv": "y"})))
        self.seen()
        self.assertEqual([], self.told)

    def test_removed_elsewhere(self) -> None:
        """A service that was never here tells nobody here when it is removed."""
        self.deploy("far", "m2")
        self.seen()
        self.run_(self.cluster.remove("far"))
        self.seen()
        self.assertEqual([], self.told)

    def test_removed_here(self) -> None:
        """The removal of one that was here is told once."""
        self.deploy("web", "m1")
        self.seen()
        self.told.clear()
        self.run_(self.cluster.remove("web"))
        self.seen()
        self.assertEqual([Wanted({})], self.told)


class StoppedTests(WatchTestCase):
    """What is followed no longer leaves nothing behind."""

    def test_stopped_at_each_step(self) -> None:
        """Whenever it is stopped, nobody is told anything any more, and nothing is left to do."""

        def work() -> None:
            self.deploy("web", "m1")
            self.told.clear()
            self.put("/services/web/machines", b"[]")
            self.deploy("other", "m1")

        for step in self.at_each_step(work, lambda: self.agent.unwatch("m1")):
            told = len(self.told)
            self.server.settle()
            self.deploy("third", "m1")
            self.server.advance(30)
            self.assertEqual(told, len(self.told), step)
            self.assertEqual([], self.flushLoggedErrors(), step)

    def test_unwatched_twice(self) -> None:
        """Ceasing to follow what is not followed is no mistake."""
        self.agent.unwatch("m1")
        self.agent.unwatch("m1")

    def test_closed(self) -> None:
        """Closing the client first does no harm."""
        self.deploy("web", "m1")
        self.seen()
        self.run_(self.agent.client.close())
        self.server.advance(60)
        self.assertEqual([], self.flushLoggedErrors())


class BrokenTests(WatchTestCase):
    """Nodes that make no sense are named; all else goes on."""

    def problem(self, name: str = "web") -> BrokenNode:
        """The problem with a service."""
        self.server.settle()
        return self.wanted().problems[name]

    def test_last_good_value(self) -> None:
        """Whichever node breaks, and however, it is named and what it last said still holds."""
        bad = {
            "settings": (b"{", b"[]", b'"x"', b"\xff", b"null", b"3"),
            "target": (b"{", b"[]", b'{"run": 1}', b'{"generation": "x"}', b'{"generation": true}'),
            "machines": (b"[", b"{}", b'"m1"', b"[1]", b"\xff\xfe"),
            "type": (b"\xff", b""),
        }
        self.deploy("web", "m1", argv="x")
        self.deploy("other", "m1")
        good = self.seen()["web"]
        for key, values in bad.items():
            path = f"/services/web/{key}"
            before = self.data(path) or b""
            for value in values:
                self.put(path, value)
                self.assertIn(path, str(self.problem()), value)
                self.assertEqual(good, self.seen()["web"], value)
                self.assertIn("other", self.seen(), value)
                self.assertEqual(frozenset(), self.wanted().undefined, value)
            self.put(path, before)
            self.assertEqual(good, self.seen()["web"])
            self.assertEqual({}, self.wanted().problems)

    def test_never_made_sense(self) -> None:
        """A service that is deployed here but never made sense is named as undefined."""
        self.put("/services/web/settings", b"{")
        self.put("/services/web/type", b"command")
        self.put("/services/web/machines", b'["m1"]')
        self.assertIn("/services/web/settings", str(self.problem()))
        self.assertEqual((frozenset({"web"}), {}), (self.wanted().undefined, self.seen()))
        self.put("/services/web/settings", b"{}")
        self.assertEqual({"web"}, set(self.seen()))
        self.assertEqual((frozenset(), {}), (self.wanted().undefined, self.wanted().problems))

    def test_without_type(self) -> None:
        """A service without a type is named so."""
        self.put("/services/web/machines", b'["m1"]')
        self.assertIn("/services/web/type", str(self.problem()))

    def test_broken_machines_only(self) -> None:
        """A list of machines that was never understood deploys nothing, and is named."""
        self.put("/services/web/type", b"command")
        self.put("/services/web/machines", b"m1")
        self.assertIn("/services/web/machines", str(self.problem()))
        self.assertEqual((frozenset(), {}), (self.wanted().undefined, self.seen()))

    def test_two_broken(self) -> None:
        """With a broken list of machines, good new settings still count."""
        self.deploy("web", "m1", argv="x")
        self.seen()
        self.put("/services/web/machines", b"[")
        self.put("/services/web/settings", b'{"argv": "y"}')
        self.assertEqual({"argv": "y"}, self.seen()["web"].settings)
        self.assertIn("/services/web/machines", str(self.problem()))

    def test_told_once_for_each(self) -> None:
        """A problem is told once; another one with the same node again."""
        self.deploy("web", "m1")
        self.seen()
        self.told.clear()
        for value in (b"{", b"{", b"[]", b"[]"):
            self.put("/services/web/settings", value)
            self.seen()
        self.assertEqual(2, len(self.told))

    def test_forgotten(self) -> None:
        """What was wrong with a service that is undeployed or removed is of no interest."""
        self.deploy("web", "m1")
        self.put("/services/web/settings", b"{")
        self.problem()
        self.run_(self.client.set("/services/web/machines", b"[]"))
        self.server.settle()
        self.assertEqual(Wanted({}), self.wanted())
