"""Components that require each other, slowly: nobody waits for ever."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from pop.components import ComponentFactory, Invalidate, Provides, Requires, Validate
from pop.components.container import SERVICE_IPOPO, Container
from pop.components.framework import Framework
from pop.components.life import Phase

NAMES = "abcd"


class Slow:
    """Takes its time, and notes whether what it requires has ended before it."""

    slow = True
    needed: Any = None
    others: Any = None

    def __init__(self) -> None:
        self.valid = False
        self.waiting: Deferred[None] | None = None

    def _call(self) -> "Deferred[None] | None":
        assert self.waiting is None, "two callbacks overlap"
        if not self.slow:
            return None
        self.waiting = Deferred()
        return self.waiting

    @Validate
    def validate(self, context: Any) -> "Deferred[None] | None":
        """All that is required is there, and valid."""
        assert self.needed.valid if self.needed is not None else True
        self.valid = True
        return self._call()

    @Invalidate
    def invalidate(self, context: Any) -> "Deferred[None] | None":
        """It is still there."""
        assert self.valid
        self.valid = False
        return self._call()


Kind = tuple[str, str, str, bool]
"""What a component provides, requires, and uses if it is there; and whether it is slow."""


def factory(number: int, kind: Kind) -> Any:
    """The class."""
    provides, requires, uses, slow = kind
    cls: Any = type("Made", (Slow,), {"slow": slow, "needed": None, "others": None})
    cls = Provides(provides)(Requires("others", uses, aggregate=True, optional=True)(cls))
    if requires != provides:
        cls = Requires("needed", requires)(cls)
    return ComponentFactory(f"f{number}")(cls)


class World:
    """A framework with some kinds of components."""

    def __init__(self, kinds: list[Kind]) -> None:
        self.kinds = kinds
        self.framework = Framework({}, clock=Clock(), environment={}, call_timeout=0)
        self.framework.install_bundle("pop.components.ipopo")
        self.framework.start()
        context = self.framework.get_bundle_context()
        reference = context.get_service_reference(SERVICE_IPOPO)
        assert reference is not None
        self.ipopo: Container = context.get_service(reference)
        self.made: list[Slow] = []
        for number, kind in enumerate(kinds):
            self.ipopo.register_factory(context, factory(number, kind))

    def make(self, which: int) -> None:
        """One more."""
        name = f"{which % len(self.kinds)}-{len(self.made)}"
        self.made.append(self.ipopo.instantiate(f"f{which % len(self.kinds)}", name))

    def kill(self, which: int) -> None:
        """One less."""
        if living := list(self.ipopo.components):
            self.ipopo.kill(living[which % len(living)])

    def end(self, which: int) -> bool:
        """A callback that is under way ends."""
        waiting = [made for made in self.made if made.waiting is not None]
        if waiting:
            made = waiting[which % len(waiting)]
            deferred, made.waiting = made.waiting, None
            assert deferred is not None
            deferred.callback(None)
        return bool(waiting)

    def end_all(self) -> None:
        """Until nothing is under way any more."""
        for _ in range(10_000):
            if not self.end(0):
                return
        raise AssertionError("this goes on for ever")

    def kind_of(self, name: str) -> Kind:
        """What a component provides and requires."""
        return self.kinds[int(name.partition("-")[0])]

    def should_be_valid(self) -> set[str]:
        """Those whose requirements are met by others, beginning with those that have none."""
        valid: set[str] = set()
        while True:
            more = {
                name
                for name in self.ipopo.components
                if self._is_met(name, valid) and name not in valid
            }
            if not more:
                return valid
            valid |= more

    def _is_met(self, name: str, valid: set[str]) -> bool:
        provides, requires, _, _ = self.kind_of(name)
        return provides == requires or any(self.kind_of(one)[0] == requires for one in valid)


class ChainsTests(SynchronousTestCase):
    """Many random stories."""

    @settings(max_examples=150, deadline=None)
    @given(
        st.lists(st.tuples(*[st.sampled_from(NAMES)] * 3, st.booleans()), min_size=1, max_size=5),
        st.lists(st.tuples(st.sampled_from("makkeee"), st.integers(0, 20)), max_size=50),
    )
    def test_any_story(self, kinds: list[Kind], story: list[tuple[str, int]]) -> None:
        """Once all callbacks have ended, those are valid whose requirements are met, but for those
        that keep each other valid; and when the framework stops, all are gone."""
        world = World(kinds)
        deeds = {"m": world.make, "a": world.make, "k": world.kill, "e": world.end}
        for deed, which in story:
            deeds[deed](which)
        world.end_all()
        states = {name: one.state for name, one in world.ipopo.components.items()}
        self.assertLessEqual(set(states.values()), {Phase.VALID, Phase.INVALID})
        valid = {name for name, state in states.items() if state is Phase.VALID}
        self.assertLessEqual(world.should_be_valid(), valid)
        for name in valid:
            self.assertTrue(world._is_met(name, valid), name)
        stopped = world.framework.stop()
        world.end_all()
        self.successResultOf(stopped)
        self.assertEqual({}, world.ipopo.components)
        self.assertEqual([], [made for made in world.made if made.valid])
