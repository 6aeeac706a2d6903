"""Listeners to bundles and registrations: what they may do, and whom their troubles harm."""

from typing import Any

from twisted.internet.defer import Deferred

from pop.components.errors import NotAListener
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

    def test_none(self) -> None:
        """What cannot be told anything is refused."""
        for add in (self.context.add_bundle_listener, self.context.add_framework_stop_listener):
            self.assertRaises(NotAListener, add, 5)

    def test_removed_meanwhile(self) -> None:
        """One that is removed while others are told is not told any more."""
        context = self.context

        def remove(event: BundleEvent) -> None:
            context.remove_bundle_listener(late)

        late: Any = lambda event: self.framework.told.append(event)  # noqa: E731
        context.add_bundle_listener(remove)
        context.add_bundle_listener(late)
        self.install("a", "")
        self.assertEqual([], self.take())

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

    def test_fails_later(self) -> None:
        """What one does that takes its time may fail; that is logged."""

        async def late(event: ServiceEvent) -> None:
            await waiting
            raise ValueError(event)

        waiting: Deferred[None] = Deferred()
        self.context.add_service_listener(late)
        self.context.register_service("a", object())
        waiting.callback(None)
        self.assertEqual(1, len(self.flushLoggedErrors(ValueError)))

    def test_no_hash(self) -> None:
        """One that cannot be hashed is known again all the same."""

        class Listening(list[Any]):
            def service_changed(self, event: ServiceEvent) -> None:
                self.append(event.kind.name)

        one, other = Listening(), Listening()
        for listener in (one, other):
            self.assertTrue(self.context.add_service_listener(listener))
            self.assertFalse(self.context.add_service_listener(listener))
        self.assertTrue(self.context.remove_service_listener(other))
        self.context.register_service("a", object())
        self.assertEqual(([], ["REGISTERED"]), (other, one))

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


class NestedTests(BundleCase):
    """A listener changes what it is told of, while others have not been told yet."""

    def setUp(self) -> None:
        super().setUp()
        self.changes: list[Any] = []
        self.context.add_service_listener(self.change)
        self.registration = self.context.register_service("a", object(), {"k": 1})

    def change(self, event: ServiceEvent) -> None:
        """Once, as is said by C{changes}."""
        if self.changes:
            self.changes.pop()()

    def later(self, filter: str) -> list[Any]:
        """What one is told that came later."""
        heard: list[Any] = []

        def listener(event: ServiceEvent) -> None:
            heard.append((event.kind.name, event.reference.get_property("k")))

        self.context.add_service_listener(listener, filter)
        return heard

    def set(self, value: int) -> None:
        """Change the registration's property."""
        self.registration.set_properties({"k": value})

    def test_changed_again(self) -> None:
        """Others are told of what it is in the end, once."""
        heard = self.later("(k=*)")
        self.changes.append(lambda: self.set(3))
        self.set(2)
        self.assertEqual([("MODIFIED", 3)], heard)

    def test_comes_back(self) -> None:
        """Those who would have lost it, and have it again, are not told that they lost it."""
        heard = self.later("(k=1)")
        self.context.remove_service_listener(self.change)
        self.context.add_service_listener(self.change, "(k=1)")
        other = self.later("(k=1)")
        self.changes.append(lambda: self.set(1))
        self.set(2)
        self.assertEqual([("MODIFIED_ENDMATCH", 2), ("MODIFIED", 1)], heard)
        self.assertEqual([("MODIFIED", 1)], other)

    def test_stays_away(self) -> None:
        """Those who have lost it either way are told so, once."""
        self.context.remove_service_listener(self.change)
        self.context.add_service_listener(self.change, "(k=1)")
        heard = self.later("(k=1)")
        self.changes.append(lambda: self.set(3))
        self.set(2)
        self.assertEqual([("MODIFIED_ENDMATCH", 3)], heard)

    def test_gone(self) -> None:
        """What was taken back meanwhile has gone, and was not changed before."""
        heard = self.later("(k=*)")
        self.changes.append(self.registration.unregister)
        self.set(2)
        self.assertEqual([("UNREGISTERING", 2)], heard)

    def test_changed_at_once(self) -> None:
        """Of a registration that is changed as soon as it is there, others hear as it is then."""
        heard = self.later("(k=*)")

        def change() -> None:
            found = self.context.get_service_reference("b")
            assert found is not None
            self.framework.registry.change(found, {"k": 6})

        self.changes.append(change)
        self.context.register_service("b", object(), {"k": 5})
        self.assertEqual([("MODIFIED", 6)], heard)
