"""Objects for each bundle, and for each use."""

from typing import Any

from zope.interface import Interface, implementer

from pop.components.bundle import Bundle
from pop.components.errors import FactoryFailed, Unregistered
from pop.test.bundles import BundleCase


class Thing:
    """What factories make."""


class Factory:
    """Makes things, and notes who gets and gives back which."""

    def __init__(self) -> None:
        self.noted: list[tuple[Any, ...]] = []

    def get_service(self, bundle: Bundle, registration: Any) -> Any:
        """A new one."""
        self.noted.append(("get", bundle.get_symbolic_name()))
        return Thing()

    def unget_service(self, bundle: Bundle, registration: Any) -> None:
        """All are given back."""
        self.noted.append(("unget", bundle.get_symbolic_name()))

    def unget_service_instance(self, bundle: Bundle, registration: Any, thing: Any) -> None:
        """One is given back."""
        self.noted.append(("unget one", bundle.get_symbolic_name()))

    def take(self) -> list[tuple[Any, ...]]:
        """What was noted since the last time."""
        noted, self.noted = self.noted, []
        return noted


class FactoryCase(BundleCase):
    """Two bundles that use what a third registered."""

    def setUp(self) -> None:
        super().setUp()
        self.a, self.b, self.owner = (self.install(name) for name in ("a", "b", "owner"))
        for bundle in (self.a, self.b, self.owner):
            self.done(bundle.start())
        self.factory = Factory()

    def register(self, factory: bool = False, prototype: bool = False) -> Any:
        """The reference of the factory's registration."""
        context = self.owner.get_bundle_context()
        self.registration = context.register_service(
            "thing", self.factory, factory=factory, prototype=prototype
        )
        return self.registration.get_reference()


class FactoryTests(FactoryCase):
    """An object for each bundle."""

    def setUp(self) -> None:
        super().setUp()
        self.reference = self.register(factory=True)
        self.one, self.other = self.a.get_bundle_context(), self.b.get_bundle_context()

    def test_scope(self) -> None:
        """It says what it is."""
        self.assertEqual("bundle", self.reference.get_property("service.scope"))
        self.assertTrue(self.reference.is_factory())
        self.assertFalse(self.reference.is_prototype())

    def test_each(self) -> None:
        """Each bundle has one, whatever it asks; it ends when it was given back as often."""
        thing = self.one.get_service(self.reference)
        self.assertIs(thing, self.one.get_service(self.reference))
        self.assertIsNot(thing, self.other.get_service(self.reference))
        self.assertEqual([("get", "a"), ("get", "b")], self.factory.take())
        self.assertTrue(self.one.unget_service(self.reference))
        self.assertEqual([], self.factory.take())
        self.assertTrue(self.one.unget_service(self.reference))
        self.assertFalse(self.one.unget_service(self.reference))
        self.assertEqual([("unget", "a")], self.factory.take())
        self.assertEqual([self.b], self.reference.get_using_bundles())

    def test_consumer_stops(self) -> None:
        """The end of a consumer ends its uses."""
        self.one.get_service(self.reference)
        self.one.get_service(self.reference)
        self.done(self.a.stop())
        self.assertEqual([("get", "a"), ("unget", "a")], self.factory.take())
        self.assertEqual([], self.reference.get_using_bundles())

    def test_owner_goes(self) -> None:
        """So does that of the owner, and nobody can use it any more."""
        self.one.get_service(self.reference)
        self.done(self.owner.uninstall())
        self.assertEqual([("get", "a"), ("unget", "a")], self.factory.take())
        self.assertEqual([], self.a.get_services_in_use())
        self.assertRaises(Unregistered, self.one.get_service, self.reference)

    def test_unregistered(self) -> None:
        """What was taken back is not among what its bundle registered. (In iPOPO it still is.)"""
        self.registration.unregister()
        self.assertNotIn(self.reference, self.owner.get_registered_services())

    def test_objects(self) -> None:
        """One's own objects are the bundle's."""
        objects = self.one.get_service_objects(self.reference)
        thing = objects.get_service()
        self.assertIs(thing, self.one.get_service(self.reference))
        self.assertFalse(objects.unget_service(object()))
        self.assertTrue(objects.unget_service(thing))


