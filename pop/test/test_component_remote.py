"""What is exported and imported, and who is told of it."""

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from pop.components.errors import FactoryFailed
from pop.components.remote.endpoint import (
    Endpoint,
    exported_properties,
    exported_specifications,
    with_synonyms,
)
from pop.components.remote.errors import BadEndpoint
from pop.components.remote.exports import Exports
from pop.components.remote.exposure import exposed
from pop.components.remote.imports import Imports
from pop.test.remotes import Both, IBase, IMore, Listener, RemoteCase, endpoint


class EndpointTests(SynchronousTestCase):
    """Descriptions of endpoints."""

    def test_json(self) -> None:
        """A description survives being sent."""
        one = endpoint("one", number=1, several=["a", "b"])
        self.assertEqual(one, Endpoint.from_json(one.to_json()))

    def test_newer(self) -> None:
        """What a later version adds to one does not matter."""
        one = endpoint("one")
        self.assertEqual(one, Endpoint.from_json({**one.to_json(), "new": 5}))

    def test_synonyms(self) -> None:
        """A name for Python is a name; one for another language stays what it is."""
        given = {**endpoint("one").to_json(), "specifications": ["python:/a", "java:/b", "a"]}
        self.assertEqual(("a", "java:/b"), Endpoint.from_json(given).specifications)

    def test_bad(self) -> None:
        """Anything else is refused with a reason."""
        good = endpoint("one").to_json()
        bad: Any
        for bad in (
            None,
            [],
            {},
            {**good, "uid": ""},
            {**good, "name": 5},
            {**good, "methods": "say"},
            {**good, "methods": ["__class__"]},
            {**good, "methods": ["_link"]},
            {**good, "methods": ["no name"]},
            {**good, "specifications": []},
            {**good, "specifications": [5]},
            {**good, "properties": []},
        ):
            self.assertRaises(BadEndpoint, Endpoint.from_json, bad)

    def test_cannot_be_changed(self) -> None:
        """Whoever holds one can rely on it."""
        one = endpoint("one", a=1)
        with self.assertRaises(TypeError):
            one.properties["a"] = 2  # type: ignore[index]  # that it cannot be is the test


class ExportedTests(RemoteCase):
    """What a registration's properties say of its export."""

    def exported(self, **properties: Any) -> tuple[str, ...]:
        """Under which names a registration as a, b and c is exported."""
        reference = self.register(["a", "b", "c"], **properties)
        return exported_specifications(reference, reference.properties)

    def test_interfaces(self) -> None:
        """Some of its specifications, or all; never others, and none unless it says so."""
        self.assertEqual((), self.exported())
        self.assertEqual(("a", "b", "c"), self.exported(service_exported_interfaces="*"))
        self.assertEqual(("a", "b", "c"), self.exported(service_exported_interfaces=["*"]))
        self.assertEqual(("b",), self.exported(service_exported_interfaces="b"))
        self.assertEqual(("a", "c"), self.exported(service_exported_interfaces=["c", "x", "a"]))

    def test_precedence(self) -> None:
        """None at all goes before only some, and that before all but some."""
        flagged: dict[str, Any] = {"service_exported_interfaces": "*"}
        reject = {**flagged, "pelix_remote_export_reject": ["a", "b"]}
        only = {**reject, "pelix_remote_export_only": ["b", "c", "x"]}
        none = {**only, "pelix_remote_export_none": True}
        self.assertEqual(("c",), self.exported(**reject))
        self.assertEqual(("b", "c"), self.exported(**only))
        self.assertEqual((), self.exported(**none))

    def test_synonyms(self) -> None:
        """Other names are no reason to export, but are added, each once."""
        synonyms: dict[str, Any] = {"pelix_remote_synonyms": ["java:/b", "b"]}
        self.assertEqual((), self.exported(**synonyms))
        known = with_synonyms(("b",), {"pelix.remote.synonyms": ["java:/b", "b"]})
        self.assertEqual(("b", "java:/b"), known)

    def test_properties(self) -> None:
        """Others are told the properties that mean something to them, and can be told."""
        reference = self.register(
            "a",
            service_exported_interfaces="*",
            pelix_remote_export_reject="x",
            service_ranking=5,
            color="red",
            several=["a", ("b", 1.5)],
            thing=object(),
            mixed=[object()],
        )
        self.assertEqual(
            {
                "service.ranking": 5,
                "color": "red",
                "several": ["a", ["b", 1.5]],
                "endpoint.service.id": reference.id,
            },
            exported_properties(reference.get_properties()),
        )

    def test_private(self) -> None:
        """Nor are others told what begins with a dot."""
        told = exported_properties({".password": "x", "service.id": 1, "color": "red"})
        self.assertEqual({"endpoint.service.id": 1, "color": "red"}, told)


class ExposureTests(SynchronousTestCase):
    """Which methods others may call."""

    def test_interface(self) -> None:
        """Of an interface, those that it declares, its bases included, and no attributes."""
        base, more = (each.__identifier__ for each in (IBase, IMore))
        self.assertEqual(("base",), exposed(Both(), [base]))
        self.assertEqual(("base", "more"), exposed(Both(), [more]))

    def test_class(self) -> None:
        """Of a class, its public methods, and not those of its subclasses."""

        class Sub(Both):
            def sub(self) -> None: ...

        name = f"{Both.__module__}.{Both.__qualname__}"
        self.assertEqual(("base", "more", "other"), exposed(Sub(), [name]))

    def test_name(self) -> None:
        """Of a name, the public methods of the class: neither what the framework calls, nor what
        the object holds, nor what it keeps to itself.

        In iPOPO any callable attribute can be called from afar, C{validate} and what was injected
        included.
        """
        self.assertEqual(("base", "more", "other"), exposed(Both(), ["some.name"]))


