"""What stands for an endpoint in another framework, and where that is."""

from typing import Any

from pop.components.container import use_ipopo
from pop.components.remote.errors import NoAnswer
from pop.test.callers import CallCase, IEcho


class ProxyTests(CallCase):
    """What stands for an endpoint."""

    def reference(self, spec: Any = IEcho) -> Any:
        """Its registration."""
        return self.client.get_bundle_context().get_service_reference(spec)

    def test_registered(self) -> None:
        """It is registered under the same specifications and with the same properties, and says
        where it is from; it is not exported in turn."""
        registration = self.export(color="red")
        found = self.reference()
        properties = found.get_properties()
        self.assertEqual(
            ("red", True, "server", "echo", ("pop.remote",), registration.get_reference().id),
            (
                properties["color"],
                properties["service.imported"],
                properties["endpoint.framework.uuid"],
                properties["endpoint.name"],
                properties["service.imported.configs"],
                properties["endpoint.service.id"],
            ),
        )
        self.assertNotIn("service.exported.interfaces", properties)
        self.assertEqual(registration.get_reference().specifications, found.specifications)

    def test_before(self) -> None:
        """What was exported before somebody comes is there for them, too."""
        self.export()
        other = self.make("other", {"pop.remote.peers": ["unix:/server", "unix:/nobody"]})
        self.assertEqual([1, {}], self.answer(self.find(framework=other).say(1)))

    def test_changes(self) -> None:
        """Its properties follow, those that are removed too; it stays the same registration."""
        registration = self.export(color="red", n=1)
        found = self.reference()
        registration.set_properties({"color": "blue"}, ["n"])
        self.network.settle()
        self.assertIs(found, self.reference())
        self.assertEqual(("blue", None), (found.get_property("color"), found.get_property("n")))

    def test_renamed(self) -> None:
        """It is renamed with its endpoint."""
        registration = self.export()
        registration.set_properties({"endpoint.name": "other"})
        self.network.settle()
        self.assertEqual("other", self.reference().get_property("endpoint.name"))
        self.assertEqual([1, {}], self.answer(self.find().say(1)))

    def test_other_specifications(self) -> None:
        """If what is exported is other than before, so is what stands for it."""
        registration = self.export(spec=["one", "two"])
        self.assertTrue(self.reference("one"))
        registration.set_properties({"service.exported.interfaces": "two"})
        self.network.settle()
        self.assertEqual((None, True), (self.reference("one"), bool(self.reference("two"))))

    def test_goes(self) -> None:
        """It goes when what it stands for is unregistered; what hangs there is answered still."""
        registration = self.export()
        call = self.find().later()
        self.network.settle()
        registration.unregister()
        self.network.settle()
        self.assertIs(None, self.find())
        self.echo.waiting.pop().callback(1)
        self.assertEqual(1, self.answer(call))

    def test_stops(self) -> None:
        """It goes when the other framework stops, or its own bundles; nothing is left behind."""
        self.export()
        bundle = self.client.get_bundle_by_name("pop.components.remote.transport")
        assert bundle is not None
        stopping = bundle.stop()
        self.network.settle()
        self.successResultOf(stopping)
        self.assertIs(None, self.find())
        self.successResultOf(bundle.start())
        self.network.settle()
        self.assertTrue(self.find())
        self.stop(self.server)
        self.assertIs(None, self.find())

    def test_own_timeout(self) -> None:
        """An endpoint may say itself how long its answers take; at worst, for ever."""
        self.export(pop_remote_timeout=5)
        call = self.find().later()
        self.network.pass_(6)
        self.failureResultOf(call, NoAnswer)

    def test_bad_timeout(self) -> None:
        """Digits are a number of seconds; what is none does not count."""
        registration = self.export(pop_remote_timeout="5")
        call = self.find().later()
        self.network.pass_(6)
        self.failureResultOf(call, NoAnswer)
        registration.set_properties({"pop.remote.timeout": "soon"})
        self.network.settle()
        call = self.find().later()
        self.network.pass_(29)
        self.assertNoResult(call)
        self.network.pass_(2)
        self.failureResultOf(call, NoAnswer)

    def test_too_large(self) -> None:
        """An endpoint that cannot be described to others harms no other."""
        self.export(text="x" * (1 << 22), endpoint_name="large")
        self.export(spec="other", endpoint_name="small")
        self.assertEqual((None, True), (self.reference(), bool(self.reference("other"))))
        other = self.make("other", {"pop.remote.peers": "unix:/server"})
        self.assertTrue(self.find("other", other))

    def test_names(self) -> None:
        """Its text says what and where it is."""
        self.export()
        self.assertEqual("<echo at unix:/server>", repr(self.find()))


class PlaceTests(CallCase):
    """Where others come in."""

    def test_private(self) -> None:
        """A UNIX socket is its owner's alone."""
        self.assertEqual(0o600, self.network.modes["/server"])

    def test_both_ways(self) -> None:
        """Each of two may call the other."""
        both = self.make(
            "both", {"pop.remote.listen": "unix:/both", "pop.remote.peers": "unix:/server"}
        )
        self.export()
        third = self.make("third", {"pop.remote.peers": "unix:/both"})
        self.assertTrue(self.find(framework=both))
        self.assertIs(None, self.find(framework=third))

    def test_two_discoveries(self) -> None:
        """Several components may look for others, at the same places too: what one finds no more
        is there as long as another does."""
        self.export()
        with use_ipopo(self.client.get_bundle_context()) as ipopo:
            for name in ("one", "two"):
                given = {"pop.remote.peers": "unix:/server unix:/nobody"}
                ipopo.instantiate("pop-remote-discovery", name, given)
            found = self.find()
            for name in ("pop-remote-discovery", "one"):
                ipopo.kill(name)
                self.network.settle()
                self.assertIs(found, self.find())
            ipopo.kill("two")
        self.network.settle()
        self.assertIs(None, self.find())

    def test_two_ways(self) -> None:
        """A framework that is reached in two ways is there once, as long as one of them is."""
        self.stop(self.server)
        self.server = self.make("server", {"pop.remote.listen": ["unix:/server", "unix:/second"]})
        self.export()
        other = self.make("other", {"pop.remote.peers": ["unix:/second", "unix:/server"]})
        context = other.get_bundle_context()
        self.assertEqual(1, len(context.get_all_service_references(IEcho)))
        second = self.network.ports.pop("/second")
        next(
            pump for pump in self.network.pumps if pump.serverIO.hostAddress == second.getHost()
        ).serverIO.disconnecting = True
        self.network.settle()
        self.assertEqual([1, {}], self.answer(self.find(framework=other).say(1)))
        self.network.ports["/second"] = second
