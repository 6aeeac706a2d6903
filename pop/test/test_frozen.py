"""Frozen dataclasses that share their methods do what the standard ones do."""

from dataclasses import FrozenInstanceError, asdict, dataclass, field, fields, replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from pop.frozen import frozen


@frozen
class Ours:
    """A value."""

    name: str
    number: int = 1
    words: list[str] = field(default_factory=list)
    aside: str = field(default="", compare=False)
    secret: str = field(default="", repr=False)


@frozen
class Further(Ours):
    """The same, with one field more."""

    more: int = 0


@frozen
class Nothing:
    """No fields."""


@frozen
class Completed:
    """One that completes itself."""

    words: tuple[str, ...]
    count: int = field(default=0, hash=False)
    aside: list[str] = field(default_factory=list, hash=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "count", len(self.words))


@frozen
class Inheriting(Completed):
    """One that completes itself as its base does."""

    more: int = 0


@dataclass(frozen=True)
class Standard:
    """What L{Ours} would be with the standard decorator."""

    name: str
    number: int = 1
    words: list[str] = field(default_factory=list)
    aside: str = field(default="", compare=False)
    secret: str = field(default="", repr=False)


_TEXT = st.text(max_size=3)
_NAMED = st.fixed_dictionaries(
    {"name": _TEXT},
    optional={"number": st.integers(0, 2), "aside": _TEXT, "secret": _TEXT},
)


class LikeTheStandardOnesTests(SynchronousTestCase):
    """Objects made of the same fields behave the same."""

    @given(_NAMED, _NAMED)
    def test_same(self, one: dict[str, Any], other: dict[str, Any]) -> None:
        """Fields, equality and representation are those of a standard dataclass."""
        self.assertEqual(asdict(Ours(**one)), asdict(Standard(**one)))
        self.assertEqual(Ours(**one) == Ours(**other), Standard(**one) == Standard(**other))
        self.assertEqual(repr(Ours(**one)).partition("(")[2], repr(Standard(**one))[9:])
        self.assertEqual([f.name for f in fields(Ours)], [f.name for f in fields(Standard)])

    def test_by_place(self) -> None:
        """Fields are given by their places, too, and those of a base class come first."""
        self.assertEqual(Further("x", 2, more=3), Further(more=3, number=2, name="x"))
        self.assertEqual(Further("x", 2, [], "", "", 3).more, 3)

    def test_no_default_is_shared(self) -> None:
        """A default that can be changed is made anew for each object."""
        Ours("x").words.append("word")
        self.assertEqual(Ours("x").words, [])

    def test_replaced(self) -> None:
        """C{replace} gives a changed copy."""
        self.assertEqual(replace(Ours("x", 2), name="y"), Ours("y", 2))

    def test_pattern(self) -> None:
        """Fields are found by a pattern's places."""
        match Ours("x", 2):
            case Ours(name, number):
                self.assertEqual((name, number), ("x", 2))

    def test_classes_are_told_apart(self) -> None:
        """Objects of two classes are never equal, whatever their fields."""
        self.assertNotEqual(Ours("x"), Further("x"))
        self.assertNotEqual(Nothing(), ())

    def test_hashed(self) -> None:
        """What is equal has the same hash, so long as its fields have one."""
        self.assertEqual(len({Nothing(), Nothing()}), 1)
        self.assertRaises(TypeError, hash, Ours("x"))

    def test_hashed_by(self) -> None:
        """A field may be left out of the hash, and still tell objects apart."""
        one, other = Completed(("x",), aside=["y"]), Completed(("x",), aside=["z"])
        self.assertEqual(hash(one), hash(other))
        self.assertNotEqual(one, other)
        self.assertNotEqual(hash(one), hash(Completed(("y",))))

    def test_completed(self) -> None:
        """What completes an object does so, also a copy or one of a further class."""
        self.assertEqual(Completed(("x", "y")).count, 2)
        self.assertEqual(replace(Completed(("x", "y")), words=()).count, 0)
        self.assertEqual(Inheriting(("x",), more=1).count, 1)


class RefusedTests(SynchronousTestCase):
    """What is no such object is not made, and what is made is not changed."""

    def refused(self, *given: Any, **named: Any) -> str:
        """Give what is said when one is made so."""
        make: Any = Ours
        return str(self.assertRaises(TypeError, make, *given, **named))

    def test_too_little(self) -> None:
        """A field without default must be given; the first that is not is named."""
        self.assertEqual(self.refused(number=2), "Ours needs the field 'name'")

    def test_too_much(self) -> None:
        """There is one value for a field, and none without a field."""
        wrong = "Ours has 5 fields, each to be given once"
        self.assertEqual(self.refused("x", name="x"), wrong)
        self.assertEqual(self.refused("x", 1, [], "", "", 6), wrong)

    def test_strange(self) -> None:
        """A field that there is not is named, also where another is not given."""
        self.assertEqual(self.refused(nome="x"), "Ours has no field 'nome'")
        self.assertEqual(self.refused("x", nome="x"), "Ours has no field 'nome'")

    def test_frozen(self) -> None:
        """Fields are neither changed, nor added, nor deleted."""
        ours: Any = Ours("x")
        self.assertRaises(FrozenInstanceError, setattr, ours, "name", "y")
        self.assertRaises(FrozenInstanceError, setattr, ours, "other", "y")
        self.assertRaises(FrozenInstanceError, delattr, ours, "name")
        self.assertEqual(ours.name, "x")
