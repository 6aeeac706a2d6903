"""Components that require one thing in several ways: they learn of it in all of them at once."""

from itertools import permutations
from typing import Any

from pop.components import (
    ComponentFactory,
    Invalidate,
    Requires,
    RequiresBest,
    RequiresMap,
    Validate,
)
from pop.components.life import Phase
from pop.test.frameworks import FrameworkTestCase, Thing

WAYS = (
    Requires("one", "spec"),
    RequiresBest("best", "spec", optional=True),
    Requires("all", "spec", aggregate=True, optional=True),
    RequiresMap("map", "spec", "key", optional=True),
)


class TogetherTests(FrameworkTestCase):
    """One that requires the same in four ways, of which one must be met, whatever their order."""

    def components(self, *ways: Any) -> list[tuple[str, Any]]:
        """One whose requirements are declared in this order; what it has seen."""
        seen: list[tuple[str, Any]] = []

        class Sees:
            one = best = all = map = None

            @Validate
            def validate(self, context: Any) -> None:
                seen.append(("valid", self.fields()))

            @Invalidate
            def invalidate(self, context: Any) -> None:
                seen.append(("invalid", self.fields()))

            def fields(self) -> Any:
                return (self.one, self.best, self.all, self.map)

        cls: type = Sees
        for way in ways:
            cls = way(cls)
        self.make(ComponentFactory("sees")(cls))
        return seen

    def test_any_order(self) -> None:
        """All that it requires, and that is there, is there when it is told that it is valid; and
        what is going is in no field any more when it is told so again. (In iPOPO this depends on
        the order in which the requirements are declared.)"""
        for ways in permutations(WAYS):
            seen = self.components(*ways)
            one, two = Thing("one"), Thing("two")
            first = self.offer("spec", one, key=1)
            self.assertEqual([("valid", (one, one, [one], {1: one}))], seen)
            second = self.offer("spec", two, key=2)
            seen.clear()
            first.unregister()
            before = (one, one, [one, two], {1: one, 2: two})
            after = (two, two, [two], {2: two})
            self.assertEqual([("invalid", before), ("valid", after)], seen)
            second.unregister()
            self.assertEqual(("invalid", after), seen[-1])
            self.successResultOf(self.ipopo.unregister_factory("sees"))

    def test_within(self) -> None:
        """What a listener registers while it is told of something else is there for components as
        soon as that has returned."""
        self.components(*WAYS)
        states: list[Phase] = []

        def listener(event: Any) -> None:
            registration = self.offer()
            states.append(self.state())
            registration.unregister()
            states.append(self.state())

        self.context.add_service_listener(listener, None, "other")
        self.offer("other")
        self.context.remove_service_listener(listener)
        self.assertEqual([Phase.VALID, Phase.INVALID], states)
