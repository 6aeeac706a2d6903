"""Registrations, lookups, uses and listeners."""

from typing import Any

from twisted.trial.unittest import SynchronousTestCase
from zope.interface import Attribute, Interface, implementer

from pop.components.errors import (
    BadFilter,
    BadProperties,
    BadSpecification,
    BrokenPromise,
    NotAFactory,
    NotAListener,
    Unregistered,
)
from pop.components.events import ServiceEvent
from pop.components.framework import create_framework
from pop.components.properties import Properties


class IHello(Interface):
    """Says hello."""

    def hello(name: str) -> str:
        """To somebody."""


class ILoudHello(IHello):
    """Says it loudly."""

    volume = Attribute("How loudly.")


@implementer(IHello)
class Hello:
    """Keeps its promise."""

    def hello(self, name: str) -> str:
        """Hello."""
        return f"Hello, {name}!"


@implementer(ILoudHello)
class LoudHello(Hello):
    """Keeps more than one."""

    volume = 11


@implementer(IHello)
class Mute:  # type: ignore[misc]  # just so
    """Says that it keeps it, but does not."""


class World:
    """A framework and what its listeners were told."""

    def __init__(self) -> None:
        self.framework = create_framework()
        self.context = self.framework.get_bundle_context()
        self.told: list[Any] = []

    def listen(self, name: str = "", filter: str | None = None, specification: Any = None) -> Any:
        """Note what a new listener is told."""

        def listener(event: ServiceEvent) -> None:
            told = (event.kind.name, event.reference.id)
            self.told.append((name, *told) if name else told)

        self.context.add_service_listener(listener, filter, specification)
        return listener

    def take(self) -> list[Any]:
        """What was told since the last time."""
        told, self.told = self.told, []
        return told


class RegistryCase(SynchronousTestCase):
    """A world of its own for each test."""

    def setUp(self) -> None:
        self.world = World()
        self.context = self.world.context


class RegisterTests(RegistryCase):
    """What is registered, and as what."""

    def test_interface(self) -> None:
        """What is registered under an interface is found under it and under all that it extends."""
        loud = self.context.register_service(ILoudHello, LoudHello()).reference
        hello = self.context.register_service(IHello, Hello()).reference
        self.assertEqual([loud, hello], self.context.get_all_service_references(IHello))
        self.assertEqual([loud], self.context.get_all_service_references(ILoudHello))

    def test_class(self) -> None:
        """So it is with classes; two of the same name in different modules are different.
        (In iPOPO they are not.)"""
        loud = self.context.register_service(LoudHello, LoudHello()).reference
        self.assertEqual(loud, self.context.get_service_reference(Hello))
        self.assertEqual(None, self.context.get_service_reference("Hello"))

    def test_broken_promise(self) -> None:
        """What does not do what an interface says is refused, by name, and nobody is told."""
        self.world.listen()
        error = self.assertRaises(BrokenPromise, self.context.register_service, IHello, Mute(), {})
        self.assertIn("test_component_registry.IHello", str(error))
        self.assertIn("hello", str(error))
        self.assertEqual([], self.context.get_all_service_references(IHello))
        self.assertEqual([], self.world.take())

    def test_undeclared(self) -> None:
        """So is what does not even say that it provides an interface."""
        self.assertRaises(BrokenPromise, self.context.register_service, IHello, object())

    def test_not_a_factory(self) -> None:
        """A factory without the methods of one is refused."""
        self.assertRaises(NotAFactory, self.context.register_service, "a", object(), factory=True)

    def test_properties(self) -> None:
        """The registry's own properties win, and the caller's mapping stays its own."""
        given = {"objectClass": "mine", "service.id": 99, "a": [1, 2], "Service.Ranking": 3}
        reference = self.context.register_service("spec", object(), given).reference
        self.assertEqual(
            {
                "objectClass": ("spec",),
                "service.id": reference.id,
                "service.bundleid": 0,
                "service.scope": "singleton",
                "service.ranking": 3,
                "a": (1, 2),
            },
            reference.get_properties(),
        )
        self.assertEqual(4, len(given))
        self.assertEqual((1, 2), reference.get_property("A"))

    def test_ambiguous_properties(self) -> None:
        """Names that differ only in case are one name, and cannot have two values."""
        self.assertRaises(
            BadProperties, self.context.register_service, "spec", object(), {"a": 1, "A": 2}
        )

    def test_bad_ranking(self) -> None:
        """A ranking that is no whole number is 0; later, it changes nothing."""
        registration = self.context.register_service("a", object(), {"service.ranking": "high"})
        self.assertEqual(0, registration.reference.get_property("service.ranking"))
        registration.set_properties({"service.ranking": 5})
        registration.set_properties({"service.ranking": "higher"})
        self.assertEqual(5, registration.reference.get_property("service.ranking"))

    def test_bad_specifications(self) -> None:
        """What could not be told from a filter, or from nothing, is no specification."""
        bad: Any
        for bad in ("", " ", " a", "a ", *(f"a{c}" for c in "\\()&|=<>~*+#,;'\""), 5, None, []):
            self.assertRaises(BadSpecification, self.context.register_service, bad, object())
            if bad is not None:
                self.assertRaises(BadSpecification, self.context.get_service_reference, bad)
                self.assertRaises(
                    BadSpecification, self.context.add_service_listener, print, None, bad
                )

    def test_unregister(self) -> None:
        """Whatever was taken back is found no more, and can be taken back once."""
        registration = self.context.register_service("a", object())
        registration.unregister()
        self.assertEqual([], self.context.get_all_service_references())
        self.assertRaises(Unregistered, registration.unregister)
        self.assertRaises(Unregistered, registration.set_properties, {})
        self.assertRaises(Unregistered, self.context.get_service, registration.reference)


