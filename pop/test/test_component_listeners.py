"""Listeners to bundles and registrations: what they may do, and whom their troubles harm."""

from typing import Any

from pop.components.events import BundleEvent, ServiceEvent
from pop.test.bundles import BundleCase


class BundleListenerTests(BundleCase):
    """Listeners to the lives of bundles."""

    def test_raises(self) -> None:
        """What one raises is logged; the others are told, and the bundle starts."""

        def bad(event: BundleEvent) -> None:
            raise ValueError(event)

        self.context.add_bundle_listener(bad)
        self.listen()
        self.assertTrue(self.done(self.install("a", "").start()))
        self.assertEqual(["a INSTALLED", "a STARTING", "a STARTED"], self.take())
        self.assertEqual(3, len(self.flushLoggedErrors(ValueError)))

    def test_end_raises(self) -> None:
        """What one to the end of the framework raises is logged, and the framework ends."""

        def bad() -> None:
            raise ValueError

        self.context.add_framework_stop_listener(bad)
        self.context.add_framework_stop_listener(lambda: self.framework.told.append("end"))
        self.assertTrue(self.done(self.framework.stop()))
        self.assertEqual(["end"], self.take())
        self.assertEqual(1, len(self.flushLoggedErrors(ValueError)))

    def test_method(self) -> None:
        """One with a method of the right name is told by that."""

        class Listening:
            def __init__(self) -> None:
                self.told: list[str] = []

            def bundle_changed(self, event: BundleEvent) -> None:
                self.told.append(event.kind.name)

            def framework_stopping(self) -> None:
                self.told.append("end")

            def service_changed(self, event: ServiceEvent) -> None:
                self.told.append(event.kind.name)

        one = Listening()
        self.context.add_bundle_listener(one)
        self.context.add_framework_stop_listener(one)
        self.context.add_service_listener(one)
        self.install("a", "")
        self.context.register_service("a", object())
        self.context.remove_bundle_listener(one)
        self.done(self.framework.stop())
        self.assertEqual(["INSTALLED", "REGISTERED", "end", "UNREGISTERING"], one.told)


class ServiceListenerTests(BundleCase):
    """Listeners to registrations."""

    def test_own_properties(self) -> None:
        """What the registry itself says of a registration cannot be changed, and whoever tries
        tells nobody anything."""
        registration = self.context.register_service("a", object())
        before = registration.reference.get_properties()
        self.context.add_service_listener(self.framework.told.append)
        registration.set_properties({"objectClass": ["b"], "SERVICE.ID": 99})
        registration.set_properties({}, removed=["objectClass", "service.id"])
        registration.set_properties({"service.bundleid": 7, "service.scope": "prototype"})
        self.assertEqual(before, registration.reference.get_properties())
        self.assertEqual([], self.take())

    def test_given_stays(self) -> None:
        """The mapping by which properties are changed stays the caller's, and as it is. (iPOPO
        empties it.)"""
        registration = self.context.register_service("a", object())
        given = {"k": [1], "service.id": 5}
        registration.set_properties(given)
        self.assertEqual({"k": [1], "service.id": 5}, given)
        given["k"].append(2)  # type: ignore[attr-defined]
        self.assertEqual((1,), registration.reference.get_property("k"))

    def test_acts(self) -> None:
        """A listener may look up, use, change and register while it is told: there is no lock to
        wait for."""
        seen: list[Any] = []

        def acting(event: ServiceEvent) -> None:
            if event.reference.get_property("k") == 1:
                found = self.context.get_service_reference("a", "(k=1)")
                assert found is not None
                seen.append(self.context.get_service(found))
                first.set_properties({"k": 2})
                self.context.register_service("b", object())

        self.context.add_service_listener(acting)
        first = self.context.register_service("a", "thing", {"k": 0})
        first.set_properties({"k": 1})
        self.assertEqual(["thing"], seen)
        self.assertEqual(2, first.reference.get_property("k"))
        self.assertIsNotNone(self.context.get_service_reference("b"))
        self.assertIs(None, self.context.get_service_reference("a", "(k=1)"))

    def test_silent(self) -> None:
        """What is registered in silence is found, though nobody was told."""
        self.context.add_service_listener(self.framework.told.append)
        registration = self.context.register_service("a", object(), send_event=False)
        self.assertEqual([], self.take())
        self.assertIs(registration.reference, self.context.get_service_reference("a"))

    def test_own(self) -> None:
        """A bundle may ask for what it registered itself."""
        bundle = self.install("a")
        self.done(bundle.start())
        own = self.context.register_service("a.spec", object(), {"service.ranking": 5})
        context = bundle.get_bundle_context()
        [mine] = context.get_service_references("a.spec")
        self.assertIs(bundle, mine.bundle)
        self.assertEqual([own.reference, mine], self.context.get_all_service_references("a.spec"))