class ExportsTests(RemoteCase):
    """The registry of exports."""

    def setUp(self) -> None:
        super().setUp()
        self.exports = Exports(self.context)
        self.exports.start()
        self.listener = Listener()

    def listen(self, listener: Listener) -> Any:
        """Register a listener."""
        return self.context.register_service("pelix.remote.endpoint.export.listener", listener)

    def test_told(self) -> None:
        """Listeners are told of what comes, changes and goes, with the properties before."""
        self.listen(self.listener)
        self.exports.add(endpoint("1", n=1))
        self.exports.replace(endpoint("1", n=2))
        self.exports.remove("1")
        self.assertEqual(
            [("added", "1"), ("updated", "1", {"n": 1}, {"n": 2}), ("removed", "1")],
            self.listener.take(),
        )

    def test_late(self) -> None:
        """A listener that comes later is told of all that there are; one that left, of nothing."""
        self.exports.add(endpoint("1"))
        self.exports.add(endpoint("2"))
        registration = self.listen(self.listener)
        self.assertEqual([("added", "1", "2")], self.listener.take())
        registration.unregister()
        self.exports.remove("1")
        self.assertEqual([], self.listener.take())

    def test_raises(self) -> None:
        """One that raises does not keep others from being told."""
        self.listen(Listener(fails=True))
        self.listen(self.listener)
        self.exports.add(endpoint("1"))
        self.assertEqual([("added", "1")], self.listener.take())
        self.assertEqual(1, len(self.flushLoggedErrors(ValueError)))

    def test_found(self) -> None:
        """They are found by identifier, by kind of transport and by name."""
        one, two = endpoint("1"), endpoint("2")
        self.exports.add(one)
        self.exports.add(two)
        self.assertEqual(
            (one, None), (self.exports.get_endpoint("1"), self.exports.get_endpoint("3"))
        )
        self.assertEqual([one, two], self.exports.get_endpoints("kind"))
        self.assertEqual([two], self.exports.get_endpoints(name="name-2"))
        self.assertEqual([], self.exports.get_endpoints("other", "name-2"))


class ImportsTests(RemoteCase):
    """The registry of imports."""

    def setUp(self) -> None:
        super().setUp()
        self.imports = Imports(self.context)
        self.imports.start()
        self.listener = Listener()

    def listen(self) -> Any:
        """Register the listener."""
        return self.context.register_service("pelix.remote.endpoint.import.listener", self.listener)

    def test_once(self) -> None:
        """One that is known already is not added again, nor one of this framework."""
        self.listen()
        self.assertTrue(self.imports.add(endpoint("1")))
        self.assertFalse(self.imports.add(endpoint("1", n=2)))
        self.assertFalse(self.imports.add(endpoint("2", "here")))
        self.assertEqual([("added", "1")], self.listener.take())
        self.assertEqual([endpoint("1")], self.imports.get_endpoints())

    def test_update(self) -> None:
        """A change is told with the properties before, but only if there is one."""
        self.imports.add(endpoint("1", n=1))
        self.listen()
        self.listener.take()
        self.assertTrue(self.imports.update("1", {"n": 2}))
        self.assertTrue(self.imports.update("1", {"n": 2}))
        self.assertFalse(self.imports.update("2", {"n": 2}))
        self.assertEqual([("updated", "1", {"n": 1}, {"n": 2})], self.listener.take())
        self.assertEqual(endpoint("1", n=2), self.imports.get_endpoint("1"))

    def test_contains(self) -> None:
        """It can be asked by endpoint or by identifier."""
        self.imports.add(endpoint("1"))
        self.assertIn("1", self.imports)
        self.assertTrue(self.imports.contains(endpoint("1")))
        self.assertNotIn(endpoint("2"), self.imports)

    def test_remove(self) -> None:
        """What goes is told once."""
        self.imports.add(endpoint("1"))
        self.listen()
        self.assertEqual((True, False), (self.imports.remove("1"), self.imports.remove("1")))
        self.assertEqual([("added", "1"), ("removed", "1")], self.listener.take())

    def test_lost_framework(self) -> None:
        """With a framework go all its endpoints, and no others."""
        for uid, framework in (("1", "far"), ("2", "farther"), ("3", "far")):
            self.imports.add(endpoint(uid, framework))
        self.listen()
        self.listener.take()
        self.imports.lost_framework("far")
        self.assertEqual([("removed", "1"), ("removed", "3")], self.listener.take())
        self.assertEqual(["2"], [each.uid for each in self.imports.get_endpoints()])

    def test_late(self) -> None:
        """A listener that comes later is told of those that there are."""
        self.imports.add(endpoint("1"))
        self.imports.add(endpoint("2"))
        self.listen()
        self.assertEqual([("added", "1"), ("added", "2")], self.listener.take())

    def test_gives_nothing(self) -> None:
        """A listener that cannot be had is told nothing, and keeps nobody from starting."""

        class Torn:
            def get_service(self, bundle: Any, registration: Any) -> Any: ...

            def unget_service(self, bundle: Any, registration: Any) -> None: ...

        name = "pelix.remote.endpoint.import.listener"
        torn = self.context.register_service(name, Torn(), {"service.ranking": 5}, factory=True)
        self.listen()
        imports = Imports(self.context)
        imports.start()
        imports.add(endpoint("1"))
        torn.unregister()
        self.assertEqual([("added", "1")], self.listener.take())
        self.assertEqual(2, len(self.flushLoggedErrors(FactoryFailed)))

    def test_stopped(self) -> None:
        """After its end nobody is told anything."""
        self.listen()
        self.imports.stop()
        self.imports.add(endpoint("1"))
        self.assertEqual([], self.listener.take())
