"""Handlers that bundles contribute, and whom their troubles harm."""

from typing import Any

from pop.components import (
    HANDLER_ID,
    SERVICE_HANDLER_FACTORY,
    SERVICE_WAITING_LIST,
    ComponentFactory,
    Handler,
    HiddenProperty,
    Property,
    Provides,
)
from pop.components.decorators import declaring
from pop.components.errors import FactoryFailed, NotConstructed
from pop.components.life import Phase
from pop.components.notices import IPopoEvent, Kind
from pop.test.frameworks import FrameworkTestCase


def handled(cls: type) -> type:
    """A decorator that a handler of the test serves."""
    declaring(cls).configuration("test.handled")["field"] = 1
    return cls


class Noting(Handler):
    """Notes what it is told, and fails at some of it."""

    def __init__(self, seen: list[str], *failing: str) -> None:
        self.seen = seen
        self.failing = failing

    def __getattribute__(self, name: str) -> Any:
        found = super().__getattribute__(name)
        if not hasattr(Handler, name) or name.startswith("_"):
            return found

        def told(*arguments: Any) -> Any:
            if name != "is_valid":
                self.seen.append(" ".join([name, *map(str, arguments)]))
            if name in self.failing:
                raise ValueError(name)
            return found(*arguments)

        return told


class Making:
    """Makes handlers, unless it fails."""

    def __init__(self, seen: list[str], *failing: str) -> None:
        self.seen = seen
        self.failing = failing

    def get_handlers(self, component: Any, instance: Any) -> list[Handler]:
        """One."""
        if "get_handlers" in self.failing:
            raise ValueError("no luck")
        return [Noting(self.seen, *self.failing)]


@ComponentFactory("handled")
@handled
@Property("shown", value=1)
@HiddenProperty("secret", value=1)
@Provides("some.spec", controller="on")
class Handled:
    """Is served by it."""

    shown: int
    secret: int
    on: bool


class HandlersCase(FrameworkTestCase):
    """Has places for what handlers tell."""

    def setUp(self) -> None:
        super().setUp()
        self.seen: list[str] = []

    def contribute(self, *failing: str) -> Any:
        """Register what makes them."""
        making = Making(self.seen, *failing)
        given = {HANDLER_ID: "test.handled"}
        return self.context.register_service(SERVICE_HANDLER_FACTORY, making, given)


class TakingPartTests(HandlersCase):
    """What a handler is told."""

    def test_told(self) -> None:
        """A handler is told of each step in the life of its component, and of each change."""
        self.contribute()
        it = self.make(Handled)
        it.shown, it.secret, it.on = 2, 3, False
        self.kill()
        self.assertEqual(
            [
                *("start", "pre_validate", "post_validate"),
                *("on_property_change shown 1 2", "on_hidden_property_change secret 1 3"),
                "on_controller_change on False",
                *("pre_invalidate", "post_invalidate", "stop", "clear"),
            ],
            self.seen,
        )

    def test_properties_last(self) -> None:
        """When its handler has gone and another has come, the component has the properties that it
        had, also those that nobody is shown."""
        first = self.contribute()
        it = self.make(Handled)
        it.shown, it.secret = 2, 3
        first.unregister()
        self.assertEqual([("a", "handled", {"test.handled"})], self.ipopo.get_waiting_components())
        self.contribute()
        self.assertEqual((Phase.VALID, 2, 3), (self.state(), it.shown, it.secret))

    def test_wanted(self) -> None:
        """One from the waiting list is still that when it has come back with its handler: it
        changes, and goes, with what the list is told."""
        reference = self.context.get_service_reference(SERVICE_WAITING_LIST)
        assert reference is not None
        waiting = self.context.get_service(reference)
        first = self.contribute()
        self.ipopo.register_factory(self.context, Handled)
        waiting.add("handled", "a")
        first.unregister()
        self.contribute()
        waiting.update("a", {"shown": 2})
        self.assertEqual(2, self.ipopo.get_instance("a").shown)
        self.successResultOf(waiting.remove("a"))
        self.assertEqual([], self.ipopo.get_instances())


