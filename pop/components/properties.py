"""What is said of a registration."""

from collections.abc import Iterable, Iterator, Mapping
from sys import intern
from typing import Any

from pop.components.errors import BadProperties

PLAIN = frozenset({str, int, float, bool, type(None)})


class Properties(Mapping[str, Any]):
    """Values by names that are compared without regard to case; never changed, only replaced.

    Lists and sets are kept as tuples and frozen sets, so that nobody changes a registration behind
    the back of those who listen to it.

    @ivar folded: the values by the names in lower case, for filters.
    """

    __slots__ = ("folded", "spelled")

    def __init__(self, given: Mapping[str, Any]) -> None:
        """@raise BadProperties: two names differ only in case."""
        self.folded: dict[str, Any] = {
            intern(name.lower()): value if type(value) in PLAIN else frozen(value)
            for name, value in given.items()
        }
        self.spelled: tuple[str, ...] = tuple(given)
        if len(self.folded) != len(self.spelled):
            raise _ambiguous(self.spelled)

    def __getitem__(self, name: str) -> Any:
        return self.folded[name.lower()]

    def __iter__(self) -> Iterator[str]:
        return iter(self.spelled)

    def __len__(self) -> int:
        return len(self.spelled)

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and name.lower() in self.folded

    def __repr__(self) -> str:
        return f"Properties({self.as_dict()!r})"

    def as_dict(self) -> dict[str, Any]:
        """A copy, with the names as they were spelled."""
        return dict(zip(self.spelled, self.folded.values(), strict=True))

    def changed(self, changes: Mapping[str, Any], removed: Iterable[str] = ()) -> "Properties":
        """These with others on top, and without those that are removed; they themselves if nothing
        is other than before.

        @raise BadProperties: two names of the changes differ only in case.
        """
        told, before = Properties(changes), self.folded
        gone = {name.lower() for name in removed}
        other = {
            low: value
            for low, value in told.folded.items()
            if low not in gone and not (low in before and is_same(value, before[low]))
        }
        if not other and gone.isdisjoint(before):
            return self
        folded, spelled = before | other, self.spelled
        if len(folded) > len(before):
            names = zip(told.folded, told.spelled, strict=True)
            spelled += tuple(name for low, name in names if low not in before)
        if gone:
            folded = {low: value for low, value in folded.items() if low not in gone}
            spelled = tuple(name for name in spelled if name.lower() not in gone)
        return _made(folded, spelled)


def _made(folded: dict[str, Any], spelled: tuple[str, ...]) -> Properties:
    """Properties of which all is known to be as it should."""
    made = Properties.__new__(Properties)
    made.folded, made.spelled = folded, spelled
    return made


def is_same(one: Any, other: Any) -> bool:
    """Whether two values are one for filters, too: 1 is not True, nor is it in a list."""
    if one is other:
        return True
    return bool(one == other) and _kinds(one) == _kinds(other)


def _kinds(value: Any) -> Any:
    """What tells values apart that are equal."""
    if isinstance(value, tuple):
        return tuple((item, _kinds(item)) for item in value)
    if isinstance(value, frozenset):
        return frozenset((item, _kinds(item)) for item in value)
    return type(value)


def frozen(value: Any) -> Any:
    """A value that is kept: lists and sets cannot be changed any more."""
    if isinstance(value, list):
        return tuple(value)
    if isinstance(value, set):
        return frozenset(value)
    return value


def _ambiguous(names: Iterable[str]) -> BadProperties:
    seen: dict[str, str] = {}
    for name in names:
        first = seen.setdefault(name.lower(), name)
        if first is not name:
            return BadProperties(first=first, second=name)
    raise AssertionError("no two names are the same")
