"""What is injected, by kind of requirement: one, all, the best."""

from typing import Any

from zope.interface import Interface, implementer

from pop.components import (
    Bind,
    ComponentFactory,
    Property,
    Provides,
    Requires,
    RequiresBest,
    RequiresVarFilter,
)
from pop.components.life import Phase
from pop.test.frameworks import FrameworkTestCase, Thing
from pop.test.talkers import Talker

BACK = ("INVALIDATED a", "UNBOUND a", "BOUND a", "VALIDATED a")
SWAPPED = ("UNBOUND a", "BOUND a")


def requiring(decorator: Any) -> Any:
    """A component class whose field C{it} is required as said."""

    return ComponentFactory("requiring")(decorator(type("Requiring", (Talker,), {"it": None})))


class Base(FrameworkTestCase):
    """Has one component, and hears what becomes of it."""

    def require(self, decorator: Any, **given: Any) -> Any:
        """The component with that requirement of the field C{it}."""
        it = self.make(requiring(decorator), **given)
        self.listener.take()
        return it


class IBase(Interface):
    """Something."""


class IMore(IBase):
    """Something more."""


class SimpleTests(Base):
    """The first that matches."""

    def test_reluctant(self) -> None:
        """What is bound stays, whatever better comes."""
        self.offer(service=(first := Thing()))
        it = self.require(Requires("it", "spec"))
        self.offer(service_ranking=100)
        self.assertIs(first, it.it)
        self.assertHeard()

    def test_rebound(self) -> None:
        """When it goes and another is there, the component is invalid in between."""
        first = self.offer()
        it = self.require(Requires("it", "spec"))
        self.offer(service=(other := Thing()))
        first.unregister()
        self.assertHeard(*BACK)
        self.assertIs(other, it.it)

    def test_immediately(self) -> None:
        """Unless that is not asked for."""
        first = self.offer()
        it = self.require(Requires("it", "spec", immediate_rebind=True))
        other = self.offer(service=(thing := Thing()))
        first.unregister()
        self.assertHeard(*SWAPPED)
        self.assertIs(thing, it.it)
        other.unregister()
        self.assertHeard("INVALIDATED a", "UNBOUND a")

    def test_filter(self) -> None:
        """What matches no more goes, the best of the others comes; what matches now is bound."""
        first = self.offer(a=1)
        it = self.require(Requires("it", "spec", spec_filter="(a=1)"))
        self.offer(a=1)
        self.offer(service=(best := Thing()), a=1, service_ranking=5)
        first.set_properties({"a": 2})
        self.assertHeard(*BACK)
        self.assertIs(best, it.it)

    def test_matching_later(self) -> None:
        """Something registered long ago is bound once its properties match."""
        thing = self.offer(a=2)
        self.require(Requires("it", "spec", spec_filter="(a=1)"))
        self.assertEqual(Phase.INVALID, self.state())
        thing.set_properties({"a": 1})
        self.assertHeard("BOUND a", "VALIDATED a")

    def test_own_filter(self) -> None:
        """A component may be given a filter of its own; one that cannot be read counts for
        nothing."""
        self.offer(a=1)
        second = self.offer(a=2)
        kind = requiring(Requires("it", "spec", spec_filter="(a=1)"))
        self.make(kind, requires__filters={"it": "(a=2)"})
        self.make(kind, "b", requires__filters={"it": "(a="})
        binding = self.ipopo.get_instance_details("a")["dependencies"]["it"]["bindings"]
        self.assertEqual([second.get_reference()], binding)
        self.assertEqual(Phase.VALID, self.state("b"))
        self.assertEqual(
            "(a=1)", self.ipopo.get_instance_details("b")["dependencies"]["it"]["filter"]
        )
        self.flushLoggedErrors()

    def test_optional(self) -> None:
        """Without it the component is valid; it comes and goes, and may be replaced."""
        it = self.require(Requires("it", "spec", optional=True))
        self.assertEqual((Phase.VALID, None), (self.state(), it.it))
        first = self.offer()
        self.assertHeard("BOUND a")
        self.offer()
        first.unregister()
        self.assertHeard(*SWAPPED)

    def test_optional_at_first(self) -> None:
        """What is there already is bound before the component becomes valid."""
        self.offer()
        self.make(requiring(Requires("it", "spec", optional=True)))
        self.assertHeard("INSTANTIATED a", "BOUND a", "VALIDATED a")

    def test_several_names(self) -> None:
        """All of several specifications are needed, each said once or more."""
        self.require(Requires("it", ["spec", "other", "spec"]))
        self.offer()
        self.assertEqual(Phase.INVALID, self.state())
        self.offer(["other", "spec"])
        self.assertEqual(Phase.VALID, self.state())
        details = self.ipopo.get_instance_details("a")["dependencies"]["it"]
        self.assertEqual(
            (["spec", "other"], False), (details["specifications"], details["match_any"])
        )

    def test_any_name(self) -> None:
        """Any of several is enough if that is said, with a filter or without."""
        for filter in (None, "(a=1)"):
            self.require(Requires("it", ["spec", "other"], match_any=True, spec_filter=filter))
            offers = [self.offer("another", a=1)]
            self.assertEqual(Phase.INVALID, self.state())
            offers.append(self.offer("other", a=2))
            self.assertEqual(Phase.INVALID if filter else Phase.VALID, self.state())
            offers.append(self.offer("other", a=1))
            self.assertEqual(Phase.VALID, self.state())
            details = self.ipopo.get_instance_details("a")["dependencies"]["it"]
            self.assertEqual(
                (["spec", "other"], True), (details["specifications"], details["match_any"])
            )
            self.successResultOf(self.ipopo.unregister_factory("requiring"))
            for offer in offers:
                offer.unregister()

    def test_interfaces(self) -> None:
        """Something more is good where something is required."""

        @implementer(IMore)
        class More:
            pass

        it = self.require(Requires("it", IBase))
        self.offer(IMore, more := More())
        self.assertIs(more, it.it)

    def test_two_fields(self) -> None:
        """Of two fields that something is good for, each hears of it."""

        @ComponentFactory()
        @Requires("one", "spec")
        @Requires("two", "spec")
        class Two(Talker):
            @Bind
            def bind(self, it: Any, reference: Any) -> None:
                self.said.append("bind")

        two = self.make(Two)
        self.offer()
        self.assertEqual(["bind", "bind"], two.take())

    def test_never_itself(self) -> None:
        """A component is not given itself; two of a kind are given each other. (iPOPO's is.)"""

        @ComponentFactory()
        @Provides("self")
        @Requires("one", "self", optional=True)
        @Requires("all", "self", optional=True, aggregate=True)
        class Self:
            one: Any
            all: Any

        first = self.make(Self)
        self.assertEqual((None, None), (first.one, first.all))
        second = self.make(Self, "b")
        self.assertEqual((second, [second]), (first.one, first.all))
        self.assertEqual((first, [first]), (second.one, second.all))

    def test_factory_and_prototype(self) -> None:
        """From a prototype each component gets an object of its own, and gives it back. (iPOPO's
        does not.)"""

        class Prototype:
            def __init__(self) -> None:
                self.given: list[Thing] = []

            def get_service(self, bundle: Any, registration: Any) -> Thing:
                self.given.append(Thing())
                return self.given[-1]

            def unget_service_instance(self, bundle: Any, registration: Any, it: Thing) -> None:
                self.given.remove(it)

            def unget_service(self, bundle: Any, registration: Any) -> None: ...

        prototype = Prototype()
        self.context.register_service("spec", prototype, {}, prototype=True)
        kind = requiring(Requires("it", "spec"))
        one, two = self.make(kind), self.make(kind, "b")
        self.assertEqual([one.it, two.it], prototype.given)
        self.assertIsNot(one.it, two.it)
        self.kill()
        self.assertEqual([two.it], prototype.given)


