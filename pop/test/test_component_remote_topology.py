"""What is exported and imported without anybody asking for it."""

from typing import Any

from pop.components.reference import ServiceReference
from pop.components.remote.endpoint import Endpoint
from pop.components.remote.errors import NameInUse
from pop.components.remote.topology import Topology
from pop.test.remotes import AdminCase, Listener, Provider, RemoteCase, endpoint


class TopologyTests(AdminCase):
    """What is exported and imported without anybody asking for it."""

    def setUp(self) -> None:
        super().setUp()
        self.topology = Topology(self.context, self.admin)
        self.topology.start()

    def test_either_order(self) -> None:
        """It does not matter whether the provider comes first or what it is to export."""
        self.flagged("early")
        self.assertEqual([], self.exported())
        provided = self.provide()
        self.flagged("late")
        self.assertEqual(["early", "late"], self.exported())
        provided.unregister()
        self.assertEqual([], self.exported())
        self.provide()
        self.assertEqual(["early", "late"], self.exported())

    def test_before(self) -> None:
        """What there was before it is exported, too."""
        self.topology.stop()
        self.provide()
        self.flagged("thing")
        self.topology.start()
        self.assertEqual(["thing"], self.exported())

    def test_second_provider(self) -> None:
        """A provider that comes adds to what others do, and disturbs none of it."""
        self.provide()
        self.flagged("thing")
        self.events.clear()
        self.provide(Provider("other"))
        self.assertEqual(["thing", "thing"], self.exported())
        self.assertEvents("EXPORT_REGISTRATION")

    def test_flag(self) -> None:
        """It is exported from when its properties say so until they do not."""
        self.provide()
        thing = self.context.register_service("spec", object(), {"endpoint.name": "thing"})
        self.assertEqual([], self.exported())
        thing.set_properties({"service.exported.interfaces": "spec"})
        self.assertEqual(["thing"], self.exported())
        thing.set_properties({"pelix.remote.export.none": True})
        self.assertEqual([], self.exported())
        thing.set_properties({"pelix.remote.export.none": False})
        self.assertEqual(["thing"], self.exported())
        thing.set_properties({}, ["service.exported.interfaces"])
        self.assertEqual([], self.exported())

    def test_rename(self) -> None:
        """It can be renamed, and is the same endpoint."""
        self.provide()
        thing = self.flagged("before")
        [before] = self.exports.get_endpoints()
        thing.set_properties({"endpoint.name": "after"})
        [after] = self.exports.get_endpoints()
        self.assertEqual((before.uid, "after"), (after.uid, after.name))

    def test_name_clash(self) -> None:
        """Of two with one name the second is exported when the first has gone."""
        self.provide()
        first = self.flagged("same", n=1)
        self.flagged("same", n=2)
        self.assertEqual([1], [each.properties["n"] for each in self.exports.get_endpoints()])
        self.assertIsInstance(self.events[-1].get_exception(), NameInUse)
        first.unregister()
        self.assertEqual([2], [each.properties["n"] for each in self.exports.get_endpoints()])

    def test_name_clash_renamed(self) -> None:
        """Or when one of them has another name, or at once if it is renamed to a free one."""
        self.provide()
        first, second = self.flagged("same", n=1), self.flagged("same", n=2)
        first.set_properties({"endpoint.name": "first"})
        self.assertEqual(["first", "same"], self.exported())
        second.set_properties({"endpoint.name": "first"})
        self.assertEqual(["first"], self.exported())
        second.set_properties({"endpoint.name": "second"})
        self.assertEqual(["first", "second"], self.exported())

    def test_imports(self) -> None:
        """What is found is imported, whether the provider comes first or not, and as it is."""
        self.imports.add(endpoint("1"))
        provided = self.provide()
        self.imports.add(endpoint("2"))
        self.imports.update("1", {"n": 2})
        self.assertEqual(["import name-1", "import name-2", "update name-1"], self.names())
        self.imports.remove("2")
        self.assertEqual(["close name-2"], self.names())
        provided.unregister()
        self.assertEqual(["close name-1"], self.names())
        self.imports.update("1", {"n": 3})
        self.provide()
        self.assertEqual(["import name-1"], self.names())
        [imported] = self.admin.get_imported_endpoints()
        self.assertEqual(endpoint("1", n=3), imported.endpoint)

    def test_unregistered_by_listener(self) -> None:
        """What is unregistered by whoever is told of its export is exported no more, and whoever
        is told later does not take it for there."""
        self.provide()
        things: list[Any] = []

        class Foe(Listener):
            def endpoints_added(self, endpoints: list[Endpoint]) -> None:
                things[0].unregister()

        after = Listener()
        for listener in (Foe(), after):
            self.context.register_service("pelix.remote.endpoint.export.listener", listener)
        things.append(self.context.register_service("spec", object(), {"endpoint.name": "thing"}))
        self.events.clear()
        things[0].set_properties({"service.exported.interfaces": "*"})
        self.assertEqual([], self.exported())
        self.assertEqual([], self.admin.get_exported_services())
        self.assertEqual(({}, {}), (self.topology._exported, self.provider.open))
        self.assertEvents("EXPORT_UNREGISTRATION")
        self.assertEqual([("removed", "1")], after.told)

    def test_other_importer(self) -> None:
        """When the provider of an import goes, another one imports it, if it can."""
        other = Provider()
        first = self.provide()
        self.provide(other)
        self.provide(Provider("different"))
        self.imports.add(endpoint("1"))
        self.assertEqual((["1"], []), (list(self.provider.open), list(other.open)))
        self.events.clear()
        first.unregister()
        self.assertEqual(([], ["1"]), (list(self.provider.open), list(other.open)))
        self.assertEvents("IMPORT_UNREGISTRATION", "IMPORT_REGISTRATION")
        self.imports.remove("1")
        self.assertEqual({}, other.open)

    def test_stop(self) -> None:
        """When it stops, it wants nothing any more; what others want stays."""
        self.provide()
        reference: ServiceReference = self.flagged("kept").get_reference()
        self.flagged("thing")
        self.imports.add(endpoint("9"))
        [kept] = self.admin.export_service(reference)
        self.topology.stop()
        self.assertEqual(["kept"], self.exported())
        self.assertTrue(kept.live)
        self.assertEqual([], self.admin.get_imported_endpoints())


class CoreTests(RemoteCase):
    """The bundle."""

    def test_core(self) -> None:
        """It registers what knows exports and imports, and ends them when it stops."""
        self.successResultOf(self.framework.start())
        bundle = self.framework.install_bundle("pop.components.remote.core")
        self.successResultOf(bundle.start())
        provider = Provider()
        self.context.register_service("pelix.remote.provider.export", provider)
        self.register("spec", service_exported_interfaces="*")
        find = self.context.get_service_reference
        names = ("pelix.remote.dispatcher", "pelix.remote.registry", "pelix.rsa.remoteserviceadmin")
        self.assertNotIn(None, [find(name) for name in names])
        self.assertEqual(1, len(provider.open))
        self.successResultOf(bundle.stop())
        self.assertEqual({}, provider.open)
        self.successResultOf(self.framework.stop())