class FailingTests(HandlersCase):
    """Handlers that raise."""

    def failures(self) -> int:
        """How many were logged."""
        return len(self.flushLoggedErrors(ValueError))

    def test_harms_nobody(self) -> None:
        """What a handler raises is logged, and its component lives on, changes and ends all the
        same."""
        deeds = [name for name in vars(Handler) if not name.startswith("_")]
        deeds = [name for name in deeds if name not in ("is_valid", "why")]
        self.contribute(*deeds)
        it = self.make(Handled)
        self.assertEqual(Phase.VALID, self.state())
        it.shown, it.secret, it.on = 2, 3, False
        self.kill()
        self.assertEqual(len(deeds), self.failures())
        self.assertEqual([], self.ipopo.get_instances())

    def test_unknown_validity(self) -> None:
        """One that cannot say whether its component may be valid keeps it invalid; why is said, and
        the framework ends all the same."""
        self.contribute("is_valid", "why")
        self.make(Handled)
        self.assertEqual(Phase.INVALID, self.state())
        [why] = self.ipopo.get_instance_details("a")["why"]
        self.assertIn("Noting", why)
        self.successResultOf(self.framework.stop())
        self.assertTrue(self.failures())

    def test_not_made(self) -> None:
        """A component whose handler cannot be made is refused with the reason, and its name is
        free."""
        self.contribute("get_handlers")
        error = self.assertRaises(NotConstructed, self.make, Handled)
        self.assertIn("handler test.handled cannot be made: ValueError: no luck", str(error))
        self.assertFalse(self.ipopo.is_registered_instance("a"))
        self.assertHeard()

    def test_nothing_to_make_them(self) -> None:
        """What makes handlers may come from a factory that fails: those who need them wait, and
        the others live, even if it was there before all of them."""

        class Torn:
            def get_service(self, bundle: Any, registration: Any) -> Any:
                raise ValueError("torn")

            def unget_service(self, bundle: Any, registration: Any) -> None: ...

        given = {HANDLER_ID: "test.handled"}
        self.context.register_service(SERVICE_HANDLER_FACTORY, Torn(), given, factory=True)
        self.make(Handled)
        self.assertEqual([("a", "handled", {"test.handled"})], self.ipopo.get_waiting_components())
        bundle = self.framework.get_bundle_by_name("pop.components.ipopo")
        assert bundle is not None
        self.successResultOf(bundle.stop())
        self.assertTrue(self.successResultOf(bundle.start()))
        self.assertEqual(2, len(self.flushLoggedErrors(FactoryFailed)))

    def test_others_stay(self) -> None:
        """What others have given the component stays when one of its handlers cannot be made."""
        self.make(Handled)
        component, other = self.ipopo.component("a"), Handler()
        component.handlers.append(other)
        self.contribute("get_handlers")
        self.assertEqual([other], component.handlers)

    def test_killed_by_another(self) -> None:
        """Of two that wait for a handler, the one that becomes valid first may kill the other, and
        that is never started."""

        class Killer:
            def handle_ipopo_event(it, event: IPopoEvent) -> None:
                if event.kind is Kind.VALIDATED:
                    self.kill("b")

        self.make(Handled)
        self.make(Handled, "b")
        self.ipopo.add_listener(Killer())
        self.contribute()
        self.assertHeard(
            *("INSTANTIATED a", "INSTANTIATED b", "VALIDATED a", "KILLED b"),
        )
        self.assertEqual(["a"], [name for name, _, _ in self.ipopo.get_instances()])

    def test_killed_when_made(self) -> None:
        """One that is killed as soon as it is told of does not wait for its handler, nor is it
        started."""

        class Killer:
            def handle_ipopo_event(it, event: IPopoEvent) -> None:
                if event.kind is Kind.INSTANTIATED:
                    self.kill()

        self.ipopo.add_listener(Killer())
        self.make(Handled)
        self.assertEqual([], self.ipopo.get_waiting_components())
        self.contribute()
        self.make(Handled)
        self.assertNotIn("start", self.seen)

    def test_not_made_later(self) -> None:
        """One that has waited for it waits on, until another makes it; so does one whose handler
        is replaced by one that cannot be made."""
        waiting = [("a", "handled", set[str]())]
        self.make(Handled)
        bad = self.contribute("get_handlers")
        self.assertEqual(waiting, self.ipopo.get_waiting_components())
        bad.unregister()
        good = self.contribute()
        self.assertEqual(Phase.VALID, self.state())
        self.assertEqual([], self.ipopo.get_waiting_components())
        self.contribute("get_handlers")
        good.unregister()
        self.assertEqual(waiting, self.ipopo.get_waiting_components())
        self.kill()
        self.assertEqual([], self.ipopo.get_waiting_components())
