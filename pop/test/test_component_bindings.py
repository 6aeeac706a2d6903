"""What is bound of offers that are odd."""

from collections.abc import Callable
from typing import Any

from pop.components import (
    Bind,
    ComponentFactory,
    Property,
    Requires,
    RequiresBest,
    RequiresBroadcast,
    RequiresMap,
    RequiresVarFilter,
    Temporal,
    Unbind,
    Update,
    UpdateField,
)
from pop.components.errors import FactoryFailed
from pop.components.life import Phase
from pop.test.frameworks import FrameworkTestCase, Thing
from pop.test.talkers import Talker
from pop.test.test_component_requires import Base, requiring
from pop.test.test_components import BundlesTestCase


def every_kind() -> tuple[Callable[[type], type], ...]:
    """Give a requirement of each kind that there is, all on the same field."""
    return (
        Requires("it", "spec"),
        Requires("it", "spec", aggregate=True),
        RequiresBest("it", "spec"),
        RequiresMap("it", "spec", "key"),
        RequiresBroadcast("it", "spec"),
        RequiresVarFilter("it", "spec", spec_filter="(key=1)"),
        Temporal("it", "spec"),
    )


class Broken:
    """A factory that makes nothing until it is mended."""

    mended = False

    def get_service(self, bundle: Any, registration: Any) -> Any:
        """Something, once it is mended."""
        if not self.mended:
            raise ValueError("broken")
        return Thing("made")

    def unget_service(self, bundle: Any, registration: Any) -> None:
        """Nothing."""


class Prototype:
    """Makes an object for each use, and has those that are not given back."""

    def __init__(self) -> None:
        self.used: list[Thing] = []

    def get_service(self, bundle: Any, registration: Any) -> Thing:
        """One more."""
        self.used.append(Thing(f"made {len(self.used)}"))
        return self.used[-1]

    def unget_service_instance(self, bundle: Any, registration: Any, thing: Thing) -> None:
        """One less."""
        self.used.remove(thing)

    def unget_service(self, bundle: Any, registration: Any) -> None:
        """None any more."""


class PrototypeTests(Base):
    """Offers of which each component gets an object of its own."""

    def test_every_kind(self) -> None:
        """Whatever the requirement, each component has one object of its own for each offer, and
        gives it back when the offer, or the component, is gone. (iPOPO's gives none back.)"""
        for decorator in every_kind():
            prototype = Prototype()
            given = {"key": 1}
            offer = self.context.register_service("spec", prototype, given, prototype=True)
            self.require(decorator)
            self.make(requiring(decorator), "b")
            self.assertEqual(2, len(prototype.used))
            self.assertEqual((Phase.VALID, Phase.VALID), (self.state(), self.state("b")))
            self.kill("b")
            self.assertEqual(1, len(prototype.used))
            offer.unregister()
            self.assertEqual([], prototype.used)
            self.successResultOf(self.ipopo.unregister_factory("requiring"))

    def test_changed_key(self) -> None:
        """What only has another key, ranking, or other property stays the same object."""
        prototype = Prototype()
        offer = self.context.register_service("spec", prototype, {"key": 1}, prototype=True)
        it = self.require(RequiresMap("it", "spec", "key", aggregate=True))
        for change in ({"key": 2}, {"service.ranking": 5}, {"other": 1}):
            before = prototype.used[:]
            offer.set_properties(change)
            self.assertEqual(before, prototype.used)
        self.assertEqual({2: prototype.used}, it.it)


class OddTests(Base):
    """Offers that give nothing, or something else than they seem to."""

    def test_gives_nothing(self) -> None:
        """A factory that fails is bound to nobody, whatever the requirement; that is logged, and
        the component waits for something better."""
        broken = self.context.register_service("spec", Broken(), {"key": 1}, factory=True)
        for decorator in (
            Requires("it", "spec"),
            RequiresBest("it", "spec"),
            Requires("it", "spec", aggregate=True),
            RequiresMap("it", "spec", "key"),
        ):
            it = self.require(decorator)
            self.assertEqual(Phase.INVALID, self.state())
            self.assertFalse(it.it)
            self.assertEqual(1, len(self.flushLoggedErrors(FactoryFailed)))
            better = self.offer(key=2, service_ranking=1)
            self.assertEqual(Phase.VALID, self.state())
            better.unregister()
            self.flushLoggedErrors(FactoryFailed)
            self.successResultOf(self.ipopo.unregister_factory("requiring"))
        self.assertEqual([], broken.reference.get_using_bundles())

    def test_best_first(self) -> None:
        """All that is there is bound in order, the best first, and let go in that order."""
        for number in range(4):
            self.offer(service=Thing(str(number)), key=number, service_ranking=number % 3)
        for decorator in (
            Requires("it", "spec", aggregate=True),
            RequiresMap("it", "spec", "key"),
            RequiresMap("it", "spec", "key", aggregate=True),
        ):

            @ComponentFactory("ordered")
            @decorator
            class Ordered(Talker):
                @Bind
                def bind(self, thing: Thing, reference: Any) -> None:
                    self.said.append(thing.name)

                @Unbind
                def unbind(self, thing: Thing, reference: Any) -> None:
                    self.said.append(thing.name)

            it = self.make(Ordered)
            self.assertEqual(["2", "1", "0", "3"], it.take())
            self.kill()
            self.assertEqual(["2", "1", "0", "3"], it.take())
            self.successResultOf(self.ipopo.unregister_factory("ordered"))


