"""Whatever happens to components, in whatever order, they end where they should be."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from pop.components import (
    Bind,
    ComponentFactory,
    Invalidate,
    Property,
    Provides,
    Requires,
    RequiresBest,
    RequiresBroadcast,
    RequiresMap,
    RequiresVarFilter,
    Unbind,
    Validate,
)
from pop.components.container import SERVICE_IPOPO, Container
from pop.components.framework import Framework
from pop.components.life import Phase, Wish
from pop.components.reference import ServiceReference
from pop.components.registry import ServiceRegistration
from pop.test.frameworks import Thing

REQUIREMENTS: dict[str, Any] = {
    "simple": Requires("it", "spec", spec_filter="(k>=1)"),
    "immediate": Requires("it", "spec", spec_filter="(k>=1)", immediate_rebind=True),
    "optional": Requires("it", "spec", optional=True),
    "best": RequiresBest("it", "spec"),
    "patient": RequiresBest("it", "spec", immediate_rebind=False, spec_filter="(k>=1)"),
    "all": Requires("it", "spec", aggregate=True),
    "any": Requires("it", "spec", aggregate=True, optional=True),
    "map": RequiresMap("it", "spec", "k"),
    "lists": RequiresMap("it", "spec", "k", aggregate=True),
    "broadcast": RequiresBroadcast("it", "spec", optional=False),
    "variable": RequiresVarFilter("it", "spec", spec_filter="(k={want})"),
}


class Watched:
    """Notes what it is called with, and finds fault with it; may be slow."""

    slow = False

    def __init__(self) -> None:
        self.valid = False
        self.bound: list[ServiceReference] = []
        self.waiting: Deferred[None] | None = None

    def _call(self) -> "Deferred[None] | None":
        assert self.waiting is None, "two callbacks overlap"
        if not self.slow:
            return None
        self.waiting = Deferred()
        return self.waiting

    @Bind
    def bind(self, service: Any, reference: ServiceReference) -> "Deferred[None] | None":
        """It is bound once."""
        assert reference not in self.bound
        self.bound.append(reference)
        return self._call()

    @Unbind
    def unbind(self, service: Any, reference: ServiceReference) -> "Deferred[None] | None":
        """What is let go was bound."""
        self.bound.remove(reference)
        return self._call()

    @Validate
    def validate(self, context: Any) -> "Deferred[None] | None":
        """Both alternate."""
        assert not self.valid
        self.valid = True
        return self._call()

    @Invalidate
    def invalidate(self, context: Any) -> "Deferred[None] | None":
        """Both alternate."""
        assert self.valid
        self.valid = False
        return self._call()


def factory(kind: str, slow: bool) -> Any:
    """A component class with one requirement, which provides something."""
    cls = type("Made", (Watched,), {"slow": slow, "it": None})
    cls = Provides(f"of.{kind}")(Property("want", value=1)(REQUIREMENTS[kind](cls)))
    return ComponentFactory(f"{kind}-{slow}")(cls)


@dataclass
class World:
    """A framework in which anything may happen."""

    def __post_init__(self) -> None:
        self.framework = Framework({}, clock=Clock(), environment={}, call_timeout=0)
        self.framework.install_bundle("pop.components.ipopo")
        self.framework.start()
        self.context = self.framework.get_bundle_context()
        reference = self.context.get_service_reference(SERVICE_IPOPO)
        assert reference is not None
        self.ipopo: Container = self.context.get_service(reference)
        self.offers: list[ServiceRegistration] = []
        self.made: dict[str, Watched] = {}
        for kind in REQUIREMENTS:
            for slow in (False, True):
                self.ipopo.register_factory(self.context, factory(kind, slow))

    def register(self, k: int, ranking: int, which: int) -> None:
        """Something new is there."""
        given = {"k": k, "service.ranking": ranking}
        self.offers.append(self.context.register_service("spec", Thing(), given))

    def unregister(self, k: int, ranking: int, which: int) -> None:
        """Something goes."""
        if self.offers:
            self.offers.pop(which % len(self.offers)).unregister()

    def change(self, k: int, ranking: int, which: int) -> None:
        """Something has other properties."""
        if self.offers:
            given = {"k": k, "service.ranking": ranking}
            self.offers[which % len(self.offers)].set_properties(given)

    def make(self, k: int, ranking: int, which: int) -> None:
        """A new component."""
        kind = list(REQUIREMENTS)[which % len(REQUIREMENTS)]
        name = f"{kind}-{len(self.made)}"
        self.made[name] = self.ipopo.instantiate(f"{kind}-{bool(k)}", name)

    def kill(self, k: int, ranking: int, which: int) -> None:
        """A component goes."""
        if living := list(self.ipopo.components):
            self.ipopo.kill(living[which % len(living)])

    def hold(self, k: int, ranking: int, which: int) -> None:
        """A component is to be invalid."""
        if living := list(self.ipopo.components):
            self.ipopo.invalidate(living[which % len(living)])

    def retry(self, k: int, ranking: int, which: int) -> None:
        """It may be valid again."""
        if living := list(self.ipopo.components):
            self.ipopo.retry_erroneous(living[which % len(living)])

    def want(self, k: int, ranking: int, which: int) -> None:
        """A property that a filter depends on changes."""
        if living := list(self.ipopo.components):
            self.ipopo.reconfigure(living[which % len(living)], {"want": k})

    def end(self, k: int, ranking: int, which: int) -> bool:
        """A callback that is under way ends."""
        waiting = [made for made in self.made.values() if made.waiting is not None]
        if waiting:
            made = waiting[which % len(waiting)]
            deferred, made.waiting = made.waiting, None
            assert deferred is not None
            deferred.callback(None)
        return bool(waiting)

    # What should be

    def expected(self, name: str) -> list[ServiceReference]:
        """All that matches the requirement of a component, by looking at each."""
        kind = name.rpartition("-")[0]
        want = self.ipopo.component(name).properties["want"]
        found = [offer.get_reference() for offer in self.offers]
        if kind in ("simple", "immediate", "patient"):
            found = [one for one in found if one.get_property("k") >= 1]
        if kind == "variable":
            found = [one for one in found if one.get_property("k") == want]
        return sorted(found)

    def check(self, name: str) -> None:
        """That a component is where it should be."""
        component, made = self.ipopo.component(name), self.made[name]
        [dependency] = component.dependencies
        bound, expected = dependency.bindings(), self.expected(name)
        assert sorted(bound) == sorted(made.bound), (name, bound, made.bound)
        assert set(bound) <= set(expected), (name, bound, expected)
        optional = dependency.requirement.optional
        met = optional or bool(expected)
        valid = met and component.life.wish is Wish.RUN
        assert component.state is (Phase.VALID if valid else Phase.INVALID), (
            name,
            component.life,
            bound,
            expected,
        )
        assert made.valid is valid
        kind = name.rpartition("-")[0]
        if kind in ("best", "patient"):
            assert bound == expected[:1], (name, bound, expected)
        elif kind in ("all", "any", "lists", "broadcast"):
            assert bound == expected, (name, bound, expected)
        elif kind == "map":
            assert {one.get_property("k") for one in bound} == {
                one.get_property("k") for one in expected
            }
            assert len(made.it) == len(bound)  # type: ignore[attr-defined]
        else:
            assert len(bound) == min(1, len(expected)), (name, bound, expected)
        offered = self.context.get_service_references(f"of.{kind}")
        names = [one.get_property("instance.name") for one in offered]
        assert (name in names) is valid

    def settle(self) -> None:
        """End all callbacks, and look at all components."""
        while self.end(0, 0, 0):
            pass
        for name in self.ipopo.components:
            self.check(name)


DEEDS: tuple[Callable[[World, int, int, int], Any], ...] = (
    *[World.register, World.unregister, World.change] * 2,
    *[World.make, World.end] * 2,
    *[World.kill, World.hold, World.retry, World.want],
)


class StoriesTests(SynchronousTestCase):
    """Many random stories."""

    @settings(max_examples=150, deadline=None)
    @given(
        st.lists(
            st.tuples(
                st.sampled_from(range(len(DEEDS))),
                st.integers(0, 2),
                st.integers(-1, 1),
                st.integers(0, 10),
                st.booleans(),
            ),
            max_size=60,
        )
    )
    def test_any_story(self, story: list[tuple[int, int, int, int, bool]]) -> None:
        """Once all callbacks have ended, each component is valid exactly if it should be, bound to
        what it should be by looking at every registration, and registered exactly while valid; no
        two of its callbacks overlapped; and it can be gone."""
        world = World()
        for deed, k, ranking, which, settled in story:
            DEEDS[deed](world, k, ranking, which)
            if settled:
                world.settle()
        world.settle()
        stopped = world.framework.stop()
        while world.end(0, 0, 0):
            pass
        self.successResultOf(stopped)
        self.assertEqual({}, world.ipopo.components)
        self.assertEqual([], [made for made in world.made.values() if made.valid or made.bound])