class LookupTests(RegistryCase):
    """What is found."""

    def test_best(self) -> None:
        """The highest ranking is the best, then the oldest; lists are in the same order."""
        a, b, c = (
            self.context.register_service("x", object(), {"service.ranking": rank, "k": 1})
            for rank in (0, 5, 5)
        )
        order = [b.reference, c.reference, a.reference]
        for filter in (None, "(k=1)", "(k>=1)"):
            self.assertEqual(order, self.context.get_all_service_references("x", filter))
            self.assertIs(order[0], self.context.get_service_reference("x", filter))
        self.assertEqual(order, sorted(reversed(order)))

    def test_ranking_changes(self) -> None:
        """A ranking that changes reorders what is found."""
        a, b = (self.context.register_service("x", object()) for _ in range(2))
        self.assertIs(a.reference, self.context.get_service_reference("x"))
        b.set_properties({"service.ranking": 1})
        self.assertIs(b.reference, self.context.get_service_reference("x"))
        b.set_properties({"service.ranking": -1})
        self.assertIs(a.reference, self.context.get_service_reference("x"))
        b.set_properties({}, removed=["service.ranking"])
        self.assertEqual(0, b.reference.get_property("service.ranking"))

    def test_changed(self) -> None:
        """What has another value is found under that, and no longer under the old one."""
        registration = self.context.register_service("x", object(), {"k": 1, "l": [1, 2]})
        for filter, value in (("(k={})", 1), ("(l={})", 1)):
            old, new = filter.format(value), filter.format(9)
            self.assertEqual(1, len(self.context.get_all_service_references("x", old)))
            registration.set_properties({filter[1]: 9})
            self.assertEqual([], self.context.get_all_service_references("x", old))
            self.assertEqual(1, len(self.context.get_all_service_references("x", new)))

    def test_nothing(self) -> None:
        """Where nothing matches, there is no best one, and the list is empty, where iPOPO has
        C{None} for both."""
        self.assertEqual([], self.context.get_all_service_references("x"))
        self.assertIs(None, self.context.get_service_reference("x"))

    def test_several_specifications(self) -> None:
        """Several specifications that are looked for have all to be there."""
        both = self.context.register_service(["a", "b"], object()).reference
        self.context.register_service("a", object())
        self.assertEqual([both], self.context.get_all_service_references({"a", "b"}))

    def test_bad_filter(self) -> None:
        """A filter that cannot be read is refused, and no listener stays behind."""
        self.assertRaises(BadFilter, self.context.get_service_reference, "a", "(a=")
        self.assertRaises(BadFilter, self.context.add_service_listener, print, "(a=")
        self.assertFalse(self.context.remove_service_listener(print))


