"""Why components are not valid, as people are told."""

from typing import Any

from twisted.internet.defer import Deferred

from pop.components import (
    Bind,
    ComponentFactory,
    PostRegistration,
    Property,
    Provides,
    Requires,
    RequiresVarFilter,
    Validate,
)
from pop.components.life import Phase
from pop.test.frameworks import FrameworkTestCase


class ExplanationTests(FrameworkTestCase):
    """Why a component is not valid can be asked. (iPOPO is silent.)"""

    def why(self, name: str = "a") -> list[str]:
        """The sentences."""
        why: list[str] = self.ipopo.get_instance_details(name)["why"]
        return why

    def component(self, provides: str, requires: str, **given: Any) -> None:
        """A component that provides and requires."""

        @ComponentFactory(provides)
        @Provides(provides)
        @Requires("it", requires, **given)
        class Linked:
            pass

        self.make(Linked, provides)

    def test_missing(self) -> None:
        """What nobody provides is named, with its field; and who would provide it."""
        self.component("a", "b", spec_filter="(x=1)")
        self.assertEqual(["it: nobody provides b with (x=1)"], self.why())
        self.component("c", "a")
        expected = "it: nobody provides a; these would, if they were valid: a (INVALID)"
        self.assertEqual([expected], self.why("c"))

    def test_circle(self) -> None:
        """Components that only wait for each other are named."""
        self.component("a", "b")
        self.component("b", "c")
        self.component("c", "a")
        self.assertEqual({Phase.INVALID}, {self.state(name) for name in "abc"})
        expected = (
            "a requires b (it), and b requires c (it), and c requires a (it): none of them can"
            " become valid before the others"
        )
        self.assertEqual(expected, self.why()[-1])

    def test_no_circle(self) -> None:
        """Those who could be valid without each other are none: something else is missing."""
        self.component("a", "b", spec_filter="(x=1)")
        self.component("b", "a")
        self.assertNotIn("before the others", " ".join(self.why()))
        self.component("d", "e", optional=True)
        self.assertEqual([], self.why("d"))

    def test_held(self) -> None:
        """That it was asked to be invalid is said."""
        self.component("a", "b", optional=True)
        self.ipopo.invalidate("a")
        self.assertEqual(["it was asked to be invalid"], self.why())

    def test_itself(self) -> None:
        """One that only it provides itself is not there for it."""
        self.component("a", "a")
        self.assertEqual(["it: nobody else provides a"], self.why())

    def test_controller(self) -> None:
        """Those are named that could provide it, but whose controllers say that they should not."""

        @ComponentFactory("b")
        @Provides("b", controller="on")
        class Controlled:
            on = False

        self.component("a", "b")
        controlled = self.make(Controlled, "b")
        expected = (
            "it: nobody provides b; these do not at present, as their controllers say: b (VALID)"
        )
        self.assertEqual([expected], self.why())
        controlled.on = True
        self.assertEqual([], self.why())

    def test_no_controller(self) -> None:
        """Nobody's controller is blamed for what is only to be registered after a callback."""
        registered: Deferred[None] = Deferred()

        @ComponentFactory("b")
        @Provides("b")
        @Provides("c")
        class Several:
            @PostRegistration
            def registered(self, reference: Any) -> Any:
                return registered

        self.component("a", "c")
        self.make(Several, "b")
        self.assertEqual(["it: nobody provides c"], self.why())
        registered.callback(None)
        self.assertEqual([], self.why())

    def test_filter(self) -> None:
        """That properties make no filter is said, with what it is made of."""

        @ComponentFactory("a")
        @RequiresVarFilter("it", "b", spec_filter="(x={x})")
        @Property("x", value="(")
        class Varying:
            pass

        self.make(Varying)
        self.assertEqual(["it: its properties make no filter for b of (x={x})"], self.why())

    def test_called(self) -> None:
        """While a callback goes on, it is named: in whatever state that keeps the component."""
        binding: Deferred[None] = Deferred()
        connecting: Deferred[None] = Deferred()

        @ComponentFactory("a")
        @Requires("it", "b")
        class Slow:
            @Bind
            def bound(self, it: Any, reference: Any) -> Any:
                return binding

            @Validate
            def connect(self, context: Any) -> Any:
                return connecting

        self.offer("b")
        self.make(Slow)
        self.assertEqual((Phase.INVALID, ["its bound has not ended yet"]), self.told())
        binding.callback(None)
        self.assertEqual((Phase.VALIDATING, ["its connect has not ended yet"]), self.told())
        connecting.callback(None)
        self.assertEqual((Phase.VALID, []), self.told())

    def told(self) -> tuple[Phase, list[str]]:
        """In which state it is, and why."""
        return self.state("a"), self.why()
