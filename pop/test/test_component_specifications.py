"""Classes that stand for other names than their own."""

from typing import Any, Protocol, TypeVar

from zope.interface import Interface

from pop.components import Provides, Requires, Specification
from pop.components.decorators import ComponentFactory
from pop.components.errors import BadSpecification
from pop.components.specifications import all_names, names
from pop.test.frameworks import FrameworkTestCase


class IThing(Interface):
    """Something."""


class Plain:
    """A class that is known by its own name."""


@Specification("a", "b")
class Named(Plain):
    """Two names."""


@Specification("c", Plain, ["a", IThing])
class More(Named):
    """More names, some of them twice."""


class Further(More):
    """A class of its own again."""


T_co = TypeVar("T_co", covariant=True)


@Specification("box")
class Box(Protocol[T_co]):
    """What a type checker knows more of."""


@Specification("d", ignore_parent=True)
class Alone(More):
    """One name, and nothing of its bases."""


@Specification("e")
class AfterAlone(Alone):
    """What comes of that."""


HERE = __name__
PLAIN, THING, FURTHER = f"{HERE}.Plain", f"{HERE}.IThing", f"{HERE}.Further"


class NamesTests(FrameworkTestCase):
    """What a class stands for."""

    def test_asked(self) -> None:
        """Who asks for a class asks for all its names, and those of its bases, each once."""
        for kind, expected in (
            (Plain, [PLAIN]),
            (Named, ["a", "b"]),
            (More, ["c", PLAIN, "a", THING, "b"]),
            (Further, [FURTHER]),
            (Alone, ["d"]),
            (AfterAlone, ["e", "d"]),
            ([Named, "b", "z"], ["a", "b", "z"]),
        ):
            self.assertEqual(tuple(expected), names(kind))

    def test_registered(self) -> None:
        """What is registered under a class is found under all that it and its bases stand for."""
        for kind, expected in (
            (Named, {"a", "b", PLAIN}),
            (Further, {FURTHER, "c", PLAIN, "a", THING, "b"}),
            (Alone, {"d"}),
            (AfterAlone, {"e", "d"}),
        ):
            self.assertEqual(expected, set(all_names(kind)))

    def test_typing(self) -> None:
        """What makes a class a protocol, or a generic one, is no name for anything."""
        self.assertEqual(("box",), all_names(Box))

    def test_foreign(self) -> None:
        """The names are where iPOPO has them."""
        kind: Any = Named
        self.assertEqual(("a", "b"), kind.__SPECIFICATION__)

    def test_refused(self) -> None:
        """A class without a name, one that is none, and names for what is no class are refused."""
        for given in ((), (5,), ("",), ("a(b",)):
            self.assertRaises(BadSpecification, Specification, *given)
        decorator: Any = Specification("a")
        self.assertRaises(BadSpecification, decorator, IThing)

    def test_lookup(self) -> None:
        """A class of several names finds what has all of them, and only that."""
        self.context.register_service("a", object())
        both = self.context.register_service(["a", "b"], object()).reference
        further = self.context.register_service(Further, Further()).reference
        self.assertEqual([both, further], self.context.get_all_service_references(Named))
        self.assertEqual([further], self.context.get_all_service_references(More))
        self.assertEqual([further], self.context.get_all_service_references(IThing))

    def test_components(self) -> None:
        """Components may provide and require such a class, by its annotation, too."""

        @ComponentFactory("giver")
        @Provides(Named)
        class Giver(Named):
            pass

        @ComponentFactory("taker")
        @Requires("one", Named)
        @Requires("other")
        @Requires("any_", Named, match_any=True)
        class Taker:
            other: Named

        taker = self.make(Taker, "taker")
        self.context.register_service("a", "only a")
        self.assertEqual(("only a", "INVALID"), (taker.any_, self.state("taker").name))
        giver = self.make(Giver, "giver")
        self.assertEqual((giver, giver), (taker.one, taker.other))
        self.assertEqual("VALID", self.state("taker").name)
