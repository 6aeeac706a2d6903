"""What components register."""

from typing import Any

from zope.interface import Interface, implementer

from pop.components import (
    ComponentFactory,
    PostRegistration,
    PostUnregistration,
    Property,
    Provides,
    Requires,
    Validate,
)
from pop.components.life import Phase
from pop.test.frameworks import FrameworkTestCase, Later, Thing


class IBase(Interface):
    """Something."""


class IMore(IBase):
    """Something more."""


class ProvidesTests(FrameworkTestCase):
    """Under which names, and by whom objects are made."""

    def found(self, specification: Any, **given: Any) -> Any:
        """What is registered under a specification; L{None} if nothing is."""
        reference = self.context.get_service_reference(specification, **given)
        return None if reference is None else self.context.get_service(reference)

    def test_implied(self) -> None:
        """What is not named is what the class implements; otherwise its parents, or itself."""

        @ComponentFactory("more")
        @Provides()
        @implementer(IMore)
        class More:
            pass

        class Parent:
            pass

        @ComponentFactory("child")
        @Provides()
        class Child(Parent):
            pass

        @ComponentFactory("alone")
        @Provides()
        class Alone:
            pass

        more = self.make(More)
        self.assertEqual((more, more), (self.found(IMore), self.found(IBase)))
        child = self.make(Child, "b")
        self.assertIs(child, self.found(Parent))
        alone = self.make(Alone, "c")
        self.assertIs(alone, self.found(Alone))

    def test_several_names(self) -> None:
        """One registration may have several names; several decorators make several."""

        @ComponentFactory()
        @Provides(["one", "two"])
        @Provides("three")
        class Several:
            pass

        self.make(Several)
        references = self.context.get_all_service_references()
        mine = [one for one in references if one.get_property("instance.name") == "a"]
        self.assertEqual([("one", "two"), ("three",)], [one.specifications for one in mine])
        self.assertEqual(2, len(self.ipopo.get_instance_details("a")["services"]))

    def test_factory(self) -> None:
        """A component may make what it provides, for each bundle or for each that asks."""

        @ComponentFactory("maker")
        @Provides("made", prototype=True)
        class Maker:
            def __init__(self) -> None:
                self.made: list[Thing] = []

            def get_service(self, bundle: Any, registration: Any) -> Thing:
                self.made.append(Thing())
                return self.made[-1]

            def unget_service_instance(self, bundle: Any, registration: Any, it: Thing) -> None:
                self.made.remove(it)

            def unget_service(self, bundle: Any, registration: Any) -> None: ...

        @ComponentFactory("user")
        @Requires("it", "made")
        class User:
            it: Any

        maker, one, two = self.make(Maker), self.make(User, "b"), self.make(User, "c")
        self.assertEqual([one.it, two.it], maker.made)
        self.kill()
        self.assertEqual(([], None, None), (maker.made, one.it, two.it))

    def test_off_at_first(self) -> None:
        """A controller may be off at first; what it is set to while the component becomes valid
        counts."""

        @ComponentFactory()
        @Provides("off", controller="off")
        @Provides("soon", controller="soon")
        class Off:
            off = False
            soon = False

            @Validate
            def validate(self, context: Any) -> None:
                self.soon = True

        off = self.make(Off)
        self.assertEqual((None, off), (self.found("off"), self.found("soon")))
        off.off = True
        self.assertIs(off, self.found("off"))

    def test_slow_registration(self) -> None:
        """What is called after a registration may take its time; only then it is said to be valid,
        and a controller that is switched meanwhile is heeded."""
        registered, unregistered = Later(), Later()

        @ComponentFactory("slow")
        @Provides("slow", controller="on")
        class Slow:
            on: bool

            @PostRegistration
            def registered(self, reference: Any) -> Any:
                return registered()

            @PostUnregistration
            def unregistered(self, reference: Any) -> Any:
                return unregistered()

        slow = self.make(Slow)
        self.assertHeard("INSTANTIATED a")
        slow.on = False
        self.assertIs(slow, self.found("slow"))
        registered.end()
        self.assertIsNone(self.found("slow"))
        unregistered.end()
        self.assertEqual(Phase.VALID, self.state())
        self.assertHeard("VALIDATED a")

    def test_property_while_validating(self) -> None:
        """What a component finds out while it becomes valid is shown from the beginning."""
        events: list[Any] = []
        self.context.add_service_listener(
            lambda event: events.append((event.kind.name, event.reference.get_property("port"))),
            None,
            "server",
        )

        @ComponentFactory()
        @Provides("server")
        @Property("port", value=0)
        class Server:
            port: int

            @Validate
            def validate(self, context: Any) -> None:
                self.port = 8080

        self.make(Server)
        self.assertEqual([("REGISTERED", 8080)], events)

    def test_list(self) -> None:
        """A list that is changed in place changes no registration; another one does. (In iPOPO
        readers see the former, and nobody is told.)"""

        @ComponentFactory()
        @Provides("listing")
        @Property("items", value=None)
        class Listing:
            items: Any

        listing = self.make(Listing, items=[1])
        reference = self.context.get_service_reference("listing")
        assert reference is not None
        listing.items.append(2)
        self.assertEqual((1,), reference.get_property("items"))
        listing.items = [1, 2, 3]
        self.assertEqual((1, 2, 3), reference.get_property("items"))


class IPromise(Interface):
    """What a component may claim to provide."""

    def keep() -> None:
        """Keep it."""


@ComponentFactory("liar")
@Provides(IPromise)
@implementer(IPromise)
class Liar:  # type: ignore[misc]  # that is the point
    """Claims it, and does not keep it."""


class RefusedTests(FrameworkTestCase):
    """Components that do not do what they are to provide."""

    def setUp(self) -> None:
        super().setUp()
        self.liar = self.make(Liar)
        self.addCleanup(self.flushLoggedErrors)

    def why(self) -> list[str]:
        """Why it is not valid."""
        why: list[str] = self.ipopo.get_instance_details("a")["why"]
        return why

    def test_says_so(self) -> None:
        """One that the registry refuses is held, and says that, with the interface and what is
        missing; not that somebody had asked it to be invalid."""
        self.assertEqual(Phase.INVALID, self.state())
        self.assertIsNone(self.context.get_service_reference(IPromise))
        [why] = self.why()
        self.assertRegex(
            why, r"^what it provides was refused, until it is told to retry: The bundle"
        )
        for part in ("Liar", "IPromise", "keep"):
            self.assertIn(part, why)
        self.assertIn(self.ipopo.get_instance_details("a")["error_trace"], why)

    def test_kept_later(self) -> None:
        """It tries again when it is told to, and is refused again or not."""
        self.ipopo.retry_erroneous("a")
        self.assertIn("refused", self.why()[0])
        self.liar.keep = lambda: None
        self.ipopo.retry_erroneous("a")
        self.assertEqual((Phase.VALID, []), (self.state(), self.why()))

    def test_asked(self) -> None:
        """Once somebody has asked it to be invalid, that is what it says."""
        self.ipopo.invalidate("a")
        self.assertEqual(["it was asked to be invalid"], self.why())