class ListenerTests(RegistryCase):
    """Who is told of what."""

    def test_filters(self) -> None:
        """One is told of what matches one's filter and specifications only."""
        self.world.listen("any")
        self.world.listen("k", "(k=1)")
        self.world.listen("a", None, "a")
        self.world.listen("set", None, {"a", "b"})
        self.context.register_service("a", object(), {"k": 1})
        self.context.register_service(["a", "b"], object(), {"k": 2})
        self.context.register_service("c", object())
        R = "REGISTERED"
        self.assertEqual(
            [
                *(("any", R, 1), ("k", R, 1), ("a", R, 1)),
                *(("any", R, 2), ("a", R, 2), ("set", R, 2)),
                ("any", R, 3),
            ],
            self.world.take(),
        )

    def test_modified(self) -> None:
        """Leaving a filter is told once, and coming back is a modification; no change, no event."""
        self.world.listen("k", "(k=1)")
        registration = self.context.register_service("a", object(), {"k": 1})
        for value in (1, 2, 3, 1):
            registration.set_properties({"K": value})
        registration.unregister()
        self.assertEqual(
            ["REGISTERED", "MODIFIED_ENDMATCH", "MODIFIED", "UNREGISTERING"],
            [kind for _, kind, _ in self.world.take()],
        )

    def test_equal_but_not_the_same(self) -> None:
        """True in place of 1, which Python takes for equal, is a change, and filters tell the two
        apart; so it is in a list or a set."""
        self.world.listen("true", "(k=true)")
        for number, truth in ((1, True), ([1], [True]), ({1}, {True})):
            registration = self.context.register_service("a", object(), {"k": number})
            self.assertEqual([], self.context.get_all_service_references("a", "(k=true)"))
            registration.set_properties({"k": truth})
            self.assertEqual(["MODIFIED"], [kind for _, kind, _ in self.world.take()])
            self.assertEqual(1, len(self.context.get_all_service_references("a", "(k=true)")))
            self.assertEqual([], self.context.get_all_service_references("a", "(k=1)"))
            registration.unregister()
            self.world.take()

    def test_tuples_in_a_set(self) -> None:
        """So it is in a tuple within a set."""
        registration = self.context.register_service("a", object(), {"s": {(1, 2)}})
        self.world.listen("all")
        registration.set_properties({"s": {(1, 2)}})
        self.assertEqual([], self.world.take())
        registration.set_properties({"s": {(True, 2)}})
        self.assertEqual(["MODIFIED"], [kind for _, kind, _ in self.world.take()])

    def test_ends_first(self) -> None:
        """Those whom a modification takes something away from are told before the others."""
        self.world.listen("new", "(k=2)")
        self.world.listen("old", "(k=1)")
        registration = self.context.register_service("a", object(), {"k": 1})
        self.world.take()
        registration.set_properties({"k": 2})
        self.assertEqual(
            [("old", "MODIFIED_ENDMATCH", 1), ("new", "MODIFIED", 1)], self.world.take()
        )

    def test_previous(self) -> None:
        """A modification says what the properties were before."""
        events: list[ServiceEvent] = []
        self.context.add_service_listener(events.append)
        registration = self.context.register_service("a", object(), {"k": 1, "l": 1})
        registration.set_properties({"k": 2}, removed=["L"])
        self.assertIs(None, events[0].get_previous_properties())
        previous = events[1].get_previous_properties() or {}
        self.assertEqual((1, 1), (previous["k"], previous["l"]))
        self.assertIs(None, registration.reference.get_property("l"))

    def test_once(self) -> None:
        """The same listener is told once, until it is removed."""
        self.assertTrue(self.context.add_service_listener(self.world.told.append))
        self.assertFalse(self.context.add_service_listener(self.world.told.append))
        self.context.register_service("a", object())
        self.assertTrue(self.context.remove_service_listener(self.world.told.append))
        self.assertFalse(self.context.remove_service_listener(self.world.told.append))
        self.context.register_service("a", object())
        self.assertEqual(1, len(self.world.take()))

    def test_not_a_listener(self) -> None:
        """What cannot be told anything is refused."""
        self.assertRaises(NotAListener, self.context.add_service_listener, 5)

    def test_failing(self) -> None:
        """One that fails harms no other."""
        self.context.add_service_listener(lambda event: 1 / 0)
        self.world.listen()
        self.context.register_service("a", object())
        self.assertEqual([("REGISTERED", 1)], self.world.take())
        self.assertEqual(1, len(self.flushLoggedErrors(ZeroDivisionError)))

    def test_removed_meanwhile(self) -> None:
        """One that is removed while others are told is not told any more."""
        late: list[Any] = []

        def remove(event: ServiceEvent) -> None:
            self.context.remove_service_listener(late[0])

        self.context.add_service_listener(remove)
        late.append(self.world.listen())
        self.context.register_service("a", object())
        self.assertEqual([], self.world.take())

    def test_gone_meanwhile(self) -> None:
        """What is taken back while others are told is not told to those as new."""

        def unregister(event: ServiceEvent) -> None:
            if event.kind is ServiceEvent.REGISTERED:
                self.world.framework.registry.unregister(event.reference)

        self.context.add_service_listener(unregister)
        self.world.listen()
        self.context.register_service("a", object())
        self.assertEqual([("UNREGISTERING", 1)], self.world.take())

    def test_object_while_unregistering(self) -> None:
        """The object can be had until all were told, though it is found no more."""
        found: list[Any] = []

        def listener(event: ServiceEvent) -> None:
            if event.kind is ServiceEvent.UNREGISTERING:
                found.append(self.context.get_service(event.reference))
                found.append(self.context.get_service_reference("a"))

        self.context.add_service_listener(listener)
        thing = object()
        registration = self.context.register_service("a", thing)
        registration.unregister()
        self.assertEqual([thing, None], found)
        self.assertEqual([], registration.reference.get_using_bundles())


class PropertiesTests(SynchronousTestCase):
    """Names without regard to case."""

    def test_spelling(self) -> None:
        """A changed property keeps its first spelling; a copy is a copy."""
        properties = Properties({"Colour": "red", "k": {1, 2}})
        changed = properties.changed({"COLOUR": "blue", "New": 1}, ["K"])
        self.assertEqual({"Colour": "blue", "New": 1}, changed.as_dict())
        self.assertEqual({"Colour": "red", "k": frozenset({1, 2})}, properties.as_dict())
        self.assertIn("COLOUR", properties)
        self.assertEqual("red", properties["colouR"])
