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
        """These with others on top, and without those that are removed.

        @raise BadProperties: two names of the changes differ only in case.
        """
        folded, added = dict(self.folded), []
        for name, value in changes.items():
            low = intern(name.lower())
            if low not in folded:
                added.append(name)
            folded[low] = value if type(value) in PLAIN else frozen(value)
        if len(changes) > 1 and len({name.lower() for name in changes}) < len(changes):
            raise _ambiguous(changes)
        spelled = (*self.spelled, *added) if added else self.spelled
        for name in removed:
            if folded.pop(low := name.lower(), self) is not self:
                spelled = tuple(each for each in spelled if each.lower() != low)
        return _made(folded, spelled)


def _made(folded: dict[str, Any], spelled: tuple[str, ...]) -> Properties:
    """Properties of which all is known to be as it should."""
    made = Properties.__new__(Properties)
    made.folded, made.spelled = folded, spelled
    return made


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