class PrototypeTests(FactoryCase):
    """An object for each use."""

    def setUp(self) -> None:
        super().setUp()
        self.reference = self.register(prototype=True)
        self.objects = self.a.get_bundle_context().get_service_objects(self.reference)

    def test_each(self) -> None:
        """Each use has another; the factory is told of each, and of the last."""
        one, other = self.objects.get_service(), self.objects.get_service()
        self.assertIsNot(one, other)
        self.factory.take()
        self.assertTrue(self.objects.unget_service(one))
        self.assertFalse(self.objects.unget_service(one))
        self.assertEqual([("unget one", "a")], self.factory.take())
        self.assertTrue(self.objects.unget_service(other))
        self.assertEqual([("unget one", "a"), ("unget", "a")], self.factory.take())
        self.assertEqual([], self.reference.get_using_bundles())

    def test_shared(self) -> None:
        """Asked for without a use of one's own, it is shared within the bundle."""
        context = self.a.get_bundle_context()
        self.assertIs(context.get_service(self.reference), context.get_service(self.reference))
        own = self.objects.get_service()
        context.unget_service(self.reference)
        context.unget_service(self.reference)
        self.factory.take()
        self.objects.unget_service(own)
        self.assertEqual([("unget one", "a"), ("unget", "a")], self.factory.take())

    def test_shared_last(self) -> None:
        """What is shared may be given back after those of one's own, which are no longer had then;
        the factory is told of the end once."""
        context = self.a.get_bundle_context()
        context.get_service(self.reference)
        own = self.objects.get_service()
        self.factory.take()
        self.assertTrue(self.objects.unget_service(own))
        self.assertFalse(self.objects.unget_service(own))
        self.assertEqual([("unget one", "a")], self.factory.take())
        self.assertTrue(context.unget_service(self.reference))
        self.assertFalse(context.unget_service(self.reference))
        self.assertEqual([("unget", "a")], self.factory.take())

    def test_consumer_stops(self) -> None:
        """The end of a consumer ends all uses, of several prototypes, too. (In iPOPO the consumer
        cannot end then.)"""
        other = self.register(prototype=True)
        for reference in (self.reference, other):
            objects = self.a.get_bundle_context().get_service_objects(reference)
            objects.get_service()
            objects.get_service()
        self.factory.take()
        self.assertTrue(self.done(self.a.stop()))
        one, last = ("unget one", "a"), ("unget", "a")
        self.assertEqual([one, one, last] * 2, self.factory.take())
        self.assertEqual([], other.get_using_bundles())

    def test_owner_stops(self) -> None:
        """So does that of the owner."""
        self.objects.get_service()
        self.factory.take()
        self.done(self.owner.stop())
        self.assertEqual([("unget one", "a"), ("unget", "a")], self.factory.take())


class INeeded(Interface):
    """Has to be kept."""

    def needed() -> None:
        """Has to be there."""


@implementer(INeeded)
class Needed:
    """Keeps it."""

    def needed(self) -> None:
        """It is there."""


class FailingTests(FactoryCase):
    """Factories that fail."""

    def test_raises(self) -> None:
        """What gives nothing is told of as such, and nobody uses it."""
        context = self.a.get_bundle_context()

        class Raising(Factory):
            def get_service(self, bundle: Bundle, registration: Any) -> Any:
                raise ValueError("no luck")

        class Nothing(Factory):
            def get_service(self, bundle: Bundle, registration: Any) -> Any:
                return None

        for kind, words in ((Raising, "no luck"), (Nothing, "it returned None")):
            self.factory = kind()
            reference = self.register(factory=True)
            error = self.assertRaises(FactoryFailed, context.get_service, reference)
            self.assertIn(words, str(error))
            self.assertEqual([], reference.get_using_bundles())

    def test_breaks_promise(self) -> None:
        """What a factory makes has to keep the promise of the interface it is registered under."""
        context = self.owner.get_bundle_context()
        registration = context.register_service(INeeded, self.factory, factory=True)
        error = self.assertRaises(FactoryFailed, context.get_service, registration.reference)
        self.assertIn("INeeded", str(error))

    def test_end_fails(self) -> None:
        """That a factory fails at the end of a use harms nobody."""

        class Raising(Factory):
            def unget_service(self, bundle: Bundle, registration: Any) -> None:
                raise ValueError("no luck")

        self.factory = Raising()
        reference = self.register(factory=True)
        self.a.get_bundle_context().get_service(reference)
        self.assertTrue(self.done(self.a.stop()))
        self.assertEqual(1, len(self.flushLoggedErrors(ValueError)))

    def test_one_for_all(self) -> None:
        """Without a factory, one's own objects are the one that there is."""
        thing = Needed()
        reference = self.context.register_service(INeeded, thing).reference
        objects = self.context.get_service_objects(reference)
        self.assertIs(thing, objects.get_service())
        self.assertTrue(objects.unget_service(thing))
        self.assertFalse(objects.unget_service(thing))
        self.assertIs(reference, objects.get_service_reference())