class BestTests(Base):
    """The best that matches."""

    def test_better(self) -> None:
        """A better one replaces it; one as good, or worse, does not."""
        self.offer(service=(first := Thing()), service_ranking=5)
        it = self.require(RequiresBest("it", "spec"))
        self.offer(service_ranking=5)
        self.offer(service_ranking=4)
        self.assertIs(first, it.it)
        self.assertHeard()
        self.offer(service=(better := Thing()), service_ranking=6)
        self.assertIs(better, it.it)
        self.assertHeard(*SWAPPED)

    def test_ranking(self) -> None:
        """When a ranking changes, what is best may; if it does not, nothing happens."""
        first = self.offer(service=(one := Thing()), service_ranking=5)
        second = self.offer(service=(two := Thing()), service_ranking=2)
        it = self.require(RequiresBest("it", "spec"))
        first.set_properties({"service.ranking": 3})
        self.assertHeard()
        second.set_properties({"service.ranking": 4})
        self.assertIs(two, it.it)
        second.set_properties({"service.ranking": 2})
        self.assertIs(one, it.it)
        self.assertHeard(*SWAPPED, *SWAPPED)

    def test_not_immediately(self) -> None:
        """It may be asked that the component is invalid in between."""
        first = self.offer()
        self.require(RequiresBest("it", "spec", immediate_rebind=False))
        better = self.offer(service_ranking=1)
        self.assertHeard(*BACK)
        better.unregister()
        self.assertHeard(*BACK)
        first.unregister()
        self.assertHeard("INVALIDATED a", "UNBOUND a")

    def test_optional(self) -> None:
        """It may be missing."""
        it = self.require(RequiresBest("it", "spec", optional=True))
        self.offer().unregister()
        self.assertHeard("BOUND a", "UNBOUND a")
        self.assertIsNone(it.it)