class ForeignTests(BundlesTestCase):
    """Offers of other bundles."""

    def test_same_name(self) -> None:
        """What another bundle registers may say that it is of a component of the same name, and is
        injected all the same: it may have come from far away."""
        bundle = self.bundle("foreign_bundle", "")
        thing = Thing()
        bundle.get_bundle_context().register_service("spec", thing, {"instance.name": "a"})
        it = self.make(requiring(Requires("it", "spec")))
        self.assertIs(thing, it.it)


class VariableTests(Base):
    """A filter that changes."""

    def test_still_matches(self) -> None:
        """What matches the new filter as it did the old stays, and nothing is let go."""

        @ComponentFactory("wanting")
        @Property("want", value=1)
        @RequiresVarFilter("one", "spec", spec_filter="(a>={want})")
        @RequiresVarFilter("all", "spec", spec_filter="(a>={want})", aggregate=True)
        class Wanting:
            want: Any
            one: Any
            all: Any

        things = [Thing(str(number)) for number in range(3)]
        for number, thing in enumerate(things):
            self.offer(service=thing, a=3 - number)
        it = self.make(Wanting)
        self.listener.take()
        it.want = 2
        self.assertHeard("UNBOUND a")
        self.assertEqual((things[0], things[:2]), (it.one, it.all))
        it.want = 0
        self.assertHeard("BOUND a")
        self.assertEqual((things[0], things), (it.one, it.all))

    def test_comes_later(self) -> None:
        """After a change what comes is looked at with the new filter, and with the old no more."""

        @ComponentFactory("wanting")
        @Property("want", value=1)
        @RequiresVarFilter("one", "spec", spec_filter="(a={want})", optional=True)
        @RequiresVarFilter("all", "spec", spec_filter="(a={want})", optional=True, aggregate=True)
        class Wanting:
            want: Any
            one: Any
            all: Any

        it = self.make(Wanting)
        it.want = 2
        self.offer(a=1)
        self.assertEqual((None, None), (it.one, it.all))
        self.offer(service=(thing := Thing()), a=2)
        self.assertEqual((thing, [thing]), (it.one, it.all))

    def test_nonsense(self) -> None:
        """Of several a value that makes no filter leaves none, and the component is invalid, though
        there may be none."""
        for optional in (False, True):

            def decorate(cls: type, optional: bool = optional) -> type:
                required = RequiresVarFilter(
                    "it", "spec", spec_filter="(a={want})", aggregate=True, optional=optional
                )
                return Property("want", value=1)(required(cls))

            thing = self.offer(a=1)
            it = self.require(decorate)
            self.assertEqual((Phase.VALID, 1), (self.state(), len(it.it)))
            it.want = "("
            self.assertEqual((Phase.INVALID, None), (self.state(), it.it))
            it.want = 1
            self.assertEqual((Phase.VALID, 1), (self.state(), len(it.it)))
            thing.unregister()
            self.successResultOf(self.ipopo.unregister_factory("requiring"))


class UpdateTests(FrameworkTestCase):
    """What is bound has other properties."""

    def test_every_kind(self) -> None:
        """Whatever the requirement, the component is told, with what they were before, and in the
        end that it goes. (In iPOPO not of changes in a broadcast.)"""
        for decorator in every_kind():

            @ComponentFactory("updated")
            @decorator
            class Updated(Talker):
                @Update
                def update(self, thing: Any, reference: Any, old: Any) -> None:
                    self.said.append(f"from {old['n']} to {reference.get_property('n')}")

                @Unbind
                def unbind(self, thing: Any, reference: Any) -> None:
                    self.said.append(f"without {thing}")

                @UpdateField("it")
                def field(self, field: str, thing: Any, reference: Any, old: Any) -> None:
                    self.said.append(field)

            updated = self.make(Updated)
            thing = self.offer(key=1, n=1)
            thing.set_properties({"n": 2})
            self.assertEqual(["it", "from 1 to 2"], updated.take())
            thing.unregister()
            self.clock.advance(10)
            self.assertEqual(["without <spec>"], updated.take())
            self.successResultOf(self.ipopo.unregister_factory("updated"))
