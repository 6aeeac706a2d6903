"""What is bound of offers that are odd."""

from typing import Any

from pop.components import (
    ComponentFactory,
    Requires,
    RequiresBest,
    RequiresBroadcast,
    RequiresMap,
    RequiresVarFilter,
    Temporal,
    Update,
    UpdateField,
)
from pop.components.errors import FactoryFailed
from pop.components.life import Phase
from pop.test.frameworks import FrameworkTestCase, Thing
from pop.test.talkers import Talker
from pop.test.test_component_requires import Base, requiring
from pop.test.test_components import BundlesTestCase


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


class UpdateTests(FrameworkTestCase):
    """What is bound has other properties."""

    def test_every_kind(self) -> None:
        """Whatever the requirement, the component is told, with what they were before. (In iPOPO
        not of a broadcast.)"""
        for decorator in (
            Requires("it", "spec"),
            Requires("it", "spec", aggregate=True),
            RequiresBest("it", "spec"),
            RequiresMap("it", "spec", "key"),
            RequiresBroadcast("it", "spec"),
            RequiresVarFilter("it", "spec", spec_filter="(key=1)"),
            Temporal("it", "spec"),
        ):

            @ComponentFactory("updated")
            @decorator
            class Updated(Talker):
                @Update
                def update(self, thing: Any, reference: Any, old: Any) -> None:
                    self.said.append(f"from {old['n']} to {reference.get_property('n')}")

                @UpdateField("it")
                def field(self, field: str, thing: Any, reference: Any, old: Any) -> None:
                    self.said.append(field)

            updated = self.make(Updated)
            thing = self.offer(key=1, n=1)
            thing.set_properties({"n": 2})
            self.assertEqual(["it", "from 1 to 2"], updated.take())
            thing.unregister()
            self.successResultOf(self.ipopo.unregister_factory("updated"))