class AggregateTests(Base):
    """All that match."""

    def test_required(self) -> None:
        """The component is valid from the first to the last."""
        it = self.require(Requires("it", "spec", aggregate=True))
        one = self.offer(service=(first := Thing()))
        self.assertHeard("BOUND a", "VALIDATED a")
        two = self.offer(service=(second := Thing()))
        self.assertEqual([first, second], it.it)
        one.unregister()
        self.assertEqual([second], it.it)
        self.assertHeard("BOUND a", "UNBOUND a")
        two.unregister()
        self.assertHeard("INVALIDATED a", "UNBOUND a")
        self.assertIsNone(it.it)

    def test_optional(self) -> None:
        """If there may be none, nothing makes the component invalid; for none there is C{None}."""
        it = self.require(Requires("it", "spec", aggregate=True, optional=True))
        self.assertIsNone(it.it)
        thing = self.offer(service=(first := Thing()))
        self.assertEqual([first], it.it)
        thing.unregister()
        self.assertIsNone(it.it)
        self.assertHeard("BOUND a", "UNBOUND a")

    def test_order(self) -> None:
        """They are in the order of their ranking, always. (iPOPO's are in that of arrival.)"""
        it = self.require(Requires("it", "spec", aggregate=True))
        last = self.offer(service=Thing("0"))
        self.offer(service=Thing("2"), service_ranking=2)
        self.offer(service=Thing("1"), service_ranking=1)
        self.assertEqual(["2", "1", "0"], [thing.name for thing in it.it])
        before = it.it
        last.set_properties({"service.ranking": 3})
        self.assertEqual(["0", "2", "1"], [thing.name for thing in it.it])
        self.assertEqual(["2", "1", "0"], [thing.name for thing in before])

    def test_filter(self) -> None:
        """They come and go as their properties do or do not match."""
        it = self.require(Requires("it", "spec", aggregate=True, spec_filter="(a>=2)"))
        one, two = self.offer(a=1), self.offer(a=2)
        self.assertEqual(1, len(it.it))
        one.set_properties({"a": 10})
        self.assertEqual(2, len(it.it))
        two.set_properties({"a": 1})
        self.assertEqual(1, len(it.it))
        self.assertEqual(Phase.VALID, self.state())


class VariableTests(Base):
    """A filter that depends on properties."""

    def variable(self, **given: Any) -> Any:
        """A component that requires what has its own property C{want}."""

        def decorate(cls: type) -> type:
            return Property("want", value=1)(
                RequiresVarFilter("it", "spec", spec_filter="(a={want})", **given)(cls)
            )

        return self.require(decorate)

    def test_changed(self) -> None:
        """With the property changes what is injected; if it is the same, nothing happens."""
        one, two = Thing("1"), Thing("2")
        self.offer(service=one, a=1)
        self.offer(service=two, a=2)
        it = self.variable()
        self.assertIs(one, it.it)
        it.want = "1"
        self.assertHeard()
        it.want = 2
        self.assertHeard(*BACK)
        self.assertIs(two, it.it)
        it.want = 3
        self.assertHeard("INVALIDATED a", "UNBOUND a")
        it.want = 1
        self.assertHeard("BOUND a", "VALIDATED a")
        self.assertIs(one, it.it)

    def test_immediately(self) -> None:
        """It may be replaced at once."""
        self.offer(a=1)
        self.offer(a=2)
        it = self.variable(immediate_rebind=True)
        it.want = 2
        self.assertHeard(*SWAPPED)

    def test_nonsense(self) -> None:
        """A value that makes no filter makes the component invalid, until another does."""
        for optional in (False, True):
            self.offer(a=1)
            it = self.variable(optional=optional)
            self.assertEqual(Phase.VALID, self.state())
            it.want = "("
            self.assertEqual((Phase.INVALID, None), (self.state(), it.it))
            it.want = 1
            self.assertEqual(Phase.VALID, self.state())
            self.successResultOf(self.ipopo.unregister_factory("requiring"))

    def test_aggregate(self) -> None:
        """All that match now."""
        for a in (1, 1, 2):
            self.offer(a=a)
        it = self.variable(aggregate=True)
        self.assertEqual(2, len(it.it))
        it.want = 2
        self.assertEqual(1, len(it.it))
        it.want = "*"
        self.assertEqual(3, len(it.it))
        it.want = 3
        self.assertIsNone(it.it)

    def test_missing(self) -> None:
        """A property that is not there makes no filter, until it is."""
        self.offer(a=1)
        it = self.make(requiring(RequiresVarFilter("it", "spec", spec_filter="(a={want})")))
        self.assertEqual(Phase.INVALID, self.state())
        self.ipopo.reconfigure("a", {"want": 1})
        self.assertEqual(Phase.VALID, self.state())
        self.assertIsNotNone(it.it)
